"""Processes that write rounds into one database at the same moment."""

import subprocess
import sys

WRITER = """
import pathlib, sys
from dataclasses import replace
from dursor.domain import *
from dursor.ids import new_id
from dursor.store.lease import Lease
from dursor.store.read import Reader
from dursor.store.write import Store

path, rounds = pathlib.Path(sys.argv[1]), int(sys.argv[2])
reader = Reader(path)
sys.stdin.readline()
with Store(path) as store:
    lease = Lease.acquire(store.leases)
    repo = Repo(new_id(), "app", None, "/code/app", "main", None, None, now())
    task = Task(sys.argv[3], repo.id, "shared", TaskStatus.OPEN, now(), now())
    for _ in range(rounds):
        round_ = Round(
            new_id(), task.id, 0, None, "HEAD", "c" * 40, False, now(), "fix it",
            logs=(LogEntry(now(), Stage.PREPARE, "prepared"),),
        )
        run = Run(
            new_id(), round_, 0, new_id(), "gpt", "openai", "m", RunStatus.QUEUED, now()
        )
        instruction = Message(
            new_id(), task.id, Role.USER, MessageKind.INSTRUCTION, "fix it", now(),
            round_id=round_.id,
        )
        task, _, (run,) = store.start_round(
            round_, [run], task=task, repo=repo, message=instruction, lease=lease.id
        )
        logs = (LogEntry(now(), Stage.CALL, "called"),)
        store.record_runs({run.id: {"status": RunStatus.RUNNING, "logs": logs}})
        reader.runs(limit=5)
        reader.cancel_requested(lease.id)
        done = replace(run, status=RunStatus.SUCCEEDED, patch="x" * 2000, completed_at=now())
        reply = Message(
            new_id(), task.id, Role.ASSISTANT, MessageKind.REPLY, "done", now(), run_id=run.id
        )
        text = AttemptReply(1, "a patch")
        assert store.record_runs({}, [(done, reply)], [(run.id, text)]) == frozenset()
    lease.release()
reader.close()
"""


def write_at_once(path, processes, rounds):
    """Start PROCESSES writers at the same moment; returns the error output of failed ones."""
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
    return [error for writer, error in zip(writers, errors, strict=True) if writer.returncode != 0]
