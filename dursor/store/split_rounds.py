"""Migration 3: rounds, replies and the facts of this machine in tables of their own."""

from __future__ import annotations

import json
import os
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlite_utils import Database

# The first line of a message that `pr sync` of 0.1.0 wrote for a review or a comment.
_COMMENT = re.compile(
    r"@\S+ (?:on (?:.* \()?|approved |asked for changes in |reviewed )"
    r"pull request #\d+\b.*:(?:\n|$)"
)
_KINDS = {"assistant": "reply", "system": "pr_state", "user": "note"}
_BEFORE_RUNS = ("prepare", "context")  # stages whose log entries belong to the round


def migrate(db: Database) -> None:
    """Move what runs, repos and models held for others; foreign keys must be off."""
    for statement in _TABLES:
        db.execute(statement)
    runs = list(db.query("SELECT * FROM runs ORDER BY task_id, round, rowid"))
    for _, members in groupby(runs, key=lambda run: (run["task_id"], run["round"])):
        _split_round(db, [*members])
    _classify_messages(db)
    for statement in _REPLACED_TABLES:
        db.execute(statement)


def _split_round(db: Database, runs: Sequence[dict[str, Any]]) -> None:
    """Write one round and its runs from rows that repeated the round's columns."""
    first = runs[0]
    round_id = os.urandom(16).hex()
    logs = json.loads(first["logs"])
    count = next((n for n, log in enumerate(logs) if log["stage"] not in _BEFORE_RUNS), len(logs))
    columns = ("task_id", "parent_run_id", "base_ref", "base_commit", "dirty", "created_at")
    wide = ("instruction", "choices", "context", "dirty_patch")
    db.table("rounds").insert(
        {
            "id": round_id,
            "number": first["round"],
            **{name: first[name] for name in (*columns, *wide)},
            "logs": json.dumps(logs[:count]),
        }
    )
    for run in runs:
        _write_run(db, run, round_id, logs[:count], first["choices"])
    sql = (
        "UPDATE messages SET round_id = ?, kind = 'instruction' WHERE id = ("
        "SELECT id FROM messages WHERE task_id = ? AND role = 'user' AND content = ? "
        "AND created_at = ? AND round_id IS NULL LIMIT 1)"
    )
    db.execute(sql, [round_id, first["task_id"], first["instruction"], first["created_at"]])


def _write_run(
    db: Database, run: dict[str, Any], round_id: str, shared: Sequence[Any], choices: str | None
) -> None:
    """Write RUN without the log entries that it shares with its round."""
    logs = json.loads(run["logs"])
    logs = logs[len(shared) :] if logs[: len(shared)] == shared else logs
    error = None if run["error"] is None else json.dumps(_rename_stage(json.loads(run["error"])))
    db.table("new_runs").insert(
        {
            **{name: run[name] for name in _KEPT_COLUMNS},
            "round_id": round_id,
            "error": error,
            "logs": json.dumps([_rename_stage(log) for log in logs]),
            "overrides": None if run["choices"] == choices else run["choices"],
        }
    )
    if run["lease"] is not None and run["status"] in {"queued", "running"}:
        columns = ("lease", "cancel_requested_at")
        db.table("run_leases").insert({"run_id": run["id"], **{n: run[n] for n in columns}})


def _rename_stage(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "stage": "policy"} if entry["stage"] == "check" else entry


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


_KEPT_COLUMNS = (
    "id",
    "task_id",
    "repo_id",
    "sample",
    "model_id",
    "model",
    "provider",
    "model_name",
    "status",
    "attempts",
    "cost_usd",
    "created_at",
    "started_at",
    "completed_at",
    "usage",
    "summary",
    "files_changed",
    "warnings",
    "patch",
)

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
