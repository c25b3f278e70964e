"""An error of the file system or of SQLite is one line that names the file."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dursor.errors import InternalError
from dursor.store.read import Reader
from dursor.store.write import Store


def read_message(caught, path):
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


def test_file_that_is_not_a_database(path):
    path.parent.mkdir()
    path.write_text("not a database " * 1000)
    for use in (Store, lambda file: Reader(file).runs()):
        with pytest.raises(InternalError) as caught:
            use(path)
        assert "is not a database" in read_message(caught, path)


def test_damaged_database(path, make):
    with Store(path) as store:
        store.add_repo(make.repo())
    size = path.stat().st_size
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * (size - 4096))
    with Reader(path) as reader, pytest.raises(InternalError) as caught:
        reader.repos()
    assert "is damaged" in read_message(caught, path)


def test_database_locked_by_another_process(path, make):
    with Store(path) as holder, Store(path, busy_timeout=0.05) as store:
        with holder._writing(), pytest.raises(InternalError) as caught:
            store.add_repo(make.repo())
        assert "locked by another process" in read_message(caught, path)
        assert store.add_repo(make.repo())


def test_full_disk(path, make):
    with Store(path) as store:
        repo = store.add_repo(make.repo())
        pages = store._fetch_one("PRAGMA page_count")[0]
        store._fetch_one(f"PRAGMA max_page_count = {pages}")
        task = make.task(repo)
        round_, long = make.round(task), make.message(task, "x" * 99_999)
        with pytest.raises(InternalError) as caught:
            store.start_round(round_, [make.run(round_)], task=task, message=long)
        assert "disk is full" in read_message(caught, path)
        store._fetch_one("PRAGMA max_page_count = 100000")
        store.start_round(round_, [make.run(round_)], task=task, message=make.message(task))
        with Reader(path) as reader:
            assert len(reader.messages(task.id)) == len(reader.rounds(task.id)) == 1


def test_database_of_another_program(path):
    import sqlite3
    from contextlib import closing

    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE models (x)")
    with pytest.raises(InternalError) as caught:
        Store(path)
    read_message(caught, path)


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InternalError, match="data"):
        Store(tmp_path / "data" / "dursor.db")
    with Reader(tmp_path / "data" / "dursor.db") as reader:
        assert reader.runs() == []


def test_folder_in_place_of_the_database(path):
    path.mkdir(parents=True)
    for use in (Store, lambda file: Reader(file).runs()):
        with pytest.raises(InternalError) as caught:
            use(path)
        read_message(caught, path)


UNPRIVILEGED = """
import os, pathlib, sys
from dursor.errors import InternalError
from dursor.store.read import Reader
from dursor.store.write import Store
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
path = pathlib.Path(sys.argv[1])
with Reader(path) as reader:
    (repo,) = reader.repos()
    print(repo.name)
try:
    with Store(path) as store:
        store.remove_repo(repo.id)
except InternalError as error:
    print(error.message)
"""


@pytest.fixture
def open_folder():
    """A folder that every user can reach, unlike pytest's."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize("journal", ["left", "deleted"])
def test_read_only_database(open_folder, make, journal):
    """Reading works, and writing fails with one line."""
    folder = open_folder / "data"
    path = folder / "dursor.db"
    with Store(path) as store:
        store.add_repo(make.repo())
        if journal == "deleted":
            store.close()
        for file in folder.iterdir():
            file.chmod(0o444)
        folder.chmod(0o555)
        command = [sys.executable, "-c", UNPRIVILEGED, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        folder.chmod(0o700)
    assert (done.stdout.splitlines(), done.stderr) == (["app", f"{path} is not writable"], "")
