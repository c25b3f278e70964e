"""What the tables hold, without SQL or third-party imports: the version, the columns, the names."""

from __future__ import annotations

VERSION = 2  # as many as there are migrations; kept in PRAGMA user_version

# Wide columns stand last: SQLite reads a row from the left, so lists never touch their pages.
RUN_COLUMNS = (
    "id",
    "task_id",
    "round",
    "sample",
    "parent_run_id",
    "model_id",
    "model",
    "provider",
    "model_name",
    "base_ref",
    "base_commit",
    "dirty",
    "status",
    "attempts",
    "cost_usd",
    "created_at",
    "started_at",
    "completed_at",
    "lease",
    "usage",
    "error",
    "instruction",
    "summary",
    "files_changed",
    "warnings",
)
RUN_WIDE_COLUMNS = ("logs", "context", "dirty_patch", "patch", "choices")

ACTIVE = "status IN ('queued', 'running')"

# Rows of `models` that are no profile but remember where a stored key lies ("provider:openai",
# "model:gpt" for a built-in profile, "github:token"). No profile's name can hold a colon.
PROFILE = "profile"
KEY = "key"
