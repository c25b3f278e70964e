"""What a host is called in the user's ssh configuration, and what it is in truth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.github.programs import ask

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIAS = r"([A-Za-z0-9_][A-Za-z0-9._-]+)"  # one letter is a drive
ADDRESS = re.compile(
    rf"(?:(?:git\+)?ssh://(?:[^@/]*@)?{ALIAS}(?::\d+)?/|(?:[^@/:\s]+@)?{ALIAS}:(?!//)/?)(\S+)"
)
HOSTNAME = re.compile(r"^hostname (\S+)$", re.MULTILINE)


def resolve_alias(url: str, env: Mapping[str, str]) -> str:
    """Give URL with the host that its ssh alias stands for; as it is when it has none.

    ssh is asked, which reads the user's configuration and connects to nobody.
    """
    match = ADDRESS.fullmatch(url)
    if match is None:
        return url
    alias = match[1] or match[2]
    said = ask(["ssh", "-G", "--", alias], env)
    found = HOSTNAME.search(said or "")
    return url if found is None or found[1] == alias else f"ssh://{found[1]}/{match[3]}"
