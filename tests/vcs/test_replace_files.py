import errno
import os
import signal
import threading
from pathlib import Path

import pytest
import repos

from dursor.errors import ConflictError, InternalError
from dursor.vcs.apply import rename
from dursor.vcs.apply.replace_files import FileReplacement, defer_signals

OLD = {"a": "a\n", "b": "b\n", "d/e/c": "c\n", "l": repos.Link("a")}
NEW = {"a": "A\n", "l": "no link\n", "n/m/x": "x\n", "s": repos.Script("s\n")}
GONE = ["b", "d/e/c"]


@pytest.fixture
def swap(tmp_path):
    top, folder = tmp_path / "top", tmp_path / "folder"
    repos.write(top, OLD)
    folder.mkdir()
    swap = FileReplacement(top, folder)
    repos.write(swap.new, NEW)
    return swap


def test_files_are_written_and_removed(swap):
    swap.check(["n/m/x", "s"], ["a", "l"], GONE)
    swap.run(list(NEW), GONE)
    assert sorted(p.relative_to(swap.top).as_posix() for p in swap.top.rglob("*")) == [
        "a",
        "l",
        "n",
        "n/m",
        "n/m/x",
        "s",
    ]
    assert (swap.top / "l").read_text() == "no link\n"
    assert not (swap.top / "l").is_symlink()


def test_undo_restores_everything(swap):
    before = repos.fingerprint(swap.top)
    swap.run(list(NEW), GONE)
    swap.undo()
    assert repos.fingerprint(swap.top) == before
    swap.undo()
    assert repos.fingerprint(swap.top) == before


@pytest.mark.parametrize("failing", range(6))
def test_failure_at_any_file_restores_everything(swap, monkeypatch, failing):
    before, real, count = repos.fingerprint(swap.top), rename.move, [0]

    def move(source, target):
        count[0] += 1
        if count[0] == failing + 1:
            raise OSError(errno.ENOSPC, "no space", str(target))
        real(source, target)

    monkeypatch.setattr(rename, "move", move)
    with pytest.raises(InternalError, match="no space; nothing was changed"):
        swap.run(list(NEW), GONE)
    assert count[0] > failing
    assert repos.fingerprint(swap.top) == before


def test_old_files_are_kept_when_they_cannot_be_restored(swap, monkeypatch, tmp_path):
    swap.run(list(NEW), GONE)

    def move(source, target):
        raise OSError(errno.EIO, "broken disk", str(target))

    monkeypatch.setattr(rename, "move", move)
    with pytest.raises(InternalError, match=r"cannot restore .* the old files are in") as caught:
        swap.undo()
    kept = tmp_path / "folder-kept"
    assert str(kept) in caught.value.message
    files = [path for path in kept.iterdir() if not path.is_symlink()]
    assert {path.read_text() for path in files} == {"a\n", "b\n", "c\n"}


def test_folder_with_other_files_stays(tmp_path):
    repos.write(tmp_path, {"top/d/a": "a\n", "top/d/b": "b\n"})
    (tmp_path / "folder").mkdir()
    swap = FileReplacement(tmp_path / "top", tmp_path / "folder")
    swap.run([], ["d/a"])
    assert [path.name for path in (tmp_path / "top/d").iterdir()] == ["b"]


def test_deleted_current_folder_does_not_matter(tmp_path, monkeypatch):
    repos.write(tmp_path, {"top/d/a": "a\n"})
    for name in ("folder", "gone"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    FileReplacement(tmp_path / "top", tmp_path / "folder").run([], ["d/a"])
    assert not (tmp_path / "top/d").exists()


def test_other_file_system_gets_a_copy(swap, monkeypatch):
    real, crossed = Path.replace, []

    def replace(self, target):
        if (swap.top in self.parents) != (swap.top in Path(target).parents):
            crossed.append(self)
            raise OSError(errno.EXDEV, "cross-device")
        return real(self, target)

    def link(*_, **__):
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(os, "link", link)
    before = repos.fingerprint(swap.top)
    swap.run(list(NEW), GONE)
    assert crossed
    assert not list(swap.top.rglob("*.tmp"))
    assert (swap.top / "n/m/x").read_text() == "x\n"
    swap.undo()
    assert repos.fingerprint(swap.top) == before


def test_file_changed_in_the_meantime_is_a_conflict(swap):
    tick = swap._start
    while (swap.top / "a").stat().st_ctime_ns <= tick:  # the file system's clock has steps
        (swap.top / "a").write_text("mine\n")
    with pytest.raises(ConflictError, match="a has just been changed"):
        swap.check([], ["a"], [])
    with pytest.raises(ConflictError, match="a has just been changed"):
        swap.check([], [], ["a"])


def test_rename_that_only_changes_case_is_allowed(swap, tmp_path):
    os.link(swap.top / "b", swap.top / "B")  # what a file system without case would show
    (tmp_path / "later").mkdir()
    swap = FileReplacement(swap.top, tmp_path / "later")
    swap.check(["B"], [], ["b"])
    with pytest.raises(ConflictError, match="untracked file B would be overwritten"):
        swap.check(["B"], [], [])


def test_signal_is_deferred_until_the_block_ends():
    steps = []

    def work():
        with defer_signals():
            signal.raise_signal(signal.SIGINT)
            steps.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["after"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_defer_no_signals():
    ran = []

    def work():
        with defer_signals():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ran == [True]
