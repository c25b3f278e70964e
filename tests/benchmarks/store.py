"""Measure the store: python tests/benchmarks/store.py

Eight processes write 200 rounds of one run each into one database (target: 0 errors, 0 lost). Then
fresh processes list 20 of 10,000 runs, opening the file included.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
from store_writers import write_at_once

from dursor.domain import RunStatus
from dursor.ids import new_id
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


def measure_writers(path: Path) -> None:
    """Write rounds at once and count those that were lost."""
    start = time.perf_counter()
    errors = write_at_once(path, PROCESSES, ROUNDS)
    seconds = time.perf_counter() - start
    with Reader(path) as reader:
        runs = reader.runs(limit=None)
        rounds = {run.round.number for run in runs if run.status is RunStatus.SUCCEEDED}
    lost = PROCESSES * ROUNDS - len(rounds)
    print(f"{PROCESSES} processes x {ROUNDS} rounds in {seconds:.1f} s: ", end="")
    print(f"{len(errors)} processes failed, {lost} rounds lost")
    for error in errors:
        print(error.strip().splitlines()[-1])


def copy_runs(path: Path) -> None:
    """Copy runs until there are ROWS."""
    with Store(path) as store, store._writing():
        names = [row[1] for row in store._db.execute("PRAGMA table_info(runs)").fetchall()]
        copied = ", ".join("?" if name == "id" else name for name in names)
        (count,) = store._fetch_one("SELECT count(*) FROM runs")
        sql = f"INSERT INTO runs SELECT {copied} FROM runs LIMIT 1 OFFSET ?"
        for index in range(ROWS - count):
            store._execute(sql, new_id(), index % count)


def measure_list(path: Path) -> None:
    """Time the list in fresh processes."""
    command = [sys.executable, "-c", LIST, str(path)]
    times = [float(subprocess.check_output(command)) for _ in range(9)]
    size = path.stat().st_size / 2**20
    print(f"20 of {ROWS} runs ({size:.0f} MiB): {statistics.median(times) * 1000:.1f} ms")


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        database = Path(folder) / "dursor.db"
        measure_writers(database)
        copy_runs(database)
        measure_list(database)
