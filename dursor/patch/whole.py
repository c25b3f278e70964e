"""Whole files with a path: a fenced block whose name stands above it or in its opening line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.patch.edits import Action, FileEdit

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = r"[^\s`*\"'<>|:(),;]+(?: [^\s`*\"'<>|:(),;]+)*"
_PATH = re.compile(
    rf"(?:[#>*\-\s]*)(?:\d+[.)]\s*)?(?:(?:new |updated? |create )?(?:file|path|filename)\s*:?\s*)?"
    rf"[`*\"'<\[]*({_NAME})[`*\"'>\]]*(?:\s*\((?:new|new file|updated|modified)\))?\s*:?[`*\s]*",
    re.IGNORECASE,
)
_INFO = re.compile(
    r"""(?:[\w+#.-]*[\s:])?\s*(?:title=|file=|filename=|path=)?["']?([^\s"']+)["']?\s*$"""
)


def path_in(line: str) -> str | None:
    """The path that LINE is about: nothing but a path, markup and a word like `File:` aside."""
    match = _PATH.fullmatch(line.strip())
    if not match or line.strip() in {"", "---"}:
        return None
    name = match[1]
    looks = "/" in name or re.search(r"\.[A-Za-z]\w*$", name) or name in _PLAIN
    return name if looks and " " not in name else None


_PLAIN = frozenset({"Makefile", "Dockerfile", "LICENSE", "README", "Justfile", "Procfile"})


def path_of_info(info: str) -> str | None:
    """The path in a fence's opening line, as in ```` ```python src/a.py ````."""
    match = _INFO.fullmatch(info.strip())
    name = match[1] if match else ""
    return name if "/" in name or re.search(r"\w\.[A-Za-z]\w*$", name) else None


def written(path: str, body: Sequence[str], *, cut: bool) -> FileEdit:
    """The edit that makes PATH hold BODY."""
    return FileEdit(Action.WRITE, path, whole=tuple(body), cut=cut)
