"""The layers, a light start, help for every command."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dursor.cli.command_tree import COMMANDS, ROUND, CommandSpec, GroupSpec
from dursor.cli.lazy_commands import import_target
from dursor.cli.root import app, make_command

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "dursor").rglob("*.py"))

HEAVY = {
    "asyncio",
    "cryptography",
    "git",
    "httpx",
    "jwt",
    "keyring",
    "platformdirs",
    "pydantic",
    "rich",
    "sqlite_utils",
    "unidiff",
}
COMPLETE = {"_DURSOR_COMPLETE": "complete_bash"}
LOADED = """
import atexit, json, os, sys
stderr = os.dup(2)
atexit.register(lambda: os.write(stderr, json.dumps(sorted(sys.modules)).encode()))
sys.argv = ["dursor", *{words!r}]
sys.stderr = open(os.devnull, "w")
from dursor.__main__ import main
sys.exit(main())
"""


def list_commands() -> Iterator[tuple[tuple[str, ...], CommandSpec]]:
    yield ("run",), ROUND
    for name, entry in COMMANDS.items():
        if isinstance(entry, GroupSpec):
            yield from (((name, word), spec) for word, spec in entry.commands.items())
        else:
            yield (name,), entry


def list_modules(home: Path, words: list[str], **environment: str) -> set[str]:
    """List the modules that a process which runs WORDS has imported."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(words=words)],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DURSOR_DATA_DIR": str(home / "data"),
            "DURSOR_CONFIG_DIR": str(home / "config"),
            "PYTHONPATH": str(ROOT),
            **environment,
        },
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return {*json.loads(done.stderr)}


@pytest.mark.parametrize(
    ("words", "environment", "absent"),
    [
        (["--version"], {}, HEAVY | {"typer", "dursor.cli", "dursor.domain"}),
        (["--help"], {}, HEAVY | {"sqlite3", "dursor.domain", "dursor.app"}),
        (["run", "--help"], {}, HEAVY | {"sqlite3", "dursor.app"}),
        (["models", "--help"], {}, HEAVY | {"sqlite3", "dursor.domain"}),
        (["run", "list"], {}, HEAVY | {"tomllib", "secrets", "dursor.services.results"}),
        (["task", "list"], {}, HEAVY),
        (["repo", "list"], {}, HEAVY),
        (["pr", "list"], {}, HEAVY | {"dursor.github", "dursor.vcs.command"}),
        ([], {**COMPLETE, "COMP_WORDS": "dursor run sh", "COMP_CWORD": "2"}, HEAVY | {"sqlite3"}),
        ([], {**COMPLETE, "COMP_WORDS": "dursor run show a", "COMP_CWORD": "3"}, HEAVY),
        ([], {**COMPLETE, "COMP_WORDS": "dursor run x -m g", "COMP_CWORD": "4"}, HEAVY),
        ([], {**COMPLETE, "COMP_WORDS": "dursor repo show a", "COMP_CWORD": "3"}, HEAVY),
        ([], {**COMPLETE, "COMP_WORDS": "dursor pr show 4", "COMP_CWORD": "3"}, HEAVY),
    ],
)
def test_a_cheap_command_imports_nothing_heavy(tmp_path, words, environment, absent):
    assert not absent & list_modules(tmp_path, words, **environment)


def test_the_layers_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_public_class_names_are_unique():
    files: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                files.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in files.items() if len(paths) > 1} == {}


def test_a_folder_holds_at_most_16_modules():
    counts = Counter(path.parent for path in SOURCES if path.name != "__init__.py")
    assert {str(folder): count for folder, count in counts.items() if count > 16} == {}


def test_click_is_imported_from_typer():
    imports = re.compile(r"^\s*(import click|from click)\b", re.MULTILINE)
    assert [path for path in SOURCES if imports.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("words", "spec"), [*list_commands()])
def test_the_docstring_of_a_command_begins_with_its_help(words, spec):
    function = import_target(f"dursor.cli.commands.{spec.target}")
    assert inspect.getdoc(function).splitlines()[0] == spec.help
    assert spec.help.endswith(".")


@pytest.mark.parametrize(("words", "spec"), [*list_commands()])
def test_every_command_and_parameter_has_help(words, spec):
    result = CliRunner().invoke(app, [*words, "--help"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: dursor {' '.join(words)} ")
    assert "--json" in result.stdout
    for parameter in list_parameters(words):
        assert getattr(parameter, "help", None), f"{words}: {parameter.name} has no help"


def list_parameters(words: tuple[str, ...]) -> list[Any]:
    node: Any = make_command()
    context = typer.Context(node, info_name="dursor")
    for word in words:
        node = node.get_command(context, word)
        context = typer.Context(node, info_name=word, parent=context)
    if words == ("run",):
        node = node.build_round()
    return [*node.get_params(context)]


@pytest.mark.parametrize(
    "name", [n for n, entry in COMMANDS.items() if isinstance(entry, GroupSpec)]
)
def test_every_group_has_help(name):
    result = CliRunner().invoke(app, [name, "--help"], catch_exceptions=False)
    assert COMMANDS[name].help in " ".join(result.stdout.split())
