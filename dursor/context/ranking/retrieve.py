"""Collect the features of candidate files, with an index of their contents on disk."""

from __future__ import annotations

import hashlib
from itertools import accumulate
from typing import TYPE_CHECKING

from dursor.context.index.analyse import Document, analyse
from dursor.context.index.commit_cache import load_past_changes
from dursor.context.index.index_folder import IndexFolder, evict_folders
from dursor.context.index.segment import Segment, build_segment
from dursor.context.ranking.bm25 import Corpus
from dursor.context.ranking.file_features import FileFeatures
from dursor.context.ranking.history_features import HistoryFeatures
from dursor.context.ranking.path_features import PathNames, parse_path
from dursor.context.sendable import get_suffix
from dursor.context.source import read_available

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.ranking.query import InstructionQuery
    from dursor.tree import Entry, Tree

READ_AT_ONCE = 8 << 20  # bytes of files in memory together, or one file
KEPT_AT_ONCE, WORDS_AT_ONCE = 1_500, 150_000  # files, and distinct words, in memory together
# Files, and their bytes, that one query adds to the index in some seconds. In a much larger
# repository the files whose paths match best come first, and the next query adds more.
MAX_FILES, MAX_BYTES = 6_000, 48 << 20
# Bytes of an index that does not grow any more, and bytes that one query adds. Code needs far less.
FULL, GROWTH = 64 << 20, 24 << 20


def collect_features(
    tree: Tree,
    candidates: Mapping[str, Entry],
    query: InstructionQuery,
    *,
    folder: Path | None = None,
    history: CommitLog | None = None,
) -> FileFeatures:
    """Collect the features of CANDIDATES, a part of TREE; the index is kept in FOLDER."""
    oids = {path: _get_oid(path, entry) for path, entry in candidates.items()}
    first = {oid: path for path, oid in reversed(oids.items())}
    unique = {oid: n for n, oid in enumerate(dict.fromkeys(oids.values()))}
    unsaved = [(oid, path) for oid, path in first.items() if not candidates[path].oid]
    saved = {oid: path for oid, path in first.items() if candidates[path].oid}
    segments = _update_index(tree, saved, query, folder)
    if unsaved:
        segments = [*segments, Segment(build_segment(dict(_analyse_files(tree, unsaved))))]
    sizes = [entry.size for entry in candidates.values()]
    blobs = [unique[oid] for oid in oids.values()]
    corpus, names = Corpus(list(unique), segments), PathNames(list(candidates))
    past = HistoryFeatures(load_past_changes(history, folder))
    return FileFeatures(query, names, sizes, blobs, corpus, past)


def _get_oid(path: str, entry: Entry) -> bytes:
    if entry.oid:
        return bytes.fromhex(entry.oid)
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()


def _update_index(
    tree: Tree, paths: Mapping[bytes, str], query: InstructionQuery, folder: Path | None
) -> Sequence[Segment]:
    """Add the missing blobs of PATHS to the index in FOLDER, and return its segments."""
    index = IndexFolder(folder, len(next(iter(paths), bytes(20))))
    missing = index.list_missing(paths)
    if missing:
        wanted = [(oid, path) for oid, path in paths.items() if oid in missing]
        batches = _batch(_analyse_files(tree, _limit(tree, wanted, query)))
        limit = min(FULL, index.total_bytes + GROWTH)
        while index.total_bytes < limit and (documents := next(batches, None)):
            index.add(documents)
        index.compact(paths)
        if folder is not None:
            evict_folders(folder.parent, folder)
    else:
        index.merge_small()
    return index.segments


def _limit(
    tree: Tree, wanted: list[tuple[bytes, str]], query: InstructionQuery
) -> list[tuple[bytes, str]]:
    """Return the WANTED files that one query adds: if they are too many, the best matches."""

    def count_terms(path: str) -> int:
        facts = parse_path(path)
        return sum(term in query.terms for term in (*facts.words, *facts.folder_words))

    entries = tree.entries()
    if len(wanted) > MAX_FILES or sum(entries[path].size for _, path in wanted) > MAX_BYTES:
        wanted = sorted(wanted, key=lambda pair: (-count_terms(pair[1]), pair[1]))
    starts = accumulate((entries[path].size for _, path in wanted), initial=0)
    pairs = zip(wanted[:MAX_FILES], starts, strict=False)
    return [file for file, start in pairs if start < MAX_BYTES]


def _batch(documents: Iterable[tuple[bytes, Document]]) -> Iterator[dict[bytes, Document]]:
    """Split DOCUMENTS into batches that fit in memory."""
    batch: dict[bytes, Document] = {}
    words: set[str] = set()
    for oid, document in documents:
        batch[oid] = document
        words.update(document.counts)
        if len(batch) >= KEPT_AT_ONCE or len(words) >= WORDS_AT_ONCE:
            yield batch
            batch, words = {}, set()
    yield batch


def _analyse_files(
    tree: Tree, files: Sequence[tuple[bytes, str]]
) -> Iterator[tuple[bytes, Document]]:
    entries = tree.entries()
    start = 0
    while start < len(files):
        end, size = start, 0
        while end < len(files) and (
            end == start or size + entries[files[end][1]].size <= READ_AT_ONCE
        ):
            size += entries[files[end][1]].size
            end += 1
        contents = read_available(tree, [path for _, path in files[start:end]])
        for oid, path in files[start:end]:
            if path in contents:
                yield oid, analyse(contents[path], get_suffix(path))
        start = end
