"""The sample repository: a small package with a bug, and a test that finds it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dursor.vcs.repository import Repository

INSTRUCTION = "Fix the off-by-one in pagination: the list of tools ends in an empty page"
TEST = "test_pages"  # the module whose tests decide
BUG = "    return total // size + 1\n"


def create_sample(folder: Path) -> Repository:
    """Make the sample a git repository with one commit in FOLDER."""
    from dursor.vcs.create import create  # noqa: PLC0415  # loads GitPython

    return create(folder, FILES, "Lend tools, four to a page")


def _text(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


README = _text("""
    # toolshed

    What the street lends and borrows, one page at a time.

        $ python -m toolshed 3
        page 3 of 3
         9  tile cutter       Ines
        10  wallpaper table   Mona
        11  wheelbarrow       Teo
        12  wood splitter     Ines

    Tests: `python -m unittest`

    ## Known trouble

    - With a full last page, `python -m toolshed` counts one page too many, and that page is empty.
""")

INIT = _text('''
    """What the street lends and borrows."""

    from toolshed.pages import Page, page, page_count, pages

    __all__ = ["Page", "page", "page_count", "pages"]
''')

PAGES = _text('''
    """Long lists, one page at a time."""

    from collections.abc import Iterator, Sequence
    from dataclasses import dataclass


    @dataclass(frozen=True)
    class Page:
        """Some items of a list, and where in the list they stand; everything counts from 1."""

        number: int
        count: int
        first: int
        items: tuple[object, ...]

        @property
        def title(self) -> str:
            return f"page {self.number} of {self.count}"


    def page_count(total: int, size: int) -> int:
        """How many pages TOTAL items take at SIZE items a page."""
        if size < 1:
            raise ValueError("a page holds at least one item")
        return total // size + 1


    def page(items: Sequence[object], number: int, size: int) -> Page:
        """Page NUMBER of ITEMS."""
        count = page_count(len(items), size)
        if not 1 <= number <= count:
            raise ValueError(f"there is no page {number}, only 1 to {count}")
        start = (number - 1) * size
        return Page(number, count, start + 1, tuple(items[start : start + size]))


    def pages(items: Sequence[object], size: int) -> Iterator[Page]:
        """Every page of ITEMS, in order."""
        for number in range(1, page_count(len(items), size) + 1):
            yield page(items, number, size)
''')

MAIN = _text('''
    """Show one page of the tools: python -m toolshed [NUMBER]"""

    import sys
    from typing import NamedTuple

    from toolshed.pages import page

    PAGE_SIZE = 4


    class Tool(NamedTuple):
        """Something to borrow, and who to ask for it."""

        name: str
        owner: str


    TOOLS = (
        Tool("drain snake", "Mona"),
        Tool("hedge trimmer", "Teo"),
        Tool("ladder, 3 m", "Ines"),
        Tool("leaf blower", "Teo"),
        Tool("pressure washer", "Mona"),
        Tool("rotary hammer", "Ines"),
        Tool("sack truck", "Teo"),
        Tool("spirit level", "Mona"),
        Tool("tile cutter", "Ines"),
        Tool("wallpaper table", "Mona"),
        Tool("wheelbarrow", "Teo"),
        Tool("wood splitter", "Ines"),
    )


    def main(words: list[str]) -> str:
        """The page that WORDS ask for, ready to print."""
        shown = page(TOOLS, int(words[0]) if words else 1, PAGE_SIZE)
        places = enumerate(shown.items, shown.first)
        lines = [f"{place:2}  {tool.name:16}  {tool.owner}" for place, tool in places]
        return "\\n".join([shown.title, *lines])


    if __name__ == "__main__":
        print(main(sys.argv[1:]))
''')

TESTS = _text('''
    """Pages of lists."""

    import unittest

    from toolshed import page, page_count, pages

    TOOLS = [f"tool {number}" for number in range(1, 13)]


    class PagesTest(unittest.TestCase):
        def test_every_tool_is_on_exactly_one_page_and_no_page_is_empty(self):
            for size in range(1, len(TOOLS) + 2):
                with self.subTest(size=size):
                    shown = [one.items for one in pages(TOOLS, size)]
                    self.assertEqual([tool for items in shown for tool in items], TOOLS)
                    self.assertNotIn((), shown)

        def test_a_page_knows_where_it_stands(self):
            second = page(TOOLS, 2, 5)
            self.assertEqual(second.title, "page 2 of 3")
            self.assertEqual(second.first, 6)
            self.assertEqual(second.items, tuple(TOOLS[5:10]))

        def test_there_is_no_page_beyond_the_last(self):
            for number in (0, 4):
                with self.assertRaises(ValueError):
                    page(TOOLS, number, 5)

        def test_a_page_holds_at_least_one_item(self):
            with self.assertRaises(ValueError):
                page_count(12, 0)


    if __name__ == "__main__":
        unittest.main()
''')

FILES: Mapping[str, str] = {
    "README.md": README,
    "toolshed/__init__.py": INIT,
    "toolshed/__main__.py": MAIN,
    "toolshed/pages.py": PAGES,
    f"{TEST}.py": TESTS,
}
