"""Opening the database file, and its errors in one line."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from dursor.errors import InternalError
from dursor.store.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT = 30.0

_WAIT = "wait until it ends, then try again"
_PERMISSIONS = "check the permissions of the file and its folder"
_ERRORS = {
    "SQLITE_BUSY": ("{} is locked by another process", _WAIT),
    "SQLITE_LOCKED": ("{} is locked by another process", _WAIT),
    "SQLITE_FULL": ("the disk is full: cannot write {}", "free some space, then try again"),
    "SQLITE_READONLY": ("{} is not writable", _PERMISSIONS),
    "SQLITE_CANTOPEN": ("cannot open {}", _PERMISSIONS),
    "SQLITE_PERM": ("no permission to open {}", _PERMISSIONS),
    "SQLITE_CORRUPT": ("{} is damaged", "mv {path} {path}.damaged (a new one is created)"),
    "SQLITE_NOTADB": ("{} is not a database", "mv {path} {path}.damaged (a new one is created)"),
    "SQLITE_IOERR": ("reading or writing {} failed", "check the disk, then try again"),
}


@contextlib.contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise InternalError for every error of SQLite or the system about the file PATH."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise build_error(path, error) from error
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error


def build_error(path: Path, error: sqlite3.DatabaseError) -> InternalError:
    """Describe ERROR about the file PATH in one line, with a hint."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, (message, hint) in _ERRORS.items():
        if name.startswith(prefix):
            return InternalError(
                message.format(path), hint=hint.format(path=shlex.quote(str(path)))
            )
    return InternalError(f"{path}: {error}", hint="dursor doctor")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open PATH read-only, also where not even the journal's files can be created."""
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        blocked = error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
        if not blocked or path.with_name(f"{path.name}-wal").exists():
            raise
        return _connect(path, "immutable=1")  # nobody can write to it
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _connect(path: Path, option: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{_quote(path)}?{option}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


def open_for_writing(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open PATH, created for its owner alone if missing; wait BUSY_TIMEOUT s for locks."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


def read_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of applied migrations; InternalError if a newer dursor applied some."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise InternalError(
            f"{path} was written by a newer dursor",
            hint="pip install --upgrade dursor, or set DURSOR_DATA_DIR to another folder",
        )
    return version


def _quote(path: Path) -> str:
    """Quote PATH, which may contain any byte, as the file part of a URI."""
    quoted = quote_from_bytes(os.fsencode(path.absolute().as_posix()))
    return quoted if quoted.startswith("/") else f"/{quoted}"  # C:/... on Windows
