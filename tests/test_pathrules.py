"""Forbidden paths in any spelling."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.pathrules import DEFAULT_FORBIDDEN, PathRules

RULES = PathRules()


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "sub/.git/hooks/pre-commit",
        ".GIT/hooks/x",
        ".Git",
        "GIT~1/config",
        "git~2/config",
        "GI7EBA~1/config",
        ".g\u200cit/config",
        ".gi\ufefft/config",
        ".git\u00ad/config",
        "\uff0egit/config",
        ".git./config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        "a\\.git\\config",
    ],
)
def test_git_is_forbidden_in_any_spelling(path):
    assert RULES.find_reason(path) == "it belongs to git"


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        (".env", ".env"),
        ("deep/down/.env", ".env"),
        (".ENV", ".env"),
        (".env.local", ".env.*"),
        ("a/.env.prod/x", ".env.*"),
        ("app.secret", "*.secret"),
        ("tls/server.key", "*.key"),
        ("tls/server.PEM", "*.pem"),
        ("credentials.json", "credentials.*"),
        ("aws/Credentials.CSV", "credentials.*"),
        ("server.pem.", "*.pem"),
        ("server.pem::$DATA", "*.pem"),
        ("se\u200brver.pem", "*.pem"),
        ("CREDEN~1.JSO", "credentials.*"),
        ("ENV~1", ".env"),
        ("SERVER~2.PEM", "*.pem"),
    ],
)
def test_the_defaults_apply_at_any_depth_and_in_any_case(path, glob):
    assert RULES.find_reason(path) == f"it matches {glob!r}"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "empty"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\share", "absolute"),
        ("C:/x", "absolute"),
        ("c:x", "absolute"),
        ("..", "leaves"),
        ("a/../../x", "leaves"),
        ("a\\..\\..\\x", "leaves"),
        ("a/.. /x", "leaves"),
        ("a/.../x", "leaves"),
        ("a/.\u200b./x", "leaves"),
        ("./a", "plain"),
        ("a//b", "plain"),
        ("a/", "plain"),
    ],
)
def test_paths_that_leave_the_repository_are_forbidden(path, reason):
    assert reason in (RULES.find_reason(path) or "")


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        ".github/workflows/ci.yml",
        ".gitignore",
        ".gitattributes",
        "digit/x",
        "environment.py",
        "env",
        "key.py",
        "keys/public.txt",
        "pem",
        "my.environment",
        "docs/credentials/index.md",
        "name with blanks.txt",
        "日本語.txt",
        "backup~1.txt",
        "caf\udce9.txt",
    ],
)
def test_ordinary_paths_are_allowed(path):
    assert RULES.find_reason(path) is None


def test_a_glob_without_a_slash_matches_at_any_depth_and_all_below():
    rules = PathRules(forbidden=("private", "*.sql"))
    assert rules.find_reason("x/private/y.txt") == "it matches 'private'"
    assert rules.find_reason("db/dump.SQL") == "it matches '*.sql'"
    assert rules.find_reason("privately") is None


@pytest.mark.parametrize(
    ("glob", "hit", "miss"),
    [
        ("deploy/*.yml", "deploy/a.yml", "deploy/x/a.yml"),
        ("deploy/**", "deploy/x/a.yml", "deployment/a.yml"),
        ("**/generated/*.py", "a/b/generated/x.py", "a/generated/x/y.txt"),
        ("**/generated", "generated/x", "a/degenerated"),
        ("a/**/z", "a/b/c/z", "b/a/z"),
        ("a/**/z", "a/z/more", "a/y"),
        ("/top.txt", "top.txt", "x/top.txt"),
        ("src/[ab]?.c", "src/a1.c", "src/c1.c"),
        ("Deploy/", "deploy/x", "deployed"),
    ],
)
def test_globs_of_the_user(glob, hit, miss):
    rules = PathRules(forbidden=(glob,))
    assert rules.find_reason(hit) == f"it matches {glob!r}"
    assert rules.find_reason(miss) is None


def test_allowed_globs_override_forbidden_ones_but_neither_git_nor_escapes():
    rules = PathRules(forbidden=("*.sql",), allowed=(".env.example", "fixtures/*.pem", "**"))
    assert rules.find_reason("x/.env.example") is None
    assert rules.find_reason("fixtures/a.pem") is None
    assert rules.find_reason("a.sql") is None
    assert rules.find_reason(".git/config") == "it belongs to git"
    assert "leaves" in (rules.find_reason("../x") or "")


def test_an_allowed_glob_allows_only_what_it_matches():
    rules = PathRules(allowed=(".env.example",))
    assert rules.find_reason(".env.local") == "it matches '.env.*'"
    assert rules.find_reason(".env") == "it matches '.env'"


def test_hostile_globs_and_paths_are_fast():
    rules = PathRules(forbidden=("*a" * 30 + "b", "**/" * 30 + "x", "*" * 200 + "/" + "*?" * 60))
    began = time.process_time()
    rules.find_reason("a" * 250 + "/" + "/".join("a" * 200 for _ in range(20)))
    assert time.process_time() - began < 1


@given(st.text(min_size=1, max_size=12), st.sampled_from(DEFAULT_FORBIDDEN))
def test_everything_below_a_forbidden_folder_is_forbidden(name, glob):
    folder = glob.replace("*", "x")
    assert RULES.find_reason(f"{folder}/{name}") is not None


@given(st.text(max_size=20))
def test_an_allowed_path_is_inside_the_repository(path):
    if RULES.find_reason(path) is None:
        parts = path.replace("\\", "/").split("/")
        assert parts
        assert not {"", ".", ".."} & set(parts)
        assert ".git" not in [part.lower() for part in parts]
