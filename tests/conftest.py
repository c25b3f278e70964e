"""Fixtures and settings shared by all tests."""

import compileall
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repos
from command_line import README, CommandLine
from hypothesis import HealthCheck, settings
from vendors.server import ScriptedServer

# Tests start hundreds of processes: compile once, here.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" not in os.environ:
    compileall.compile_dir(Path(__file__).parents[1] / "dursor", quiet=2, workers=2)

# A background job may inherit an ignored SIGINT and pass it on to its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadlines on a busy machine; in CI, the same examples every time.
settings.register_profile(
    "here",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
    database=None if os.environ.get("CI") else settings.default.database,
)
settings.load_profile("here")


@pytest.fixture
def server():
    """Start the vendors' double; a request that they would reject fails the test."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, server: ScriptedServer) -> CommandLine:
    """Set up dursor with a home, a repository and three vendors without scripts."""
    home = tmp_path / "home"
    home.mkdir()
    top = repos.build(
        tmp_path / "project", {"README.md": README, "calc.py": "def add(a, b):\n    return a - b\n"}
    )
    return CommandLine(home, top, server)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Any]:
    """Start a GitHub on loopback; every request must have been one that it accepts."""
    from hub import Hub  # imports cryptography and PyJWT

    with Hub(tmp_path / "hub") as running:
        yield running
    assert running.violations == []
