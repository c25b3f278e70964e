"""Patches that may be alternatives: the structure of the prose above each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, Origin
from dursor.patch.names import DEV_NULL, strip_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.edits import FileEdit, Line

_LEAD = 2  # lines above a patch that name its file
_MAX_LENGTH = 300  # characters of a line that are searched
_WORD = re.compile(r"\b[^\W\d_]{4}")
_HEADING = re.compile(r"\s*(?:#{1,6} |\*\*|\d+[.)] )")
_CODE_WORD = re.compile(r"`([^`]+)`|\b(\w+_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)\b")
_LABEL = re.compile(
    r"[\W_]*((?:[^\W\d_]+ ){0,2}[^\W\d_]+?)[ #]*"
    r"(\d{1,2}|[A-HIVX]|[IVX]{2,4}|[一二三四五甲乙丙①②③④])(?![^\W_])"
)
# Labels of the parts of one answer; any other word may number alternatives.
_PARTS = frozenset(
    ["step", "part", "file", "change", "edit", "phase", "section", "commit", "modification"]
)


@dataclass
class Passage:
    """Edits without prose between them, and the prose above them."""

    lead: Sequence[str] = ()
    names: Sequence[str] = ()  # paths on lines of their own, or in the openings of fences
    revision: int = 0
    edits: list[FileEdit] = field(default_factory=list)

    @property
    def paths(self) -> set[str]:
        """The files of the edits."""
        paths = (x.path if x.path != DEV_NULL else x.new_path or "" for x in self.edits)
        return {strip_prefix(path) for path in paths}

    @cached_property
    def titles(self) -> list[str]:
        """The lines right above the edits, and the headings."""
        lines = [*self.lead[-_LEAD:], *filter(_HEADING.match, self.lead)]
        return [line[:_MAX_LENGTH] for line in lines]

    def names_its_file(self) -> bool:
        """Return whether the prose right above the edits names one of their files.

        Only prose names the files of blocks and whole files.
        """
        if not self.is_diff():
            return True
        text = "\n".join([*self.titles, *self.names])
        names = {re.escape(path.rpartition("/")[2]) for path in self.paths if path}
        return bool(names) and bool(re.search(rf"(?<![\w.-])(?:{'|'.join(names)})(?![\w-])", text))

    def shares_word(self) -> bool:
        """Return whether the prose above the edits has a name or part of a word of them."""
        lead = "\n".join(line[:_MAX_LENGTH] for line in self.lead).casefold()
        lines = [line.text for edit in self.edits for hunk in edit.hunks for line in hunk.lines]
        whole = [line for edit in self.edits for line in edit.lines]
        text = "\n".join([*self.paths, *lines, *whole]).casefold()
        names = [path.casefold().rpartition("/")[2] for path in self.paths]
        return (
            not lead or any(x in lead for x in names) or any(x in text for x in _WORD.findall(lead))
        )

    def names_code(self, above: Passage) -> bool:
        """Return whether the prose above the edits names code that they or those ABOVE contain."""
        lead = "\n".join(line[:_MAX_LENGTH] for line in self.lead)
        words = {quoted or name for quoted, name in _CODE_WORD.findall(lead)}
        lines = [line for _, body in self.contents | above.contents for line in body]
        return any(word in line.text for line in lines for word in words)

    @cached_property
    def contents(self) -> set[tuple[str, tuple[Line, ...]]]:
        """The files and lines of the hunks."""
        return {(edit.path, hunk.lines) for edit in self.edits for hunk in edit.hunks}

    def is_diff(self) -> bool:
        """Return whether the edits are diffs, which contain all changes of a file at once."""
        return not any(
            x.action is Action.WRITE or (x.hunks and x.hunks[0].origin is Origin.BLOCK)
            for x in self.edits
        )

    def continues(self, above: Passage) -> bool:
        """Return whether a diff is one more part of the answer, and not another form of ABOVE.

        The prose names its file or code, or numbers it as a part, or one repeats the other.
        """
        return (
            self.names_its_file()
            or self.names_code(above)
            or not _PARTS.isdisjoint(self.labels)
            or self.contents <= above.contents
            or above.contents <= self.contents
        )

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels in the prose, such as `Option 2`, with their numbers."""
        matches = map(_LABEL.match, self.titles)
        return {match[1].casefold(): match[2] for match in matches if match}


def find_choice(passages: Sequence[Passage]) -> str | None:
    """Return why PASSAGES may be alternatives, or None when they are parts of one answer.

    The prose above the diffs of several files must name each file. Labels that differ only in
    the number make alternatives.
    """
    last = [passage for passage in passages if passage.revision == passages[-1].revision]
    above: dict[str, Passage] = {}
    labels: dict[str, str] = {}
    for index, passage in enumerate(last):
        is_numbered = any(
            labels.get(x, n) != n for x, n in passage.labels.items() if x not in _PARTS
        )
        others = [above[path] for path in passage.paths & above.keys()]
        diffs = [other for other in others if other.is_diff() and passage.is_diff()]
        is_part = not index or all(map(passage.continues, diffs))
        if index and passage.paths - above.keys():
            is_part = passage.names_its_file() and last[0].names_its_file()
            is_part = is_part and (passage.is_diff() or passage.shares_word())
        if is_numbered or not is_part:
            return _build_reason(last[index - 1], passage)
        above.update(dict.fromkeys(passage.paths, passage))
        labels.update(passage.labels)
    return None


def _build_reason(first: Passage, second: Passage) -> str:
    names = " and ".join(", ".join(sorted(x.paths)) or "an unnamed file" for x in (first, second))
    return f"the patches for {names} may be alternatives: give only one, or both in one fence"
