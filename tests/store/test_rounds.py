"""Rounds: numbered in the store, all or nothing, and final for good."""

from dataclasses import replace

import pytest

from dursor.domain import (
    Change,
    ContextFile,
    FileChange,
    LogEntry,
    Role,
    RunError,
    RunStatus,
    Stage,
    TaskStatus,
    Usage,
)
from dursor.errors import ConflictError, InternalError, NotFoundError
from dursor.store.lease import Lease
from dursor.store.write import RunUpdate

ENTRY = LogEntry("2026-01-01T00:00:00.000Z", Stage.CALL, "called")


def test_round_registers_repository_task_message_and_runs(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    message, runs = make.message(task), [make.run(task), make.run(task, model="claude")]

    stored_task, stored = store.start_round(task, repo, [message], runs)

    assert stored_task == task
    assert [(run.round, run.sample, run.model) for run in stored] == [
        (1, 1, "gpt"),
        (1, 1, "claude"),
    ]
    assert reader.repos() == [repo]
    assert reader.tasks() == [task]
    assert reader.messages(task.id) == [message]
    assert {reader.run(run.id) for run in stored} == set(stored)


def test_rounds_of_a_task_are_numbered_on(store, make, started):
    task, _ = started
    _, second = store.start_round(None, None, [], [make.run(task)])
    _, third = store.start_round(task, None, [], [make.run(task)])
    assert (second[0].round, third[0].round) == (2, 3)


def test_samples_of_a_model_are_numbered(store, make):
    repo = make.repo()
    task = make.task(repo)
    _, runs = store.start_round(
        task, repo, [], [make.run(task), make.run(task, model="claude"), make.run(task)]
    )
    assert [run.sample for run in runs] == [1, 1, 2]
    _, more = store.start_round(None, None, [], [make.run(task, round=1)])
    assert (more[0].round, more[0].sample) == (1, 3)


def test_given_numbers_are_kept(store, make, started):
    task, _ = started
    _, runs = store.start_round(None, None, [], [make.run(task, round=1, sample=7)])
    assert (runs[0].round, runs[0].sample) == (1, 7)


def test_round_touches_its_task(store, reader, make, started):
    task, _ = started
    touched, _ = store.start_round(None, None, [], [make.run(task)])
    assert touched.updated_at > task.updated_at
    assert reader.task(task.id) == touched


def test_folder_registered_meanwhile_keeps_its_row(store, reader, make):
    first, second = make.repo(), make.repo("other", path="/code/app")
    store.add_repo(first)
    task = make.task(second)
    stored, runs = store.start_round(task, second, [], [make.run(task)])
    assert stored.repo_id == first.id
    assert reader.repos() == [first]
    assert [run.id for run in reader.runs(repo_id=first.id)] == [runs[0].id]


def test_second_folder_of_a_name_gets_another_name(store, reader, make):
    for folder in ("/a/app", "/b/app", "/c/app"):
        repo = make.repo(path=folder)
        task = make.task(repo)
        store.start_round(task, repo, [], [make.run(task)])
    assert [repo.name for repo in reader.repos()] == ["app-3", "app-2", "app"]


def test_closed_task_takes_no_round(store, reader, make, started):
    task, _ = started
    store.update_task(replace(task, status=TaskStatus.CLOSED))
    with pytest.raises(ConflictError, match="closed"):
        store.start_round(task, None, [make.message(task)], [make.run(task)])
    assert len(reader.runs()) == 3


def test_unknown_task_takes_no_round(store, make):
    task = make.task(make.repo())
    with pytest.raises(NotFoundError):
        store.start_round(None, None, [], [make.run(task)])


def test_round_that_cannot_be_stored_leaves_nothing(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    run = make.run(task)
    with pytest.raises(InternalError):
        store.start_round(task, repo, [make.message(task)], [run, run])
    assert reader.repos() == []
    assert reader.tasks() == []
    assert reader.runs() == []


def test_updates_set_fields_and_append_to_the_log(store, reader, started):
    _, (first, second, _) = started
    late = store.update_runs(
        [
            RunUpdate(first.id, {"status": RunStatus.RUNNING, "attempts": 1}, [ENTRY]),
            RunUpdate(second.id, logs=[ENTRY, ENTRY]),
            RunUpdate(first.id, logs=[ENTRY]),
        ]
    )
    assert late == frozenset()
    found = reader.run(first.id)
    assert (found.status, found.attempts, found.logs) == (RunStatus.RUNNING, 1, (ENTRY, ENTRY))
    assert reader.run(second.id).logs == (ENTRY, ENTRY)


def test_update_of_what_never_changes_is_refused(store, started):
    _, (run, *_) = started
    with pytest.raises(ValueError, match="task_id"):
        store.update_runs([RunUpdate(run.id, {"task_id": "x"})])


def finished(run):
    return replace(
        run,
        status=RunStatus.SUCCEEDED,
        summary="mended",
        patch="--- a/caf\udce9\n+++ b/caf\udce9\n",
        files_changed=(FileChange("caf\udce9", "old", Change.RENAMED, 1, 2),),
        warnings=("careful",),
        logs=(ENTRY,),
        context=(ContextFile("a.py", ((1, 9), (20, 30)), 12, "named"),),
        usage=Usage(10, 5, 3, 1, 2),
        cost_usd=0.25,
        attempts=2,
        started_at="2026-01-01T00:00:01.000Z",
        completed_at="2026-01-01T00:00:02.000Z",
    )


def test_finished_run_is_stored_whole_with_what_it_said(store, reader, make, started):
    task, (run, *_) = started
    said = make.message(task, "done", role=Role.ASSISTANT, run_id=run.id)
    assert store.finish_run(finished(run), said)
    assert reader.run(run.id) == finished(run)
    assert reader.messages(task.id)[-1] == said


def test_log_and_context_stay_when_the_end_brings_none(store, reader, started):
    _, (run, *_) = started
    context = (ContextFile("a.py", None, 3, "x"),)
    store.update_runs([RunUpdate(run.id, {"context": context}, [ENTRY])])
    store.finish_run(replace(finished(run), logs=(), context=()))
    found = reader.run(run.id)
    assert (found.logs, found.context) == ((ENTRY,), context)


def test_final_run_never_changes_again(store, reader, make, started):
    task, (run, *_) = started
    canceled = replace(run, status=RunStatus.CANCELED, completed_at=make.at())
    assert store.finish_run(canceled)
    said = make.message(task, "too late", role=Role.ASSISTANT, run_id=run.id)

    assert not store.finish_run(finished(run), said)
    assert store.update_runs([RunUpdate(run.id, {"status": RunStatus.RUNNING}, [ENTRY])]) == {
        run.id
    }
    assert store.record_runs({run.id: {"status": RunStatus.RUNNING}}, [(finished(run), said)]) == {
        run.id
    }
    assert store.request_cancel([run.id]) == []
    assert store.reap([run.lease]) != [run.id]
    assert reader.run(run.id) == canceled
    assert said not in reader.messages(task.id)


def test_status_that_is_no_end_does_not_finish_a_run(store, started):
    _, (run, *_) = started
    with pytest.raises(ValueError, match="queued"):
        store.finish_run(run)


def test_many_changes_and_ends_go_into_one_transaction(store, reader, started):
    _, (first, second, third) = started
    changes = {first.id: {"status": RunStatus.RUNNING, "logs": (ENTRY,)}}
    assert store.record_runs(changes, [(finished(second), None)]) == frozenset()
    assert reader.run(first.id).logs == (ENTRY,)
    assert reader.run(second.id) == finished(second)
    with pytest.raises(InternalError):
        store.record_runs(
            {first.id: {"status": "failed"}}, [(finished(third), reader.messages(third.task_id)[0])]
        )
    assert reader.run(first.id).status is RunStatus.RUNNING


def test_cancel_marks_runs_whose_owner_lives(store, reader, make):
    lease = Lease.acquire(store.leases)
    try:
        repo = make.repo()
        task = make.task(repo)
        _, runs = store.start_round(
            task, repo, [], [make.run(task, lease=lease.id) for _ in range(2)]
        )
        assert reader.cancel_requested(lease.id) == frozenset()
        assert store.request_cancel([runs[0].id]) == [runs[0].id]
        assert reader.cancel_requested(lease.id) == {runs[0].id}
        assert reader.run(runs[0].id).status is RunStatus.QUEUED
        store.finish_run(replace(runs[0], status=RunStatus.CANCELED))
        assert reader.cancel_requested(lease.id) == frozenset()
    finally:
        lease.release()


def test_cancel_ends_runs_whose_owner_is_gone(store, reader, make, started):
    task, (run, *_) = started
    _, (unowned,) = store.start_round(None, None, [], [make.run(task)])
    store.update_runs([RunUpdate(run.id, logs=[ENTRY])])
    assert store.request_cancel([run.id, unowned.id]) == [run.id, unowned.id]
    found = reader.run(run.id)
    assert found.status is RunStatus.FAILED
    assert found.error == RunError(
        "interrupted",
        "the process that owned the run is gone",
        f"dursor run retry {run.id[:8]}",
        Stage.CALL,
    )
    assert found.completed_at
    assert len(found.logs) == 2
    assert reader.run(unowned.id).error.stage is Stage.PREPARE


def test_reaping_ends_only_the_runs_of_dead_leases(store, reader, make, started):
    task, runs = started
    _, (other,) = store.start_round(None, None, [], [make.run(task, lease="f" * 32)])
    assert sorted(store.reap(["e" * 32])) == sorted(run.id for run in runs)
    assert [run.id for run in reader.active_runs()] == [other.id]
    assert store.reap(["e" * 32]) == []


def test_rows_may_be_multiplied_by_hand(store, path, started):
    """Only the id of a run is its own; nothing else forbids a copy of the row."""
    names = [row[1] for row in store._all("PRAGMA table_info(runs)")]
    marks = ", ".join("?" if name == "id" else name for name in names)
    assert store._do(f"INSERT INTO runs SELECT {marks} FROM runs LIMIT 1", "a" * 32) == 1
