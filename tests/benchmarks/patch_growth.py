"""Print how resolution scales: hostile replies of two sizes, their seconds and the ratio.

    python tests/benchmarks/patch_growth.py

Doubling the input should about double the time. A ratio of 4 shows quadratic growth.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory_tree import MemoryTree

from dursor.errors import DursorError
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.resolve import resolve
from dursor.tree import FILE, FileState

Case = tuple[str, list[str]]  # a reply and the lines of f.py


def hunks(lines: list[str], count: int, wrong: int = 0) -> str:
    """Return COUNT hunks that change one line each; their headers are off by WRONG lines."""
    step = (len(lines) - 20) // count
    return "--- a/f.py\n+++ b/f.py\n" + "".join(
        f"@@ -{at + wrong},3 +{at + wrong},3 @@\n {lines[at - 1]}\n-{lines[at]}\n+changed {at}\n {lines[at + 1]}\n"
        for at in range(10, 10 + step * count, step)
    )


def distinct(n: int) -> Case:
    """n/20 hunks with wrong headers in a file of n distinct lines."""
    lines = [f"line {i} of the file" for i in range(n)]
    return hunks(lines, n // 20, 7), lines


def repetitive(n: int) -> Case:
    """The same in a file of few distinct lines: nearly every hunk fits in many places."""
    lines = ["x" if i % 3 else f"y{i % 50}" for i in range(n)]
    return hunks(lines, n // 20, 7), lines


def near_match(n: int) -> Case:
    """One hunk of n/2 lines that nearly fits everywhere in a file of one repeated line."""
    return "--- a/f.py\n+++ b/f.py\n@@ @@\n" + " x\n" * (n // 4) + "-y\n" + " x\n" * (n // 4), [
        "x"
    ] * n


def periodic(n: int) -> Case:
    """n/100 hunks that nearly fit once per period and nowhere else."""
    lines = (["x"] * 100 + ["y"]) * (n // 101)
    hunk = "@@ @@\n" + " x\n" * 50 + " z\n-y\n+z\n" + " x\n" * 50
    return "--- a/f.py\n+++ b/f.py\n" + hunk * (n // 100), lines


def partial_context(n: int) -> Case:
    """n/40 hunks that skip a line of context each."""
    lines = [f"line {i}" for i in range(n)]
    body = "".join(
        f"@@ @@\n line {i}\n line {i + 2}\n line {i + 3}\n-line {i + 4}\n+new\n line {i + 5}\n"
        for i in range(0, n - 40, 40)
    )
    return "--- a/f.py\n+++ b/f.py\n" + body, lines


def blocks(n: int) -> Case:
    """n/20 search/replace blocks."""
    lines = [f"line {i}" for i in range(n)]
    return "".join(
        f"f.py\n<<<<<<< SEARCH\nline {i}\n=======\nnew {i}\n>>>>>>> REPLACE\n"
        for i in range(0, n, 20)
    ), lines


def prose(n: int) -> Case:
    """About 25 n bytes of prose full of markers."""
    return "words -- ++ @@ ``` and `f.py`\n" * n, ["x"]


def new_file(n: int) -> Case:
    """A new file of n lines."""
    return "--- /dev/null\n+++ b/g.py\n@@ -0,0 +1 @@\n" + "".join(
        f"+line {i}\n" for i in range(n)
    ), ["x"]


def marks(n: int) -> Case:
    """n markers that are never closed."""
    return "<original>\n```py\n@@ -1 +1 @@\n\n<<<<<<< SEARCH\n" * (n // 5), ["x"]


def measure(case: Case) -> tuple[float, str]:
    """Resolve CASE and render its patch; return the processor time and a description."""
    reply, lines = case
    tree = MemoryTree({"f.py": FileState(FILE, ("\n".join(lines) + "\n").encode())})
    began = time.process_time()
    try:
        result = f"{len(render_canonical(tree, resolve(reply, tree)).text) / 1e6:.1f} MB patch"
    except DursorError as error:
        result = error.code
    return time.process_time() - began, f"{len(reply) / 1e6:.1f} MB, {result}"


CASES: tuple[Callable[[int], Case], ...] = (
    distinct, repetitive, near_match, periodic, partial_context, blocks, prose, new_file, marks,
)  # fmt: skip


def main(size: int = 100_000) -> None:
    """Print one row per case."""
    print(f"{'case':16}{size:>12}{2 * size:>12}{'ratio':>8}  largest")
    for case in CASES:
        first, _ = measure(case(size))
        second, result = measure(case(2 * size))
        print(
            f"{case.__name__:16}{first:>11.2f}s{second:>11.2f}s{second / max(first, 1e-3):>8.1f}  {result}"
        )


if __name__ == "__main__":
    main()
