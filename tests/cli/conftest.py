import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stage
from typer.testing import CliRunner

from dursor.cli.root import app

ROOT = Path(__file__).parents[2]


@dataclass
class Outcome:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str
    played: stage.Played

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.stdout)


Dursor = Callable[..., Outcome]


@pytest.fixture
def dursor() -> Dursor:
    """Run a command in this process; `answers` is what the application says."""

    def run(
        *words: str, answers: dict[str, Any] | None = None, input: str | None = None
    ) -> Outcome:
        played = stage.Played(answers or {})
        result = CliRunner().invoke(app, words, input=input, obj=played, catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout, result.stderr, played)

    return run


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that has nothing of this machine's user."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    folders = {"HOME": tmp_path, "DURSOR_DATA_DIR": tmp_path / "data"}
    folders["DURSOR_CONFIG_DIR"] = tmp_path / "config"
    pythonpath = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    fixed = {"NO_COLOR": "1", "TERM": "xterm", "LANG": "C.UTF-8", "PYTHONPATH": pythonpath}
    return {**kept, **{name: str(path) for name, path in folders.items()}, **fixed}


@pytest.fixture
def process(home: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `dursor` as a process of its own; with PLAY, against that play of tests/stage.py."""

    def run(
        *words: str, play: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        program = ["-m", "dursor"] if play is None else [stage.__file__]
        done = subprocess.run(
            [sys.executable, *program, *words],
            env={**home, **environment, "STAGE_PLAY": play or ""},
            cwd=home["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        outputs = [one.decode("utf-8", "surrogateescape") for one in (done.stdout, done.stderr)]
        return subprocess.CompletedProcess(done.args, done.returncode, *outputs)

    return run
