"""`run compare`: the difference between the resulting trees of runs."""

from pathlib import Path
from typing import Any

import repos
from command_line import DIFF, CommandLine, make_append_reply

MOVED = (
    "```diff\ndiff --git a/calc.py b/sums.py\nrename from calc.py\nrename to sums.py\n"
    "--- a/calc.py\n+++ b/sums.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n"
    "-    return a - b\n+    return a + b\n```\n"
)


def asked(cli: CommandLine, reply: str) -> Any:
    cli.server._routes.clear()
    cli.reply_with(reply, models=["gpt"])
    (run,) = cli.run_round("append a line", "-m", "gpt").runs
    return run


def tree(top: Path, commit: str, *patches: str) -> dict[str, Any]:
    """Return the files of COMMIT with PATCHES applied."""
    repos.git(top, "checkout", "-q", "--force", commit)
    repos.git(top, "clean", "-qfd")
    for patch in filter(None, patches):
        repos.git(top, "apply", "-", stdin=patch.encode())
    return {k: v for k, v in repos.fingerprint(top).items() if not k.startswith(".git")}


def test_the_difference_leads_from_the_first_tree_to_the_last(cli: CommandLine):
    one, other, moved = (asked(cli, r) for r in (DIFF, make_append_reply("x", "line 3"), MOVED))
    repos.commit(cli.repo, {"calc.py": "def add(a, b):\n    # mind\n    return a - b\n"})
    later, failed = asked(cli, DIFF), asked(cli, "I see no way.")

    for runs in ([one, other], [one, moved, other], [moved, one], [one, moved], [moved, later]):
        found = cli("run", "compare", *(run["id"] for run in runs), "--json").data
        first, last = runs[0], runs[-1]
        assert tree(cli.repo, first["base_commit"], first["patch"], found["interdiff"]) == tree(
            cli.repo, last["base_commit"], last["patch"]
        )
        assert ("rename from" in found["interdiff"]) == (moved in (first, last))
    done = cli("run", "compare", moved["id"], later["id"])
    assert "different bases" in done.stderr
    same = cli("run", "compare", one["id"], later["id"], "--json").data["files"]
    assert same == [{"path": "README.md", "runs": [one["id"], later["id"]], "identical": True}]
    files = cli("run", "compare", one["id"], moved["id"], "--json").data["files"]
    assert {f["path"]: f["runs"] for f in files} == {
        "README.md": [one["id"]],
        "calc.py": [moved["id"]],
        "sums.py": [moved["id"]],
    }
    none = cli("run", "compare", one["id"], failed["id"])
    assert (none.exit_code, f"run {failed['id'][:8]} has no patch: it failed" in none.stderr) == (
        2,
        True,
    )


def test_a_missing_base_is_one_line(cli: CommandLine):
    (run, other) = (asked(cli, reply)["id"] for reply in (DIFF, MOVED))
    cli.repo.rename(cli.home / "away")
    repos.build(cli.repo, {"README.md": "other\n"})

    for words in (("compare", run, other), ("apply", run, "--3way")):
        done = cli("run", *words)
        assert done.exit_code == 8
        assert f"the base of run {run[:8]}" in done.stderr
