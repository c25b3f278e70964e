"""Resolving a repair on top of the reply that it repairs, and checking that it is complete."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError, NoPatchError
from dursor.patch.edits import Action
from dursor.patch.formats.blocks import SEARCH
from dursor.patch.names import strip_prefix
from dursor.patch.resolve import PartlyResolvedError, Resolution, list_edits, resolve
from dursor.secrets.placeholders import PREFIX
from dursor.tree import read_or_empty

if TYPE_CHECKING:
    from collections.abc import Container

    from dursor.tree import Tree

MISSING = "it could not be applied before, and the last reply leaves it out"

_PLACEHOLDER = re.compile(PREFIX.encode() + rb"[0-9a-f]{8}")


@dataclass(frozen=True)
class PartialReply:
    """A reply of which only a part could be resolved."""

    message: str
    failures: tuple[HunkFailure, ...]
    kept: Resolution  # the resolved part


def resolve_with_repairs(text: str, tree: Tree, partial: PartialReply | None) -> Resolution:
    """Resolve TEXT, a first reply or the repair of a PARTIAL one.

    Raises as `resolve` does, and PartlyResolvedError for a placeholder without a secret.
    """
    change = _resolve_repair(text, tree, partial) if partial else resolve(text, tree, finished=True)
    unknown = {
        path: min(names).decode()
        for path, state in change.changes.items()
        if state is not None
        and (
            names := _new_placeholders(
                state.data, read_or_empty(tree, change.renames.get(path, path))
            )
        )
    }
    if unknown:
        failures = tuple(
            HunkFailure(path, name, f"{name} is not a placeholder of a secret in these files")
            for path, name in unknown.items()
        )
        raise PartlyResolvedError(failures, kept=_without(change, unknown))
    return change


def _new_placeholders(data: bytes, before: bytes) -> set[bytes]:
    names = set(_PLACEHOLDER.findall(data))
    return names - set(_PLACEHOLDER.findall(before)) if names else names


def _resolve_repair(text: str, tree: Tree, partial: PartialReply) -> Resolution:
    failures: tuple[HunkFailure, ...] = ()
    try:
        change = resolve(text, tree, kept=partial.kept, finished=True)
    except PartlyResolvedError as error:
        failures, change = error.failures, error.kept
    except NoPatchError as error:
        raise ApplyFailedError(f"{partial.message} (the repair contains no patch)") from error
    missing = _find_missing(partial, text)
    if failures or missing:
        raise PartlyResolvedError((*failures, *missing), kept=change)
    return change


def _without(change: Resolution, paths: Container[str]) -> Resolution:
    """Return CHANGE without PATHS and the renames that they are part of."""
    old_paths = {old for new, old in change.renames.items() if new in paths}
    dropped = {path for path in change.changes if path in paths or path in old_paths}
    return replace(
        change,
        changes={path: state for path, state in change.changes.items() if path not in dropped},
        renames={new: old for new, old in change.renames.items() if new not in dropped},
        splices={path: splice for path, splice in change.splices.items() if path not in dropped},
    )


def _find_missing(partial: PartialReply, repair: str) -> tuple[HunkFailure, ...]:
    """Return the failures of a PARTIAL reply that REPAIR leaves out.

    Otherwise a dropped part would be missing from the tree of a run that succeeded. A part is
    covered when one of its changed lines is, or when its file has as many hunks as failed. A part
    without a file, or a file that failed as a whole, is covered when a new file is named.
    """
    # with and without a diff's tag
    lines = {text.strip() for line in repair.splitlines() for text in (line, line[1:])}
    hunks = _count_hunks(repair)
    has_new = any(name not in partial.kept.changes for name in hunks)
    failed = Counter(failure.path for failure in partial.failures)

    def is_covered(failure: HunkFailure) -> bool:
        if hunks[failure.path] >= failed[failure.path]:
            return True
        changed = _changed_lines(failure.hunk)
        may_be_new = has_new and (failure.path is None or not changed)
        return may_be_new or not lines.isdisjoint(changed)

    missing = (failure for failure in partial.failures if not is_covered(failure))
    return tuple(failure._replace(reason=MISSING) for failure in missing)


def _changed_lines(part: str) -> set[str]:
    """Return the changed lines of a failed part that contain a letter or a digit."""
    lines = part.splitlines()
    if lines and SEARCH.match(lines[0]):
        changed = lines[1:-1]
    else:
        changed = [line[1:] for line in lines if line[:1] in {"+", "-"}]
    return {line.strip() for line in changed if any(map(str.isalnum, line))}


def _count_hunks(reply: str) -> Counter[str | None]:
    """Count the hunks of REPLY by path; a whole file counts as more than any number."""
    counts: Counter[str | None] = Counter()
    for edit in list_edits(reply, finished=True):
        is_part = edit.action is Action.MODIFY
        count = sum(hunk.changes for hunk in edit.hunks) if is_part else len(reply)
        for name in {edit.path, edit.new_path or edit.path}:
            counts.update(dict.fromkeys({name, strip_prefix(name)}, count))
    return counts
