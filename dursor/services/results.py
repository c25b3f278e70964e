"""What services answer when no single noun will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dursor.domain import (
        ContextFile,
        FileChange,
        KeySource,
        Message,
        ModelProfile,
        PullRequest,
        Run,
        Task,
    )
    from dursor.errors import DursorError


@dataclass(frozen=True)
class RoundResult:
    """Runs and the task they belong to; `task` is None when they belong to several."""

    task: Task | None
    runs: tuple[Run, ...]
    interrupted: bool = False  # Ctrl-C came; the runs it stopped are canceled
    require: str = "any"  # how many runs must succeed: "any" or "all"
    failure: DursorError | None = None  # why the store lacks part of this


@dataclass(frozen=True)
class WithheldPath:
    """A path that is not sent, or not as it is."""

    path: str
    reason: str


@dataclass(frozen=True)
class ContextPlan:
    """What would be sent, file by file; tokens as the packer counts them."""

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
    """What a round would do: `run --dry-run`."""

    context: ContextPlan
    models: tuple[PlannedModel, ...]


@dataclass(frozen=True)
class ComparedFile:
    """One path that some of the compared runs changed."""

    path: str
    runs: tuple[str, ...]  # ids of the runs that changed it
    identical: bool  # every compared run leaves the same content there


@dataclass(frozen=True)
class Comparison:
    """Runs side by side; `interdiff` leads from the first one's tree to the last one's."""

    runs: tuple[Run, ...]
    files: tuple[ComparedFile, ...]
    interdiff: str


@dataclass(frozen=True)
class AppliedChange:
    """A change that was put into the working tree, or onto a branch."""

    files_changed: tuple[FileChange, ...]
    branch: str | None
    commit: str | None
    top: Path | None = None  # of the working tree


@dataclass(frozen=True)
class ResolvedPatch:
    """A model's reply as a patch of the base."""

    patch: str  # bytes decoded as UTF-8 with surrogateescape
    files_changed: tuple[FileChange, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A profile and where its key is found; None when there is none."""

    profile: ModelProfile
    key: KeySource | None


@dataclass(frozen=True)
class ModelCheck:
    """Whether key and model work; `latency_ms` is None when no answer came."""

    name: str
    ok: bool
    latency_ms: int | None
    error: DursorError | None


@dataclass(frozen=True)
class TaskHistory:
    """A task with everything in it, oldest first."""

    task: Task
    messages: tuple[Message, ...]
    runs: tuple[Run, ...]
    prs: tuple[PullRequest, ...]


@dataclass(frozen=True)
class DoctorCheck:
    """One thing the doctor looked at."""

    name: str
    ok: bool
    detail: str
    hint: str | None = None


@dataclass(frozen=True)
class PullSync:
    """A pull request as it is now, and what was said that its task had not heard yet."""

    pr: PullRequest
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class GitHubStatus:
    """Which GitHub, and who dursor is there; `kind` is "app", "token" or None for nobody."""

    api_url: str
    kind: str | None
    login: str | None  # of the user, or the App's bot
    app_id: str | None
    installation_id: str | None
    source: str | None  # where the login was said, in words for people


@dataclass(frozen=True)
class HostedRepo:
    """A repository on GitHub that the login can reach."""

    name: str  # OWNER/NAME
    default_branch: str
    private: bool
    archived: bool
    url: str
