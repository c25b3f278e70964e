"""An immutable part of the index: some blobs, and for each term which of them hold it.

Layout, little-endian: a header; the blobs' ids, sorted; their lengths; the terms, sorted, one after
another; where each begins; where its postings begin; the postings' blob numbers; their counts; a
checksum.
A search touches only the pages of its own terms, so a file is mapped, never loaded.
"""

from __future__ import annotations

import heapq
import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dursor.context.index.analyse import Document

MAGIC = b"dursoridx"
VERSION = 3  # of the layout and of what `analyse` keeps: raised with each change of either
_HEADER = struct.Struct("<9sBHIIII")  # magic, version, id bytes, blobs, terms, text, postings
_CRC = struct.Struct("<I")  # of all before it, at the end

Postings: TypeAlias = "tuple[Sequence[int], Sequence[int]]"  # blob numbers, counts


class DamagedSegmentError(Exception):
    """A file that is no segment of this version, or not whole."""


class _Parts(NamedTuple):
    """The sections of a segment, in their order in the file."""

    oids: bytes
    lengths: array[int]
    text: bytearray
    starts: array[int]
    offsets: array[int]
    blobs: array[int]
    counts: bytearray


def build_segment(documents: Mapping[bytes, Document]) -> bytearray:
    """Put DOCUMENTS, by raw blob id, into the form of a segment."""
    oids = sorted(documents)
    postings: dict[str, tuple[array[int], bytearray]] = {}
    for number, oid in enumerate(oids):
        for term, count in documents[oid].counts.items():
            found = postings.get(term)
            if found is None:
                found = postings[term] = (array("I"), bytearray())
            found[0].append(number)
            found[1].append(count)
    lengths = array("I", [documents[oid].length for oid in oids])
    keyed = sorted((term.encode("utf-8"), *found) for term, found in postings.items())
    return _packed(oids, lengths, keyed)


def merge_segments(segments: Sequence[Segment], keep: Callable[[bytes], bool]) -> bytearray:
    """Put SEGMENTS into one, with the blobs that KEEP wants, each once."""
    places: dict[bytes, tuple[int, int]] = {}
    for s, segment in enumerate(segments):
        for number, oid in enumerate(segment.oids()):
            if oid not in places and keep(oid):
                places[oid] = (s, number)
    oids = sorted(places)
    lengths_of = [segment.lengths() for segment in segments]
    renumber: list[dict[int, int]] = [{} for _ in segments]
    for number, oid in enumerate(oids):
        s, old = places[oid]
        renumber[s][old] = number
    lengths = array("I", [lengths_of[s][old] for s, old in map(places.__getitem__, oids)])
    return _packed(oids, lengths, _merged(segments, renumber))


def _merged(
    segments: Sequence[Segment], renumber: Sequence[Mapping[int, int]]
) -> Iterator[tuple[bytes, array[int], bytearray]]:
    streams = [_numbered(s, segment) for s, segment in enumerate(segments)]
    for key, group in groupby(heapq.merge(*streams, key=itemgetter(0, 1)), key=itemgetter(0)):
        pairs = sorted(
            (new, count)
            for _, s, (numbers, counts) in group
            for old, count in zip(numbers, counts, strict=True)
            if (new := renumber[s].get(old)) is not None
        )
        if pairs:
            yield key, array("I", [n for n, _ in pairs]), bytearray(c for _, c in pairs)


def _numbered(s: int, segment: Segment) -> Iterator[tuple[bytes, int, Postings]]:
    for key, found in segment.all_postings():
        yield key, s, found


def _packed(
    oids: Sequence[bytes],
    lengths: array[int],
    keyed: Iterable[tuple[bytes, array[int], bytearray]],
) -> bytearray:
    starts, offsets, blobs = array("I", [0]), array("I", [0]), array("I")
    text, counts = bytearray(), bytearray()
    for key, numbers, found in keyed:
        text += key
        starts.append(len(text))
        blobs.extend(numbers)
        counts += found
        offsets.append(len(counts))
    parts = _Parts(b"".join(oids), lengths, text, starts, offsets, blobs, counts)
    return _framed(parts, len(oids[0]) if oids else 20)


def _framed(parts: _Parts, width: int) -> bytearray:
    for part in parts:
        if sys.byteorder == "big" and isinstance(part, array):
            part.byteswap()
    sizes = (len(parts.lengths), len(parts.offsets) - 1, len(parts.text), len(parts.counts))
    whole = bytearray(_HEADER.pack(MAGIC, VERSION, width, *sizes))
    for part in parts:
        whole += memoryview(part).cast("B")
    whole += _CRC.pack(zlib.crc32(whole))
    return whole


class Segment:
    """A segment in memory or mapped; DamagedSegmentError unless DATA is one, whole."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        if len(view) < _HEADER.size + _CRC.size:
            raise DamagedSegmentError
        magic, version, width, n, terms, text, postings = _HEADER.unpack_from(view)
        body = view[_HEADER.size : -_CRC.size]
        sizes = (n * width, n * 4, text, terms * 4 + 4, terms * 4 + 4, postings * 4, postings)
        right = (magic, version) == (MAGIC, VERSION) and len(body) == sum(sizes)
        (crc,) = _CRC.unpack(view[-_CRC.size :])
        if not right or zlib.crc32(view[: -_CRC.size]) != crc:
            raise DamagedSegmentError
        at, parts = 0, []
        for size in sizes:
            parts.append(body[at : at + size])
            at += size
        self._oids, self._lengths, self._text, starts, offsets, self._blobs, self._counts = parts
        self.width, self.size, self.bytes, self._terms = width, n, len(view), terms
        self._starts, self._offsets = _numbers(starts), _numbers(offsets)

    def oids(self) -> list[bytes]:
        """Return the raw ids of the blobs, in the order of their numbers."""
        whole, width = bytes(self._oids), self.width
        return [whole[at : at + width] for at in range(0, len(whole), width)]

    def lengths(self) -> array[int]:
        """Return how many words each blob has."""
        return _numbers(self._lengths)

    def postings(self, term: str) -> Postings:
        """Return the numbers of the blobs that hold TERM, and how often each holds it."""
        key = term.encode("utf-8")
        at = bisect_left(range(self._terms), key, key=self._term)
        if at == self._terms or self._term(at) != key:
            return (), ()
        return self._postings(at)

    def all_postings(self) -> Iterator[tuple[bytes, Postings]]:
        """Yield every term with its postings, in the order of the terms."""
        for at in range(self._terms):
            yield self._term(at), self._postings(at)

    def _term(self, at: int) -> bytes:
        return bytes(self._text[self._starts[at] : self._starts[at + 1]])

    def _postings(self, at: int) -> Postings:
        first, last = self._offsets[at], self._offsets[at + 1]
        return _numbers(self._blobs[first * 4 : last * 4]), bytes(self._counts[first:last])


def _numbers(view: memoryview) -> array[int]:
    numbers = array("I")
    numbers.frombytes(view)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
