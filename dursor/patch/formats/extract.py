"""Parse a model's reply: the edits in it, in any format, and the prose around them."""

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
MAX_EDITS = 20_000  # the rest of a longer reply is not read
_MAY_START = re.compile(
    r"diff --git |(?:rename|copy) from |similarity |--- |\+\+\+ |@@|\*\*\* |\s*<"
)
_MAX_MENTIONS = 20
_NEAR = 6  # lines above a fence or block in which its file is named


@dataclass
class _Reader:
    """One pass over the lines of a reply."""

    lines: list[str]
    open_end: bool  # the reply ends within a line
    finished: bool = False  # the provider reported a complete reply
    row: int = 0
    fence: Fence | None = None
    in_diff: bool = False  # the open fence calls itself a diff
    path: str | None = None  # the last file named for blocks
    by_tag: bool = False  # it was named just now, by a tag of its own
    pairs: tagged.TagPairs | None = None  # built for the first one
    has_fences: bool = False
    unbalanced: bool = False  # some fence, inner ones included, never closes
    floor: int = 0  # end of the last edit; names above it do not count
    passage: int = 0
    revision: int = 0
    doubt: str | None = None
    edits: list[FileEdit] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)  # prose since the last edit

    def read(self) -> ParsedReply:
        readers = (
            self._read_diff,
            self._read_loose_hunks,
            self._read_block,
            self._read_envelope,
            self._read_tags,
        )
        while self.row < len(self.lines) and len(self.edits) <= MAX_EDITS:
            known = len(self.edits)
            may_start = _MAY_START.match(self.lines[self.row])
            if not may_start or not any(reader() for reader in readers):
                self._read_other()
            if len(self.edits) > known:
                self.floor = self.row
        if self.edits and prose_cues.withdraws(self.since):
            self.doubt = self.doubt or "the reply withdraws its last patch"
        return ParsedReply(tuple(self.edits), tuple(self.prose), self.doubt)

    def _add(self, *edits: FileEdit) -> None:
        self.doubt = self.doubt or prose_cues.find_doubt(self.since, is_first=not self.edits)
        if self.since and self.edits:
            self.passage += 1
            self.revision += prose_cues.takes_back(self.since)
        self.since = []
        self.edits += [replace(x, passage=self.passage, revision=self.revision) for x in edits]

    @property
    def _may_be_cut(self) -> bool:
        """Whether the reply may have been cut inside the current section."""
        return not self.finished and (self.open_end or self.fence is not None)

    def _read_diff(self) -> bool:
        if not udiff.starts(self.lines, self.row):
            return False
        self.path = None
        edit, self.row = udiff.parse(self.lines, self.row, self.fence, open_end=self._may_be_cut)
        if edit:
            self._add(edit)
        return True

    def _read_loose_hunks(self) -> bool:
        """Read hunks without a file header; the prose above may name the file."""
        line = self.lines[self.row]
        if not line.startswith("@@") or not (self.in_diff or HEADER.match(line)):
            return False
        path = self._find_name(loose=True) or ""
        hunks, self.row, cut = read_hunks(
            self.lines, self.row, self.fence, open_end=self._may_be_cut
        )
        self._add(FileEdit(Action.MODIFY, path, hunks=tuple(hunks), is_cut=cut))
        return True

    def _read_block(self) -> bool:
        if not blocks.SEARCH.match(self.lines[self.row]):
            return False
        mentions = self._name_block()
        edit, self.row = blocks.parse(self.lines, self.row, self.path)
        self._add(replace(edit, mentions=mentions))
        return True

    def _name_block(self) -> tuple[str, ...]:
        """Set the path of this block; return the paths in the prose if it inherits an old one."""
        name = None if self.by_tag else self._find_name(loose=True)
        inherits = name is None and self.path is not None and not self.by_tag
        self.path, self.by_tag = name or self.path, False
        return tuple(islice(whole.list_paths(self.since), _MAX_MENTIONS)) if inherits else ()

    def _read_envelope(self) -> bool:
        if not envelope.starts(self.lines[self.row]):
            return False
        self.path = None
        edits, self.row = envelope.parse(self.lines, self.row)
        self._add(*edits)
        return True

    def _read_tags(self) -> bool:
        line = self.lines[self.row]
        if tag := tagged.parse_file_tag(line):
            self.path, self.lines[self.row] = tag
            self.by_tag = True
            return True
        if not tagged.starts(line):
            return False
        self.pairs = self.pairs or tagged.TagPairs(self.lines)
        mentions = self._name_block()
        edit, self.row = self.pairs.read(self.row, self.path)
        if edit:
            self._add(replace(edit, mentions=mentions))
        else:
            self.prose.append(line)
        return True

    def _read_other(self) -> None:
        """Skip a line that starts no edit: a fence, prose, or text inside a fence."""
        line = self.lines[self.row]
        match = None if self.fence else OPENING.match(line)
        is_stray = match is not None and self._is_stray(match)
        self.has_fences |= match is not None
        if match and not is_stray:
            self._open(match)
            return
        if self.fence and self.fence.is_closed_by(line):
            self.fence, self.in_diff = None, False
        elif self.in_diff and line[:1] in {"+", "-"}:
            path = self._find_name(loose=True) or ""
            self._add(FileEdit(Action.MODIFY, path, is_hollow=True))
            self.in_diff = False  # report it once
        elif not self.fence and not match:
            self.prose.append(line)
            if line.strip() and not whole.parse_path_line(line):
                self.since.append(line)
        self.row += 1

    def _is_stray(self, match: re.Match[str]) -> bool:
        """Return whether this closes a fence that was opened before the reply began.

        It is then the first fence of the reply, right below an edit.
        """
        if self.has_fences or not self.edits or self.since or match[3].strip():
            return False
        return self._find_name(loose=True) is None

    def _open(self, match: re.Match[str]) -> None:
        """Enter a fence that holds edits, read one that holds a file, skip any other."""
        fence = Fence(match[2][0], len(match[2]), len(match[1]))
        info = match[3].strip()
        end = self._find_fence_end(fence)
        fence = self._dedent(fence, end)
        body = self.lines[self.row + 1 : end]
        path = whole.parse_info(info) or self._find_name(loose=False)
        if path is None:
            above = self.lines[self.floor : self.row]
            path = whole.find_whole_file_path(next(filter(str.strip, reversed(above)), ""))
        first = next((i for i, line in enumerate(body) if line.strip()), 0)
        candidates = range(first, min(len(body), first + 4)) if path else range(len(body))
        if info.lower() in _DIFF_WORDS or any(_is_edit(body, i) for i in candidates):
            self.fence = fence
            self.in_diff = info.lower() in _DIFF_WORDS
            if end >= len(self.lines) and not any(map(str.strip, body)):
                self._add(FileEdit(Action.MODIFY, path or "", is_cut=True))
            self.row += 1
            return
        if path and (body or info) and not whole.is_transcript(info, path):
            cut = not self._is_closed(fence, path, end)
            self._add(FileEdit(Action.WRITE, path, lines=tuple(body), is_cut=cut))
        self.row = end + 1

    def _find_fence_end(self, fence: Fence) -> int:
        """Return the index of the line that closes FENCE.

        Inner fences that name a language nest, unless that leaves some fence open at the end.
        """
        depth = 1
        first = len(self.lines)
        for row in range(self.row + 1, len(self.lines)):
            line = self.lines[row]
            if fence.is_closed_by(line):
                first = min(first, row)
                depth -= 1
                if not depth or self.unbalanced:
                    return row
            elif (match := OPENING.match(line)) and match[2][0] == fence.mark and match[3].strip():
                depth += 1
        self.unbalanced = True
        return first

    def _is_closed(self, fence: Fence, path: str, end: int) -> bool:
        """Return whether the file in FENCE certainly ends at END.

        It does not where an inner fence that names a language may own that end, or where a text
        that may hold fences without a language is followed by one.
        """
        if end >= len(self.lines):
            return False
        inside = (OPENING.match(self.lines[row]) for row in range(self.row + 1, end))
        if self.unbalanced and any(x and x[2][0] == fence.mark and x[3].strip() for x in inside):
            return False
        if not path.lower().endswith(whole.MARKUP):
            return True
        below = (OPENING.match(self.lines[row]) for row in range(end + 1, len(self.lines)))
        after = next((x for x in below if x and x[2][0] == fence.mark), None)
        return after is None or bool(after[3].strip()) or len(after[2]) != fence.width

    def _dedent(self, fence: Fence, end: int) -> Fence:
        """Remove FENCE's indentation from its body, unless a line of the body lacks it."""
        margin = " " * fence.indent
        if not margin or any(
            self.lines[row].strip() and not self.lines[row].startswith(margin)
            for row in range(self.row + 1, end)
        ):
            return fence
        for row in range(self.row + 1, min(end + 1, len(self.lines))):
            line = self.lines[row]
            self.lines[row] = line[min(len(margin), len(line) - len(line.lstrip(" "))) :]
        return replace(fence, indent=0)

    def _find_name(self, *, loose: bool) -> str | None:
        """Return the path in the lines just above; LOOSE also accepts one in a sentence."""
        texts = 0
        for row in range(self.row - 1, max(self.row - 1 - _NEAR, self.floor - 1), -1):
            line = self.lines[row]
            match = OPENING.match(line)
            path = whole.parse_info(match[3]) if match else whole.parse_path_line(line)
            if not path and loose and not match:
                path = whole.find_quoted_path(line)
            if path:
                return path
            if blocks.REPLACE.match(line) or (match and not match[3].strip() and not self.fence):
                return None
            texts += bool(line.strip()) and not match
            if texts > loose:
                return None
        return None


def _is_edit(lines: Sequence[str], row: int) -> bool:
    return (
        udiff.starts(lines, row)
        or bool(HEADER.match(lines[row]))
        or bool(blocks.SEARCH.match(lines[row]))
        or envelope.starts(lines[row])
        or tagged.starts(lines[row])
    )


@lru_cache(2)  # policy looks at a reply's paths before it is resolved
def extract(reply: str, *, finished: bool = False) -> ParsedReply:
    """Return every edit of REPLY, in order.

    With FINISHED, the provider reported a complete reply, and its last line is not cut.
    """
    lines = reply.split("\n")
    open_end = bool(lines[-1])
    if not open_end:
        lines.pop()
    return _Reader([line.removesuffix("\r") for line in lines], open_end, finished=finished).read()
