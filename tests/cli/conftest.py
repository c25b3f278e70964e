import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fake_app
import pytest
from typer.testing import CliRunner

from dursor.cli import root

ROOT = Path(__file__).parents[2]


@dataclass
class Outcome:
    """The result of a command."""

    exit_code: int
    stdout: str
    stderr: str
    app: fake_app.FakeApp

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.stdout)


Dursor = Callable[..., Outcome]


@pytest.fixture
def dursor() -> Dursor:
    """Run a command in this process with a fake application that returns `answers`."""

    def run(
        *words: str, answers: dict[str, Any] | None = None, input: str | None = None
    ) -> Outcome:
        app = fake_app.FakeApp(answers or {})
        result = CliRunner().invoke(root.app, words, input=input, obj=app, catch_exceptions=False)
        return Outcome(result.exit_code, result.stdout, result.stderr, app)

    return run


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A process environment without anything of this machine's user."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    folders = {"HOME": tmp_path, "DURSOR_DATA_DIR": tmp_path / "data"}
    folders["DURSOR_CONFIG_DIR"] = tmp_path / "config"
    pythonpath = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    fixed = {"NO_COLOR": "1", "TERM": "xterm", "LANG": "C.UTF-8", "PYTHONPATH": pythonpath}
    return {**kept, **{name: str(path) for name, path in folders.items()}, **fixed}


@pytest.fixture
def process(home: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `dursor` as a process, with SCENARIO of tests/fake_app.py or the real application."""

    def run(
        *words: str, scenario: str | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        program = ["-m", "dursor"] if scenario is None else [fake_app.__file__]
        process = subprocess.run(
            [sys.executable, *program, *words],
            env={**home, **environment, "FAKE_APP_SCENARIO": scenario or ""},
            cwd=home["HOME"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        outputs = [
            output.decode("utf-8", "surrogateescape") for output in (process.stdout, process.stderr)
        ]
        return subprocess.CompletedProcess(process.args, process.returncode, *outputs)

    return run
