"""Every command on a colour terminal: no escape sequence is printed as text."""

import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from command_line import DIFF, VENDORS, CommandLine

from dursor.cli.command_tree import COMMANDS, GroupSpec

pytestmark = pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")

RUN_ALL = """
import json, sys
from dursor.__main__ import _run
for words in json.loads(open(sys.argv[1]).read()):
    sys.argv = ["dursor", *words]
    print("$", json.dumps(words), flush=True)
    print("exit", _run(None), flush=True)
"""
# Words in capitals stand for ids of the prepared store.
LINES = """
run `append a line` -m gpt -m claude
run `append a line` -m gpt --dry-run
run list
run show RUN --summary --diff --logs --context
run diff RUN
run logs RUN
run watch RUN
run cancel RUN
run retry RUN
run compare RUN OTHER
run apply RUN
run lst
models add mine --provider openai --model gpt-5.2
models list
models show gpt
models check gpt
models set-key gpt
models remove mine
repo add .
repo list
repo show REPO
repo branches REPO
task new Pagination
task list
task show TASK
task say TASK `also page 0`
task rename TASK Pages
pr create --run RUN
pr update 1 --run RUN
pr list
pr show 1
pr sync 1
github login
github status
github repos
github branches ada/shop
github logout
context `append a line`
patch reply.md
config get timeout
config set timeout 60
config list
config path
doctor
demo
task close TASK
repo remove REPO
"""
REAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
VISIBLE = re.compile(r"\\x1b|\\u001b|\\033|\\e\[|\^\[|\[\d+(?:;\d+)*m")


def list_commands() -> Iterator[str]:
    for name, spec in COMMANDS.items():
        if isinstance(spec, GroupSpec):
            yield from (f"{name} {word}" for word in spec.commands)
        yield name


@pytest.fixture
def prepared(cli: CommandLine) -> dict[str, str]:
    """Give the ids of a store with two rounds of one task."""
    cli.reply_with(DIFF)
    cli.extra |= {"GITHUB_API_URL": "http://127.0.0.1:9", "DURSOR_ENCRYPTION_KEY": "x"}
    (cli.repo / "reply.md").write_text(DIFF)
    runs = cli.run_round("append a line", *(f"-m{model}" for model in VENDORS)).runs
    repo = cli("repo", "list", "--json").data["items"][0]["id"]
    return {"RUN": runs[0]["id"], "OTHER": runs[1]["id"], "TASK": runs[0]["task_id"], "REPO": repo}


def run_all(cli: CommandLine, tmp_path: Path, commands: list[list[str]]) -> dict[str, str]:
    """Run COMMANDS one after another on one terminal; returns what each printed."""
    path = tmp_path / "commands.json"
    path.write_text(json.dumps(commands))
    environment = {**cli.env, "TERM": "xterm-256color", "COLUMNS": "120"}
    del environment["NO_COLOR"]
    child = pexpect.spawn(
        sys.executable,
        ["-c", RUN_ALL, str(path)],
        env=environment,
        cwd=str(cli.repo),
        dimensions=(40, 120),
        timeout=60,
        encoding="utf-8",
        codec_errors="backslashreplace",
    )
    child.logfile_read = io.StringIO()
    while child.expect([pexpect.EOF, r"Key for \w+.*: ", "GitHub token: "]):
        child.sendline("secret-1234")
    child.close()
    output = child.logfile_read.getvalue()
    blocks = output.split("$ [")[1:]
    assert len(blocks) == len(commands), output
    return {" ".join(words): block for words, block in zip(commands, blocks, strict=True)}


def test_no_help_shows_an_escape(cli: CommandLine, tmp_path: Path):
    commands = [[*name.split(), "--help"] for name in list_commands()]
    for words, output in run_all(cli, tmp_path, commands).items():
        assert "exit 0" in output, output
        assert "Usage: dursor" in output, words
        assert not VISIBLE.search(REAL.sub("", output)), output


def test_no_command_shows_an_escape(cli: CommandLine, prepared: dict[str, str], tmp_path: Path):
    commands = [
        [prepared.get(word, word.replace("\0", " ")) for word in line.split()]
        for line in re.sub(r"`(.*?)`", lambda m: m[1].replace(" ", "\0"), LINES).strip().split("\n")
    ]
    outputs = run_all(cli, tmp_path, commands)
    for name in list_commands():
        assert any(f"{words} ".startswith(f"{name} ") for words in outputs), name
    for words, output in outputs.items():
        assert re.search(r"exit \d", output), words
        assert "internal error" not in output, output
        assert not VISIBLE.search(REAL.sub("", output)), output
    coloured = [words for words, output in outputs.items() if REAL.search(output)]
    assert {"run list", "config list", "doctor"} <= {*coloured}
