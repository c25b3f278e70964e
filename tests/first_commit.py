"""Writes the first commit of a repository like `git commit`, without a process."""

import hashlib
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WHO = "Ada <ada@example.com> 1767323045 +0000"
SPECIAL = {".git", ".gitignore", ".gitattributes", ".gitmodules"}
FOLDER = b"40000"


def is_plain(files: Mapping[str, Any]) -> bool:
    """Whether git would store FILES unchanged: none of them configures git."""
    parts = {part.lower() for name in files for part in Path(name).parts}
    return not parts & SPECIAL and None not in files.values()


def commit(top: Path, modes: Mapping[str, str], branch: str, algorithm: str) -> None:
    """Commit the files of the working tree TOP named by MODES as the first commit of BRANCH."""
    folder, blobs, entries = top / ".git", {}, []
    for name in sorted(modes, key=os.fsencode):
        file, mode = top / name, modes[name]
        data = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
        oid = _put(folder, algorithm, b"blob", data)
        blobs[os.fsencode(name)] = (mode.encode(), oid)
        entries.append(_entry(os.fsencode(name), file.lstat(), int(mode, 8), oid))
    tree = _tree(folder, algorithm, blobs).hex()
    text = f"tree {tree}\nauthor {WHO}\ncommitter {WHO}\n\nchange\n"
    commit_id = _put(folder, algorithm, b"commit", text.encode()).hex()
    line = f"{'0' * len(commit_id)} {commit_id} {WHO}\tcommit (initial): change\n"
    for name, content in (
        (f"refs/heads/{branch}", f"{commit_id}\n"),
        (f"logs/refs/heads/{branch}", line),
        ("logs/HEAD", line),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    index = struct.pack(">4sII", b"DIRC", 2, len(entries)) + b"".join(entries)
    (folder / "index").write_bytes(index + hashlib.new(algorithm, index).digest())


def _put(folder: Path, algorithm: str, kind: bytes, data: bytes) -> bytes:
    """Keep an object, and give its id."""
    whole = b"%b %d\0%b" % (kind, len(data), data)
    oid = hashlib.new(algorithm, whole, usedforsecurity=False)
    file = folder / "objects" / oid.hexdigest()[:2] / oid.hexdigest()[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(whole, 1))
    return oid.digest()


def _tree(folder: Path, algorithm: str, blobs: Mapping[bytes, tuple[bytes, bytes]]) -> bytes:
    """Write the tree of BLOBS (path to mode and id); return its id."""
    below: dict[bytes, dict[bytes, tuple[bytes, bytes]]] = {}
    here = {}
    for path, blob in blobs.items():
        first, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(first, {})[rest] = blob
        else:
            here[first] = (first, *blob)
    for name, inner in below.items():  # folders are sorted as if they ended in a slash
        here[name + b"/"] = (name, FOLDER, _tree(folder, algorithm, inner))
    listing = b"".join(
        b"%b %b\0%b" % (mode, name, oid) for _, (name, mode, oid) in sorted(here.items())
    )
    return _put(folder, algorithm, b"tree", listing)


def _entry(path: bytes, status: os.stat_result, mode: int, oid: bytes) -> bytes:
    """Return an index entry, from which git can see that the file is unchanged."""
    times = (divmod(time, 10**9) for time in (status.st_ctime_ns, status.st_mtime_ns))
    numbers = (
        *(part for pair in times for part in pair),
        *(status.st_dev, status.st_ino, mode, status.st_uid, status.st_gid, status.st_size),
    )
    head = struct.pack(">10I", *(number & 0xFFFFFFFF for number in numbers)) + oid
    entry = head + struct.pack(">H", min(len(path), 0xFFF)) + path
    return entry + b"\0" * (8 - len(entry) % 8)
