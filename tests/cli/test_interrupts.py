"""Ctrl-C at every moment of a short command: 130, and with --json one object."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import repos

# Sends the signal when MOMENT is imported, as the console script would start dursor.
SCRIPT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["MOMENT"]:
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except KeyboardInterrupt:  # in the middle of an import
                if name != "dursor.interrupts":
                    os._exit(77)
                raise

sys.meta_path.insert(0, Finder())
from dursor.__main__ import main
sys.exit(main())
"""
MOMENTS = (
    "dursor.interrupts",
    "dursor.cli.output.terminal",
    "typer",
    "dursor.cli.root",
    "dursor.cli.commands.run",
    "dursor.app",
    "dursor.config",
    "dursor.store.rows",
)


def run_interrupted(home, moment, *words):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        env={**home, "MOMENT": moment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.fixture
def environment(home):
    """Give an environment with a store."""
    words = [sys.executable, "-m", "dursor", "task", "new", "x"]
    repos.build(Path(home["HOME"]) / "shop", {"a": "a"})
    cwd = Path(home["HOME"]) / "shop"
    subprocess.run(words, cwd=cwd, env=home, check=True, capture_output=True)
    return home


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_while_dursor_starts(environment, moment):
    done = run_interrupted(environment, moment, "run", "list", "--all", "--json")
    failure = {"code": "interrupted", "message": "interrupted", "hint": None}
    assert done.returncode == 130, done
    assert json.loads(done.stdout)["errors"] == [failure]
    assert done.stderr == ""
    done = run_interrupted(environment, moment, "run", "list", "--all")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")


def test_an_ignored_ctrl_c_stays_ignored(environment):
    done = subprocess.run(
        ["sh", "-c", f"trap '' INT; exec '{sys.executable}' -c '{SCRIPT}' run list --all --json"],
        env={**environment, "MOMENT": "typer"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "ok"), done
    assert os.linesep in done.stdout
