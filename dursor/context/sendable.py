"""Which files of a tree may be sent, by path, kind, size and content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dursor.tree import NOT_FETCHED, SUBMODULE, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dursor.pathrules import PathRules
    from dursor.tree import Entry

MAX_FILE_BYTES = 1024 * 1024

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LFS_POINTER = b"version https://git-lfs.github.com/spec/"

REASON_NOT_FETCHED = "not in this partial clone"

_BINARY = """
    7z a avi bin bmp bz2 class dll dylib ear eot exe flac fits gif gz h5 ico icns jar jpeg
    jpg lz4 mo mov mp3 mp4 mpeg mpg nc npy npz o ogg otf parquet pdf pkl png psd pyc rar so
    sqlite tar tgz tif tiff ttf war wasm wav webm webp whl woff woff2 xls xlsx xz zip zst
"""
BINARY_SUFFIXES = frozenset(_BINARY.split())


class Refusal(NamedTuple):
    """The reason why a path may not be sent; `forbidden` by a rule, not by the kind of file."""

    reason: str
    forbidden: bool = False


def check_entry(path: str, entry: Entry, rules: PathRules) -> Refusal | None:
    """Return why PATH may not be sent, without reading it, or None."""
    forbidden = rules.find_reason(path)
    if forbidden is not None:
        return Refusal(forbidden, forbidden=True)
    reason = _check_kind(path, entry)
    return None if reason is None else Refusal(reason)


def _check_kind(path: str, entry: Entry) -> str | None:
    if entry.mode == SYMLINK:
        return "a symlink, and links are not followed"
    if entry.mode == SUBMODULE:
        return "a submodule"
    if entry.size == NOT_FETCHED:
        return REASON_NOT_FETCHED
    if get_suffix(path) in BINARY_SUFFIXES:
        return "binary"
    if entry.size > MAX_FILE_BYTES:
        return f"{entry.size / 1e6:.1f} MB, over the limit of {MAX_FILE_BYTES / 1e6:.1f} MB a file"
    return None


def check_content(data: bytes) -> str | None:
    """Return why DATA may not be sent, or None for text."""
    if data.startswith(UTF_16):
        return "UTF-16, not UTF-8 text"
    if b"\0" in data:
        return "binary"
    if data.startswith(LFS_POINTER):
        return "a Git LFS pointer, its content is elsewhere"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8 text"
    return None


def get_suffix(path: str) -> str:
    """Return the lower-case extension of PATH without its dot, or an empty string."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name[1:] else ""


def split_sendable(
    entries: Mapping[str, Entry], rules: PathRules
) -> tuple[dict[str, Entry], dict[str, Refusal]]:
    """Split ENTRIES into those that may be sent and the reasons for the others."""
    refused = {
        path: refusal
        for path, entry in entries.items()
        if (refusal := check_entry(path, entry, rules))
    }
    return {path: entry for path, entry in entries.items() if path not in refused}, refused
