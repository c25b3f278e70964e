"""A model's reply taken apart: the edits it holds, in any format, and the prose around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, ParsedReply
from dursor.patch.formats import blocks, envelope, prose_cues, tagged, udiff, whole
from dursor.patch.formats.fences import OPENING, Fence
from dursor.patch.formats.hunks import HEADER, read_hunks

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIFF_WORDS = frozenset({"diff", "patch", "udiff", "unified-diff", "unidiff"})
MOST_EDITS = 20_000  # no answer has more; what follows is not read
_LIKELY = re.compile(r"diff --git |(?:rename|copy) from |similarity |--- |\+\+\+ |@@|\*\*\* |\s*<")
_MOST_MENTIONS = 20
_NEAR = 6  # lines above a fence or block in which its file is named


@dataclass
class _Reader:
    """One pass over the lines of a reply."""

    lines: list[str]
    open_end: bool  # the reply ends within a line
    finished: bool = False  # its provider says that it is whole
    at: int = 0
    fence: Fence | None = None
    in_diff: bool = False  # the open fence calls itself a diff
    path: str | None = None  # the file last named for blocks
    by_tag: bool = False  # just now, by a tag of its own
    pairs: tagged.TagPairs | None = None  # read when the first one is met
    has_fences: bool = False  # one was met
    unbalanced: bool = False  # some fence, inner ones counted, never closes
    floor: int = 0  # where the last edit ends: no name above it is meant
    breath: int = 0
    attempt: int = 0
    doubt: str | None = None
    edits: list[FileEdit] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)  # prose since the last edit

    def run(self) -> ParsedReply:
        readers = (self._diff, self._loose_hunks, self._block, self._envelope, self._tagged)
        while self.at < len(self.lines) and len(self.edits) <= MOST_EDITS:
            known = len(self.edits)
            likely = _LIKELY.match(self.lines[self.at])
            if not likely or not any(reader() for reader in readers):
                self._other()
            if len(self.edits) > known:
                self.floor = self.at
        if self.edits and prose_cues.withdraws(self.since):
            self.doubt = self.doubt or "the reply takes its last patch back"
        return ParsedReply(tuple(self.edits), tuple(self.prose), self.doubt)

    def _add(self, *edits: FileEdit) -> None:
        self.doubt = self.doubt or prose_cues.find_doubt(self.since, is_first=not self.edits)
        if self.since and self.edits:
            self.breath += 1
            self.attempt += prose_cues.takes_back(self.since)
        self.since = []
        self.edits += [replace(x, breath=self.breath, attempt=self.attempt) for x in edits]

    def _may_be_cut(self) -> bool:
        """Tell whether the reply may end inside what is read now, as far as its form shows."""
        return not self.finished and (self.open_end or self.fence is not None)

    def _diff(self) -> bool:
        if not udiff.starts(self.lines, self.at):
            return False
        self.path = None
        edit, self.at = udiff.parse(self.lines, self.at, self.fence, open_end=self._may_be_cut())
        if edit:
            self._add(edit)
        return True

    def _loose_hunks(self) -> bool:
        """Read hunks without a file's header: the file may be named above them."""
        line = self.lines[self.at]
        if not line.startswith("@@") or not (self.in_diff or HEADER.match(line)):
            return False
        path = self._named_above(loose=True) or ""
        hunks, self.at, cut = read_hunks(
            self.lines, self.at, self.fence, open_end=self._may_be_cut()
        )
        self._add(FileEdit(Action.MODIFY, path, hunks=tuple(hunks), cut=cut))
        return True

    def _block(self) -> bool:
        if not blocks.SEARCH.match(self.lines[self.at]):
            return False
        mentions = self._name_block()
        edit, self.at = blocks.parse(self.lines, self.at, self.path)
        self._add(replace(edit, mentions=mentions))
        return True

    def _name_block(self) -> tuple[str, ...]:
        """Find the file of the block here; return what the words above name beside an old one."""
        named = None if self.by_tag else self._named_above(loose=True)
        carried = named is None and self.path is not None and not self.by_tag
        self.path, self.by_tag = named or self.path, False
        return tuple(islice(whole.paths_in(self.since), _MOST_MENTIONS)) if carried else ()

    def _envelope(self) -> bool:
        if not envelope.starts(self.lines[self.at]):
            return False
        self.path = None
        edits, self.at = envelope.parse(self.lines, self.at)
        self._add(*edits)
        return True

    def _tagged(self) -> bool:
        line = self.lines[self.at]
        if named := tagged.file_tag(line):
            self.path, self.lines[self.at] = named
            self.by_tag = True
            return True
        if not tagged.starts(line):
            return False
        self.pairs = self.pairs or tagged.TagPairs(self.lines)
        mentions = self._name_block()
        edit, self.at = self.pairs.read(self.at, self.path)
        if edit:
            self._add(replace(edit, mentions=mentions))
        else:
            self.prose.append(line)
        return True

    def _other(self) -> None:
        """Pass over a line that begins no edit: a fence, prose, or filling inside a fence."""
        line = self.lines[self.at]
        match = None if self.fence else OPENING.match(line)
        is_stray = match is not None and self._is_stray(match)
        self.has_fences |= match is not None
        if match and not is_stray:
            self._open(match)
            return
        if self.fence and self.fence.is_closed_by(line):
            self.fence, self.in_diff = None, False
        elif self.in_diff and line[:1] in {"+", "-"}:
            self._add(FileEdit(Action.MODIFY, self._named_above(loose=True) or "", hollow=True))
            self.in_diff = False  # once is enough
        elif not self.fence and not match:
            self.prose.append(line)
            if line.strip() and not whole.path_in(line):
                self.since.append(line)
        self.at += 1

    def _is_stray(self, match: re.Match[str]) -> bool:
        """Tell whether this is the end of a fence that was opened before the reply began.

        It is the first one of the reply then, right below an edit.
        """
        if self.has_fences or not self.edits or self.since or match[3].strip():
            return False
        return self._named_above(loose=True) is None

    def _open(self, match: re.Match[str]) -> None:
        """Enter a fence that holds edits; take one that holds a file; pass over any other."""
        fence = Fence(match[2][0], len(match[2]), len(match[1]))
        info = match[3].strip()
        end = self._fence_end(fence)
        fence = self._dedented(fence, end)
        body = self.lines[self.at + 1 : end]
        path = whole.path_of_info(info) or self._named_above(loose=False)
        if path is None:
            above = self.lines[self.floor : self.at]
            path = whole.find_whole_file_path(next(filter(str.strip, reversed(above)), ""))
        first = next((i for i, line in enumerate(body) if line.strip()), 0)
        likely = range(first, min(len(body), first + 4)) if path else range(len(body))
        if info.lower() in _DIFF_WORDS or any(_is_edit(body, i) for i in likely):
            self.fence = fence
            self.in_diff = info.lower() in _DIFF_WORDS
            if end >= len(self.lines) and not any(map(str.strip, body)):
                self._add(FileEdit(Action.MODIFY, path or "", cut=True))
            self.at += 1
            return
        if path and (body or info) and not whole.is_transcript(info, path):
            cut = not self._is_closed(fence, path, end)
            self._add(FileEdit(Action.WRITE, path, lines=tuple(body), cut=cut))
        self.at = end + 1

    def _fence_end(self, fence: Fence) -> int:
        """Find where the fence opened here closes.

        Inner fences that name a language nest, unless that leaves some fence open at the end.
        """
        depth = 1
        first = len(self.lines)
        for at in range(self.at + 1, len(self.lines)):
            line = self.lines[at]
            if fence.is_closed_by(line):
                first = min(first, at)
                depth -= 1
                if not depth or self.unbalanced:
                    return at
            elif (match := OPENING.match(line)) and match[2][0] == fence.mark and match[3].strip():
                depth += 1
        self.unbalanced = True
        return first

    def _is_closed(self, fence: Fence, path: str, end: int) -> bool:
        """Tell whether the file in FENCE surely ends at END.

        Not so where an inner fence that names a language has taken that end from an outer one, nor
        where a text that may hold fences without a name is followed by some.
        """
        if end >= len(self.lines):
            return False
        inside = (OPENING.match(self.lines[at]) for at in range(self.at + 1, end))
        if self.unbalanced and any(x and x[2][0] == fence.mark and x[3].strip() for x in inside):
            return False
        if not path.lower().endswith(whole.MARKED_UP):
            return True
        below = (OPENING.match(self.lines[at]) for at in range(end + 1, len(self.lines)))
        after = next((x for x in below if x and x[2][0] == fence.mark), None)
        return after is None or bool(after[3].strip()) or len(after[2]) != fence.width

    def _dedented(self, fence: Fence, end: int) -> Fence:
        """Take FENCE's own indentation off its body, unless the body stands without it."""
        margin = " " * fence.indent
        if not margin or any(
            self.lines[at].strip() and not self.lines[at].startswith(margin)
            for at in range(self.at + 1, end)
        ):
            return fence
        for at in range(self.at + 1, min(end + 1, len(self.lines))):
            line = self.lines[at]
            self.lines[at] = line[min(len(margin), len(line) - len(line.lstrip(" "))) :]
        return replace(fence, indent=0)

    def _named_above(self, *, loose: bool) -> str | None:
        """Find the path in the lines just above; LOOSE also takes it out of a sentence."""
        seen = 0
        for at in range(self.at - 1, max(self.at - 1 - _NEAR, self.floor - 1), -1):
            line = self.lines[at]
            match = OPENING.match(line)
            path = whole.path_of_info(match[3]) if match else whole.path_in(line)
            if not path and loose and not match:
                path = whole.path_said(line)
            if path:
                return path
            if blocks.REPLACE.match(line) or (match and not match[3].strip() and not self.fence):
                return None
            seen += bool(line.strip()) and not match
            if seen > loose:
                return None
        return None


def _is_edit(lines: Sequence[str], at: int) -> bool:
    return (
        udiff.starts(lines, at)
        or bool(HEADER.match(lines[at]))
        or bool(blocks.SEARCH.match(lines[at]))
        or envelope.starts(lines[at])
        or tagged.starts(lines[at])
    )


@lru_cache(2)  # what a reply names is looked at before it is resolved
def extract(reply: str, *, finished: bool = False) -> ParsedReply:
    """Take every edit out of REPLY, in order.

    Where its provider says that it is FINISHED, a last line without an end shows nothing.
    """
    lines = reply.split("\n")
    open_end = bool(lines[-1])
    if not open_end:
        lines.pop()
    return _Reader([line.removesuffix("\r") for line in lines], open_end, finished=finished).run()
