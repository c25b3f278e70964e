"""Every command that the product's texts quote exists, with its options."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dursor.cli.command_tree import COMMANDS, GroupSpec
from dursor.cli.root import make_command

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "dursor").rglob("*.py"))
QUOTED = re.compile(r"(?<![\w./-])dursor ([^\n`]*)")
END = re.compile(r",|[|<>;()]| then | for | with |'$|\.$")
VALUE = "VALUE"  # stands for what an f-string inserts


def read_text(node: ast.AST) -> str | None:
    """Return the text of a string literal, with VALUE for each inserted one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(read_text(part) or VALUE for part in node.values)
    return None


def find_texts(tree: ast.AST, *, in_hint: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield each string literal and whether it belongs to a hint."""
    text = read_text(tree)
    if text is not None:
        yield text, in_hint
        return
    for child in ast.iter_child_nodes(tree):
        is_hint = isinstance(child, ast.keyword) and child.arg == "hint"
        if isinstance(tree, ast.Assign):
            names = [target.id for target in tree.targets if isinstance(target, ast.Name)]
            is_hint |= any("hint" in name.casefold() for name in names)
        yield from find_texts(child, in_hint=in_hint or is_hint)


def find_quotes() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the file and the words of every quoted command."""
    for path in SOURCES:
        for text, in_hint in find_texts(ast.parse(path.read_text(encoding="utf-8"))):
            for quote in QUOTED.finditer(text):
                words = END.split(quote[1], maxsplit=1)[0].replace('"', " ").split()
                if words and words[0] != VALUE and (in_hint or words[0] in COMMANDS):
                    yield path.name, tuple(words)


def find_command(words: tuple[str, ...]) -> tuple[Any, str]:
    """Find the command that WORDS name, and its name; AssertionError when there is none."""
    if words[0].startswith("-"):
        return make_command(), "dursor"
    spec = COMMANDS.get(words[0])
    assert spec, f"no command {words[0]!r}"
    group = make_command().get_command(typer.Context(make_command()), words[0])
    if not isinstance(spec, GroupSpec) or len(words) == 1:
        return group, words[0]
    if words[1] in spec.commands:
        command = group.get_command(typer.Context(group), words[1])
        return command, " ".join(words[:2])
    assert words[0] == "run" or words[1].startswith("-"), f"no command {' '.join(words[:2])!r}"
    return (group.build_round() if words[0] == "run" else group), words[0]


@pytest.mark.parametrize(("file", "words"), sorted(set(find_quotes())))
def test_a_quoted_command_exists(file: str, words: tuple[str, ...]):
    command, name = find_command(words)
    parameters = command.get_params(typer.Context(command))
    options = {"--help", "--"}
    for parameter in parameters:
        options |= {*parameter.opts, *parameter.secondary_opts}
    for word in words:
        if word.startswith("-") and word != "-":
            assert word in options, f"{file}: {name} has no option {word}"


def test_hints_are_found():
    assert len({*find_quotes()}) > 100
