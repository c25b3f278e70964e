"""What readers and writers of the database file share: opening it, and its errors in one line."""

from __future__ import annotations

import contextlib
import os
import shlex
import sqlite3
from typing import TYPE_CHECKING

from dursor.errors import InternalError
from dursor.store.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_TIMEOUT = 30.0

_FAULTS = {
    "SQLITE_BUSY": ("{} is locked by another process", "wait for it to end, then try again"),
    "SQLITE_LOCKED": ("{} is locked by another process", "wait for it to end, then try again"),
    "SQLITE_FULL": ("the disk is full: cannot write {}", "make room, then try again"),
    "SQLITE_READONLY": ("{} cannot be written", "check the permissions of the file and its folder"),
    "SQLITE_CANTOPEN": ("cannot open {}", "check the permissions of the file and its folder"),
    "SQLITE_PERM": ("{} may not be opened", "check the permissions of the file and its folder"),
    "SQLITE_CORRUPT": ("{} is damaged", "mv {path} {path}.damaged (a new one is made)"),
    "SQLITE_NOTADB": ("{} is no database", "mv {path} {path}.damaged (a new one is made)"),
    "SQLITE_IOERR": ("reading or writing {} failed", "check the disk, then try again"),
}


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite or the system says of the file PATH into one line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise fault(path, error) from error
    except OSError as error:
        raise InternalError(f"cannot open {path}: {error.strerror}") from error


def fault(path: Path, error: sqlite3.DatabaseError) -> InternalError:
    """Say in one line what ERROR means for the file PATH."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, (message, hint) in _FAULTS.items():
        if name.startswith(prefix):
            return InternalError(
                message.format(path), hint=hint.format(path=shlex.quote(str(path)))
            )
    return InternalError(f"{path}: {error}", hint="dursor doctor")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open PATH read-only, also where not even the journal's files can be made."""
    connection = _connected(path, "mode=ro")
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        blocked = error.sqlite_errorname.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))
        if not blocked or path.with_name(f"{path.name}-wal").exists():
            raise
        return _connected(path, "immutable=1")  # nobody can write there, so nobody does
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _connected(path: Path, option: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?{option}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


def open_for_writing(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open PATH, made for its owner alone where missing; wait BUSY_TIMEOUT s for locks."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return connection


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Count the migrations the file has seen; InternalError when a newer dursor made some."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise InternalError(
            f"{path} was written by a newer dursor",
            hint="pip install --upgrade dursor, or set DURSOR_DATA_DIR to another folder",
        )
    return version


def _quoted(path: Path) -> str:
    """Write PATH as the file part of a URI; any byte is possible in it."""
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~"
    raw = os.fsencode(path.absolute().as_posix())
    quoted = "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in raw)
    return quoted if quoted.startswith("/") else f"/{quoted}"  # C:/... on Windows
