"""The nouns: plain frozen values that every layer shares. No I/O, no third-party imports."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunStatus(StrEnum):
    """Where a run stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELED})
LIVE = frozenset({"open", "draft"})  # of a pull request


class Stage(StrEnum):
    """The stages of a run, in order."""

    PREPARE = "prepare"
    CONTEXT = "context"
    CALL = "call"
    RESOLVE = "resolve"
    CHECK = "check"
    FINISH = "finish"


class Role(StrEnum):
    """Who says a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class Change(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


class KeySource(StrEnum):
    """Where a model's key lies."""

    ENV = "env"
    KEYRING = "keyring"
    FILE = "file"


class TaskStatus(StrEnum):
    """Whether a task still takes rounds."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class ModelProfile:
    """A named way to reach one model of one vendor."""

    id: str
    name: str
    provider: str  # a name in dursor.providers.vendors
    model_name: str
    display_name: str
    base_url: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # api, effort, max_output_tokens
    key_source: KeySource | None = None  # where a key stored for this profile lies
    created_at: str | None = None
    built_in: bool = False


@dataclass(frozen=True)
class Repo:
    """A registered repository: the user's folder, or our clone of a URL."""

    id: str
    name: str
    repo_url: str | None
    path: str
    default_branch: str | None
    latest_commit: str | None
    workspace_path: str | None  # set when the folder is our own clone
    created_at: str


@dataclass(frozen=True)
class Branch:
    """A branch of a repository and the commit it points to."""

    name: str
    commit: str
    default: bool


@dataclass(frozen=True)
class Task:
    """A conversation about one repository."""

    id: str
    repo_id: str
    title: str
    status: TaskStatus
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Message:
    """One thing said in a task; an assistant's names the run that said it."""

    id: str
    task_id: str
    role: Role
    content: str
    run_id: str | None
    created_at: str


@dataclass(frozen=True)
class Usage:
    """Tokens of all attempts; input includes cached and cache writes, output includes reasoning."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0  # for the price only; part of input_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_input_tokens + other.cached_input_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True)
class FileChange:
    """One file of a patch."""

    path: str
    old_path: str | None  # only for a rename
    change: Change
    added_lines: int
    removed_lines: int


@dataclass(frozen=True)
class LogEntry:
    """One line of a run's log."""

    at: str
    stage: Stage
    message: str


@dataclass(frozen=True)
class RunError:
    """Why a run failed, and in which stage."""

    code: str
    message: str
    hint: str | None
    stage: Stage


@dataclass(frozen=True)
class ContextFile:
    """One file that was sent; `ranges` None means the whole file, else 1-based inclusive lines."""

    path: str
    ranges: tuple[tuple[int, int], ...] | None
    tokens: int
    reason: str


@dataclass(frozen=True)
class HunkFailure:
    """Why one hunk (or block) could not be placed."""

    path: str | None
    hunk: str  # the hunk as the model wrote it, at most a screenful
    reason: str
    line: str | None = None  # the first line that differs
    nearest: str | None = None  # the nearest real text
    nearest_line: int | None = None  # its first line number, from 1


LISTS = ("files", "allow_paths")  # of Choices


@dataclass(frozen=True)
class Choices:
    """What was asked of a round beside its words; None: not said, the configuration decides."""

    files: tuple[str, ...] = ()  # as typed; those of a run from the top of its repository
    context_budget: int | None = None  # tokens
    budget_usd: float | None = None
    max_files: int | None = None
    allow_paths: tuple[str, ...] = ()  # globs
    timeout: float | None = None  # seconds a run may take in all
    explore: bool | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choices:
        """Read what JSON made of one."""
        lists = {name: tuple(data[name]) for name in LISTS}
        return cls(**{**data, **lists})

    def over(self, former: Choices) -> Choices:
        """What was asked with FORMER, and now this besides."""
        lists = {name: (*getattr(former, name), *getattr(self, name)) for name in LISTS}
        said = {name: value for name, value in vars(self).items() if value is not None}
        return replace(former, **said | lists)


@dataclass(frozen=True)
class Run:
    """One model's attempt."""

    id: str
    task_id: str
    round: int
    sample: int
    parent_run_id: str | None
    model_id: str
    model: str
    provider: str  # a name in dursor.providers.vendors
    model_name: str
    instruction: str
    base_ref: str
    base_commit: str
    dirty: bool
    status: RunStatus
    created_at: str
    error: RunError | None = None
    summary: str | None = None
    patch: str | None = None  # bytes decoded as UTF-8 with surrogateescape
    files_changed: tuple[FileChange, ...] = ()
    warnings: tuple[str, ...] = ()
    logs: tuple[LogEntry, ...] = ()
    context: tuple[ContextFile, ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    attempts: int = 0
    started_at: str | None = None
    completed_at: str | None = None
    dirty_patch: str | None = None  # HEAD to the tree that --dirty took; not shown
    lease: str | None = None  # names the lock that the owning process holds; not shown
    choices: Choices = Choices()  # what `run retry` repeats; not shown


@dataclass(frozen=True)
class PullRequest:
    """A pull request grown from runs."""

    id: str
    task_id: str
    number: int
    url: str
    branch: str
    title: str
    body: str
    latest_commit: str
    status: str  # open, draft, merged or closed
    created_at: str
    updated_at: str

    @property
    def is_live(self) -> bool:
        """Whether its branch may still grow."""
        return self.status in LIVE


@dataclass(frozen=True)
class GitHubAppConfig:
    """The GitHub App that was set up; its private key lies in the key store."""

    app_id: str
    installation_id: str | None
    created_at: str
    updated_at: str


class Secret:
    """A value that never shows itself: `reveal()` is the only way to read it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for a request header."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def new_id() -> str:
    """128 random bits as 32 hex digits."""
    return os.urandom(16).hex()  # as `secrets` does, without its 5 ms of import


def now() -> str:
    """The time in UTC, ISO-8601 with milliseconds and `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
