"""Whatever a run holds, it comes back from the database as it was."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from dursor.domain import (
    Change,
    Choices,
    ContextFile,
    FileChange,
    LogEntry,
    Run,
    RunError,
    RunStatus,
    Stage,
    Usage,
)
from dursor.store import rows

words = st.text(st.characters(exclude_categories=["Cs"]))
bytes_as_text = st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))
counts = st.integers(0, 2**40)
file_changes = st.builds(
    FileChange, bytes_as_text, st.none() | bytes_as_text, st.sampled_from(Change), counts, counts
)
spans = st.lists(st.tuples(counts, counts), max_size=3).map(tuple)
runs = st.builds(
    Run,
    id=st.just("0" * 32),
    task_id=words,
    round=counts,
    sample=counts,
    parent_run_id=st.none() | words,
    model_id=words,
    model=words,
    provider=words,
    model_name=words,
    instruction=words,
    base_ref=words,
    base_commit=words,
    dirty=st.booleans(),
    status=st.sampled_from(RunStatus),
    created_at=words,
    error=st.none() | st.builds(RunError, words, words, st.none() | words, st.sampled_from(Stage)),
    summary=st.none() | words,
    patch=st.none() | bytes_as_text,
    files_changed=st.lists(file_changes, max_size=2).map(tuple),
    warnings=st.lists(words, max_size=2).map(tuple),
    logs=st.lists(st.builds(LogEntry, words, st.sampled_from(Stage), words), max_size=2).map(tuple),
    context=st.lists(
        st.builds(ContextFile, bytes_as_text, st.none() | spans, counts, words), max_size=2
    ).map(tuple),
    usage=st.none() | st.builds(Usage, counts, counts, counts, counts, counts),
    cost_usd=st.none() | st.floats(0, 1e6),
    attempts=counts,
    started_at=st.none() | words,
    completed_at=st.none() | words,
    dirty_patch=st.none() | bytes_as_text,
    lease=st.none() | words,
    choices=st.builds(
        Choices,
        st.lists(bytes_as_text, max_size=2).map(tuple),
        st.none() | counts,
        allow_paths=st.lists(words, max_size=2).map(tuple),
        explore=st.none() | st.booleans(),
    ),
)


def stored(record):
    """RECORD after a trip through SQLite."""
    with closing(sqlite3.connect(":memory:")) as connection:
        names = ", ".join(record)
        connection.execute(f"CREATE TABLE t ({names})")
        marks = ", ".join("?" * len(record))
        connection.execute(f"INSERT INTO t VALUES ({marks})", list(record.values()))
        connection.row_factory = sqlite3.Row
        return connection.execute("SELECT * FROM t").fetchone()


@given(runs)
def test_run_comes_back_as_it_was(run):
    record = rows.encode(vars(run))
    assert rows.decode_run(stored(record)) == run
    assert record["patch"] is None or isinstance(record["patch"], bytes)


@given(st.text())
def test_any_text_can_be_stored_and_is_kept_where_it_has_a_meaning(text):
    kept = rows.plain(stored({"x": rows.text(text)})["x"])
    assert len(kept) <= len(text)
    assert rows.text(kept) == rows.text(text)


@given(bytes_as_text)
def test_text_of_bytes_is_kept(text):
    assert rows.plain(rows.blob(text)) == text
    assert rows.plain(rows.text(text)) == text


@given(st.lists(st.builds(LogEntry, words, st.sampled_from(Stage), words)), st.integers(0, 5))
def test_log_grows_at_its_end(entries, split):
    first, rest = entries[:split], entries[split:]
    stored_log = rows.append_logs(rows.append_logs("[]", first), rest)
    assert rows.load_logs(stored_log) == tuple(entries)
