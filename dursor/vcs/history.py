"""Read messages and changed paths of many commits at once."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from dursor.errors import DursorError
from dursor.vcs.command import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.vcs.command import GitCommand
    from dursor.vcs.remote.mirror import Mirror
    from dursor.vcs.repository import Repository

FIRST, CHUNK = 25, 250  # commits in the first chunk, and in the largest
CHUNK_BYTES = 4 << 20  # the next chunk doubles below this size and halves above it
SECONDS = 2.0  # reading stops after this time


class PastCommit(NamedTuple):
    """The message and the changed paths of a commit."""

    oid: str
    message: str
    paths: tuple[str, ...]


class History:
    """The ancestors of COMMIT without merges; missing commits are not fetched."""

    def __init__(self, repository: Repository, commit: str) -> None:
        self._command = repository.command
        self._commit = commit

    def list_ids(self, limit: int) -> list[str]:
        """List at most LIMIT commits, newest first; none if git fails."""
        words = ("rev-list", "--no-merges", f"--max-count={limit}", self._commit, "--")
        try:
            return decode(self._command.run(*words, seconds=SECONDS * 5).out).split()
        except DursorError:
            return []

    def read(self, ids: Sequence[str]) -> Iterator[PastCommit]:
        """Yield the commits IDS, as many as can be read in SECONDS."""
        deadline = time.monotonic() + SECONDS
        start, count = 0, FIRST
        while start < len(ids) and (left := deadline - time.monotonic()) > 0:
            try:
                mark, output = _run_diff_tree(self._command, ids[start : start + count], left)
            except DursorError:
                return
            yield from _parse(mark, output)
            start += count
            count = max(1, count // 2) if len(output) > CHUNK_BYTES else min(CHUNK, 2 * count)


def _run_diff_tree(command: GitCommand, ids: Sequence[str], seconds: float) -> tuple[bytes, bytes]:
    """Return git's output for the commits IDS, and the random mark before each commit."""
    mark = os.urandom(8).hex()  # no path of a hostile repository can begin a commit
    output = command.run(
        *("diff-tree", "--stdin", "--always", "--root", "-r", "-z", "--name-only", "--no-renames"),
        *("--no-ext-diff", "--encoding=UTF-8", f"--format={mark}%H%x00%B%x00"),
        stdin="".join(f"{oid}\n" for oid in ids).encode("ascii"),
        seconds=seconds,
    )
    return mark.encode("ascii"), output.out


def _parse(mark: bytes, output: bytes) -> Iterator[PastCommit]:
    """Yield commits one at a time, since a commit may change every file."""
    start = output.find(mark)
    while start >= 0:
        start += len(mark)
        end = output.find(mark, start)
        oid, message, rest = decode(output[start : end if end >= 0 else None]).split("\0", 2)
        paths = rest.removeprefix("\0").removeprefix("\n").split("\0")
        yield PastCommit(oid, message, tuple(path for path in paths if path))
        start = end


def read_messages(mirror: Mirror, head: str, limit: int) -> list[str]:
    """Read the messages of HEAD and its first parents, newest first, at most LIMIT."""
    output = mirror.command.run(
        *("log", "--first-parent", "-z", "--format=%B", "--no-mailmap", "--no-show-signature"),
        *("--encoding=UTF-8", f"--max-count={limit}", head, "--"),
    )
    return decode(output.out).split("\0")
