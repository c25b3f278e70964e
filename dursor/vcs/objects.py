"""Read and write git objects."""

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

BATCH = 100  # names per batch; they must fit into a pipe's buffer
BLOB_LIMIT = 100 << 20
CACHED, CACHED_BYTES = 16, 1 << 20  # number and maximum size of cached files


class GitObject(NamedTuple):
    """An object; its kind is `blob`, `tree`, `commit` or `tag`."""

    oid: str
    kind: str
    data: bytes


class ObjectReader:
    """Reads objects through one `cat-file --batch` process; threads may share it."""

    def __init__(self, command: GitCommand) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._stderr: IO[bytes] | None = None

    def read(self, names: Sequence[str]) -> list[GitObject | None]:
        """Read the objects that NAMES (ids or revisions) refer to; None for a missing one."""
        objects: list[GitObject | None] = []
        with self._lock:
            try:
                for start in range(0, len(names), BATCH):
                    objects += self._read_batch(names[start : start + BATCH])
            except BaseException:  # the rest of this answer would be read as the next one
                self._stop()
                raise
        return objects

    def close(self) -> None:
        """Stop the process; the next read starts a new one."""
        with self._lock:
            self._stop()

    def _read_batch(self, names: Sequence[str]) -> list[GitObject | None]:
        process = self._start()
        try:
            process.stdin.write(b"".join(encode(name) + b"\n" for name in names))
            process.stdin.flush()
        except BrokenPipeError:
            raise self._explain() from None
        return [self._read_object(process.stdout) for _ in names]

    def _read_object(self, stream: IO[bytes]) -> GitObject | None:
        header = stream.readline()
        if not header.endswith(b"\n"):
            raise self._explain()
        if header.endswith((b" missing\n", b" ambiguous\n")):
            return None
        oid, kind, size = header.decode("ascii").split()
        if int(size) > BLOB_LIMIT:
            raise PolicyError(f"object {oid} is too large: {int(size) >> 20} MiB")
        data = stream.read(int(size) + 1)
        if len(data) != int(size) + 1:
            raise self._explain()
        return GitObject(oid, kind, data[:-1])

    def _start(self) -> Process:
        if self._process is None:
            self._stderr = TemporaryFile()  # noqa: SIM115 - closed with the process
            self._process = self._command.open_pipe("cat-file", "--batch", stderr=self._stderr)
        return self._process

    def _explain(self) -> Exception:
        if self._process is not None and self._process.proc is not None:
            self._process.proc.wait()
        text = b""
        if self._stderr is not None:
            self._stderr.seek(0)
            text = self._stderr.read(1 << 16)
        return explain("cat-file", decode(text))

    def _stop(self) -> None:
        if self._process is not None:
            self._process._terminate()  # noqa: SLF001 - now rather than in __del__
            self._process = None
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None


class CommitTree:
    """The files of one commit, read from git's objects without a checkout."""

    def __init__(self, command: GitCommand, reader: ObjectReader, commit: str) -> None:
        self.commit = commit
        self._command = command
        self._reader = reader
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] | None = None
        self._read_cached = lru_cache(CACHED)(self._read)

    def entries(self) -> Mapping[str, Entry]:
        """Return every path in git's order, symbolic links and submodules included."""
        with self._lock:
            if self._entries is None:
                words = ("ls-tree", "-r", "-z", "--full-tree", self.commit)
                try:
                    self._entries = _parse_listing(self._command.run(*words, "--long").out)
                except MissingObjectError:
                    self._entries = self._add_sizes(_parse_listing(self._command.run(*words).out))
            return self._entries

    def _add_sizes(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Set the sizes of those ENTRIES whose objects the clone has."""
        words = ("--no-walk", "--objects", "--missing=print", "--no-object-names")
        listing = decode(self._command.run("rev-list", *words, self.commit).out).split()
        local = {entry.oid for entry in entries.values()}.intersection(listing)
        stdin = "".join(f"{oid}\n" for oid in local).encode()
        output = self._command.run(
            "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=stdin
        )
        sizes = dict(line.split(" ") for line in decode(output.out).splitlines())
        return {
            path: entry._replace(size=_parse_size(entry, sizes.get(entry.oid)))
            for path, entry in entries.items()
        }

    def read(self, path: str) -> bytes:
        """Read PATH (a symlink's target); KeyError for a submodule or a missing path.

        The runs of a round read the same few files, so these are cached.
        """
        is_small = self.entries()[path].size <= CACHED_BYTES
        return self._read_cached(path) if is_small else self._read(path)

    def _read(self, path: str) -> bytes:
        return self.read_many((path,))[path]

    def read_many(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Read PATHS in one batch; KeyError as for `read`."""
        entries = self.entries()
        wanted = {path: entries[path] for path in paths}
        for path, entry in wanted.items():
            if entry.mode == SUBMODULE:
                raise KeyError(path)
            if entry.size == NOT_FETCHED:
                raise MissingObjectError(f"this partial clone lacks {path}", hint=FETCH)
            if entry.size > BLOB_LIMIT:
                raise PolicyError(f"{path} is too large: {entry.size >> 20} MiB")
        objects = self._reader.read([entry.oid for entry in wanted.values()])
        contents = {}
        for (path, entry), item in zip(wanted.items(), objects, strict=True):
            if item is None:
                raise UsageError(
                    f"the repository lacks object {entry.oid} of {path}", hint="git fsck"
                )
            contents[path] = item.data
        return contents

    def close(self) -> None:
        """Stop the reading process; the next read starts a new one."""
        self._reader.close()


def write_blob(command: GitCommand, data: bytes, objects: Path) -> str:
    """Write DATA into the object folder OBJECTS and return its id."""
    env = {"GIT_OBJECT_DIRECTORY": str(objects)}
    return decode(command.run("hash-object", "-w", "--stdin", stdin=data, env=env).out).strip()


def _parse_size(entry: Entry, size: str | None) -> int:
    if size is None:
        return 0 if entry.mode == SUBMODULE else NOT_FETCHED
    return int(size)


def _parse_listing(listing: bytes) -> dict[str, Entry]:
    entries = {}
    for record in decode(listing).split("\0")[:-1]:
        facts, _, path = record.partition("\t")
        mode, _, oid, *size = facts.split()
        entries[path] = Entry(mode, oid, int(size[0]) if size and size[0].isdecimal() else 0)
    return entries
