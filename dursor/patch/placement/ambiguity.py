"""Guards: each one vetoes a placement because the hunk may mean something else.

The ledger in tests/patch/test_rule_ledger.py names the cases that need each guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.patch.edits import Origin
from dursor.patch.placement import indent
from dursor.patch.placement.line_index import exactly, without_trailing

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.patch.edits import Hunk
    from dursor.patch.placement.indexed_file import IndexedFile, Placement


def miscounts(hunk: Hunk) -> bool:
    """Return whether the header counts one side of HUNK right and the other wrong.

    Missing lines may then be lines to remove, and surplus ones lines to add.
    """
    if hunk.old_count is None or hunk.new_count is None:
        return False
    return (hunk.old_count == len(hunk.old)) != (hunk.new_count == len(hunk.new))


def ends_in_half_a_line(placement: Placement, file: IndexedFile) -> bool:
    """Return whether the reply ends within a last line that the file does not have."""
    hunk = placement.hunk
    last = hunk.old[-1]
    key = without_trailing if last.strip() else exactly
    return hunk.ends_mid_line and file.index(key).letter(last) is None


def lacks_a_tag(placement: Placement, file: IndexedFile) -> bool:
    """Return whether a context line may be a change that lost its tag, as the counts suggest."""
    del file
    hunk = placement.hunk
    is_damaged = any(line.bare and line.text.strip() for line in hunk.lines)
    return miscounts(hunk) and (is_damaged or placement.is_repaired)


def may_be_context(placement: Placement, file: IndexedFile) -> bool:
    """Return whether a changed line may be context whose text begins with a sign.

    Other lines of the hunk have lost their tags, and the file has the line with its sign.
    """
    if not placement.is_repaired and not any(line.bare for line in placement.hunk.lines):
        return False
    raw = [line.tag + line.text for line in placement.hunk.lines if line.tag != " "]
    return any(letter is not None for letter in file.index(without_trailing).letters(raw))


def lacks_a_side(placement: Placement, file: IndexedFile) -> bool:
    """Return whether lines that the header counts are missing beside a change at the hunk's edge.

    They may be lines to remove, or the brackets that close a block before the added lines.
    """
    hunk = placement.hunk
    if hunk.old_count is None or hunk.new_count is None:
        return False
    if hunk.old_count <= placement.stop - placement.start:
        return False
    missing_old, missing_new = hunk.old_count - len(hunk.old), hunk.new_count - len(hunk.new)
    lines = [line for line in hunk.lines if line.tag != " " or line.text.strip()]
    starts = lines[0].tag != " " and placement.start > 0
    ends = lines[-1].tag != " " and placement.stop < len(file.lines)
    if not starts and not ends:
        return False
    if missing_new == 0:
        return True
    if any(line.tag == "-" for line in lines):
        return False
    return (
        missing_old > max(missing_new, 0)
        or missing_old == missing_new == 1
        or (starts and _is_between_brackets(file, placement.start))
        or (ends and _is_between_brackets(file, placement.stop))
    )


def _is_between_brackets(file: IndexedFile, index: int) -> bool:
    """Return whether the lines on both sides of INDEX are brackets without a word."""
    pair = [line.strip() for line in file.lines[index - 1 : index + 1]]
    return all(pair) and not any(map(str.isalnum, "".join(pair)))


def repeats_next_line(placement: Placement, file: IndexedFile) -> bool:
    """Return whether a block adds, at its edge, the unique line that the file has just beyond.

    The search text must hold whatever its replacement repeats.
    """
    old, new = placement.hunk.old, placement.hunk.new
    if placement.hunk.origin is not Origin.BLOCK or not new:
        return False
    edges = [(-1, placement.stop)]
    if len(new) > len(old):
        edges.append((0, placement.start - 1))
    for edge, beyond in edges:
        if new[edge] != old[edge] and 0 <= beyond < len(file.lines):
            is_text = any(map(str.isalnum, new[edge]))
            if is_text and new[edge] == file.lines[beyond]:
                return len(file.index().places(new[edge], 1)) == 1
    return False


def changes_inside_run(placement: Placement, file: IndexedFile) -> bool:
    """Return whether the hunk begins or ends with a change between two equal lines of the file.

    Models skip one of several equal lines. A header that counts right and names this very line
    excludes that.
    """
    hunk, lines = placement.hunk, file.lines
    if hunk.is_counted and hunk.start == placement.start + 1:
        return False
    tags = "+" if hunk.origin is Origin.BLOCK else "+-"
    above, below = placement.start - 1, placement.stop
    if hunk.lines[0].tag in tags and above >= 0 and lines[above] == lines[above + 1]:
        return True
    return hunk.lines[-1].tag in tags and below < len(lines) and lines[below] == lines[below - 1]


def rests_on_padding(placement: Placement, file: IndexedFile) -> bool:
    """Return whether only blank lines at the hunk's end distinguish the place from others.

    They may be the end of the reply or of a paragraph, unless the header counts them.
    """
    hunk = placement.hunk
    if hunk.is_counted or hunk.lines[-1].tag != " " or hunk.lines[-1].text.strip():
        return False
    old = list(hunk.old)
    while old and not old[-1].strip():
        old.pop()
    return len(file.index(without_trailing).find(old, None)) > 1


def has_foreign_margin(placement: Placement, file: IndexedFile) -> bool:
    """Return whether the hunk indents with tabs in a file of blanks, or the other way round."""
    lines = placement.hunk.lines
    margins = {x.text[0] for x in lines if x.tag == "+" and x.text.strip()} & {" ", "\t"}
    is_foreign = bool(file.margin_characters) and not margins <= file.margin_characters
    return is_foreign and indent.is_unproved(lines)


GUARDS: tuple[Callable[[Placement, IndexedFile], bool], ...] = (
    ends_in_half_a_line,
    lacks_a_tag,
    may_be_context,
    lacks_a_side,
    repeats_next_line,
    changes_inside_run,
    rests_on_padding,
    has_foreign_margin,
)
