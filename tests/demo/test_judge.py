"""The sample, the practice replies, and the test that decides between them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dursor.demo.exchange import PracticeRequest
from dursor.demo.judge import judge, run_test
from dursor.demo.models import MALFORMED, PRACTICE_MODELS, RIGHT, WRONG
from dursor.demo.sample import FILES, TEST, create_sample
from dursor.domain import ProviderName, Run, RunStatus, new_id, now


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "sample"
    create_sample(folder).close()
    return folder


def diff_in(reply: str) -> str:
    found = re.search(r"```diff\n(.*?)```", reply, re.DOTALL)
    assert found
    return found[1]


def git_apply(diff: str, folder: Path, *options: str) -> bool:
    command = ["git", "apply", *options, "-"]
    done = subprocess.run(
        command, input=diff, text=True, cwd=folder, capture_output=True, check=False
    )
    return done.returncode == 0


def run_with(patch: str | None) -> Run:
    return Run(
        id=new_id(),
        task_id=new_id(),
        round=1,
        sample=1,
        parent_run_id=None,
        model_id=new_id(),
        model="m",
        provider=ProviderName.OPENAI,
        model_name="m",
        instruction="x",
        base_ref="HEAD",
        base_commit="0" * 40,
        dirty=False,
        status=RunStatus.SUCCEEDED,
        created_at=now(),
        patch=patch,
    )


def diff_of(sample: Path, folder: Path, changed: dict[str, str | None]) -> str:
    """The patch that turns the sample into what CHANGED says."""
    shutil.copytree(sample, folder)
    for name, text in changed.items():
        (folder / name).unlink() if text is None else (folder / name).write_text(text)
    command = ["git", "diff", "--no-ext-diff"]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True).stdout


def test_the_sample_fails_its_test_and_nothing_else_is_wrong_with_it(sample: Path) -> None:
    passed, said = run_test(sample)
    assert not passed
    assert re.fullmatch(r"failed \(failures=\d+\)", said)  # and no errors


def test_two_replies_are_right_one_is_malformed_and_one_is_wrong(
    sample: Path, tmp_path: Path
) -> None:
    assert git_apply(diff_in(RIGHT), sample, "--check")
    assert not git_apply(diff_in(MALFORMED), sample, "--check", "--recount")
    assert git_apply(diff_in(WRONG), sample, "--check")
    assert judge(run_with(diff_in(RIGHT)), sample, tmp_path / "right").passed
    wrong = judge(run_with(diff_in(WRONG)), sample, tmp_path / "wrong")
    assert (wrong.passed, wrong.detail[:8]) == (False, "failed (")


def test_a_practice_model_answers_only_what_it_was_shown() -> None:
    for model in PRACTICE_MODELS:
        blind = PracticeRequest(model.provider, "api", model.name, "", (), stream=True, body={})
        assert "```" not in model.answer(blind)


def test_an_answer_cannot_change_the_test_that_judges_it(sample: Path, tmp_path: Path) -> None:
    emptied = diff_of(sample, tmp_path / "a", {f"{TEST}.py": "import unittest\n"})
    assert not judge(run_with(emptied), sample, tmp_path / "b").passed
    deleted = diff_of(sample, tmp_path / "c", {f"{TEST}.py": None})
    assert not judge(run_with(deleted), sample, tmp_path / "d").passed


def test_a_run_without_a_patch_does_not_pass(sample: Path, tmp_path: Path) -> None:
    outcome = judge(run_with(None), sample, tmp_path / "copy")
    assert (outcome.model, outcome.passed) == ("m", False)
    assert not (tmp_path / "copy").exists()


def test_the_test_runs_without_the_callers_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "planted"))
    (tmp_path / f"{TEST}.py").write_text(
        "import os, sys, unittest\n"
        "class T(unittest.TestCase):\n"
        "    def test(self):\n"
        "        self.assertNotIn('OPENAI_API_KEY', os.environ)\n"
        f"        self.assertNotIn({str(tmp_path / 'planted')!r}, sys.path)\n"
    )
    assert run_test(tmp_path) == (True, "passed")


def test_a_test_that_hangs_is_stopped(tmp_path: Path) -> None:
    (tmp_path / f"{TEST}.py").write_text("while True: pass\n")
    passed, said = run_test(tmp_path, seconds=0.3)
    assert (passed, said) == (False, "failed: took longer than 0.3 s")


def test_the_sample_is_small() -> None:
    assert len(FILES) == 5
    assert 100 <= sum(len(text.splitlines()) for text in FILES.values()) <= 150
