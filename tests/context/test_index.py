"""The index on disk, also with damaged files and concurrent processes."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dursor.context.index import index_folder
from dursor.context.index.analyse import MAX_WORDS, Document, analyse
from dursor.context.index.commit_cache import load_past_changes
from dursor.context.index.index_folder import (
    LEFTOVER_SECONDS,
    MAX_SEGMENTS,
    IndexFolder,
    evict_folders,
)
from dursor.context.index.segment import DamagedSegmentError, Segment, build_segment, merge_segments
from dursor.context.ranking.bm25 import Corpus

OIDS = st.integers(0, 30).map(lambda n: bytes([n]) * 20)
WORDS = st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1, max_size=6)
COUNTS = st.dictionaries(WORDS, st.integers(1, 255), max_size=8)
DOCUMENTS = st.dictionaries(OIDS, st.builds(Document, COUNTS, st.integers(0, 9999)), max_size=12)


def held(segments):
    """Return the counts and the length of each blob in SEGMENTS."""
    found = {}
    for segment in segments:
        oids, lengths = segment.oids(), segment.lengths()
        counts = [{} for _ in oids]
        for term, (numbers, times) in segment.all_postings():
            for number, n in zip(numbers, times, strict=True):
                counts[number][term.decode()] = n
        for oid, one, length in zip(oids, counts, lengths, strict=True):
            found.setdefault(oid, Document(one, length))
    return found


@settings(max_examples=40)
@given(DOCUMENTS)
def test_a_segment_returns_its_documents(documents):
    segment = Segment(build_segment(documents))
    assert held([segment]) == documents
    for term in {term for one in documents.values() for term in one.counts} | {"absent"}:
        numbers, times = segment.postings(term)
        oids = segment.oids()
        found = {oids[n]: count for n, count in zip(numbers, times, strict=True)}
        assert found == {o: d.counts[term] for o, d in documents.items() if term in d.counts}


@settings(max_examples=40)
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, st.sets(OIDS))
def test_merging_segments_loses_nothing(one, two, three, unwanted):
    parts = [Segment(build_segment(documents)) for documents in (one, two, three)]
    merged = Segment(merge_segments(parts, lambda oid: oid not in unwanted))
    assert held([merged]) == {o: d for o, d in (three | two | one).items() if o not in unwanted}


@settings(max_examples=40)
@given(DOCUMENTS, st.data())
def test_a_truncated_or_changed_segment_is_refused(documents, data):
    whole = build_segment(documents)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DamagedSegmentError):
        Segment(whole[:cut])
    with pytest.raises(DamagedSegmentError):
        Segment(whole[:cut] + bytes([whole[cut] ^ 1]) + whole[cut + 1 :])


def document(*words):
    return Document(dict.fromkeys(words, 1), len(words))


def oid(n):
    return n.to_bytes(20, "big")


def test_an_index_keeps_documents_and_adds_new_ones(tmp_path):
    folder = tmp_path / "cache" / "one"
    for n in range(20):
        index = IndexFolder(folder)
        assert index.list_missing(map(oid, range(n + 1))) == {oid(n)}
        index.add({oid(n): document("word", f"w{n}")})
        index.compact([oid(n)])
    files = list(folder.iterdir())
    assert len(files) <= MAX_SEGMENTS
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert held(IndexFolder(folder).segments) == {
        oid(n): document("word", f"w{n}") for n in range(20)
    }


def test_unused_blobs_are_removed_when_they_are_many(tmp_path):
    index = IndexFolder(tmp_path)
    index.add({oid(n): document("old") for n in range(3500)})
    index.add({oid(n): document("new") for n in range(5000, 5100)})
    index.compact([oid(n) for n in range(5000, 5100)])
    assert set(held(IndexFolder(tmp_path).segments)) == {oid(n) for n in range(5000, 5100)}


@pytest.mark.parametrize("damage", [b"", b"\0" * 500, b"dursoridx\xff\xff\x14", None])
def test_damaged_files_are_removed_and_rebuilt(tmp_path, damage):
    IndexFolder(tmp_path).add({oid(1): document("word")})
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-3] if damage is None else damage)
    index = IndexFolder(tmp_path)
    assert index.list_missing([oid(1)]) == {oid(1)}
    index.add({oid(1): document("word")})
    assert not IndexFolder(tmp_path).list_missing([oid(1)])


def test_leftovers_of_killed_processes_are_removed_after_a_while(tmp_path):
    for name, age in ((".new.idx.0123", 0), (".old.idx.0123", LEFTOVER_SECONDS + 60)):
        (tmp_path / name).write_bytes(b"half")
        then = time.time() - age
        os.utime(tmp_path / name, (then, then))
    IndexFolder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [".new.idx.0123"]


def test_a_read_only_folder_costs_only_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    index = IndexFolder(blocked / "cache")
    index.add({oid(1): document("word")})
    index.compact([oid(1)])
    assert held(index.segments) == {oid(1): document("word")}
    assert IndexFolder(blocked / "cache").list_missing([oid(1)]) == {oid(1)}


def test_the_least_recently_used_folders_are_removed_first(tmp_path):
    for n, name in enumerate(("oldest", "old", "mine")):
        IndexFolder(tmp_path / name).add({oid(n): document("word")})
        os.utime(tmp_path / name, (n, n))
    size = next((tmp_path / "mine").iterdir()).stat().st_size
    evict_folders(tmp_path, tmp_path / "mine", 2 * size)
    assert {folder.name for folder in tmp_path.iterdir()} == {"old", "mine"}
    evict_folders(tmp_path, tmp_path / "mine", 0)
    assert {folder.name for folder in tmp_path.iterdir()} == {"mine"}


def test_segments_of_concurrent_processes_are_merged(tmp_path):
    shelves = [IndexFolder(tmp_path) for _ in range(3)]
    for index in shelves:
        index.add({oid(n): document("word") for n in range(20)})
    IndexFolder(tmp_path).merge_small()
    assert len(list(tmp_path.iterdir())) == 1
    assert held(IndexFolder(tmp_path).segments) == {oid(n): document("word") for n in range(20)}


def test_large_segments_stay_unless_others_contain_all_of_them(tmp_path, monkeypatch):
    several = [{oid(n): document("word", f"w{n}")} for n in range(5)]
    index = IndexFolder(tmp_path)
    for documents in several:
        index.add(documents)
    monkeypatch.setattr(index_folder, "LARGE", index.segments[0].bytes)
    index.add(several[0])
    index.merge_small()
    assert [segment.oids() for segment in index.segments] == [list(one) for one in several]
    assert len(list(tmp_path.iterdir())) == len(several)

    monkeypatch.setattr(index_folder, "LARGE", 2 * index.segments[0].bytes)
    index.merge_small()
    assert sum(segment.size for segment in index.segments) == len(several)
    assert 1 < len(list(tmp_path.iterdir())) < len(several)


def test_ids_of_another_width_are_removed(tmp_path):
    IndexFolder(tmp_path).add({oid(1): document("word")})
    index = IndexFolder(tmp_path, width=32)
    index.add({bytes(32): document("word")})
    index.compact([bytes(32)])
    assert [segment.size for segment in IndexFolder(tmp_path, width=32).segments] == [1]


@pytest.mark.parametrize("damage", [b"", b"dursor past 1\n" + bytes(4), b"x" * 50, None])
def test_damaged_past_commits_are_read_again(tmp_path, damage):
    class History:
        def list_ids(self, limit):
            return ["a1"][:limit]

        def read(self, ids):
            return [(oid, "Mend it", ["pager.py"]) for oid in ids]

    if damage is None:
        os.mkfifo(tmp_path / "past")
    else:
        (tmp_path / "past").write_bytes(damage)
    assert [one.paths for one in load_past_changes(History(), tmp_path)] == [["pager.py"]]


def take_turns(folder, start):
    for n in range(start, start + 12):
        index = IndexFolder(folder)
        wanted = {oid(k) for k in range(n)}
        index.add({one: document(f"w{one[-1]}") for one in index.list_missing(wanted)})
        index.compact(wanted)
        missing = index.list_missing(wanted)
        if missing:
            raise AssertionError(missing)


def test_processes_share_a_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=take_turns, args=(tmp_path, 1 + 7 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = held(IndexFolder(tmp_path).segments)
    assert found == {one: document(f"w{one[-1]}") for one in found}
    assert len(found) >= 25


KILLED = """
import sys, os, signal
from pathlib import Path
import dursor.files
from dursor.context.index.analyse import Document
from dursor.context.index.index_folder import IndexFolder
index = IndexFolder(Path(sys.argv[1]))
for n in range(4):
    index.add({bytes([n]) * 20: Document({"word": 1}, 1)})
real, left = dursor.files.os.fsync, [int(sys.argv[2])]
def fsync(descriptor):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
dursor.files.os.fsync = fsync
index.compact([])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_process_killed_while_writing_leaves_a_valid_index(tmp_path, steps):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(steps)], check=False)
    assert set(held(IndexFolder(tmp_path).segments)) == {bytes([n]) * 20 for n in range(4)}


def test_a_file_is_indexed_by_words_and_definitions():
    text = (
        "from django.core.paginator import Paginator\n\n"
        "class PageList(Paginator):\n    def getPages(self):\n        return self.page_count\n"
        "TOKEN = 'ghp_Zk3Jq8Wd1Xv6Tb0Rn5Ym2Lc7Hf4Gs9PaQeUi'\n"
    )
    counts = analyse(text.encode(), "py").counts
    assert {"=PageList", "=getPages", "=TOKEN"} <= counts.keys()
    assert counts["paginat"] == 3
    assert counts["page_count"] == 1
    assert not any("zk3jq8" in term.lower() for term in counts)
    assert analyse(b"\0\1binary", "py") == Document({}, 0)
    assert "!generated" in analyse(b"// Code generated by x. DO NOT EDIT.\n", "go").counts


def test_the_words_of_a_data_file_are_limited():
    words = " ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{n}" for n in range(30_000))
    imports = "".join(f"import m{n}\n" for n in range(30_000))
    defined = "".join(f"def f{n}(): pass\n" for n in range(20_000))

    for text in (words, imports, defined):
        assert len(analyse(text.encode(), "py").counts) <= 4 * MAX_WORDS


def test_a_corpus_counts_each_blob_once():
    documents = {oid(n): document("word", f"w{n % 2}") for n in range(6)}
    twice = [
        Segment(build_segment(documents)),
        Segment(build_segment({oid(1): document("word", "w1")})),
    ]
    corpus = Corpus([oid(5), oid(1), oid(3), oid(9)], twice)
    assert corpus.count("word") == {0: 1, 1: 1, 2: 1}
    assert corpus.count("w1") == {0: 1, 1: 1, 2: 1}
    assert corpus.count("w0") == {}
    assert corpus.bm25({"word": 1.0})[3] == 0
