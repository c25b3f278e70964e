"""What every test may ask for."""

import compileall
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repos
from emulator import Emulator
from front import README, Front
from hypothesis import HealthCheck, settings
from vendors.server import ScriptedServer

# Tests start hundreds of processes, and none of them should have to compile anything.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" not in os.environ:
    compileall.compile_dir(Path(__file__).parents[1] / "dursor", quiet=2, workers=2)

# Whoever starts this in the background may have it ignore Ctrl-C, and every child with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine makes no property false; what a gate finds must be found again.
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
    """Give a scripted HTTP server on loopback."""
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def front(tmp_path: Path, server: ScriptedServer) -> Front:
    """Give dursor with a home, a repository and three vendors that nothing is scripted for."""
    home = tmp_path / "home"
    home.mkdir()
    top = repos.build(
        tmp_path / "project", {"README.md": README, "calc.py": "def add(a, b):\n    return a - b\n"}
    )
    return Front(home, top, server)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """Give llmock, one a worker; whoever uses it resets it first."""
    with Emulator() as running:
        yield running


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Any]:
    """Give a GitHub on loopback that must not have had to overlook anything."""
    from hub import Hub  # with it come cryptography and PyJWT

    with Hub(tmp_path / "hub") as running:
        yield running
    assert running.violations == []
