"""Many processes use one database at once without errors or losses."""

import subprocess
import sys

from store_writers import WRITER, write_at_once

from dursor.domain import RunStatus
from dursor.store.lease import find_dead
from dursor.store.read import Reader
from dursor.store.schema import VERSION
from dursor.store.write import Store


def test_concurrent_writers_lose_nothing(path):
    assert write_at_once(path, processes=4, rounds=10) == []
    with Reader(path) as reader:
        runs = reader.runs(limit=None)
        assert len(runs) == 40
        assert sorted(run.round.number for run in runs) == list(range(1, 41))
        assert [round_.number for round_ in reader.rounds("a" * 32)] == list(range(1, 41))
        assert {run.status for run in runs} == {RunStatus.SUCCEEDED}
        assert len(reader.repos()) == len(reader.tasks()) == 1
        assert len(reader.messages("a" * 32)) == 80
        run = reader.run(runs[0].id)
        assert (len(run.logs), len(run.round.logs), len(run.replies)) == (1, 1, 1)
        assert reader.active_leases() == frozenset()


def test_killed_writers_leave_complete_rounds_and_dead_leases(path):
    command = [sys.executable, "-c", WRITER, str(path), "10000", "a" * 32]
    for _ in range(3):
        with subprocess.Popen(command, stdin=subprocess.PIPE) as writer, Reader(path) as reader:
            writer.stdin.write(b"go\n")
            writer.stdin.flush()
            before = len(reader.runs(limit=None))
            while len(reader.runs(limit=None)) < before + 5:
                assert writer.poll() is None
            writer.kill()
    with Store(path) as store, Reader(path) as reader:
        assert store._fetch_one("PRAGMA integrity_check")[0] == "ok"
        runs = reader.runs(limit=None)
        done = [run for run in runs if run.status is RunStatus.SUCCEEDED]
        assert len(reader.messages("a" * 32)) == len(runs) + len(done)
        assert sorted(run.round.number for run in runs) == list(range(1, len(runs) + 1))
        leases = reader.active_leases()
        assert None not in leases
        assert find_dead(store.leases, leases) == leases
        assert len(store.reap(leases)) == len(runs) - len(done)
        assert reader.active_leases() == frozenset()
        assert store._fetch_one("SELECT count(*) FROM run_leases")[0] == 0


def test_many_threads_open_a_new_database_at_once(path):
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    barrier = Barrier(8)

    def open_at_once(_):
        barrier.wait()
        with Store(path) as store:
            return store._fetch_one("SELECT count(*) FROM _sqlite_migrations")[0]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_at_once, range(8))) == [VERSION] * 8
