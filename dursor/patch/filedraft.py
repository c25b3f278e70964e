"""One file while hunks are laid into it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError
from dursor.patch.edits import Hunk, Origin
from dursor.patch.placement.elided_code import is_placeholder
from dursor.patch.placement.explain import explain_failure
from dursor.patch.placement.indexed_file import Ambiguity, IndexedFile, Placement, PlacementResult
from dursor.patch.placement.line_index import LineIndex, without_indent
from dursor.patch.placement.rules import place_everywhere, place_hunk
from dursor.tree import FileState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.patch.lines import FileText, Splice

_SNIFFED = 8000  # bytes that git looks at for a NUL
_TELLING = 12  # letters that two texts do not share by chance
_MOST_EXPLAINED = 100  # failures of one file for which the nearest text is looked up
_MOST_JOINED = 2_000_000  # lines; hunks that build on one another cost a join each


class FileRefusedError(ApplyFailedError):
    """One section of a reply cannot be applied."""


def refuse(path: str | None, reason: str, hunk: str = "") -> FileRefusedError:
    """Make the error for a section that fails as a whole."""
    return FileRefusedError(reason, failures=(HunkFailure(path, hunk, reason),))


def is_binary(data: bytes) -> bool:
    """Tell whether git would call DATA binary."""
    return b"\0" in data[:_SNIFFED]


def _holds(lines: Sequence[str], part: Sequence[str]) -> bool:
    """Tell whether PART stands in LINES."""
    return LineIndex(lines).holds(part)


@dataclass
class FileDraft:
    """A file's text in the base, and the changes placed in it so far."""

    path: str
    mode: str
    target: IndexedFile
    splices: list[Splice] = field(default_factory=list)  # ascending, against `target`
    kept: set[Splice] = field(default_factory=set)  # those of a former attempt
    newline: bool | None = None  # whether the last line ends, where a hunk says so
    is_settled: bool = False  # `target` is no longer the base's text
    spans: list[tuple[int, int]] = field(default_factory=list)  # what hunks were about
    _owners: dict[int, int] = field(default_factory=dict)  # line -> breath that placed it
    _seen: dict[tuple[Splice, ...], Hunk] = field(default_factory=dict)
    _starts: dict[object, int | None] = field(default_factory=dict)  # of the section at hand
    _result: IndexedFile | None = None  # what the splices make of `target`
    _had_changes: bool = False  # before the section at hand
    _spent: int = 0  # lines joined for results so far
    _failed: int = 0

    def add(self, hunk: Hunk, breath: int) -> tuple[Placement, ...]:
        """Place HUNK, against the base or else what it has become; raises FileRefusedError."""
        self._refuse_placeholders(hunk)
        outcome = self._outcome(hunk, self.target)
        if self._is_about_result(hunk, outcome):
            outcome = self._on_result(hunk)
        if isinstance(outcome, Ambiguity) and hunk.times > 1:
            places = place_everywhere(hunk, self.target)
            if len(places) == hunk.times:
                return tuple(self._take(hunk, place, breath) for place in places)
        if not isinstance(outcome, Placement):
            self._failed += 1
            why = explain_failure(
                self.path, hunk, self._shown(), outcome, search=self._failed <= _MOST_EXPLAINED
            )
            raise FileRefusedError(why.reason, failures=(why,))
        if hunk.origin is Origin.BLOCK:
            self._refuse_doubled(hunk)
        return (self._take(hunk, outcome, breath),)

    def check_unchanged(self, hunk: Hunk) -> tuple[Placement, ...]:
        """Pass over a HUNK that changes nothing; raises FileRefusedError where it should.

        That is where its header speaks of a change, and its context is not in the file as it
        stands: changed lines have lost their tags, or are missing.
        """
        if hunk.old_count == hunk.new_count or isinstance(place_hunk(hunk, self.target), Placement):
            return ()
        why = explain_failure(self.path, hunk, self.target, None)
        raise FileRefusedError(why.reason, failures=(why,))

    def _shown(self) -> IndexedFile:
        """Return the text in which a failure is explained: the newest there is."""
        return self._result or self.target

    def _refuse_placeholders(self, hunk: Hunk) -> None:
        """Refuse to write a comment that stands for code left out, unless it is there already."""
        for line in hunk.lines:
            if line.tag != "+" or not is_placeholder(line.text):
                continue
            if self.target.index(without_indent).letter(line.text) is None:
                reason = "an added line stands for code that is left out: write the code"
                failed = HunkFailure(self.path, hunk.source, reason, line=line.text)
                raise FileRefusedError(reason, failures=(failed,))

    def _outcome(self, hunk: Hunk, target: IndexedFile) -> PlacementResult:
        """Climb with every reading of HUNK.

        Of several that fit, the longest counts, if it has text enough more than the others: by
        chance the file does not go on as the reply does. Otherwise they are ambiguous. One that is
        there, but in doubt, fits as well.
        """
        if not hunk.others:
            return place_hunk(hunk, target)
        readings = (hunk, *hunk.others)
        if not all(reading.old for reading in readings):
            return None
        fitting = [
            (reading, outcome)
            for reading in readings
            if (outcome := place_hunk(reading, target))
            or target.index(without_indent).holds(reading.old)
        ]
        if len(fitting) < 2:
            return fitting[0][1] if fitting else None
        (shorter, _), (longest, outcome) = fitting[-2:]
        more = longest.old[len(shorter.old) :]
        told = sum(len(line.strip("= \t")) for line in more)
        if outcome is None or (isinstance(outcome, Placement) and told >= _TELLING):
            return outcome
        starts = [x.start if isinstance(x, Placement) else x.places[0] for _, x in fitting if x]
        return Ambiguity(tuple(starts))

    def begin(self) -> None:
        """Note that the hunks of one section follow: those of a diff are all about one text."""
        self._had_changes = bool(self.splices)
        self._starts = {}

    def _is_about_result(self, hunk: Hunk, outcome: PlacementResult) -> bool:
        """Tell whether HUNK is about what others make of the file, as its OUTCOME so far shows."""
        if hunk.others and self.splices:
            return True  # which reading counts shows in what is there by now
        if outcome is None:
            return hunk.origin is not Origin.DIFF or self._had_changes
        return self._is_next(hunk, outcome)

    def _is_next(self, hunk: Hunk, outcome: PlacementResult) -> bool:
        """Tell whether HUNK is a search/replace block for lines that another one had.

        Blocks are written one after the other: this one is about what the other one leaves.
        """
        if hunk.origin is not Origin.BLOCK or not isinstance(outcome, Placement):
            return False
        if outcome.splices in self._seen:
            return False
        return any(line in self._owners for line in range(outcome.start, outcome.stop))

    def _refuse_doubled(self, block: Hunk) -> None:
        """Refuse a block that is said twice and could be applied twice."""
        if block.times > 1 and _holds(block.new, block.old):
            raise refuse(self.path, "the block is there twice: is it meant twice?", block.source)

    def _on_result(self, hunk: Hunk) -> PlacementResult:
        """Place HUNK in what the file has become, which then takes the base's place."""
        if not self.splices:
            return None
        if self._result is None:
            self._spent += len(self.target.lines)
            if self._spent > _MOST_JOINED:
                return None
            self._result = IndexedFile(self._text())
        outcome = self._outcome(hunk, self._result)
        if isinstance(outcome, Placement):
            self.target, self.is_settled, self._result = self._result, True, None
            self.splices, self.kept, self.newline = [], set(), None
            self.spans, self._owners, self._seen = [], {}, {}
        return outcome

    def _take(self, hunk: Hunk, placed: Placement, breath: int) -> Placement:
        twin = self._seen.get(placed.splices)
        is_same = twin is None or twin.said == hunk.said
        if not is_same or self._starts.setdefault(placed.splices, hunk.start) != hunk.start:
            raise refuse(self.path, "two hunks are alike, and there is one place", hunk.source)
        if twin is not None:
            return placed
        self._drop_kept(placed)
        self._own(hunk, placed, breath)
        for splice in placed.splices:
            self._insert(hunk, splice)
        self._seen[placed.splices] = hunk
        self.spans.append((placed.start, placed.stop))
        self._result = None
        if placed.stop == len(self.target.lines) and hunk.old_open != hunk.new_open:
            self.newline = not hunk.new_open
        return placed

    def _own(self, hunk: Hunk, placed: Placement, breath: int) -> None:
        """Refuse a hunk on lines that a patch elsewhere in the reply is about."""
        lines = range(placed.start, placed.stop)
        if hunk.origin is Origin.DIFF and any(
            self._owners.get(line, breath) != breath for line in lines
        ):
            raise refuse(
                self.path, "two patches of the reply are about the same lines", hunk.source
            )
        self._owners.update(dict.fromkeys(lines, breath))

    def _drop_kept(self, placed: Placement) -> None:
        """Let a hunk that restates a place replace what was kept for it."""
        if not self.kept:
            return
        low = bisect_left(self.splices, (placed.start,))
        high = bisect_right(self.splices, (placed.stop, placed.stop + 1))
        stale = [x for x in self.splices[low:high] if x in self.kept and x.end <= placed.stop]
        self.kept.difference_update(stale)
        self.splices[low:high] = [x for x in self.splices[low:high] if x not in stale]

    def _insert(self, hunk: Hunk, splice: Splice) -> None:
        at = bisect_left(self.splices, (splice.start, splice.end + 1))
        before = self.splices[at - 1] if at else None
        after = self.splices[at] if at < len(self.splices) else None
        overlaps = (before and before.end > splice.start) or (after and splice.end > after.start)
        if overlaps or splice in (before, after):
            raise refuse(self.path, "two hunks change the same lines", hunk.source)
        self.splices.insert(at, splice)

    def _text(self) -> FileText:
        return self.target.text.apply_splices(self.splices, final_newline=self.newline)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of the text."""
        return not self._text().lines

    def state(self) -> FileState:
        """Return the file as it now is; raises FileRefusedError when it cannot be written."""
        try:
            data = self._text().encode()
        except UnicodeEncodeError as error:
            letter = error.object[error.start]
            raise refuse(self.path, f"the file is not UTF-8 and cannot hold {letter!r}") from error
        if is_binary(data):
            raise refuse(self.path, "the result is binary")
        return FileState(self.mode, data)
