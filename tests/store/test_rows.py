"""Every round and run is read from the database as it was stored."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from dursor.domain import (
    AttemptReply,
    Change,
    Choices,
    ContextFile,
    FileChange,
    LogEntry,
    Repo,
    Round,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    Usage,
)
from dursor.store import rows
from dursor.store.read import Reader
from dursor.store.schema import (
    ROUND_COLUMNS,
    ROUND_PREFIX,
    ROUND_WIDE_COLUMNS,
    RUN_COLUMNS,
    RUN_WIDE_COLUMNS,
)
from dursor.store.write import Store

words = st.text(st.characters(exclude_categories=["Cs"]))
bytes_as_text = st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
counts = st.integers(0, 2**40)
file_changes = st.builds(
    FileChange, bytes_as_text, st.none() | bytes_as_text, st.sampled_from(Change), counts, counts
)
spans = st.lists(st.tuples(counts, counts), max_size=3).map(tuple)
log_entries = st.builds(LogEntry, words, st.sampled_from(Stage), words)
logs = st.lists(log_entries, max_size=2).map(tuple)
choices = st.builds(
    Choices,
    st.lists(bytes_as_text, max_size=2).map(tuple),
    st.none() | counts,
    allow_paths=st.lists(words, max_size=2).map(tuple),
    explore=st.none() | st.booleans(),
)
context_files = st.builds(ContextFile, bytes_as_text, st.none() | spans, counts, words)
contexts = st.lists(context_files, max_size=2).map(tuple)
rounds = st.builds(
    Round,
    id=words,
    task_id=words,
    number=counts,
    parent_run_id=st.none() | words,
    base_ref=words,
    base_commit=words,
    dirty=st.booleans(),
    created_at=words,
    instruction=bytes_as_text,
    choices=choices,
    logs=logs,
    context=contexts,
    dirty_patch=st.none() | bytes_as_text,
)
runs = st.builds(
    Run,
    id=st.just("0" * 32),
    round=rounds,
    sample=counts,
    model_id=words,
    model=words,
    provider=st.sampled_from(["openai", "anthropic", "google"]),
    model_name=words,
    status=st.sampled_from(RunStatus),
    created_at=words,
    started_at=st.none() | words,
    completed_at=st.none() | words,
    error=st.none() | st.builds(RunError, words, words, st.none() | words, st.sampled_from(Stage)),
    summary=st.none() | words,
    files_changed=st.lists(file_changes, max_size=2).map(tuple),
    warnings=st.lists(words, max_size=2).map(tuple),
    usage=st.none() | st.builds(Usage, counts, counts, counts, counts, counts),
    cost_usd=st.none() | st.floats(0, 1e6),
    attempts=counts,
    logs=logs,
    context=st.none() | contexts,
    overrides=st.none() | choices,
    patch=st.none() | bytes_as_text,
)
replies = st.lists(bytes_as_text, max_size=3).map(
    lambda texts: tuple(AttemptReply(number, text) for number, text in enumerate(texts, 1))
)


def store_row(record):
    """Return RECORD as SQLite stores it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        names = ", ".join(record)
        connection.execute(f"CREATE TABLE t ({names})")
        marks = ", ".join("?" * len(record))
        connection.execute(f"INSERT INTO t VALUES ({marks})", list(record.values()))
        connection.row_factory = sqlite3.Row
        return connection.execute("SELECT * FROM t").fetchone()


@given(rounds)
def test_round_is_decoded_as_it_was_encoded(round_):
    record = rows.encode(vars(round_))
    assert set(record) == {*ROUND_COLUMNS, *ROUND_WIDE_COLUMNS}
    assert rows.decode_round(store_row(record)) == round_
    assert record["dirty_patch"] is None or isinstance(record["dirty_patch"], bytes)


@given(runs)
def test_run_is_decoded_as_it_was_encoded(run):
    record = rows.encode_run(run)
    assert (record.pop("round_id"), record.pop("task_id")) == (
        rows.text(run.round.id),
        rows.text(run.task_id),
    )
    assert set(record) == {*RUN_COLUMNS, *RUN_WIDE_COLUMNS}
    assert record["patch"] is None or isinstance(record["patch"], bytes)
    round_record = rows.encode(vars(run.round))
    joined = record | {f"{ROUND_PREFIX}{name}": value for name, value in round_record.items()}
    assert rows.decode_run(store_row(joined)) == run


@settings(max_examples=15, deadline=None)
@given(runs, replies)
def test_run_is_read_from_the_store_as_it_was_written(run, replies):
    repo = Repo("a" * 32, "app", None, "/code/app", None, None, None, "")
    task = Task(run.task_id, repo.id, "", TaskStatus.OPEN, "", "")
    round_ = replace(run.round, number=0, parent_run_id=None)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dursor.db"
        with Store(path) as store, Reader(path) as reader:
            stored = store.start_round(round_, [run], task=task, repo=repo)
            store.record_runs({}, replies=[(run.id, reply) for reply in replies])
            expected = replace(run, round=replace(round_, number=1), sample=run.sample or 1)
            assert stored == (task, expected.round, (expected,))
            assert reader.rounds(run.task_id) == [expected.round]
            assert reader.run(run.id) == replace(expected, replies=replies)


@given(st.text())
def test_any_text_can_be_stored(text):
    kept = rows.plain(store_row({"x": rows.text(text)})["x"])
    assert len(kept) <= len(text)
    assert rows.text(kept) == rows.text(text)


@given(bytes_as_text)
def test_text_of_bytes_is_kept(text):
    assert rows.plain(rows.blob(text)) == text
    assert rows.plain(rows.text(text)) == text


@given(st.lists(log_entries))
def test_log_is_decoded_as_it_was_encoded(entries):
    assert rows.load_logs(rows.encode({"logs": entries})["logs"]) == tuple(entries)
