"""The search terms of instructions and paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.context.ranking.candidates import list_candidates
from dursor.context.ranking.path_features import PathNames
from dursor.context.ranking.query import InstructionQuery
from dursor.context.text.file_kinds import FileKind, classify_path
from dursor.context.text.tokenize import extract_terms
from dursor.tree import FILE, Entry


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/a.py", FileKind.SOURCE),
        ("django/test/client.py", FileKind.SOURCE),
        ("lib/template.html", FileKind.SOURCE),
        ("Makefile", FileKind.SOURCE),
        ("latest/contest.go", FileKind.SOURCE),
        ("tests/a.py", FileKind.TEST),
        ("src/test/java/A.java", FileKind.TEST),
        ("pkg/a_test.go", FileKind.TEST),
        ("src/a.spec.ts", FileKind.TEST),
        ("app/CartTests.cs", FileKind.TEST),
        ("conftest.py", FileKind.TEST),
        ("README.md", FileKind.DOCS),
        ("docs/conf.py", FileKind.DOCS),
        ("package.json", FileKind.DATA),
        ("data/x.csv", FileKind.DATA),
        ("LICENSE", FileKind.DATA),
        ("vendor/a/b.go", FileKind.FOREIGN),
        ("api/a.pb.go", FileKind.FOREIGN),
        ("static/jquery.min.js", FileKind.FOREIGN),
        ("yarn.lock", FileKind.FOREIGN),
    ],
)
def test_files_are_classified_by_path(path, kind):
    assert classify_path(path) is kind


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ('  File "/a/b.py", line 12, in go', [("a/b.py", 12, "go")]),
        ("at go (src/a.ts:3:14)", [("src/a.ts", 3, None)]),
        ("src\\a.cs(7,1): error", [("src/a.cs", 7, None)]),
        ("panic at src/lib.rs:9:5", [("src/lib.rs", 9, None)]),
        ("in `pkg/a.go` and b.py.", [("pkg/a.go", None, None), ("b.py", None, None)]),
        ("https://example.com/o/r/blob/v1/src/a.py#L5-L9", [("src/a.py", 5, None)]),
        ("see https://example.com/a.html", []),
    ],
)
def test_mentions_are_parsed(text, mentions):
    assert [tuple(mention) for mention in InstructionQuery(text).mentions] == mentions


def test_an_instruction_is_parsed():
    query = InstructionQuery(
        "# Fix `load_page` for Paginator\n\na.b.Page calls run() twice, b::c too\n"
    )
    assert query.title == "Fix `load_page` for Paginator"
    assert query.chains == [("a", "b", "Page"), ("b", "c")]
    assert set(query.strong) == {"load_page", "run", "Page"}
    assert query.terms["page"] > query.terms["paginat"] == 1
    assert "load_page" in query.title_terms
    prose = InstructionQuery("words\n```\nfenced\n```\n    indented\n>>> typed()\n").prose_terms
    assert set(prose) == {"word"}


def test_forms_of_a_word_have_the_same_stem():
    for words in ("paginate paginator pagination", "query queries", "valid_name valid_names"):
        assert (
            len(
                {extract_terms(word)[-1] for word in words.split()}
                | {extract_terms(words.split()[0])[-1]}
            )
            == 1
        )
    assert extract_terms("getHTTPUser2") == ("gethttpuser2", "get", "http", "user")
    assert extract_terms("utf8") == ("utf8", "utf")
    assert extract_terms("a1b2c3d4e5f6a7b8c9d0") == ()


def test_a_name_matches_the_paths_with_the_longest_common_end():
    names = PathNames(["a/b/c.py", "x/b/c.py", "a/d/__init__.py", "c.py"])
    assert names.match("/site/a/b/c.py") == ([0], 3)
    assert names.match("c.py") == ([0, 1, 3], 1)
    assert names.match("none.py") == ([], 0)
    assert names.match_modules(("x", "b", "c", "Thing")) == ([1], 3)
    assert names.match_modules(("a", "d", "run")) == ([2], 2)
    assert names.match_modules(("self", "d")) == ([], 0)


def test_other_kinds_of_files_are_candidates_if_asked_for():
    paths = ["src/a.py", "tests/test_a.py", "docs/a.md", "ci.yml", "vendor/v.js"]
    entries = {path: Entry(FILE, "", 40_000) for path in paths}

    def looked_through(text, budget=1000):
        return set(list_candidates(entries, InstructionQuery(text), budget))

    assert looked_through("make it faster") == {"src/a.py"}
    assert looked_through("add a test for a") == {"src/a.py", "tests/test_a.py"}
    assert looked_through("fix a typo in the docs") == {"src/a.py", "docs/a.md"}
    assert looked_through("mend it, see vendor/v.js") == {"src/a.py", "vendor/v.js"}
    assert looked_through("make it faster", 20_000) == set(paths)


@given(st.text(max_size=300))
def test_any_text_can_be_parsed(text):
    query = InstructionQuery(text)
    assert len(query.title) <= 300
    assert all(weight >= 1 for weight in query.terms.values())
    assert isinstance(query.mentions + query.chains, list)
