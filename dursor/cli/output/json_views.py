"""What programs read of each value: JSON with exactly these keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.cli.command_result import Items, PatchOutput, PlainOutput, RunView
    from dursor.domain import ContextFile, Run, RunError
    from dursor.services import results

RUN = (
    "id",
    "task_id",
    "round",
    "sample",
    "parent_run_id",
    "model_id",
    "model",
    "provider",
    "model_name",
    "instruction",
    "base_ref",
    "base_commit",
    "dirty",
    "status",
    "summary",
    "cost_usd",
    "attempts",
    "created_at",
    "started_at",
    "completed_at",
)
TASK = ("id", "repo_id", "title", "status", "created_at", "updated_at")
MESSAGE = ("id", "task_id", "role", "content", "run_id", "created_at")
REPO = (
    "id",
    "name",
    "repo_url",
    "path",
    "default_branch",
    "latest_commit",
    "workspace_path",
    "created_at",
)
PR = (
    "id",
    "task_id",
    "number",
    "url",
    "branch",
    "title",
    "body",
    "latest_commit",
    "status",
    "created_at",
    "updated_at",
)
STATUS = ("api_url", "kind", "login", "app_id", "installation_id")
HOSTED = ("name", "default_branch", "private", "archived", "url")
MODEL = ("id", "name", "provider", "model_name", "display_name", "base_url")
CHANGE = ("path", "old_path", "change", "added_lines", "removed_lines")
USAGE = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
LOG = ("at", "stage", "message")
ERROR = ("code", "message", "hint")
BRANCH = ("name", "commit", "default")
SETTING = ("key", "value", "source", "description")
FINDING = ("name", "ok", "detail", "hint")
WITHHELD = ("path", "reason")
PLANNED = ("name", "provider", "model_name", "samples", "worst_cost_usd")


def pick(value: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """Take the fields KEYS of VALUE; what is an enum's becomes plain text."""
    return {key: getattr(value, key) for key in keys}


def picks(keys: tuple[str, ...]) -> Callable[[Any], dict[str, Any]]:
    """Make the shape that takes exactly KEYS."""
    return lambda value: pick(value, keys)


def each(values: Any, shape: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Shape every one of VALUES."""
    return [shape(value) for value in values]


def to_json(value: Any) -> dict[str, Any] | None:
    """Turn a command's VALUE into the envelope's `data`."""
    return None if value is None else SHAPES[type(value).__name__](value)


def listed_run(run: Run) -> dict[str, Any]:
    """Shape a run as lists show it: without patch, logs and context."""
    return {
        **pick(run, RUN),
        "error": run_error(run.error) if run.error else None,
        "files_changed": each(run.files_changed, picks(CHANGE)),
        "warnings": [*run.warnings],
        "usage": pick(run.usage, USAGE) if run.usage else None,
    }


def full_run(run: Run) -> dict[str, Any]:
    """Shape a run with all that is known of it."""
    return {
        **listed_run(run),
        "patch": run.patch,
        "logs": each(run.logs, picks(LOG)),
        "context": each(run.context, context_file),
    }


def run_error(error: RunError) -> dict[str, Any]:
    """Shape why a run failed, and in which stage."""
    return {**pick(error, ERROR), "stage": error.stage}


def context_file(file: ContextFile) -> dict[str, Any]:
    """Shape one file that is sent."""
    ranges = None if file.ranges is None else [[*span] for span in file.ranges]
    return {"path": file.path, "ranges": ranges, "tokens": file.tokens, "reason": file.reason}


def round_(value: results.RoundResult) -> dict[str, Any]:
    """Shape a round."""
    task = pick(value.task, TASK) if value.task else None
    return {"task": task, "runs": each(value.runs, full_run)}


def model(value: results.Model) -> dict[str, Any]:
    """Shape a model and where its key is found."""
    profile = value.profile
    return {
        **pick(profile, MODEL),
        "options": dict(profile.options),
        "key": value.key,
        "built_in": profile.built_in,
        "created_at": profile.created_at,
    }


def check(value: results.ModelCheck) -> dict[str, Any]:
    """Shape whether a model answers."""
    error = pick(value.error, ERROR) if value.error else None
    return {"name": value.name, "ok": value.ok, "latency_ms": value.latency_ms, "error": error}


def comparison(value: results.Comparison) -> dict[str, Any]:
    """Shape runs side by side."""
    return {
        "runs": each(value.runs, full_run),
        "files": [
            {"path": file.path, "runs": [*file.runs], "identical": file.identical}
            for file in value.files
        ],
        "interdiff": value.interdiff,
    }


def applied(value: results.AppliedChange) -> dict[str, Any]:
    """Shape what was put into the working tree or onto a branch."""
    files = each(value.files_changed, picks(CHANGE))
    return {"files_changed": files, "branch": value.branch, "commit": value.commit}


def history(value: results.TaskHistory) -> dict[str, Any]:
    """Shape a task with everything in it."""
    return {
        "task": pick(value.task, TASK),
        "messages": each(value.messages, picks(MESSAGE)),
        "runs": each(value.runs, listed_run),
        "prs": each(value.prs, picks(PR)),
    }


def news(value: results.PullSync) -> dict[str, Any]:
    """Shape a pull request and what was new about it."""
    return {"pr": pick(value.pr, PR), "messages": each(value.messages, picks(MESSAGE))}


def context_plan(value: results.ContextPlan) -> dict[str, Any]:
    """Shape what would be sent."""
    return {
        "base_commit": value.base_commit,
        "budget": value.budget,
        "tokens": {"files": value.tokens_files, "total": value.tokens_total},
        "files": each(value.files, context_file),
        "withheld": each(value.withheld, picks(WITHHELD)),
    }


def round_plan(value: results.RoundPlan) -> dict[str, Any]:
    """Shape a dry run: no task, no runs, and what they would be."""
    plan = {
        **context_plan(value.context),
        "models": each(value.models, picks(PLANNED)),
        "warnings": [*value.context.warnings],
    }
    return {"task": None, "runs": [], "plan": plan}


def plain(value: PlainOutput) -> dict[str, Any]:
    """Pass on what a command has shaped itself."""
    return {**value.data}


def patch(value: PatchOutput) -> dict[str, Any]:
    """Shape a patch with what its command knows besides."""
    return {"patch": value.text, **value.data}


def run_view(view: RunView) -> dict[str, Any]:
    """Shape the whole run, whichever sections people asked for."""
    return full_run(view.run)


def items(listed: Items) -> dict[str, Any]:
    """Shape a list."""
    return {"items": each(listed.values, ITEMS[listed.kind])}


ITEMS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "run": listed_run,
    "task": picks(TASK),
    "repo": picks(REPO),
    "branch": picks(BRANCH),
    "model": model,
    "check": check,
    "hosted": picks(HOSTED),
    "log": picks(LOG),
    "pr": picks(PR),
    "setting": picks(SETTING),
}

SHAPES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "AppliedChange": applied,
    "Comparison": comparison,
    "ContextPlan": context_plan,
    "GitHubStatus": picks(STATUS),
    "Items": items,
    "Message": picks(MESSAGE),
    "Model": model,
    "PatchOutput": patch,
    "PlainOutput": plain,
    "PullSync": news,
    "PullRequest": picks(PR),
    "Repo": picks(REPO),
    "RoundResult": round_,
    "RoundPlan": round_plan,
    "RunView": run_view,
    "Setting": picks(SETTING),
    "Task": picks(TASK),
    "TaskHistory": history,
}
