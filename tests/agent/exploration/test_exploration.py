"""The limits of exploration, one by one."""

import asyncio
from typing import Any

import pytest
from memory_tree import MemoryTree

from dursor.agent import conversation
from dursor.agent.exploration.exploration import LAST_CALL, Exploration, ExplorationLimits
from dursor.agent.exploration.files import RepositoryFiles
from dursor.agent.exploration.tools import TOOLS, Toolbox
from dursor.domain import Role
from dursor.errors import NoPatchError
from dursor.pathrules import PathRules
from dursor.providers.base import Prompt, Reply, ToolCall, Turn
from dursor.tree import FILE, FileState

PROMPT = Prompt("Be exact.", (Turn(Role.USER, "Go."),), "The repository.", TOOLS)
LINES = "".join(f"line {n} of the file\n" for n in range(4000))
EVIL = f"{'a' * 60}!\n"
TREE = MemoryTree(
    {"a.txt": FileState(FILE, LINES.encode()), "b.txt": FileState(FILE, EVIL.encode())}
)


class Log:
    """An observer that records log lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stage(self, stage: Any, message: str) -> None:
        self.lines.append(message)

    def progress(self, output_chars: int, usage: Any) -> None: ...

    def retry(self, seconds: float, error: Any) -> None: ...


@pytest.fixture
def log() -> Log:
    """Return an observer."""
    return Log()


def exploration(log: Log, room: int = 400_000, **bounds: Any) -> Exploration:
    box = Toolbox(RepositoryFiles(TREE, PathRules(), lambda text, _: text))
    return Exploration(box, log, room, ExplorationLimits(**bounds))


def calling(*calls: ToolCall) -> Reply:
    return Reply("", None, None, calls, ('{"type":"function_call"}',) * len(calls))


def read(number: int = 0) -> ToolCall:
    return ToolCall(f"c{number}", "read_file", {"path": "a.txt"})


async def test_exploration_continues_within_its_limits(log):
    looked = await exploration(log).extend(PROMPT, calling(read()), 60)
    assert not looked.final
    assert looked.turns[1].items == ('{"type":"function_call"}',)
    (result,) = looked.turns[2].results
    assert (result.call_id, result.name, result.failed) == ("c0", "read_file", False)
    assert log.lines == [f"read_file path=a.txt: {len(result.text)} bytes"]


@pytest.mark.parametrize(
    "bounds", [{"replies": 1}, {"calls": 1}, {"size": 10_000}, {"seconds": 0.0}]
)
async def test_each_limit_ends_exploration(log, bounds):
    bounded = exploration(log, **bounds)
    looked = await bounded.extend(PROMPT, calling(read()), 60)
    assert looked.final
    assert looked.turns[2].results[0].text.endswith(LAST_CALL)
    assert log.lines[-1] == "exploration ends after 1 call"
    with pytest.raises(NoPatchError, match="after 1 call and gave no answer"):
        await bounded.extend(looked, calling(read()), 60)


async def test_results_never_exceed_the_context_window(log):
    room = conversation.count_bytes(PROMPT) + 20_000
    looked = await exploration(log, room).extend(PROMPT, calling(read()), 60)
    assert conversation.count_bytes(looked) <= room + len(LAST_CALL)
    assert looked.final
    assert looked.turns[2].results[0].text.startswith("a.txt, lines 1-")


async def test_results_of_one_reply_share_the_room(log):
    looked = await exploration(log, size=30_000).extend(
        PROMPT, calling(*(read(n) for n in range(10))), 60
    )
    sizes = [len(result.text) for result in looked.turns[2].results]
    assert sum(sizes) <= 30_000 + len(LAST_CALL)
    assert min(sizes) > 2_000


async def test_no_call_is_carried_out_without_room(log):
    room = conversation.count_bytes(PROMPT)
    looked = await exploration(log, room).extend(PROMPT, calling(read()), 60)
    (result,) = looked.turns[2].results
    assert result.failed
    assert "the limit of all results is reached" in result.text
    assert looked.final


async def test_a_call_that_times_out_does_not_affect_others(log):
    evil = ToolCall("c1", "search", {"text": "(a+)+$", "regex": True})
    began = asyncio.get_running_loop().time()
    looked = await exploration(log, seconds=0.8).extend(PROMPT, calling(read(), evil), 60)
    assert asyncio.get_running_loop().time() - began < 4
    good, bad = looked.turns[2].results
    assert not good.failed
    assert bad.failed
    assert "the time for exploration is over" in bad.text
    assert looked.final
