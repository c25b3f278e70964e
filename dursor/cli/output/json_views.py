"""The value that a command returns, as JSON with a fixed set of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dursor.domain import ContextFile, Run
    from dursor.services import results

# The keys of each class whose values are encoded field by field.
FIELDS = {
    "Branch": "name commit default",
    "DoctorCheck": "name ok level detail hint",
    "AttemptReply": "attempt text",
    "FileChange": "path old_path change added_lines removed_lines",
    "GitHubStatus": "api_url kind login app_id installation_id",
    "HostedRepo": "name default_branch private archived url",
    "LogEntry": "at stage message",
    "Message": "id task_id role kind content run_id round_id created_at",
    "PlannedModel": "name provider model_name samples worst_cost_usd",
    "PullRequest": "id task_id number url branch title body latest_commit status created_at"
    " updated_at",
    "Repo": "id name repo_url path default_branch latest_commit workspace_path created_at",
    "Round": "id number task_id instruction base_ref base_commit dirty created_at",
    "RunError": "code message hint stage",
    "Setting": "key value source description",
    "Task": "id repo_id title status created_at updated_at",
    "Usage": "input_tokens cached_input_tokens output_tokens reasoning_tokens",
    "WithheldPath": "path reason",
}
MODEL = "id name provider model_name display_name base_url created_at built_in"
RUN = (
    "id task_id sample model_id model provider model_name status summary cost_usd attempts"
    " created_at started_at completed_at"
)


ROUND_OF_RUN = "parent_run_id instruction base_ref base_commit dirty"


def to_json(value: Any) -> Any:
    """Encode VALUE for the envelope's `data`; None stays None."""
    if value is None:
        return None
    name = type(value).__name__
    return ENCODERS[name](value) if name in ENCODERS else pick(value, FIELDS[name])


def pick(value: Any, keys: str) -> dict[str, Any]:
    """Encode the fields KEYS of VALUE."""
    return {key: getattr(value, key) for key in keys.split()}


def encode_each(values: Iterable[Any]) -> list[Any]:
    """Encode every one of VALUES."""
    return [to_json(value) for value in values]


def encode_run(run: Run) -> dict[str, Any]:
    """Encode a run as lists show it: without patch, logs, context and replies."""
    return {
        **pick(run, RUN),
        "round_id": run.round.id,
        "round": run.round.number,
        **pick(run.round, ROUND_OF_RUN),
        "error": to_json(run.error),
        "files_changed": encode_each(run.files_changed),
        "warnings": [*run.warnings],
        "usage": to_json(run.usage),
    }


def encode_full_run(run: Run) -> dict[str, Any]:
    """Encode everything about a run."""
    return {
        **encode_run(run),
        "patch": run.patch,
        "logs": encode_each(run.whole_log),
        "context": encode_each(run.round.context),
        "replies": encode_each(run.replies),
    }


def encode_context_file(file: ContextFile) -> dict[str, Any]:
    """Encode one file of a context."""
    ranges = None if file.ranges is None else [[*span] for span in file.ranges]
    return {"path": file.path, "ranges": ranges, "tokens": file.tokens, "reason": file.reason}


def encode_round(value: results.RoundResult) -> dict[str, Any]:
    """Encode a round with its task and runs."""
    runs = [encode_full_run(run) for run in value.runs]
    return {"task": to_json(value.task), "round": to_json(value.round), "runs": runs}


def encode_model(value: results.Model) -> dict[str, Any]:
    """Encode a model and the source of its key."""
    profile = value.profile
    return {**pick(profile, MODEL), "options": dict(profile.options), "key": value.key}


def encode_model_check(value: results.ModelCheck) -> dict[str, Any]:
    """Encode the check of a model."""
    error = describe(value.error) if value.error else None
    return {**pick(value, "name ok latency_ms"), "error": error}


def encode_comparison(value: results.Comparison) -> dict[str, Any]:
    """Encode runs side by side."""
    files = [
        {"path": file.path, "runs": [*file.runs], "identical": file.identical}
        for file in value.files
    ]
    runs = [encode_full_run(run) for run in value.runs]
    return {"runs": runs, "files": files, "interdiff": value.interdiff}


def encode_applied(value: results.AppliedChange) -> dict[str, Any]:
    """Encode a change of the working tree or of a branch."""
    return {"files_changed": encode_each(value.files_changed), **pick(value, "branch commit")}


def encode_task_history(value: results.TaskHistory) -> dict[str, Any]:
    """Encode a task with its messages, rounds, runs and pull requests."""
    lists = ("messages", "rounds", "runs", "prs")
    return {
        "task": to_json(value.task),
        **{name: encode_each(getattr(value, name)) for name in lists},
    }


def encode_pull_sync(value: results.PullSync) -> dict[str, Any]:
    """Encode a pull request and its new messages."""
    return {"pr": to_json(value.pr), "messages": encode_each(value.messages)}


def encode_context_plan(value: results.ContextPlan) -> dict[str, Any]:
    """Encode a context that would be sent."""
    return {
        "base_commit": value.base_commit,
        "budget": value.budget,
        "tokens": {"files": value.tokens_files, "total": value.tokens_total},
        "files": encode_each(value.files),
        "withheld": encode_each(value.withheld),
    }


def encode_round_plan(value: results.RoundPlan) -> dict[str, Any]:
    """Encode a dry run, which has no task and no runs."""
    plan = {
        **encode_context_plan(value.context),
        "models": encode_each(value.models),
        "warnings": [*value.context.warnings],
    }
    return {"task": None, "round": None, "runs": [], "plan": plan}


ENCODERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "AppliedChange": encode_applied,
    "Comparison": encode_comparison,
    "ContextFile": encode_context_file,
    "ContextPlan": encode_context_plan,
    "Items": lambda items: {items.name: encode_each(items.values)},
    "Model": encode_model,
    "ModelCheck": encode_model_check,
    "PatchOutput": lambda patch: {"patch": patch.text, **patch.data},
    "PlainOutput": lambda output: {**output.data},
    "PullSync": encode_pull_sync,
    "RoundPlan": encode_round_plan,
    "RoundResult": encode_round,
    "Run": encode_run,
    "RunView": lambda view: encode_full_run(view.run),
    "TaskHistory": encode_task_history,
}
