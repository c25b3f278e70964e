"""Replies put together at random: no forbidden file is sent or changed."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import repos
from command_line import README, WIRES, CommandLine
from vendors.server import Script

HELD = "nobody may ever see this line\nline 2\n"
FORBIDDEN = (".env", "deep/.env.local", "id.key", "Credentials.JSON")
PATHS = [
    *FORBIDDEN,
    *("README.md", "calc.py", "a/b.py", "new.txt", "x y.txt", "é.txt", ".dursor.toml"),
    *("../x", "/etc/passwd", ".git/config", "link", "README.md/x", "a", '"\\056env"'),
]
LINES = [" line 1", "-line 1", " line 2", "-line 2", "-line 3", "+new", "+.env", " wrong", "-", ""]
MODES = ["100644", "100755", "120000", "160000", "040000"]
Section = Callable[[random.Random, str, str], str]


def hunk(chance: random.Random) -> str:
    body = "".join(chance.choice(LINES) + "\n" for _ in range(chance.randint(1, 6)))
    return f"@@ -{chance.randint(0, 4)},3 +1,4 @@\n{body}"


SECTIONS: list[Section] = [
    lambda chance, a, b: f"--- a/{a}\n+++ b/{b}\n{hunk(chance)}",
    lambda chance, a, b: f"diff --git a/{a} b/{b}\nrename from {a}\nrename to {b}\n",
    lambda chance, a, b: (
        f"diff --git a/{a} b/{b}\nsimilarity index 90%\ncopy from {a}\ncopy to {b}\n"
        f"--- a/{a}\n+++ b/{b}\n{hunk(chance)}"
    ),
    lambda chance, a, b: (
        f"diff --git a/{a} b/{a}\ndeleted file mode 100644\n--- a/{a}\n+++ /dev/null\n"
        "@@ -1,3 +0,0 @@\n-line 1\n-line 2\n-line 3\n"
    ),
    lambda chance, a, b: (
        f"diff --git a/{a} b/{a}\nnew file mode {chance.choice(MODES)}\n"
        f"--- /dev/null\n+++ b/{a}\n@@ -0,0 +1 @@\n+x\n"
    ),
    lambda chance, a, b: (
        f"diff --git a/{a} b/{a}\nold mode 100644\nnew mode {chance.choice(MODES)}\n"
    ),
    lambda chance, a, b: f"{a}\n<<<<<<< SEARCH\nline 2\n=======\nx\n>>>>>>> REPLACE\n",
    lambda chance, a, b: (
        f"*** Begin Patch\n*** {chance.choice(['Add', 'Update', 'Delete'])} File: {a}\n"
        f"*** Move to: {b}\n@@\n-line 2\n+x\n*** End Patch\n"
    ),
    lambda chance, a, b: f"{a}\n```\nthe whole file\n```\n",
]


def reply(chance: random.Random) -> str:
    """Return a reply of a few sections, fenced or not, its fence closed or not."""
    parts = [
        chance.choice(SECTIONS)(chance, chance.choice(PATHS), chance.choice(PATHS))
        for _ in range(chance.randint(1, 3))
    ]
    opening, closing = chance.choice(["```diff\n", "", ""]), chance.choice(["```\n", ""])
    return f"Done.\n\n{opening}{''.join(parts)}{closing}"


def touched(run: dict[str, Any]) -> set[str]:
    return {path for file in run["files_changed"] for path in (file["path"], file["old_path"])}


@pytest.mark.parametrize("seed", range(3))
def test_no_forbidden_file_is_sent_or_changed(cli: CommandLine, seed: int):
    chance = random.Random(seed)
    repos.commit(
        cli.repo,
        {"a/b.py": README, "link": repos.Link("/etc/passwd"), **dict.fromkeys(FORBIDDEN, HELD)},
    )
    before = repos.fingerprint(cli.repo)
    cli.script("gpt", lambda _: Script(WIRES["gpt"](reply(chance))))

    runs = cli.run_round("do it", "-m", "gpt:40").runs

    assert all(b"nobody may ever see" not in request.body for request in cli.requests)
    assert {run["error"]["code"] for run in runs if run["error"]} <= {
        *("policy", "apply_failed", "no_patch", "no_change"),
    }
    for run in runs:
        if run["status"] != "succeeded":
            continue
        assert "nobody may ever see" not in run["patch"]
        assert not touched(run) & {*FORBIDDEN, "link", ".git/config"}
        assert not any(mode in run["patch"] for mode in ("120000", "160000", "040000"))
        repos.git(cli.repo, "apply", "--check", "-", stdin=run["patch"].encode())
    assert repos.fingerprint(cli.repo) == before
    assert not (cli.repo.parent / "x").exists()
