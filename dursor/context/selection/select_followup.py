"""The context of a later round: what its task's first round was shown, then what is new.

A vendor's cache knows a request by its beginning. So a later round on the same base repeats the
first one's beginning to the byte, and says beside its own instruction how the files stand now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.context.selection.guidance import GUIDANCE_REASON, select_guidance
from dursor.context.selection.select import map_other_files, select_context
from dursor.context.selection.selection import SelectedFile, Selection
from dursor.context.selection.withheld import list_withheld
from dursor.context.sendable import check_content, check_entry, split_sendable
from dursor.context.source import TextSource
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens, split_lines
from dursor.secrets.placeholders import Placeholders
from dursor.tree import Entry, Overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.selection.selection import Ranges
    from dursor.domain import ContextFile
    from dursor.pathrules import PathRules
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.tree import Changes, FileState, Tree

CHANGED_TOKENS = 8_000  # an allowance of their own for files as they now stand, beside the budget
AROUND = 20  # lines shown on each side of a change in a file too large to show whole
CHANGED = "as it stands after the answer this round goes on from"


@dataclass(frozen=True)
class UnseenTree:
    """A tree less the paths that are shown already."""

    tree: Tree
    shown: Collection[str]

    def entries(self) -> Mapping[str, Entry]:
        """Every path that is left."""
        entries = self.tree.entries()
        return {path: entry for path, entry in entries.items() if path not in self.shown}

    def read(self, path: str) -> bytes:
        """Read PATH; KeyError when it is shown already."""
        if path in self.shown:
            raise KeyError(path)
        return self.tree.read(path)

    def read_many(self, paths: Iterable[str]) -> Mapping[str, bytes]:
        """Read PATHS; KeyError when one is shown already."""
        wanted = list(paths)
        if shown := next((path for path in wanted if path in self.shown), None):
            raise KeyError(shown)
        return self.tree.read_many(wanted)


@dataclass(frozen=True)
class FollowUpSelector:
    """Chooses for rounds on BASE with CHANGES laid over it."""

    base: Tree
    changes: Changes
    rules: PathRules
    cache_dir: Path | None = None
    history: CommitLog | None = None
    key: PlaceholderKey | None = None

    def follow(
        self,
        earlier: Sequence[ContextFile],
        instruction: str,
        *,
        budget: int,
        pinned: Sequence[str] = (),
    ) -> Selection | None:
        """Choose for INSTRUCTION, in a task whose first round was shown EARLIER of the same base.

        None when that cannot be shown again: a rule forbids it now, or the budget is too low for it
        and the pinned files. Raises as `choose` does.
        """
        sendable, _ = split_sendable(self.base.entries(), self.rules)
        source = TextSource(self.base, Placeholders(self.key))
        guide = select_guidance(sendable, source)
        chosen = [file for file in earlier if file.reason != GUIDANCE_REASON]
        found = [_again(file, sendable, source) for file in chosen]
        kept = tuple(pick for pick in found if pick is not None)
        whole = {pick.path for pick in kept if pick.ranges is None}
        pins = {path.removeprefix("./") for path in pinned} - (whole - self.changes.keys())
        room = budget - sum(pick.tokens for pick in kept)
        if len(kept) < len(found) or self._size(pins) > room:
            return None
        fresh = select_context(
            UnseenTree(self._now, (whole | self.changes.keys()) - pins),
            instruction,
            budget=room,
            pinned=[path for path in pinned if path.removeprefix("./") in pins],
            rules=self.rules,
            cache_dir=self.cache_dir,
            history=self.history,
            key=self.key,
        )
        repo_map = map_other_files(sendable, kept, guide)
        again = replace(fresh, budget=budget, files=kept, repo_map=repo_map, guide=guide)
        new = tuple(pick for pick in fresh.files if pick.path in pins or _is_new(pick, kept))
        return self._beside(replace(again, added=new), source, pins)

    def _beside(self, selection: Selection, source: TextSource, pins: Collection[str]) -> Selection:
        """SELECTION with what changed since its files were shown, and with its tokens counted."""
        changed, unshown = self._changed(source, pins)
        return replace(
            selection,
            changed=changed,
            gone=tuple(path for path, state in self.changes.items() if state is None),
            unshown=unshown,
            withheld=(
                *list_withheld({}, source.secrets, "", everything=False),
                *selection.withheld,
            ),
            placeholders=selection.placeholders | source.placeholders.mapping,
        )

    @property
    def _now(self) -> Tree:
        return Overlay(self.base, self.changes)

    def _size(self, pins: Collection[str]) -> int:
        """Count the tokens of PINS; what may not be sent is for `choose` to refuse."""
        source, entries = TextSource(self._now, Placeholders(self.key)), self._now.entries()
        known = [path for path in pins if path in entries]
        sent = (path for path in known if check_entry(path, entries[path], self.rules) is None)
        return sum(source.tokens(path) for path in sent)

    def _changed(
        self, source: TextSource, pins: Collection[str]
    ) -> tuple[tuple[SelectedFile, ...], tuple[str, ...]]:
        """Select the changed files as they now stand, whole or in part; name those too large."""
        room, picks, unshown = CHANGED_TOKENS, [], []
        for path, state in self.changes.items():
            if state is None or path in pins or not _may_be_sent(path, state, self.rules):
                continue
            pick = self._now_pick(path, state, source, room)
            if pick is None:
                unshown.append(path)
            else:
                room -= pick.tokens
                picks.append(pick)
        return tuple(picks), tuple(unshown)

    def _now_pick(
        self, path: str, state: FileState, source: TextSource, room: int
    ) -> SelectedFile | None:
        text, _ = source.placeholders.replace(state.data.decode("utf-8"), path)
        ranges: Ranges | None = None
        if _tokens(text) > room:
            old = self.base.read(path) if path in self.base.entries() else b""
            before, _ = source.placeholders.replace(old.decode("utf-8", "replace"), path)
            ranges, text = _around(before, text)
        return (
            SelectedFile(path, ranges, _tokens(text), CHANGED, text)
            if _tokens(text) <= room
            else None
        )


def _again(file: ContextFile, sendable: Collection[str], source: TextSource) -> SelectedFile | None:
    """Select FILE as it was picked before; None when that cannot be."""
    text = source.text(file.path) if file.path in sendable else None
    if text is None:
        return None
    if file.ranges is not None:
        lines = split_lines(text)
        if any(last > len(lines) for _, last in file.ranges):
            return None
        text = "".join("".join(lines[first - 1 : last]) for first, last in file.ranges)
    return SelectedFile(file.path, file.ranges, file.tokens, file.reason, text)


def _is_new(pick: SelectedFile, kept: Collection[SelectedFile]) -> bool:
    return not any(pick.path == one.path and pick.ranges == one.ranges for one in kept)


def _may_be_sent(path: str, state: FileState, rules: PathRules) -> bool:
    entry = Entry(state.mode, "", len(state.data))
    return check_entry(path, entry, rules) is None and check_content(state.data) is None


def _tokens(text: str) -> int:
    return estimate_tokens(len(text.encode("utf-8"))) + FILE_TOKENS


def _around(old: str, new: str) -> tuple[Ranges, str]:
    """Cut NEW to the lines from the first to the last that OLD has not, and some around them."""
    before, after = split_lines(old), split_lines(new)
    pairs = list(zip(before, after, strict=False))
    first = next((n for n, (a, b) in enumerate(pairs) if a != b), len(pairs))
    tail = list(zip(reversed(before[first:]), reversed(after[first:]), strict=False))
    same = next((n for n, (a, b) in enumerate(tail) if a != b), len(tail))
    start = max(0, first - AROUND)
    end = min(len(after), len(after) - same + AROUND)
    return ((start + 1, end),), "".join(after[start:end])
