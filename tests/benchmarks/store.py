"""What the store costs: python tests/benchmarks/store.py

Eight processes write 200 rounds of one run each into one database (target: 0 errors, 0 lost); then
20 of 10,000 runs are listed, opening the file included, by a process that has nothing loaded.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
from store_writers import write_at_once

from dursor.domain import RunStatus, new_id
from dursor.store.read import Reader
from dursor.store.write import Store

PROCESSES, ROUNDS, ROWS = 8, 200, 10_000
LIST = """
import pathlib, sys, time
from dursor.store.read import Reader
start = time.perf_counter()
with Reader(pathlib.Path(sys.argv[1])) as reader:
    assert len(reader.runs(limit=20)) == 20
print(time.perf_counter() - start)
"""


def written(path: Path) -> None:
    """Write, count and say."""
    start = time.perf_counter()
    complaints = write_at_once(path, PROCESSES, ROUNDS)
    seconds = time.perf_counter() - start
    with Reader(path) as reader:
        runs = reader.runs(limit=None)
        whole = [run for run in runs if run.status is RunStatus.SUCCEEDED]
        rounds = {run.round for run in whole}
    lost = PROCESSES * ROUNDS - len(rounds)
    print(f"{PROCESSES} processes x {ROUNDS} rounds in {seconds:.1f} s: ", end="")
    print(f"{len(complaints)} processes failed, {lost} rounds lost")
    for complaint in complaints:
        print(complaint.strip().splitlines()[-1])


def multiplied(path: Path) -> None:
    """Copy rows until there are ROWS."""
    with Store(path) as store, store._writing():
        names = [row[1] for row in store._all("PRAGMA table_info(runs)")]
        copied = ", ".join("?" if name == "id" else name for name in names)
        (count,) = store._one("SELECT count(*) FROM runs")
        sql = f"INSERT INTO runs SELECT {copied} FROM runs LIMIT 1 OFFSET ?"
        for index in range(ROWS - count):
            store._do(sql, new_id(), index % count)


def listed(path: Path) -> None:
    """Time the list in fresh processes."""
    command = [sys.executable, "-c", LIST, str(path)]
    times = [float(subprocess.check_output(command)) for _ in range(9)]
    size = path.stat().st_size / 2**20
    print(f"20 of {ROWS} runs ({size:.0f} MiB): {statistics.median(times) * 1000:.1f} ms")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        database = Path(folder) / "dursor.db"
        written(database)
        multiplied(database)
        listed(database)
