"""Lines that a regular expression matches, found by a process that is killed when it takes long."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MATCHER = Path(__file__).with_name("regex_worker.py")
MAX_ANSWER = 1 << 20  # bytes of one line of it
# What an interpreter may need to start; the child learns nothing else of this environment.
NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class LineMatches(NamedTuple):
    """Line numbers from 1 by the index of their text; `whole` unless it was stopped."""

    lines: Mapping[int, Sequence[int]]
    whole: bool
    error: str | None = None  # why the pattern is none


async def match_lines(
    pattern: str, texts: Sequence[bytes], *, ignore_case: bool, most: int, seconds: float
) -> LineMatches:
    """Find at most MOST lines of TEXTS that PATTERN matches, within SECONDS."""
    head = json.dumps({"pattern": pattern, "ignore_case": ignore_case, "most": most})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", str(MATCHER)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_ANSWER,
        env={name: os.environ[name] for name in NEEDED if name in os.environ},
    )
    answers: list[Any] = []
    ended = False
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(
                    _hand(process, f"{head}\n".encode(), texts), _hear(process, answers)
                )
                ended = True
    finally:
        if not ended:  # to kill what has ended would take its exit from who waits for it
            with suppress(ProcessLookupError):
                process.kill()
        await process.communicate()
    return _read(answers)


async def _hand(process: asyncio.subprocess.Process, head: bytes, texts: Sequence[bytes]) -> None:
    stream = process.stdin
    if stream is None:
        raise AssertionError
    with suppress(ConnectionError):  # it has found enough, or ended
        stream.write(head)
        for text in texts:
            stream.write(len(text).to_bytes(4, "big") + text)
            await stream.drain()
        stream.close()


async def _hear(process: asyncio.subprocess.Process, answers: list[Any]) -> None:
    if process.stdout is None:
        raise AssertionError
    async for line in process.stdout:
        answers.append(json.loads(line))  # noqa: PERF401 - what came before a stop counts


def _read(answers: Sequence[Any]) -> LineMatches:
    found = {one[0]: one[1] for one in answers if isinstance(one, list)}
    errors = [one["error"] for one in answers if isinstance(one, dict)]
    return LineMatches(found, "done" in answers, errors[0] if errors else None)
