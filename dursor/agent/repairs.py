"""What an answer comes to on top of a broken one, and whether it answers what it was asked for."""

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

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from dursor.tree import Tree

LEFT_OUT = "it could not be placed before, and the last answer leaves it out"

_PLACEHOLDER = re.compile(PREFIX.encode() + rb"[0-9a-f]{8}")


@dataclass(frozen=True)
class Broken:
    """An answer that could not be placed whole."""

    message: str
    failures: tuple[HunkFailure, ...]
    kept: Resolution  # what could


def placed(text: str, tree: Tree, broken: Broken | None) -> Resolution:
    """Resolve an answer's TEXT, or what is to mend what failed of a BROKEN one.

    Raises as `resolve` does, and for a placeholder that stands for no secret.
    """
    found = repaired(text, tree, broken) if broken else resolve(text, tree, finished=True)
    strange = {
        path: min(names).decode()
        for path, state in found.changes.items()
        if state is not None
        and (names := _strange(state.data, content(tree, found.renames.get(path, path))))
    }
    if strange:
        why = "{} stands for no secret of these files"
        failures = tuple(HunkFailure(path, n, why.format(n)) for path, n in strange.items())
        raise PartlyResolvedError(failures, kept=without(found, strange))
    return found


def content(tree: Tree, path: str) -> bytes:
    """What TREE holds at PATH; nothing, where nothing is."""
    return tree.read(path) if path in tree.entries() else b""


def _strange(data: bytes, before: bytes) -> set[bytes]:
    """Placeholders in DATA that were not there BEFORE."""
    names = set(_PLACEHOLDER.findall(data))
    return names - set(_PLACEHOLDER.findall(before)) if names else names


def repaired(text: str, tree: Tree, broken: Broken) -> Resolution:
    """Resolve TEXT, which is to mend what failed of a BROKEN answer."""
    failures: tuple[HunkFailure, ...] = ()
    try:
        found = resolve(text, tree, kept=broken.kept, finished=True)
    except PartlyResolvedError as error:
        failures, found = error.failures, error.kept
    except NoPatchError as error:
        raise ApplyFailedError(
            f"{broken.message}; asked to repair it, the model gave no patch"
        ) from error
    missing = left_out(broken, text)
    if failures or missing:
        raise PartlyResolvedError((*failures, *missing), kept=found)
    return found


def without(found: Resolution, paths: Container[str]) -> Resolution:
    """Give what FOUND does to other paths than these."""
    moved = {old for new, old in found.renames.items() if new in paths}
    gone = {path for path in found.changes if path in paths or path in moved}
    return replace(
        found,
        changes={path: state for path, state in found.changes.items() if path not in gone},
        renames={new: old for new, old in found.renames.items() if new not in gone},
        splices={path: splices for path, splices in found.splices.items() if path not in gone},
    )


def left_out(broken: Broken, reply: str) -> tuple[HunkFailure, ...]:
    """Pick those failures of a BROKEN answer that REPLY, which was to mend them, says nothing of.

    What has merely been dropped would be missing from a tree that passes for the whole answer. A
    part is there when one of its changed lines is, or when its file has as many hunks as failed;
    what has no file, or failed as a whole, when a file is named of which nothing was kept.
    """
    said = set(_stripped(reply.splitlines()))
    hunks = _hunks(reply)
    has_new = any(name not in broken.kept.changes for name in hunks)
    failed = Counter(failure.path for failure in broken.failures)

    def is_there(failure: HunkFailure) -> bool:
        if hunks[failure.path] >= failed[failure.path]:
            return True
        telling = _telling(failure.hunk)
        may_be_new = has_new and (failure.path is None or not telling)
        return may_be_new or not said.isdisjoint(telling)

    missing = (one for one in broken.failures if not is_there(one))
    return tuple(replace(one, reason=LEFT_OUT) for one in missing)


def _telling(part: str) -> set[str]:
    """Give the changed lines of a failed part, as far as they say anything."""
    lines = part.splitlines()
    if lines and SEARCH.match(lines[0]):
        changed = lines[1:-1]
    else:
        changed = [line[1:] for line in lines if line[:1] in {"+", "-"}]
    return {line.strip() for line in changed if any(map(str.isalnum, line))}


def _stripped(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield line.strip()
        yield line[1:].strip()  # without the tag it may have


def _hunks(reply: str) -> Counter[str | None]:
    """Count the hunks of REPLY for each path it names; a file given whole has any number."""
    found: Counter[str | None] = Counter()
    for edit in list_edits(reply, finished=True):
        is_part = edit.action is Action.MODIFY
        count = sum(hunk.changes for hunk in edit.hunks) if is_part else len(reply)
        for name in {edit.path, edit.new_path or edit.path}:
            found.update(dict.fromkeys({name, strip_prefix(name)}, count))
    return found
