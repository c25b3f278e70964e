"""Exploration before the answer: the tool calls of one run, within limits, and logged."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.agent import conversation
from dursor.agent.exploration.files import ToolCallError, count_bytes
from dursor.domain import Role, Stage
from dursor.errors import NoPatchError
from dursor.providers.adapters.error_payloads import to_one_line
from dursor.providers.base import Prompt, ToolResult, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.agent.exploration.tools import Toolbox
    from dursor.agent.observer import Observer
    from dursor.providers.base import Reply, ToolCall

MIN_ROOM = 2_000  # bytes; with less left, exploration ends
MIN_RESULT = 500  # bytes
MAX_REFUSAL = 1_000  # characters
MAX_DESCRIPTION = 200  # characters of a call in the log
LAST_CALL = "\n[This was the last tool call. Answer now, with the information you have.]"


@dataclass(frozen=True)
class ExplorationLimits:
    """Limits for one run, over all its attempts; the first one reached ends exploration."""

    replies: int = 12  # with tool calls
    calls: int = 48
    size: int = 192_000  # bytes of results
    seconds: float = 60.0  # for all results


class Exploration:
    """The exploration of one run.

    At a limit, the model is asked for its answer without tools. If it calls a tool nevertheless,
    the run fails with `no_patch`.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        observer: Observer,
        room: int,
        limits: ExplorationLimits | None = None,
    ) -> None:
        self._toolbox = toolbox
        self._observer = observer
        self._room = room  # bytes of the whole conversation
        self._limits = limits or ExplorationLimits()
        self._replies = 0
        self._calls = 0
        self._size = 0
        self._seconds = 0.0

    async def extend(self, prompt: Prompt, reply: Reply, seconds: float) -> Prompt:
        """Return PROMPT with REPLY and the results of its calls, carried out within SECONDS."""
        if prompt.final:
            raise NoPatchError(
                f"the model went on calling tools after {self._count} and gave no answer",
                hint="dursor run --no-explore ..., or name the files it needs with --file",
            )
        began = time.monotonic()
        echo = Turn(Role.ASSISTANT, reply.text, items=reply.items)
        room = self._count_room(conversation.extend(prompt, echo))
        results = await self._call_all(reply.calls, room, seconds)
        self._replies += 1
        self._seconds += time.monotonic() - began
        self._size += sum(count_bytes(result.text) for result in results)
        extended = conversation.extend(prompt, echo, Turn(Role.USER, "", results=results))
        limits = self._limits
        if (
            self._replies < limits.replies
            and self._calls < limits.calls
            and self._seconds < limits.seconds
            and self._count_room(extended) >= MIN_ROOM
        ):
            return extended
        self._observer.stage(Stage.CALL, f"exploration ends after {self._count}")
        results = (*results[:-1], replace(results[-1], text=results[-1].text + LAST_CALL))
        last = Turn(Role.USER, "", results=results)
        return replace(conversation.extend(prompt, echo, last), final=True)

    @property
    def _count(self) -> str:
        return "1 call" if self._calls == 1 else f"{self._calls} calls"

    def _count_room(self, prompt: Prompt) -> int:
        """Return the bytes left for results."""
        return min(self._limits.size - self._size, self._room - conversation.count_bytes(prompt))

    async def _call_all(
        self, calls: Sequence[ToolCall], room: int, seconds: float
    ) -> tuple[ToolResult, ...]:
        """Carry out CALLS concurrently, in ROOM bytes and SECONDS together."""
        limit = self._limits.calls
        end = asyncio.get_running_loop().time() + min(seconds, self._limits.seconds - self._seconds)
        accepted = calls[: limit - self._calls]
        refused = calls[limit - self._calls :]
        self._calls += len(accepted)
        share = room // max(1, len(accepted))
        results = await asyncio.gather(*(self._call(call, share, end) for call in accepted))
        if refused:
            self._observer.stage(Stage.CALL, f"{len(refused)} further calls were not carried out")
        text = f"not carried out: the limit is {limit} calls"
        return (*results, *(ToolResult(call.id, call.name, text, failed=True) for call in refused))

    async def _call(self, call: ToolCall, limit: int, end: float) -> ToolResult:
        text, failed = "", True
        try:
            if limit < MIN_RESULT:
                text = "not carried out: the limit of all results is reached"
            else:
                async with asyncio.timeout_at(end):
                    text = await self._toolbox.call(call.name, call.arguments, limit)
                failed = False
        except ToolCallError as error:
            text = str(error)[:MAX_REFUSAL]  # it can quote the arguments
        except TimeoutError:
            text = "not carried out: the time for exploration is over"
        outcome = text if failed else f"{count_bytes(text)} bytes"
        self._observer.stage(Stage.CALL, f"{_describe(call)}: {to_one_line(outcome)}")
        return ToolResult(call.id, call.name, text, failed)


def _describe(call: ToolCall) -> str:
    arguments = (f"{name}={value}" for name, value in (call.arguments or {}).items())
    return to_one_line(" ".join([call.name, *arguments]), MAX_DESCRIPTION)
