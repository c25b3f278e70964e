"""Time `dursor context` in a repository: cold, warm, after a commit.

    python tests/benchmarks/context.py REPOSITORY [--text TEXT] [--budgets 8000,64000] [--times 5]

Each line has the wall clock and CPU time (including git) of a whole process in seconds, the best of
several if warm, and its peak memory. REPOSITORY is only read: commits go to a clone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TEXT = "Pagination is off by one: the last page is empty when the count is a multiple of the size"


class Cost(NamedTuple):
    """The cost of a process: seconds of wall clock and CPU, peak MiB."""

    wall: float
    cpu: float
    peak: float


def run(command: list[str]) -> Cost:
    """Run COMMAND in a separate process and measure its cost."""
    program = (
        "import os, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "result = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
        "sys.exit(result.returncode)\n"
    )
    words = [sys.executable, "-c", program, *command]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    return Cost(*map(float, result.stdout.split()))


def git(folder: Path, *words: str) -> str:
    """Run git in FOLDER."""
    return subprocess.run(
        ["git", "-C", folder, *words], capture_output=True, text=True, check=True
    ).stdout


def change_ten(folder: Path) -> None:
    """Commit a change to ten source files across the repository."""
    suffixes = (".py", ".js", ".ts", ".go", ".rs", ".java", ".c", ".rb", ".php")
    paths = [path for path in git(folder, "ls-files").splitlines() if path.endswith(suffixes)]
    for path in paths[:: max(1, len(paths) // 10)][:10]:
        with (folder / path).open("a") as stream:
            stream.write("\n")
    who = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
    git(folder, *who, "commit", "-q", "-a", "-m", "Change ten files")


def show(title: str, costs: list[Cost]) -> None:
    """Print the best of COSTS."""
    wall, cpu = min(cost.wall for cost in costs), min(cost.cpu for cost in costs)
    peak = max(cost.peak for cost in costs)
    print(f"{title:28} wall {wall:6.2f} s   CPU {cpu:6.2f} s   peak {peak:5.0f} MiB", flush=True)


def main() -> None:
    """Measure and print a line for each kind of start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--text", default=TEXT)
    parser.add_argument("--budgets", default="8000,16000,32000,64000")
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "clone"
        os.environ["DURSOR_DATA_DIR"] = f"{scratch}/data"
        subprocess.run(["git", "clone", "-q", "--shared", args.repository, folder], check=True)
        words = [sys.executable, "-m", "dursor", "context", args.text, "--repo", str(folder)]
        budgets = args.budgets.split(",")
        show("bare python", [run([sys.executable, "-c", "pass"]) for _ in range(args.times)])
        show("cold", [run([*words, "--context-budget", budgets[0]])])
        for budget in budgets:
            command = [*words, "--context-budget", budget]
            show(f"warm, {budget} tokens", [run(command) for _ in range(args.times)])
        change_ten(folder)
        show("after a commit of ten files", [run([*words, "--context-budget", budgets[0]])])
        cache = [p.stat().st_size for p in Path(scratch, "data/cache").rglob("*") if p.is_file()]
        print(f"cache {sum(cache) / 2**20:.1f} MiB in {len(cache)} files")


if __name__ == "__main__":
    main()
