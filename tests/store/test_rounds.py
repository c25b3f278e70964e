"""Rounds are numbered in the store, stored completely or not at all, and final runs never change."""

from dataclasses import replace

import pytest

from dursor.domain import (
    AttemptReply,
    Change,
    Choices,
    ContextFile,
    FileChange,
    LogEntry,
    MessageKind,
    RunError,
    RunStatus,
    Stage,
    TaskStatus,
    Usage,
)
from dursor.errors import ConflictError, InternalError, NotFoundError
from dursor.store.lease import Lease

DEAD_LEASE = "e" * 32
PREPARED = LogEntry("2026-01-01T00:00:00.000Z", Stage.PREPARE, "prepared")
ENTRY = LogEntry("2026-01-01T00:00:00.000Z", Stage.CALL, "called")


def add(store, make, owner, **options):
    """Store a round of one run in the task OWNER."""
    round_ = make.round(owner)
    return store.start_round(round_, [make.run(round_)], **options)


def read_leases(store):
    rows = store._db.execute("SELECT run_id, lease FROM run_leases").fetchall()
    return {row["run_id"]: row["lease"] for row in rows}


def test_round_registers_repository_task_message_and_runs(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    round_ = make.round(task)
    message = make.message(task, kind=MessageKind.INSTRUCTION, round_id=round_.id)
    runs = [make.run(round_), make.run(round_, model="claude")]

    stored = store.start_round(round_, runs, task=task, repo=repo, message=message)

    assert stored.task == task
    assert stored.round == replace(round_, number=1)
    assert [(run.round, run.sample, run.model) for run in stored.runs] == [
        (stored.round, 1, "gpt"),
        (stored.round, 1, "claude"),
    ]
    assert reader.repos() == [repo]
    assert reader.tasks() == [task]
    assert reader.messages(task.id) == [message]
    assert reader.rounds(task.id) == [stored.round]
    assert {reader.run(run.id) for run in stored.runs} == set(stored.runs)


def test_round_is_stored_once_with_everything_its_runs_share(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    round_ = make.round(
        task,
        base_ref="main",
        dirty=True,
        instruction="fix caf\udce9",
        choices=Choices(("caf\udce9",), 8000, 0.5, allow_paths=("src/*",), explore=False),
        logs=(PREPARED,),
        context=(ContextFile("caf\udce9", ((1, 9), (20, 30)), 12, "named"),),
        dirty_patch="--- a/caf\udce9\n+++ b/caf\udce9\n",
    )
    runs = [make.run(round_, overrides=Choices(timeout=9.0)), make.run(round_)]

    stored = store.start_round(round_, runs, task=task, repo=repo)

    assert stored.round == replace(round_, number=1)
    assert store._fetch_one("SELECT count(*) FROM rounds")[0] == 1
    assert reader.rounds(task.id) == [stored.round]
    first, second = (reader.run(run.id) for run in stored.runs)
    assert first.round == second.round == stored.round
    assert (first.overrides, second.overrides) == (Choices(timeout=9.0), None)
    assert first.full_log == (PREPARED,)


def test_rounds_of_a_task_are_numbered(store, make, started):
    second = add(store, make, started.task)
    third = add(store, make, started.task, task=started.task)
    assert [(stored.round.number, stored.runs[0].round.number) for stored in (second, third)] == [
        (2, 2),
        (3, 3),
    ]


def test_rounds_are_listed_by_number_for_one_task(store, reader, make, started):
    other = store.add_task(make.task(reader.repos()[0]))
    rounds = [started.round]
    for task in (started.task, other, started.task):
        # a clock that runs backwards changes nothing
        round_ = make.round(task, created_at="2025-01-01T00:00:00.000Z")
        rounds.append(store.start_round(round_, [make.run(round_)]).round)
    assert reader.rounds(started.task.id) == [rounds[0], rounds[1], rounds[3]]
    assert reader.rounds(other.id) == [rounds[2]]
    assert [round_.number for round_ in rounds] == [1, 2, 1, 3]
    assert reader.rounds("0" * 32) == []


def test_first_round_on_a_base_is_found(store, reader, make, started):
    bases = [
        ("d" * 40, False, None),
        ("d" * 40, True, None),
        ("d" * 40, True, "caf\udce9"),
        ("d" * 40, True, "caf\udce9"),
    ]
    stored = []
    for commit, dirty, patch in bases:
        round_ = make.round(started.task, base_commit=commit, dirty=dirty, dirty_patch=patch)
        stored.append(store.start_round(round_, [make.run(round_)]).round)
    firsts = [
        reader.first_round(started.task.id, commit, dirty=dirty, dirty_patch=patch)
        for commit, dirty, patch in [*bases, ("e" * 40, False, None)]
    ]
    assert firsts == [*stored[:3], stored[2], None]


def test_samples_are_numbered_per_model(store, make):
    repo = make.repo()
    task = make.task(repo)
    round_ = make.round(task)
    runs = [make.run(round_), make.run(round_, model="claude"), make.run(round_)]
    stored = store.start_round(round_, runs, task=task, repo=repo)
    assert [run.sample for run in stored.runs] == [1, 1, 2]
    assert [run.sample for run in add(store, make, task).runs] == [1]


def test_runs_of_a_retry_join_their_round(store, reader, make, started):
    retries = [make.run(started.round, model=model) for model in ("claude", "gpt", "gpt")]
    joined = store.start_round(started.round, retries, lease="f" * 32)
    assert joined.round == started.round
    assert [(run.model, run.sample) for run in joined.runs] == [
        ("claude", 1),
        ("gpt", 4),
        ("gpt", 5),
    ]
    assert reader.rounds(started.task.id) == [started.round]
    assert {run.round.id for run in reader.runs()} == {started.round.id}
    assert {run.round.number for run in reader.runs()} == {1}
    leases = read_leases(store)
    assert [leases[run.id] for run in joined.runs] == ["f" * 32] * 3


def test_given_sample_is_kept(store, reader, make, started):
    runs = [make.run(started.round, sample=7), make.run(started.round)]
    joined = store.start_round(started.round, runs)
    assert [run.sample for run in joined.runs] == [7, 8]
    assert reader.run(runs[0].id).sample == 7


def test_round_updates_the_time_of_its_task(store, reader, make, started):
    touched = add(store, make, started.task).task
    assert touched.updated_at > started.task.updated_at
    assert reader.task(started.task.id) == touched


def test_folder_that_another_process_registered_keeps_its_row(store, reader, make):
    first, second = make.repo(), make.repo("other", path="/code/app")
    store.add_repo(first)
    task = make.task(second)
    stored = add(store, make, task, task=task, repo=second)
    assert stored.task.repo_id == first.id
    assert reader.repos() == [first]
    assert [run.id for run in reader.runs(repo_id=first.id)] == [stored.runs[0].id]


def test_second_folder_of_a_name_gets_another_name(store, reader, make):
    for folder in ("/a/app", "/b/app", "/c/app"):
        repo = make.repo(path=folder)
        task = make.task(repo)
        add(store, make, task, task=task, repo=repo)
    assert [repo.name for repo in reader.repos()] == ["app-3", "app-2", "app"]


def test_closed_task_accepts_no_round(store, reader, make, started):
    task = started.task
    store.update_task(replace(task, status=TaskStatus.CLOSED))
    with pytest.raises(ConflictError, match="closed"):
        add(store, make, task, task=task, message=make.message(task))
    assert len(reader.runs()) == 3
    assert reader.rounds(task.id) == [started.round]


def test_unknown_task_accepts_no_round(store, make):
    with pytest.raises(NotFoundError):
        add(store, make, make.task(make.repo()))


def test_round_that_cannot_be_stored_leaves_nothing(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    round_ = make.round(task)
    run = make.run(round_)
    options = {"task": task, "repo": repo, "message": make.message(task), "lease": DEAD_LEASE}
    with pytest.raises(InternalError):
        store.start_round(round_, [run, run], **options)
    assert reader.repos() == []
    assert reader.tasks() == []
    assert reader.rounds(task.id) == []
    assert reader.runs() == []
    assert reader.messages(task.id) == []
    assert read_leases(store) == {}


def test_changes_set_fields_of_many_runs(store, reader, started):
    first, second, third = started.runs
    running = {"status": RunStatus.RUNNING, "attempts": 1, "logs": (ENTRY, ENTRY)}
    assert store.record_runs({first.id: running, second.id: {"logs": (ENTRY,)}}) == frozenset()
    assert reader.run(first.id) == replace(first, **running)
    assert reader.run(second.id) == replace(second, logs=(ENTRY,))
    assert reader.run(third.id) == third


@pytest.mark.parametrize("name", ["id", "sample", "created_at", "task_id", "round_id", "lease"])
def test_change_of_a_fixed_field_is_refused(store, reader, started, name):
    run = started.runs[0]
    with pytest.raises(ValueError, match=name):
        store.record_runs({run.id: {"status": RunStatus.RUNNING, name: "x"}})
    assert reader.run(run.id) == run


def finish(run):
    return replace(
        run,
        status=RunStatus.SUCCEEDED,
        summary="fixed",
        patch="--- a/caf\udce9\n+++ b/caf\udce9\n",
        files_changed=(FileChange("caf\udce9", "old", Change.RENAMED, 1, 2),),
        warnings=("careful",),
        logs=(ENTRY,),
        usage=Usage(10, 5, 3, 1, 2),
        cost_usd=0.25,
        attempts=2,
        started_at="2026-01-01T00:00:01.000Z",
        completed_at="2026-01-01T00:00:02.000Z",
    )


def test_finished_run_is_stored_completely_with_its_message(store, reader, make, started):
    run = started.runs[0]
    message = make.reply(run)
    assert store.record_runs({}, [(finish(run), message)]) == frozenset()
    assert reader.run(run.id) == finish(run)
    assert reader.messages(run.task_id)[-1] == message


def test_empty_log_of_a_finished_run_keeps_the_stored_log(store, reader, started):
    run = started.runs[0]
    store.record_runs({run.id: {"logs": (ENTRY, ENTRY)}})
    store.record_runs({}, [(replace(finish(run), logs=()), None)])
    assert reader.run(run.id) == replace(finish(run), logs=(ENTRY, ENTRY))


def test_final_run_never_changes_again(store, reader, make, started):
    run = started.runs[0]
    canceled = replace(run, status=RunStatus.CANCELED, completed_at=make.at())
    assert store.record_runs({}, [(canceled, None)]) == frozenset()
    late = make.reply(run, "too late")

    assert store.record_runs({}, [(finish(run), late)]) == {run.id}
    changes = {run.id: {"status": RunStatus.RUNNING, "logs": (ENTRY,)}}
    assert store.record_runs(changes) == {run.id}
    assert store.record_runs(changes, [(finish(run), late)]) == {run.id}
    assert store.request_cancel([run.id]) == []
    assert run.id not in store.reap([DEAD_LEASE, None])
    assert reader.run(run.id) == canceled
    assert late not in reader.messages(run.task_id)


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
def test_status_that_is_not_final_does_not_finish_a_run(store, started, status):
    with pytest.raises(ValueError, match=status.value):
        store.record_runs({}, [(replace(started.runs[0], status=status), None)])


def test_changes_finals_and_replies_are_one_transaction(store, reader, started):
    first, second, third = started.runs
    reply = AttemptReply(1, "a patch")
    changes = {first.id: {"status": RunStatus.RUNNING, "logs": (ENTRY,)}}
    assert store.record_runs(changes, [(finish(second), None)], [(first.id, reply)]) == frozenset()
    assert reader.run(first.id).logs == (ENTRY,)
    assert reader.run(second.id) == finish(second)
    stored = reader.messages(third.task_id)[0]
    with pytest.raises(InternalError):  # the message exists
        store.record_runs(
            {first.id: {"status": RunStatus.FAILED}},
            [(finish(third), stored)],
            [(first.id, AttemptReply(2, "lost"))],
        )
    assert reader.run(first.id) == replace(first, **changes[first.id], replies=(reply,))
    assert reader.run(third.id) == third
    assert third.id in read_leases(store)


# replies


def test_reply_of_every_attempt_is_stored(store, reader, started):
    first, second, third = started.runs
    replies = [AttemptReply(2, "second caf\udce9 \ud83d"), AttemptReply(1, "first")]
    store.record_runs({}, replies=[(first.id, reply) for reply in replies])
    store.record_runs(
        {}, replies=[(second.id, AttemptReply(1, "")), (first.id, AttemptReply(3, "third"))]
    )
    assert reader.run(first.id).replies == (
        AttemptReply(1, "first"),
        AttemptReply(2, "second caf\udce9 ?"),
        AttemptReply(3, "third"),
    )
    assert reader.run(second.id).replies == (AttemptReply(1, ""),)
    assert reader.run(third.id).replies == ()
    assert {run.replies for run in reader.runs()} == {()}


def test_second_report_of_an_attempt_replaces_its_reply(store, reader, started):
    run = started.runs[0]
    other = AttemptReply(2, "another")
    store.record_runs({}, replies=[(run.id, AttemptReply(1, "cut")), (run.id, other)])
    store.record_runs({}, replies=[(run.id, AttemptReply(1, "cut, then complete"))])
    assert reader.run(run.id).replies == (AttemptReply(1, "cut, then complete"), other)


def test_reply_of_a_final_run_is_stored(store, reader, started):
    run = started.runs[0]
    failed = replace(
        run,
        status=RunStatus.FAILED,
        error=RunError("no_patch", "the reply contains no patch", None, Stage.RESOLVE),
    )
    first, second = AttemptReply(1, "prose"), AttemptReply(2, "more prose")
    store.record_runs({}, [(failed, None)], [(run.id, first)])
    assert reader.run(run.id) == replace(failed, replies=(first,))
    late = store.record_runs({run.id: {"attempts": 2}}, replies=[(run.id, second)])
    assert late == {run.id}
    assert reader.run(run.id) == replace(failed, replies=(first, second))


def test_reply_of_an_unknown_run_is_refused(store, started):
    with pytest.raises(InternalError):
        store.record_runs({}, replies=[("0" * 32, AttemptReply(1, "text"))])


# leases


def test_lease_of_a_run_is_deleted_when_the_run_ends(store, reader, started):
    first, second, third = started.runs
    assert read_leases(store) == {run.id: DEAD_LEASE for run in started.runs}
    store.record_runs({second.id: {"status": RunStatus.RUNNING}}, [(finish(first), None)])
    assert read_leases(store) == {run.id: DEAD_LEASE for run in (second, third)}
    assert reader.active_leases() == {DEAD_LEASE}
    assert store.request_cancel([second.id]) == [second.id]
    assert read_leases(store) == {third.id: DEAD_LEASE}
    assert store.reap([DEAD_LEASE]) == [third.id]
    assert read_leases(store) == {}
    assert reader.active_leases() == frozenset()


def test_run_without_a_lease_is_active(store, reader, make, started):
    add(store, make, started.task)
    assert reader.active_leases() == {DEAD_LEASE, None}
    assert len(read_leases(store)) == 3


def test_cancel_marks_runs_whose_owner_is_alive(store, reader, make):
    lease = Lease.acquire(store.leases)
    try:
        repo = make.repo()
        task = make.task(repo)
        round_ = make.round(task)
        runs = [make.run(round_) for _ in range(2)]
        store.start_round(round_, runs, task=task, repo=repo, lease=lease.id)
        assert reader.cancel_requested(lease.id) == frozenset()
        assert store.request_cancel([runs[0].id]) == [runs[0].id]
        assert reader.cancel_requested(lease.id) == {runs[0].id}
        assert reader.run(runs[0].id).status is RunStatus.QUEUED
        store.record_runs({}, [(replace(runs[0], status=RunStatus.CANCELED), None)])
        assert reader.cancel_requested(lease.id) == frozenset()
    finally:
        lease.release()


def test_cancel_ends_runs_whose_owner_is_dead(store, reader, make, started):
    run = started.runs[0]
    (unowned,) = add(store, make, started.task).runs
    replies = [(run.id, AttemptReply(number, "prose")) for number in (1, 2)]
    store.record_runs({run.id: {"logs": (ENTRY,)}}, replies=replies)
    assert store.request_cancel([run.id, unowned.id]) == [run.id, unowned.id]
    ended = reader.run(run.id)
    assert ended.status is RunStatus.FAILED
    assert ended.error == RunError(
        "interrupted",
        "the process that owned the run ended",
        f"dursor run retry {run.id[:8]}",
        Stage.CALL,
    )
    assert ended.completed_at
    assert len(ended.logs) == 2
    assert (ended.attempts, reader.run(unowned.id).attempts) == (2, 0)
    assert reader.run(unowned.id).error.stage is Stage.CONTEXT


def test_reaping_ends_only_the_runs_of_the_given_leases(store, reader, make, started):
    add(store, make, started.task, lease="f" * 32)
    (unowned,) = add(store, make, started.task).runs
    assert sorted(store.reap([DEAD_LEASE])) == sorted(run.id for run in started.runs)
    assert reader.active_leases() == {"f" * 32, None}
    assert store.reap([DEAD_LEASE]) == []
    assert store.reap([None]) == [unowned.id]
    assert reader.active_leases() == {"f" * 32}


def test_rows_of_runs_can_be_copied(store, started):
    """Only the id of a run is unique."""
    names = [row[1] for row in store._db.execute("PRAGMA table_info(runs)").fetchall()]
    marks = ", ".join("?" if name == "id" else name for name in names)
    assert store._execute(f"INSERT INTO runs SELECT {marks} FROM runs LIMIT 1", "a" * 32) == 1
