"""What a round costs beyond its models: python tests/benchmarks/rounds.py

Seconds beyond the slowest stream (2.0 s, 400 events), from the round's entry with imports done, at 3,
10 and 50 models; the same of a whole process; and 500 samples of a 1 s stream with the peak memory.
Targets: 50, 60 and 150 ms; 0.6 s; 300 MiB.
"""

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import repos
import streams
from command_line import KEYS, README

LINES = "".join(f"+line {i} of the change\n" for i in range(4, 60))
streams.TEXT = (
    "Added lines.\n\n```diff\n--- a/README.md\n+++ b/README.md\n@@ -2,2 +2,58 @@\n line 2\n line 3\n"
    f"{LINES}```\n"
)
NAMES = ("gpt", "claude", "gemini")


@contextlib.contextmanager
def paced(seconds: float) -> Iterator[int]:
    """Serve every vendor's stream over SECONDS; gives the port."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(seconds)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def environment(home: Path, port: int) -> dict[str, str]:
    root = f"http://127.0.0.1:{port}"
    return (
        repos.environment(home)
        | KEYS
        | {
            "OPENAI_BASE_URL": f"{root}/v1",
            "ANTHROPIC_BASE_URL": root,
            "GOOGLE_GEMINI_BASE_URL": root,
            "DURSOR_DATA_DIR": str(home / "data"),
            "DURSOR_CONFIG_DIR": str(home / "config"),
        }
    )


def inside(home: Path, repo: Path, count: int, seconds: float) -> list[float]:
    """Seconds beyond the stream of three rounds in this process; the first also imports."""
    from dursor.app import App
    from dursor.services.events import ignore_event
    from dursor.services.request import ModelCount, RoundRequest

    samples = [count // 3 + (i < count % 3) for i in range(3)]
    models = tuple(ModelCount(name, n) for name, n in zip(NAMES, samples, strict=True))
    beyond = []
    with paced(seconds) as port, App(environment(home, port), repo) as app:
        for _ in range(4):
            began = time.perf_counter()
            done = app.rounds.start(RoundRequest("add lines", models), ignore_event)
            beyond.append(time.perf_counter() - began - seconds)
            assert {run.status for run in done.runs} == {"succeeded"}, done.runs[0].error
    return sorted(beyond[1:])


def process(home: Path, repo: Path, seconds: float, *models: str) -> tuple[float, float]:
    """Seconds beyond the stream of a whole process, and its peak memory in MiB."""
    words = [word for model in models for word in ("-m", model)]
    with paced(seconds) as port:
        began = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "dursor", "run", "add lines", *words, "--json"],
            cwd=repo,
            env=environment(home, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return wall - seconds, usage.ru_maxrss / 1024


def main() -> None:
    idle = streams.bare()
    print(f"bare Python: {idle * 1000:.1f} ms CPU")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        repo = repos.build(Path(scratch) / "repo", {"README.md": README, "calc.py": "x = 1\n"})
        for count in (3, 10, 50):
            fastest, median, _ = inside(home, repo, count, 2.0)
            print(f"{count:3d} models: {median * 1000:4.0f} ms beyond, best {fastest * 1000:.0f}")
        for _ in range(2):  # the first one makes the bytecode
            beyond, rss = process(home, repo, 2.0, *NAMES)
        print(f"whole process, 3 models: {beyond:.2f} s beyond, {rss:.0f} MiB")
        beyond, rss = process(home, repo, 1.0, "gpt:500")
        print(f"whole process, 500 samples: {beyond + 1:.1f} s in all, {rss:.0f} MiB")
    print(f"this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    if "--serve" in sys.argv:
        asyncio.run(streams.serve(float(sys.argv[-1])))
    else:
        main()
