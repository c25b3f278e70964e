"""Comments that stand for code which the model did not write out."""

from __future__ import annotations

import re

_LONGEST = 160
_WORD = re.compile(r"[A-Za-z']+")
_MARKS = "#/*<!->;%{}()[]\"' \t"
_COMMENT = ("#", "//", "/*", "*", "<!--", "--", ";", "%", "{/*", '"""', "'''", "(")
_FILLING = frozenset(
    [
        "a",
        "above",
        "all",
        "and",
        "as",
        "before",
        "below",
        "body",
        "class",
        "code",
        "content",
        "continue",
        "existing",
        "file",
        "for",
        "from",
        "function",
        "here",
        "implementation",
        "imports",
        "in",
        "is",
        "it",
        "keep",
        "lines",
        "logic",
        "method",
        "methods",
        "more",
        "no",
        "not",
        "of",
        "omitted",
        "original",
        "other",
        "previous",
        "remain",
        "remaining",
        "remains",
        "rest",
        "same",
        "section",
        "stays",
        "still",
        "tests",
        "the",
        "this",
        "to",
        "unchanged",
        "unmodified",
        "untouched",
        "with",
    ]
)
_TELLING = frozenset(
    [
        "existing",
        "rest",
        "remaining",
        "remain",
        "remains",
        "unchanged",
        "unmodified",
        "untouched",
        "omitted",
        "same",
        "previous",
        "original",
    ]
)


def is_elision(text: str) -> bool:
    """Tell whether a line of context only says that lines are left out: dots and filling words."""
    if len(text) > _LONGEST or not ("..." in text or "…" in text):
        return False
    words = {word.lower() for word in _WORD.findall(text)}
    rest = _WORD.sub("", text).replace("…", "").replace(".", "").strip(_MARKS + ",:")
    return words <= _FILLING and not rest


def is_placeholder(text: str) -> bool:
    """Tell whether an added line is a comment like `# ... existing code ...`."""
    if not is_elision(text) or not text.lstrip().startswith((*_COMMENT, "...", "…")):
        return False
    return any(word.lower() in _TELLING for word in _WORD.findall(text))
