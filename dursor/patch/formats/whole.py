"""Paths in prose and in the opening lines of fences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAX_LENGTH = 300
_MAX_WORDS = 8  # of a line that is a path with labels
_LABEL = re.compile(
    r"(?:(?:new|updated?|modified|create|modify|edit)\s+)?(?:file(?:name)?|path)\s*:?\s+",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?://|/\*|<!--|--|;|%)\s+(\S+)(?:\s*(?:\*/|-->))?\s*$")
_NUMBER = re.compile(r"\d+[.)]\s+")
_REMARK = re.compile(r"\s+\((?:new|new file|updated|modified|created?)\)$", re.IGNORECASE)
_INFO = re.compile(
    r"""(?:[\w+#-]*[ :])?\s*(?:(?:title|file|filename|path)=)?["']?([^\s"':=]+)["']?$"""
)
_WHOLE_FILE = re.compile(
    r"(?:\b(?:full|complete|entire|whole) (?:(?:updated|new|modified|fixed|corrected|final) )?"
    r"(?:(?:file|version|code|contents?) )?(?:of )?|^\W*create (?:an? |the )?(?:new )?(?:file )?)"
    r"`([^`\s]+)`[^`]*:\s*$",
    re.IGNORECASE,
)
_TICKED = re.compile(r"`([^`\s]+)`")
_EXTENSION = re.compile(r"[\w)]\.[A-Za-z]\w*$")
_MAY_NAME = re.compile(r"[./]|file|[A-Z]{4}")
_HIDDEN = re.compile(r"\.[A-Za-z][\w.-]*$")
_PLAIN = frozenset(
    re.findall(
        r"\w+",
        "Makefile Dockerfile Containerfile Justfile Procfile Gemfile Rakefile Pipfile Jenkinsfile "
        "Vagrantfile LICENSE README AUTHORS CHANGELOG CHANGES CODEOWNERS CONTRIBUTING CONTRIBUTORS "
        "COPYING HISTORY INSTALL MANIFEST NEWS NOTICE TODO VERSION BUILD WORKSPACE",
    )
)
MARKUP = (".md", ".mdx", ".markdown", ".rst", ".txt")  # files that may hold fences
_SHELLS = frozenset({"bash", "sh", "shell", "console", "zsh", "terminal", "output", "log"})
_FOR_SHELLS = (".sh", ".bash", ".zsh", ".txt", ".log", ".md")


def parse_path_line(line: str) -> str | None:
    """Return the path of a LINE with nothing else but markup and a label such as `File:`."""
    if len(line) > _MAX_LENGTH or not _MAY_NAME.search(line):
        return None
    if len(line.lstrip("#>*-+ \t").split(None, _MAX_WORDS)) > _MAX_WORDS:
        return None
    line = _COMMENT.sub(r"\1", line)
    text = _NUMBER.sub("", line.strip().lstrip("#>*-+ \t"), count=1).strip("*: \t")
    text = _REMARK.sub("", _LABEL.sub("", text, count=1)).strip("*: \t")
    if len(text) > 2 and text[0] in "`\"'<[" and text[-1] in "`\"'>]":
        text = text[1:-1]
    return text if is_path(text) else None


def find_quoted_path(line: str) -> str | None:
    """Return the only path between backticks in a sentence like "In `a.py`:"."""
    if len(line) > _MAX_LENGTH:
        return None
    names = {name for name in _TICKED.findall(line) if is_path(name)}
    return names.pop() if len(names) == 1 else None


def find_whole_file_path(line: str) -> str | None:
    """Return the path in a sentence like "Here is the full updated `a.py`:"."""
    match = _WHOLE_FILE.search(line) if len(line) <= _MAX_LENGTH else None
    return match[1] if match and is_path(match[1]) else None


def list_paths(prose: Iterable[str]) -> Iterator[str]:
    """Yield every word of PROSE that looks like a path."""
    for line in prose:
        for word in line[:_MAX_LENGTH].split():
            name = word.strip("`*_'\"()[]<>,:;.!?").removeprefix("./")
            if is_path(name):
                yield name


def is_path(text: str) -> bool:
    """Return whether TEXT looks like a path: no blanks, and a slash, extension or known name."""
    if not text or any(char.isspace() or char in "`*\"'<>|()," for char in text):
        return False
    return ("/" in text.strip("/") and "://" not in text) or (
        bool(_EXTENSION.search(text) or _HIDDEN.match(text)) or text in _PLAIN
    )


def parse_info(info: str) -> str | None:
    """Return the path in a fence's opening line, as in ```` ```python src/a.py ````."""
    info = info.strip()
    match = _INFO.match(info) if len(info) <= _MAX_LENGTH else None
    return match[1] if match and is_path(match[1]) else None


def is_transcript(info: str, path: str) -> bool:
    """Return whether a fence of this language shows commands instead of the text of PATH."""
    language = info.strip().split(" ")[0].lower()
    return language in _SHELLS and not path.endswith(_FOR_SHELLS)
