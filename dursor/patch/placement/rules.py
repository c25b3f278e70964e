"""Placement rules, strictest first.

A rule returns a place only when its evidence admits exactly one. The first rule that finds several
places ends the search, because looser rules could only find more. The ledger in
tests/patch/test_rule_ledger.py names the cases that need each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from dursor.patch.edits import Hunk, Line, Origin
from dursor.patch.lines import Splice
from dursor.patch.placement import indent
from dursor.patch.placement.ambiguity import GUARDS
from dursor.patch.placement.indexed_file import Ambiguity, IndexedFile, Placement, PlacementResult
from dursor.patch.placement.line_index import Key, exactly, without_indent, without_trailing
from dursor.patch.placement.partial_context import find_pieces, split_at_pieces

_MAX_ANCHORS = 256  # lines of a file with the text of an anchor

Rule = Callable[[Hunk, IndexedFile], PlacementResult]


def make_splices(lines: Sequence[Line], start: int) -> tuple[Splice, ...]:
    """Return the changes of LINES, whose old side begins at START; context stays as it is."""
    splices: list[Splice] = []
    index = begin = start
    new: list[str] = []
    for line in (*lines, Line(" ", "")):
        if line.tag == " ":
            if index > begin or new:
                splices.append(Splice(begin, index, tuple(new)))
                new = []
            index += 1
            begin = index
        elif line.tag == "-":
            index += 1
        else:
            new.append(line.text)
    return tuple(splices)


def _place(hunk: Hunk, rule: str, start: int) -> Placement:
    splices = make_splices(hunk.lines, start)
    return Placement(hunk, splices, rule, start, start + len(hunk.old))


def _match(hunk: Hunk, file: IndexedFile, key: Key, rule: str) -> PlacementResult:
    """Find the old side of HUNK under KEY; a header that counts right chooses between places."""
    hint = hunk.start - 1 if hunk.start and hunk.is_counted else None
    places = file.index(key).find(hunk.old, hint)
    if len(places) > 1:
        return Ambiguity(tuple(places))
    return _place(hunk, rule, places[0]) if places else None


def fill_empty_file(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Place a hunk that only adds lines in a file that has none."""
    return None if hunk.old or file.lines else _place(hunk, "empty file", 0)


def place_at_end(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Place a hunk that an envelope marks as the end of the file, and whose old side is there."""
    start = len(file.lines) - len(hunk.old)
    if not hunk.at_end or start < 0 or list(file.lines[start:]) != hunk.old:
        return None
    return _place(hunk, "end of file", start)


def place_below_anchors(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Place a hunk inside the block that an envelope's `@@` lines name.

    Each anchor is a unique line of the file, or of the block of the anchor before it. The old side
    occurs exactly once in the lines below it that are indented further.
    """
    if not hunk.anchors or not any(map(str.strip, hunk.old)):
        return None
    low, high = 0, len(file.lines)
    for anchor in hunk.anchors:
        places = file.index(without_indent).places(anchor, _MAX_ANCHORS)
        places = [place for place in places if low <= place < high]
        if len(places) != 1:
            return None
        low = places[0] + 1
        high = indent.find_block_end(file.lines, places[0], high)
    text, pattern = file.index().text, file.index().pattern(hunk.old)
    start = text.find(pattern, low, high) if pattern else -1
    if start < 0 or not pattern or text.find(pattern, start + 1, high) >= 0:
        return None
    return _place(hunk, "anchor", start)


def match_exactly(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Place a hunk whose old side occurs once, or exactly where its header says."""
    return _match(hunk, file, exactly, "exact")


def ignore_trailing_blanks(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Ignore blanks at line ends, and then blank context at the hunk's edges.

    Context keeps the file's own blanks.
    """
    result = _match(hunk, file, without_trailing, "trailing blanks")
    if result is None and (trimmed := _trim(hunk)):
        return _match(trimmed, file, without_trailing, "trailing blanks")
    return result


def _trim(hunk: Hunk) -> Hunk | None:
    """Drop blank context at the edges of HUNK; None where that changes nothing.

    In a search text a blank line beside a change is text: the file has something else there.
    """
    kept = [i for i, line in enumerate(hunk.lines) if line.tag != " " or line.text.strip()]
    if not kept:
        return None
    first, stop = kept[0], kept[-1] + 1
    lines = hunk.lines[first:stop]
    if len(lines) == len(hunk.lines) or all(line.tag == "+" for line in lines):
        return None
    bounds_change = (first > 0 and lines[0].tag != " ") or (
        stop < len(hunk.lines) and lines[-1].tag != " "
    )
    if hunk.origin is Origin.BLOCK and bounds_change:
        return None
    return replace(
        hunk,
        lines=lines,
        start=hunk.start + first if hunk.start else None,
        is_counted=hunk.old_count == sum(line.tag != "+" for line in lines),
    )


def restore_lost_tags(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Put back the space that the context lines of the hunk lost.

    Added lines are written as they are. A removed line, a line without any tag, or the file's
    indentation must prove that tags were lost, and not that the whole hunk moved by one blank.
    """
    if hunk.origin is Origin.BLOCK:
        return None
    for restored in (_restore_tags(hunk), _restore_tags(hunk, file)):
        if restored is None:
            return None
        result = ignore_trailing_blanks(restored, file)
        if isinstance(result, Placement):
            is_proved = any(map(_proves_loss, hunk.lines)) or indent.keeps_grid(restored.lines)
            return replace(result, rule="lost tags", is_repaired=True) if is_proved else None
        if result is not None:
            return result
    return None


def _proves_loss(line: Line) -> bool:
    if line.tag == "-":
        return bool(indent.get_margin(line.text))
    return line.bare and bool(line.text.strip())


def _restore_tags(hunk: Hunk, file: IndexedFile | None = None) -> Hunk | None:
    """Put a space before each context line; None when there is none with text.

    With FILE, only before those that it has with the space and not without.
    """
    letter = file.index(without_trailing).letter if file else None

    def is_cut(line: Line) -> bool:
        if line.tag != " " or not line.text.strip() or line.bare:
            return False
        return letter is None or (letter(line.text) is None and letter(" " + line.text) is not None)

    if not any(line.tag == " " and line.text.strip() for line in hunk.lines):
        return None
    lines = (Line(" ", " " + line.text) if is_cut(line) else line for line in hunk.lines)
    return replace(hunk, lines=tuple(lines))


def ignore_indentation(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Ignore indentation, and give added lines the margins that the file's lines imply.

    At least two lines with text occur together in one place only; a header does not choose.
    """
    if sum(bool(text.strip()) for text in hunk.old) < 2:
        return None
    for candidate in (hunk, _trim(hunk)):
        if candidate is None:
            continue
        places = file.index(without_indent).find(candidate.old, None)
        if len(places) > 1:
            return Ambiguity(tuple(places))
        if places:
            start, stop = places[0], places[0] + len(candidate.old)
            if any(guard(candidate, file.lines, start) for guard in indent.GUARDS):
                return None
            lines = indent.reindent(candidate.lines, file.lines[start:stop], file.step)
            if lines is None:
                return None
            return Placement(candidate, make_splices(lines, start), "indentation", start, stop)
    return None


def use_partial_context(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Place each change by the context that touches it, where the file lacks other context.

    A search text has no context that may be wrong.
    """
    if hunk.origin is Origin.BLOCK:
        return None
    pieces = find_pieces(hunk.lines, file.index(without_trailing))
    if not pieces:
        return None
    splices: list[Splice] = []
    for piece, lines in split_at_pieces(hunk.lines, pieces):
        splices += make_splices(lines, piece.start)
    return Placement(
        hunk, tuple(splices), "partial context", pieces[0].start, pieces[-1].end, is_repaired=True
    )


EXPLICIT_RULES: tuple[Rule, ...] = (fill_empty_file, place_at_end, place_below_anchors)
RULES: tuple[Rule, ...] = (
    match_exactly,
    ignore_trailing_blanks,
    restore_lost_tags,
    ignore_indentation,
    use_partial_context,
)


def place_hunk(hunk: Hunk, file: IndexedFile) -> PlacementResult:
    """Return the result of the first rule that has one, unless a guard vetoes it."""
    for rule in EXPLICIT_RULES:
        if result := rule(hunk, file):
            return result
    if not any(text.strip() for text in hunk.old):
        return None  # blank lines occur everywhere
    hunk = _append_tail(hunk, file)
    for rule in RULES:
        result = rule(hunk, file)
        if result is not None:
            is_vetoed = isinstance(result, Placement) and any(
                guard(result, file) for guard in GUARDS
            )
            return None if is_vetoed else result
    return None


def _append_tail(hunk: Hunk, file: IndexedFile) -> Hunk:
    """Take the untagged lines below HUNK as context, as far as the file has them."""
    tail: list[Line] = []
    for text in hunk.tail:
        if file.index(without_trailing).letter(text) is None:
            break
        tail.append(Line(" ", text, bare=True))
    has_text = any(line.text.strip() for line in tail)
    return replace(hunk, lines=(*hunk.lines, *tail), tail=()) if has_text else hunk


def place_everywhere(hunk: Hunk, file: IndexedFile) -> tuple[Placement, ...]:
    """Return every exact place of a hunk that the reply repeats as often as the file has it."""
    index = file.index()
    pattern = index.pattern(hunk.old)
    places = index.all_places(pattern, hunk.times) if pattern else []
    if any(after - place < len(hunk.old) for place, after in pairwise(places)):
        return ()
    return tuple(_place(hunk, "repeated", place) for place in places)
