"""Domain objects to columns and back. Text that is not valid Unicode is stored as bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from dursor.domain import (
    Change,
    Choices,
    ContextFile,
    FileChange,
    KeySource,
    LogEntry,
    Message,
    MessageKind,
    ModelProfile,
    PullRequest,
    Repo,
    Role,
    Round,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    Usage,
)
from dursor.store.schema import ROUND_PREFIX, RUN_COLUMNS, RUN_WIDE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Column: TypeAlias = str | bytes | int | float | None
Record: TypeAlias = dict[str, Any]


def text(value: str) -> str | bytes:
    """Return VALUE as SQLite accepts it: bytes if it has lone surrogates (paths, broken JSON)."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return blob(value)
    return value


def blob(value: str) -> bytes:
    """Return the bytes that VALUE was decoded from; a surrogate of no byte becomes `?`."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        encodable = "".join("?" if _is_unpaired(char) else char for char in value)
        return encodable.encode("utf-8", "surrogateescape")


def _is_unpaired(char: str) -> bool:
    return "\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff"


def plain(value: Any) -> Any:
    """Return a column's value, bytes decoded to the text they were."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))  # ASCII: any string survives


def _dump_fields(value: Any) -> str:
    return _dump(vars(value))


def _dump_tuples(values: Iterable[Any]) -> str:
    return _dump([value._asdict() for value in values])


_ENCODERS: Mapping[str, Callable[[Any], Column]] = {
    "dirty": int,
    "usage": _dump_fields,
    "error": lambda error: _dump(error._asdict()),
    "files_changed": _dump_tuples,
    "warnings": _dump,
    "logs": _dump_tuples,
    "context": _dump_tuples,
    "dirty_patch": blob,
    "patch": blob,
    "choices": _dump_fields,
    "overrides": _dump_fields,
    "options": lambda value: _dump(dict(value)),
}


def encode(fields: Mapping[str, Any]) -> Record:
    """Encode FIELDS of any domain object as columns."""
    return {name: _encode(name, value) for name, value in fields.items()}


def _encode(name: str, value: Any) -> Column:
    if value is not None and (encoder := _ENCODERS.get(name)):
        return encoder(value)
    if isinstance(value, str):
        return text(str(value))
    return value  # type: ignore[no-any-return] # a number or None


def encode_run(run: Run) -> Record:
    """Encode RUN as columns of its own table."""
    fields = {name: getattr(run, name) for name in (*RUN_COLUMNS, *RUN_WIDE_COLUMNS)}
    return {**encode(fields), "round_id": run.round.id, "task_id": run.task_id}


def decode_run(row: Mapping[str, Any]) -> Run:
    """Build a run from its columns and its round's, which start with ROUND_PREFIX."""
    columns = dict(row)
    round_columns = {
        name.removeprefix(ROUND_PREFIX): columns.pop(name)
        for name in [*columns]
        if name.startswith(ROUND_PREFIX)
    }
    return Run(round=decode_round(round_columns), **_decode(columns))


def decode_round(row: Mapping[str, Any]) -> Round:
    """Build a round; without its wide fields when the row was read without them."""
    fields = _decode(dict(row))
    if fields.get("choices", "") is None:
        fields["choices"] = Choices()  # 0.1.0 stored none
    return Round(**fields)


def _decode(columns: Record, readers: Mapping[str, Callable[[Any], Any]] | None = None) -> Record:
    """Decode columns by READERS (default: those of runs), and bytes to text."""
    readers = _READERS if readers is None else readers
    return {
        name: None if value is None else readers.get(name, plain)(value)
        for name, value in columns.items()
    }


def load_logs(value: Any) -> tuple[LogEntry, ...]:
    """Decode the log column VALUE."""
    entries = json.loads(value)
    return tuple(LogEntry(raw["at"], Stage(raw["stage"]), raw["message"]) for raw in entries)


def _load_error(value: Any) -> RunError:
    raw = json.loads(value)
    return RunError(**{**raw, "stage": Stage(raw["stage"])})


def _load_changes(value: Any) -> tuple[FileChange, ...]:
    return tuple(
        FileChange(**{**raw, "change": Change(raw["change"])}) for raw in json.loads(value)
    )


def _load_context(value: Any) -> tuple[ContextFile, ...]:
    return tuple(
        ContextFile(**{**raw, "ranges": _ranges(raw["ranges"])}) for raw in json.loads(value)
    )


def _ranges(value: Any) -> tuple[tuple[int, int], ...] | None:
    return None if value is None else tuple((first, last) for first, last in value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "status": RunStatus,
    "role": Role,
    "kind": MessageKind,
    "key_source": KeySource,
    "dirty": bool,
    "error": _load_error,
    "usage": lambda value: Usage(**json.loads(value)),
    "files_changed": _load_changes,
    "warnings": lambda value: tuple(json.loads(value)),
    "logs": load_logs,
    "context": _load_context,
    "choices": lambda value: Choices.from_json(json.loads(value)),
    "overrides": lambda value: Choices.from_json(json.loads(value)),
    "options": json.loads,
}


def decode_model(row: Mapping[str, Any]) -> ModelProfile:
    """Build a profile that the user added."""
    return ModelProfile(**_decode(dict(row)))


def decode_repo(row: Mapping[str, Any]) -> Repo:
    """Build a repository."""
    columns = dict(row)
    columns.pop("removed_at", None)
    return Repo(**_decode(columns))


def decode_task(row: Mapping[str, Any]) -> Task:
    """Build a task."""
    return Task(**_decode(dict(row), {"status": TaskStatus}))


def decode_message(row: Mapping[str, Any]) -> Message:
    """Build a message."""
    return Message(**_decode(dict(row)))


def decode_pr(row: Mapping[str, Any]) -> PullRequest:
    """Build a pull request."""
    return PullRequest(**_decode(dict(row), {}))
