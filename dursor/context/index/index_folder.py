"""The segments of one repository's index, in a folder that many processes use at once.

There is no list of segments: every file in the folder that is whole and of this version counts, and
a blob in two of them counts once. So a crash between two steps leaves nothing wrong, and no lock is
needed: at worst two processes index the same blobs, and a later one drops what is double.
Nothing that goes wrong here may hurt an answer: without a cache it only comes later.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import shutil
import time
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from dursor.context.index.segment import DamagedSegmentError, Segment, build_segment, merge_segments
from dursor.errors import DursorError
from dursor.files import make_private_dir, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from dursor.context.index.analyse import Document

log = logging.getLogger(__name__)

MAX_SEGMENTS = 6  # that have fewer than LARGE bytes
LARGE = 8 << 20
GROWTH = 3  # how many times the blobs in use a folder may hold, for branches that come and go
MAX_BYTES = 512 << 20  # of all folders together; the ones used longest ago go first
LEFTOVER_SECONDS = 3600.0
SUFFIX = ".idx"


class IndexFolder:
    """The segments in FOLDER of blobs whose ids have WIDTH bytes; None keeps nothing on disk."""

    def __init__(self, folder: Path | None, width: int = 20) -> None:
        self._folder = folder
        self._width = width
        self._paths: list[Path | None] = []
        self.segments: list[Segment] = []
        if folder is not None:
            self._read(folder)

    @property
    def total_bytes(self) -> int:
        """How many bytes all segments have together."""
        return sum(segment.bytes for segment in self.segments)

    def missing(self, wanted: Iterable[bytes]) -> set[bytes]:
        """Return those of the blobs WANTED that no segment holds."""
        found = set(wanted)
        for segment in self.segments:
            found.difference_update(segment.oids())
        return found

    def add(self, documents: Mapping[bytes, Document], *, keep: bool = True) -> None:
        """Add DOCUMENTS, by raw blob id; on the disk, too, if they are to be KEPT."""
        if documents:
            self._put(build_segment(documents), keep=keep)

    def tidy(self, in_use: Collection[bytes]) -> None:
        """Merge small segments, and drop what is double or, when there is much, not IN_USE."""
        if self._folder is None:
            return
        held = sum(segment.size for segment in self.segments)
        if held > GROWTH * max(len(in_use), 1000):
            self._merge(0, set(in_use).__contains__)
        self.level()

    def level(self) -> None:
        """Merge small segments, and drop what processes that ran at once have each written."""
        if self._folder is None:
            return
        self._drop_doubles()
        while (at := self._uneven()) is not None:
            self._merge(at, lambda _: True)

    def _drop_doubles(self) -> None:
        """Drop the segments all of whose blobs larger ones hold."""
        self._sort()
        held: set[bytes] = set()
        kept: list[int] = []
        for n, segment in enumerate(self.segments):
            found = segment.oids()
            if held.issuperset(found):
                _remove(self._paths[n])
            else:
                kept.append(n)
                held.update(found)
        self.segments = [self.segments[n] for n in kept]
        self._paths = [self._paths[n] for n in kept]

    def _sort(self) -> None:
        order = sorted(range(len(self.segments)), key=lambda n: -self.segments[n].bytes)
        self.segments = [self.segments[n] for n in order]
        self._paths = [self._paths[n] for n in order]

    def _uneven(self) -> int | None:
        """Return from where on segments are to be merged: each is to be twice the next, or more.

        Those of LARGE bytes are left as they are: to merge takes thrice the memory.
        """
        self._sort()
        sizes = [segment.bytes for segment in self.segments if segment.bytes < LARGE]
        pairs = enumerate(pairwise(sizes))
        at = next((n for n, (one, two) in pairs if one < 2 * two), None)
        if at is None and len(sizes) <= MAX_SEGMENTS:
            return None
        totals = accumulate(reversed(sizes[at or 0 :]))
        return len(self.segments) - sum(total <= 2 * LARGE for total in totals)

    def _merge(self, at: int, keep: Callable[[bytes], bool]) -> None:
        data = merge_segments(self.segments[at:], keep)
        old = self._paths[at:]
        del self.segments[at:], self._paths[at:]
        if self._put(data, keep=True):
            for path in old:
                _remove(path)

    def _put(self, data: bytearray, *, keep: bool) -> bool:
        path = None
        if self._folder is not None and keep:
            path = _write(self._folder, data)
        self.segments.append(Segment(data))
        self._paths.append(path)
        return path is not None

    def _read(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            os.utime(folder)
        for path in _files(folder):
            if path.suffix != SUFFIX:
                _remove_leftover(path)
                continue
            try:
                segment = _opened(path, self._width)
            except DamagedSegmentError:
                log.debug("%s is damaged, or of another version", path)
                _remove(path)
            except OSError as error:
                log.debug("%s cannot be read: %s", path, error)
            else:
                self.segments.append(segment)
                self._paths.append(path)


def _write(folder: Path, data: bytearray) -> Path | None:
    path = folder / f"{os.urandom(8).hex()}{SUFFIX}"
    try:
        make_private_dir(folder)
        replace_file(path, data)
    except (DursorError, OSError) as error:
        log.debug("%s cannot be kept: %s", path, error)
        return None
    return path


def _opened(path: Path, width: int) -> Segment:
    """Map the segment at PATH; DamagedSegmentError when it is empty or its ids are not of WIDTH."""
    with path.open("rb") as stream:
        try:
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise DamagedSegmentError from error
    segment = Segment(data)
    if segment.width != width:
        raise DamagedSegmentError
    return segment


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _remove(path: Path | None) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()


def _remove_leftover(path: Path) -> None:
    """Remove what a killed process was writing; another may still be at it."""
    with contextlib.suppress(OSError):
        if path.name.startswith(".") and time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
            path.unlink()


def evict_folders(parent: Path, current: Path, limit: int = MAX_BYTES) -> None:
    """Remove the folders in PARENT used longest ago until all have at most LIMIT bytes."""
    sizes = {folder: _size(folder) for folder in _folders(parent)}
    total = sum(sizes.values())
    for folder in sorted(sizes, key=_used):
        if total <= limit:
            return
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)
            total -= sizes[folder]


def _folders(parent: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from [path for path in parent.iterdir() if path.is_dir() and not path.is_symlink()]


def _size(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(path.stat().st_size for path in _files(folder))
    return 0


def _used(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
