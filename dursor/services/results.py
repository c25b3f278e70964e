"""Results of services that are more than one noun of the domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import (
        ContextFile,
        FileChange,
        KeySource,
        Message,
        ModelProfile,
        PullRequest,
        Round,
        Run,
        Task,
    )
    from dursor.errors import DursorError


@dataclass(frozen=True)
class RoundResult:
    """Runs and their task; `task` is None when they belong to several."""

    task: Task | None
    round: Round | None
    runs: tuple[Run, ...]
    interrupted: bool = False  # by Ctrl-C, which canceled the unfinished runs
    require: str = "any"  # runs that must succeed: "any" or "all"
    failure: DursorError | None = None  # the error that kept part of this out of the store


@dataclass(frozen=True)
class WithheldPath:
    """A path that is not sent, or only with placeholders."""

    path: str
    reason: str


@dataclass(frozen=True)
class ContextPlan:
    """The context that would be sent, file by file."""

    base_commit: str
    budget: int
    tokens_files: int
    tokens_total: int
    files: tuple[ContextFile, ...]
    withheld: tuple[WithheldPath, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedModel:
    """One model of a dry run; `worst_cost_usd` is for all its samples, None when unpriced."""

    name: str
    provider: str
    model_name: str
    samples: int
    worst_cost_usd: float | None


@dataclass(frozen=True)
class RoundPlan:
    """The plan of a round: `run --dry-run`."""

    context: ContextPlan
    models: tuple[PlannedModel, ...]


@dataclass(frozen=True)
class ComparedFile:
    """One path that some of the compared runs changed."""

    path: str
    runs: tuple[str, ...]  # ids of the runs that changed it
    identical: bool  # every compared run results in the same content


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; `interdiff` is the diff from the first tree to the last."""

    runs: tuple[Run, ...]
    files: tuple[ComparedFile, ...]
    interdiff: str


@dataclass(frozen=True)
class AppliedChange:
    """A change that was applied to the working tree or committed to a branch."""

    files_changed: tuple[FileChange, ...]
    branch: str | None
    commit: str | None
    top: Path | None = None  # of the working tree


@dataclass(frozen=True)
class ResolvedPatch:
    """A model's reply as a patch against the base."""

    patch: str  # bytes decoded as UTF-8 with surrogateescape
    files_changed: tuple[FileChange, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A profile and the source of its key; None when there is no key."""

    profile: ModelProfile
    key: KeySource | None


@dataclass(frozen=True)
class ModelCheck:
    """Whether key and model work; `latency_ms` is None without an answer."""

    name: str
    ok: bool
    latency_ms: int | None
    error: DursorError | None


@dataclass(frozen=True)
class TaskHistory:
    """A task with its messages, runs and pull requests, oldest first."""

    task: Task
    messages: tuple[Message, ...]
    rounds: tuple[Round, ...]
    runs: tuple[Run, ...]
    prs: tuple[PullRequest, ...]


@dataclass(frozen=True)
class DoctorCheck:
    """One check of `dursor doctor`."""

    name: str
    detail: str
    hint: str | None = None
    level: Literal["ok", "warning", "error"] = "ok"

    @property
    def ok(self) -> bool:
        return self.level != "error"


@dataclass(frozen=True)
class PullSync:
    """The current state of a pull request, and the messages that are new to its task."""

    pr: PullRequest
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class GitHubStatus:
    """The GitHub host and account; `kind` is "app", "token" or None when signed out."""

    api_url: str
    kind: str | None
    login: str | None  # the user, or the App's bot
    app_id: str | None
    installation_id: str | None
    source: str | None  # where the login comes from, for people


@dataclass(frozen=True)
class HostedRepo:
    """A repository on GitHub that the login can access."""

    name: str  # OWNER/NAME
    default_branch: str
    private: bool
    archived: bool
    url: str


@dataclass(frozen=True)
class LiveHead:
    """The head of a task's open pull request; `commit` is None if there is none."""

    commit: str | None = None
    branch: str = ""
    number: int = 0
    notes: tuple[str, ...] = ()  # for the user
