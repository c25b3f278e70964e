"""Compare the resolver with its peers on the same replies and the same machine.

    python tests/benchmarks/patch_peers.py CORPUS [--limit N]

CORPUS is a folder with `cases.jsonl.gz` (objects with `id, reply, format, real, expected, base_files
{path: blob}, gold {path: {edits: [[start, end, [line]]]} or null} or null`) and `blobs.jsonl.gz`
(pairs of a blob's name and its text). Git and GNU patch are used where they are installed; the
others where this interpreter can import them:

    pip install whatthepatch diff-match-patch tqdm && pip install --no-deps aider-chat

Each peer gets the diff of the reply: its last fence with a diff, else the text from the first
header on. A peer that applies only some hunks, or changes nothing, counts as refusing. Aider's
coder gets the headers that it asks models for, which are bare paths.

`right, wrong, missed` count replies that can be applied: with the known result, with another, or
not applied. `accepted` counts replies that must be refused and were applied, `open` applied ones
without a known result. `ms` is milliseconds per case; a peer's includes creating its folder.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import patches

Texts = dict[str, str | None]  # None for a deleted file
Peer = Callable[[str, Path], bool]  # applies a diff in a folder; False when it refuses

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
START = re.compile(r"^(?:diff --git |--- )", re.MULTILINE)
GITS = re.compile(
    r"^(?:diff --git |index |(?:old|new|deleted file|new file) mode ).*\n|(?<=^--- )a/|(?<=^\+\+\+ )b/",
    re.MULTILINE,
)
GROUPS = {
    "real diffs": lambda case: case["real"] and case["format"] == "udiff",
    "derived diffs": lambda case: not case["real"],
}
COLUMNS = ("right", "wrong", "missed", "accepted", "open")


def cases(corpus: Path) -> Iterator[dict[str, Any]]:
    """Yield the unified diffs of CORPUS with the texts before (`files`) and after (`gold`)."""
    with gzip.open(corpus / "blobs.jsonl.gz", "rt", encoding="utf-8", newline="") as lines:
        blobs = dict(json.loads(line) for line in lines)
    with gzip.open(corpus / "cases.jsonl.gz", "rt", encoding="utf-8", newline="") as lines:
        for line in lines:
            case = json.loads(line)
            case["files"] = {path: blobs[name] for path, name in case["base_files"].items()}
            gold = case["gold"] or {}
            case["gold"] = {p: wanted(case["files"].get(p, ""), gold[p]) for p in gold}
            yield case


def wanted(base: str, entry: dict[str, Any] | None) -> str | None:
    """Return the text that an ENTRY of the corpus describes."""
    if entry is None:
        return None
    lines = base.split("\n")
    for start, end, new in reversed(entry["edits"]):
        lines[start:end] = new
    return "\n".join(lines)


def diff_in(reply: str) -> str | None:
    """Return the diff in REPLY."""
    held = [body for body in FENCE.findall(reply) if START.search(body)]
    text = held[-1] if held else reply
    found = START.search(text)
    return text[found.start() :].rstrip("\n") + "\n" if found else None


def command(*words: str) -> Peer:
    """Return a peer for a program that reads a diff from its input."""

    def apply(diff: str, top: Path) -> bool:
        prefixed = re.search(r"^(?:--- a/|\+\+\+ b/)", diff, re.MULTILINE)
        ceiling = {"GIT_CEILING_DIRECTORIES": str(top.parent), "GIT_CONFIG_NOSYSTEM": "1"}
        env = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C", **ceiling}
        strip = "-p1" if prefixed else "-p0"
        done = subprocess.run(
            [*words, strip], input=diff.encode(), cwd=top, env=env, capture_output=True, check=False
        )
        return done.returncode == 0

    if shutil.which(words[0]) is None:
        raise ImportError(f"no program named {words[0]!r}")
    return apply


def whatthepatch() -> Peer:
    """Return a peer for the library of that name."""
    library = importlib.import_module("whatthepatch")

    def apply(diff: str, top: Path) -> bool:
        for part in library.parse_patch(diff):
            if not part.header or not part.changes:
                return False
            target = top / re.sub(r"^[ab]/", "", part.header.new_path)
            old = target.read_text().splitlines() if target.exists() else []
            new = library.apply_diff(part, old)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n".join(new) + "\n")
        return True

    return apply


def aider() -> Peer:
    """Return a peer for aider's udiff coder, without loading the rest of aider."""
    coder = aiders_coder()

    def apply(diff: str, top: Path) -> bool:
        path: str | None = None
        seen: set[str] = set()
        for named, raw in coder.find_diffs(f"```diff\n{GITS.sub('', diff)}```\n"):
            path, hunk = named or path, coder.normalize_hunk(raw)
            said = f"{path}\n{''.join(hunk)}"
            if not path or not hunk or said in seen:
                continue
            seen.add(said)
            target = top / path
            content = target.read_bytes().decode("utf-8", "replace") if target.exists() else None
            new = coder.do_replace(target, content, hunk)
            if not new:
                return False
            target.write_text(new, newline="")
        return bool(seen)

    return apply


def aiders_coder() -> ModuleType:
    """Import aider's udiff coder with empty modules for its other dependencies."""
    found = importlib.util.find_spec("aider")
    if found is None or found.origin is None:
        raise ImportError("No module named 'aider'")
    folder = Path(found.origin).parent
    hollow: Mapping[str, dict[str, Any]] = {
        "aider": {"__path__": [str(folder)]},
        "aider.utils": {"GitTemporaryDirectory": None},
        "aider.coders": {"__path__": [str(folder / "coders")]},
        "aider.coders.base_coder": {"Coder": object},
    }
    for name, content in hollow.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(content)
    return importlib.import_module("aider.coders.udiff_coder")


PEERS: dict[str, Callable[[], Peer]] = {
    "git apply": lambda: command("git", "apply"),
    "git apply --recount": lambda: command("git", "apply", "--recount"),
    "git apply --recount -C1 --ignore-whitespace": lambda: command(
        "git", "apply", "--recount", "-C1", "--ignore-whitespace"
    ),
    "patch --fuzz=3": lambda: command(
        "patch", "--batch", "--fuzz=3", "--reject-file=-", "--no-backup-if-mismatch"
    ),
    "whatthepatch": whatthepatch,
    "aider's udiff coder": aider,
}


def by_peer(peer: Peer, case: dict[str, Any]) -> Texts | None:
    """Resolve CASE with PEER in a temporary folder; None when it refuses."""
    diff = diff_in(case["reply"])
    if diff is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for path, text in case["files"].items():
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_text(text, newline="")
        try:
            applied = peer(diff, top)
        except Exception:  # noqa: BLE001 - a peer that crashes has not applied the diff
            applied = False
        after = {
            path.relative_to(top).as_posix(): path.read_bytes().decode("utf-8", "replace")
            for path in top.rglob("*")
            if applied and path.is_file()
        }
    changed = applied and after != case["files"]
    return {path: after.get(path) for path in {*after, *case["files"]}} if changed else None


def by_dursor(case: dict[str, Any]) -> Texts | None:
    """Resolve CASE with dursor."""
    answer = patches.answer(case)
    return {**case["files"], **answer["files"]} if answer["status"] == "applied" else None


def verdict(case: dict[str, Any], after: Texts | None) -> str | None:
    """Return the column in which an answer counts; None for an expected refusal."""
    if case["expected"] != "applied" or not case["gold"]:
        what = "accepted" if case["expected"] == "refused" else "open"
        return None if after is None else what
    if after is None:
        return "missed"
    meant = {**case["files"], **case["gold"]}
    same = all(ended(after.get(path)) == ended(meant.get(path)) for path in {*after, *meant})
    return "right" if same else "wrong"


def ended(text: str | None) -> str | None:
    """Return TEXT without trailing newlines, which the corpus does not record reliably."""
    return None if text is None else text.rstrip("\n")


def row(
    name: str, corpus: list[dict[str, Any]], resolve: Callable[[dict[str, Any]], Texts | None]
) -> str:
    """Resolve every case and return the row of the table."""
    began = time.perf_counter()
    seen = [(case, verdict(case, resolve(case))) for case in corpus]
    took = 1000 * (time.perf_counter() - began) / max(1, len(corpus))
    cells = ""
    for holds in GROUPS.values():
        counts = Counter(what for case, what in seen if holds(case))
        cells += " |" + "".join(f"{counts[column]:>9}" for column in COLUMNS)
    return f"{name:44}{took:>6.1f}{cells}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Hold the resolver against its peers.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--limit", type=int, help="look at this many cases only")
    args = parser.parse_args()
    corpus = [c for c in cases(args.corpus) if any(holds(c) for holds in GROUPS.values())]
    corpus = corpus[: args.limit]
    sizes = [f"{name}: {sum(map(holds, corpus))}" for name, holds in GROUPS.items()]
    print(f"{'':50}" + "".join(f" |{size:^45}" for size in sizes))
    print(f"{'':44}{'ms':>6}" + (" |" + "".join(f"{name:>9}" for name in COLUMNS)) * len(GROUPS))
    print(row("dursor", corpus, by_dursor), flush=True)
    for name, make in PEERS.items():
        try:
            peer = make()
        except ImportError as error:
            print(f"{name:44}skipped: {error}")
            continue
        print(row(name, corpus, lambda case, peer=peer: by_peer(peer, case)), flush=True)


if __name__ == "__main__":
    main()
