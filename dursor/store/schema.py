"""Table columns as the code reads them, without third-party imports."""

from __future__ import annotations

VERSION = 3  # the number of migrations; stored in PRAGMA user_version

# Wide columns come last: SQLite reads a row from the left, so lists never load their pages.
RUN_COLUMNS = (
    *("id", "sample", "model_id", "model", "provider", "model_name", "status", "attempts"),
    *("cost_usd", "created_at", "started_at", "completed_at", "usage", "error", "summary"),
    *("files_changed", "warnings"),
)
RUN_WIDE_COLUMNS = ("logs", "context", "overrides", "patch")
ROUND_COLUMNS = (
    *("id", "task_id", "number", "parent_run_id", "base_ref", "base_commit", "dirty"),
    *("created_at", "instruction"),
)
ROUND_WIDE_COLUMNS = ("choices", "logs", "context", "dirty_patch")
ROUND_PREFIX = "round_"  # of a round's columns in a row of runs

ACTIVE = "status IN ('queued', 'running')"
SELECT_REPOS = (
    "SELECT repos.*, path, workspace_path FROM repos JOIN repo_paths ON repo_id = repos.id"
)
