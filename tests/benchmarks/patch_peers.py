"""Answer the lines that patches.py answers, with another tool: git apply, GNU patch, whatthepatch.

    python tests/benchmarks/patch_peers.py git|git-recount|git-loose|patch|whatthepatch

Each peer gets the diff cut out of the reply: its last fence that holds one, else what follows the
first header.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
START = re.compile(r"^(?:diff --git |--- )", re.MULTILINE)
COMMANDS = {
    "git": ["git", "apply", "-"],
    "git-recount": ["git", "apply", "--recount", "-"],
    "git-loose": ["git", "apply", "--recount", "-C1", "--ignore-whitespace", "-"],
    "patch": ["patch", "--batch", "--fuzz=3", "--reject-file=-", "--no-backup-if-mismatch"],
}


def diff_in(reply: str) -> str | None:
    """Cut the diff out of REPLY."""
    held = [body for body in FENCE.findall(reply) if START.search(body)]
    text = held[-1] if held else reply
    found = START.search(text)
    return text[found.start() :].rstrip("\n") + "\n" if found else None


def by_command(name: str, diff: str, top: Path) -> bool:
    """Apply DIFF in the folder TOP."""
    prefixed = bool(re.search(r"^(?:--- a/|\+\+\+ b/)", diff, re.MULTILINE))
    command = [*COMMANDS[name][:-1], *(["-p0"] if not prefixed else []), COMMANDS[name][-1]]
    if name == "patch":
        command.append("-p1" if prefixed else "-p0")
    env = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(top.parent), "LC_ALL": "C"}
    done = subprocess.run(
        command, input=diff.encode(), cwd=top, env=env, capture_output=True, check=False
    )
    return done.returncode == 0


def by_whatthepatch(_: str, diff: str, top: Path) -> bool:
    """Apply DIFF with whatthepatch, if it is installed."""
    import whatthepatch

    for part in whatthepatch.parse_patch(diff):
        if not part.header or not part.changes:
            return False
        target = top / re.sub(r"^[ab]/", "", part.header.new_path)
        old = target.read_text().splitlines() if target.exists() else []
        try:
            new = whatthepatch.apply_diff(part, old)
        except whatthepatch.exceptions.WhatThePatchException:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(new) + "\n")
    return True


def answer(name: str, case: dict[str, Any]) -> dict[str, Any]:
    """Let the peer called NAME resolve one case."""
    diff = diff_in(case["reply"])
    refused = {"id": case["id"], "status": "refused", "reason": name}
    if diff is None:
        return refused
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for path, text in case["files"].items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text, newline="")
        apply = by_whatthepatch if name == "whatthepatch" else by_command
        if not apply(name, diff, top):
            return refused
        after = {
            path.relative_to(top).as_posix(): path.read_bytes().decode("utf-8", "replace")
            for path in top.rglob("*")
            if path.is_file()
        }
    changed = {path: text for path, text in after.items() if text != case["files"].get(path)}
    gone = {path: None for path in case["files"] if path not in after}
    return {"id": case["id"], "status": "applied", "files": {**changed, **gone}, "patch": diff}


def main() -> None:
    """Answer every line of standard input."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(sys.argv[1], json.loads(line))) + "\n")


if __name__ == "__main__":
    main()
