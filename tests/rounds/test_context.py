"""The selected files and reasons, in `context`, `--dry-run` and stored runs."""

import subprocess
import sys
from pathlib import Path

import pytest
import repos
from command_line import DIFF, CommandLine, turns

from dursor.context.index import index_folder, segment
from dursor.context.ranking import retrieve

# A function in each language, and a name that none of the others has.
LANGUAGES = {
    "py": ("unbuckle", "async def {}(a):\n    return a\n\n\n"),
    "js": ("marinate", "const {} = (a) => {{\n  return a;\n}};\n\n"),
    "ts": ("overtake", "export function {}(a: number): number {{\n  return a;\n}}\n\n"),
    "go": ("Whitewash", "func (b *Book) {}(a int) int {{\n\treturn a\n}}\n\n"),
    "rs": ("juxtapose", "pub fn {}(a: u8) -> u8 {{\n    a\n}}\n\n"),
    "java": ("quarantine", "  public int {}(int a) {{\n    return a;\n  }}\n\n"),
    "c": ("hibernate", "int {}(int a)\n{{\n  return a;\n}}\n\n"),
    "cpp": ("levitate", "int Tree::{}(int a) {{\n  return a;\n}}\n\n"),
    "cs": ("Zigzag", "  public int {}(int a) {{\n    return a;\n  }}\n\n"),
    "rb": ("yodel", "def self.{}(a)\n  a\nend\n\n"),
    "php": ("fumigate", "  final public static function {}($a) {{\n    return $a;\n  }}\n\n"),
}
HEADS = {
    "java": "class Book {\n",
    "cs": "class Book {\n",
    "php": "<?php\nclass Book {\n",
    "go": "package x\n",
}
NAMED = "Wrong results of " + ", ".join(f"`{name}`" for name, _ in LANGUAGES.values())


def make_source(suffix: str) -> str:
    """Return a file of about 3,000 tokens in a language with one special function."""
    name, template = LANGUAGES[suffix]
    names = [f"step{n}" for n in range(150)] + [name] + [f"stride{n}" for n in range(150)]
    return HEADS.get(suffix, "") + "".join(map(template.format, names))


@pytest.fixture
def large(cli: CommandLine) -> CommandLine:
    """Return dursor in a repository of eleven languages that does not fit the budget."""
    files = {f"src/{suffix}/book.{suffix}": make_source(suffix) for suffix in LANGUAGES}
    repos.commit(cli.repo, files | {"docs/notes.md": "of no use\n", "AGENTS.md": "be brief\n"})
    cli.reply_with(DIFF)
    cli.configure(context_budget=1200)
    return cli


def read_prompt(cli: CommandLine) -> str:
    return turns(cli.requests[-1])[0][1]


def test_a_repository_that_fits_is_sent_whole_and_the_reason_is_stored(cli: CommandLine):
    files = {"src/deep/page.py": "page = 1\n", "data.json": "[1]\n", "docs/a.md": "of pages\n"}
    repos.commit(cli.repo, files)
    cli.reply_with(DIFF)

    plan = cli("context", "append a line", "--json").data
    dry = cli("run", "append a line", "-m", "gpt", "--dry-run", "--json").data
    (run,) = cli.run_round("append a line", "-m", "gpt").runs
    find_index_folder = cli("run", "show", run["id"], "--context", "--json").data["context"]

    assert dry["plan"] | plan == dry["plan"]
    assert find_index_folder == run["context"] == plan["files"]
    assert plan["base_commit"] == run["base_commit"] == repos.head(cli.repo)
    assert {file["path"] for file in find_index_folder} == {"README.md", "calc.py", *files}
    assert {(str(file["ranges"]), file["reason"]) for file in find_index_folder} == {
        ("None", "the repository fits whole")
    }
    for path, text in files.items():
        assert f"## {path}\n```\n{text}```\n" in read_prompt(cli)
    assert "Other files" not in read_prompt(cli)
    for words in (
        ("context", "append a line"),
        ("run", "append a line", "-m", "gpt", "--dry-run"),
        ("run", "show", run["id"], "--context"),
    ):
        (line,) = (one for one in cli(*words).stdout.splitlines() if "src/deep/page.py" in one)
        assert line.endswith("the repository fits whole")


def test_functions_named_in_an_instruction_are_selected_in_any_language(large: CommandLine):
    (run,) = large.run_round(NAMED, "-m", "gpt").runs

    plan = large("context", NAMED, "--json").data
    assert run["context"] == plan["files"]
    assert plan["tokens"]["files"] <= plan["budget"] == 1200
    chosen = {file["path"]: file for file in plan["files"]}
    for suffix, (name, template) in LANGUAGES.items():
        path, lines = f"src/{suffix}/book.{suffix}", make_source(suffix).split("\n")
        start = next(n for n, line in enumerate(lines, 1) if name in line)
        end = start + template.strip().count("\n")
        ((first, last),) = [
            (first, last)
            for first, last in chosen[path]["ranges"]
            if first <= start and end <= last
        ]
        block = "\n".join(lines[first - 1 : last])
        assert f"## {path} (excerpts)\n" in read_prompt(large)
        assert f"lines {first}-{last}:\n```\n{block}\n```\n" in read_prompt(large), path
        assert f"defines {name}" in chosen[path]["reason"]
    assert "docs/: notes.md" in read_prompt(large)
    assert "be brief" in read_prompt(large)


def test_pinned_files_come_first_from_any_working_directory(large: CommandLine):
    below = large.repo / "src"
    words = ("context", NAMED, "--file", "../docs/notes.md", "--json")
    first, *others = large(*words, cwd=below).data["files"]

    assert (first["path"], first["ranges"], first["reason"]) == ("docs/notes.md", None, "pinned")
    assert len(others) > 1
    (run,) = large.run_round(NAMED, "-m", "gpt", "--file", "docs/notes.md").runs
    assert run["context"][0] == first
    assert "## docs/notes.md\n```\nof no use\n```\n" in read_prompt(large)
    done = large("context", NAMED, "--file", "src/py/book.py", "--context-budget", "50")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "--context-budget " in done.stderr


def test_guidance_is_agents_md_of_the_base_or_else_claude_md(large: CommandLine):
    repos.commit(large.repo, {"CLAUDE.md": "be kind\n", "docs/AGENTS.md": "be gone\n"})
    repos.write(large.repo, {"AGENTS.md": "be late\n"})

    large.run_round(NAMED, "-m", "gpt", "--context-budget", "0")
    both = read_prompt(large)
    repos.commit(large.repo, {"AGENTS.md": None})
    large.run_round(NAMED, "-m", "gpt", "--context-budget", "0")

    head = "# Guidance of this repository ({})\n\n```\n{}```\n"
    assert head.format("AGENTS.md", "be brief\n") in both
    assert "be kind" not in both
    assert head.format("CLAUDE.md", "be kind\n") in read_prompt(large)
    assert "be gone" not in both + read_prompt(large)


def test_similar_past_commits_are_a_reason(large: CommandLine):
    for n in range(3):
        changed = {"src/rb/book.rb": f"{make_source('rb')}# {n}\n"}
        repos.commit(large.repo, changed, message=f"Round the receipts ({n})")

    plan = large("context", "receipts are wrong", "--json").data

    assert plan["files"][0]["path"] == "src/rb/book.rb"
    assert "changed in similar commits" in plan["files"][0]["reason"]


def find_index_folder(cli: CommandLine) -> Path:
    """Return the folder of the index of the only repository."""
    (folder,) = (cli.data / "cache" / "context").iterdir()
    return folder


def record_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the suffixes of the files that are read for the index."""
    read: list[str] = []
    real = retrieve.analyse
    monkeypatch.setattr(retrieve, "analyse", lambda data, end: read.append(end) or real(data, end))
    return read


def test_only_new_files_are_read_for_the_index(large: CommandLine, monkeypatch: pytest.MonkeyPatch):
    read = record_reads(monkeypatch)
    for text, expected in ((NAMED, set(LANGUAGES)), ("fumigate", set())):
        large("context", text)
        assert set(read) == expected
        read.clear()
    repos.commit(
        large.repo, {"src/go/book.go": make_source("go") + "// new\n", "docs/notes.md": "?"}
    )
    large("context", NAMED)

    assert read == ["go"]
    repos.git(large.repo, "worktree", "add", "-q", "../beside")
    large("context", NAMED, cwd=large.repo.parent / "beside")
    assert read == ["go"]
    for path in (large.data, find_index_folder(large), *find_index_folder(large).iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_a_query_indexes_a_limited_number_of_files_best_matches_first(
    large: CommandLine, monkeypatch: pytest.MonkeyPatch
):
    read = record_reads(monkeypatch)
    monkeypatch.setattr(retrieve, "MAX_FILES", 4)
    monkeypatch.setattr(retrieve, "KEPT_AT_ONCE", 2)
    counts = []
    for _ in range(4):
        done = large("context", "the php book", "--json")
        counts.append(len(read))
        assert done.data["files"]

    assert read[0] == "php"
    assert counts == [4, 8, 12, 12]


@pytest.mark.parametrize(("most", "full"), [(1, 1 << 20), (1 << 20, 1)])
def test_the_size_of_an_index_is_limited(
    large: CommandLine, monkeypatch: pytest.MonkeyPatch, most: int, full: int
):
    read = record_reads(monkeypatch)
    monkeypatch.setattr(retrieve, "READ_AT_ONCE", 1)
    monkeypatch.setattr(retrieve, "KEPT_AT_ONCE", 2)
    monkeypatch.setattr(retrieve, "MAX_BYTES", most)
    monkeypatch.setattr(retrieve, "FULL", full)

    assert large("context", "the php book", "--json").data["files"]
    assert 0 < len(read) < 12


def test_an_index_that_is_damaged_or_of_another_version_is_rebuilt(
    large: CommandLine, monkeypatch: pytest.MonkeyPatch
):
    first = large("context", NAMED, "--json").data
    for file in find_index_folder(large).iterdir():
        file.write_bytes(b"\0" * 100)
    assert large("context", NAMED, "--json").data == first
    names = set(find_index_folder(large).glob("*.idx"))
    monkeypatch.setattr(segment, "VERSION", segment.VERSION + 1)

    assert large("context", NAMED, "--json").data == first
    assert not names & set(find_index_folder(large).glob("*.idx"))


def test_the_size_of_all_indexes_is_limited(large: CommandLine):
    other = large.data / "cache" / "context" / "0123456789abcdef"
    other.mkdir(parents=True)
    with (other / "00.idx").open("wb") as file:
        file.truncate(index_folder.MAX_BYTES)  # a hole: no such bytes are on the disk

    large("context", NAMED)

    assert not other.exists()
    assert find_index_folder(large).is_dir()


def test_concurrent_processes_select_the_same(large: CommandLine):
    command = [sys.executable, "-m", "dursor", "context", NAMED, "--json"]
    both = [
        subprocess.Popen(command, env=large.env, cwd=large.repo, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    one, two = (process.communicate()[0] for process in both)

    assert one == two
    assert one == large("context", NAMED, "--json").stdout.encode()
    assert len(list(find_index_folder(large).glob("*.idx"))) == 1
