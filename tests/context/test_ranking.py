"""Relevant code comes first, in excerpts within the files and the budget."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import repos
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_tree import MemoryTree

from dursor.context.selection.select import select_context
from dursor.context.text.measure import split_lines
from dursor.pathrules import PathRules
from dursor.tree import FILE, FileState
from dursor.vcs.history import History
from dursor.vcs.repository import Repository


def functions(name, count=40):
    return "".join(f"def {name}_{n}(value):\n    return value + {n}\n\n\n" for n in range(count))


FILES = {f"shop/part{n}.py": functions(f"part{n}") for n in range(12)} | {
    "shop/__init__.py": "",
    "shop/cart.py": f"import decimal\n\n\n{functions('row')}class Cart:\n"
    "    def apply_discount(self, percent):\n        return self.total - percent\n\n\n"
    + functions("column"),
    "shop/invoices.py": functions("invoice"),
    "shop/mail.py": f"from shop.invoices import invoice_1\n\n\n{functions('mail')}",
    "tests/test_cart.py": "def test_apply_discount():\n    assert Cart().apply_discount(5)\n" * 60,
    "docs/cart.md": "apply_discount of the Cart\n" * 200,
    "vendor/cart.py": functions("apply_discount"),
}
DISCOUNT = "Cart.apply_discount gives too much\n\n`apply_discount(10)` takes 10, not 10 percent."


def tree_of(files):
    return MemoryTree({path: FileState(FILE, text.encode()) for path, text in files.items()})


def pick(files, text=DISCOUNT, budget=1500, **options):
    return select_context(tree_of(files), text, budget=budget, rules=PathRules(), **options)


def render(selection, path):
    """Return the selected lines of PATH."""
    found = next(one for one in selection.files if one.path == path)
    if found.ranges is None:
        return range(1, len(split_lines(found.text)) + 1)
    return [line for first, last in found.ranges for line in range(first, last + 1)]


def test_the_file_that_defines_a_name_comes_first_with_a_reason():
    first = pick(FILES, budget=500).files[0]
    assert first.path == "shop/cart.py"
    assert first.reason.startswith("defines Cart, apply_discount; contains ")
    assert "def apply_discount(self, percent):" in first.text
    assert first.ranges is not None


def test_tests_docs_and_vendored_files_are_selected_if_named():
    assert {one.path.split("/")[0] for one in pick(FILES).files} == {"shop"}
    for path in ("tests/test_cart.py", "docs/cart.md", "vendor/cart.py"):
        assert path in [one.path for one in pick(FILES, f"look at {path}", 3000).files[:2]]


def test_a_reason_names_only_words_in_the_file():
    reasons = {one.path: one.reason for one in pick(FILES, "Call part3_x in mail for part99").files}
    assert reasons["shop/mail.py"].startswith("its name contains mail")
    assert not any("part99" in reason or "part3_x" in reason for reason in reasons.values())


def test_settings_are_selected_if_they_are_the_repository_or_in_the_title():
    values = {f"charts/{name}.yaml": f"{name}: 1\n" * 300 for name in ("api", "web", "jobs")}
    code = {path: text for path, text in FILES.items() if path.startswith("shop/part")}
    named = pick(values | code, "Set the replicas of jobs to 5")
    assert named.files[0].path == "charts/jobs.yaml"
    assert not {"charts/api.yaml", "charts/web.yaml"} & {one.path for one in named.files}
    few = dict(list(code.items())[:1])
    paths = {
        one.path for one in pick(values | few, "It is slow\n\nThe api above all.", budget=300).files
    }
    assert "charts/api.yaml" in paths


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('it fails\n  File "/site/shop/mail.py", line 30, in mail_9\nValueError', "shop/mail.py"),
        ("shop.invoices.invoice_3 is slow", "shop/invoices.py"),
        ("see https://example.com/o/r/blob/main/shop/part7.py#L3", "shop/part7.py"),
        ("shop\\part5.py(12,3): error", "shop/part5.py"),
    ],
)
def test_mentioned_files_come_first(text, path):
    selection = pick(FILES, text)
    assert selection.files[0].path == path
    assert "named" in selection.files[0].reason or "defines" in selection.files[0].reason


def test_a_line_in_a_traceback_is_selected():
    text = 'Traceback\n  File "shop/part3.py", line 101, in part3_25\nTypeError: bad operand'
    selection = pick(FILES, text, budget=600)
    assert 101 in render(selection, "shop/part3.py")


def test_a_method_is_selected_with_the_head_of_its_class():
    methods = "".join(f"    def area_{n}(self):\n        return {n}\n\n" for n in range(300))
    files = FILES | {"shop/shapes.py": f"class Square(Shape):\n{methods}"}
    selection = pick(files, "Square.area_222 is wrong", budget=500)
    assert {1, 667, 668} <= set(render(selection, "shop/shapes.py"))


TEXTS = st.sampled_from(
    [DISCOUNT, "invoice", "", "x" * 5000, "é ü \udcff", "shop/mail.py:3", "a.b.c.d " * 99, "`" * 50]
)
NAMES = st.sampled_from(["a.py", "b/c.js", "b/d.go", "test_e.py", "f.md", "g.json", "h", "ü.rs"])
CONTENTS = st.sampled_from(
    [functions("thing"), "one line", "\n" * 300, "é\r\n" * 200, "", "x" * 3000, "{\n}\n" * 400]
)


@settings(max_examples=40)
@given(st.dictionaries(NAMES, CONTENTS), TEXTS, st.integers(1, 4000), st.randoms())
def test_excerpts_are_in_the_files_and_within_the_budget(files, text, budget, random):
    selection = pick(files, text, budget=budget)
    assert selection.file_tokens == sum(one.tokens for one in selection.files) <= budget
    assert len({one.path for one in selection.files}) == len(selection.files)
    for one in selection.files:
        lines = split_lines(files[one.path])
        chosen = [lines[line - 1] for line in render(selection, one.path)]
        assert "".join(chosen) == one.text
        assert one.tokens >= len(one.text.encode()) / 4
        assert one.reason
    shuffled = list(files.items())
    random.shuffle(shuffled)
    assert set(pick(dict(shuffled), text, budget=budget).files) == set(selection.files)


def test_the_selection_does_not_depend_on_the_order_of_sets(tmp_path):
    program = (
        "import json, sys\nfrom dursor.context.selection.select import select_context\n"
        "from dursor.pathrules import PathRules\nfrom dursor.tree import FILE, FileState\n"
        "from memory_tree import MemoryTree\n"
        "files, text = json.load(sys.stdin)\n"
        "tree = MemoryTree({p: FileState(FILE, t.encode()) for p, t in files.items()})\n"
        "print(select_context(tree, text, budget=1500, rules=PathRules()).files)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps([FILES, DISCOUNT + " " + " ".join(FILES)]),
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


def test_similar_past_commits_raise_the_rank_of_their_files(tmp_path):
    alike = {path: text for path, text in FILES.items() if "part" in path}
    top = repos.build(tmp_path / "r", alike)
    for n in range(3):
        changed = {"shop/part8.py": alike["shop/part8.py"] + f"# {n}\n"}
        repos.commit(top, changed, message=f"Round receipts ({n})")
    for n in range(6):
        tidied = {f"shop/part{k}.py": functions(f"new{n}_{k}") for k in (n, n - 1) if k >= 0}
        repos.commit(top, tidied, message="Tidy up")
    with Repository.open(top) as repository:
        commit = repository.resolve("HEAD")
        history = History(repository, commit)
        options = {"budget": 1500, "rules": PathRules(), "cache_dir": tmp_path / "cache"}
        text = "receipts are wrong"
        for _ in range(2):  # from git, then from what is kept
            found = select_context(repository.tree(commit), text, history=history, **options)
            assert found.files[0].path == "shop/part8.py"
            assert "changed in similar commits" in found.files[0].reason
        newest, *_ = history.read(history.list_ids(20))
        assert (newest.oid, newest.message) == (commit, "Tidy up\n")
        assert newest.paths == ("shop/part4.py", "shop/part5.py")


def test_a_commit_without_a_change_is_read_once(tmp_path):
    top = repos.build(tmp_path / "r", {"a.py": "a = 1\n"})
    repos.git(top, "commit", "-q", "--allow-empty", "-m", "Start the build again")
    with Repository.open(top) as repository:
        history = History(repository, repository.resolve("HEAD"))
        newest, oldest = history.read(history.list_ids(20))
        assert (newest.message, newest.paths) == ("Start the build again\n", ())
        assert oldest.paths == ("a.py",)


@pytest.mark.parametrize("most", [1, 1 << 20])
def test_a_history_is_read_completely_in_parts(tmp_path, monkeypatch, most):
    monkeypatch.setattr("dursor.vcs.history.FIRST", 2)
    monkeypatch.setattr("dursor.vcs.history.CHUNK_BYTES", most)
    top = repos.build(tmp_path / "r", {"a.py": "a = 0\n"})
    for n in range(1, 6):
        repos.commit(top, {"a.py": f"a = {n}\n", f"b{n}.py": ""}, message=f"Number {n}")
    with Repository.open(top) as repository:
        history = History(repository, repository.resolve("HEAD"))
        found = list(history.read(history.list_ids(20)))
    assert [one.oid for one in found] == history.list_ids(20)
    assert [one.paths for one in found[:-1]] == [("a.py", f"b{n}.py") for n in range(5, 0, -1)]


def test_many_short_lines_are_packed_fast():
    """Visiting all chosen lines for each block would be slow."""
    lines = "".join(f"{n % 10}\n" for n in range(90_000))
    found = pick({"data.py": lines}, "Sort the data", budget=44_000)
    assert 43_000 < found.file_tokens <= 44_000


def test_a_shallow_or_broken_history_does_no_harm(tmp_path):
    top = repos.build(tmp_path / "r", FILES)
    repos.commit(top, {"a.py": "a = 1\n"})
    repos.git(top.parent, "clone", "-q", "--depth=1", f"file://{top}", "shallow")
    for place, commit in ((top.parent / "shallow", None), (top, "0" * 40)):
        with Repository.open(place) as repository:
            history = History(repository, commit or repository.resolve("HEAD"))
            assert len(list(history.read(history.list_ids(10)))) == (0 if commit else 1)


@pytest.mark.parametrize("damage", ["none", "past", "folder"])
def test_the_selection_does_not_depend_on_the_cache(tmp_path, damage):
    top, cache = repos.build(tmp_path / "r", FILES), tmp_path / "cache" / "r"
    with Repository.open(top) as repository:
        commit = repository.resolve("HEAD")
        options = {"budget": 1500, "rules": PathRules(), "history": History(repository, commit)}
        cold = select_context(repository.tree(commit), DISCOUNT, **options)
        kept = select_context(repository.tree(commit), DISCOUNT, cache_dir=cache, **options)
        if damage == "past":
            file = cache / "past"
            file.write_bytes(file.read_bytes()[:-9] + b"damaged!\n")
        if damage == "folder":
            cache = tmp_path / "r" / "file"
            cache.write_text("no folder")
        warm = select_context(repository.tree(commit), DISCOUNT, cache_dir=cache, **options)
    key = {"key": None}
    assert replace(kept, **key) == replace(cold, **key) == replace(warm, **key)


def test_forbidden_files_are_not_indexed(tmp_path):
    files = FILES | {".env": "HIDDENNAME=1\n", "shop/secret.pem": "HIDDENNAME\n"}
    top, cache = repos.build(tmp_path / "r", files), tmp_path / "cache" / "r"
    with Repository.open(top) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        select_context(tree, DISCOUNT, budget=1500, rules=PathRules(), cache_dir=cache)
    kept = b"".join(file.read_bytes() for file in cache.iterdir())
    assert b"apply_discount" in kept
    assert b"hiddenname" not in kept.lower()
