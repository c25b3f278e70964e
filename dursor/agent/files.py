"""The files of a round's tree as a model may look at them: what may not be sent is refused."""

from __future__ import annotations

import threading
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

MAX_KEPT = 32 * 1024 * 1024  # bytes of files that are kept for the next search
AT_ONCE = 64  # files read in one exchange, each of a megabyte at most


class ToolCallError(Exception):
    """A file or folder that cannot be looked at; its text says why, to the model."""


class RepositoryFiles:
    """Reads the files of one tree, secrets replaced; the runs of a round share it, and threads."""

    def __init__(self, tree: Tree, rules: PathRules, mask: Callable[[str, str], str]) -> None:
        self._tree = tree
        self._rules = rules
        self._mask = mask
        self._lock = threading.Lock()
        self._sendable: Mapping[str, Entry] | None = None
        self._kept: dict[str, bytes | None] = {}
        self._room = MAX_KEPT

    def paths(self, folder: str = "") -> list[str]:
        """List the files at or below FOLDER that may be sent, as far as the tree alone tells."""
        with self._lock:
            if self._sendable is None:
                self._sendable, _ = split_sendable(self._tree.entries(), self._rules)
        if not folder:
            return list(self._sendable)
        return [path for path in self._sendable if path == folder or path.startswith(f"{folder}/")]

    def folder(self, asked: str) -> str:
        """Find the path, without a slash at its end, that ASKED means; the top is empty."""
        path = self._named(asked).rstrip("/")
        if path in {"", "."}:
            return ""
        self._refuse_forbidden(path)
        if not self.paths(path):
            raise ToolCallError(f"there is nothing to show at {self.shown(path)}")
        return path

    def text(self, asked: str) -> tuple[str, str]:
        """Read the file ASKED: its path and its text, secrets replaced line by line."""
        path = self._named(asked)
        self._refuse_forbidden(path)
        entry = self._tree.entries().get(path)
        if entry is None:
            raise ToolCallError(self._missing(path))
        refused = check_entry(path, entry, self._rules)
        if refused is not None:
            raise ToolCallError(f"{self.shown(path)} is not shown: {refused.reason}")
        try:
            data = self._tree.read(path)
        except (DursorError, KeyError) as error:
            raise ToolCallError(f"{self.shown(path)} cannot be read") from error
        if (reason := check_content(data)) is not None:
            raise ToolCallError(f"{self.shown(path)} is not shown: {reason}")
        return path, self.masked(path, data)

    def masked(self, path: str, data: bytes) -> str:
        """Give DATA of PATH as a model may see it; the lines stay as many as they are."""
        return self._mask(data.decode("utf-8", "replace"), path)

    def hidden(self, names: str) -> str:
        """Give NAMES of files as a model may see them."""
        return self._mask(names, "")

    def shown(self, path: str) -> str:
        """Give PATH as a model may see it, and name it again."""
        return quote_path(self.hidden(path))

    def _named(self, asked: str) -> str:
        """Find the path that ASKED means, however it was shown."""
        path = unquote(asked.strip())
        while path.startswith("./"):
            path = path[2:].lstrip("/")
        if PREFIX not in path:
            return path
        return next((known for known in self.paths() if self.hidden(known) == path), path)

    def contents(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the files at or below FOLDER with their bytes as they are, never to be shown."""
        paths = self.paths(folder)
        for start in range(0, len(paths), AT_ONCE):
            some = paths[start : start + AT_ONCE]
            found = self._contents(some)
            yield from ((path, data) for path in some if (data := found[path]) is not None)

    def _contents(self, paths: Sequence[str]) -> Mapping[str, bytes | None]:
        """Read PATHS, as many as may be kept only once; None for what is no text or not there."""
        with self._lock:
            known = {path: self._kept[path] for path in paths if path in self._kept}
        read = read_available(self._tree, [path for path in paths if path not in known])
        fresh: dict[str, bytes | None] = {path: None for path in paths if path not in known}
        fresh |= {path: data for path, data in read.items() if check_content(data) is None}
        with self._lock:
            for path, data in fresh.items():
                size = len(data or b"")
                if size <= self._room and path not in self._kept:
                    self._room -= size
                    self._kept[path] = data
        return known | fresh

    def _refuse_forbidden(self, path: str) -> None:
        if (reason := self._rules.reason(path)) is not None:
            raise ToolCallError(f"{self.shown(path)} may not be looked at: {reason}")

    def _missing(self, path: str) -> str:
        if self.paths(path.rstrip("/")):
            return f"{self.shown(path)} is a folder: use list_files"
        name = path.rpartition("/")[2]
        near = [known for known in self.paths() if known.rpartition("/")[2] == name][:3]
        meant = f"; there is {', '.join(map(self.shown, near))}" if near else ""
        return f"there is no file {self.shown(path)}{meant}"
