"""A program of its own: finds the lines of files that a regular expression matches.

A pattern can take for ever, and nothing stops Python's `re` but the end of its process; so it runs
in one that can be killed. It reads a head as a line of JSON, `{"pattern", "ignore_case", "most"}`,
then the files, each as four bytes of length and its text. It writes a line of JSON for each file
with a match, `[file, [line, ...]]`, counted from 0 and from 1, until there are `most` lines; and
at the end `"done"`, or `{"error": "..."}` for a pattern that is none.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from typing import Any

CPU_SECONDS = 20  # should nobody be left to kill it
MEMORY = 1 << 30


def main() -> None:
    """Match until the files end."""
    _limit_self()
    source = sys.stdin.buffer
    head = json.loads(source.readline())
    try:
        pattern = re.compile(head["pattern"], re.IGNORECASE if head["ignore_case"] else 0)
    except (re.error, RecursionError, OverflowError) as error:
        _say({"error": str(error)})
        return
    left, number = head["most"], 0
    while left > 0 and (size := source.read(4)):
        text = source.read(int.from_bytes(size, "big")).decode("utf-8", "replace")
        lines = enumerate(text.split("\n"), 1)
        found = [at for at, line in lines if pattern.search(line.removesuffix("\r"))][:left]
        if found:
            left -= len(found)
            _say([number, found])
        number += 1
    _say("done")


def _say(answer: Any) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def _limit_self() -> None:
    """Bound time and memory where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    for limit, value in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_AS, MEMORY)):
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
