import os
import subprocess
import sys

import pytest
import repos

from dursor.errors import InternalError, UsageError
from dursor.vcs import command
from dursor.vcs.command import GitCommand, decode, encode, explain, find_reason
from dursor.vcs.dirty import read_changes
from dursor.vcs.environment import build_commit_env, build_local_env, build_network_env

SECRETS = {
    "OPENAI_API_KEY": "sk-very-secret-1",
    "ANTHROPIC_API_KEY": "sk-very-secret-2",
    "GEMINI_API_KEY": "sk-very-secret-3",
    "DURSOR_ENCRYPTION_KEY": "sk-very-secret-4",
    "GITHUB_TOKEN": "sk-very-secret-5",
    "AWS_SECRET_ACCESS_KEY": "sk-very-secret-6",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "http.https://h/.extraHeader",
    "GIT_CONFIG_VALUE_0": "Authorization: sk-very-secret-7",
    "GIT_CONFIG_KEY_1": "demo.word",
    "GIT_CONFIG_VALUE_1": "kept",
}


@pytest.fixture
def secrets(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_stdout_bytes_are_unchanged(tmp_path):
    data = b"\r\n\xff\0 text without end\n\n"
    top = repos.build(tmp_path / "r", {"a": data})
    assert GitCommand(top).run("cat-file", "blob", "HEAD:a").out == data


def test_stdin_bytes_are_unchanged(tmp_path):
    top = repos.build(tmp_path / "r")
    data = b"\r\n\xff\0" + b"x" * 300_000
    output = GitCommand(top).run("hash-object", "--stdin", stdin=data)
    assert decode(output.out).strip() == repos.git(top, "hash-object", "--stdin", stdin=data)


def test_no_key_reaches_git(tmp_path, spy, secrets):
    top = repos.build(tmp_path / "r")
    GitCommand(top).run("status")
    GitCommand(top, environment=build_commit_env).run("status")
    GitCommand(top).run("status", env=build_network_env("https"))
    assert "HOME=" in spy.environment
    assert "very-secret" not in spy.environment
    assert "GIT_CONFIG_VALUE_0=kept" in spy.environment


def test_import_starts_no_process(spy, secrets):
    code = "import dursor.vcs.command, os; print('GIT_PYTHON_REFRESH' in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=os.environ
    )
    assert done.stdout == "False\n"
    assert spy.calls == []


def test_import_restores_the_callers_variables(spy):
    code = "import dursor.vcs.command, os; print(os.environ['GIT_PYTHON_REFRESH'])"
    env = {**os.environ, "GIT_PYTHON_REFRESH": "warn"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=env
    )
    assert (done.stdout, done.stderr) == ("warn\n", "")


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_TRACE"]
)
def test_inherited_git_variables_are_ignored(tmp_path, monkeypatch, reopen, name):
    other = repos.build(tmp_path / "other", {"other": "x\n"})
    top = repos.build(tmp_path / "r", {"mine": "x\n"})
    monkeypatch.setenv(name, str(other / ".git"))
    repo = reopen(top)
    assert list(repo.tree(repo.resolve("HEAD")).entries()) == ["mine"]
    assert read_changes(repo, repo.resolve("HEAD")) == {}


def test_users_global_configuration_is_read(tmp_path, monkeypatch):
    top = repos.build(tmp_path / "r")
    (tmp_path / "gitconfig").write_text("[demo]\n\tword = yes\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert GitCommand(top).run("config", "demo.word").out == b"yes\n"


def test_git_program_in_the_repository_is_never_run(tmp_path, monkeypatch):
    top = repos.build(tmp_path / "r")
    repos.write(top, {"git": repos.Script("#!/bin/sh\necho mine\n")})
    monkeypatch.chdir(top)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", os.environ["PATH"]]))
    assert GitCommand(top).run("rev-parse", "--is-bare-repository").out == b"false\n"
    assert "." not in build_local_env()["PATH"].split(os.pathsep)


def test_missing_git_is_a_one_line_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git is not installed") as caught:
        GitCommand(tmp_path).run("status")
    assert caught.value.hint


def test_failure_names_the_command_and_the_reason(tmp_path):
    top = repos.build(tmp_path / "r")
    with pytest.raises(InternalError, match="git ls-tree failed: Not a valid object name nope"):
        GitCommand(top).run("ls-tree", "nope")


def test_slow_process_is_killed(tmp_path):
    top = repos.build(tmp_path / "r")
    with pytest.raises(InternalError, match=r"git nap timed out after 0\.2 s"):
        GitCommand(top).run("-c", "alias.nap=!exec sleep 20", "nap", seconds=0.2)


def test_slow_process_with_hooks_is_killed(tmp_path):
    top = repos.build(tmp_path / "r")
    with pytest.raises(InternalError, match="timed out"):
        GitCommand(top, hooks=True).run("-c", "alias.nap=!exec sleep 5 >&2", "nap", seconds=0.2)


def test_program_that_cannot_start_is_a_one_line_error(tmp_path, monkeypatch):
    repos.write(tmp_path, {"bin/git": repos.Script("#!/no/such/interpreter\n")})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(InternalError, match="cannot start git: No such file"):
        GitCommand(tmp_path).run("status")


def test_endless_output_is_an_error(tmp_path, monkeypatch):
    top = repos.build(tmp_path / "r")
    monkeypatch.setattr(command, "OUTPUT_LIMIT", 1 << 20)
    with pytest.raises(InternalError, match="more than 1 MiB"):
        GitCommand(top).run("-c", "alias.talk=!exec yes", "talk")


def test_zero_byte_is_refused(tmp_path):
    with pytest.raises(UsageError, match="zero byte"):
        GitCommand(tmp_path).run("rev-parse", "a\0b")


def test_names_survive_encoding_and_decoding():
    data = b"caf\xe9/\xc3\xa9\n\"'\\ \xff"
    assert encode(decode(data)) == data
    with pytest.raises(UsageError, match="cannot store the name"):
        encode("\ud800")


def test_dubious_ownership_hints_at_the_command(tmp_path, reopen):
    top = repos.build(tmp_path / "it's mine")
    repo = reopen(top)
    repo.command.update_environment(GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    with pytest.raises(UsageError, match="belongs to another user") as caught:
        repo.resolve("HEAD")
    assert caught.value.hint.startswith("git config --global --add safe.directory ")
    assert "\n" not in caught.value.message


def test_safe_directory_of_the_user_is_honoured(tmp_path, monkeypatch, reopen):
    top = repos.build(tmp_path / "r")
    (tmp_path / "gitconfig").write_text(f'[safe]\n\tdirectory = "{top}"\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo = reopen(top)
    repo.command.update_environment(GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert repo.resolve("HEAD") == repos.head(top)


def test_reason_is_one_short_line_without_credentials():
    text = "hint: x\nfatal: cannot read https://user:pw@host/a 'b@c'\nmore\n"
    assert find_reason(text) == "cannot read https://host/a 'b@c'"
    assert len(find_reason("fatal: " + "x" * 5000)) == 300
    assert find_reason("") == "no reason given"
    assert explain("gc", "").message == "git gc failed: no reason given"


def test_gitpython_only_starts_processes(tmp_path):
    with pytest.raises(NotImplementedError):
        GitCommand(tmp_path).version()
