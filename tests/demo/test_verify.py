"""The sample, the practice replies and the test that verifies them."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import fake_app
import pytest

from dursor.demo.models import MALFORMED, PRACTICE_MODELS, RIGHT, WRONG
from dursor.demo.sample import FILES, TEST, create_sample
from dursor.demo.verify import run_test, verify
from dursor.domain import Run


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "sample"
    create_sample(folder).close()
    return folder


def extract_diff(reply: str) -> str:
    match = re.search(r"```diff\n(.*?)```", reply, re.DOTALL)
    assert match
    return match[1]


def git_apply(diff: str, folder: Path, *options: str) -> bool:
    command = ["git", "apply", *options, "-"]
    process = subprocess.run(
        command, input=diff, text=True, cwd=folder, capture_output=True, check=False
    )
    return process.returncode == 0


def make_run(patch: str | None) -> Run:
    return replace(fake_app.RUN, model="m", patch=patch)


def make_diff(sample: Path, folder: Path, changed: dict[str, str | None]) -> str:
    """Return the patch that applies CHANGED to the sample; None deletes a file."""
    shutil.copytree(sample, folder)
    for name, text in changed.items():
        (folder / name).unlink() if text is None else (folder / name).write_text(text)
    command = ["git", "diff", "--no-ext-diff"]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True).stdout


def test_the_sample_fails_its_test_without_errors(sample: Path) -> None:
    passed, detail = run_test(sample)
    assert not passed
    assert re.fullmatch(r"failed \(failures=\d+\)", detail)


def test_two_replies_are_right_one_is_malformed_and_one_is_wrong(
    sample: Path, tmp_path: Path
) -> None:
    assert git_apply(extract_diff(RIGHT), sample, "--check")
    assert not git_apply(extract_diff(MALFORMED), sample, "--check", "--recount")
    assert git_apply(extract_diff(WRONG), sample, "--check")
    assert verify(make_run(extract_diff(RIGHT)), sample, tmp_path / "right").passed
    wrong = verify(make_run(extract_diff(WRONG)), sample, tmp_path / "wrong")
    assert (wrong.passed, wrong.detail[:8]) == (False, "failed (")


def test_a_practice_model_needs_to_see_the_bug() -> None:
    for model in PRACTICE_MODELS:
        assert "```" not in model.answer('{"input": "fix it"}')
        assert model.answer(json.dumps({"input": FILES["toolshed/pages.py"]})) == model.reply


def test_an_answer_cannot_change_its_own_test(sample: Path, tmp_path: Path) -> None:
    emptied = make_diff(sample, tmp_path / "a", {f"{TEST}.py": "import unittest\n"})
    assert not verify(make_run(emptied), sample, tmp_path / "b").passed
    deleted = make_diff(sample, tmp_path / "c", {f"{TEST}.py": None})
    assert not verify(make_run(deleted), sample, tmp_path / "d").passed


def test_a_run_without_a_patch_does_not_pass(sample: Path, tmp_path: Path) -> None:
    outcome = verify(make_run(None), sample, tmp_path / "copy")
    assert (outcome.model, outcome.passed) == ("m", False)
    assert not (tmp_path / "copy").exists()


def test_the_test_runs_without_the_users_secrets(
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
    assert run_test(tmp_path, timeout=0.3) == (False, "failed: took longer than 0.3 s")


def test_the_sample_is_small() -> None:
    assert len(FILES) == 5
    assert 100 <= sum(len(text.splitlines()) for text in FILES.values()) <= 150
