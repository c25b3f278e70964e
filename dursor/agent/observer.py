"""The interface through which one run reports its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import Stage, Usage
    from dursor.errors import DursorError


class Observer(Protocol):
    """Receives the progress of one run; every call returns at once."""

    def stage(self, stage: Stage, message: str) -> None: ...

    def notes(self, stage: Stage, messages: Sequence[str]) -> None: ...

    def progress(self, output_chars: int, usage: Usage | None) -> None: ...

    def retry(self, seconds: float, error: DursorError) -> None: ...

    def reply(self, attempt: int, text: str) -> None:
        """Store the text that the model sent in ATTEMPT, in place of an earlier part of it."""
        ...
