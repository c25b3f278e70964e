"""The README, the architecture page, CONTRIBUTING and the changelog agree with the code."""

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
ARCHITECTURE = (ROOT / "dursor" / "README.md").read_text()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
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
    assert re.search(
        rf"^## \[{re.escape(dursor.__version__)}\] - \d{{4}}-\d\d-\d\d$", CHANGELOG, re.MULTILINE
    )
    first = next(line for line in CHANGELOG.splitlines() if line.startswith("## "))
    assert first == "## [Unreleased]"


def test_both_commands_are_on_the_first_screen():
    screen = "\n".join(README.splitlines()[:30])
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/dursor demo" in screen
    assert ".venv/bin/python -m pytest" in screen


def test_the_supported_versions_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11+" in README


@pytest.mark.parametrize("page", ["dursor/README.md", ".github/CONTRIBUTING.md"])
def test_every_path_of_a_page_exists(page: str):
    path = ROOT / page
    spans = list_spans(path.read_text())
    names = [span for span in spans if re.fullmatch(r"[\w.-]*/[\w./-]*|\w+\.(?:py|md|toml)", span)]
    assert len(names) > 8
    for name in names:
        assert any((folder / name).exists() for folder in (path.parent, ROOT)), name


@pytest.mark.parametrize("page", ["README.md", "dursor/README.md", ".github/CONTRIBUTING.md"])
def test_every_link_to_a_file_leads_to_one(page: str):
    path = ROOT / page
    for link in re.findall(r"\]\(([^):]+)\)", path.read_text()):
        assert (path.parent / link).exists(), link


def test_every_name_of_the_architecture_is_defined_in_its_file():
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+`) \| (`[^|]+`) \|$", ARCHITECTURE, re.MULTILINE)
    assert len(rows) > 15
    for files, names in rows:
        source = "".join((ROOT / "dursor" / file).read_text() for file in list_spans(files))
        for name in list_spans(names):
            definition = rf"^ *(?:def|class) {name}\b|^{name} ="
            assert re.search(definition, source.replace("async def", "def"), re.MULTILINE), name


def list_spans(cell: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", cell)


def test_every_layer_is_in_the_architecture():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    modules = [name for layer in layers for name in layer.split(" | ")]
    for name in modules:
        assert re.search(rf"`{name}(?:/|\.py)`", ARCHITECTURE), name
    folders = {path.name for path in (ROOT / "dursor").iterdir() if (path / "__init__.py").exists()}
    assert folders <= {*modules}


def test_every_entry_of_the_changelog_is_one_sentence():
    kinds = re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)
    assert {*kinds} <= {"Added", "Changed", "Fixed", "Removed"}
    entries = re.findall(r"^- (.+(?:\n  .+)*)", CHANGELOG, re.MULTILINE)
    assert len(entries) > 60
    for entry in entries:
        text = " ".join(re.sub(r"`[^`]+`", "CODE", entry).split())
        assert text[0].isupper(), entry
        assert text.endswith("."), entry
        assert not re.search(r"[.;!?] ", text), entry
