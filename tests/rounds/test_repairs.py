"""Replies that resolve in part, and their repairs."""

from typing import Any

import repos
from command_line import VENDORS, CommandLine, turns
from vendors import streams
from vendors.server import Script

ROWS = "".join(f"row {n}\n" for n in range(1, 101))
BASE = {"a.py": ROWS, "b.py": "b1\nb2\nb3\n", "c.py": "c1\nc2\n"}


def diff(path: str, *pairs: tuple[str, str]) -> str:
    hunks = "".join(f"@@ @@\n-{old}\n+{new}\n" for old, new in pairs)
    return f"--- a/{path}\n+++ b/{path}\n{hunks}"


def fenced(*sections: str) -> str:
    return f"Mended, sorry.\n\n```diff\n{''.join(sections)}```\n"


ADDED = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+n1\n"
DELETED = "diff --git a/{0} b/{0}\ndeleted file mode 100644\n--- a/{0}\n+++ /dev/null\n"
NINE = diff("a.py", ("row 9", "ROW 9"))
FIRST = fenced(
    diff("a.py", ("row 3", "ROW 3")) + "@@ -8 +8 @@\n-row nine\n+ROW 9\n",
    diff("b.py", ("b2", "B2")),
    ADDED,
    DELETED.format("c.py") + "@@ -1,2 +0,0 @@\n-c1\n-c2\n",
).replace("Mended, sorry.", "Rows three and nine shout now.")
SHOUTED = ROWS.replace("row 3\n", "ROW 3\n").replace("row 9\n", "ROW 9\n")


def asked(cli: CommandLine, *replies: str) -> Any:
    repos.commit(cli.repo, BASE)
    cli.reply_with(*replies, models=["gpt"])
    (run,) = cli.run_round("make rows shout", "-m", "gpt").runs
    return run


def test_a_missing_part_is_requested_again(cli: CommandLine):
    run = asked(cli, FIRST, fenced(diff("b.py", ("b3", "B3"))), fenced(NINE))

    assert (run["status"], run["attempts"]) == ("succeeded", 3)
    assert run["summary"].startswith("Rows three and nine shout now.")
    assert "the last reply leaves it out" in turns(cli.requests[2])[-1][1]
    repos.git(cli.repo, "apply", "-", stdin=run["patch"].encode())
    assert (cli.repo / "a.py").read_text() == SHOUTED
    assert (cli.repo / "b.py").read_text() == "b1\nB2\nB3\n"


def test_every_vendor_receives_the_failed_parts_once(cli: CommandLine):
    repos.commit(cli.repo, BASE)
    cli("models", "add", "chat", "--provider", "openai", "--model", "m", "--api", "chat")
    replies = (FIRST, fenced(NINE))
    cli.reply_with(*replies)
    cli.server.script("/chat/completions", *(Script(streams.chat(reply)) for reply in replies))

    done = cli.run_round(
        "make rows shout", *(word for name in (*VENDORS, "chat") for word in ("-m", name))
    )

    assert [(run["status"], run["attempts"]) for run in done.runs] == [("succeeded", 2)] * 4
    assert {run["usage"]["input_tokens"] for run in done.runs} == {2000}
    for path in (*VENDORS.values(), "/chat/completions"):
        first, second = ([*turns(one)] for one in cli.requests if path in one.path)
        assert second[: len(first)] == first
        assert [role for role, _ in second[len(first) :]] == ["assistant", "user"]
        assert "The first line that differs:\n```\nrow nine\n```" in second[-1][1]
        assert "The nearest text in the file (from line 5):\n```\nrow 5\nrow 6" in second[-1][1]
        assert sum(text.count("row 99") for _, text in second) == 1
