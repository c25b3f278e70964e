"""A shipped migration is never edited; a change of the schema is a new one."""

import hashlib
import sqlite3
from contextlib import closing

import pytest
from sqlite_utils import Database

from dursor.errors import InternalError
from dursor.store import rows
from dursor.store.migrations import migrations
from dursor.store.read import Reader
from dursor.store.schema import RUN_COLUMNS, RUN_WIDE_COLUMNS, VERSION
from dursor.store.write import Store

SHIPPED = {"m001_first_tables": "9dd1e0873a6542fc", "m002_choices_of_runs": "f1fd75a02d34d6c1"}


def test_version_counts_the_migrations(store):
    applied = [one.name for one in migrations.applied(store._db)]
    assert applied == list(SHIPPED)
    assert len(applied) == VERSION == store._one("PRAGMA user_version")[0]


@pytest.mark.parametrize("step", SHIPPED)
def test_shipped_schema_stays(step):
    rest = list(SHIPPED)[list(SHIPPED).index(step) + 1 :]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before=rest)
        statements = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE '\\_%' ESCAPE '\\' "
            "AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
        ).fetchall()
    joined = "\n".join(" ".join(row[0].split()) for row in statements)
    assert hashlib.sha256(joined.encode()).hexdigest()[:16] == SHIPPED[step]


def test_a_database_of_an_older_dursor_is_upgraded_before_it_is_read(path, make):
    path.parent.mkdir()
    run = make.run(make.task(make.repo()))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        db = Database(connection)
        migrations.apply(db, stop_before="m002_choices_of_runs")
        connection.execute("PRAGMA user_version = 1")
        columns = {name: value for name, value in vars(run).items() if name != "choices"}
        db.table("runs").insert({**rows.encode(columns), "repo_id": "r"})
    with Reader(path) as reader, pytest.raises(InternalError, match="older dursor"):
        reader.runs()
    with Reader(path, lambda file: Store(file).close()) as reader:
        assert reader.run(run.id) == run


def test_tables_are_those_of_the_contract(store):
    names = {name for name in store._db.table_names() if not name.startswith(("_", "sqlite_"))}
    assert names == {"models", "repos", "tasks", "messages", "runs", "prs", "github_app"}


def test_wide_columns_of_runs_stand_last(store):
    names = [row[1] for row in store._all("PRAGMA table_info(runs)")]
    assert tuple(names[-len(RUN_WIDE_COLUMNS) :]) == RUN_WIDE_COLUMNS
    assert set(names) - {"repo_id", "cancel_requested_at"} == {*RUN_COLUMNS, *RUN_WIDE_COLUMNS}


def test_settings_of_a_connection(store):
    assert store._one("PRAGMA journal_mode")[0] == "wal"
    assert store._one("PRAGMA foreign_keys")[0] == 1
    assert store._one("PRAGMA busy_timeout")[0] == 30_000
