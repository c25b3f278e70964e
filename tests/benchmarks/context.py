"""Time `dursor context` in a repository as a user waits for it: cold, warm, after a commit.

    python tests/benchmarks/context.py REPOSITORY [--text TEXT] [--budgets 8000,64000] [--times 5]

Each line gives the wall clock and the CPU time (with git's) of a whole process in seconds, the best
of several for warm ones, and the peak of its memory. REPOSITORY is only read: commits go to a clone.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TEXT = "Pagination is off by one: the last page is empty when the count is a multiple of the size"


class Taken(NamedTuple):
    """What a process took: seconds of wall clock and of CPU, MiB at its peak."""

    wall: float
    cpu: float
    peak: float


def run(command: list[str]) -> Taken:
    """Run COMMAND in a process of its own, so that the peak is its own, too."""
    program = (
        "import os, resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
        "sys.exit(done.returncode)\n"
    )
    words = [sys.executable, "-c", program, *command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return Taken(*map(float, done.stdout.split()))


def git(folder: Path, *words: str) -> str:
    """Run git in FOLDER."""
    return subprocess.run(
        ["git", "-C", folder, *words], capture_output=True, text=True, check=True
    ).stdout


def change_ten(folder: Path) -> None:
    """Commit a change of ten files of code, spread over the repository."""
    suffixes = (".py", ".js", ".ts", ".go", ".rs", ".java", ".c", ".rb", ".php")
    paths = [path for path in git(folder, "ls-files").splitlines() if path.endswith(suffixes)]
    for path in paths[:: max(1, len(paths) // 10)][:10]:
        with (folder / path).open("a") as stream:
            stream.write("\n")
    who = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
    git(folder, *who, "commit", "-q", "-a", "-m", "Change ten files")


def show(what: str, taken: list[Taken]) -> None:
    """Print the best of TAKEN."""
    wall, cpu = min(one.wall for one in taken), min(one.cpu for one in taken)
    peak = max(one.peak for one in taken)
    print(f"{what:28} wall {wall:6.2f} s   CPU {cpu:6.2f} s   peak {peak:5.0f} MiB", flush=True)


def main() -> None:
    """Measure, and print a line for each kind of start."""
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
