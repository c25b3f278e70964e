"""What the words of a command ask; plain values, so that a worker can be handed one as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.domain import ProviderName


class ModelCount(NamedTuple):
    """A profile's name, and how many samples of it are asked for."""

    name: str
    samples: int


@dataclass(frozen=True)
class RoundRequest:
    """One `dursor run`; None means: not said, the configuration decides."""

    instruction: str
    models: tuple[ModelCount, ...] = ()  # each name once; empty: the config's `models`
    repo: str | None = None  # path, name, id or OWNER/NAME; None: the one around the current folder
    base: str | None = None
    dirty: bool = False
    task: str | None = None
    from_run: str | None = None
    files: tuple[str, ...] = ()  # as typed: relative to the current folder
    context_budget: int | None = None  # tokens
    budget_usd: float | None = None
    max_files: int | None = None
    allow_paths: tuple[str, ...] = ()  # globs
    timeout: float | None = None  # seconds a run may take in all
    jobs: int | None = None
    require: str | None = None  # "any" | "all"
    explore: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """Turn the request into JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RoundRequest:
        """Read what `to_json` wrote; KeyError when a field is missing."""
        values = {f.name: data[f.name] for f in fields(cls)}
        values["models"] = tuple(ModelCount(name, samples) for name, samples in values["models"])
        values["files"] = tuple(values["files"])
        values["allow_paths"] = tuple(values["allow_paths"])
        return cls(**values)


@dataclass(frozen=True)
class ContextRequest:
    """One `dursor context`: what a round with this instruction would send."""

    instruction: str
    repo: str | None = None
    base: str | None = None
    files: tuple[str, ...] = ()
    context_budget: int | None = None


@dataclass(frozen=True)
class NewModel:
    """One `dursor models add`; None means: the vendor's or dursor's default."""

    name: str
    provider: ProviderName
    model_name: str
    base_url: str | None = None
    api: str | None = None  # openai only: "responses" | "chat"
    effort: str | None = None  # "low" | "medium" | "high"
    max_output_tokens: int | None = None
    display_name: str | None = None


@dataclass(frozen=True)
class NewPull:
    """One `dursor pr create`; None means: from the run, its base, or its id."""

    run: str
    title: str | None = None
    body: str | None = None
    draft: bool = False
    base: str | None = None  # BRANCH or OWNER:BRANCH
    branch: str | None = None
