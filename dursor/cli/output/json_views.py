"""The value that a command returns, as JSON with a fixed set of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.domain import Run
    from dursor.services import results

# The keys of each class whose values are encoded field by field.
FIELDS = {
    "AppliedChange": "files_changed branch commit",
    "AttemptReply": "attempt text",
    "Branch": "name commit default",
    "ComparedFile": "path runs identical",
    "ContextFile": "path ranges tokens reason",
    "DoctorCheck": "name ok level detail hint",
    "FileChange": "path old_path change added_lines removed_lines",
    "GitHubStatus": "api_url kind login app_id installation_id",
    "HostedRepo": "name default_branch private archived url",
    "LogEntry": "at stage message",
    "Message": "id task_id role kind content run_id round_id created_at",
    "PlannedModel": "name provider model_name samples worst_cost_usd",
    "PullRequest": "id task_id number url branch title body latest_commit status created_at"
    " updated_at",
    "PullSync": "pr messages",
    "Repo": "id name repo_url path default_branch latest_commit workspace_path created_at",
    "Round": "id number task_id instruction base_ref base_commit dirty created_at",
    "RunError": "code message hint stage",
    "Setting": "key value source description",
    "Task": "id repo_id title status created_at updated_at",
    "TaskHistory": "task messages rounds runs prs",
    "Usage": "input_tokens cached_input_tokens output_tokens reasoning_tokens",
    "WithheldPath": "path reason",
}
MODEL = "id name provider model_name display_name base_url options created_at built_in"
RUN = (
    "id task_id sample model_id model provider model_name status error summary files_changed"
    " warnings usage cost_usd attempts created_at started_at completed_at"
)
ROUND_OF_RUN = "parent_run_id instruction base_ref base_commit dirty"


def to_json(value: Any) -> Any:
    """Encode VALUE for the envelope's `data`, and everything in it."""
    name = type(value).__name__
    if name in ENCODERS:
        return ENCODERS[name](value)
    if name in FIELDS:
        return pick(value, FIELDS[name])
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def pick(value: Any, keys: str) -> dict[str, Any]:
    """Encode the fields KEYS of VALUE."""
    return {key: to_json(getattr(value, key)) for key in keys.split()}


def encode_run(run: Run) -> dict[str, Any]:
    """Encode a run as lists show it: without patch, logs, context and replies."""
    round_ = {"round_id": run.round.id, "round": run.round.number, **pick(run.round, ROUND_OF_RUN)}
    return {**pick(run, RUN), **round_}


def encode_full_run(run: Run) -> dict[str, Any]:
    """Encode everything about a run."""
    details = {"logs": to_json(run.full_log), "context": to_json(run.sent_files)}
    return {**encode_run(run), **pick(run, "patch replies"), **details}


def encode_round(value: results.RoundResult) -> dict[str, Any]:
    """Encode a round with its task and runs."""
    return {**pick(value, "task round"), "runs": [encode_full_run(run) for run in value.runs]}


def encode_model(value: results.Model) -> dict[str, Any]:
    """Encode a model and the source of its key."""
    return {**pick(value.profile, MODEL), "key": value.key}


def encode_model_check(value: results.ModelCheck) -> dict[str, Any]:
    """Encode the check of a model."""
    error = describe(value.error) if value.error else None
    return {**pick(value, "name ok latency_ms"), "error": error}


def encode_comparison(value: results.Comparison) -> dict[str, Any]:
    """Encode runs side by side."""
    return {**pick(value, "files interdiff"), "runs": [encode_full_run(run) for run in value.runs]}


def encode_context_plan(value: results.ContextPlan) -> dict[str, Any]:
    """Encode a context that would be sent."""
    tokens = {"files": value.tokens_files, "total": value.tokens_total}
    return {**pick(value, "base_commit budget files withheld"), "tokens": tokens}


def encode_round_plan(value: results.RoundPlan) -> dict[str, Any]:
    """Encode a dry run, which has no task and no runs."""
    warnings = to_json(value.context.warnings)
    plan = {**encode_context_plan(value.context), **pick(value, "models"), "warnings": warnings}
    return {"task": None, "round": None, "runs": [], "plan": plan}


ENCODERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "Comparison": encode_comparison,
    "ContextPlan": encode_context_plan,
    "Items": lambda items: {items.name: [to_json(value) for value in items.values]},
    "Model": encode_model,
    "ModelCheck": encode_model_check,
    "PatchOutput": lambda patch: {"patch": patch.text, **patch.data},
    "PlainOutput": lambda output: {**output.data},
    "RoundPlan": encode_round_plan,
    "RoundResult": encode_round,
    "Run": encode_run,
    "RunView": lambda view: encode_full_run(view.run),
}
