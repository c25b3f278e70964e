"""Paths that no reply may touch, each tried in every format and by every operation."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import repos
from command_line import WIRES, CommandLine, make_append_reply, turns
from vendors.server import Script

FORBIDDEN = [
    ".env",
    ".env.local",
    ".ENV",
    "x.secret",
    "id.key",
    "cert.PEM",
    "credentials.json",
    "deep/er/.env",
    "deep/Credentials.yaml",
    ".env/inside.txt",
]
GIT = [
    ".git/config",
    ".GIT/config",
    "sub/.git/hooks/pre-commit",
    ".git/hooks/pre-commit",
    ".git",
    "git~1/config",
    ".git./config",
    ".g\u200cit/config",
]
ESCAPES = [
    "../outside.txt",
    "/etc/passwd",
    "a/../../outside.txt",
    "..\\outside.txt",
    "C:/outside.txt",
    "C:\\outside.txt",
    "\\\\host\\share",
    "/",
    "a/./b.txt",
    "a//b.txt",
    "nul\x01.txt",
]
HONEST = "--- a/README.md\n+++ b/README.md\n@@ -3 +3,2 @@\n line 3\n+line 4\n"
HIDDEN = "that nobody may see"


def old(path: str) -> str:
    """Return the only line of the file at PATH."""
    return f"the old line of {path} {HIDDEN}"


def created(path: str) -> str:
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+new\n"


def modified(path: str) -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old(path)}\n+new\n"


def deleted(path: str) -> str:
    return (
        f"diff --git a/{path} b/{path}\ndeleted file mode 100644\n"
        f"--- a/{path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-{old(path)}\n"
    )


def renamed(old: str, new: str) -> str:
    return (
        f"diff --git a/{old} b/{new}\nsimilarity index 100%\nrename from {old}\nrename to {new}\n"
    )


def copied(old: str, new: str) -> str:
    return f"diff --git a/{old} b/{new}\nsimilarity index 100%\ncopy from {old}\ncopy to {new}\n"


def mode_changed(path: str) -> str:
    return f"diff --git a/{path} b/{path}\nold mode 100644\nnew mode 100755\n"


def linked(path: str) -> str:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode 120000\n"
        f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+README.md\n"
    )


def fenced(*parts: str) -> str:
    return "Done.\n\n```diff\n" + "".join(parts) + "```\n"


def searched(path: str) -> str:
    return f"./{path}\n```\n<<<<<<< SEARCH\n{old(path)}\n=======\nnew\n>>>>>>> REPLACE\n```\n"


def enveloped(path: str) -> str:
    return f"*** Begin Patch\n*** Add File: {path}\n+new\n*** End Patch\n"


def enveloped_deletion(path: str) -> str:
    return f"*** Begin Patch\n*** Delete File: {path}\n*** End Patch\n"


def sentence(path: str) -> str:
    return f"Here is the full updated `{path}`:\n\n```\n{old(path)}\nnew\n```\n"


WAYS: dict[str, Callable[[str], str]] = {
    "modified": lambda path: fenced(modified(path)),
    "deleted": lambda path: fenced(deleted(path)),
    "renamed away": lambda path: fenced(renamed(path, "harmless.txt")),
    "copied": lambda path: fenced(copied(path, "harmless.txt")),
    "mode changed": lambda path: fenced(mode_changed(path)),
    "beside an honest change": lambda path: fenced(HONEST, modified(path)),
    "searched and replaced": searched,
    "deleted in an envelope": enveloped_deletion,
    "given whole by a sentence": sentence,
    "by a sentence beside what fails": lambda path: (
        sentence(path) + fenced(HONEST.replace("line 3", "line three"))
    ),
}
NEW_WAYS: dict[str, Callable[[str], str]] = {
    "created": lambda path: fenced(created(path)),
    "renamed to": lambda path: fenced(renamed("README.md", path)),
    "linked": lambda path: fenced(linked(path)),
    "created in an envelope": enveloped,
    "by a sentence": lambda path: (
        f"Create `{path}` with the following contents:\n\n```\nnew\n```\n"
    ),
    "without prefixes": lambda path: fenced(created(path).replace("+++ b/", "+++ ")),
    "with a time stamp": lambda path: fenced(
        created(path).replace("\n@@", "\t2026-01-02 03:04:05.000000000 +0000\n@@")
    ),
}


def asked(cli: CommandLine, replies: Sequence[str], *words: str) -> list[dict[str, Any]]:
    """Return the runs of a round in which each sample gets one of REPLIES."""
    cli.script("gpt", *(Script(WIRES["gpt"](reply)) for reply in replies))
    done = cli.run_round("do it", "-m", f"gpt:{len(replies)}", *words)
    assert done.exit_code == (7 if {run["status"] for run in done.runs} == {"failed"} else 0)
    return done.runs


def refused(runs: Sequence[dict[str, Any]]) -> list[str]:
    """Return the messages of RUNS, all of which policy refused without a repair."""
    assert {(run["status"], run["attempts"]) for run in runs} == {("failed", 1)}
    assert {run["error"]["code"] for run in runs} == {"policy"}, [run["error"] for run in runs]
    assert all(run["patch"] is None and run["files_changed"] == [] for run in runs)
    return [run["error"]["message"] for run in runs]


@pytest.fixture
def guarded(cli: CommandLine) -> CommandLine:
    """Commit every forbidden path that git itself allows."""
    paths = [path for path in FORBIDDEN if path != ".env/inside.txt"]
    repos.commit(cli.repo, {path: f"{old(path)}\n" for path in paths})
    return cli


@pytest.mark.parametrize("way", WAYS)
def test_a_forbidden_file_cannot_be_changed(guarded: CommandLine, way: str):
    paths = [path for path in FORBIDDEN if path != ".env/inside.txt"]

    messages = refused(asked(guarded, [WAYS[way](path) for path in paths]))

    assert all(any(path in message for message in messages) for path in paths)
    assert all(HIDDEN not in turns(request)[0][1] for request in guarded.requests)


@pytest.mark.parametrize("way", NEW_WAYS)
def test_a_forbidden_file_cannot_be_created(cli: CommandLine, way: str):
    paths = [*FORBIDDEN, *GIT]

    messages = refused(asked(cli, [NEW_WAYS[way](path) for path in paths]))

    assert len(messages) == len(paths)


@pytest.mark.parametrize("way", ["created", "renamed to", "created in an envelope"])
def test_no_path_leaves_the_repository(cli: CommandLine, way: str):
    runs = asked(cli, [NEW_WAYS[way](path) for path in ESCAPES], "--allow-path", "**")

    assert {run["status"] for run in runs} == {"failed"}
    assert {run["error"]["code"] for run in runs} <= {"policy", "no_patch", "apply_failed"}
    assert [one.name for one in cli.repo.parent.iterdir() if "outside" in one.name] == []


def test_links_submodules_and_paths_through_them_are_refused(cli: CommandLine):
    module = repos.build(cli.home / "module", {"inside.txt": "inside\n"})
    repos.commit(cli.repo, {"link": repos.Link("../elsewhere"), "old": repos.Link("README.md")})
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(module), "sub")
    repos.git(cli.repo, *add)
    repos.commit(cli.repo)
    target = repos.git(cli.repo, "rev-parse", "HEAD")
    submodule = (
        "diff --git a/new b/new\nnew file mode 160000\n--- /dev/null\n+++ b/new\n"
        f"@@ -0,0 +1 @@\n+Subproject commit {target}\n"
    )
    retarget = (
        "diff --git a/old b/old\nindex 1234567..89abcde 120000\n--- a/old\n+++ b/old\n"
        "@@ -1 +1 @@\n-README.md\n\\ No newline at end of file\n"
        "+/etc/passwd\n\\ No newline at end of file\n"
    )
    become = (
        "diff --git a/README.md b/README.md\ndeleted file mode 100644\n--- a/README.md\n"
        "+++ /dev/null\n@@ -1,3 +0,0 @@\n-line 1\n-line 2\n-line 3\n"
        "diff --git a/README.md b/README.md\nnew file mode 120000\n--- /dev/null\n"
        "+++ b/README.md\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n"
    )
    replies = [linked("fresh"), submodule, retarget, become, renamed("old", "young")]
    replies += [created("link/below.txt"), created("sub/below.txt"), created("readme.MD")]
    replies += [created("README.md/below.txt")]

    runs = asked(cli, [fenced(reply) for reply in replies], "--allow-path", "**")

    assert {run["status"] for run in runs} == {"failed"}
    assert {run["error"]["code"] for run in runs} <= {"policy", "apply_failed"}
    assert sum(run["error"]["code"] == "policy" for run in runs) >= 6
    assert not (cli.repo.parent / "elsewhere").exists()


def test_modes_of_ordinary_files_may_change(cli: CommandLine):
    (run,) = asked(cli, [fenced(mode_changed("calc.py"))])

    assert run["status"] == "succeeded"
    assert "old mode 100644\nnew mode 100755" in run["patch"]


def test_an_edit_that_names_no_file_is_repaired(cli: CommandLine):
    unnamed = "```\n<<<<<<< SEARCH\nnowhere\n=======\nnew\n>>>>>>> REPLACE\n```\n"
    cli.reply_with(unnamed, make_append_reply("line 4", "line 3"), models=["gpt"])

    (run,) = cli.run_round("append a line", "-m", "gpt").runs

    assert (run["status"], run["attempts"]) == ("succeeded", 2)


@pytest.mark.parametrize(
    "reply",
    [
        fenced(modified(".env")),
        fenced(modified("./deep/../.env")),
        searched(".env"),
        searched("deep/.env"),
        fenced(HONEST.replace("line 3", "line three"), modified(".env")),
        f"*** Begin Patch\n*** Update File: .env\n@@\n-{old('.env')}\n+new\n*** End Patch\n",
        fenced(modified(".env").replace("a/.env", "a/.env.txt").replace("b/.env", "b/.env.txt")),
        fenced(modified("cert.PEM").replace("cert", "crt")),
        fenced(renamed(".env", "harmless.txt"), modified("harmless.txt")),
        fenced(renamed(".env", "harmless.txt") + modified("harmless.txt").partition("\n@@")[2]),
        fenced(copied("deep/.env", "harmless.txt"), modified("harmless.txt")),
        fenced(copied("cert.PEM", "harmless.txt"), HONEST.replace("line 3", "line three")),
    ],
)
def test_no_repair_shows_a_forbidden_file(cli: CommandLine, reply: str):
    held = "first of the file\nsecond of the file\nthe rest of the file\n"
    repos.commit(cli.repo, dict.fromkeys((".env", "deep/.env", "cert.PEM"), held))
    near = reply.replace("-the old", "-first of the file\n-the old")
    cli.reply_with(near.replace("SEARCH\nthe old", "SEARCH\nsecond of the file\nthe old"))

    (run,) = cli.run_round("mend it", "-m", "gpt").runs

    assert run["status"] == "failed"
    assert all(b"the rest of the file" not in request.body for request in cli.requests)


def test_no_repair_shows_where_a_link_leads(cli: CommandLine):
    repos.commit(cli.repo, {"link": repos.Link("../some/private/place")})
    cli.reply_with(fenced("--- a/link\n+++ b/link\n@@ -1 +1 @@\n-elsewhere\n+/etc/passwd\n"))

    (run,) = cli.run_round("mend it", "-m", "gpt").runs

    assert (run["error"]["code"], run["attempts"]) == ("policy", 1)
    assert all(b"private/place" not in request.body for request in cli.requests)


def test_max_files_counts_changed_files(cli: CommandLine):
    three = fenced(*(created(f"new{n}.txt") for n in range(3)))
    moved = fenced(created("new.txt"), renamed("README.md", "docs.md"))
    cli.reply_with(three, moved, three, models=["gpt"])

    many = cli.run_round("do it", "-m", "gpt", "--max-files", "2")
    few = cli.run_round("do it", "-m", "gpt", "--max-files", "2")
    enough = cli.run_round("do it", "-m", "gpt", "--max-files", "3")

    (message,) = refused(many.runs)
    assert "3 files" in message
    assert (many.exit_code, few.exit_code, enough.exit_code) == (7, 0, 0)
    assert many.json["errors"][0]["hint"].count("--max-files") == 1


def test_fifty_files_are_the_default_limit(cli: CommandLine):
    cli.reply_with(*(fenced(*(created(f"n{i}.txt") for i in range(n))) for n in (51, 50)))

    assert cli.run_round("do it", "-m", "gpt").exit_code == 7
    assert cli.run_round("do it", "-m", "gpt").exit_code == 0


@pytest.mark.parametrize(
    ("paths", "globs", "succeeds"),
    [
        ([".env.example"], [".env.example"], True),
        (["deep/.env.example"], [".env.example"], True),
        ([".env.example"], ["deep/.env.example"], False),
        (["deep/.env.example"], ["deep/*"], True),
        (["deep/er/.env.example"], ["deep/*/.env.*"], True),
        ([".env.example", ".env"], [".env.example"], False),
        ([".env.example", ".env"], [".env.example", ".ENV"], True),
        ([".env.example", "id.key"], ["*"], True),
        ([".git/config"], ["**", ".git/**", ".git/config"], False),
        (["../outside.txt"], ["**", "../outside.txt"], False),
    ],
)
def test_allow_path_allows_only_its_paths(
    cli: CommandLine, paths: list[str], globs: list[str], *, succeeds: bool
):
    words = [word for glob in globs for word in ("--allow-path", glob)]
    cli.reply_with(fenced(*map(created, paths)), models=["gpt"])

    done = cli.run_round("do it", "-m", "gpt", *words)

    assert done.exit_code == (0 if succeeds else 7)


def test_only_the_user_can_allow_and_only_for_one_round(cli: CommandLine):
    cli.reply_with(fenced(created(".env.example")))
    config = cli.home / "config" / "config.toml"
    config.parent.mkdir()

    allowed = cli.run_round("do it", "-m", "gpt", "--allow-path", ".env.example")
    again = cli.run_round("do it", "-m", "gpt")
    config.write_text('allowed_paths = [".env.example"]\n')
    configured = cli.run_round("do it", "-m", "gpt")

    assert [one.exit_code for one in (allowed, again, configured)] == [0, 7, 0]


def test_the_user_may_forbid_more(cli: CommandLine):
    cli.configure(forbidden_paths="*.py,docs/**")
    replies = [fenced(created(path)) for path in ("a.py", "x/B.PY", "docs/a/b.md", "doc.md")]

    runs = asked(cli, replies)

    assert sorted(run["status"] for run in runs) == ["failed"] * 3 + ["succeeded"]
    assert "calc.py" not in json.dumps(cli.requests[0].json)


def test_a_pasted_reply_has_the_same_rules(guarded: CommandLine):
    for words in ((), ("--apply",)):
        done = guarded("patch", "-", *words, "--json", input=fenced(modified(".env")))

        assert (done.exit_code, done.json["errors"][0]["code"]) == (7, "policy")
    assert (guarded.repo / ".env").read_text() == f"{old('.env')}\n"
