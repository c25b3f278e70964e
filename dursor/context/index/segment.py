"""An immutable part of the index: some blobs, and the terms in them.

Layout, little-endian: a header; the blobs' ids, sorted; their lengths; the terms, sorted and
concatenated; the start of each term; the start of its postings; the postings' blob numbers; their
counts; a checksum. A search reads only the pages of its own terms, so files are mapped, not loaded.
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
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from dursor.context.index.analyse import Document

MAGIC = b"dursoridx"
VERSION = 4  # of the layout and of the output of `analyse`: raise it with each change of either
_HEADER = struct.Struct("<9sBHIIII")  # magic, version, bytes of an id, blobs, terms, text, postings
_CRC = struct.Struct("<I")  # of everything before it, at the end

Postings: TypeAlias = "tuple[Sequence[int], Sequence[int]]"  # blob numbers, counts


class DamagedSegmentError(Exception):
    """A file that is not a complete segment of this version."""


def build_segment(documents: Mapping[bytes, Document]) -> bytearray:
    """Encode DOCUMENTS, by raw blob id, as a segment."""
    oids = sorted(documents)
    postings: dict[str, tuple[array[int], bytearray]] = {}
    for number, oid in enumerate(oids):
        for term, count in documents[oid].counts.items():
            pair = postings.get(term)
            if pair is None:
                pair = postings[term] = (array("I"), bytearray())
            pair[0].append(number)
            pair[1].append(count)
    lengths = array("I", [documents[oid].length for oid in oids])
    terms = sorted((term.encode("utf-8"), *pair) for term, pair in postings.items())
    return _encode(oids, lengths, terms)


def merge_segments(segments: Sequence[Segment], keep: Callable[[bytes], bool]) -> bytearray:
    """Merge SEGMENTS into one, with the blobs that KEEP accepts, without duplicates."""
    places: dict[bytes, tuple[int, int]] = {}
    for s, segment in enumerate(segments):
        for number, oid in enumerate(segment.oids()):
            if oid not in places and keep(oid):
                places[oid] = (s, number)
    oids = sorted(places)
    all_lengths = [segment.lengths() for segment in segments]
    renumber: list[dict[int, int]] = [{} for _ in segments]
    for number, oid in enumerate(oids):
        s, old = places[oid]
        renumber[s][old] = number
    lengths = array("I", [all_lengths[s][old] for s, old in map(places.__getitem__, oids)])
    return _encode(oids, lengths, _merge_postings(segments, renumber))


def _merge_postings(
    segments: Sequence[Segment], renumber: Sequence[Mapping[int, int]]
) -> Iterator[tuple[bytes, array[int], bytearray]]:
    streams = [_list_postings(s, segment) for s, segment in enumerate(segments)]
    for term, group in groupby(heapq.merge(*streams, key=itemgetter(0, 1)), key=itemgetter(0)):
        pairs = sorted(
            (new, count)
            for _, s, (numbers, counts) in group
            for old, count in zip(numbers, counts, strict=True)
            if (new := renumber[s].get(old)) is not None
        )
        if pairs:
            yield term, array("I", [n for n, _ in pairs]), bytearray(c for _, c in pairs)


def _list_postings(s: int, segment: Segment) -> Iterator[tuple[bytes, int, Postings]]:
    for term, postings in segment.all_postings():
        yield term, s, postings


def _encode(
    oids: Sequence[bytes], lengths: array[int], terms: Iterable[tuple[bytes, array[int], bytearray]]
) -> bytearray:
    starts, offsets, blobs = array("I", [0]), array("I", [0]), array("I")
    text, counts = bytearray(), bytearray()
    for term, numbers, term_counts in terms:
        text += term
        starts.append(len(text))
        blobs.extend(numbers)
        counts += term_counts
        offsets.append(len(counts))
    sizes = (len(lengths), len(offsets) - 1, len(text), len(counts))
    data = bytearray(_HEADER.pack(MAGIC, VERSION, len(oids[0]) if oids else 20, *sizes))
    sections = (b"".join(oids), lengths, text, starts, offsets, blobs, counts)
    for section in sections:
        if sys.byteorder == "big" and isinstance(section, array):
            section.byteswap()
        data += memoryview(section).cast("B")
    data += _CRC.pack(zlib.crc32(data))
    return data


class Segment:
    """A segment in memory or mapped; DamagedSegmentError if DATA is not a complete one."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        if len(view) < _HEADER.size + _CRC.size:
            raise DamagedSegmentError
        magic, version, width, n, terms, text, postings = _HEADER.unpack_from(view)
        body = view[_HEADER.size : -_CRC.size]
        sizes = (n * width, n * 4, text, terms * 4 + 4, terms * 4 + 4, postings * 4, postings)
        is_valid = (magic, version) == (MAGIC, VERSION) and len(body) == sum(sizes)
        (crc,) = _CRC.unpack(view[-_CRC.size :])
        if not is_valid or zlib.crc32(view[: -_CRC.size]) != crc:
            raise DamagedSegmentError
        start, sections = 0, []
        for size in sizes:
            sections.append(body[start : start + size])
            start += size
        self._oids, self._lengths, self._text, starts, offsets, self._blobs, self._counts = sections
        self.width, self.size, self.bytes, self._terms = width, n, len(view), terms
        self._starts, self._offsets = _to_numbers(starts), _to_numbers(offsets)

    def oids(self) -> list[bytes]:
        """Return the raw ids of the blobs, in the order of their numbers."""
        data, width = bytes(self._oids), self.width
        return [data[n : n + width] for n in range(0, len(data), width)]

    def lengths(self) -> array[int]:
        """Return the number of words of each blob."""
        return _to_numbers(self._lengths)

    def postings(self, term: str) -> Postings:
        """Return the numbers of the blobs that contain TERM, and its count in each."""
        key = term.encode("utf-8")
        n = bisect_left(range(self._terms), key, key=self._term)
        if n == self._terms or self._term(n) != key:
            return (), ()
        return self._postings(n)

    def all_postings(self) -> Iterator[tuple[bytes, Postings]]:
        """Yield every term with its postings, in the order of the terms."""
        for n in range(self._terms):
            yield self._term(n), self._postings(n)

    def _term(self, n: int) -> bytes:
        return bytes(self._text[self._starts[n] : self._starts[n + 1]])

    def _postings(self, n: int) -> Postings:
        first, last = self._offsets[n], self._offsets[n + 1]
        return _to_numbers(self._blobs[first * 4 : last * 4]), bytes(self._counts[first:last])


def _to_numbers(view: memoryview) -> array[int]:
    numbers = array("I")
    numbers.frombytes(view)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
