"""Reading: lists, pages, abbreviated ids, and databases of other versions."""

import subprocess
import sys
from dataclasses import replace

import pytest

from dursor.domain import (
    AttemptReply,
    Choices,
    ContextFile,
    LogEntry,
    RunStatus,
    Stage,
    TaskStatus,
)
from dursor.errors import InternalError, NotFoundError, UsageError
from dursor.store.read import Reader
from dursor.store.write import Store


def test_missing_database_reads_as_an_empty_one(path, reader):
    assert reader.runs() == reader.tasks() == reader.repos() == reader.models() == []
    assert reader.prs() == reader.messages("x") == reader.rounds("x") == []
    assert reader.active_leases() == frozenset()
    assert reader.ids("runs", "") == []
    assert reader.key_sources() == {}
    assert reader.github_app() is None
    assert reader.cancel_requested("x") == frozenset()
    with pytest.raises(NotFoundError):
        reader.run("abcd")
    assert not path.parent.exists()


def test_database_created_later_is_read(path, reader, make):
    assert reader.repos() == []
    with Store(path) as store:
        store.add_repo(make.repo())
        assert len(reader.repos()) == 1


def test_empty_file_reads_as_an_empty_database(path, reader):
    path.parent.mkdir()
    path.touch()
    assert reader.runs() == []


@pytest.fixture
def many(store, make):
    """Runs of two repositories, three tasks and all statuses, oldest first."""
    stored = []
    for name, tasks in (("app", 2), ("lib", 1)):
        repo = make.repo(name)
        for _ in range(tasks):
            task = make.task(repo)
            for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FAILED):
                round_ = make.round(
                    task,
                    dirty_patch="y",
                    choices=Choices(max_files=1),
                    logs=(LogEntry("t", Stage.PREPARE, "m"),),
                    context=(ContextFile("a", None, 1, "r"),),
                )
                run = make.run(
                    round_,
                    status=status,
                    patch="x" * 9000,
                    logs=(LogEntry("t", Stage.CALL, "m"),),
                    overrides=Choices(max_files=2),
                )
                (run,) = store.start_round(round_, [run], task=task, repo=repo).runs
                store.record_runs({}, replies=[(run.id, AttemptReply(1, "text"))])
                stored.append((repo, run))
    return stored


def strip(run):
    """RUN without the fields that lists leave out."""
    round_ = replace(run.round, choices=Choices(), logs=(), context=(), dirty_patch=None)
    return replace(run, round=round_, logs=(), overrides=None, patch=None)


def test_lists_are_newest_first_and_without_wide_fields(reader, many):
    newest = [strip(run) for _, run in many]
    assert reader.runs() == newest[::-1]
    assert reader.runs(limit=2) == newest[:-3:-1]
    assert reader.runs(limit=-1) == reader.runs(limit=None) == newest[::-1]
    for _, run in many:
        assert reader.run(run.id) == replace(run, replies=(AttemptReply(1, "text"),))


def test_active_leases_are_those_of_queued_and_running_runs(store, reader, make, many):
    assert reader.active_leases() == {None}
    task = reader.tasks(limit=1)[0]
    leases = {"a": RunStatus.QUEUED, "b": RunStatus.RUNNING, "c": RunStatus.FAILED}
    for digit, status in leases.items():
        round_ = make.round(task)
        store.start_round(round_, [make.run(round_, status=status)], lease=digit * 32)
    assert reader.active_leases() == {None, "a" * 32, "b" * 32}


def test_lists_are_narrowed_by_repository_task_and_status(reader, many):
    for repo_id in (None, many[0][0].id, many[-1][0].id):
        for task_id in (None, many[0][1].task_id, many[-1][1].task_id):
            for status in (None, RunStatus.FAILED, RunStatus.SUCCEEDED):
                matches = reader.runs(repo_id=repo_id, task_id=task_id, status=status)
                assert [run.id for run in matches] == [
                    run.id
                    for repo, run in reversed(many)
                    if repo_id in {None, repo.id}
                    and task_id in {None, run.task_id}
                    and status in {None, run.status}
                ]


def test_pages_are_consecutive_even_within_one_instant(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    first, second = make.round(task), make.round(task)
    at = make.at()
    runs = [make.run(first, created_at=at) for _ in range(5)]
    store.start_round(first, runs, task=task, repo=repo)
    store.start_round(second, [make.run(second) for _ in range(4)])
    seen, page = [], reader.runs(limit=2)
    while page:
        seen += page
        page = reader.runs(limit=2, before=page[-1].id, repo_id=repo.id)
    assert seen == reader.runs(limit=None)
    assert len(seen) == 9


def test_lists_need_no_scan_and_no_sort(reader, many):
    statements = []
    reader.runs(limit=1)
    reader._connection.set_trace_callback(statements.append)
    ids = {"repo_id": many[0][0].id, "task_id": many[0][1].task_id}
    for narrowed in ({}, {"repo_id": ids["repo_id"]}, {"task_id": ids["task_id"]}):
        for status in ({}, {"status": RunStatus.FAILED}):
            for before in ({}, {"before": many[4][1].id}):
                reader.runs(**narrowed, **status, **before)
    reader.active_leases()
    reader.rounds(ids["task_id"])
    reader.tasks()
    reader.tasks(repo_id=ids["repo_id"])
    reader.ids("runs", "")
    reader.ids("runs", "ab")
    reader.cancel_requested("x")
    reader._connection.set_trace_callback(None)
    queries = [sql for sql in statements if sql.lstrip().startswith("SELECT")]
    assert len(queries) == 19
    for statement in queries:
        plan = [row[3] for row in reader._connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        steps = " / ".join(plan)
        assert "INDEX" in steps, statement
        assert not any(step.startswith("SCAN") and "INDEX" not in step for step in plan), steps
        assert "ORDER BY" not in steps or "id >=" in statement, steps


def test_tasks_are_newest_first(store, reader, make):
    first, second = store.add_repo(make.repo("a")), store.add_repo(make.repo("b"))
    tasks = [store.add_task(make.task(repo)) for repo in (first, second, first)]
    assert reader.tasks() == tasks[::-1]
    assert reader.tasks(limit=1) == tasks[2:]
    assert reader.tasks(repo_id=first.id) == [tasks[2], tasks[0]]
    assert reader.tasks(repo_id=first.id, status=TaskStatus.CLOSED) == []


# abbreviated ids


@pytest.fixture
def abc(store, make):
    repo = make.repo()
    task = make.task(repo)
    ids = ["abcd1234" + "0" * 24, "abcd1234f" + "0" * 23, "abce" + "0" * 28]
    round_ = make.round(task)
    runs = [make.run(round_, id=run_id) for run_id in ids]
    return store.start_round(round_, runs, task=task, repo=repo).runs


@pytest.mark.parametrize("typed", ["abce", "ABCE", "abce0", "abce" + "0" * 28])
def test_unambiguous_prefix_finds_a_run(reader, abc, typed):
    assert reader.run(typed).id == abc[2].id
    assert reader.find("runs", typed) == abc[2].id


def test_error_of_an_ambiguous_prefix_lists_its_matches(reader, abc):
    with pytest.raises(UsageError) as caught:
        reader.run("abcd")
    assert caught.value.message == (
        "'abcd' matches more than one run: abcd1234f (gpt queued fix it); "
        "abcd12340 (gpt queued fix it)"
    )
    assert caught.value.hint == "type more digits, such as abcd1234f"


@pytest.mark.parametrize("typed", ["", "a", "abc"])
def test_short_prefix_is_refused(reader, abc, typed):
    with pytest.raises(UsageError, match="too short for the id of a run: 4 digits or more"):
        reader.run(typed)


@pytest.mark.parametrize("typed", ["ffff", "abcd1235", "main", "abc%", "abc_", "a" * 33])
def test_prefix_without_a_match_is_not_found(reader, abc, typed):
    with pytest.raises(NotFoundError) as caught:
        reader.run(typed)
    assert (caught.value.message, caught.value.hint) == (f"no run {typed!r}", "dursor run list")


def test_tasks_and_repositories_are_found_by_prefix(reader, abc):
    (task,), (repo,) = reader.tasks(), reader.repos()
    assert reader.task(task.id[:12]) == task
    assert reader.repo(repo.id[:12]) == repo
    with pytest.raises(NotFoundError, match="no task"):
        reader.task("0" * 32)


def test_ids_are_listed_with_a_label(store, reader, make, abc):
    assert reader.ids("runs", "abcd") == [
        (abc[1].id, "gpt queued fix it"),
        (abc[0].id, "gpt queued fix it"),
    ]
    assert [run_id for run_id, _ in reader.ids("runs", "", limit=2)] == [abc[2].id, abc[1].id]
    assert reader.ids("runs", "xyz") == []
    task = make.task(reader.repos()[0], title="two\nlines\x1b[31m and more " + "x" * 99)
    store.add_task(task)
    ((_, label),) = reader.ids("tasks", task.id[:8])
    assert label.isprintable()
    assert len(label) <= 60


# cancel


def test_cancel_poll_reads_the_table_only_after_a_write(store, reader, started):
    assert reader.cancel_requested("e" * 32) == frozenset()
    statements = []
    reader._connection.set_trace_callback(statements.append)
    for _ in range(3):
        assert reader.cancel_requested("e" * 32) == frozenset()
    assert set(statements) == {"PRAGMA data_version"}
    store._execute("UPDATE run_leases SET cancel_requested_at = 'now'")
    assert reader.cancel_requested("e" * 32) == {run.id for run in started.runs}
    assert reader.cancel_requested("f" * 32) == frozenset()


# databases of other versions


def test_database_of_a_newer_dursor_is_refused(path, store):
    store._execute("PRAGMA user_version = 99")
    with Reader(path) as reader, pytest.raises(InternalError, match="newer dursor") as caught:
        reader.runs()
    assert str(path) in caught.value.message
    assert "pip install" in caught.value.hint
    with pytest.raises(InternalError, match="newer dursor"):
        Store(path)


def test_reading_imports_nothing_heavy(path, store, started):
    code = f"""
import sys, pathlib
from dursor.store.read import Reader
from dursor.store.lease import find_dead
reader = Reader(pathlib.Path({str(path)!r}))
assert len(reader.runs()) == 3
leases = reader.active_leases()
assert find_dead(pathlib.Path({str(path.parent / "leases")!r}), leases) == leases == {{"e" * 32}}
assert len(reader.rounds({started.task.id!r})) == 1
assert reader.ids("runs", "", limit=5)
heavy = ("asyncio", "sqlite_utils", "logging", "tomllib", "tempfile", "subprocess", "typing_extensions")
print(*[name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
