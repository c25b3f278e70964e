"""Looking around before answering: a model's calls, carried out within bounds, and logged."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.agent import conversation
from dursor.agent.files import ToolCallError
from dursor.domain import Role, Stage
from dursor.errors import NoPatchError
from dursor.providers.adapters.error_payloads import to_one_line
from dursor.providers.base import Prompt, ToolResult, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.agent.observer import Watch
    from dursor.agent.tools import Toolbox
    from dursor.providers.base import Reply, ToolCall

LEAST = 2_000  # bytes; with fewer left there is no looking further
LEAST_RESULT = 500  # bytes
MAX_REFUSAL = 1_000  # characters
MAX_DESCRIPTION = 200  # characters of a call in the log
NO_MORE = "\n[This was the last look. Answer now, with what you know.]"


@dataclass(frozen=True)
class ExplorationLimits:
    """How far one run may look around, over all its answers; the first bound reached ends it."""

    replies: int = 12  # that call tools
    calls: int = 48
    size: int = 192_000  # bytes of results
    seconds: float = 60.0  # for all results together


class Exploration:
    """One run's looking around.

    Once a bound is reached the model is asked for its answer with the tools closed. A vendor then
    lets it answer in words only; should it call a tool all the same, the run fails with `no_patch`:
    the model was heard to its bound and gave nothing to resolve.
    """

    def __init__(
        self, toolbox: Toolbox, watch: Watch, room: int, bounds: ExplorationLimits | None = None
    ) -> None:
        self._toolbox = toolbox
        self._watch = watch
        self._room = room  # bytes that everything said may have
        self._bounds = bounds or ExplorationLimits()
        self._replies = 0
        self._calls = 0
        self._size = 0
        self._seconds = 0.0

    async def answered(self, prompt: Prompt, reply: Reply, seconds: float) -> Prompt:
        """Give PROMPT with REPLY and the results of its calls, all found within SECONDS."""
        if prompt.final:
            raise NoPatchError(
                f"the model went on looking around after {self._count}, and gave no answer",
                hint="dursor run --no-explore ..., or name the files it needs with --file",
            )
        began = time.monotonic()
        echo = Turn(Role.ASSISTANT, reply.text, items=reply.items)
        room = self._left(conversation.grown(prompt, echo))
        results = await self._results(reply.calls, room, seconds)
        self._replies += 1
        self._seconds += time.monotonic() - began
        self._size += sum(_size(result.text) for result in results)
        grown = conversation.grown(prompt, echo, Turn(Role.USER, "", results=results))
        if self._goes_on() and self._left(grown) >= LEAST:
            return grown
        self._watch.stage(Stage.CALL, f"no more looking around after {self._count}")
        results = (*results[:-1], replace(results[-1], text=results[-1].text + NO_MORE))
        last = Turn(Role.USER, "", results=results)
        return replace(conversation.grown(prompt, echo, last), final=True)

    @property
    def _count(self) -> str:
        return "1 call" if self._calls == 1 else f"{self._calls} calls"

    def _goes_on(self) -> bool:
        bounds = self._bounds
        within = self._replies < bounds.replies and self._calls < bounds.calls
        return within and self._seconds < bounds.seconds

    def _left(self, prompt: Prompt) -> int:
        """Count the bytes that results may still have."""
        return min(self._bounds.size - self._size, self._room - conversation.size(prompt))

    async def _results(
        self, calls: Sequence[ToolCall], room: int, seconds: float
    ) -> tuple[ToolResult, ...]:
        """Carry out CALLS at once, in ROOM bytes and SECONDS together; each gets a result."""
        now, calls_left = asyncio.get_running_loop().time(), self._bounds.calls - self._calls
        end = now + min(seconds, self._bounds.seconds - self._seconds)
        done, refused = calls[:calls_left], calls[calls_left:]
        self._calls += len(done)
        share = room // max(1, len(done))
        results = await asyncio.gather(*(self._result(call, share, end) for call in done))
        if refused:
            self._watch.stage(Stage.CALL, f"{len(refused)} further calls were not carried out")
        why = f"not carried out: {self._bounds.calls} calls are the most there may be"
        return (*results, *(ToolResult(one.id, one.name, why, failed=True) for one in refused))

    async def _result(self, call: ToolCall, limit: int, end: float) -> ToolResult:
        try:
            _refuse_without_room(limit)
            async with asyncio.timeout_at(end):
                text, failed = await self._toolbox.use(call.name, call.arguments, limit), False
        except ToolCallError as error:
            text, failed = str(error)[:MAX_REFUSAL], True  # it may quote what was asked for
        except TimeoutError:
            text, failed = "not carried out: the time for looking around is over", True
        outcome = text if failed else f"{_size(text)} bytes"
        self._watch.stage(Stage.CALL, f"{_described(call)}: {to_one_line(outcome)}")
        return ToolResult(call.id, call.name, text, failed)


def _refuse_without_room(limit: int) -> None:
    if limit < LEAST_RESULT:
        raise ToolCallError("not carried out: there is no room for more results")


def _described(call: ToolCall) -> str:
    given = (f"{name}={value}" for name, value in (call.arguments or {}).items())
    return to_one_line(" ".join([call.name, *given]), MAX_DESCRIPTION)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
