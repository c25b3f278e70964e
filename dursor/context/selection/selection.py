"""What a round sends to every model, and what it holds back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from dursor.context.text.measure import estimate_tokens
from dursor.domain import ContextFile
from dursor.secrets.placeholders import PlaceholderKey, Placeholders

MIN_SECRET_CHARS = 8  # characters of a secret that is looked for by itself
RANGE_MARK = "lines 1000-1100:\n```\n```\n"  # what shows where an excerpt begins

Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SelectedFile:
    """A file as it is sent; `ranges` None means whole, else 1-based inclusive lines."""

    path: str
    ranges: Ranges | None
    tokens: int
    reason: str
    text: str = field(repr=False)  # secrets replaced; the texts of the ranges, one after another


@dataclass(frozen=True)
class WithheldFile:
    """A path that may not be sent, or not as it is."""

    path: str
    reason: str


@dataclass(frozen=True)
class Selection:
    """The context of a round, files in the order in which they are sent.

    `files` lead everything said, the same in every round of a task on one base; what a later round
    has beside them stands with its instruction: `changed`, the files as they then stand, and
    `added`, further ones.
    """

    budget: int
    files: tuple[SelectedFile, ...]
    withheld: tuple[WithheldFile, ...]
    repo_map: str
    guide: SelectedFile | None  # what the repository says to agents
    placeholders: dict[str, str] = field(repr=False)  # never logged, never stored
    added: tuple[SelectedFile, ...] = ()
    changed: tuple[SelectedFile, ...] = ()
    gone: tuple[str, ...] = ()  # deleted since, or moved away
    unshown: tuple[str, ...] = ()  # changed since, and too large to be shown again
    key: PlaceholderKey | None = field(default=None, repr=False)

    @property
    def tokens_files(self) -> int:
        """The tokens of the files, which the budget is for."""
        return sum(pick.tokens for pick in (*self.files, *self.added))

    @property
    def tokens_total(self) -> int:
        """The tokens of all that is sent: changes, marks of excerpts, map and guidance, too."""
        marks = RANGE_MARK * sum(len(pick.ranges or ()) for pick in self.files)
        sizes = (len(text.encode("utf-8", "surrogateescape")) for text in (self.repo_map, marks))
        changed = sum(pick.tokens for pick in self.changed)
        guide = self.guide.tokens if self.guide else 0
        return self.tokens_files + changed + sum(map(estimate_tokens, sizes)) + guide

    def as_context_files(self) -> tuple[ContextFile, ...]:
        """Return what a run keeps of it."""
        picks = (*self.files, *self.added, *self.changed, *([self.guide] if self.guide else ()))
        return tuple(ContextFile(f.path, f.ranges, f.tokens, f.reason) for f in picks)

    def restore(self, text: str) -> str:
        """TEXT with every placeholder turned back into the secret it stands for."""
        if not self.placeholders:
            return text
        names = re.compile("|".join(map(re.escape, list(self.placeholders))))
        return names.sub(lambda found: self.placeholders[found[0]], text)

    def mask(self, text: str, path: str = "") -> str:
        """TEXT from files that were perhaps never chosen, with its secrets replaced alike.

        Threads may call it at once: a mapping is only ever added to, and copied before it is read.
        """
        return self.hide(self.conceal(text), path)

    def conceal(self, text: str, beside: str | None = None) -> str:
        """TEXT with the secrets that are known replaced, wherever they stand.

        With BESIDE, only those whose placeholders are in it: so the same files always give the same
        text, whatever else has become known since.
        """
        known = list(self.placeholders.items())
        for name, secret in sorted(known, key=lambda one: (-len(one[1]), one[0])):
            # The last line of a private key may be any word.
            if len(secret) >= MIN_SECRET_CHARS and (beside is None or name in beside):
                text = text.replace(secret, name)
        return text

    def hide(self, text: str, path: str = "") -> str:
        """TEXT with what looks like a secret replaced, whatever other files are known to hold."""
        found = Placeholders(self.key)
        hidden, _ = found.replace(text, path)
        self.placeholders.update(found.mapping)
        return hidden
