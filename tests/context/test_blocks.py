"""Blocks and definitions, language by language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.context.ranking.blocks import JOINED_LINES, MAX_LINES, split_blocks
from dursor.context.text.languages import find_definitions, find_imports
from dursor.context.text.measure import split_lines

PYTHON = '''"""A module."""
import os

LIMIT = 3


class Pager:
    """Pages."""

    size = 10

    @property
    def pages(self):
        def inner():
            return 1

        return inner()

    async def load(self, page):
        return page


def helper():
    return Pager()
'''
LANGUAGES = {
    "py": (PYTHON, ["LIMIT", "Pager", "pages", "inner", "load", "helper"]),
    "js": (
        (
            "const fs = require('fs');\nexport default class Box extends Base {\n"
            "  async open(path) {\n    if (path) {\n    }\n  }\n}\n"
            "const add = (a, b) => a + b;\nTopics.create = async function (data) {\n};\n"
            "function* walk() {\n}\nmodule.exports = { add };\n"
        ),
        ["fs", "Box", "open", "add", "create", "walk"],
    ),
    "ts": (
        (
            "export interface Shape { area(): number }\nexport type Id = string\n"
            "export const make = async (id: Id): Promise<Shape> => {\n}\n"
            "export abstract class Circle implements Shape {\n"
            "  private static of(r: number): Circle {\n  }\n}\nenum Kind { A }\n"
        ),
        ["Shape", "Id", "make", "Circle", "of", "Kind"],
    ),
    "go": (
        (
            "package x\nfunc (c *Client) Do(a int) error {\n}\nfunc New() *Client {\n}\n"
            "type Client struct {\n}\nvar ErrGone = 1\n"
        ),
        ["Do", "New", "Client", "ErrGone"],
    ),
    "rs": (
        (
            "pub(crate) struct Pool<T> {\n}\nimpl<T> fmt::Debug for Pool<T> {\n"
            "    pub async unsafe fn take(&self) -> T {\n    }\n}\npub trait Park {\n}\n"
            "macro_rules! ready {\n}\nconst MAX: u8 = 1;\npub enum Kind {\n}\n"
        ),
        ["Pool", "Pool", "take", "Park", "ready", "MAX", "Kind"],
    ),
    "java": (
        (
            "package x;\npublic final class Cart<T> {\n  private final List<T> items;\n"
            "  @Override\n  public static <T> List<T> sort(List<T> all) {\n  }\n}\n"
            "interface Shop {\n}\n"
        ),
        ["Cart", "sort", "Shop"],
    ),
    "c": (
        (
            "#define LIMIT 3\nstruct node {\n};\nstatic int\nwalk(struct node *n)\n{\n"
            "  if (n)\n    walk(n);\n}\nint main(int argc, char **argv) {\n}\n"
        ),
        ["LIMIT", "node", "walk", "main"],
    ),
    "cpp": (
        "namespace a {\nclass Tree : public Base {\n};\n}\nvoid Tree::grow(int n) {\n}\n",
        ["a", "Tree", "grow"],
    ),
    "cs": (
        (
            "namespace A.B {\n  public sealed class Mail : IMail {\n"
            "    public async Task<int> SendAsync(string to) {\n    }\n  }\n}\n"
        ),
        ["A", "Mail", "SendAsync"],
    ),
    "rb": (
        (
            "module A\n  class B < C\n    LIMIT = 3\n    def self.make\n    end\n"
            "    def ok?(x)\n    end\n  end\nend\n"
        ),
        ["A", "B", "LIMIT", "make", "ok?"],
    ),
    "php": (
        (
            "<?php\nnamespace A;\nfinal class Post extends Model {\n"
            "  public static function find(int $id): ?Post {\n  }\n}\nfunction slug() {\n}\n"
        ),
        ["Post", "find", "slug"],
    ),
    "kt": ("data class P(val x: Int)\nfun area(p: P): Int {\n}\n", ["P", "area"]),
    "swift": ("public struct V {\n  mutating func go() {\n  }\n}\n", ["V", "go"]),
    "sh": ("set -e\nbuild() {\n}\nfunction ship {\n}\n", ["build", "ship"]),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_definitions_are_found(language):
    text, names = LANGUAGES[language]
    assert [found.name for found in find_definitions(text, language)] == names


@pytest.mark.parametrize(
    ("language", "text", "modules"),
    [
        ("py", "from a.b.c import d\nimport os\nfrom . import e\n", {"b/c", "os"}),
        ("js", "import x from './lib/x.js';\nconst y = require('../y')\n", {"lib/x", "y"}),
        ("go", 'import (\n\t"fmt"\n\tapi "example.com/m/pkg/api"\n)\n', {"fmt", "pkg/api"}),
        ("rs", "use crate::sync::mpsc;\nmod time;\n", {"sync/mpsc", "time"}),
        ("java", "import static a.b.C;\n", {"b/C"}),
        ("c", '#include <sys/io.h>\n#include "node.h"\n', {"sys/io", "node"}),
        ("rb", "require_relative 'a/b'\n", {"a/b"}),
        ("php", "use App\\Model\\Post;\n", {"Model/Post"}),
        ("txt", "import nothing\n", set()),
    ],
)
def test_imports_are_found(language, text, modules):
    assert find_imports(text, language) == modules


def test_blocks_are_functions_and_the_heads_of_classes():
    blocks = split_blocks(PYTHON, "py")
    assert [(b.first, b.last, b.names, b.owners) for b in blocks] == [
        (1, 6, ("LIMIT",), ()),
        (7, 11, ("Pager",), ()),
        (12, 18, ("pages", "inner"), ("Pager",)),
        (19, 24, ("load", "helper"), ("Pager",)),
    ]
    assert [b.is_header for b in blocks] == [True, False, False, False]


def test_functions_that_are_values_are_blocks():
    text = "export const one = async (a) => {\n}\nconst two = b => {\n}\nconst LIMIT = 3\n"
    found = [(one.name, one.is_block) for one in find_definitions(text, "ts")]
    assert found == [("one", True), ("two", True), ("LIMIT", False)]


def test_a_wrapper_around_everything_is_not_a_block():
    body = "\t\twork();\n" * 30
    functions = (
        f"\tTopics.{name} = async function (data) {{\n{body}\t}};\n\n"
        for name in ("create", "remove", "move")
    )
    text = "module.exports = function (Topics) {\n" + "".join(functions) + "};\n"
    assert [b.names for b in split_blocks(text, "js")] == [
        ("exports",),
        ("create",),
        ("remove",),
        ("move",),
    ]


LINES = st.lists(
    st.sampled_from(
        [*PYTHON.splitlines(), *"".join(text for text, _ in LANGUAGES.values()).splitlines(), "é\r"]
    ),
    max_size=300,
)


@given(LINES, st.sampled_from([*LANGUAGES, "txt"]), st.booleans())
def test_blocks_cover_the_whole_file(lines, language, ends):
    text = "\n".join(lines) + ("\n" if ends else "")
    blocks = split_blocks(text, language)
    covered = [line for b in blocks for line in range(b.first, b.last + 1)]
    assert covered == list(range(1, len(split_lines(text)) + 1))
    assert all(b.last - b.first < max(MAX_LINES, JOINED_LINES) for b in blocks)
    assert all(line <= b.last for b in blocks for line in b.owner_lines)


@pytest.mark.parametrize(
    "language", ["py", "js", "go", "rs", "java", "c", "rb", "php", "sh", "txt"]
)
def test_no_text_is_slow(language):
    """A pattern that backtracks would take minutes."""
    for piece in ("a", "a ", "a.", "(", "<a", "public ", "a::", "\t", "class ", "async ", "impl <"):
        text = piece * (20_000 // len(piece))
        assert split_blocks(text, language)
        find_imports(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("js", "a.b=" + " " * 100_000),
        ("js", "let a=" + "\t" * 100_000),
        ("js", "function" + " " * 100_000 + "="),
        ("c", "struct " + "a" * 200_000 + "("),
    ],
)
def test_no_line_is_slow(language, text):
    """Two patterns that can match the same run of characters would take minutes."""
    assert split_blocks(text, language)
