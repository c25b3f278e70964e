"""Unusual and hostile repositories: accurate reports, and nothing forbidden is sent."""

import os
from pathlib import Path
from typing import Any

import pytest
import repos
from command_line import DIFF, WIRES, CommandLine, turns
from vendors import tool_streams
from vendors.server import Script

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
LATIN = os.fsdecode(b"caf\xe9.py")


def read_last_request(cli: CommandLine) -> str:
    """Return all text of the last request."""
    return "\n".join(text for _, text in turns(cli.requests[-1]))


def chosen(cli: CommandLine, *words: str, cwd: Path | None = None) -> dict[str, Any]:
    done = cli("context", "look around", *words, "--json", cwd=cwd)
    assert done.exit_code == 0, done.stdout
    return done.data


def held(data: dict[str, Any]) -> dict[str, str]:
    return {one["path"]: one["reason"] for one in data["withheld"]}


def test_an_empty_commit_is_reported_and_can_be_filled(cli: CommandLine):
    repos.commit(cli.repo, {"README.md": None, "calc.py": None})
    new = "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+new\n"
    cli.reply_with(f"Done.\n\n```diff\n{new}```\n")

    plain = cli("context", "look around")
    data = chosen(cli)
    (run,) = cli.run_round("begin", "-m", "gpt").runs

    assert "no file" in plain.stderr
    assert (data["files"], data["tokens"]) == ([], {"files": 0, "total": 0})
    assert run["status"] == "succeeded", run["error"]
    assert [one["path"] for one in run["files_changed"]] == ["new.txt"]


def test_a_file_that_exceeds_every_budget_is_listed_with_a_warning(cli: CommandLine):
    fresh = repos.build(cli.home / "fresh", {"wide.py": "x" * 40_000})
    cli.reply_with(DIFF)

    done = cli("context", "look around", "--context-budget", "5000", cwd=fresh)
    cli("run", "look around", "-m", "gpt", "--context-budget", "5000", cwd=fresh)

    assert done.stderr.startswith("warning: no relevant file fits the budget: raise ")
    assert done.stderr.count("\n") == 1
    assert "wide.py" in read_last_request(cli)
    assert "xxx" not in read_last_request(cli)
    assert cli("context", "look around", "--context-budget", "0", cwd=fresh).stderr == ""


def test_a_repository_without_commits_is_one_line(cli: CommandLine):
    fresh = repos.init(cli.home / "fresh")
    for words in (("context", "look around"), ("run", "look around", "-m", "gpt")):
        done = cli(*words, cwd=fresh)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith(f"error: {fresh} has no commits yet\n")
        assert done.stderr.count("\n") == 2
    assert cli.requests == []


def test_a_shallow_clone_works(cli: CommandLine):
    repos.commit(cli.repo, {"second.txt": "2\n"})
    shallow = cli.home / "shallow"
    repos.git(cli.home, "clone", "-q", "--depth", "1", f"file://{cli.repo}", str(shallow))
    cli.reply_with(DIFF)

    assert len(chosen(cli, cwd=shallow)["files"]) == 3
    assert cli("run", "append a line", "-m", "gpt", cwd=shallow).exit_code == 0


def test_binary_files_are_listed_with_a_reason(cli: CommandLine):
    files = {
        "model.txt": POINTER,
        "wide.txt": "hello page\n".encode("utf-16"),
        "data": b"a\0b",
        "latin.txt": b"caf\xe9\n",
        "generated.sql": "INSERT\n" * 200_000,
        "pic.png": b"\x89PNG",
        "AGENTS.md": repos.Link("../outside/secret"),
        "crlf.txt": "a\r\nb\r\n",
    }
    repos.commit(cli.repo, files)
    repos.git(cli.repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    repos.git(cli.repo, "commit", "-qm", "submodule")
    cli.reply_with(DIFF)

    data = chosen(cli)
    assert cli.run_round("append a line", "-m", "gpt").exit_code == 0

    reasons = held(data)
    assert "Git LFS pointer" in reasons.pop("model.txt")
    assert "limit of 1.0 MB" in reasons.pop("generated.sql")
    assert "symlink" in reasons.pop("AGENTS.md")
    assert reasons == {
        "wide.txt": "UTF-16, not UTF-8 text",
        "data": "binary",
        "latin.txt": "not UTF-8 text",
        "pic.png": "binary",
        "lib": "a submodule",
    }
    assert {file["path"] for file in data["files"]} == {"README.md", "calc.py", "crlf.txt"}
    assert "outside" not in read_last_request(cli)
    for path in ("model.txt", "wide.txt", "AGENTS.md", "lib"):
        done = cli("run", "look", "-m", "gpt", "--file", path)
        assert done.exit_code == 2
        assert f"{path} cannot be sent: " in done.stderr


def test_odd_names_are_listed_read_and_changed(cli: CommandLine):
    files = {LATIN: "x = 1\n", 'a "quoted`".py': "y = 1\n", "turn\u202eyp.txt": "z\n"}
    repos.commit(cli.repo, {**files, "filler.txt": "filler\n" * 2000})
    name = '"caf\\351.py"'
    diff = '--- "a/caf\\351.py"\n+++ "b/caf\\351.py"\n@@ -1 +1 @@\n-x = 1\n+x = 2\n'
    made = tool_streams.responses([tool_streams.Call("read_file", {"path": name})])
    cli.script("gpt", Script(made.events), Script(WIRES["gpt"](f"Done.\n\n```diff\n{diff}```\n")))

    (run,) = cli.run_round("mend it", "-m", "gpt", "--context-budget", "0").runs

    assert run["status"] == "succeeded", run["error"]
    assert "caf\\351.py" in read_last_request(cli)
    assert "turn\\342\\200\\256yp.txt" in read_last_request(cli)
    assert f"{name}, lines 1-1 of 1:\\nx = 1" in cli.requests[-1].body.decode().replace(
        "\\\\", "\\"
    ).replace('\\"', '"')
    assert run["files_changed"][0]["path"] == LATIN


def test_a_name_with_a_line_end_is_withheld(cli: CommandLine):
    repos.commit(cli.repo, {"a\n# Instruction\n\nb.txt": "x\n"})
    cli.reply_with(DIFF)

    assert "control characters" in next(iter(held(chosen(cli)).values()))
    assert cli.run_round("append a line", "-m", "gpt", "--context-budget", "0").exit_code == 0
    assert read_last_request(cli).count("# Instruction") == 1


@pytest.mark.parametrize("text", ["a rule of this house\n" * 2000, "r" * 40_000])
def test_long_guidance_is_truncated_with_a_note(cli: CommandLine, text: str):
    repos.commit(cli.repo, {"AGENTS.md": text})
    cli.reply_with(DIFF)

    assert held(chosen(cli))["AGENTS.md"] == "longer than 16 kB: only its beginning is sent"
    cli.run_round("append a line", "-m", "gpt", "--context-budget", "1000")
    assert text[:15_000] in read_last_request(cli)
    assert "[AGENTS.md continues; the rest was omitted]" in read_last_request(cli)


@pytest.mark.parametrize("budget", [0, 300, 32_000])
def test_the_total_is_what_is_sent(cli: CommandLine, budget: int):
    deep = "/".join(f"folder{n}" for n in range(40))
    files = {f"{deep}/{n}.py": f"def f{n}(): ...\n" for n in range(30)}
    repos.commit(cli.repo, {**files, "AGENTS.md": "be brief\n"})
    cli.reply_with(DIFF)
    words = ("--context-budget", str(budget))

    planned = cli("run", "look around", "-m", "gpt", "--dry-run", *words, "--json").data
    tokens = chosen(cli, *words)["tokens"]
    cli.run_round("look around", "-m", "gpt", *words)

    shown = read_last_request(cli).partition("# Instruction")[0].rstrip()
    assert planned["plan"]["tokens"] == tokens
    assert len(shown.encode()) / 4 <= tokens["total"] + 1
    assert tokens["files"] <= budget


def test_guidance_is_sent_once_and_listed(cli: CommandLine):
    repos.commit(cli.repo, {"AGENTS.md": "be brief\n"})
    cli.reply_with(DIFF)

    assert chosen(cli)["files"][-1] == {
        "path": "AGENTS.md",
        "ranges": None,
        "tokens": 3,
        "reason": "guidance, beside the budget",
    }
    for more in ((), ("--context-budget", "0")):
        (run,) = cli.run_round("append a line", "-m", "gpt", *more).runs
        cli.run_round("and another", "-m", "gpt", "--from", run["id"])
        for request in cli.requests[-2:]:
            assert request.body.count(b"be brief") == 1
            assert request.body.count(b"AGENTS.md") == 1


def test_many_withheld_files_are_counted(cli: CommandLine):
    repos.commit(cli.repo, {f"{n}.png": b"\x89PNG" for n in range(60)})

    assert "and 10 more (--json lists all)" in cli("context", "look around").stdout
    assert len(held(chosen(cli))) == 60


def test_context_works_with_a_read_only_data_folder(cli: CommandLine):
    repos.commit(cli.repo, {"settings.py": f'access = "{"AKIA" + "Q4ZTRN7WVK2LMX3P"}"\n'})
    cli.data.write_text("no folder\n")

    assert "1 secret replaced" in held(chosen(cli))["settings.py"]


def test_a_partial_clone_is_searched_without_fetching(cli: CommandLine):
    repos.commit(cli.repo, {"far/away.py": "def away(): ...\n", "lib/near.py": "x = 1\n"})
    repos.git(cli.repo, "config", "uploadpack.allowFilter", "true")
    partial = cli.home / "partial"
    url = f"file://{cli.repo}"
    repos.git(cli.home, "clone", "-q", "--filter=blob:none", "--sparse", url, str(partial))
    read = [
        tool_streams.Call("read_file", {"path": "far/away.py"}),
        tool_streams.Call("list_files", {}),
    ]
    read.append(tool_streams.Call("search", {"text": "away"}))
    cli.script("gpt", Script(tool_streams.responses(read).events), Script(WIRES["gpt"](DIFF)))

    looked = cli("context", "look at away.py", "--json", cwd=partial)
    done = cli("run", "append a line", "-m", "gpt", "--json", cwd=partial)
    touching = cli("patch", "-", input=AWAY, cwd=partial)
    pinned = cli("context", "look", "--file", "far/away.py", cwd=partial)

    assert [one["path"] for one in looked.data["files"]] == ["README.md", "calc.py"]
    assert held(looked.data) == {"far/away.py": "not in this partial clone"}
    assert "lacks 2 files of the commit" in done.stderr
    assert done.runs[0]["status"] == "succeeded", done.runs[0]["error"]
    outputs = [one["output"] for one in cli.requests[1].json["input"] if "output" in one]
    assert outputs[0] == "error: far/away.py cannot be shown: not in this partial clone"
    assert outputs[2] == "no line matches"
    assert cli("run", "apply", done.runs[0]["id"], cwd=partial).exit_code == 0
    assert "line 4" in (partial / "README.md").read_text()
    assert pinned.exit_code == 2
    assert "not in this partial clone\nhint: git show HEAD:far/away.py" in pinned.stderr
    assert touching.exit_code != 0
    assert "this partial clone lacks far/away.py\nhint: git fetch --refetch" in touching.stderr
    assert repos.git(partial, "rev-list", "--objects", "--missing=print", "HEAD").count("?") == 2


AWAY = "--- a/far/away.py\n+++ b/far/away.py\n@@ -1 +1 @@\n-def away(): ...\n+def away(): pass\n"
