"""One file while hunks are placed in it."""

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
    from dursor.patch.lines import FileText, Splice

_SNIFFED = 8000  # bytes in which git looks for a NUL
_MIN_LETTERS = 12  # two texts do not share more by chance
_MAX_EXPLAINED = 100  # failures of one file for which the nearest text is looked up
_MAX_JOINED = 2_000_000  # lines, because each hunk that builds on another joins the whole text


class FileRefusedError(ApplyFailedError):
    """One section of a reply cannot be applied."""


def build_refusal(path: str | None, reason: str, hunk: str = "") -> FileRefusedError:
    """Return the error for a section that fails as a whole."""
    return FileRefusedError(reason, failures=(HunkFailure(path, hunk, reason),))


def is_binary(data: bytes) -> bool:
    """Return whether git would treat DATA as binary."""
    return b"\0" in data[:_SNIFFED]


@dataclass
class FileDraft:
    """A file's text in the base, and the changes placed in it so far."""

    path: str
    mode: str
    file: IndexedFile
    splices: list[Splice] = field(default_factory=list)  # ascending, against `file`
    kept: set[Splice] = field(default_factory=set)  # from an earlier attempt
    newline: bool | None = None  # of the last line, where a hunk sets it
    is_settled: bool = False  # `file` differs from the base
    spans: list[tuple[int, int]] = field(default_factory=list)  # lines that hunks cover
    _owners: dict[int, int] = field(default_factory=dict)  # line -> passage that placed it
    _placed: dict[tuple[Splice, ...], Hunk] = field(default_factory=dict)
    _starts: dict[object, int | None] = field(default_factory=dict)  # in the current section
    _result: IndexedFile | None = None  # `file` with the splices
    _had_changes: bool = False  # before the current section
    _joined: int = 0  # lines
    _failed: int = 0

    def place(self, hunk: Hunk, passage: int) -> tuple[Placement, ...]:
        """Place HUNK in the base, or else in the text so far; raises FileRefusedError."""
        self._refuse_placeholders(hunk)
        result = self._find_place(hunk, self.file)
        if self._builds_on_result(hunk, result):
            result = self._place_in_result(hunk)
        if isinstance(result, Ambiguity) and hunk.times > 1:
            places = place_everywhere(hunk, self.file)
            if len(places) == hunk.times:
                return tuple(self._record(hunk, place, passage) for place in places)
        if not isinstance(result, Placement):
            self._failed += 1
            is_searched = self._failed <= _MAX_EXPLAINED
            file = self._result or self.file
            failure = explain_failure(self.path, hunk, file, result, search=is_searched)
            raise FileRefusedError(failure.reason, failures=(failure,))
        self._refuse_doubled(hunk)
        return (self._record(hunk, result, passage),)

    def check_unchanged(self, hunk: Hunk) -> None:
        """Accept a HUNK without changes; raises FileRefusedError when changes may be lost.

        They may be when its header counts a change and the file does not have its context.
        """
        if hunk.old_count == hunk.new_count or isinstance(place_hunk(hunk, self.file), Placement):
            return
        failure = explain_failure(self.path, hunk, self.file, None)
        raise FileRefusedError(failure.reason, failures=(failure,))

    def _refuse_placeholders(self, hunk: Hunk) -> None:
        """Refuse to add a comment for omitted code, unless the file has it already."""
        for line in hunk.lines:
            if line.tag != "+" or not is_placeholder(line.text):
                continue
            if self.file.index(without_indent).letter(line.text) is None:
                reason = "an added line stands for code that is left out: write the code"
                failure = HunkFailure(self.path, hunk.source, reason, line=line.text)
                raise FileRefusedError(reason, failures=(failure,))

    def _find_place(self, hunk: Hunk, file: IndexedFile) -> PlacementResult:
        """Apply the rules to every reading of HUNK.

        Of several that fit, the longest counts if it has enough more text than the others.
        Otherwise they are ambiguous. A reading that only guards veto fits as well.
        """
        if not hunk.other_readings:
            return place_hunk(hunk, file)
        readings = (hunk, *hunk.other_readings)
        if not all(reading.old for reading in readings):
            return None
        fitting = [
            (reading, result)
            for reading in readings
            if (result := place_hunk(reading, file))
            or file.index(without_indent).holds(reading.old)
        ]
        if len(fitting) < 2:
            return fitting[0][1] if fitting else None
        (shorter, _), (longest, result) = fitting[-2:]
        letters = sum(len(line.strip("= \t")) for line in longest.old[len(shorter.old) :])
        if result is None or (isinstance(result, Placement) and letters >= _MIN_LETTERS):
            return result
        starts = [x.start if isinstance(x, Placement) else x.places[0] for _, x in fitting if x]
        return Ambiguity(tuple(starts))

    def begin_section(self) -> None:
        """Start a new section: the hunks of one diff all refer to the same text."""
        self._had_changes = bool(self.splices)
        self._starts = {}

    def _builds_on_result(self, hunk: Hunk, result: PlacementResult) -> bool:
        """Return whether HUNK refers to the text that earlier hunks leave.

        A search/replace block does when it covers lines of an earlier block.
        """
        if hunk.other_readings and self.splices:
            return True  # the right reading shows in the text so far
        if result is None:
            return hunk.origin is not Origin.DIFF or self._had_changes
        if hunk.origin is not Origin.BLOCK or not isinstance(result, Placement):
            return False
        if result.splices in self._placed:
            return False
        return any(line in self._owners for line in range(result.start, result.stop))

    def _refuse_doubled(self, hunk: Hunk) -> None:
        """Refuse a repeated block that could be applied twice."""
        is_repeated = hunk.origin is Origin.BLOCK and hunk.times > 1
        if is_repeated and LineIndex(hunk.new).holds(hunk.old):
            reason = "the block is repeated: give it once, or with context for each place"
            raise build_refusal(self.path, reason, hunk.source)

    def _place_in_result(self, hunk: Hunk) -> PlacementResult:
        """Place HUNK in the text so far, which then replaces the base."""
        if not self.splices:
            return None
        if self._result is None:
            self._joined += len(self.file.lines)
            if self._joined > _MAX_JOINED:
                return None
            self._result = IndexedFile(self._build_text())
        result = self._find_place(hunk, self._result)
        if isinstance(result, Placement):
            self.file, self.is_settled, self._result = self._result, True, None
            self.splices, self.kept, self.newline = [], set(), None
            self.spans, self._owners, self._placed = [], {}, {}
        return result

    def _record(self, hunk: Hunk, placement: Placement, passage: int) -> Placement:
        twin = self._placed.get(placement.splices)
        is_same = twin is None or twin.core == hunk.core
        if not is_same or self._starts.setdefault(placement.splices, hunk.start) != hunk.start:
            raise build_refusal(
                self.path, "two hunks are alike but fit only one place", hunk.source
            )
        if twin is not None:
            return placement
        self._drop_kept(placement)
        self._claim_lines(hunk, placement, passage)
        for splice in placement.splices:
            self._insert(hunk, splice)
        self._placed[placement.splices] = hunk
        self.spans.append((placement.start, placement.stop))
        self._result = None
        if placement.stop == len(self.file.lines) and hunk.old_open != hunk.new_open:
            self.newline = not hunk.new_open
        return placement

    def _claim_lines(self, hunk: Hunk, placement: Placement, passage: int) -> None:
        """Refuse a hunk on lines that a patch in another passage of the reply covers."""
        lines = range(placement.start, placement.stop)
        if hunk.origin is Origin.DIFF and any(
            self._owners.get(line, passage) != passage for line in lines
        ):
            reason = "two patches of the reply cover the same lines"
            raise build_refusal(self.path, reason, hunk.source)
        self._owners.update(dict.fromkeys(lines, passage))

    def _drop_kept(self, placement: Placement) -> None:
        """Let a hunk replace the kept changes of its place."""
        if not self.kept:
            return
        low = bisect_left(self.splices, (placement.start,))
        high = bisect_right(self.splices, (placement.stop, placement.stop + 1))
        stale = [x for x in self.splices[low:high] if x in self.kept and x.end <= placement.stop]
        self.kept.difference_update(stale)
        self.splices[low:high] = [x for x in self.splices[low:high] if x not in stale]

    def _insert(self, hunk: Hunk, splice: Splice) -> None:
        index = bisect_left(self.splices, (splice.start, splice.end + 1))
        before = self.splices[index - 1] if index else None
        after = self.splices[index] if index < len(self.splices) else None
        overlaps = (before and before.end > splice.start) or (after and splice.end > after.start)
        if overlaps or splice in (before, after):
            raise build_refusal(self.path, "two hunks change the same lines", hunk.source)
        self.splices.insert(index, splice)

    def _build_text(self) -> FileText:
        return self.file.text.apply_splices(self.splices, final_newline=self.newline)

    @property
    def is_empty(self) -> bool:
        """Whether the text has no lines left."""
        return not self._build_text().lines

    def build_state(self) -> FileState:
        """Return the file's new state; raises FileRefusedError when it cannot be written."""
        try:
            data = self._build_text().encode()
        except UnicodeEncodeError as error:
            letter = error.object[error.start]
            reason = f"the file is not UTF-8 and cannot hold {letter!r}"
            raise build_refusal(self.path, reason) from error
        if is_binary(data):
            raise build_refusal(self.path, "the result is binary")
        return FileState(self.mode, data)
