"""Whether an answer is right: its patch in a copy of the repository, and the test run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from dursor.demo.result import TestOutcome
from dursor.demo.sample import FILES, TEST

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import Run

SECONDS = 30.0
# What a Python needs to start, and nothing that was exported for other programs.
ENVIRONMENT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")


def judge(run: Run, repository: Path, copy: Path) -> TestOutcome:
    """Apply RUN's patch in COPY, a new copy of REPOSITORY, and run the sample's test there."""
    if run.patch is None:
        return TestOutcome(run.model, passed=False, detail="no patch to test")
    shutil.copytree(repository, copy)
    _apply(run.patch, copy)
    # The test is the base's: an answer that edits or deletes it must not become its own judge.
    (copy / f"{TEST}.py").write_text(FILES[f"{TEST}.py"], encoding="utf-8", newline="")
    passed, detail = run_test(copy)
    return TestOutcome(run.model, passed, detail)


def _apply(patch: str, copy: Path) -> None:
    from dursor.vcs.apply.apply import apply_patch  # noqa: PLC0415
    from dursor.vcs.repository import Repository  # noqa: PLC0415  # loads GitPython

    with Repository.open(copy) as repository:
        apply_patch(repository, patch.encode("utf-8", "surrogateescape"))


def run_test(folder: Path, seconds: float = SECONDS) -> tuple[bool, str]:
    """Run the sample's test in FOLDER; whether it passes, and how that is put in a few words."""
    command = [sys.executable, "-I", "-B", "-m", "unittest", "discover", "-p", f"{TEST}.py"]
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return False, f"failed: took longer than {seconds:g} s"
    if done.returncode == 0:
        return True, "passed"
    said = done.stderr.strip().splitlines() or [""]
    counts = re.fullmatch(r"FAILED (\(.*\))", said[-1])  # unittest's last line
    return False, f"failed {counts[1]}" if counts else f"failed: exit status {done.returncode}"
