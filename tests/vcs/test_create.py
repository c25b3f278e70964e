"""Creating a repository."""

from pathlib import Path

import pytest

from dursor.domain import Branch
from dursor.errors import ConflictError, InternalError
from dursor.vcs.create import create
from dursor.vcs.dirty import read_changes

FILES = {"README.md": "# hi\r\n", "src/a b.py": "x = 1\n", "build/out.log": "é\n"}


def commit_of(path: Path) -> str:
    with create(path, FILES, "Start") as repository:
        return repository.resolve("HEAD")


def test_repository_has_the_exact_files_on_one_branch(tmp_path: Path) -> None:
    with create(tmp_path / "new" / "repo", FILES, "Start") as repository:
        commit = repository.resolve("HEAD")
        tree = repository.tree(commit)
        assert {p: tree.read(p).decode() for p in tree.entries()} == FILES
        assert repository.list_branches() == [Branch("main", commit, default=True)]
        assert not read_changes(repository, commit)


def test_the_users_git_configuration_has_no_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = commit_of(tmp_path / "plain")
    home = tmp_path / "home"
    (home / "hooks").mkdir(parents=True)
    hook = home / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / "template").mkdir()
    (home / "template" / "planted").write_text("x")
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "ignore").write_text("*\n")
    (home / ".config" / "git" / "attributes").write_text("* text eol=lf\n")
    (home / ".gitconfig").write_text(
        "[user]\n\tname = somebody\n[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = input\n"
        f"\thooksPath = {home}/hooks\n[init]\n\ttemplateDir = {home}/template\n"
        "\tdefaultBranch = trunk\n\tdefaultObjectFormat = sha256\n"
    )
    for name in ("GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "somebody")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.autocrlf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    assert commit_of(tmp_path / "other") == expected
    assert not (tmp_path / "other" / ".git" / "planted").exists()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ConflictError):
        create(tmp_path, FILES, "Start")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_path_that_cannot_be_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InternalError, match="cannot write"):
        create(tmp_path / "file", FILES, "Start")
