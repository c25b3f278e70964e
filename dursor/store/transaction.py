"""The database file opened for writing: its settings, its schema and its transactions."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Self

from sqlite_utils import Database

from dursor.files import make_private_dir
from dursor.store.connect import BUSY_TIMEOUT, open_for_writing, read_version, translate_errors
from dursor.store.migrations import migrations
from dursor.store.schema import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlite_utils.db import Table

LEASES = "leases"


class Transactions:
    """The open file. Opening creates a missing file and brings its schema up to date."""

    def __init__(
        self, path: Path, *, leases: Path | None = None, busy_timeout: float = BUSY_TIMEOUT
    ) -> None:
        self.path = path
        self.leases = path.parent / LEASES if leases is None else leases
        make_private_dir(path.parent)
        with translate_errors(path), contextlib.ExitStack() as stack:
            self._connection = open_for_writing(path, busy_timeout)
            stack.callback(self._connection.close)
            self._prepare(busy_timeout)
            stack.pop_all()

    def close(self) -> None:
        with translate_errors(self.path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, busy_timeout: float) -> None:
        self._db = Database(self._connection, execute_plugins=False, recursive_triggers=False)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._use_wal(time.monotonic() + busy_timeout)
        if read_version(self._connection, self.path) < VERSION:
            with self._writing():  # foreign keys are off: migrations replace tables
                self._upgrade()
        self._connection.execute("PRAGMA foreign_keys = ON")

    def _use_wal(self, deadline: float) -> None:
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)  # SQLite does not wait here while another process switches
            else:
                return

    def _upgrade(self) -> None:
        if read_version(self._connection, self.path) < VERSION:  # no other process was faster
            migrations.apply(self._db)
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction that takes the write lock at its start."""
        with translate_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:  # Ctrl-C must release the lock, too
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _table(self, name: str) -> Table:
        return self._db.table(name)

    def _fetch_one(self, sql: str, *values: Any) -> Any:
        return self._db.execute(sql, values).fetchone()

    def _execute(self, sql: str, *values: Any) -> int:
        """Execute SQL; returns the number of changed rows."""
        return self._db.execute(sql, values).rowcount
