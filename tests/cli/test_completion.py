"""Completion of words, in the formats of three shells; nothing for anything else."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import fake_app
import pytest

from dursor.cli.completion import shells
from dursor.cli.root import make_command
from dursor.errors import InternalError

ROOT = Path(__file__).parents[2]
STORE = {
    "reader.ids": lambda table, prefix, limit: [
        (id_, label)
        for id_, label in [
            (fake_app.RUN.id, "gpt: Fix the\x1b[2J\noff-by-one `rm -rf ~`"),
            (fake_app.OTHER.id, "claude: $(touch /tmp/pwned)"),
        ]
        if id_.startswith(prefix)
    ],
    "models.list_names": ["gpt", "claude", "gemini"],
    "repos.find_current": fake_app.REPO,
    "reader.prs": lambda repo_id, limit: [fake_app.PR, fake_app.replace(fake_app.PR, number=7)],
    "repos.list": lambda limit: [
        fake_app.REPO,
        fake_app.replace(fake_app.REPO, name="odd $(rm) name"),
    ],
}


@pytest.fixture
def complete(capsys, monkeypatch):
    """Complete the last of WORDS."""

    def ask(*words, shell="bash", answers=None):
        monkeypatch.setenv("_DURSOR_COMPLETE", f"complete_{shell}")
        typed = ["dursor", *map(shlex.quote, words[:-1]), words[-1]]
        monkeypatch.setenv("COMP_WORDS", "\n".join(typed))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        app = fake_app.FakeApp(STORE if answers is None else answers)
        assert make_command().run([], obj=app) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.splitlines()

    return ask


def test_commands_are_completed(complete):
    assert complete("run", "sh") == ["show"]
    assert complete("mo") == ["models"]
    assert complete("models", "s") == ["show", "set-key"]
    assert {"run", "models", "repo", "task", "demo"} <= {*complete("")}
    assert {"list", "show", "apply"} <= {*complete("run", "")}


def test_options_are_completed(complete):
    assert complete("run", "list", "--li") == ["--limit"]
    assert "--budget" in complete("run", "--b")
    assert "--model" in complete("run", "Fix it", "--m")
    assert "--install-completion" in complete("--in")
    assert "--json" in complete("task", "close", "--")


def test_values_are_completed(complete):
    assert complete("run", "Fix it", "-m", "g") == ["gpt", "gemini"]
    assert complete("models", "check", "cl") == ["claude"]
    assert complete("run", "list", "--status", "s") == ["succeeded"]
    assert complete("run", "Fix it", "--require", "") == ["any", "all"]
    assert complete("config", "set", "max_") == ["max_files", "max_output_tokens"]


@pytest.mark.parametrize("words", [("--model=cl",), ("--model", "=", "cl")])
def test_a_value_may_follow_an_equals_sign(complete, words):
    expected = "claude" if "=" in words else "--model=claude"  # bash completes a part of the word
    assert complete("run", "Fix it", "--repo", "=", "shop", *words) == [expected]
    assert complete("run", "Fix it", "--model", "=") == ["gpt", "claude", "gemini"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_files_are_completed_by_the_shell_alone(complete, shell):
    for words in (
        ("run", "Fix it", "--file", "RE"),
        ("run", "Fix it", "--instruction-file=RE"),
        ("run", "--repo", "RE"),
        ("repo", "add", ""),
        ("patch", "re"),
        ("demo", "--keep", ""),
        ("github", "login", "--private-key-file", "k"),
    ):
        assert complete(*words, shell=shell) == ["<files>"]
    nothing = {**STORE, "reader.prs": lambda **_: [], "reader.ids": lambda *_, **__: []}
    for words in (("pr", "show", ""), ("run", "show", ""), ("task", "close", ""), ("run", "Fix")):
        assert complete(*words, shell=shell, answers=nothing) == []


def test_ids_are_completed(complete):
    assert complete("run", "show", "") == ["3fa1c9e2", "b07d55aa"]
    assert complete("run", "show", "b0") == ["b07d55aa"]
    assert complete("run", "Fix it", "--from", "3") == ["3fa1c9e2"]
    assert complete("run", "compare", "3fa1c9e2", "b") == ["b07d55aa"]
    assert complete("task", "show", "3f") == ["3fa1c9e2"]
    assert complete("run", "show", fake_app.RUN.id[:12]) == [fake_app.RUN.id]


def test_pull_requests_are_completed(complete):
    assert complete("pr", "show", "") == ["42", "7"]
    assert complete("pr", "update", "4") == ["42"]
    assert complete("pr", "create", "--run", "b") == ["b07d55aa"]
    assert complete("pr", "sync", "3fa") == ["3fa1c9e2"]  # an id, where no number begins so


def test_zsh_and_fish_get_a_description_of_an_id(complete):
    assert complete("run", "show", "3", shell="zsh") == [
        "3fa1c9e2:gpt: Fix the\\x1b[2J off-by-one `rm -rf ~`"
    ]
    assert complete("run", "show", "b", shell="fish") == ["b07d55aa\tclaude: $(touch /tmp/pwned)"]


def test_special_characters_are_quoted_for_bash(complete):
    assert complete("repo", "show", "") == ["shop", "'odd $(rm) name'"]
    assert complete("repo", "show", "odd", shell="fish") == ["odd $(rm) name\t/home/ada/shop"]


def test_fish_passes_a_line(capsys, monkeypatch):
    monkeypatch.setenv("_DURSOR_COMPLETE", "complete_fish")
    for line, expected in (
        ("dursor run sh", ["show"]),
        ('dursor run "Fix it" -m ', ["gpt", "claude", "gemini"]),
        ("dursor run 'Fix it", []),
    ):
        monkeypatch.setenv("COMP_LINE", line)
        assert make_command().run([], obj=fake_app.FakeApp(STORE)) == 0
        assert [
            line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()
        ] == expected


def test_a_broken_store_completes_nothing(complete):
    broken = {name: InternalError("the store is broken") for name in STORE}
    assert complete("run", "show", "", answers=broken) == []
    assert complete("run", "Fix it", "-m", "", answers=broken) == []
    assert complete("repo", "show", "", answers=broken) == []
    assert complete("nosuch", "") == []


@pytest.mark.parametrize("asked", ["complete_tcsh", "nonsense"])
def test_an_unknown_instruction_prints_nothing(process, asked):
    done = process(_DURSOR_COMPLETE=asked, COMP_WORDS="dursor r", COMP_CWORD="1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_bug_during_completion_prints_nothing(process):
    done = process(
        scenario="bug",
        _DURSOR_COMPLETE="complete_bash",
        COMP_WORDS="dursor run show ",
        COMP_CWORD="3",
    )
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", [*shells.FILES])
def test_the_files_for_packagers_are_current(process, name):
    shell = {"dursor.bash": "bash", "_dursor": "zsh", "dursor.fish": "fish"}[name]
    made = process(_DURSOR_COMPLETE=f"source_{shell}").stdout
    assert (ROOT / "completions" / name).read_text(encoding="utf-8") == made
    assert process("--show-completion", shell).stdout == made


def test_bash_completes(home, tmp_path):
    """The script in a real bash, with `dursor` as a program on PATH."""
    program = tmp_path / "bin" / "dursor"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dursor "$@"\n')
    program.chmod(0o755)
    script = f"""
        . "{ROOT}/completions/dursor.bash"
        COMP_WORDS=(dursor run '"Fix the bug"' --req) COMP_CWORD=3
        _dursor_completion dursor; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(dursor run sh) COMP_CWORD=2
        _dursor_completion dursor; echo "${{COMPREPLY[@]}}"
        COMP_WORDS=(dursor run "") COMP_CWORD=2
        _dursor_completion dursor; echo "${{#COMPREPLY[@]}}"
        COMP_WORDS=(dursor run x --model = cl --js) COMP_CWORD=5
        _dursor_completion dursor; echo "${{COMPREPLY[@]}}"
        cd "{ROOT}"
        COMP_WORDS=(dursor patch REA) COMP_CWORD=2
        _dursor_completion dursor; echo "${{COMPREPLY[@]}}"
        complete -p dursor
    """
    path = f"{program.parent}{os.pathsep}{home['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={**home, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "--require",
        "show",
        "9",
        "claude",
        "README.md",
        "complete -F _dursor_completion dursor",
    ]


@pytest.mark.parametrize(
    ("shell", "target", "start"),
    [
        ("bash", ".bash_completions/dursor.sh", ".bashrc"),
        ("zsh", ".zfunc/_dursor", ".zshrc"),
        ("fish", ".config/fish/completions/dursor.fish", None),
    ],
)
def test_a_second_installation_changes_nothing(process, tmp_path, shell, target, start):
    if start:
        (tmp_path / start).write_text("alias ll='ls -l'")
    for _ in range(2):
        done = process("--install-completion", SHELL=f"/usr/bin/{shell}")
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / target).read_text() == shells.find_shell(shell).script
    assert str(tmp_path / target) in done.stdout
    if start:
        lines = (tmp_path / start).read_text().splitlines()
        assert (len(lines), lines[0]) == (2, "alias ll='ls -l'")


def test_configured_zsh_and_fish_folders_are_used(process, tmp_path):
    (tmp_path / "z").mkdir()
    process("--install-completion", "zsh", ZDOTDIR=str(tmp_path / "z"))
    assert "compinit" in (tmp_path / "z" / ".zshrc").read_text()
    process("--install-completion", "fish", XDG_CONFIG_HOME=str(tmp_path / "c"))
    assert (tmp_path / "c" / "fish" / "completions" / "dursor.fish").exists()


def test_another_shell_is_refused(process, tmp_path):
    done = process("--install-completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert process("--show-completion", SHELL="").returncode == 2
    (tmp_path / ".bash_completions").write_text("a file in the way")
    assert process("--install-completion", "bash").returncode == 1
    done = process("--show-completion", "bash", "--json")
    assert '"shell": "bash"' in done.stdout
