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

    from dursor.patch.edits import FileEdit

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

    @cached_property
    def paths(self) -> set[str]:
        """The files of the edits."""
        return {
            strip_prefix(x.path if x.path != DEV_NULL else x.new_path or "") for x in self.edits
        }

    @cached_property
    def text(self) -> str:
        """The lines of the edits."""
        lines = [x.tag + x.text for edit in self.edits for hunk in edit.hunks for x in hunk.lines]
        return "\n".join([*lines, *(line for edit in self.edits for line in edit.lines)])

    @cached_property
    def titles(self) -> str:
        """The lines right above the edits, and the headings."""
        lines = [*self.lead[-_LEAD:], *filter(_HEADING.match, self.lead)]
        return "\n".join(line[:_MAX_LENGTH] for line in lines)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The labels above the edits, such as `Option 2`, with their numbers."""
        matches = map(_LABEL.match, self.titles.split("\n"))
        return {match[1].casefold(): match[2] for match in matches if match}

    @property
    def is_diff(self) -> bool:
        """Whether the edits are diffs: prose does not name their file, and they come in one."""
        return not any(
            x.action is Action.WRITE or (x.hunks and x.hunks[0].origin is Origin.BLOCK)
            for x in self.edits
        )

    def names_its_file(self) -> bool:
        """Return whether the prose right above the edits names one of their files."""
        names = {re.escape(path.rpartition("/")[2]) for path in self.paths if path}
        pattern = rf"(?<![\w.-])(?:{'|'.join(names)})(?![\w-])"
        return bool(names) and bool(re.search(pattern, "\n".join([self.titles, *self.names])))

    def shares_word(self) -> bool:
        """Return whether a word of the prose above the edits begins like one in them."""
        lead = "\n".join(line[:_MAX_LENGTH] for line in self.lead).casefold()
        text = "\n".join([self.text, *self.paths]).casefold()
        return not lead or any(word in text for word in _WORD.findall(lead))

    def continues(self, above: Passage) -> bool:
        """Return whether a diff is one more part of the answer, and not another form of ABOVE.

        The prose names its file or code, or numbers it as a part, or one repeats the other.
        """
        lead = "\n".join(line[:_MAX_LENGTH] for line in self.lead)
        words = [quoted or name for quoted, name in _CODE_WORD.findall(lead)]
        return (
            self.names_its_file()
            or any(word in self.text or word in above.text for word in words)
            or not _PARTS.isdisjoint(self.labels)
            or self.text in above.text
            or above.text in self.text
        )


def find_choice(passages: Sequence[Passage]) -> str | None:
    """Return why PASSAGES may be alternatives, or None when they are parts of one answer.

    The prose above the diffs of several files must name each file. Labels that differ only in
    the number make alternatives.
    """
    last = [passage for passage in passages if passage.revision == passages[-1].revision]
    above: dict[str, Passage] = {}
    labels: dict[str, str] = {}
    for index, passage in enumerate(last):
        others = [above[path] for path in passage.paths & above.keys()]
        shared = (passage.labels.keys() & labels.keys()) - _PARTS
        is_part = all(labels[stem] == passage.labels[stem] for stem in shared)
        if not index:
            pass
        elif len(others) < len(passage.paths):
            named = [x.names_its_file() for x in (passage, last[0]) if x.is_diff]
            is_tied = passage.is_diff or passage.names_its_file() or passage.shares_word()
            is_part &= all(named) and is_tied
        elif passage.is_diff:
            is_part &= all(passage.continues(other) for other in others if other.is_diff)
        if not is_part:
            return _build_reason(last[index - 1], passage)
        above.update(dict.fromkeys(passage.paths, passage))
        labels.update(passage.labels)
    return None


def _build_reason(first: Passage, second: Passage) -> str:
    names = " and ".join(", ".join(sorted(x.paths)) or "an unnamed file" for x in (first, second))
    return f"the patches for {names} may be alternatives: give only one, or both in one fence"
