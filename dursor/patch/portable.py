"""Names that no new file may have: some system reads them as another name, or not at all."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cf", "Zl", "Zp", "Cc", "Co", "Cs"})
# Each against one component; https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RULES = (
    (re.compile(r"\s|.*[. ]$"), "begins or ends with a blank, or ends with a dot"),
    (
        re.compile(
            r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE
        ),
        "is that of a device on Windows",
    ),
    (re.compile(r'.*[\\:*?"<>|]'), "cannot be written on Windows"),
    (re.compile(r"[^.~]{1,8}~\d{1,6}(?:\.[^.]{0,3})?$"), "may be short for another on Windows"),
)


def why_not(path: str) -> str | None:
    """Return what is wrong with PATH as that of a new file, in a few words, or None."""
    for part in path.split("/"):
        if any(unicodedata.category(char) in _UNSEEN for char in part if not char.isascii()):
            return "its name holds letters that cannot be seen"
        plain = unicodedata.normalize("NFKC", part)
        if plain.casefold().startswith(".git") and not part.startswith(".git"):
            return "its name looks like one of git's"
        for pattern, reason in _RULES:
            if pattern.match(part) or pattern.match(plain):
                return f"its name {reason}"
    return None
