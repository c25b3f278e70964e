"""The files of a round's tree for the tools of a model: only those that may be sent."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.context.selection.render import quote_path
from dursor.context.sendable import check_content, check_entry, split_sendable
from dursor.context.source import read_available
from dursor.errors import DursorError
from dursor.patch.names import unquote
from dursor.secrets.placeholders import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dursor.pathrules import PathRules
    from dursor.tree import Entry, Tree

MAX_CACHED = 32 * 1024 * 1024  # bytes of files for the next search
READ_AT_ONCE = 64  # files of at most a megabyte


class ToolCallError(Exception):
    """A call that cannot be carried out; the text is for the model."""


def count_bytes(text: str) -> int:
    """Count the bytes of TEXT as a model receives it."""
    return len(text.encode("utf-8", "replace"))


class RepositoryFiles:
    """Reads the masked files of one tree, for all runs of a round. Thread-safe."""

    def __init__(self, tree: Tree, rules: PathRules, mask: Callable[[str, str], str]) -> None:
        self._tree = tree
        self._rules = rules
        self._mask = mask
        self._lock = threading.Lock()
        self._cache: dict[str, bytes | None] = {}
        self._room = MAX_CACHED

    @cached_property
    def _sendable(self) -> Mapping[str, Entry]:
        return split_sendable(self._tree.entries(), self._rules)[0]

    def list_paths(self, folder: str = "") -> list[str]:
        """List the sendable files at or below FOLDER; their contents are not checked."""
        if not folder:
            return list(self._sendable)
        return [path for path in self._sendable if path == folder or path.startswith(f"{folder}/")]

    def resolve_folder(self, name: str) -> str:
        """Return the path of the folder a model calls NAME; the top is empty."""
        path = self._resolve(name).rstrip("/")
        if path in {"", "."}:
            return ""
        self._refuse_forbidden(path)
        if not self.list_paths(path):
            raise ToolCallError(f"there are no files to show in {self.show_path(path)}")
        return path

    def read(self, name: str) -> tuple[str, str]:
        """Return the path and the masked text of the file a model calls NAME."""
        path = self._resolve(name)
        self._refuse_forbidden(path)
        entry = self._tree.entries().get(path)
        if entry is None:
            raise ToolCallError(self._explain_missing(path))
        shown = self.show_path(path)
        if (refusal := check_entry(path, entry, self._rules)) is not None:
            raise ToolCallError(f"{shown} cannot be shown: {refusal.reason}")
        try:
            data = self._tree.read(path)
        except (DursorError, KeyError) as error:
            raise ToolCallError(f"{shown} cannot be read") from error
        if (reason := check_content(data)) is not None:
            raise ToolCallError(f"{shown} cannot be shown: {reason}")
        return path, self.mask(path, data)

    def mask(self, path: str, data: bytes) -> str:
        """Return DATA of PATH without secrets; the number of lines stays."""
        return self._mask(data.decode("utf-8", "replace"), path)

    def mask_names(self, names: str) -> str:
        return self._mask(names, "")

    def show_path(self, path: str) -> str:
        """Return the name of PATH for the model, which `read` accepts."""
        return quote_path(self.mask_names(path))

    def _resolve(self, name: str) -> str:
        path = unquote(name.strip())
        while path.startswith("./"):
            path = path[2:].lstrip("/")
        if PREFIX not in path:
            return path
        return next((known for known in self.list_paths() if self.mask_names(known) == path), path)

    def read_all(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files at or below FOLDER, unmasked."""
        paths = self.list_paths(folder)
        for start in range(0, len(paths), READ_AT_ONCE):
            batch = paths[start : start + READ_AT_ONCE]
            contents = self._read_batch(batch)
            yield from ((path, data) for path in batch if (data := contents[path]) is not None)

    def _read_batch(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        """Read and cache PATHS; None for files that are missing or not text."""
        with self._lock:
            cached = {path: self._cache[path] for path in paths if path in self._cache}
        fresh: dict[str, bytes | None] = {path: None for path in paths if path not in cached}
        read = read_available(self._tree, list(fresh))
        fresh |= {path: data for path, data in read.items() if check_content(data) is None}
        with self._lock:
            for path, data in fresh.items():
                size = len(data or b"")
                if size <= self._room and path not in self._cache:
                    self._room -= size
                    self._cache[path] = data
        return cached | fresh

    def _refuse_forbidden(self, path: str) -> None:
        if (reason := self._rules.find_reason(path)) is not None:
            raise ToolCallError(f"{self.show_path(path)} cannot be shown: {reason}")

    def _explain_missing(self, path: str) -> str:
        shown = self.show_path(path)
        if self.list_paths(path.rstrip("/")):
            return f"{shown} is a folder: use list_files"
        name = path.rpartition("/")[2]
        similar = [known for known in self.list_paths() if known.rpartition("/")[2] == name][:3]
        others = f"; did you mean {', '.join(map(self.show_path, similar))}?" if similar else ""
        return f"file {shown} does not exist{others}"
