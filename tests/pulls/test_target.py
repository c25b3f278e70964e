"""Which remote, and which branch, a run's own words mean."""

from contextlib import closing
from pathlib import Path

import pytest
import repos

from dursor.github.repo_names import RepoName
from dursor.services.pulls.target import _parse_branch
from dursor.vcs.remote.remotes import list_remotes
from dursor.vcs.repository import Repository

NAMES = {"origin": RepoName("ada", "lib"), "mine": RepoName("bob", "lib")}


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("main", "main"),
        ("feature/x", "feature/x"),
        ("refs/heads/feature/x", "feature/x"),
        ("origin/feature/x", "feature/x"),
        ("refs/remotes/mine/x", "x"),
        ("other/x", "other/x"),
        ("HEAD", None),
        ("@", None),
        ("HEAD~2", None),
        ("main@{1}", None),
        ("main..x", None),
        (":/fix", None),
        ("v1^{commit}", None),
        ("a b", None),
        ("a\x1bb", None),
        ("refs/heads/", None),
    ],
)
def test_parse_branch(ref: str, branch: str | None):
    assert _parse_branch(ref, NAMES) == branch


def test_remotes_with_origin_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    repos.isolate(monkeypatch, tmp_path / "home")
    top = repos.build(tmp_path / "project")
    for name, url in (
        ("a", "https://user:secret@github.com/a/b"),
        ("origin", "gh:ada/lib"),
        ("spaced", "/srv/a b (fetch)/c"),
    ):
        repos.git(top, "remote", "add", name, url)
    repos.git(top, "config", "url.git@github.com:.insteadOf", "gh:")
    repos.git(top, "config", "remote.a.pushurl", "https://elsewhere/x")
    repos.git(top, "config", "remote.a.partialclonefilter", "blob:none")
    with closing(Repository.open(top)) as repository:
        assert [*list_remotes(repository).items()] == [
            ("origin", "git@github.com:ada/lib"),
            ("a", "https://github.com/a/b"),
            ("spaced", "/srv/a b (fetch)/c"),
        ]
