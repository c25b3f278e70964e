"""Resolve model replies from standard input: one JSON object a line in, one a line out.

In: `{"id", "reply", "files": {path: text}}`. Out: `{"id", "status": "applied", "files", "patch"}`
(changed files only, null for a deleted one) or `{"id", "status": "refused", "reason"}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from memory_tree import MemoryTree

from dursor.errors import DursorError
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.policy import check_policy
from dursor.patch.resolve import resolve
from dursor.pathrules import PathRules
from dursor.tree import FILE, FileState


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """Resolve one case as a run would."""
    tree = MemoryTree({p: FileState(FILE, t.encode()) for p, t in case["files"].items()})
    try:
        resolution = resolve(case["reply"], tree)
        check_policy(tree, resolution, PathRules(), max_files=50)
    except DursorError as error:
        return {"id": case["id"], "status": "refused", "reason": f"{error.code}: {error.message}"}
    files = {
        path: None if state is None else state.data.decode("utf-8", "replace")
        for path, state in resolution.changes.items()
    }
    patch = render_canonical(tree, resolution).text
    return {
        "id": case["id"], "status": "applied", "files": files, "patch": patch,
        "notes": resolution.notes,
    }  # fmt: skip


def main() -> None:
    """Answer every line of standard input."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
