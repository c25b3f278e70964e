"""Parse a model's reply: the edits in it, in any format, and the prose around them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit, ParsedReply
from dursor.patch.formats import blocks, envelope, tagged, udiff, whole
from dursor.patch.formats.calls import decode_calls, is_call
from dursor.patch.formats.collector import EditCollector
from dursor.patch.formats.fences import OPENING, Fence, open_heredoc, underlines
from dursor.patch.formats.hunks import HEADER, read_hunks
from dursor.patch.formats.regions import (
    Marks,
    find_headless_end,
    find_marks,
    find_reasoning_end,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

_DIFF_WORDS = frozenset({"diff", "patch", "udiff", "unified-diff", "unidiff"})
MAX_EDITS = 20_000  # the rest of a longer reply is not read
_MAX_MENTIONS = 20
_MAX_FAILED = 200  # places where broken JSON is looked at
_BROKEN = "the JSON of this edit is not valid"
_TOP = 4  # lines of a named fence within which edits begin
_NEAR = 6  # lines above a fence or block in which its file is named


@dataclass
class _Reader:
    """One pass over the lines of a reply."""

    lines: list[str]
    text: str
    marks: Marks
    open_end: bool  # the reply ends within a line
    finished: bool = False  # the provider reported a complete reply
    row: int = 0
    fence: Fence | None = None
    in_diff: bool = False  # the open fence calls itself a diff
    path: str | None = None  # the last file named for blocks
    by_tag: bool = False  # it was named just now, by a tag of its own
    pairs: tagged.TagPairs | None = None  # built for the first one
    has_calls: bool = False  # with `<parameter name="path">`
    failed_calls: int = 0
    has_fences: bool = False
    unbalanced: bool = False  # some fence, inner ones included, never closes
    floor: int = 0  # end of the last edit; names above it do not count
    out: EditCollector = field(default_factory=EditCollector)

    def read(self) -> ParsedReply:
        readers = (
            self._read_diff,
            self._read_loose_hunks,
            self._read_block,
            self._read_envelope,
            self._skip_reasoning,
            self._read_tags,
            self._read_calls,
        )
        self.row = find_headless_end(self.lines, self.marks)
        self.out.consumed.append((0, self.row))
        while self.row < len(self.lines) and len(self.out.edits) <= MAX_EDITS:
            known, begin = len(self.out.edits), self.row
            if self.row not in self.marks.offsets or not any(reader() for reader in readers):
                self._read_other()
            if len(self.out.edits) > known:
                self.floor = self.row
                self.out.consumed.append((begin, self.row))
        self._refuse_stray_markers()
        return self.out.finish()

    def _skip_reasoning(self) -> bool:
        """Skip a block such as `<think>`: it holds drafts."""
        end = None if self.fence else find_reasoning_end(self.lines, self.marks, self.row)
        if end is None:
            return False
        self.out.consumed.append((self.row, end))
        self.row = end
        return True

    def _refuse_stray_markers(self) -> None:
        """Refuse a reply with markers outside of its blocks: parts of blocks may be lost."""
        strays = (row for row in self.marks.places if blocks.is_marker(self.lines[row]))
        stray = next((row for row in strays if not self.out.is_consumed(row)), None)
        if stray is not None and not self.out.doubt:
            marker = self.lines[stray].strip()
            self.out.doubt = f"line {stray + 1} is not part of a whole block: {marker}"

    @property
    def _may_be_cut(self) -> bool:
        """Whether the reply may have been cut inside the current section."""
        return not self.finished and (self.open_end or self.fence is not None)

    def _enter_heredoc(self) -> None:
        """Enter the here document whose first line is the current one."""
        line = self.lines[self.row - 1] if self.row else ""
        self.fence = open_heredoc(line, self.fence) or self.fence

    def _read_diff(self) -> bool:
        if not udiff.starts(self.lines, self.row):
            return False
        self._enter_heredoc()
        self.path = None
        edit, self.row = udiff.parse(self.lines, self.row, self.fence, open_end=self._may_be_cut)
        if edit:
            self.out.add([edit])
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
        self.out.add([FileEdit(Action.MODIFY, path, hunks=tuple(hunks), is_cut=cut)])
        return True

    def _read_block(self) -> bool:
        if not blocks.SEARCH.match(self.lines[self.row]):
            return False
        mentions = self._name_block()
        edit, self.row = blocks.parse(self.lines, self.row, self.path)
        self.out.add([replace(edit, mentions=mentions)])
        return True

    def _name_block(self) -> tuple[str, ...]:
        """Set the path of this block; return the paths in the prose if it inherits an old one."""
        name = None if self.by_tag else self._find_name(loose=True)
        inherits = name is None and self.path is not None and not self.by_tag
        self.path, self.by_tag = name or self.path, False
        return tuple(islice(whole.list_paths(self.out.since), _MAX_MENTIONS)) if inherits else ()

    def _read_envelope(self) -> bool:
        if not envelope.starts(self.lines[self.row]):
            return False
        self._enter_heredoc()
        self.path = None
        edits, self.row = envelope.parse(self.lines, self.row)
        self.out.add(edits)
        return True

    def _read_tags(self) -> bool:
        line = self.lines[self.row]
        if not self.has_calls and tagged.rename_parameters(self.lines, self.row):
            self.has_calls, self.pairs = True, None
        elif tag := tagged.parse_file_tag(self.lines, self.row):
            self.path, rest, self.row = tag
            self.lines[self.row], self.by_tag = rest, True
            return True
        elif self._read_text():
            return True
        elif tagged.is_lost_half(line):
            self.out.add([FileEdit(Action.MODIFY, self.path or "", is_cut=True)])
        if not tagged.starts(line):
            return False
        self.pairs = self.pairs or tagged.TagPairs(self.lines)
        mentions = self._name_block()
        edit, self.row = self.pairs.read(self.row, self.path)
        if edit:
            self.out.add([replace(edit, mentions=mentions)])
        else:
            self.out.add_prose(line)
        return True

    def _read_text(self) -> bool:
        """Read a file in `<content>` below its name, or in `<file path="a.py">`."""
        tag = tagged.parse_attribute(self.lines[self.row])
        if tag:
            self.path, self.by_tag = tag[0], True
        if not self.by_tag or not self.path:
            return False
        self.pairs = self.pairs or tagged.TagPairs(self.lines)
        edit, end = self.pairs.read_text(self.row, self.path)
        if edit and not self._holds_edits(edit.lines, near_top=False):
            self.out.add([edit])
            self.row, self.by_tag = end, False
            return True
        if tag:
            self.lines[self.row] = tag[1]
        return tag is not None

    def _read_calls(self) -> bool:
        """Read the JSON of tool calls."""
        line = self.lines[self.row].lstrip()
        if self.fence or line[:1] not in {"{", "["} or self.failed_calls > _MAX_FAILED:
            return False
        start = self.marks.offsets[self.row]
        calls = decode_calls(self.text, start + len(self.lines[self.row]) - len(line))
        if calls is None:
            self.failed_calls += 1
            end = self.text.find("\n\n", start)
            if is_call(self.text[start : end if end >= 0 else None]):
                self.out.add([FileEdit(Action.MODIFY, "", fault=_BROKEN)])
            return False
        edits, end = calls
        for edit in edits:
            parsed = extract(edit) if isinstance(edit, str) else ParsedReply((edit,))
            self.out.add(parsed.edits)
            self.out.doubt = self.out.doubt or parsed.doubt
        if edits:
            self.row += self.text.count("\n", start, end) + 1
        return bool(edits)

    def _read_other(self) -> None:
        """Skip a line that starts no edit: a fence, prose, or text inside a fence."""
        line = self.lines[self.row]
        match = None if self.fence else OPENING.match(line)
        is_stray = match is not None and (underlines(self.lines, self.row) or self._is_stray(match))
        self.has_fences |= match is not None
        if match and not is_stray:
            self._open(match)
            return
        if self.fence and self.fence.is_closed_by(line):
            self.fence, self.in_diff = self.fence.outer, False
        elif self.in_diff and line[:1] in {"+", "-"}:
            path = self._find_name(loose=True) or ""
            self.out.add([FileEdit(Action.MODIFY, path, is_hollow=True)])
            self.in_diff = False  # report it once
        elif not self.fence and not match:
            self.out.add_prose(line)
        self.row += 1

    def _is_stray(self, match: re.Match[str]) -> bool:
        """Return whether this closes a fence that was opened before the reply began.

        It is then the first fence of the reply, right below an edit.
        """
        if self.has_fences or not self.out.edits or self.out.since or match[3].strip():
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
        if not (path or "").endswith(".json") and self._read_fenced_calls(end):
            return
        self.out.names += [path] if path else []
        if path is None:
            above = map(self.lines.__getitem__, range(self.row - 1, self.floor - 1, -1))
            path = whole.find_whole_file_path(next(filter(str.strip, above), ""))
        if info.lower() in _DIFF_WORDS or self._holds_edits(body, near_top=path is not None):
            self.fence = fence
            self.in_diff = info.lower() in _DIFF_WORDS
            if end >= len(self.lines) and not any(map(str.strip, body)):
                self.out.add([FileEdit(Action.MODIFY, path or "", is_cut=True)])
            self.row += 1
            return
        if body and (named := whole.parse_filepath_comment(body[0])):
            path, body = path or named, body[1:]
        if path and (body or info) and not whole.is_transcript(info, path):
            cut = not self._is_closed(fence, path, end)
            fault = "its fence is not closed" if cut else ""
            edit = FileEdit(Action.WRITE, path, lines=tuple(body), is_cut=cut, fault=fault)
            self.out.add([edit])
        self.row = end + 1

    def _holds_edits(self, body: Sequence[str], *, near_top: bool) -> bool:
        """Return whether edits begin in BODY, the lines below the current one."""
        end = len(body)
        if near_top:
            end = min(end, next((i for i, line in enumerate(body) if line.strip()), 0) + _TOP)
        marks = self.marks.list_between(self.row + 1, self.row + 1 + end)
        return any(_is_edit(body, row - self.row - 1) for row in marks)

    def _read_fenced_calls(self, end: int) -> bool:
        """Read a fence with nothing but the JSON of edits; END is its last line."""
        body = range(self.row + 1, end)
        first = next((row for row in body if self.lines[row].strip()), end)
        if first not in self.marks.offsets or self.fence:
            return False
        opening, self.row = self.row, first
        while self.row < end and self.row in self.marks.offsets and self._read_calls():
            self.row = next((row for row in range(self.row, end) if self.lines[row].strip()), end)
        if self.row == first:
            self.row = opening
            return False
        self.row = end + 1
        return True

    def _find_fence_end(self, fence: Fence) -> int:
        """Return the index of the line that closes FENCE.

        Inner fences that name a language nest, unless that leaves some fence open at the end.
        """
        depth = 1
        first = len(self.lines)
        for row in self.marks.list_between(self.row + 1, len(self.lines)):
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
    text = reply.replace("\r\n", "\n")
    lines = text.split("\n")
    open_end = bool(lines[-1])
    if not open_end:
        lines.pop()
    return _Reader(lines, text, find_marks(text), open_end, finished=finished).read()
