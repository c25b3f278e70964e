"""A released migration is never edited; a change of the schema is a new one."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from dursor.domain import (
    Choices,
    ContextFile,
    KeySource,
    LogEntry,
    MessageKind,
    RunError,
    RunStatus,
    Stage,
    Usage,
)
from dursor.errors import InternalError
from dursor.store import rows
from dursor.store.migrations import migrations
from dursor.store.read import Reader
from dursor.store.schema import (
    ROUND_COLUMNS,
    ROUND_WIDE_COLUMNS,
    RUN_COLUMNS,
    RUN_WIDE_COLUMNS,
    VERSION,
)
from dursor.store.write import Store

RELEASED = {
    "m001_first_tables": "9dd1e0873a6542fc",
    "m002_choices_of_runs": "f1fd75a02d34d6c1",
    "m003_rounds": "cbf9b7c2fc765f6a",
}
HISTORY_TABLES = {"models", "repos", "tasks", "messages", "rounds", "runs", "replies", "prs"}
MACHINE_TABLES = {"run_leases", "repo_paths", "key_sources"}
DUMP_0_1_0 = Path(__file__).with_name("fixtures") / "0.1.0.sql"
SHARED_TASK = "4cd7afdef9d13db88c38a09f7b5f5b32"
DIRTY_TASK = "689bf21d351a378b63fb4cddfb450c57"
PARENT = "0314b54b59d745ed75a7164281f96da1"
RETRY = "069f98eeef7ae0d312d4c6d40e4b5189"
RUNNING = "354047371ce4c2b27951a1038893d215"
LEASE = "0123456789abcdef0123456789abcdef"


def test_version_counts_the_migrations(store):
    applied = [migration.name for migration in migrations.applied(store._db)]
    assert applied == list(RELEASED)
    assert len(applied) == VERSION == store._fetch_one("PRAGMA user_version")[0]


@pytest.mark.parametrize("step", RELEASED)
def test_schema_of_a_migration_is_unchanged(step):
    rest = list(RELEASED)[list(RELEASED).index(step) + 1 :]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before=rest)
        statements = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE '\\_%' ESCAPE '\\' "
            "AND tbl_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
        ).fetchall()
    joined = "\n".join(" ".join(row[0].split()) for row in statements)
    assert hashlib.sha256(joined.encode()).hexdigest()[:16] == RELEASED[step]


def test_tables_are_those_of_the_contract(store):
    names = {name for name in store._db.table_names() if not name.startswith(("_", "sqlite_"))}
    assert names == {*HISTORY_TABLES, "github_app", *MACHINE_TABLES}


@pytest.mark.parametrize(
    ("table", "columns", "wide", "keys"),
    [
        ("runs", RUN_COLUMNS, RUN_WIDE_COLUMNS, {"round_id", "task_id", "repo_id"}),
        ("rounds", ROUND_COLUMNS, ROUND_WIDE_COLUMNS, set()),
    ],
)
def test_wide_columns_are_last(store, table, columns, wide, keys):
    names = [row[1] for row in store._db.execute(f"PRAGMA table_info({table})").fetchall()]
    assert tuple(names[-len(wide) :]) == wide
    assert set(names) - keys == {*columns, *wide}


def test_settings_of_a_connection(store):
    assert store._fetch_one("PRAGMA journal_mode")[0] == "wal"
    assert store._fetch_one("PRAGMA foreign_keys")[0] == 1
    assert store._fetch_one("PRAGMA busy_timeout")[0] == 30_000


# the released schema


@pytest.fixture
def old(path):
    """A database of 0.1.0, open for changes before it is migrated."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.executescript(DUMP_0_1_0.read_text())
        connection.execute("PRAGMA user_version = 1")
        yield connection


@pytest.fixture
def old_runs(old):
    """The rows of the old runs by id, in the order in which they were stored."""
    return {row["id"]: dict(row) for row in old.execute("SELECT * FROM runs ORDER BY rowid")}


@pytest.fixture
def migrated(path, old, old_runs, reader):
    """A reader of the database after its migration."""
    Store(path).close()
    return reader


def dump(connection):
    return [connection.execute("PRAGMA user_version").fetchone()[0], *connection.iterdump()]


def read_old_log(row):
    """Decode the log of an old run; its stage `check` is `policy` today."""
    entries = [(entry["at"], entry["stage"], entry["message"]) for entry in json.loads(row["logs"])]
    return tuple(
        LogEntry(at, Stage.POLICY if stage == "check" else Stage(stage), message)
        for at, stage, message in entries
    )


def test_old_database_is_upgraded_before_it_is_read(path, old, old_runs):
    with Reader(path) as reader, pytest.raises(InternalError, match="older dursor"):
        reader.runs()
    with Reader(path, lambda file: Store(file).close()) as reader:
        assert {run.id for run in reader.runs()} == set(old_runs)


def test_migrated_database_is_consistent(path, old):
    with Store(path) as store:
        assert store._fetch_one("PRAGMA user_version")[0] == VERSION
        assert store._db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert store._fetch_one("PRAGMA integrity_check")[0] == "ok"
        assert store._fetch_one("PRAGMA foreign_keys")[0] == 1


def test_second_opening_changes_nothing(path, old):
    Store(path).close()
    before = dump(old)
    Store(path).close()
    assert dump(old) == before


def test_failed_migration_leaves_the_old_database(path, old):
    old.execute("UPDATE runs SET logs = 'damaged'")
    before = dump(old)
    with pytest.raises(ValueError, match="Expecting value"):
        Store(path)
    assert dump(old) == before
    assert before[0] == 1


def test_migrated_rounds_hold_the_shared_facts_once(migrated, old_runs):
    rounds = [*migrated.rounds(SHARED_TASK), *migrated.rounds(DIRTY_TASK)]
    assert [(round_.task_id, round_.number, round_.instruction) for round_ in rounds] == [
        (SHARED_TASK, 1, "make add add"),
        (SHARED_TASK, 2, "once more"),
        (SHARED_TASK, 3, "and again"),
        (DIRTY_TASK, 1, "keep the readme"),
    ]
    assert len({round_.id for round_ in rounds}) == 4
    assert [round_.parent_run_id for round_ in rounds] == [None, PARENT, None, None]
    assert [round_.dirty for round_ in rounds] == [False, False, False, True]
    assert [round_.choices for round_ in rounds] == [Choices()] * 4
    assert [[entry.stage for entry in round_.logs] for round_ in rounds] == [
        [Stage.PREPARE, Stage.CONTEXT]
    ] * 4
    assert [[file.path for file in round_.context] for round_ in rounds] == [
        ["README.md", "calc.py"],
        ["README.md", "calc.py", "calc.py"],
        ["README.md", "calc.py"],
        ["calc.py", "README.md"],
    ]
    names = ("base_ref", "base_commit", "instruction", "dirty", "dirty_patch", "context")
    for row in old_runs.values():
        round_ = migrated.run(row["id"]).round
        assert round_ in rounds
        assert (round_.task_id, round_.number) == (row["task_id"], row["round"])
        assert round_.parent_run_id == row["parent_run_id"]
        columns = rows.encode({name: getattr(round_, name) for name in names})
        assert columns == {name: row[name] for name in names}


def test_migrated_runs_keep_their_results(migrated, old_runs):
    names = {*RUN_COLUMNS, *RUN_WIDE_COLUMNS} - {"logs", "context", "overrides"}
    for row in old_runs.values():
        run = migrated.run(row["id"])
        columns = rows.encode_run(run)
        assert {name: columns[name] for name in names} == {name: row[name] for name in names}
        assert (run.context, run.overrides, run.replies) == (None, None, ())
    repaired = migrated.run("27302536")
    assert repaired.error == RunError(
        "apply_failed", "calc.py: the hunk does not match the file", None, Stage.RESOLVE
    )
    assert repaired.usage == Usage(3000, 1800, 600, 0, 0)
    first = migrated.run(PARENT)
    assert (first.sample, first.status, first.summary) == (1, RunStatus.SUCCEEDED, "I made it add.")
    assert first.patch.endswith("-    return a - b\n+    return a + b\n")
    newest = sorted(old_runs.values(), key=lambda row: row["created_at"])  # keeps stored order
    assert [run.id for run in migrated.runs()] == [row["id"] for row in newest[::-1]]


def test_migrated_logs_are_divided_between_round_and_run(migrated, old_runs):
    for row in old_runs.values():
        run = migrated.run(row["id"])
        assert run.full_log == read_old_log(row)
        if run.id != RETRY:
            assert run.logs[0].stage is Stage.CALL
    assert Stage.POLICY in {entry.stage for entry in migrated.run(PARENT).logs}


def test_migrated_retry_joins_its_round_with_its_own_log(migrated, old_runs):
    """A retry of 0.1.0 prepared again, at another time than its round."""
    retry, first = migrated.run(RETRY), migrated.run("f77cca36")
    assert retry.round == first.round
    assert (retry.round.number, first.sample, retry.sample) == (1, 1, 2)
    assert retry.round.created_at == first.created_at < retry.created_at
    assert retry.full_log == read_old_log(old_runs[RETRY])


def test_interruption_before_the_first_call_stays_with_its_run(path, old, old_runs, reader):
    """It was logged in the stage before the calls, as entries of the round are."""
    interrupted, *others = [row for row in old_runs.values() if row["task_id"] == SHARED_TASK][:3]
    logs = json.loads(interrupted["logs"])[:2]
    logs.append({"at": "t", "stage": "context", "message": "interrupted: gone"})
    sql = "UPDATE runs SET status = 'failed', logs = ? WHERE id = ?"
    old.execute(sql, [json.dumps(logs, separators=(",", ":")), interrupted["id"]])
    Store(path).close()
    assert reader.run(interrupted["id"]).logs == (
        LogEntry("t", Stage.CONTEXT, "interrupted: gone"),
    )
    for row in others:
        assert reader.run(row["id"]).full_log == read_old_log(row)


def test_migrated_retry_keeps_the_context_that_it_sent(path, old, old_runs, reader):
    context = '[{"path":"notes.pem","ranges":null,"tokens":9,"reason":"named"}]'
    old.execute("UPDATE runs SET context = ? WHERE id = ?", [context, RETRY])
    Store(path).close()
    assert reader.run(RETRY).sent_files == (ContextFile("notes.pem", None, 9, "named"),)
    assert [file.path for file in reader.run("f77cca36").sent_files] == ["README.md", "calc.py"]


def test_stage_check_is_renamed_in_old_errors_and_logs(path, old, reader):
    error = '{"code":"policy","message":"2 files","hint":null,"stage":"check"}'
    logs = '[{"at":"t","stage":"prepare","message":"p"},{"at":"t","stage":"check","message":"c"}]'
    sql = "UPDATE runs SET status = 'failed', error = ?, logs = ? WHERE id = ?"
    old.execute(sql, [error, logs, PARENT])
    Store(path).close()
    run = reader.run(PARENT)
    assert run.error == RunError("policy", "2 files", None, Stage.POLICY)
    assert run.full_log == (
        LogEntry("t", Stage.PREPARE, "p"),
        LogEntry("t", Stage.POLICY, "c"),
    )


def test_process_of_0_1_0_ends_its_run_after_the_migration(path, old, old_runs, migrated):
    log = json.loads(old_runs[RUNNING]["logs"])
    log.append({"at": "t", "stage": "check", "message": "1 paths against policy"})
    error = '{"code":"policy","message":"2 files","hint":null,"stage":"check"}'
    sql = "UPDATE runs SET status = 'failed', error = ?, logs = ? WHERE id = ?"
    old.execute(sql, [error, json.dumps(log), RUNNING])
    run = migrated.run(RUNNING)
    assert run.error == RunError("policy", "2 files", None, Stage.POLICY)
    assert run.full_log == read_old_log({"logs": json.dumps(log)})
    assert run.status in {listed.status for listed in migrated.runs()}


def test_migrated_messages_have_kinds(migrated):
    rounds = migrated.rounds(SHARED_TASK)
    messages = migrated.messages(SHARED_TASK)
    assert [(message.kind, message.round_id) for message in messages] == [
        (MessageKind.INSTRUCTION, rounds[0].id),
        (MessageKind.REPLY, None),
        (MessageKind.REPLY, None),
        (MessageKind.NOTE, None),
        (MessageKind.INSTRUCTION, rounds[1].id),
        (MessageKind.INSTRUCTION, rounds[2].id),
        (MessageKind.COMMENT, None),
        (MessageKind.PR_STATE, None),
    ]
    replies = [message for message in messages if message.kind is MessageKind.REPLY]
    assert [message.run_id[:8] for message in replies] == ["0314b54b", "f36507cf"]
    assert messages[3].content == "please be quick"
    (round_,) = migrated.rounds(DIRTY_TASK)
    assert [(message.kind, message.round_id) for message in migrated.messages(DIRTY_TASK)] == [
        (MessageKind.INSTRUCTION, round_.id),
        (MessageKind.REPLY, None),
    ]


@pytest.mark.parametrize(
    ("role", "content", "kind"),
    [
        ("user", "@rev on pull request #7 (edited):\n\nUse sum().", MessageKind.COMMENT),
        (
            "user",
            "@rev on a b.py, lines 2-9 (pull request #7, in answer to @x):\n\nYes.",
            MessageKind.COMMENT,
        ),
        ("user", "@rev approved pull request #7:", MessageKind.COMMENT),
        ("user", "@rev asked for changes in pull request #7:\n\nNo.", MessageKind.COMMENT),
        ("user", "@rev reviewed pull request #7; the review was dismissed:", MessageKind.COMMENT),
        ("user", b"@rev on pull request #7:\n\ncaf\xe9", MessageKind.COMMENT),
        ("user", "please do this:\n@rev on pull request #7:", MessageKind.NOTE),
        ("user", "@rev likes pull request #7:", MessageKind.NOTE),
        ("assistant", "@rev on pull request #7:\n\nDone.", MessageKind.REPLY),
        ("system", "Pull request #7 was closed.", MessageKind.PR_STATE),
    ],
)
def test_role_and_first_line_of_an_old_message_decide_its_kind(
    path, old, reader, role, content, kind
):
    sql = "UPDATE messages SET role = ?, content = ? WHERE content = 'please be quick'"
    assert old.execute(sql, [role, content]).rowcount == 1
    Store(path).close()
    assert reader.messages(SHARED_TASK)[3].kind is kind


def test_facts_of_the_machine_are_moved(path, old, migrated):
    assert migrated.key_sources() == {
        "model:also": KeySource.FILE,
        "provider:openai": KeySource.FILE,
        "model:gpt": KeySource.FILE,
    }
    assert [(model.name, model.key_source) for model in migrated.models()] == [
        ("also", KeySource.FILE),
        ("good", None),
        ("prose", None),
    ]
    (repo,) = migrated.repos()
    assert (repo.name, repo.path, repo.workspace_path) == ("shop", "/tmp/shop", None)
    assert migrated.repo_at("/tmp/shop") == repo
    leases = old.execute("SELECT run_id, lease, cancel_requested_at FROM run_leases").fetchall()
    assert [tuple(row) for row in leases] == [(RUNNING, LEASE, None)]
    assert migrated.active_leases() == {LEASE}


def test_cancel_request_of_a_running_run_is_kept(path, old, reader):
    old.execute("UPDATE runs SET cancel_requested_at = 'now'")
    Store(path).close()
    assert reader.cancel_requested(LEASE) == {RUNNING}


def test_other_rows_are_unchanged(path, old):
    tables = {
        name: [*old.execute(f"SELECT * FROM {name}")] for name in ("tasks", "prs", "github_app")
    }
    Store(path).close()
    assert {name: [*old.execute(f"SELECT * FROM {name}")] for name in tables} == tables


def test_work_continues_in_a_migrated_task(path, migrated, make):
    with Store(path) as store:
        task = migrated.task(SHARED_TASK)
        assert store.reap([LEASE]) == [RUNNING]
        retried = migrated.run(RETRY).round
        joined = store.start_round(retried, [make.run(retried, model="prose")])
        round_ = make.round(task, parent_run_id=PARENT)
        repo = make.repo("shop", path="/tmp/shop")
        added = store.start_round(round_, [make.run(round_)], task=task, repo=repo)
    assert joined.runs[0].sample == 3
    assert (added.round.number, added.task.repo_id) == (4, task.repo_id)
    assert [stored.number for stored in migrated.rounds(SHARED_TASK)] == [1, 2, 3, 4]
