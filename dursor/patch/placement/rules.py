"""The ladder: named rules, strictest first, each of which may place a hunk in a file.

A rule answers with a place only when its evidence admits exactly one; the first rule that finds
several places refuses for all looser rules, which could only find more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from dursor.patch.edits import Hunk, Line, Origin
from dursor.patch.lines import Splice
from dursor.patch.placement import indent as margins
from dursor.patch.placement.ambiguity import DOUBTS, is_unclear, may_be_context
from dursor.patch.placement.line_index import Key, exactly, without_indent, without_trailing
from dursor.patch.placement.partial_context import cut, find_pieces, is_trustworthy, miscounts
from dursor.patch.placement.target import Ambiguity, IndexedFile, Outcome, Placement

_MOST_ANCHORS = 256  # lines of a file that read like an anchor, and are told apart


Rule = Callable[[Hunk, IndexedFile], Outcome]


def splices_at(
    lines: Sequence[Line], start: int, write: Callable[[str], str] = exactly
) -> tuple[Splice, ...]:
    """Return what LINES change when their old side begins at START; context stays as it is."""
    splices: list[Splice] = []
    at = begin = start
    new: list[str] = []
    for line in lines:
        if line.tag == " ":
            if at > begin or new:
                splices.append(Splice(begin, at, tuple(new)))
                new = []
            at += 1
            begin = at
        elif line.tag == "-":
            at += 1
        else:
            new.append(write(line.text))
    if at > begin or new:
        splices.append(Splice(begin, at, tuple(new)))
    return tuple(splices)


def _whole(
    hunk: Hunk, target: IndexedFile, key: Key, rule: str, write: Callable[[str], str] = exactly
) -> Outcome:
    old = hunk.old
    places = target.index(key).find(old, _hint(hunk))
    if not places:
        return None
    if len(places) > 1:
        return Ambiguity(rule, tuple(places))
    splices = splices_at(hunk.lines, places[0], write)
    return Placement(splices, rule, places[0], places[0] + len(old))


def _hint(hunk: Hunk) -> int | None:
    """Return the line that the header names, if it counts right: else it chooses nothing."""
    return hunk.start - 1 if hunk.start and hunk.is_counted else None


def into_empty(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Put a hunk that only adds lines into a file that has none.

    Safe: there is but one place.
    """
    if hunk.old or target.lines:
        return None
    return Placement(splices_at(hunk.lines, 0), "into empty", 0, 0)


def at_end(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Place a hunk that an envelope puts at the end of the file.

    Safe: it says so, and its old side is what the file ends with.
    """
    old = hunk.old
    start = len(target.lines) - len(old)
    if not hunk.at_end or start < 0 or list(target.lines[start:]) != old:
        return None
    return Placement(splices_at(hunk.lines, start), "at end", start, len(target.lines))


def anchored(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Place a hunk inside the block that an envelope's `@@` lines name.

    Safe: each anchor is one line of the file (of the block before, for the second and further), and
    the old side stands once, letter for letter, in the block below it: the lines that are indented
    more than it is.
    """
    low, high = 0, len(target.lines)
    stripped = target.index(without_indent)
    for anchor in hunk.anchors:
        found = [at for at in stripped.places(anchor, _MOST_ANCHORS) if low <= at < high]
        if len(found) != 1:
            return None
        low = found[0] + 1
        high = margins.block_end(target.lines, found[0], high)
    is_said = bool(hunk.anchors) and any(text.strip() for text in hunk.old)
    pattern = target.index().pattern(hunk.old) if is_said else None
    text = target.index().text
    start = text.find(pattern, low, high) if pattern else -1
    if start < 0 or not pattern or text.find(pattern, start + 1, high) >= 0:
        return None
    return Placement(splices_at(hunk.lines, start), "anchored", start, start + len(pattern))


def exact(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Place a hunk whose old side stands in the file letter for letter.

    Safe: the text the model meant is there once, or exactly where its header says.
    """
    return _whole(hunk, target, exactly, "exact")


def unpadded(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Drop blank context at the hunk's edges that the file does not have there.

    Safe: a blank line at the edge says nothing about the place, and nothing is written for it;
    what remains must stand in the file letter for letter, and once, or where a header says that
    does not count the blank lines.
    """
    trimmed = _trimmed(hunk)
    return _whole(trimmed, target, exactly, "unpadded") if trimmed else None


def _trimmed(hunk: Hunk) -> Hunk | None:
    lines = list(hunk.lines)
    cut = 0
    while lines and lines[-1].tag == " " and not lines[-1].text.strip():
        lines.pop()
    while lines and lines[0].tag == " " and not lines[0].text.strip():
        lines.pop(0)
        cut += 1
    if len(lines) == len(hunk.lines) or all(line.tag == "+" for line in lines):
        return None
    if hunk.origin is Origin.BLOCK and _bounds_change(hunk, cut, lines):
        return None
    return replace(
        hunk,
        lines=tuple(lines),
        start=hunk.start + cut if hunk.start else None,
        is_counted=hunk.old_count == sum(line.tag != "+" for line in lines),
    )


def _bounds_change(hunk: Hunk, cut: int, lines: Sequence[Line]) -> bool:
    """Tell whether one of the blank lines that HUNK has beside LINES, CUT above, bounds a change.

    In a search text it says what stands there, and the file has something else.
    """
    below = len(hunk.lines) - cut - len(lines)
    return (cut > 0 and lines[0].tag != " ") or (below > 0 and lines[-1].tag != " ")


def trailing_blanks(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Ignore blanks at line ends, of the hunk and of the file.

    Safe: no language we know gives a line another meaning by them where the rest of a whole hunk
    agrees; context keeps the file's own blanks.
    """
    outcome = _whole(hunk, target, without_trailing, "trailing blanks")
    if outcome is None and (trimmed := _trimmed(hunk)):
        return _whole(trimmed, target, without_trailing, "trailing blanks")
    return outcome


def lost_tags(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Take context lines as they stand when the hunk lost the space in front of them.

    Safe: all context must then stand in the file, but for blanks at line ends, and added lines are
    written as they are, which is proved by a removed line, by a line without any tag, or by the
    file's own indentation (see `indent.keeps_grid`).
    """
    if hunk.origin is Origin.BLOCK or may_be_context(hunk, target):
        return None
    for restored in (_restored(hunk), _restored(hunk, target)):
        if restored is None or miscounts(hunk):
            return None  # a line may have lost its minus instead
        outcome = trailing_blanks(restored, target)
        if isinstance(outcome, Placement):
            proved = any(map(_is_proof, hunk.lines)) or margins.keeps_grid(restored.lines)
            return replace(outcome, rule="lost tags") if proved else None
        if outcome is not None:
            return outcome
    return None


def _is_proof(line: Line) -> bool:
    """Tell whether LINE shows that tags were lost, not that everything was moved by a blank."""
    if line.tag == "-":
        return bool(margins.margin(line.text))
    return line.bare and bool(line.text.strip())


def _restored(hunk: Hunk, target: IndexedFile | None = None) -> Hunk | None:
    """Put a space before each context line; None when there is no context to speak of.

    With a TARGET, only before those that it has with the space, and not without.
    """
    has = target.index(without_trailing).letter if target else None
    lines = tuple(
        Line(" ", " " + line.text)
        if line.tag == " "
        and line.text.strip()
        and not line.bare
        and (has is None or (has(line.text) is None and has(" " + line.text) is not None))
        else line
        for line in hunk.lines
    )
    if not any(line.tag == " " and line.text.strip() for line in lines):
        return None
    return replace(hunk, lines=lines)


def reindented(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Ignore indentation, and give added lines the one that the file's lines imply.

    Safe: but for blanks at their ends, at least two lines that say something stand in the file
    together, in one place only (a right header does not choose between several), and do not fit
    as well a line further up or down (see `indent.slides`); its own edge is not
    moved (see `indent.moves_edge`); every added line's margin is that of a
    removed line beside it, or follows from one measure.
    """
    if sum(bool(text.strip()) for text in hunk.old) < 2:
        return None
    for candidate in (hunk, _trimmed(hunk)):
        if candidate is None:
            continue
        old = candidate.old
        places = target.index(without_indent).find(old, None)
        if len(places) > 1:
            return Ambiguity("reindented", tuple(places))
        if places:
            start, stop = places[0], places[0] + len(old)
            real = target.lines[start:stop]
            if margins.slides(old, target.lines, start) or margins.moves_edge(candidate, real):
                return None
            lines = margins.reindented(candidate.lines, real, target.step)
            if lines is None:
                return None
            return Placement(splices_at(lines, start), "reindented", start, stop)
    return None


def in_pieces(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Place each change by the true context that touches it, where other context is not there.

    Safe: see `pieces`: what a change replaces and what stands beside it is in the file, together,
    better than in any other place; context that is missing may be skipped, elided or invented, but
    must not look like an edit that was left unmarked, nor be counted as one by the header. A
    search/replace block says that all of its text is there: it has no context to be wrong about.
    """
    if hunk.origin is Origin.BLOCK:
        return None
    index = target.index(without_trailing)
    found = find_pieces(hunk.lines, index)
    if not found or miscounts(hunk):
        return None
    if not is_trustworthy(hunk.lines, found, index):
        return None
    splices: list[Splice] = []
    for piece, lines in cut(hunk.lines, found):
        splices += splices_at(lines, piece.start)
    last = found[-1]
    return Placement(
        tuple(splices), "in pieces", found[0].start, last.start + last.stop - last.first
    )


def place_everywhere(hunk: Hunk, target: IndexedFile) -> tuple[Placement, ...]:
    """Find every place of a hunk that the reply repeats, letter for letter.

    Safe: as many places as the reply says the same are meant one each, in whatever order.
    """
    index = target.index()
    old = hunk.old
    pattern = index.pattern(old)
    places = index.all_places(pattern, hunk.times) if pattern else []
    if any(b - a < len(old) for a, b in pairwise(places)):
        return ()
    return tuple(
        Placement(splices_at(hunk.lines, at), "everywhere", at, at + len(old)) for at in places
    )


EXPLICIT: tuple[Rule, ...] = (into_empty, at_end, anchored)
LADDER: tuple[Rule, ...] = (
    exact,
    unpadded,
    trailing_blanks,
    lost_tags,
    reindented,
    in_pieces,
)


def _with_tail(hunk: Hunk, target: IndexedFile) -> Hunk:
    """Take the untagged lines after HUNK as context, as far as the file has them."""
    tail: list[Line] = []
    for text in hunk.tail:
        if target.index(without_trailing).letter(text) is None:
            break
        tail.append(Line(" ", text, bare=True))
    said = any(line.text.strip() for line in tail)
    return replace(hunk, lines=(*hunk.lines, *tail), tail=()) if said else hunk


def place_hunk(hunk: Hunk, target: IndexedFile) -> Outcome:
    """Return the first rule's answer that is one: what a hunk says of its place, then the rungs."""
    for rule in EXPLICIT:
        if outcome := rule(hunk, target):
            return outcome
    if not any(text.strip() for text in hunk.old):
        return None  # blank lines are everywhere: they say nothing
    hunk = _with_tail(hunk, target)
    if is_unclear(hunk, target):
        return None
    for rule in LADDER:
        outcome = rule(hunk, target)
        if outcome is not None:
            is_doubtful = isinstance(outcome, Placement) and any(
                doubt(hunk, outcome, target) for doubt in DOUBTS
            )
            return None if is_doubtful else outcome
    return None
