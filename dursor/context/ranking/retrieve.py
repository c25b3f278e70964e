"""The files of a tree looked at with regard to one instruction, over an index kept on disk."""

from __future__ import annotations

import hashlib
from itertools import accumulate
from typing import TYPE_CHECKING

from dursor.context.index.analyse import Document, analyse
from dursor.context.index.commit_cache import load_past_changes
from dursor.context.index.index_folder import IndexFolder, evict_folders
from dursor.context.index.past_changes import HistoryFeatures
from dursor.context.index.segment import Segment, build_segment
from dursor.context.ranking.bm25 import Corpus
from dursor.context.ranking.file_features import CandidateFiles, FileFeatures
from dursor.context.ranking.path_features import PathNames, parse_path
from dursor.context.sendable import get_suffix
from dursor.context.source import read_available

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.ranking.query import InstructionQuery
    from dursor.tree import Entry, Tree

READ_AT_ONCE = 8 << 20  # bytes of files in memory together, or a file
KEPT_AT_ONCE, WORDS_AT_ONCE = 1_500, 150_000  # files of which the words are, and different words
# Files, and their bytes, that one question adds to the index, some seconds' work. In a repository
# of many more, those whose paths fit the question best come first, and the next question goes on.
MAX_FILES, MAX_BYTES = 6_000, 48 << 20
# Bytes of an index to which nothing is added, and what one question adds: code needs far fewer.
FULL, GROWN = 64 << 20, 24 << 20


def collect_features(
    tree: Tree,
    pool: Mapping[str, Entry],
    query: InstructionQuery,
    *,
    folder: Path | None = None,
    history: CommitLog | None = None,
) -> FileFeatures:
    """Find what speaks for each file of POOL, a part of TREE; the index is kept in FOLDER."""
    oids = {path: _oid(path, entry) for path, entry in pool.items()}
    first = dict(zip(reversed(oids.values()), reversed(oids.keys()), strict=True))
    unique = {oid: n for n, oid in enumerate(dict.fromkeys(oids.values()))}
    sizes = [entry.size for entry in pool.values()]
    candidates = CandidateFiles(list(pool), sizes, [unique[oid] for oid in oids.values()])
    passing = {oid: path for oid, path in first.items() if not pool[path].oid}
    lasting = {oid: path for oid, path in first.items() if oid not in passing}
    segments = _kept(tree, lasting, query, folder)
    if passing:
        segments = [
            *segments,
            Segment(build_segment(dict(_documents(tree, list(passing.items()))))),
        ]
    votes = HistoryFeatures(load_past_changes(history, folder))
    return FileFeatures(
        query, candidates, Corpus(list(unique), segments), PathNames(candidates.paths), votes
    )


def _oid(path: str, entry: Entry) -> bytes:
    if entry.oid:
        return bytes.fromhex(entry.oid)
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()


def _kept(
    tree: Tree, paths: Mapping[bytes, str], query: InstructionQuery, folder: Path | None
) -> Sequence[Segment]:
    """Return the segments in FOLDER, when those of the blobs of PATHS that they lack are added."""
    shelf = IndexFolder(folder, len(next(iter(paths), bytes(20))))
    missing = shelf.missing(paths)
    if missing:
        wanted = [(oid, path) for oid, path in paths.items() if oid in missing]
        batches = _batches(_documents(tree, _first(tree, wanted, query)))
        most = min(FULL, shelf.total_bytes + GROWN)
        while shelf.total_bytes < most and (documents := next(batches, None)):
            shelf.add(documents)
        shelf.tidy(paths)
        if folder is not None:
            evict_folders(folder.parent, folder)
    else:
        shelf.level()
    return shelf.segments


def _first(
    tree: Tree, wanted: list[tuple[bytes, str]], query: InstructionQuery
) -> list[tuple[bytes, str]]:
    """Return as many of WANTED as one question adds; of too many, those that fit QUERY best."""
    entries = tree.entries()
    if len(wanted) > MAX_FILES or sum(entries[path].size for _, path in wanted) > MAX_BYTES:
        wanted = sorted(wanted, key=lambda pair: (-_fit(pair[1], query), pair[1]))
    starts = accumulate((entries[path].size for _, path in wanted), initial=0)
    pairs = zip(wanted[:MAX_FILES], starts, strict=False)
    return [one for one, start in pairs if start < MAX_BYTES]


def _fit(path: str, query: InstructionQuery) -> int:
    """Count the words of PATH that QUERY has, too."""
    known = parse_path(path)
    return sum(term in query.terms for term in (*known.words, *known.around))


def _batches(found: Iterable[tuple[bytes, Document]]) -> Iterator[dict[bytes, Document]]:
    """Part FOUND into as many as are to be in memory together."""
    batch: dict[bytes, Document] = {}
    words: set[str] = set()
    for oid, document in found:
        batch[oid] = document
        words.update(document.counts)
        if len(batch) >= KEPT_AT_ONCE or len(words) >= WORDS_AT_ONCE:
            yield batch
            batch, words = {}, set()
    yield batch


def _documents(tree: Tree, known: Sequence[tuple[bytes, str]]) -> Iterator[tuple[bytes, Document]]:
    entries = tree.entries()
    for chunk in _chunks(known, lambda pair: entries[pair[1]].size):
        contents = read_available(tree, [path for _, path in chunk])
        for oid, path in chunk:
            if path in contents:
                yield oid, analyse(contents[path], get_suffix(path))


def _chunks(
    known: Sequence[tuple[bytes, str]], size: Callable[[tuple[bytes, str]], int]
) -> Iterator[list[tuple[bytes, str]]]:
    """Part KNOWN into as many as are to be read together, by their SIZE."""
    chunk: list[tuple[bytes, str]] = []
    room = READ_AT_ONCE
    for pair in known:
        if chunk and size(pair) > room:
            yield chunk
            chunk, room = [], READ_AT_ONCE
        chunk.append(pair)
        room -= size(pair)
    if chunk:
        yield chunk
