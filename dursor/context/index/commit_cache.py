"""Past commits on disk: the terms of their messages and the paths they changed, by commit id."""

from __future__ import annotations

import json
import logging
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dursor.context.text.tokenize import IDENTIFIER, STOP, extract_terms
from dursor.errors import DursorError
from dursor.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

MAX_COMMITS = 2_000  # that are read
MAX_KEPT = 3 * MAX_COMMITS
MAX_PATHS = 30  # of a commit; a larger one has no topic
MESSAGE_CHARS = 2_000
VERSION = b"dursor past 1\n"
NAME = "past"


class CommitLog(Protocol):
    """The commits before a base."""

    def list_ids(self, limit: int) -> list[str]:
        """List at most LIMIT ids, newest first."""
        ...

    def read(self, ids: Sequence[str]) -> Iterable[tuple[str, str, Sequence[str]]]:
        """Yield id, message and changed paths of the commits IDS, or as many as can be read."""
        ...


class PastChange(NamedTuple):
    """A past commit: the terms of its message, and the paths it changed."""

    terms: Sequence[str]
    paths: Sequence[str]


def load_past_changes(history: CommitLog | None, folder: Path | None) -> list[PastChange]:
    """Return the commits of HISTORY that can be read, newest first; FOLDER caches them."""
    if history is None:
        return []
    ids = history.list_ids(MAX_COMMITS)
    known = _load(folder)
    missing = [oid for oid in ids if oid not in known]
    if missing:
        known = {
            oid: _summarize(message, paths) for oid, message, paths in history.read(missing)
        } | known
        _save(folder, ids, known)
    return [PastChange(*known[oid]) for oid in ids if oid in known]


def _summarize(message: str, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    words = IDENTIFIER.findall(message[:MESSAGE_CHARS])
    terms = dict.fromkeys(term for word in words for term in extract_terms(word))
    if len(paths) > MAX_PATHS:
        paths = ()
    return (
        [term for term in terms if len(term) > 2 and term not in STOP],
        [path.encode("utf-8", "replace").decode("utf-8") for path in paths],
    )


def _load(folder: Path | None) -> dict[str, Any]:
    if folder is None or not (folder / NAME).is_file():
        return {}
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return {}
    head, body = data[: len(VERSION) + 4], data[len(VERSION) + 4 :]
    if not body or head != VERSION + zlib.crc32(body).to_bytes(4, "little"):
        log.debug("%s is damaged or has another version", folder / NAME)
        return {}
    try:
        commits = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return commits if isinstance(commits, dict) else {}


def _save(folder: Path | None, ids: Sequence[str], known: dict[str, Any]) -> None:
    if folder is None:
        return
    recent = dict.fromkeys(oid for oid in ids if oid in known)
    others = [oid for oid in known if oid not in recent]
    kept = [*recent, *others[: max(0, MAX_KEPT - len(recent))]]
    body = json.dumps({oid: known[oid] for oid in kept}, separators=(",", ":")).encode()
    try:
        replace_file(folder / NAME, VERSION + zlib.crc32(body).to_bytes(4, "little") + body)
    except DursorError as error:
        log.debug("%s", error.message)
