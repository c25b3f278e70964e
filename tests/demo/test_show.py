"""The demonstration from end to end, against the real application."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from dursor.app import App
from dursor.demo.models import MALFORMED, PRACTICE_MODELS, RIGHT, PracticeModel, when_shown_the_bug
from dursor.demo.show import NOTICE, DemoResult, lines, run_demo
from dursor.domain import ProviderName, RunStatus
from dursor.errors import UsageError
from dursor.services.events import RoundEvent, RoundStarted, RunFinished
from dursor.services.request import NewModel, RoundRequest
from dursor.services.results import RoundResult


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, list[RoundEvent]]:
    """One demonstration that several tests look at, and what its listener heard."""
    heard: list[RoundEvent] = []
    kept = tmp_path_factory.mktemp("demo") / "kept"
    return run_demo(App, kept, heard.append, delay=0), heard


def saying(**replies: str) -> list[PracticeModel]:
    """The practice models, some of them made to say something else."""
    answers = {name.replace("_", "-"): when_shown_the_bug(text) for name, text in replies.items()}
    return [replace(m, answer=answers.get(m.name, m.answer)) for m in PRACTICE_MODELS]


def verdicts(result: DemoResult) -> list[bool]:
    return [test.passed for test in result.tests]


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_of_three_answers_pass(shown: tuple[DemoResult, list[RoundEvent]]) -> None:
    result, heard = shown
    assert [(test.model, test.passed) for test in result.tests] == [
        ("practice-gpt", True),
        ("practice-claude", True),
        ("practice-gemini", False),
    ]
    assert [run.status for run in result.runs] == [RunStatus.SUCCEEDED] * 3
    assert [run.provider for run in result.runs] == list(ProviderName)
    assert all(run.attempts == 1 for run in result.runs)  # the malformed diff needs no repair turn
    assert all(run.usage and run.usage.reasoning_tokens for run in result.runs)
    assert result.best
    assert result.best.model == "practice-claude"
    assert result.exit_code == 0
    assert isinstance(heard[0], RoundStarted)
    assert sum(isinstance(event, RunFinished) for event in heard) == 3


def test_everything_can_be_kept(shown: tuple[DemoResult, list[RoundEvent]]) -> None:
    folder = shown[0].folder
    assert folder
    assert (folder / "toolshed" / ".git").is_dir()
    assert (folder / "data" / "dursor.db").is_file()
    pages = {p.parts[-3]: p.read_text() for p in folder.glob("answers/*/toolshed/pages.py")}
    assert sorted(pages) == sorted(model.name for model in PRACTICE_MODELS)
    assert len(set(pages.values())) == 3
    with pytest.raises(UsageError, match="not an empty folder"):
        run_demo(App, folder, None)


def test_it_is_told_in_plain_lines(shown: tuple[DemoResult, list[RoundEvent]]) -> None:
    result, _ = shown
    told = lines(result)
    text = "\n".join(told)
    assert told[0] == NOTICE
    for run, test in zip(result.runs, result.tests, strict=True):
        (row,) = [line for line in told if line.startswith(run.id[:8])]
        assert run.model in row
        assert row.endswith(test.detail)
        assert ("passed" in row) == test.passed
    assert result.best
    assert result.best.patch
    assert result.best.patch in text
    assert f"dursor run show {result.best.id[:8]}" in text
    assert text.isprintable() or all(line.isprintable() for line in told)


def test_the_table_says_what_the_tests_did() -> None:
    result = run_demo(App, None, None, models=saying(practice_gemini=MALFORMED), delay=0)
    assert verdicts(result) == [True, True, True]
    assert sum("passed" in line for line in lines(result)) >= 3


def test_an_answer_without_a_change_does_not_pass() -> None:
    models = saying(practice_gpt="All is well.", practice_claude="Nothing to do.")
    result = run_demo(App, None, None, models=models, delay=0)
    assert verdicts(result) == [False, False, False]
    assert [run.error.code if run.error else None for run in result.runs] == [
        "no_patch",
        "no_patch",
        None,
    ]
    assert result.best is None
    assert result.exit_code == 0  # the wrong answer is a patch
    assert "no answer passed the test" in lines(result)


def test_a_round_without_any_patch_fails() -> None:
    model = PracticeModel("mute", ProviderName.OPENAI, lambda _: "I cannot.")
    result = run_demo(App, None, None, models=[model], delay=0)
    assert (verdicts(result), result.exit_code) == ([False], 1)
    assert lines(result)


def test_the_users_own_data_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):  # as in many an office
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    before = fingerprint(tmp_path)
    models = saying(practice_gpt=RIGHT)[:1]
    result = run_demo(App, None, None, models=models, environ=environ, delay=0)
    assert verdicts(result) == [True]
    assert result.folder is None
    assert fingerprint(tmp_path) == before


def test_what_is_no_folder_cannot_be_kept_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot keep"):
        run_demo(App, tmp_path / "file", None)
    assert (tmp_path / "file").read_text() == "x"


def test_an_interrupted_round_is_no_result(tmp_path: Path) -> None:
    class Interrupted:
        """Stands for the application when Ctrl-C comes during the round."""

        def __init__(self, env: Mapping[str, str], cwd: Path) -> None:
            self.models = self.rounds = self

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def add(self, new: NewModel, ask_key: Callable[[], None]) -> None:
            assert ask_key() is None

        def start(self, request: RoundRequest, listener: object) -> RoundResult:
            return RoundResult(None, (), interrupted=True)

    with pytest.raises(KeyboardInterrupt):
        run_demo(Interrupted, tmp_path / "kept", None)  # type: ignore[arg-type]
