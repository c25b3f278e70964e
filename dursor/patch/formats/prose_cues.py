"""Phrases beside a patch that withdraw it, offer it as an alternative or warn of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_LENGTH = 300  # characters of a line that are searched
_TAKES_BACK = re.compile(
    r"\b(?:wait|actually|oops|mistake|scratch that|reconsider|revised?|corrected|"
    r"let me (?:re\w+|fix|correct|simplify|try again)|"
    r"correct (?:patch|fix|version|diff|approach)|better approach|instead of the above)\b",
    re.IGNORECASE,
)
_WITHDRAWS = re.compile(r"\W*(?:wait|actually|oops|hmm|scratch that)\b", re.IGNORECASE)
_KINDS = r"(?:options?|approach|alternatives?|variant|version|solution|choice|way|possibility)"
_OFFERS = re.compile(
    rf"\W*(?:alternatively|alternatives?\W*$|an? (?:alternative|second|different) {_KINDS}\b|"
    rf"another {_KINDS}\b|{_KINDS} *#? *(?:[2-9]|[b-d]|two|three)\b(?=\W*$|\s*[:(\u2013\u2014-])|"
    r"or\W*$|or,? (?:else|even better|instead|alternatively|if you)\b|"
    r"if you(?:'d| would)? (?:rather|prefer)\b|you c(?:an|ould) instead\b|"
    r"if you .{0,200}\binstead\b|.{0,200}\b(?:this|the following) instead\W*$)",
    re.IGNORECASE,
)
_WARNS = re.compile(
    r"\W*(?:(?:do not|don't|never|avoid) (?:do|use|write|apply|try|copy)?(?:ing)? ?"
    r"(?:this|these|that|the following|it like)\b|"
    r"(?:here is |here's |this is )?what not to do\b|"
    r"(?:the |an? )?(?:wrong|incorrect|bad) (?:way|fix|approach|version|example|solution|patch)\b|"
    r"(?:bad|wrong|incorrect|before|not recommended|anti-?pattern)\W*$|"
    r".{0,200}\bwo(?:uld be (?:wrong|incorrect)|(?:uld not|uldn't|n't) work)\W*$)",
    re.IGNORECASE,
)


def takes_back(prose: Sequence[str]) -> bool:
    """Return whether PROSE between two patches withdraws the first one."""
    return bool(_TAKES_BACK.search("\n".join(prose)))


def withdraws(prose: Sequence[str]) -> bool:
    """Return whether PROSE below the last patch withdraws it."""
    return any(_WITHDRAWS.match(line[:_MAX_LENGTH]) for line in prose)


def find_doubt(prose: Sequence[str], *, is_first: bool) -> str | None:
    """Return why the patch below PROSE may not be part of the answer."""
    for line in prose:
        if not is_first and _OFFERS.match(line[:_MAX_LENGTH]):
            return "the reply offers alternatives: give only the patch to apply"
    if prose and _WARNS.match(prose[-1][:_MAX_LENGTH]):
        return "the reply warns of a patch that it shows: give only the patch to apply"
    return None
