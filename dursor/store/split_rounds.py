"""Migration 3: rounds, replies and the facts of this machine in tables of their own."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

# The first line of a message that `pr sync` of 0.1.0 wrote for a review or a comment.
_COMMENT = re.compile(
    r"@\S+ (?:on (?:.* \()?|approved |asked for changes in |reviewed )"
    r"pull request #\d+\b.*:(?:\n|$)"
)
_KINDS = {"assistant": "reply", "system": "pr_state", "user": "note"}
_BEFORE_RUNS = ("prepare", "context")  # stages whose log entries belong to the round


def migrate(db: Database) -> None:
    """Move the columns that runs, repos and models held for others; foreign keys must be off."""
    for statement in _TABLES:
        db.execute(statement)
    for first_id, task_id, number in db.execute(_FIRST_RUNS).fetchall():
        _split_round(db, first_id, task_id, number)
    db.execute(_MOVE_LEASES)
    _classify_messages(db)
    for statement in _REPLACED_TABLES:
        db.execute(statement)


def _split_round(db: Database, first_id: str, task_id: str, number: int) -> None:
    """Write one round and its runs from rows that repeated the round's columns."""
    round_id = os.urandom(16).hex()
    sql = "SELECT logs, instruction, created_at FROM runs WHERE id = ?"
    text, instruction, created_at = db.execute(sql, [first_id]).fetchone()
    logs = json.loads(text)[: len(_BEFORE_RUNS)]  # later ones are the run's own
    shared = json.dumps(
        [log for log in logs if log["stage"] in _BEFORE_RUNS], separators=(",", ":")
    )
    db.execute(_ADD_ROUND, [round_id, shared, first_id])
    sql = "SELECT id, logs FROM runs WHERE task_id = ? AND round = ? ORDER BY rowid"
    for run_id, logs in db.execute(sql, [task_id, number]).fetchall():
        own_logs = _remove_shared(logs, shared)
        db.execute(_ADD_RUN, [round_id, _rename_stage(own_logs), first_id, run_id])
    db.execute(_ADD_TO_INSTRUCTION, [round_id, task_id, instruction, created_at])


def _remove_shared(logs: str, shared: str) -> str:
    """Remove the SHARED entries from the start of LOGS; both are JSON lists."""
    head = shared.removesuffix("]")
    if not logs.startswith(head):
        return logs
    return f"[{logs.removeprefix(head).removeprefix(',')}"


def _rename_stage(entries: str) -> str:
    return entries.replace(*_STAGES)


def _classify_messages(db: Database) -> None:
    """Set the kind of the messages that start no round."""
    sql = "SELECT id, role, content FROM messages WHERE round_id IS NULL"
    for row in list(db.query(sql)):
        kind = _KINDS[row["role"]]
        if kind == "note" and _COMMENT.match(_decode(row["content"])):
            kind = "comment"
        db.execute("UPDATE messages SET kind = ? WHERE id = ?", [kind, row["id"]])


def _decode(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode("utf-8", "surrogateescape")


_COPIED_COLUMNS = (
    *("id", "task_id", "repo_id", "sample", "model_id", "model", "provider", "model_name"),
    *("status", "attempts", "cost_usd", "created_at", "started_at", "completed_at", "usage"),
    *("summary", "files_changed", "warnings", "patch"),
)

# Large columns are copied by SQLite: no more than one round's logs are in memory.
_FIRST_RUNS = """
    SELECT id, task_id, round FROM runs
    WHERE rowid IN (SELECT min(rowid) FROM runs GROUP BY task_id, round) ORDER BY task_id, round
"""
_STAGES = ('"stage":"check"', '"stage":"policy"')  # inside a JSON string, quotes are escaped
_ADD_ROUND = """
    INSERT INTO rounds
    SELECT ?, task_id, round, parent_run_id, base_ref, base_commit, dirty, created_at,
        instruction, choices, ?, context, dirty_patch
    FROM runs WHERE id = ?
"""
_ADD_RUN = f"""
    INSERT INTO new_runs ({", ".join(_COPIED_COLUMNS)}, round_id, logs, error, context, overrides)
    SELECT {", ".join(f"runs.{name}" for name in _COPIED_COLUMNS)}, ?, ?,
        replace(runs.error, '{_STAGES[0]}', '{_STAGES[1]}'),
        CASE WHEN runs.context IS first.context THEN NULL ELSE runs.context END,
        CASE WHEN runs.choices IS first.choices THEN NULL ELSE runs.choices END
    FROM runs JOIN runs AS first ON first.id = ? WHERE runs.id = ?
"""
_ADD_TO_INSTRUCTION = """
    UPDATE messages SET round_id = ?, kind = 'instruction' WHERE id = (
        SELECT id FROM messages WHERE task_id = ? AND role = 'user' AND content = ?
        AND created_at = ? AND round_id IS NULL LIMIT 1
    )
"""
_MOVE_LEASES = """
    INSERT INTO run_leases SELECT id, lease, cancel_requested_at FROM runs
    WHERE lease IS NOT NULL AND status IN ('queued', 'running')
"""

_TABLES = (
    """
    CREATE TABLE rounds (
        id TEXT PRIMARY KEY,
        task_id TEXT NOT NULL REFERENCES tasks (id),
        number INTEGER NOT NULL,
        parent_run_id TEXT REFERENCES runs (id),
        base_ref TEXT NOT NULL,
        base_commit TEXT NOT NULL,
        dirty INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        instruction TEXT NOT NULL,
        choices TEXT,
        logs TEXT NOT NULL,
        context TEXT NOT NULL,
        dirty_patch BLOB,
        UNIQUE (task_id, number)
    )
    """,
    """
    CREATE TABLE new_runs (
        id TEXT PRIMARY KEY,
        round_id TEXT NOT NULL REFERENCES rounds (id),
        task_id TEXT NOT NULL REFERENCES tasks (id),
        repo_id TEXT NOT NULL REFERENCES repos (id),
        sample INTEGER NOT NULL,
        model_id TEXT NOT NULL,
        model TEXT NOT NULL,
        provider TEXT NOT NULL,
        model_name TEXT NOT NULL,
        status TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        cost_usd REAL,
        created_at TEXT NOT NULL,
        started_at TEXT,
        completed_at TEXT,
        usage TEXT,
        error TEXT,
        summary TEXT,
        files_changed TEXT NOT NULL,
        warnings TEXT NOT NULL,
        logs TEXT NOT NULL,
        context TEXT,
        overrides TEXT,
        patch BLOB
    )
    """,
    """
    CREATE TABLE replies (
        run_id TEXT NOT NULL REFERENCES runs (id),
        attempt INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (run_id, attempt)
    )
    """,
    """
    CREATE TABLE run_leases (
        run_id TEXT PRIMARY KEY REFERENCES runs (id),
        lease TEXT NOT NULL,
        cancel_requested_at TEXT
    )
    """,
    "CREATE INDEX run_leases_by_lease ON run_leases (lease)",
    """
    CREATE TABLE repo_paths (
        repo_id TEXT PRIMARY KEY REFERENCES repos (id),
        path TEXT NOT NULL UNIQUE,
        workspace_path TEXT
    )
    """,
    "CREATE TABLE key_sources (name TEXT PRIMARY KEY, source TEXT NOT NULL)",
    "ALTER TABLE messages ADD COLUMN kind TEXT NOT NULL DEFAULT 'note'",
    "ALTER TABLE messages ADD COLUMN round_id TEXT REFERENCES rounds (id)",
)

_REPLACED_TABLES = (
    "DROP TABLE runs",
    "ALTER TABLE new_runs RENAME TO runs",
    "CREATE INDEX runs_by_time ON runs (created_at)",
    "CREATE INDEX runs_by_status ON runs (status, created_at)",
    "CREATE INDEX runs_by_repo ON runs (repo_id, created_at)",
    "CREATE INDEX runs_by_repo_and_status ON runs (repo_id, status, created_at)",
    "CREATE INDEX runs_by_task ON runs (task_id, created_at)",
    "CREATE INDEX runs_by_round ON runs (round_id, model, sample)",
    "CREATE INDEX runs_active ON runs (status) WHERE status IN ('queued', 'running')",
    "INSERT INTO repo_paths SELECT id, path, workspace_path FROM repos",
    """
    CREATE TABLE new_repos (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        repo_url TEXT,
        default_branch TEXT,
        latest_commit TEXT,
        created_at TEXT NOT NULL,
        removed_at TEXT
    )
    """,
    """
    INSERT INTO new_repos
    SELECT id, name, repo_url, default_branch, latest_commit, created_at, removed_at FROM repos
    """,
    "DROP TABLE repos",
    "ALTER TABLE new_repos RENAME TO repos",
    "CREATE UNIQUE INDEX repos_by_name ON repos (name) WHERE removed_at IS NULL",
    """
    INSERT INTO key_sources
    SELECT CASE kind WHEN 'key' THEN name ELSE 'model:' || name END, key_source
    FROM models WHERE key_source IS NOT NULL
    """,
    """
    CREATE TABLE new_models (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        provider TEXT NOT NULL,
        model_name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        base_url TEXT,
        options TEXT NOT NULL,
        created_at TEXT NOT NULL
    )
    """,
    """
    INSERT INTO new_models
    SELECT id, name, provider, model_name, display_name, base_url, options, created_at
    FROM models WHERE kind = 'profile'
    """,
    "DROP TABLE models",
    "ALTER TABLE new_models RENAME TO models",
)
