"""Requests of commands: plain values, which a worker process can receive as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.domain import Choices

if TYPE_CHECKING:
    from collections.abc import Mapping


class ModelCount(NamedTuple):
    """A profile's name and the number of its samples."""

    name: str
    samples: int


@dataclass(frozen=True)
class RoundRequest:
    """One `dursor run`; None leaves a decision to the configuration."""

    instruction: str
    models: tuple[ModelCount, ...] = ()  # each name once; empty: the config's `models`
    repo: str | None = None  # path, name, id or OWNER/NAME; None: the current repository
    base: str | None = None
    dirty: bool = False
    task: str | None = None
    from_run: str | None = None
    choices: Choices = field(default_factory=Choices)  # files are relative to the current folder
    jobs: int | None = None
    require: str | None = None  # "any" | "all"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RoundRequest:
        """Build a request from the values of `to_json`; KeyError if a field is missing."""
        values = {f.name: data[f.name] for f in fields(cls)}
        values["models"] = tuple(ModelCount(name, samples) for name, samples in values["models"])
        values["choices"] = Choices.from_json(values["choices"])
        return cls(**values)


@dataclass(frozen=True)
class ContextRequest:
    """One `dursor context`: a round that is only previewed."""

    instruction: str
    repo: str | None = None
    base: str | None = None
    files: tuple[str, ...] = ()
    context_budget: int | None = None


@dataclass(frozen=True)
class NewModel:
    """One `dursor models add`; None means the default."""

    name: str
    provider: str
    model_name: str
    base_url: str | None = None
    api: str | None = None  # openai only: "responses" | "chat"
    effort: str | None = None  # "low" | "medium" | "high"
    max_output_tokens: int | None = None
    display_name: str | None = None


@dataclass(frozen=True)
class NewPull:
    """One `dursor pr create`; None is derived from the run."""

    run: str
    title: str | None = None
    body: str | None = None
    draft: bool = False
    base: str | None = None  # BRANCH or OWNER:BRANCH
    branch: str | None = None
