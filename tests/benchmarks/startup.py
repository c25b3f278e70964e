"""What starting costs: python tests/benchmarks/startup.py [ROUNDS]

CPU of whole processes as ratios to `python -c pass` of the same interpreter, medians of ROUNDS (15),
taken in turns so that a busy machine disturbs all alike. The store holds 10,000 runs, and the
processes stand in their repository. Measure an installed dursor: `pip install .`, no coverage.
Targets: --version 2x, --help 8x, run list 8x and 20 MiB, completion 8x.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import fake_app

from dursor.ids import new_id
from dursor.store.write import Store

RUNS = 10_000
RUNS_A_ROUND = 500
SCRIPT = Path(sys.executable).with_name("dursor")
DURSOR = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "dursor"]
# A process inherits the peak memory of the one that starts it, so a small one does.
MEASURE = """
import os, sys
nothing = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=nothing)
_, status, used = os.wait4(child, 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
Case = tuple[Sequence[str], Mapping[str, str], str]


def completing(*words: str) -> dict[str, str]:
    line = "\n".join(["dursor", *words])
    return {"_DURSOR_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}


CASES: dict[str, Case] = {
    "python -c pass": ([sys.executable, "-c", "pass"], {}, ""),
    "import typer": ([sys.executable, "-c", "import typer"], {}, ""),
    "--version": ([*DURSOR, "--version"], {}, "2x"),
    "--help": ([*DURSOR, "--help"], {}, "8x"),
    "run list": ([*DURSOR, "run", "list"], {}, "8x"),
    "run list --json": ([*DURSOR, "run", "list", "--json"], {}, "8x"),
    "complete a command": (DURSOR, completing("run", "sh"), "8x"),
    "complete a run": (DURSOR, completing("run", "show", "a"), "8x"),
    "complete a model": (DURSOR, completing("run", "Fix", "-m", "g"), "8x"),
}


def fill(data: Path, repository: Path) -> None:
    """Store 10,000 finished runs."""
    repo = replace(fake_app.REPO, path=str(repository))
    store = Store(data / "dursor.db")
    for _ in range(RUNS // RUNS_A_ROUND):
        task = replace(fake_app.TASK, id=new_id())
        run = replace(
            fake_app.RUN,
            round=replace(fake_app.ROUND, id=new_id(), task_id=task.id, number=0),
            sample=0,
        )
        runs = [replace(run, id=new_id()) for _ in range(RUNS_A_ROUND)]
        store.start_round(run.round, runs, task=task, repo=repo)
    store.close()


def spent(case: Case, environment: Mapping[str, str], cwd: Path) -> tuple[float, float]:
    """Run CASE once; CPU seconds and peak MiB."""
    words, extra, _ = case
    measured = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, *words],
        env={**environment, **extra},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    cpu, peak = map(float, measured.stdout.split())
    return cpu, peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        repository = home / "shop"
        subprocess.run(["git", "init", "-q", repository], check=True)
        fill(home / "data", repository.resolve())
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "DURSOR_DATA_DIR": str(home / "data"),
            "DURSOR_CONFIG_DIR": str(home / "config"),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
        for _ in range(rounds + 1):
            for name, case in CASES.items():
                taken[name].append(spent(case, environment, repository))
    report({name: samples[1:] for name, samples in taken.items()})


def report(taken: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    bare = statistics.median(cpu for cpu, _ in taken["python -c pass"])
    for name, samples in taken.items():
        cpu = statistics.median(cpu for cpu, _ in samples)
        target = f"  (target {CASES[name][2]})" if CASES[name][2] else ""
        memory = max(mib for _, mib in samples)
        print(f"{name:20} {cpu * 1000:6.1f} ms {cpu / bare:5.1f}x {memory:5.0f} MiB{target}")


if __name__ == "__main__":
    main()
