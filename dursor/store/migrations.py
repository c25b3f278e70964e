"""Numbered steps of the schema. A released step is never edited; a change is a new step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils.migrations import Migrations

from dursor.store import split_rounds

if TYPE_CHECKING:
    from sqlite_utils import Database

migrations = Migrations("dursor")


@migrations()
def m001_first_tables(db: Database) -> None:
    """Create every table of 0.1.0."""
    for statement in _FIRST_TABLES:
        db.execute(statement)


@migrations()
def m002_choices_of_runs(db: Database) -> None:
    """Add the options of each run."""
    db.execute("ALTER TABLE runs ADD COLUMN choices TEXT")


@migrations()
def m003_rounds(db: Database) -> None:
    """Give rounds, replies and the facts of this machine tables of their own."""
    split_rounds.migrate(db)


_FIRST_TABLES = (
    """
    CREATE TABLE models (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        name TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL,
        model_name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        base_url TEXT,
        options TEXT NOT NULL,
        key_source TEXT,
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE repos (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        repo_url TEXT,
        path TEXT NOT NULL UNIQUE,
        default_branch TEXT,
        latest_commit TEXT,
        workspace_path TEXT,
        created_at TEXT NOT NULL,
        removed_at TEXT
    )
    """,
    "CREATE UNIQUE INDEX repos_by_name ON repos (name) WHERE removed_at IS NULL",
    """
    CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        repo_id TEXT NOT NULL REFERENCES repos (id),
        title TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX tasks_by_time ON tasks (created_at)",
    "CREATE INDEX tasks_by_repo ON tasks (repo_id, created_at)",
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        repo_id TEXT NOT NULL REFERENCES repos (id),
        round INTEGER NOT NULL,
        sample INTEGER NOT NULL,
        parent_run_id TEXT REFERENCES runs (id),
        model_id TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        model_name TEXT NOT NULL,
        base_ref TEXT NOT NULL,
        base_commit TEXT NOT NULL,
        dirty INTEGER NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        cost_usd REAL,
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT,
        lease TEXT,
        cancel_requested_at TEXT,
        usage TEXT,
        error TEXT,
        instruction TEXT NOT NULL,
        summary TEXT,
        files_changed TEXT NOT NULL,
        warnings TEXT NOT NULL,
        logs TEXT NOT NULL,
        context TEXT NOT NULL,
        dirty_patch BLOB,
        patch BLOB
    )
    """,
    "CREATE INDEX runs_by_time ON runs (created_at)",
    "CREATE INDEX runs_by_status ON runs (status, created_at)",
    "CREATE INDEX runs_by_repo ON runs (repo_id, created_at)",
    "CREATE INDEX runs_by_repo_and_status ON runs (repo_id, status, created_at)",
    "CREATE INDEX runs_by_task ON runs (task_id, created_at)",
    "CREATE INDEX runs_by_round ON runs (task_id, round, model, sample)",
    """
    CREATE INDEX runs_active ON runs (lease) WHERE status IN ('queued', 'running')
    """,
    """
    CREATE TABLE messages (
        id TEXT PRIMARY KEY,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        role TEXT NOT NULL,
        content TEXT NOT NULL,
        run_id TEXT REFERENCES runs (id),
        created_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX messages_by_task ON messages (task_id, created_at)",
    """
    CREATE TABLE prs (
        id TEXT PRIMARY KEY,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        number INTEGER NOT NULL,
        url TEXT NOT NULL UNIQUE,
        branch TEXT NOT NULL,
        title TEXT NOT NULL,
        body TEXT NOT NULL,
        latest_commit TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX prs_by_task ON prs (task_id, created_at)",
    """
    CREATE TABLE github_app (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        app_id TEXT NOT NULL,
        installation_id TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
    """,
)
