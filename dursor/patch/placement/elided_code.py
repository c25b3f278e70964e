"""Comments that stand for code which the model left out."""

from __future__ import annotations

import re

_MAX_LENGTH = 160
_WORD = re.compile(r"[A-Za-z']+")
_MARKS = "#/*<!->;%{}()[]\"' \t"
_COMMENT = ("#", "//", "/*", "*", "<!--", "--", ";", "%", "{/*", '"""', "'''", "(", "...", "…")
_TELLING = frozenset(
    _WORD.findall(
        "existing rest remaining remain remains unchanged unmodified untouched omitted same "
        "previous original"
    )
)
_FILLING = _TELLING.union(
    _WORD.findall(
        "a above all and as before below body class code content continue file for from function "
        "here implementation imports in is it keep lines logic method methods more no not of other "
        "section stays still tests the this to with"
    )
)


def is_elision(text: str) -> bool:
    """Return whether a context line only marks omitted lines: dots and filling words."""
    if len(text) > _MAX_LENGTH or not ("..." in text or "…" in text):
        return False
    words = {word.lower() for word in _WORD.findall(text)}
    rest = _WORD.sub("", text).replace("…", "").replace(".", "").strip(_MARKS + ",:")
    return words <= _FILLING and not rest


def is_placeholder(text: str) -> bool:
    """Return whether an added line is a comment like `# ... existing code ...`."""
    if not is_elision(text) or not text.lstrip().startswith(_COMMENT):
        return False
    return any(word.lower() in _TELLING for word in _WORD.findall(text))
