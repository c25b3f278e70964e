"""The README and the changelog agree with the code."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dursor
from dursor.cli.command_tree import COMMANDS, GroupSpec
from dursor.config.options import OPTIONS
from dursor.config.policy import LIMITS
from dursor.errors import DursorError

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMAND = re.compile(r"`(dursor [^`]+)`|^(?:\$ |.*&& \S*/)?(dursor [^\n]+)$", re.MULTILINE)
SPAN = re.compile(r"`(--[a-z0-9-]+|-m)\b[^`]*`")


def list_lines() -> list[str]:
    """List every command line of the README."""
    matches = [a or b for a, b in COMMAND.findall(README)]
    return [re.split(r"\s+[>|#<]\s*", line)[0] for line in matches]


def find_path(words: list[str]) -> list[str]:
    """Find the command that WORDS name, without its arguments."""
    node = COMMANDS.get(words[0]) if words else None
    if isinstance(node, GroupSpec) and len(words) > 1 and words[1] in node.commands:
        return words[:2]
    return words[:1] if node else []


def read_help(words: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dursor", *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def helps() -> dict[str, str]:
    """Give the help of every command of the README."""
    paths = {tuple(find_path(shlex.split(line, comments=True)[1:])) for line in list_lines()}
    return {" ".join(path): read_help([*path]) for path in paths}


def test_every_command_and_option_exists(helps: dict[str, str]):
    assert len(list_lines()) > 25
    for line in list_lines():
        words = shlex.split(line, comments=True)[1:]
        path = find_path(words)
        named = path or words[0].startswith("-")
        assert named, f"no such command: {line}"
        for word in words:
            if word.startswith("-") and word != "-":
                option = word.partition("=")[0]
                assert re.search(rf"(?m)(^|[ ,]){re.escape(option)}\b", helps[" ".join(path)]), line


def test_every_option_of_the_text_exists(helps: dict[str, str]):
    everything = "\n".join(helps.values())
    for option in SPAN.findall(README):
        assert option in everything, option


def test_every_listed_subcommand_exists():
    for line in README.splitlines():
        if not (row := re.match(r"\| `dursor (\w+) (\w[\w-]*)`((?:, `[\w-]+`)+)", line)):
            continue
        group = COMMANDS[row[1]]
        assert isinstance(group, GroupSpec)
        listed = {row[2], *re.findall(r"`([\w-]+)`", row[3])}
        assert listed <= {*group.commands}, line


def test_every_command_is_in_the_readme():
    for name, node in COMMANDS.items():
        for word in node.commands if isinstance(node, GroupSpec) else [""]:
            if word:
                assert re.search(rf"`(dursor {name} )?{word}\b", README), (name, word)
            else:
                assert f"dursor {name}" in README, name


def test_the_exit_codes_are_those_of_the_errors():
    documented = {
        code: int(row[1])
        for row in re.finditer(r"^\| (\d+) \|[^|]*\|([^|]*)\|$", README, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", row[2])
    }

    def classes(kind: type[DursorError]) -> list[type[DursorError]]:
        return [kind, *(child for subclass in kind.__subclasses__() for child in classes(subclass))]

    assert documented == {kind.code: kind.exit_code for kind in classes(DursorError)}


def test_the_policy_names_what_a_repository_may_tighten():
    for name in ("forbidden_paths", *LIMITS):
        assert f"`{name}`" in README
        assert name in OPTIONS


def test_the_changelog_has_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(
        rf"^## \[{re.escape(dursor.__version__)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE
    )
    first = next(line for line in changelog.splitlines() if line.startswith("## "))
    assert first == "## [Unreleased]"


def test_both_commands_are_on_the_first_screen():
    screen = "\n".join(README.splitlines()[:30])
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/dursor demo" in screen
    assert ".venv/bin/python -m pytest" in screen


def test_the_supported_versions_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11+" in README
