"""Who hears how an attempt goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import Stage, Usage
    from dursor.errors import DursorError


class Watch(Protocol):
    """Hears how an attempt goes; every call is cheap."""

    def stage(self, stage: Stage, message: str) -> None: ...

    def notes(self, stage: Stage, messages: Sequence[str]) -> None: ...

    def progress(self, output_chars: int, usage: Usage | None) -> None: ...

    def retry(self, seconds: float, error: DursorError) -> None: ...
