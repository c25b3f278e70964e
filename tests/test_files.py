"""Private folders, atomic file replacement and locks between processes."""

import os
import stat
import subprocess
import sys

import pytest

from dursor.errors import InternalError
from dursor.files import hold_lock, make_private_dir, replace_file


def test_folder_is_accessible_to_its_owner_only(tmp_path):
    tmp_path.chmod(0o755)
    make_private_dir(tmp_path / "a" / "b")
    assert [stat.S_IMODE((tmp_path / one).stat().st_mode) for one in ("a", "a/b")] == [0o700] * 2
    make_private_dir(tmp_path)  # what was there stays as its owner made it
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(InternalError, match=r"cannot create folder .*a/b"):
        make_private_dir(tmp_path / "a" / "b")


def test_file_is_replaced_with_its_mode(tmp_path):
    path = tmp_path / "new" / "file"
    for data, mode in ((b"one", 0o600), (b"two", 0o644)):
        replace_file(path, data, mode=mode)
        assert path.read_bytes() == data
        assert stat.S_IMODE(path.stat().st_mode) == mode & ~current_umask()
    assert list(path.parent.iterdir()) == [path]


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_failed_replacement_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(InternalError, match="cannot write"):
        replace_file(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert [one.name for one in path.iterdir()] == ["old"]


HOLDER = """
import pathlib, sys
from dursor.files import hold_lock
with hold_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_lock_is_held_by_one_process(tmp_path):
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(InternalError, match="another process holds"),
            hold_lock(path, timeout=0.05),
        ):
            pytest.fail("two hold it")
        holder.stdin.close()
        with hold_lock(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with hold_lock(path, timeout=0):
        pass


def test_lock_that_cannot_be_created_is_named(tmp_path):
    with pytest.raises(InternalError, match="cannot open"), hold_lock(tmp_path):
        pytest.fail("a folder is no lock")
