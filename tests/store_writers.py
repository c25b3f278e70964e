"""Processes that write rounds to one database at the same time."""

import subprocess
import sys

WRITER = """
import pathlib, sys
from dataclasses import replace
from dursor.domain import *
from dursor.store.lease import Lease
from dursor.store.read import Reader
from dursor.store.write import RunUpdate, Store

path, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
reader = Reader(path)
sys.stdin.readline()
with Store(path) as store:
    lease = Lease.acquire(store.leases)
    repo = Repo(new_id(), "app", None, "/code/app", "main", None, None, now())
    task = Task(sys.argv[3], repo.id, "shared", TaskStatus.OPEN, now(), now())
    for _ in range(rounds):
        run = Run(
            new_id(), task.id, 0, 0, None, new_id(), "gpt", "openai", "m", "mend it",
            "HEAD", "c" * 40, False, RunStatus.QUEUED, now(), lease=lease.id,
        )
        message = Message(new_id(), task.id, Role.USER, "mend it", None, now())
        task, (run,) = store.start_round(task, repo, [message], [run])
        entry = LogEntry(now(), Stage.CALL, "called")
        store.update_runs([RunUpdate(run.id, {"status": RunStatus.RUNNING}, [entry])])
        reader.runs(limit=5)
        reader.cancel_requested(lease.id)
        done = replace(run, status=RunStatus.SUCCEEDED, patch="x" * 2000, completed_at=now())
        answer = Message(new_id(), task.id, Role.ASSISTANT, "done", run.id, now())
        assert store.finish_run(done, answer)
    lease.release()
reader.close()
"""


def write_at_once(path, processes, rounds):
    """Start PROCESSES writers at the same time; return their errors."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(rounds), "a" * 32],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    errors = [writer.communicate()[1] for writer in writers]
    return [error for writer, error in zip(writers, errors, strict=True) if writer.returncode]
