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


def _dump_one(value: Any) -> str | None:
    return None if value is None else _dump(vars(value))


def _dump_all(values: Iterable[Any]) -> str:
    return _dump([value._asdict() for value in values])


def _dump_context(files: Iterable[ContextFile] | None) -> str | None:
    return None if files is None else _dump_all(files)


def _optional_blob(value: str | None) -> bytes | None:
    return None if value is None else blob(value)


_ENCODERS: Mapping[str, Callable[[Any], Column]] = {
    "dirty": int,
    "usage": _dump_one,
    "error": lambda error: None if error is None else _dump(error._asdict()),
    "files_changed": _dump_all,
    "warnings": lambda value: _dump(list(value)),
    "logs": _dump_all,
    "context": _dump_context,
    "dirty_patch": _optional_blob,
    "patch": _optional_blob,
    "choices": _dump_one,
    "overrides": _dump_one,
    "options": lambda value: _dump(dict(value)),
}


def encode(fields: Mapping[str, Any]) -> Record:
    """Encode FIELDS of any domain object as columns."""
    return {name: _encode(name, value) for name, value in fields.items()}


def _encode(name: str, value: Any) -> Column:
    if encoder := _ENCODERS.get(name):
        return encoder(value)
    if isinstance(value, str):
        return text(str(value))
    return value  # type: ignore[no-any-return] # a number or None


def _load(value: Any) -> Any:
    return None if value is None else json.loads(value)


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
    return Round(**_decode(dict(row)))


def _decode(columns: Record) -> Record:
    """Decode the columns that have a reader, and bytes to text."""
    return {
        name: read(value) if (read := _READERS.get(name)) else plain(value)
        for name, value in columns.items()
    }


def _error(value: Any) -> RunError | None:
    raw = _load(value)
    return None if raw is None else RunError(**{**raw, "stage": Stage(raw["stage"])})


def _usage(value: Any) -> Usage | None:
    raw = _load(value)
    return None if raw is None else Usage(**raw)


def _choices(value: Any) -> Choices:
    return _overrides(value) or Choices()  # 0.1.0 stored none


def _overrides(value: Any) -> Choices | None:
    raw = _load(value)
    return None if raw is None else Choices.from_json(raw)


def _file_changes(value: Any) -> tuple[FileChange, ...]:
    return tuple(FileChange(**{**raw, "change": Change(raw["change"])}) for raw in _load(value))


def load_logs(value: Any) -> tuple[LogEntry, ...]:
    """Decode the log column VALUE."""
    return tuple(LogEntry(raw["at"], Stage(raw["stage"]), raw["message"]) for raw in _load(value))


def _context(value: Any) -> tuple[ContextFile, ...] | None:
    if value is None:  # a run that sent the files of its round
        return None
    return tuple(ContextFile(**{**raw, "ranges": _ranges(raw["ranges"])}) for raw in _load(value))


def _ranges(value: Any) -> tuple[tuple[int, int], ...] | None:
    return None if value is None else tuple((first, last) for first, last in value)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "status": RunStatus,
    "dirty": bool,
    "error": _error,
    "usage": _usage,
    "files_changed": _file_changes,
    "warnings": lambda value: tuple(_load(value)),
    "logs": load_logs,
    "context": _context,
    "choices": _choices,
    "overrides": _overrides,
}


def decode_model(row: Mapping[str, Any]) -> ModelProfile:
    """Build a profile that the user added."""
    columns = _plain_row(row)
    source = columns["key_source"]
    return ModelProfile(
        **{
            **columns,
            "options": json.loads(columns["options"]),
            "key_source": None if source is None else KeySource(source),
        }
    )


def _plain_row(row: Mapping[str, Any]) -> Record:
    return {name: plain(value) for name, value in dict(row).items()}


def decode_repo(row: Mapping[str, Any]) -> Repo:
    """Build a repository."""
    columns = _plain_row(row)
    columns.pop("removed_at", None)
    return Repo(**columns)


def decode_task(row: Mapping[str, Any]) -> Task:
    """Build a task."""
    columns = _plain_row(row)
    return Task(**{**columns, "status": TaskStatus(columns["status"])})


def decode_message(row: Mapping[str, Any]) -> Message:
    """Build a message."""
    columns = _plain_row(row)
    kind, role = MessageKind(columns["kind"]), Role(columns["role"])
    return Message(**{**columns, "role": role, "kind": kind})


def decode_pr(row: Mapping[str, Any]) -> PullRequest:
    """Build a pull request."""
    return PullRequest(**_plain_row(row))
