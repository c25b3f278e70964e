"""Reading: lists, pages, what people type for an id, and databases of other times."""

import subprocess
import sys
from dataclasses import replace

import pytest

from dursor.domain import ContextFile, LogEntry, RunStatus, Stage, TaskStatus
from dursor.errors import InternalError, NotFoundError, UsageError
from dursor.store.read import Reader
from dursor.store.write import Store


def test_no_database_answers_like_an_empty_one(path, reader):
    assert reader.runs() == reader.tasks() == reader.repos() == reader.models() == []
    assert reader.prs() == reader.messages("x") == reader.active_runs() == []
    assert reader.ids("runs", "") == []
    assert reader.key_sources() == {}
    assert reader.github_app() is None
    assert reader.cancel_requested("x") == frozenset()
    with pytest.raises(NotFoundError):
        reader.run("abcd")
    assert not path.parent.exists()


def test_database_made_later_is_seen(path, reader, make):
    assert reader.repos() == []
    with Store(path) as store:
        store.add_repo(make.repo())
        assert len(reader.repos()) == 1


def test_empty_file_answers_like_an_empty_database(path, reader):
    path.parent.mkdir()
    path.touch()
    assert reader.runs() == []


@pytest.fixture
def many(store, make):
    """Runs of two repositories, three tasks and all statuses, oldest first."""
    found = []
    for name, tasks in (("app", 2), ("lib", 1)):
        repo = make.repo(name)
        for _ in range(tasks):
            task = make.task(repo)
            for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FAILED):
                run = make.run(
                    task,
                    status=status,
                    patch="x" * 9000,
                    dirty_patch="y",
                    logs=(LogEntry("t", Stage.CALL, "m"),),
                    context=(ContextFile("a", None, 1, "r"),),
                )
                found.append((repo, store.start_round(task, repo, [], [run])[1][0]))
    return found


def test_lists_are_newest_first_and_without_wide_fields(reader, many):
    newest = [replace(run, patch=None, dirty_patch=None, logs=(), context=()) for _, run in many]
    assert reader.runs() == newest[::-1]
    assert reader.runs(limit=2) == newest[:-3:-1]
    assert reader.runs(limit=-1) == reader.runs(limit=None) == newest[::-1]
    assert sorted(run.id for run in reader.active_runs()) == sorted(
        run.id for run in newest if not run.status.is_final
    )


def test_lists_are_narrowed_by_repository_task_and_status(reader, many):
    for repo_id in (None, many[0][0].id, many[-1][0].id):
        for task_id in (None, many[0][1].task_id, many[-1][1].task_id):
            for status in (None, RunStatus.FAILED, RunStatus.SUCCEEDED):
                found = reader.runs(repo_id=repo_id, task_id=task_id, status=status)
                assert [run.id for run in found] == [
                    run.id
                    for repo, run in reversed(many)
                    if repo_id in {None, repo.id}
                    and task_id in {None, run.task_id}
                    and status in {None, run.status}
                ]


def test_pages_follow_on_each_other_even_within_one_instant(store, reader, make):
    repo = make.repo()
    task = make.task(repo)
    at = make.at()
    store.start_round(task, repo, [], [make.run(task, created_at=at) for _ in range(5)])
    store.start_round(None, None, [], [make.run(task) for _ in range(4)])
    seen, page = [], reader.runs(limit=2)
    while page:
        seen += page
        page = reader.runs(limit=2, before=page[-1].id, repo_id=repo.id)
    assert seen == reader.runs(limit=None)
    assert len(seen) == 9


def test_lists_take_no_scan_and_no_sort(reader, many):
    statements = []
    reader.runs(limit=1)
    reader._connection.set_trace_callback(statements.append)
    ids = {"repo_id": many[0][0].id, "task_id": many[0][1].task_id}
    for narrowed in ({}, {"repo_id": ids["repo_id"]}, {"task_id": ids["task_id"]}):
        for status in ({}, {"status": RunStatus.FAILED}):
            for before in ({}, {"before": many[4][1].id}):
                reader.runs(**narrowed, **status, **before)
    reader.active_runs()
    reader.tasks()
    reader.tasks(repo_id=ids["repo_id"])
    reader.ids("runs", "")
    reader.ids("runs", "ab")
    reader.cancel_requested("x")
    reader._connection.set_trace_callback(None)
    asked = [one for one in statements if one.lstrip().startswith("SELECT")]
    assert len(asked) == 18
    for statement in asked:
        plan = [row[3] for row in reader._connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        steps = " / ".join(plan)
        assert "INDEX" in steps, statement
        assert not any(one.startswith("SCAN") and "INDEX" not in one for one in plan), steps
        assert "ORDER BY" not in steps or "id >=" in statement, steps


def test_tasks_are_newest_first(store, reader, make):
    first, second = store.add_repo(make.repo("a")), store.add_repo(make.repo("b"))
    tasks = [store.add_task(make.task(repo)) for repo in (first, second, first)]
    assert reader.tasks() == tasks[::-1]
    assert reader.tasks(limit=1) == tasks[2:]
    assert reader.tasks(repo_id=first.id) == [tasks[2], tasks[0]]
    assert reader.tasks(repo_id=first.id, status=TaskStatus.CLOSED) == []


# what people type for an id


@pytest.fixture
def abc(store, make):
    repo = make.repo()
    task = make.task(repo)
    ids = ["abcd1234" + "0" * 24, "abcd1234f" + "0" * 23, "abce" + "0" * 28]
    _, runs = store.start_round(task, repo, [], [make.run(task, id=one) for one in ids])
    return runs


@pytest.mark.parametrize("typed", ["abce", "ABCE", "abce0", "abce" + "0" * 28])
def test_unambiguous_prefix_finds_a_run(reader, abc, typed):
    assert reader.run(typed).id == abc[2].id
    assert reader.find("runs", typed) == abc[2].id


def test_ambiguous_prefix_lists_what_it_may_mean(reader, abc):
    with pytest.raises(UsageError) as caught:
        reader.run("abcd")
    assert caught.value.message == (
        "'abcd' means more than one run: abcd1234f (gpt queued mend it); "
        "abcd12340 (gpt queued mend it)"
    )
    assert caught.value.hint == "type more digits, such as abcd1234f"


@pytest.mark.parametrize("typed", ["", "a", "abc"])
def test_short_prefix_is_refused(reader, abc, typed):
    with pytest.raises(UsageError, match="too short for the id of a run: 4 digits or more"):
        reader.run(typed)


@pytest.mark.parametrize("typed", ["ffff", "abcd1235", "main", "abc%", "abc_", "a" * 33])
def test_prefix_of_nothing_is_not_found(reader, abc, typed):
    with pytest.raises(NotFoundError) as caught:
        reader.run(typed)
    assert (caught.value.message, caught.value.hint) == (f"no run {typed!r}", "dursor run list")


def test_tasks_and_repositories_are_found_by_prefix(reader, abc):
    (task,), (repo,) = reader.tasks(), reader.repos()
    assert reader.task(task.id[:12]) == task
    assert reader.repo(repo.id[:12]) == repo
    with pytest.raises(NotFoundError, match="no task"):
        reader.task("0" * 32)


def test_ids_are_offered_with_a_label(store, reader, make, abc):
    assert reader.ids("runs", "abcd") == [
        (abc[1].id, "gpt queued mend it"),
        (abc[0].id, "gpt queued mend it"),
    ]
    assert [found for found, _ in reader.ids("runs", "", limit=2)] == [abc[2].id, abc[1].id]
    assert reader.ids("runs", "xyz") == []
    task = make.task(reader.repos()[0], title="two\nlines\x1b[31m and more " + "x" * 99)
    store.add_task(task)
    ((_, label),) = reader.ids("tasks", task.id[:8])
    assert label.isprintable()
    assert len(label) <= 60


# cancel


def test_cancel_poll_asks_the_table_only_when_something_was_written(store, reader, started):
    assert reader.cancel_requested("e" * 32) == frozenset()
    statements = []
    reader._connection.set_trace_callback(statements.append)
    for _ in range(3):
        assert reader.cancel_requested("e" * 32) == frozenset()
    assert set(statements) == {"PRAGMA data_version"}
    store._do("UPDATE runs SET cancel_requested_at = 'now'")
    _, runs = started
    assert reader.cancel_requested("e" * 32) == {run.id for run in runs}
    assert reader.cancel_requested("f" * 32) == frozenset()


# databases of other times


def test_database_of_a_newer_dursor_is_refused(path, store):
    store._do("PRAGMA user_version = 99")
    with Reader(path) as reader, pytest.raises(InternalError, match="newer dursor") as caught:
        reader.runs()
    assert str(path) in caught.value.message
    assert "pip install" in caught.value.hint
    with pytest.raises(InternalError, match="newer dursor"):
        Store(path)


def test_reading_loads_nothing_heavy(path, store, started):
    code = f"""
import sys, pathlib
from dursor.store.read import Reader
from dursor.store.lease import dead
reader = Reader(pathlib.Path({str(path)!r}))
assert len(reader.runs()) == 3
assert len(dead(pathlib.Path({str(path.parent / "leases")!r}), reader.active_runs())) == 3
assert reader.ids("runs", "", limit=5)
heavy = ("asyncio", "sqlite_utils", "logging", "tomllib", "tempfile", "subprocess", "typing_extensions")
print(*[name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
