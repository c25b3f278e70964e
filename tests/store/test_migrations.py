"""A shipped migration is never edited; a change of the schema is a new one."""

import hashlib

from dursor.store.migrations import migrations
from dursor.store.schema import RUN_COLUMNS, RUN_WIDE_COLUMNS, VERSION

SHIPPED = {"m001_first_tables": "9dd1e0873a6542fc"}


def test_version_counts_the_migrations(store):
    applied = [one.name for one in migrations.applied(store._db)]
    assert applied == list(SHIPPED)
    assert len(applied) == VERSION == store._one("PRAGMA user_version")[0]


def test_shipped_schema_stays(store):
    statements = store._all(
        "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE '\\_%' ESCAPE '\\' "
        "AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
    )
    joined = "\n".join(" ".join(row[0].split()) for row in statements)
    assert hashlib.sha256(joined.encode()).hexdigest()[:16] == SHIPPED["m001_first_tables"]


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
