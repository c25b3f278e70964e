"""A separate program that finds the lines of files that match a regular expression.

Only the end of its process stops a slow pattern of Python's `re`, so it runs in one that can be
killed. Input: a line of JSON, `{"pattern", "ignore_case", "limit"}`, then the files, each as four
bytes of length and its text. Output: a line of JSON for each file with matches,
`[file, [line, ...]]`, counted from 0 and from 1, up to `limit` lines; at the end `"done"`, or
`{"error": "..."}` for an invalid pattern.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import Any

CPU_SECONDS = 20  # if the parent does not kill it
MEMORY = 1 << 30


def main() -> None:
    """Match until the input ends."""
    _limit_resources()
    source = sys.stdin.buffer
    head = json.loads(source.readline())
    try:
        pattern = re.compile(head["pattern"], re.IGNORECASE if head["ignore_case"] else 0)
    except (re.error, RecursionError, OverflowError) as error:
        _print({"error": str(error)})
        return
    left, number = head["limit"], 0
    while left > 0 and (size := source.read(4)):
        text = source.read(int.from_bytes(size, "big")).decode("utf-8", "replace")
        lines = enumerate(text.split("\n"), 1)
        matches = [n for n, line in lines if pattern.search(line.removesuffix("\r"))][:left]
        if matches:
            left -= len(matches)
            _print([number, matches])
        number += 1
    _print("done")


def _print(value: Any) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def _limit_resources() -> None:
    """Limit time and memory where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    for limit, value in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY)):
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
