"""A model's reply taken apart: the edits it holds, in any format, and the prose around them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dursor.patch import blocks, envelope, udiff, whole
from dursor.patch.edits import Action, Extract, FileEdit
from dursor.patch.udiff import Fence

if TYPE_CHECKING:
    from collections.abc import Sequence

_FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)$")
_CORRECTS = re.compile(
    r"\b(wait|actually|oops|sorry|apologi[sz]e|mistake|correct(?:ed|ion)|instead|"
    r"let me (?:fix|redo|revise|reconsider|correct|re-?think|rewrite)|revised|final version)\b",
    re.IGNORECASE,
)
_DIFF_WORDS = frozenset({"diff", "patch", "udiff", "unified-diff", "unidiff"})


@dataclass
class _Reader:
    """One pass over the lines of a reply."""

    lines: list[str]
    open_end: bool  # the reply ends within a line
    at: int = 0
    fence: Fence | None = None
    path: str | None = None  # the last file named for blocks
    attempt: int = 0
    edits: list[FileEdit] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    since: list[str] = field(default_factory=list)  # prose since the last edit

    def run(self) -> Extract:
        while self.at < len(self.lines):
            if not (self._diff() or self._block() or self._envelope() or self._tagged()):
                self._other()
        return Extract(tuple(self.edits), tuple(self.prose))

    def _add(self, edits: Sequence[FileEdit]) -> None:
        if self.edits and self.since and _CORRECTS.search("\n".join(self.since)):
            self.attempt += 1
        self.since = []
        self.edits += [replace(edit, attempt=self.attempt) for edit in edits]

    def _diff(self) -> bool:
        if udiff.starts(self.lines, self.at):
            edit, self.at = udiff.parse(self.lines, self.at, self.fence, open_end=self.open_end)
            if edit:
                self._add([edit])
            return True
        if self.lines[self.at].startswith("@@") and (path := self._named_above()):
            hunks, self.at, cut = udiff.read_hunks(
                self.lines, self.at, self.fence, open_end=self.open_end
            )
            self._add([FileEdit(Action.MODIFY, path, hunks=tuple(hunks), cut=cut)])
            return True
        return False

    def _block(self) -> bool:
        if not blocks.SEARCH.match(self.lines[self.at]):
            return False
        path = self._named_above() or self.path
        edit, self.at = blocks.parse(self.lines, self.at, path)
        self.path = path
        if edit:
            self._add([edit])
        return True

    def _envelope(self) -> bool:
        if not envelope.starts(self.lines[self.at]):
            return False
        edits, self.at = envelope.parse(self.lines, self.at)
        self._add(edits)
        return True

    def _tagged(self) -> bool:
        line = self.lines[self.at]
        if not blocks.is_tagged(line):
            return False
        if (name := blocks.file_tag(line)) is not None:
            self.path = name
            rest = line[line.index("</") :].partition(">")[2].strip()
            self.lines[self.at] = rest
            return True
        edit, self.at = blocks.parse_tagged(self.lines, self.at, self.path or self._named_above())
        if edit:
            self._add([edit])
        return True

    def _other(self) -> None:
        line = self.lines[self.at]
        if self.fence and self.fence.is_closed_by(line):
            self.fence = None
        elif self._closes_nothing(line):
            pass
        elif not self.fence and (match := _FENCE.match(line)):
            self._open(match)
            return
        elif not self.fence:
            self.prose.append(line)
            self.since.append(line)
        self.at += 1

    def _closes_nothing(self, line: str) -> bool:
        """Whether LINE is the end of a fence that began before the reply did."""
        return (
            not self.fence
            and bool(self.edits)
            and not any(map(str.strip, self.since))
            and not line.strip().strip("`")
            and len(line.strip()) >= 3
        )

    def _open(self, match: re.Match[str]) -> None:
        fence = Fence(match[2][0], len(match[2]), len(match[1]))
        info = match[3].strip()
        end = self._fence_end(fence)
        body = self.lines[self.at + 1 : end]
        if info.lower() in _DIFF_WORDS or any(_is_edit(body, i) for i in range(min(len(body), 4))):
            self._dedent(fence.indent, end)
            self.fence = Fence(fence.mark, fence.width)
            self.at += 1
            return
        path = whole.path_of_info(info) or self._named_above()
        if path:
            self._add([whole.written(path, body, cut=end >= len(self.lines))])
        self.at = end + 1

    def _fence_end(self, fence: Fence) -> int:
        """Where the fence opened at the present line closes; inner fences that name a language nest."""
        depth = 1
        for at in range(self.at + 1, len(self.lines)):
            line = self.lines[at]
            if fence.is_closed_by(line):
                depth -= 1
                if not depth:
                    return at
            elif (match := _FENCE.match(line)) and match[2][0] == fence.mark and match[3].strip():
                depth += 1
        return len(self.lines)

    def _dedent(self, indent: int, end: int) -> None:
        if indent:
            for at in range(self.at + 1, min(end + 1, len(self.lines))):
                line = self.lines[at]
                self.lines[at] = line[min(indent, len(line) - len(line.lstrip(" "))) :]

    def _named_above(self) -> str | None:
        """The path in one of the three lines above, fences and blank lines aside."""
        seen = 0
        for at in range(self.at - 1, max(self.at - 6, -1), -1):
            line = self.lines[at]
            if match := _FENCE.match(line):
                if path := whole.path_of_info(match[3]):
                    return path
                if match[3].strip() or self.fence:
                    continue
                return None
            if blocks.REPLACE.match(line):
                return None
            if not line.strip():
                continue
            if path := whole.path_in(line):
                return path
            seen += 1
            if seen > 1:
                return None
        return None


def _is_edit(lines: Sequence[str], at: int) -> bool:
    return (
        udiff.starts(lines, at)
        or lines[at].startswith("@@")
        or bool(blocks.SEARCH.match(lines[at]))
        or envelope.starts(lines[at])
        or blocks.is_tagged(lines[at])
    )


def extract(reply: str) -> Extract:
    """Every edit in REPLY, in order."""
    lines = reply.split("\n")
    open_end = bool(lines[-1])
    if not open_end:
        lines.pop()
    return _Reader([line.removesuffix("\r") for line in lines], open_end).run()
