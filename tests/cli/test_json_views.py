"""The JSON of every value has exactly these keys, and plain values."""

import json
from dataclasses import replace

import fake_app
import pytest
from fake_app import AT, FAILED, LATER, OTHER, RUN

from dursor.cli.command_result import Items, PatchOutput, PlainOutput, RunView
from dursor.cli.output import json_views
from dursor.config import Setting
from dursor.domain import Branch, KeySource
from dursor.errors import AuthError
from dursor.services import results

CHANGE = {"path", "old_path", "change", "added_lines", "removed_lines"}
LISTED_RUN = {
    "round_id",
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
    "error",
    "summary",
    "files_changed",
    "warnings",
    "usage",
    "cost_usd",
    "attempts",
    "created_at",
    "started_at",
    "completed_at",
}
FULL_RUN = LISTED_RUN | {"patch", "logs", "context", "replies"}
TASK = {"id", "repo_id", "title", "status", "created_at", "updated_at"}
MESSAGE = {"id", "task_id", "role", "kind", "content", "run_id", "round_id", "created_at"}
ROUND = {"id", "number", "task_id", "instruction", "base_ref", "base_commit", "dirty", "created_at"}
REPO = {
    "id",
    "name",
    "repo_url",
    "path",
    "default_branch",
    "latest_commit",
    "workspace_path",
    "created_at",
}
MODEL = {
    "id",
    "name",
    "provider",
    "model_name",
    "display_name",
    "base_url",
    "options",
    "key",
    "built_in",
    "created_at",
}
PR = {
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
}
SETTING = {"key", "value", "source", "description"}
PLAN = {"base_commit", "budget", "tokens", "files", "withheld"}
SENT = {"path", "ranges", "tokens", "reason"}
HISTORY = results.TaskHistory(
    fake_app.TASK, (fake_app.MESSAGE,), (fake_app.ROUND,), (RUN,), (fake_app.PR,)
)
COMPARED = results.Comparison(
    (RUN, OTHER), (results.ComparedFile("a.py", (RUN.id,), identical=False),), "diff"
)

VALUES = [
    (RunView(RUN, frozenset()), FULL_RUN),
    (results.RoundResult(fake_app.TASK, fake_app.ROUND, (RUN, FAILED)), {"task", "round", "runs"}),
    (Items("run", [RUN]), {"items"}),
    (PatchOutput("diff", {}), {"patch"}),
    (
        PatchOutput("diff", {"files_changed": [], "warnings": []}),
        {"patch", "files_changed", "warnings"},
    ),
    (COMPARED, {"runs", "files", "interdiff"}),
    (fake_app.APPLIED, {"files_changed", "branch", "commit"}),
    (fake_app.MODEL, MODEL),
    (fake_app.REPO, REPO),
    (fake_app.TASK, TASK),
    (fake_app.MESSAGE, MESSAGE),
    (HISTORY, {"task", "messages", "rounds", "runs", "prs"}),
    (fake_app.PLAN, PLAN),
    (results.RoundPlan(fake_app.PLAN, ()), {"task", "round", "runs", "plan"}),
    (Setting("budget_usd", 0.5, "default", "Cost"), SETTING),
    (PlainOutput({"checks": []}, []), {"checks"}),
    (fake_app.PR, PR),
    (fake_app.NEWS, {"pr", "messages"}),
    (fake_app.SIGNED_IN, {"api_url", "kind", "login", "app_id", "installation_id"}),
]
PARTS = [
    (COMPARED.files[0], {"path", "runs", "identical"}),
    (fake_app.ROUND, ROUND),
    (RUN.replies[0], {"attempt", "text"}),
    (fake_app.CHANGED, CHANGE),
    (fake_app.SENT, SENT),
    (FAILED.error, {"code", "message", "hint", "stage"}),
    (
        fake_app.USAGE,
        {"input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"},
    ),
    (results.WithheldPath(".env", "forbidden"), {"path", "reason"}),
    (
        results.PlannedModel("gpt", "openai", "gpt-5.2", 1, 0.5),
        {"name", "provider", "model_name", "samples", "worst_cost_usd"},
    ),
]
ITEMS = [
    (RUN, LISTED_RUN),
    (fake_app.TASK, TASK),
    (fake_app.REPO, REPO),
    (Branch("main", "c0de", default=True), {"name", "commit", "default"}),
    (fake_app.MODEL, MODEL),
    (results.DoctorCheck("git", "2.47"), {"name", "ok", "level", "detail", "hint"}),
    (
        results.ModelCheck("gpt", ok=False, latency_ms=None, error=AuthError("no")),
        {"name", "ok", "latency_ms", "error"},
    ),
    (fake_app.LOGGED, {"at", "stage", "message"}),
    (fake_app.PR, PR),
    (fake_app.HOSTED, {"name", "default_branch", "private", "archived", "url"}),
    (Setting("models", ["gpt"], "file", "Models"), SETTING),
]


def test_every_encoder_is_tested():
    classes = {type(value).__name__ for value, *_ in [*VALUES, *ITEMS, *PARTS]}
    assert classes == {*json_views.ENCODERS, *json_views.FIELDS}


@pytest.mark.parametrize(("value", "keys"), [*VALUES, *PARTS])
def test_the_keys_of_a_value(value, keys):
    data = json_views.to_json(value)
    assert data is not None
    assert set(data) == keys
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize(("value", "keys"), ITEMS)
def test_the_keys_of_list_items(value, keys):
    data = json_views.to_json(Items("run", [value]))
    assert data is not None
    assert [set(item) for item in data["items"]] == [keys]
    assert json.loads(json.dumps(data)) == data


def test_none_is_null():
    assert json_views.to_json(None) is None


def test_every_field_of_a_run():
    run = json_views.encode_full_run(RUN)
    assert run["files_changed"][1] == {
        "path": "b.py",
        "old_path": "a.py",
        "change": "renamed",
        "added_lines": 0,
        "removed_lines": 0,
    }
    assert run["usage"] == {
        "input_tokens": 12_345,
        "cached_input_tokens": 6_000,
        "output_tokens": 1_234,
        "reasoning_tokens": 200,
    }
    assert run["logs"] == [{"at": AT, "stage": "call", "message": "streaming"}]
    assert [set(file) for file in run["context"]] == [SENT, SENT]
    assert [file["ranges"] for file in run["context"]] == [[[1, 20], [40, 60]], None]
    assert (run["status"], run["provider"], run["error"]) == ("succeeded", "openai", None)
    assert (run["started_at"], run["completed_at"]) == (AT, LATER)
    assert run["warnings"] == ["line endings differ"]


def test_a_failed_run_has_its_error_and_no_usage():
    run = json_views.encode_full_run(FAILED)
    assert run["error"] == {
        "code": "timeout",
        "message": "no first byte within 300 s",
        "hint": "--timeout 900",
        "stage": "call",
    }
    assert (run["usage"], run["cost_usd"], run["patch"]) == (None, None, None)


def test_the_keys_of_nested_values():
    data = json_views.to_json(HISTORY)
    assert data is not None
    assert set(data["task"]) == TASK
    assert [set(item) for item in data["messages"]] == [MESSAGE]
    assert [set(item) for item in data["runs"]] == [LISTED_RUN]
    assert [set(item) for item in data["prs"]] == [PR]
    news = json_views.to_json(fake_app.NEWS)
    assert news is not None
    assert (set(news["pr"]), [set(item) for item in news["messages"]]) == (PR, [MESSAGE])
    compared = json_views.to_json(COMPARED)
    assert compared is not None
    assert compared["files"] == [{"path": "a.py", "runs": [RUN.id], "identical": False}]
    plan = json_views.to_json(fake_app.PLAN)
    assert plan is not None
    assert plan["tokens"] == {"files": 321, "total": 500}
    assert plan["withheld"] == [{"path": ".env", "reason": "forbidden"}]
    applied = json_views.to_json(fake_app.APPLIED)
    assert applied is not None
    assert [set(item) for item in applied["files_changed"]] == [CHANGE]


def test_the_source_of_a_key():
    for key, expected in ((KeySource.KEYRING, "keyring"), (None, None)):
        data = json_views.to_json(replace(fake_app.MODEL, key=key))
        assert data is not None
        assert data["key"] == expected
    assert json_views.encode_model(fake_app.MODEL)["options"] == {"effort": "high"}


def test_a_round_of_several_tasks_has_no_task():
    assert json_views.to_json(results.RoundResult(None, None, (RUN,)))["task"] is None
