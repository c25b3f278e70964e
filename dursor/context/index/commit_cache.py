"""Past commits on disk: the terms of their messages and the paths they changed, by commit id."""

from __future__ import annotations

import json
import logging
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from dursor.context.index.past_changes import MAX_PATHS, PastChange
from dursor.context.text.tokenize import IDENTIFIER, STOP, extract_terms
from dursor.errors import DursorError
from dursor.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

COMMITS = 2_000  # that are asked
KEPT = 3 * COMMITS
MESSAGE_CHARS = 2_000
VERSION = b"dursor past 1\n"
NAME = "past"


class CommitRecord(Protocol):
    """A commit in the past of the base: what its message says and which paths it changed."""

    @property
    def oid(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def paths(self) -> Sequence[str]: ...


class CommitLog(Protocol):
    """The commits that a base grew from."""

    def ids(self, limit: int) -> list[str]:
        """List at most LIMIT of them, the newest first."""
        ...

    def read(self, ids: Sequence[str]) -> Iterable[CommitRecord]:
        """Yield the commits IDS, or as many as can be read."""
        ...


def load_past_changes(history: CommitLog | None, folder: Path | None) -> list[PastChange]:
    """Return what is known of the commits of HISTORY, the newest first, kept in FOLDER."""
    if history is None:
        return []
    ids = history.ids(COMMITS)
    known = _load(folder)
    missing = [oid for oid in ids if oid not in known]
    if missing:
        found = {one.oid: _kept(one) for one in history.read(missing)}
        known = found | known
        _save(folder, ids, known)
    return [PastChange(*known[oid]) for oid in ids if oid in known]


def _kept(commit: CommitRecord) -> tuple[list[str], list[str]]:
    words = IDENTIFIER.findall(commit.message[:MESSAGE_CHARS])
    found = dict.fromkeys(term for word in words for term in extract_terms(word))
    paths = [] if len(commit.paths) > MAX_PATHS else [_storable(path) for path in commit.paths]
    return [term for term in found if len(term) > 2 and term not in STOP], paths


def _storable(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")


def _load(folder: Path | None) -> dict[str, Any]:
    if folder is None or not (folder / NAME).is_file():
        return {}
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return {}
    head, body = data[: len(VERSION) + 4], data[len(VERSION) + 4 :]
    if not body or head != VERSION + zlib.crc32(body).to_bytes(4, "little"):
        log.debug("%s is damaged, or of another version", folder / NAME)
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _save(folder: Path | None, ids: Sequence[str], known: dict[str, Any]) -> None:
    if folder is None:
        return
    wanted = dict.fromkeys(oid for oid in ids if oid in known)
    others = (oid for oid in known if oid not in wanted)
    for oid, _ in zip(others, range(KEPT - len(wanted)), strict=False):
        wanted[oid] = None
    body = json.dumps({oid: known[oid] for oid in wanted}, separators=(",", ":")).encode()
    try:
        replace_file(folder / NAME, VERSION + zlib.crc32(body).to_bytes(4, "little") + body)
    except DursorError as error:
        log.debug("%s", error.message)
