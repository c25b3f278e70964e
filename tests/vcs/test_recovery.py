"""Recovery after an apply whose process was killed at a chosen moment."""

import os
import subprocess
import sys

import pytest
import repos

from dursor.errors import ConflictError
from dursor.vcs.apply import journal
from dursor.vcs.apply.apply import apply_patch
from dursor.vcs.apply.journal import open_journal
from dursor.vcs.apply.recovery import recover

# argv: working tree, journals, function that kills the process, calls before that, options
DYING = """
import os, signal, sys
from pathlib import Path
from dursor.vcs.apply import apply, commit
from dursor.vcs.apply import rename
from dursor.vcs.repository import Repository
name = sys.argv[3]
module = rename if name == "move" else apply
real, left = getattr(module, name), [int(sys.argv[4])]
def dying(*given, **named):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*given, **named)
setattr(module, name, dying)
options = {"commit": commit.CommitRequest("Change"), "branch": "side"} if "--commit" in sys.argv else {}
patch = sys.stdin.buffer.read()
apply.apply_patch(Repository.open(Path(sys.argv[1])), patch, journals=Path(sys.argv[2]), **options)
"""
BASE = {"a": "a\n", "b": "b\n", "d/e/f": "f\n", "p": "private\n", "x": "a file\n"}
NEW = {"a": "A\n", "b": None, "d/e/f": None, "n/m": "n\n", "p": "P\n", "x": None, "x/z": "z\n"}


@pytest.fixture
def top(tmp_path):
    top = repos.build(tmp_path / "r", BASE)
    (top / "p").chmod(0o600)
    (top / "d").chmod(0o700)
    return top


@pytest.fixture
def journals(tmp_path):
    return tmp_path / "data" / "applying"


def kill(top, journals, what, count, *options):
    """Apply NEW in a process that is killed; return the former working tree."""
    patch, before = repos.patch(top, NEW), seen(top)
    done = subprocess.run(
        [sys.executable, "-c", DYING, str(top), str(journals), what, str(count), *options],
        input=patch,
        capture_output=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == -9, done.stderr
    return before


def seen(top):
    """Return files and modes without git's logs and objects."""
    skipped = (".git/logs", ".git/objects", ".git/COMMIT_EDITMSG")
    return {k: v for k, v in repos.fingerprint(top).items() if not k.startswith(skipped)}


@pytest.mark.parametrize("count", [1, 6])
def test_an_apply_killed_between_two_files_is_undone(top, journals, count):
    before = kill(top, journals, "move", count)
    assert seen(top) != before
    assert [*recover(journals)] == [f"undid the interrupted apply in {top}"]
    assert seen(top) == before
    assert [*journals.iterdir()] == []
    assert [*recover(journals)] == []


def test_a_new_branch_without_a_commit_is_deleted(top, journals):
    before = kill(top, journals, "commit_patch", 0, "--commit")
    assert repos.git(top, "symbolic-ref", "HEAD") == "refs/heads/side"
    [*recover(journals)]
    assert seen(top) == before


def test_a_created_commit_is_finished(top, journals):
    kill(top, journals, "update_index", 0, "--commit")
    made = repos.git(top, "rev-parse", "side")
    assert [*recover(journals)] == [f"finished the interrupted apply in {top}: commit {made[:8]}"]
    assert repos.git(top, "status", "--porcelain") == ""
    assert (top / "x/z").read_text() == "z\n"


def test_later_changes_and_the_old_file_are_kept(top, journals):
    kill(top, journals, "move", 6)
    (top / "a").write_text("mine, since\n")
    (line,) = recover(journals)
    assert "except for a: it has been changed since; the old files are in" in line
    assert (top / "a").read_text() == "mine, since\n"
    assert (top / "x").read_text() == "a file\n"
    (kept,) = (top / ".git").glob("dursor-*-kept/*")
    assert kept.read_text() == "a\n"


def test_nothing_is_restored_after_head_has_moved(top, journals):
    kill(top, journals, "move", 6)
    repos.commit(top)
    before = seen(top)
    (line,) = recover(journals)
    assert "because HEAD has moved" in line
    assert {k: v for k, v in seen(top).items() if "dursor-" not in k} == {
        k: v for k, v in before.items() if "dursor-" not in k
    }


def test_a_folder_replaced_by_a_link_is_not_followed(top, journals, tmp_path):
    (tmp_path / "outside").mkdir()
    kill(top, journals, "move", 6)
    (top / "d").symlink_to(tmp_path / "outside")
    (line,) = recover(journals)
    assert "except for d/e/f" in line
    assert [*(tmp_path / "outside").iterdir()] == []


def test_the_journal_of_a_deleted_repository_is_dropped(top, journals, tmp_path):
    kill(top, journals, "move", 2)
    top.rename(tmp_path / "elsewhere")
    assert [*recover(journals)] == []
    assert [*journals.iterdir()] == []


def test_a_running_apply_is_not_undone_and_another_waits_for_it(
    top, journals, reopen, untouched, monkeypatch
):
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    patch = repos.patch(top, NEW)
    with open_journal(journals, top):
        assert [*recover(journals)] == []
        with (
            untouched(top),
            pytest.raises(ConflictError, match="another dursor process is changing"),
        ):
            apply_patch(reopen(top), patch, journals=journals)
    apply_patch(reopen(top), patch, journals=journals)
    assert (top / "a").read_text() == "A\n"


def test_an_incomplete_journal_undoes_nothing(top, journals, untouched):
    journals.mkdir(parents=True)
    (journals / "0.json").write_text('{"head": "0", "plan": {"top": "/"')
    with untouched(top):
        assert [*recover(journals)] == []
    assert [*journals.iterdir()] == []
