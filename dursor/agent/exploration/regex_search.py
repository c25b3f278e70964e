"""Lines that match a regular expression, found by a process that is killed if it takes too long."""

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

WORKER = Path(__file__).with_name("regex_worker.py")
MAX_LINE = 1 << 20  # bytes of a line of output
# The variables an interpreter can need to start; the child gets no others.
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class LineMatches(NamedTuple):
    """Line numbers from 1 by the index of their text; not `complete` if it was stopped."""

    lines: Mapping[int, Sequence[int]]
    complete: bool
    error: str | None = None  # of an invalid pattern


async def match_lines(
    pattern: str, texts: Sequence[bytes], *, ignore_case: bool, limit: int, seconds: float
) -> LineMatches:
    """Find at most LIMIT lines of TEXTS that match PATTERN, within SECONDS."""
    head = json.dumps({"pattern": pattern, "ignore_case": ignore_case, "limit": limit})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", str(WORKER)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_LINE,
        env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError
    output: list[Any] = []
    ended = False
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                writing = _write(process.stdin, f"{head}\n".encode(), texts)
                await asyncio.gather(writing, _read(process.stdout, output))
                ended = True
    finally:
        if not ended:  # killing a process that has ended would hide its exit from the waiter
            with suppress(ProcessLookupError):
                process.kill()
        await process.communicate()
    lines = {item[0]: item[1] for item in output if isinstance(item, list)}
    errors = [item["error"] for item in output if isinstance(item, dict)]
    return LineMatches(lines, "done" in output, errors[0] if errors else None)


async def _write(stream: asyncio.StreamWriter, head: bytes, texts: Sequence[bytes]) -> None:
    with suppress(ConnectionError):  # the worker has reached its limit
        stream.write(head)
        for text in texts:
            stream.write(len(text).to_bytes(4, "big") + text)
            await stream.drain()
        stream.close()


async def _read(stream: asyncio.StreamReader, output: list[Any]) -> None:
    async for line in stream:
        output.append(json.loads(line))  # noqa: PERF401 - output before a timeout counts
