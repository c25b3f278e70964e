"""The files of a tree looked at with regard to one instruction, over an index kept on disk."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING

from dursor.context.corpus import Corpus
from dursor.context.evidence import Candidates, Evidence
from dursor.context.index.analyse import Document, analyse
from dursor.context.index.chronicle import past_commits
from dursor.context.index.segment import Segment, build
from dursor.context.index.store import Shelf, bound
from dursor.context.outbound import suffix
from dursor.context.past import Votes
from dursor.context.pathnames import PathNames
from dursor.context.source import read_some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.chronicle import History
    from dursor.context.query import Query
    from dursor.tree import Entry, Tree

READ_AT_ONCE = 200  # files in memory together
BUILT_AT_ONCE = 16_000  # what is known of files, before it is a segment


def look(
    tree: Tree,
    pool: Mapping[str, Entry],
    query: Query,
    *,
    folder: Path | None = None,
    history: History | None = None,
) -> Evidence:
    """Find what speaks for each file of POOL, a part of TREE; the index is kept in FOLDER."""
    oids = {path: _oid(path, entry) for path, entry in pool.items()}
    first = dict(zip(reversed(oids.values()), reversed(oids.keys()), strict=True))
    unique = {oid: n for n, oid in enumerate(dict.fromkeys(oids.values()))}
    segments = _segments(tree, pool, {oid: first[oid] for oid in unique}, folder)
    candidates = Candidates(
        list(pool), [entry.size for entry in pool.values()], [unique[o] for o in oids.values()]
    )
    corpus = Corpus(list(unique), segments)
    votes = Votes(past_commits(history, folder))
    return Evidence(query, candidates, corpus, PathNames(candidates.paths), votes)


def _oid(path: str, entry: Entry) -> bytes:
    if entry.oid:
        return bytes.fromhex(entry.oid)
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()


def _segments(
    tree: Tree, pool: Mapping[str, Entry], paths: Mapping[bytes, str], folder: Path | None
) -> Sequence[Segment]:
    """Return segments that hold every blob of PATHS; those read now are kept in FOLDER."""
    shelf = Shelf(folder)
    lasting = {oid: path for oid, path in paths.items() if pool[path].oid}
    missing = shelf.missing(lasting)
    if missing:
        wanted = {oid: path for oid, path in lasting.items() if oid in missing}
        documents = _documents(tree, wanted)
        while some := dict(islice(documents, BUILT_AT_ONCE)):
            shelf.add(some)
        shelf.tidy(lasting)
        if folder is not None:
            bound(folder.parent, folder)
    passing = {oid: path for oid, path in paths.items() if oid not in lasting}
    if not passing:
        return shelf.segments
    return [*shelf.segments, Segment(build(dict(_documents(tree, passing))))]


def _documents(tree: Tree, paths: Mapping[bytes, str]) -> Iterator[tuple[bytes, Document]]:
    known = list(paths.items())
    for start in range(0, len(known), READ_AT_ONCE):
        chunk = known[start : start + READ_AT_ONCE]
        contents = read_some(tree, [path for _, path in chunk])
        for oid, path in chunk:
            if path in contents:
                yield oid, analyse(contents[path], suffix(path))
