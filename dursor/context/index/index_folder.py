"""The segments of one repository's index, in a folder that many processes use at once.

There is no list of segments: every file in the folder that is complete and of this version counts,
and a blob in two of them counts once. A crash between two steps does no harm, and no lock is
needed: at worst two processes index the same blobs, and a later one removes the duplicates. Errors
are only logged: without a cache, the same answer takes longer.
"""

from __future__ import annotations

import logging
import mmap
import os
import shutil
import time
from contextlib import suppress
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from dursor.context.index.segment import DamagedSegmentError, Segment, build_segment, merge_segments
from dursor.errors import DursorError
from dursor.files import make_private_dir, replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from dursor.context.index.analyse import Document

log = logging.getLogger(__name__)

MAX_SEGMENTS = 6  # smaller than LARGE
LARGE = 8 << 20  # bytes
GROWTH = 3  # times the blobs in use that a folder can contain, for branches that come and go
MAX_BYTES = 512 << 20  # of all folders; the least recently used ones are removed
LEFTOVER_SECONDS = 3600.0
SUFFIX = ".idx"


class IndexFolder:
    """The segments in FOLDER of blobs whose ids have WIDTH bytes; None stores nothing on disk."""

    def __init__(self, folder: Path | None, width: int = 20) -> None:
        self._folder = folder
        self._width = width
        self._paths: list[Path | None] = []
        self.segments: list[Segment] = []
        if folder is not None:
            self._load(folder)

    @property
    def total_bytes(self) -> int:
        return sum(segment.bytes for segment in self.segments)

    def list_missing(self, wanted: Iterable[bytes]) -> set[bytes]:
        """Return the WANTED blobs that are in no segment."""
        missing = set(wanted)
        for segment in self.segments:
            missing.difference_update(segment.oids())
        return missing

    def add(self, documents: Mapping[bytes, Document]) -> None:
        if documents:
            self._store(build_segment(documents))

    def compact(self, in_use: Collection[bytes]) -> None:
        """Merge small segments, and remove duplicates and, if they are many, unused blobs."""
        if self._folder is None:
            return
        count = sum(segment.size for segment in self.segments)
        if count > GROWTH * max(len(in_use), 1000):
            self._merge(0, set(in_use).__contains__)
        self.merge_small()

    def merge_small(self) -> None:
        """Merge small segments, and remove the duplicates of concurrent processes."""
        if self._folder is None:
            return
        self._drop_duplicates()
        while (start := self._find_uneven()) is not None:
            self._merge(start, lambda _: True)

    def _drop_duplicates(self) -> None:
        """Remove the segments whose blobs are all in larger ones."""
        self._sort()
        oids: set[bytes] = set()
        kept: list[int] = []
        for n, segment in enumerate(self.segments):
            own = segment.oids()
            if oids.issuperset(own):
                _remove(self._paths[n])
            else:
                kept.append(n)
                oids.update(own)
        self._reorder(kept)

    def _sort(self) -> None:
        self._reorder(sorted(range(len(self.segments)), key=lambda n: -self.segments[n].bytes))

    def _reorder(self, numbers: list[int]) -> None:
        self.segments = [self.segments[n] for n in numbers]
        self._paths = [self._paths[n] for n in numbers]

    def _find_uneven(self) -> int | None:
        """Return the first segment to merge: each should be at least twice as large as the next.

        Segments of LARGE bytes are not merged, which takes three times their size in memory.
        """
        self._sort()
        sizes = [segment.bytes for segment in self.segments if segment.bytes < LARGE]
        pairs = enumerate(pairwise(sizes))
        start = next((n for n, (size, following) in pairs if size < 2 * following), None)
        if start is None and len(sizes) <= MAX_SEGMENTS:
            return None
        totals = accumulate(reversed(sizes[start or 0 :]))
        return len(self.segments) - sum(total <= 2 * LARGE for total in totals)

    def _merge(self, start: int, keep: Callable[[bytes], bool]) -> None:
        data = merge_segments(self.segments[start:], keep)
        old = self._paths[start:]
        del self.segments[start:], self._paths[start:]
        if self._store(data):
            for path in old:
                _remove(path)

    def _store(self, data: bytearray) -> bool:
        path = None if self._folder is None else _write(self._folder, data)
        self.segments.append(Segment(data))
        self._paths.append(path)
        return path is not None

    def _load(self, folder: Path) -> None:
        with suppress(OSError):
            os.utime(folder)
        for path in _list_files(folder):
            if path.suffix != SUFFIX:
                _remove_leftover(path)
                continue
            try:
                segment = _map(path, self._width)
            except DamagedSegmentError:
                log.debug("%s is damaged or has another version", path)
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
        log.debug("%s cannot be written: %s", path, error)
        return None
    return path


def _map(path: Path, width: int) -> Segment:
    """Map the segment at PATH; DamagedSegmentError if it is empty or its ids are not of WIDTH."""
    with path.open("rb") as stream:
        try:
            data = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise DamagedSegmentError from error
    segment = Segment(data)
    if segment.width != width:
        raise DamagedSegmentError
    return segment


def _list_files(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(path for path in folder.iterdir() if path.is_file())
    return []


def _remove(path: Path | None) -> None:
    if path is not None:
        with suppress(OSError):
            path.unlink()


def _remove_leftover(path: Path) -> None:
    """Remove the file of a killed process, unless another can still be writing it."""
    with suppress(OSError):
        if path.name.startswith(".") and time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
            path.unlink()


def evict_folders(parent: Path, current: Path, limit: int = MAX_BYTES) -> None:
    """Remove the least recently used folders in PARENT until the rest has at most LIMIT bytes."""
    folders: list[tuple[float, Path, int]] = []
    with suppress(OSError):
        for folder in parent.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                with suppress(OSError):
                    size = sum(path.stat().st_size for path in _list_files(folder))
                    folders.append((folder.stat().st_mtime, folder, size))
    total = sum(size for _, _, size in folders)
    for _, folder, size in sorted(folders):
        if total <= limit:
            return
        if folder != current:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
