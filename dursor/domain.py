"""The nouns: plain frozen values that all layers share. No I/O, no third-party imports."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunStatus(StrEnum):
    """The status of a run; the last three are final."""

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
    POLICY = "policy"
    FINISH = "finish"

    @classmethod
    def _missing_(cls, value: object) -> Stage | None:
        """Read the stage that 0.1.0 writes, also while it finishes runs of an upgraded store."""
        return cls.POLICY if value == "check" else None


class Role(StrEnum):
    """The author of a message, as models distinguish them."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """The purpose of a message."""

    INSTRUCTION = "instruction"  # starts a round
    NOTE = "note"  # `task say`
    REPLY = "reply"  # a model's answer
    COMMENT = "comment"  # a review or comment on a pull request
    PR_STATE = "pr_state"  # a pull request was opened, merged, closed, ...


class Change(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


class KeySource(StrEnum):
    """The place where a model's key is stored."""

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
    key_source: KeySource | None = None  # of a key stored for this profile
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


class Branch(NamedTuple):
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
    """One message of a task: an instruction names its round, a reply its run."""

    id: str
    task_id: str
    role: Role
    kind: MessageKind
    content: str
    created_at: str
    run_id: str | None = None
    round_id: str | None = None


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


class FileChange(NamedTuple):
    """One file of a patch."""

    path: str
    old_path: str | None  # only for a rename
    change: Change
    added_lines: int
    removed_lines: int


class LogEntry(NamedTuple):
    """One line of a run's log."""

    at: str
    stage: Stage
    message: str


class RunError(NamedTuple):
    """Why a run failed, and in which stage."""

    code: str
    message: str
    hint: str | None
    stage: Stage


class ContextFile(NamedTuple):
    """One file that was sent; `ranges` None means the whole file, else 1-based inclusive lines."""

    path: str
    ranges: tuple[tuple[int, int], ...] | None
    tokens: int
    reason: str


class HunkFailure(NamedTuple):
    """Why one hunk (or block) could not be placed."""

    path: str | None
    hunk: str  # the hunk as the model wrote it, at most a screenful
    reason: str
    line: str | None = None  # the first line that differs
    nearest: str | None = None  # the nearest real text
    nearest_line: int | None = None  # its first line number, from 1


class AttemptReply(NamedTuple):
    """The text that a model sent in one attempt, also in one that failed or was cut."""

    attempt: int  # from 1
    text: str


LISTS = ("files", "allow_paths")  # of Choices


@dataclass(frozen=True)
class Choices:
    """The options of a round; None leaves the decision to the configuration."""

    files: tuple[str, ...] = ()  # as typed; in a stored round relative to the repository's top
    context_budget: int | None = None  # tokens
    budget_usd: float | None = None
    max_files: int | None = None
    allow_paths: tuple[str, ...] = ()  # globs
    timeout: float | None = None  # seconds for a whole run
    explore: bool | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choices:
        """Build choices from parsed JSON."""
        lists = {name: tuple(data[name]) for name in LISTS}
        return cls(**{**data, **lists})

    def override(self, earlier: Choices) -> Choices:
        """Return EARLIER with the options that are set here; lists are joined."""
        lists = {name: (*getattr(earlier, name), *getattr(self, name)) for name in LISTS}
        values = {name: value for name, value in vars(self).items() if value is not None}
        return replace(earlier, **values | lists)


@dataclass(frozen=True)
class Round:
    """One instruction on one base with one context, sent to several models.

    Lists leave out the last four fields.
    """

    id: str
    task_id: str
    number: int  # within the task, from 1; 0 until it is stored
    parent_run_id: str | None  # the run whose result this round starts from
    base_ref: str
    base_commit: str
    dirty: bool
    created_at: str
    instruction: str
    choices: Choices = Choices()
    logs: tuple[LogEntry, ...] = ()  # of the stages before the runs
    context: tuple[ContextFile, ...] = ()
    dirty_patch: str | None = None  # from HEAD to the tree that --dirty took

    @property
    def message(self) -> Message:
        """The instruction as a message of the task."""
        return Message(
            self.id,
            self.task_id,
            Role.USER,
            MessageKind.INSTRUCTION,
            self.instruction,
            self.created_at,
            round_id=self.id,
        )


@dataclass(frozen=True)
class Run:
    """One model's attempt at a round. Lists leave out the last five fields."""

    id: str
    round: Round
    sample: int
    model_id: str
    model: str
    provider: str  # a name in dursor.providers.vendors
    model_name: str
    status: RunStatus
    created_at: str
    started_at: str | None = None
    completed_at: str | None = None
    error: RunError | None = None
    summary: str | None = None
    files_changed: tuple[FileChange, ...] = ()
    warnings: tuple[str, ...] = ()
    usage: Usage | None = None
    cost_usd: float | None = None
    attempts: int = 0
    logs: tuple[LogEntry, ...] = ()
    context: tuple[ContextFile, ...] | None = None  # where a retry's differs from the round's
    overrides: Choices | None = None  # options that replace the round's, in a retry
    patch: str | None = None  # bytes decoded as UTF-8 with surrogateescape
    replies: tuple[AttemptReply, ...] = ()

    @property
    def task_id(self) -> str:
        return self.round.task_id

    @property
    def full_log(self) -> tuple[LogEntry, ...]:
        """The log of the round, then of this run; a retry logs its own preparation."""
        is_retry = self.logs and self.logs[0].stage is Stage.PREPARE
        return self.logs if is_retry else (*self.round.logs, *self.logs)

    @property
    def sent_files(self) -> tuple[ContextFile, ...]:
        """The files that this run sent."""
        return self.round.context if self.context is None else self.context


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


class GitHubAppConfig(NamedTuple):
    """The GitHub App that was set up; its private key is in the key store."""

    app_id: str
    installation_id: str | None
    created_at: str
    updated_at: str


class Secret:
    """A value that is never printed: only `reveal()` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret, for a request header."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('…')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def now() -> str:
    """Return the time in UTC, ISO-8601 with milliseconds and `Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
