"""`run apply` and `patch --apply`."""

import pytest
import repos
from command_line import DIFF, README, CommandLine

CALC = "def add(a, b):\n    return a - b\n"
KILLED = """\
import os, signal
from dursor.vcs.apply import rename
real, done = rename.move, []
def move(source, target):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(target)
    real(source, target)
rename.move = move
"""


def test_the_next_command_undoes_an_apply_that_was_killed(cli: CommandLine):
    repos.write(cli.home, {"poison/sitecustomize.py": KILLED})
    before = repos.fingerprint(cli.repo)
    reply = (
        DIFF
        + "\n```diff\n--- a/calc.py\n+++ b/calc.py\n@@ -1 +1 @@\n def add(a, b):\n+    # b\n```\n"
    )

    cli.extra["PYTHONPATH"] = str(cli.home / "poison")
    killed = cli.run_process("patch", "-", "--apply", input=reply)
    del cli.extra["PYTHONPATH"]
    half = repos.fingerprint(cli.repo)
    assert (killed.exit_code, killed.stderr) == (-9, "")
    assert half != before
    cli.extra |= {
        "_DURSOR_COMPLETE": "complete_bash",
        "COMP_WORDS": "dursor run show ",
        "COMP_CWORD": "3",
    }
    assert cli.run_process().stderr == ""
    assert repos.fingerprint(cli.repo) == half
    del cli.extra["_DURSOR_COMPLETE"]
    next_ = cli.run_process("run", "list")

    assert next_.stderr.splitlines()[0] == (f"warning: undid the interrupted apply in {cli.repo}")
    assert repos.fingerprint(cli.repo) == before
    assert cli.run_process("patch", "-", "--apply", input=reply).stderr == ""


def make_growing_run(cli: CommandLine, *words: str) -> str:
    """Return the id of a run that appends a line to the README, moves calc.py and adds a file."""
    cli.reply_with(
        DIFF.removesuffix("```\n")
        + "diff --git a/calc.py b/sums.py\nrename from calc.py\nrename to sums.py\n"
        + "--- a/calc.py\n+++ b/sums.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n"
        + "-    return a - b\n+    return a + b\n"
        + "--- /dev/null\n+++ b/new/n.txt\n@@ -0,0 +1 @@\n+new\n```\n",
        models=["gpt"],
    )
    (run,) = cli.run_round("append a line", "-m", "gpt", *words).runs
    assert run["status"] == "succeeded", run["error"]
    return str(run["id"])


@pytest.mark.parametrize("dirty", [False, True])
@pytest.mark.parametrize("commit", [False, True])
def test_three_way_merges_with_later_changes(cli: CommandLine, *, dirty: bool, commit: bool):
    top = cli.repo
    if dirty:
        repos.write(top, {"README.md": README.replace("1", "one")})
    run = make_growing_run(cli, *(["--dirty"] if dirty else []))
    before = (top / "README.md").read_text()
    repos.write(top, {"README.md": "line 0\n" + before, "calc.py": "# sums\n" + CALC})
    repos.commit(top) if commit else repos.git(top, "add", "calc.py")

    assert cli("run", "apply", run).exit_code == 8
    merged = cli("run", "apply", run, "--3way", *(["--commit"] if commit else []))

    assert merged.exit_code == 0, merged.stderr
    assert (top / "README.md").read_text() == f"line 0\n{before}line 4\n"
    assert (top / "sums.py").read_text() == "# sums\n" + CALC.replace("-", "+")
    assert (top / "new/n.txt").read_text() == "new\n"
    assert bool(repos.git(top, "status", "--porcelain")) != commit


def test_a_failed_merge_changes_nothing(cli: CommandLine):
    run = make_growing_run(cli)
    repos.write(cli.repo, {"README.md": README + "mine\n", "calc.py": "# sums\n" + CALC})
    before = repos.fingerprint(cli.repo)

    done = cli("run", "apply", run, "--3way")

    assert done.exit_code == 8
    assert done.stderr.splitlines() == [
        "error: README.md: your uncommitted changes conflict with the patch",
        f"hint: git stash && dursor run apply {run[:8]}, or dursor run TEXT -m gpt",
    ]
    assert repos.fingerprint(cli.repo) == before


def test_the_repository_of_a_change_is_named(cli: CommandLine):
    run = make_growing_run(cli)
    repos.git(cli.repo, "worktree", "add", "-q", "-b", "side", str(cli.home / "side"))

    done = cli.run_process("run", "apply", run, cwd=cli.home / "side")

    assert (done.exit_code, done.stderr) == (0, f"in {cli.repo}:\n")
    assert "line 4" in (cli.repo / "README.md").read_text()
