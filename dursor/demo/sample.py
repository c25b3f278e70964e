"""The sample repository: a small package with a bug and a test that catches it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dursor.vcs.repository import Repository

INSTRUCTION = "Fix the off-by-one in pagination: the list of tools ends in an empty page"
TEST = "test_pages"  # the test module that decides
BUG = "    return total // size + 1\n"


def create_sample(folder: Path) -> Repository:
    """Create the sample in FOLDER, a git repository with one commit."""
    from dursor.vcs.create import create  # noqa: PLC0415  # loads GitPython

    return create(folder, FILES, "List tools, four per page")


def _text(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


README = _text("""
    # toolshed

    A tool library for the neighborhood, one page at a time.

        $ python -m toolshed 3
        page 3 of 3
         9  tile cutter       Ines
        10  wallpaper table   Mona
        11  wheelbarrow       Teo
        12  wood splitter     Ines

    Tests: `python -m unittest`

    ## Known issues

    - When the last page is full, `python -m toolshed` counts one page too many, and it is empty.
""")

INIT = _text('''
    """A tool library for the neighborhood."""

    from toolshed.pages import Page, page, page_count, pages

    __all__ = ["Page", "page", "page_count", "pages"]
''')

PAGES = _text('''
    """Long lists, one page at a time."""

    from collections.abc import Iterator, Sequence
    from dataclasses import dataclass


    @dataclass(frozen=True)
    class Page:
        """Some items of a list and their position; all numbers start at 1."""

        number: int
        count: int
        first: int
        items: tuple[object, ...]

        @property
        def title(self) -> str:
            return f"page {self.number} of {self.count}"


    def page_count(total: int, size: int) -> int:
        """Count the pages that TOTAL items need at SIZE items a page."""
        if size < 1:
            raise ValueError("a page holds at least one item")
        return total // size + 1


    def page(items: Sequence[object], number: int, size: int) -> Page:
        """Return page NUMBER of ITEMS."""
        count = page_count(len(items), size)
        if not 1 <= number <= count:
            raise ValueError(f"page {number} does not exist: expected 1 to {count}")
        start = (number - 1) * size
        return Page(number, count, start + 1, tuple(items[start : start + size]))


    def pages(items: Sequence[object], size: int) -> Iterator[Page]:
        """Yield every page of ITEMS in order."""
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
        """Something to borrow and its owner."""

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


    def main(args: list[str]) -> str:
        """Format the page named by ARGS."""
        current = page(TOOLS, int(args[0]) if args else 1, PAGE_SIZE)
        numbered = enumerate(current.items, current.first)
        lines = [f"{number:2}  {tool.name:16}  {tool.owner}" for number, tool in numbered]
        return "\\n".join([current.title, *lines])


    if __name__ == "__main__":
        print(main(sys.argv[1:]))
''')

TESTS = _text('''
    """Tests of toolshed.pages."""

    import unittest

    from toolshed import page, page_count, pages

    TOOLS = [f"tool {number}" for number in range(1, 13)]


    class PagesTest(unittest.TestCase):
        def test_every_tool_is_on_exactly_one_page_and_no_page_is_empty(self):
            for size in range(1, len(TOOLS) + 2):
                with self.subTest(size=size):
                    listed = [page.items for page in pages(TOOLS, size)]
                    self.assertEqual([tool for items in listed for tool in items], TOOLS)
                    self.assertNotIn((), listed)

        def test_a_page_knows_its_position(self):
            second = page(TOOLS, 2, 5)
            self.assertEqual(second.title, "page 2 of 3")
            self.assertEqual(second.first, 6)
            self.assertEqual(second.items, tuple(TOOLS[5:10]))

        def test_a_page_beyond_the_last_is_an_error(self):
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
