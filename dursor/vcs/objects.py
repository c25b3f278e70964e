"""Read git objects through one long-lived process."""

from __future__ import annotations

import threading
from functools import lru_cache
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple

from dursor.errors import PolicyError, UsageError
from dursor.tree import NOT_FETCHED, SUBMODULE, Entry
from dursor.vcs.command import FETCH, MissingObjectError, decode, encode, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from dursor.vcs.command import GitCommand, Process

BATCH = 100  # names written before answers are read: always less than a pipe holds
BLOB_LIMIT = 100 << 20
KEPT, KEPT_BYTES = 16, 1 << 20  # files that were read last, and the largest of them


class GitObject(NamedTuple):
    """One object: its id, its kind (`blob`, `tree`, `commit`, `tag`) and its content."""

    oid: str
    kind: str
    data: bytes


class ObjectReader:
    """Answers names with objects over one `cat-file --batch`; threads may share it."""

    def __init__(self, command: GitCommand) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._complaints: IO[bytes] | None = None

    def read(self, names: Sequence[str]) -> list[GitObject | None]:
        """Read the objects that NAMES (ids or revisions, one line each) stand for."""
        found: list[GitObject | None] = []
        with self._lock:
            try:
                for start in range(0, len(names), BATCH):
                    found += self._ask(names[start : start + BATCH])
            except BaseException:  # an answer half read would be taken for the next one
                self._stop()
                raise
        return found

    def close(self) -> None:
        """End the process; a later read starts another."""
        with self._lock:
            self._stop()

    def _ask(self, names: Sequence[str]) -> list[GitObject | None]:
        process = self._start()
        try:
            process.stdin.write(b"".join(encode(name) + b"\n" for name in names))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._failure() from None
        return [self._answer(process.stdout) for _ in names]

    def _answer(self, stream: IO[bytes]) -> GitObject | None:
        header = stream.readline()
        if not header.endswith(b"\n"):
            raise self._failure()
        if header.endswith((b" missing\n", b" ambiguous\n")):
            return None
        oid, kind, size = header.decode("ascii").split()
        if int(size) > BLOB_LIMIT:
            raise PolicyError(f"object {oid} has {int(size) >> 20} MiB, too large to read")
        data = stream.read(int(size) + 1)
        if len(data) != int(size) + 1:
            raise self._failure()
        return GitObject(oid, kind, data[:-1])

    def _start(self) -> Process:
        if self._process is None:
            self._complaints = TemporaryFile()  # noqa: SIM115 - lives as long as the process
            self._process = self._command.open_pipe("cat-file", "--batch", stderr=self._complaints)
        return self._process

    def _failure(self) -> Exception:
        if self._process is not None and self._process.proc is not None:
            self._process.proc.wait()
        text = b""
        if self._complaints is not None:
            self._complaints.seek(0)
            text = self._complaints.read(1 << 16)
        return explain("cat-file", decode(text))

    def _stop(self) -> None:
        if self._process is not None:
            self._process._terminate()  # noqa: SLF001 - what its __del__ does, but now
            self._process = None
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None


class CommitTree:
    """The files of one commit, read from git's objects; nothing is checked out."""

    def __init__(self, command: GitCommand, reader: ObjectReader, commit: str) -> None:
        self.commit = commit
        self._command = command
        self._reader = reader
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] | None = None
        self._again = lru_cache(KEPT)(self._read)

    def entries(self) -> Mapping[str, Entry]:
        """Every path, in git's order; symbolic links and submodules are entries too."""
        with self._lock:
            if self._entries is None:
                words = ("ls-tree", "-r", "-z", "--full-tree", self.commit)
                try:
                    self._entries = _entries(self._command.run(*words, "--long").out)
                except MissingObjectError:
                    self._entries = self._measured(_entries(self._command.run(*words).out))
            return self._entries

    def _measured(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Give ENTRIES their sizes, where the clone has what they are."""
        words = ("--no-walk", "--objects", "--missing=print", "--no-object-names")
        listing = decode(self._command.run("rev-list", *words, self.commit).out).split()
        here = {entry.oid for entry in entries.values()}.intersection(listing)
        asked = "".join(f"{oid}\n" for oid in here).encode()
        told = self._command.run(
            "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked
        )
        sizes = dict(line.split(" ") for line in decode(told.out).splitlines())
        return {
            path: entry._replace(size=_size(entry, sizes.get(entry.oid)))
            for path, entry in entries.items()
        }

    def read(self, path: str) -> bytes:
        """Read PATH (a symlink's is its target); KeyError for a submodule or no such path.

        The runs of a round change the same few files: those are kept.
        """
        is_small = self.entries()[path].size <= KEPT_BYTES
        return self._again(path) if is_small else self._read(path)

    def _read(self, path: str) -> bytes:
        return self.read_many((path,))[path]

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Read PATHS in one exchange; KeyError as `read`."""
        entries = self.entries()
        wanted = {path: entries[path] for path in paths}
        for path, entry in wanted.items():
            if entry.mode == SUBMODULE:
                raise KeyError(path)
            if entry.size == NOT_FETCHED:
                raise MissingObjectError(f"this partial clone lacks {path}", hint=FETCH)
            if entry.size > BLOB_LIMIT:
                raise PolicyError(f"{path} has {entry.size >> 20} MiB, too large to read")
        found = self._reader.read([entry.oid for entry in wanted.values()])
        contents = {}
        for (path, entry), item in zip(wanted.items(), found, strict=True):
            if item is None:
                raise UsageError(
                    f"the repository lacks object {entry.oid} of {path}", hint="git fsck"
                )
            contents[path] = item.data
        return contents

    def close(self) -> None:
        """End the process that reads; a later read starts another."""
        self._reader.close()


def write_blob(command: GitCommand, data: bytes, objects: Path) -> str:
    """Put DATA into the folder OBJECTS, which is laid out as git's, and return its id."""
    where = {"GIT_OBJECT_DIRECTORY": str(objects)}
    return decode(command.run("hash-object", "-w", "--stdin", stdin=data, env=where).out).strip()


def _size(entry: Entry, told: str | None) -> int:
    if told is None:
        return 0 if entry.mode == SUBMODULE else NOT_FETCHED
    return int(told)


def _entries(listing: bytes) -> dict[str, Entry]:
    found = {}
    for record in decode(listing).split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, _, oid, *size = facts.split()
        found[path] = Entry(mode, oid, int(size[0]) if size and size[0].isdecimal() else 0)
    return found
