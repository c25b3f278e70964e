"""Domain objects to columns and back. Text that is no valid Unicode is kept as a BLOB of bytes."""

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
    ModelProfile,
    PullRequest,
    Repo,
    Role,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Column: TypeAlias = str | bytes | int | float | None
Record: TypeAlias = dict[str, Any]


def text(value: str) -> str | bytes:
    """Give VALUE as SQLite takes it: lone surrogates (of a path, of broken JSON) make it bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return blob(value)
    return value


def blob(value: str) -> bytes:
    """Give the bytes VALUE was decoded from; a surrogate that stands for no byte becomes `?`."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        kept = "".join("?" if _stands_for_no_byte(char) else char for char in value)
        return kept.encode("utf-8", "surrogateescape")


def _stands_for_no_byte(char: str) -> bool:
    return "\ud800" <= char <= "\udfff" and not "\udc80" <= char <= "\udcff"


def plain(value: Any) -> Any:
    """Give a column's value, with bytes read back as the text they were."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))  # ASCII: any string survives


def _dump_one(value: Any) -> str | None:
    return None if value is None else _dump(vars(value))


def _dump_all(values: Iterable[Any]) -> str:
    return _dump([vars(value) for value in values])


def _optional_blob(value: str | None) -> bytes | None:
    return None if value is None else blob(value)


_ENCODERS: Mapping[str, Callable[[Any], Column]] = {
    "dirty": int,
    "usage": _dump_one,
    "error": _dump_one,
    "files_changed": _dump_all,
    "warnings": lambda value: _dump(list(value)),
    "logs": _dump_all,
    "context": _dump_all,
    "dirty_patch": _optional_blob,
    "patch": _optional_blob,
    "choices": _dump_one,
    "options": lambda value: _dump(dict(value)),
}


def encode(fields: Mapping[str, Any]) -> Record:
    """Make columns of FIELDS of any domain object."""
    return {name: _encode(name, value) for name, value in fields.items()}


def _encode(name: str, value: Any) -> Column:
    if encoder := _ENCODERS.get(name):
        return encoder(value)
    if isinstance(value, str):
        return text(str(value))
    return value  # type: ignore[no-any-return] # a number or None


def append_logs(stored: str, entries: Iterable[LogEntry]) -> str:
    """Put ENTRIES at the end of the log column STORED."""
    more = [_dump(vars(entry)) for entry in entries]
    before = [] if stored == "[]" else [stored[1:-1]]
    return f"[{','.join([*before, *more])}]"


def _load(value: Any) -> Any:
    return None if value is None else json.loads(value)


def decode_run(row: Mapping[str, Any]) -> Run:
    """Make a run; without its wide fields when the row was read without them."""
    columns = dict(row)
    for name, reader in _RUN_READERS.items():
        if name in columns:
            columns[name] = reader(columns[name])
    return Run(**{name: plain(value) for name, value in columns.items()})


def _error(value: Any) -> RunError | None:
    raw = _load(value)
    return None if raw is None else RunError(**{**raw, "stage": Stage(raw["stage"])})


def _usage(value: Any) -> Usage | None:
    raw = _load(value)
    return None if raw is None else Usage(**raw)


def _choices(value: Any) -> Choices:
    raw = _load(value)
    return Choices() if raw is None else Choices.from_json(raw)  # an older dursor kept none


def _file_changes(value: Any) -> tuple[FileChange, ...]:
    return tuple(FileChange(**{**raw, "change": Change(raw["change"])}) for raw in _load(value))


def load_logs(value: Any) -> tuple[LogEntry, ...]:
    """Read the log column VALUE."""
    return tuple(LogEntry(raw["at"], Stage(raw["stage"]), raw["message"]) for raw in _load(value))


def _context(value: Any) -> tuple[ContextFile, ...]:
    return tuple(ContextFile(**{**raw, "ranges": _ranges(raw["ranges"])}) for raw in _load(value))


def _ranges(value: Any) -> tuple[tuple[int, int], ...] | None:
    return None if value is None else tuple((first, last) for first, last in value)


_RUN_READERS: Mapping[str, Callable[[Any], Any]] = {
    "status": RunStatus,
    "dirty": bool,
    "error": _error,
    "usage": _usage,
    "files_changed": _file_changes,
    "warnings": lambda value: tuple(_load(value)),
    "logs": load_logs,
    "context": _context,
    "choices": _choices,
}


def decode_model(row: Mapping[str, Any]) -> ModelProfile:
    """Make a profile that the user added."""
    columns = {name: plain(value) for name, value in dict(row).items() if name != "kind"}
    source = columns["key_source"]
    return ModelProfile(
        **{
            **columns,
            "options": json.loads(columns["options"]),
            "key_source": None if source is None else KeySource(source),
        }
    )


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in dict(row).items()}


def decode_repo(row: Mapping[str, Any]) -> Repo:
    """Make a repository."""
    columns = _plain_row(row)
    columns.pop("removed_at", None)
    return Repo(**columns)


def decode_task(row: Mapping[str, Any]) -> Task:
    """Make a task."""
    columns = _plain_row(row)
    return Task(**{**columns, "status": TaskStatus(columns["status"])})


def decode_message(row: Mapping[str, Any]) -> Message:
    """Make a message."""
    columns = _plain_row(row)
    return Message(**{**columns, "role": Role(columns["role"])})


def decode_pr(row: Mapping[str, Any]) -> PullRequest:
    """Make a pull request."""
    return PullRequest(**_plain_row(row))
