"""The files that `select_context` selects and withholds, and the reasons."""

import pytest
from memory_tree import MemoryTree

from dursor.context.ranking import retrieve
from dursor.context.selection.select import select_context
from dursor.context.source import TextSource
from dursor.errors import PolicyError, UsageError
from dursor.pathrules import PathRules
from dursor.secrets.placeholders import Placeholders
from dursor.tree import FILE, SUBMODULE, SYMLINK, Entry, FileState

KEY = "ghp_" + "Zk3Jq8Wd1Xv6Tb0Rn5Ym2Lc7Hf4Gs9PaQeUi"


def tree_of(files, mode=FILE):
    return MemoryTree(
        {p: FileState(mode, t.encode() if isinstance(t, str) else t) for p, t in files.items()}
    )


def pick(tree, text="fix it", budget=8000, **options):
    return select_context(tree, text, budget=budget, rules=PathRules(), **options)


def sent(selection):
    return [f.path for f in selection.files]


SMALL = {"src/a.py": "def a():\n    return 1\n", "src/b.py": "b = 2\n", "README.md": "# hello\n"}
LARGE = {f"pkg/mod{n}.py": f"def other{n}():\n    return {n}\n" * 200 for n in range(20)} | {
    "pkg/pages.py": "def paginate(page, size):\n    return page * size\n" * 100
}


def test_a_repository_that_fits_is_sent_whole_and_in_order():
    selection = pick(tree_of(SMALL))
    assert sent(selection) == list(SMALL)
    assert all(f.ranges is None for f in selection.files)
    assert [f.text for f in selection.files] == list(SMALL.values())
    assert selection.repo_map == ""
    assert selection.withheld == ()


def test_tokens_are_a_quarter_of_the_bytes_and_twelve_a_file():
    selection = pick(tree_of({"a.txt": "12345", "b.txt": "12345678"}))
    assert [f.tokens for f in selection.files] == [2 + 12, 2 + 12]
    assert selection.file_tokens == 28
    assert selection.total_tokens == 28


def test_the_most_relevant_file_comes_first_within_the_budget():
    selection = pick(tree_of(LARGE), "the pagination is off by one: paginate", budget=4000)
    assert sent(selection)[0] == "pkg/pages.py"
    assert selection.file_tokens <= 4000
    assert selection.total_tokens > selection.file_tokens
    assert "mod19.py" in selection.repo_map
    assert "pages.py" not in selection.repo_map


def test_an_empty_tree_gives_an_empty_selection():
    selection = pick(tree_of({}))
    assert selection.files == ()
    assert selection.total_tokens == 0


def test_forbidden_paths_are_withheld():
    selection = pick(tree_of({**SMALL, ".env": "A=1\n", "deep/server.pem": "x\n"}))
    assert sent(selection) == list(SMALL)
    assert {w.path for w in selection.withheld} == {".env", "deep/server.pem"}
    allowed = select_context(
        tree_of({".env": "A=1\n"}), "fix", budget=99, rules=PathRules(allowed=(".env",))
    )
    assert sent(allowed) == [".env"]


class LinkedTree(MemoryTree):
    """Adds a submodule, which has no content to read."""

    def entries(self):
        return {**super().entries(), "lib": Entry(SUBMODULE, "0" * 40, 0)}


@pytest.mark.parametrize(
    ("data", "mode", "reason"),
    [
        (b"/etc/passwd", SYMLINK, "symlink"),
        (b"a\0b", FILE, "binary"),
        ("é".encode("latin-1"), FILE, "UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", FILE, "LFS"),
        (b"x" * 2_000_000, FILE, "limit"),
    ],
)
def test_files_that_are_not_text_are_withheld(data, mode, reason):
    tree = LinkedTree({"a.py": FileState(FILE, b"a = 1\n"), "odd": FileState(mode, data)})
    selection = pick(tree, "look at odd and lib", budget=1_000_000)
    assert sent(selection) == ["a.py"]
    reasons = {w.path: w.reason for w in selection.withheld}
    assert reason in reasons["odd"]
    assert "submodule" in reasons["lib"]


def test_a_secret_is_replaced_everywhere_and_restored():
    files = {"a.py": f'T = "{KEY}"\n', "b.py": f"# {KEY} and {KEY}\n", "AGENTS.md": f"use {KEY}\n"}
    selection = pick(tree_of(files))
    everything = "".join(f.text for f in selection.files) + selection.guidance.text
    assert KEY not in everything + repr(selection)
    (name,) = selection.placeholders
    assert name.startswith("DURSOR_SECRET_")
    assert everything.count(name) == 4
    assert selection.restore(f"-T = '{name}'\n+U = '{name}'\n") == f"-T = '{KEY}'\n+U = '{KEY}'\n"
    assert {w.path: w.reason for w in selection.withheld} == {
        "AGENTS.md": "1 secret replaced by a placeholder",
        "a.py": "1 secret replaced by a placeholder",
        "b.py": "2 secrets replaced by placeholders",
    }


def test_a_placeholder_is_the_same_in_every_round():
    first, second = pick(tree_of({"a": KEY})), pick(tree_of({"b": KEY}))
    assert first.placeholders == second.placeholders


def test_pinned_files_come_first_whole_and_once():
    pinned = ["./pkg/mod7.py", "pkg/mod3.py", "pkg/mod7.py"]
    selection = pick(tree_of(LARGE), "paginate", budget=6000, pinned=pinned)
    assert sent(selection)[:2] == ["pkg/mod7.py", "pkg/mod3.py"]
    assert [f.reason for f in selection.files[:2]] == ["pinned", "pinned"]
    assert len(set(sent(selection))) == len(selection.files)


def test_a_misspelled_pin_is_refused_with_a_suggestion():
    with pytest.raises(UsageError, match=r"pkg/page\.py") as caught:
        pick(tree_of(LARGE), pinned=["pkg/page.py"])
    assert caught.value.hint == "did you mean --file pkg/pages.py"


def test_a_pinned_folder_is_refused_with_a_file_to_pin():
    with pytest.raises(UsageError) as caught:
        pick(tree_of(SMALL), pinned=["src"])
    assert "--file src/a.py" in (caught.value.hint or "")


def test_a_forbidden_pin_is_a_policy_error():
    with pytest.raises(PolicyError, match=r"config/\.env") as caught:
        pick(tree_of({**SMALL, "config/.env": "A=1\n"}), pinned=["config/.env"])
    assert caught.value.hint == "--allow-path config/.env"


def test_a_pin_that_does_not_fit_suggests_a_budget():
    with pytest.raises(UsageError, match="does not fit") as caught:
        pick(tree_of(LARGE), budget=100, pinned=["pkg/pages.py"])
    needed = int((caught.value.hint or "").split()[-1])
    assert sent(pick(tree_of(LARGE), budget=needed, pinned=["pkg/pages.py"])) == ["pkg/pages.py"]


@pytest.mark.parametrize(("data", "mode"), [(b"a\0", FILE), (b"a.py", SYMLINK)])
def test_a_pin_that_is_not_text_is_refused(data, mode):
    tree = MemoryTree({"odd": FileState(mode, data)})
    with pytest.raises(UsageError, match="odd cannot be sent"):
        pick(tree, pinned=["odd"])


def test_guidance_is_agents_md_or_else_claude_md():
    both = pick(tree_of({"AGENTS.md": "be brief\n", "CLAUDE.md": "x"}))
    assert (both.guidance.path, both.guidance.text, sent(both)) == (
        "AGENTS.md",
        "be brief\n",
        ["CLAUDE.md"],
    )
    assert pick(tree_of({"CLAUDE.md": "be kind\n"})).guidance.text == "be kind\n"
    assert pick(tree_of({"docs/AGENTS.md": "x"})).guidance is None
    linked = {"AGENTS.md": FileState(SYMLINK, b"CLAUDE.md"), "CLAUDE.md": FileState(FILE, b"c\n")}
    assert pick(MemoryTree(linked)).guidance.text == "c\n"


def test_long_guidance_is_cut_with_a_note():
    guide = pick(tree_of({"AGENTS.md": "a rule of this house\n" * 2000})).guidance
    assert len(guide.text) < 17_000
    assert guide.text.endswith("[AGENTS.md continues; the rest was omitted]\n")


def test_reading_in_batches_does_not_change_the_selection(monkeypatch):
    whole = pick(tree_of(LARGE), "the pagination is off by one: paginate", budget=4000)
    for name in ("READ_AT_ONCE", "WORDS_AT_ONCE"):
        monkeypatch.setattr(retrieve, name, 1)
    assert pick(tree_of(LARGE), "the pagination is off by one: paginate", budget=4000) == whole


def test_peeked_texts_are_limited_by_memory():
    source = TextSource(tree_of({f"{n}.py": "a\n" * 500_000 for n in range(12)}), Placeholders())
    assert len(source.peek_many([f"{n}.py" for n in range(12)])) == 1
