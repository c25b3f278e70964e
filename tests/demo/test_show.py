"""The demonstration end to end, with the real application."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from dursor.app import App
from dursor.demo.models import MALFORMED, PRACTICE_MODELS, RIGHT, PracticeModel
from dursor.demo.report import NOTICE, format_report
from dursor.demo.result import DemoResult
from dursor.demo.show import run_demo
from dursor.domain import RunStatus
from dursor.errors import UsageError
from dursor.services.events import RoundEvent, RoundStarted, RunFinished
from dursor.services.request import NewModel, RoundRequest
from dursor.services.results import RoundResult


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, list[RoundEvent]]:
    """One demonstration, shared by several tests, and its events."""
    events: list[RoundEvent] = []
    folder = tmp_path_factory.mktemp("demo") / "kept"
    return run_demo(App, folder, events.append, delay=0), events


def change_replies(**replies: str) -> list[PracticeModel]:
    """The practice models with some replies changed."""
    return [
        replace(model, reply=replies.get(model.name.replace("-", "_"), model.reply))
        for model in PRACTICE_MODELS
    ]


def outcomes(result: DemoResult) -> list[bool]:
    return [test.passed for test in result.tests]


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_of_three_answers_pass(demo: tuple[DemoResult, list[RoundEvent]]) -> None:
    result, events = demo
    assert [(test.model, test.passed) for test in result.tests] == [
        ("practice-gpt", True),
        ("practice-claude", True),
        ("practice-gemini", False),
    ]
    assert [run.status for run in result.runs] == [RunStatus.SUCCEEDED] * 3
    assert [run.provider for run in result.runs] == ["openai", "anthropic", "google"]
    assert all(run.attempts == 1 for run in result.runs)  # the malformed diff needs no repair turn
    for run, model in zip(result.runs, PRACTICE_MODELS, strict=True):
        assert run.usage
        assert run.usage.output_tokens == len(model.reply) // 4
        assert run.usage.input_tokens > 1000
    assert result.best
    assert result.best.model == "practice-claude"
    assert result.exit_code == 0
    assert isinstance(events[0], RoundStarted)
    assert sum(isinstance(event, RunFinished) for event in events) == 3


def test_everything_can_be_kept(demo: tuple[DemoResult, list[RoundEvent]]) -> None:
    folder = demo[0].folder
    assert folder
    assert (folder / "toolshed" / ".git").is_dir()
    assert (folder / "data" / "dursor.db").is_file()
    pages = {p.parts[-3]: p.read_text() for p in folder.glob("answers/*/toolshed/pages.py")}
    assert sorted(pages) == sorted(model.name for model in PRACTICE_MODELS)
    assert len(set(pages.values())) == 3
    with pytest.raises(UsageError, match="is not an empty folder"):
        run_demo(App, folder, None)


def test_the_report_is_plain_lines(demo: tuple[DemoResult, list[RoundEvent]]) -> None:
    result, _ = demo
    lines = format_report(result)
    text = "\n".join(lines)
    assert lines[0] == NOTICE
    for run, test in zip(result.runs, result.tests, strict=True):
        (row,) = [line for line in lines if line.startswith(run.id[:8])]
        assert run.model in row
        assert row.endswith(test.detail)
        assert ("passed" in row) == test.passed
    assert result.best
    assert result.best.patch
    assert result.best.patch in text
    assert f"dursor run show {result.best.id[:8]}" in text
    assert text.isprintable() or all(line.isprintable() for line in lines)


def test_the_table_shows_the_test_outcomes() -> None:
    result = run_demo(App, None, None, models=change_replies(practice_gemini=MALFORMED), delay=0)
    assert outcomes(result) == [True, True, True]
    assert sum("passed" in line for line in format_report(result)) >= 3


def test_an_answer_without_a_change_does_not_pass() -> None:
    models = change_replies(practice_gpt="All is well.", practice_claude="Nothing to do.")
    result = run_demo(App, None, None, models=models, delay=0)
    assert outcomes(result) == [False, False, False]
    assert [run.error.code if run.error else None for run in result.runs] == [
        "no_patch",
        "no_patch",
        None,
    ]
    assert result.best is None
    assert result.exit_code == 0  # the wrong answer is a patch
    assert "no answer passed the test" in format_report(result)


def test_a_round_without_any_patch_fails() -> None:
    model = PracticeModel("mute", "openai", "I cannot.")
    result = run_demo(App, None, None, models=[model], delay=0)
    assert (outcomes(result), result.exit_code) == ([False], 1)
    assert format_report(result)


def test_the_users_data_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "config", "work", "scratch"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.toml").write_text('models = ["mine"]\n')
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    environ = {
        "HOME": str(tmp_path),
        "DURSOR_DATA_DIR": str(tmp_path / "data"),
        "DURSOR_CONFIG_DIR": str(tmp_path / "config"),
        "DURSOR_WORKSPACES_DIR": str(tmp_path / "work"),
        "DURSOR_BUDGET_USD": "0",
        "OPENAI_API_KEY": "sk-mine",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/nobody",
    }
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):  # as in many offices
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    before = fingerprint(tmp_path)
    models = change_replies(practice_gpt=RIGHT)[:1]
    result = run_demo(App, None, None, models=models, environ=environ, delay=0)
    assert outcomes(result) == [True]
    assert result.folder is None
    assert fingerprint(tmp_path) == before


def test_keep_must_name_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot write to"):
        run_demo(App, tmp_path / "file", None)
    assert (tmp_path / "file").read_text() == "x"


def test_an_interrupted_round_has_no_result(tmp_path: Path) -> None:
    class Interrupted:
        """An application whose round is interrupted by Ctrl-C."""

        def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
            self.models = self.rounds = self

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def add(self, new: NewModel, ask_key: Callable[[], None]) -> None:
            assert ask_key() is None

        def start(self, request: RoundRequest, listener: object) -> RoundResult:
            return RoundResult(None, None, (), interrupted=True)

    with pytest.raises(KeyboardInterrupt):
        run_demo(Interrupted, tmp_path / "kept", None)  # type: ignore[arg-type]
