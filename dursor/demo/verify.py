"""Verifies an answer: applies its patch to a copy of the sample and runs the sample's test."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from dursor.demo.result import TestOutcome
from dursor.demo.sample import FILES, TEST
from dursor.services.direct_process import DirectProcess

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Run
    from dursor.services.ports import Sandbox

TIMEOUT = 30.0  # seconds
DIRECT = DirectProcess()


def verify(run: Run, repository: Path, copy: Path) -> TestOutcome:
    """Apply RUN's patch in COPY, a new copy of REPOSITORY, and run the sample's test there."""
    if run.patch is None:
        return TestOutcome(run.model, passed=False, detail="no patch to test")
    shutil.copytree(repository, copy)
    _apply(run.patch, copy)
    # Restore the test: an answer that edits or deletes it must not pass by doing so.
    (copy / f"{TEST}.py").write_text(FILES[f"{TEST}.py"], encoding="utf-8", newline="")
    passed, detail = run_test(copy)
    return TestOutcome(run.model, passed, detail)


def _apply(patch: str, copy: Path) -> None:
    from dursor.vcs.apply.apply import apply_patch  # noqa: PLC0415
    from dursor.vcs.repository import Repository  # noqa: PLC0415  # loads GitPython

    with Repository.open(copy) as repository:
        apply_patch(repository, patch.encode("utf-8", "surrogateescape"))


def run_test(folder: Path, timeout: float = TIMEOUT, sandbox: Sandbox = DIRECT) -> tuple[bool, str]:
    """Run the sample's test in FOLDER; return whether it passed and a short description."""
    command = [sys.executable, "-I", "-B", "-m", "unittest", "discover", "-p", f"{TEST}.py"]
    exit_code, output = sandbox.run(command, folder, timeout)
    if exit_code is None:
        return False, f"failed: took longer than {timeout:g} s"
    if exit_code == 0:
        return True, "passed"
    if results := re.findall(r"^FAILED (\(.*\))$", output, re.MULTILINE):
        return False, f"failed {results[-1]}"
    return False, f"failed: exit status {exit_code}"
