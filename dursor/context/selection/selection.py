"""The context of a round: the files to send, and the paths that are held back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from dursor.context.text.measure import estimate_tokens
from dursor.domain import ContextFile
from dursor.secrets.placeholders import PlaceholderKey, Placeholders

MIN_SECRET_CHARS = 8  # a shorter one, such as the last line of a private key, can be any word
RANGE_HEADER = "lines 1000-1100:\n```\n```\n"

Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SelectedFile:
    """A file as it is sent; `ranges` are lines from 1, inclusive, or None for the whole file."""

    path: str
    ranges: Ranges | None
    tokens: int
    reason: str
    text: str = field(repr=False)  # with placeholders for secrets; ranges are concatenated


@dataclass(frozen=True)
class WithheldFile:
    """A path that is not sent, or not unchanged."""

    path: str
    reason: str


@dataclass(frozen=True)
class Selection:
    """The context of a round, files in the order of sending.

    `files` start the conversation, unchanged in every round of a task on one base. A later round
    adds the current state of `changed` files, and `added` files, next to its instruction.
    """

    budget: int
    files: tuple[SelectedFile, ...]
    withheld: tuple[WithheldFile, ...]
    repo_map: str
    guidance: SelectedFile | None
    placeholders: dict[str, str] = field(repr=False)  # never logged, never stored
    added: tuple[SelectedFile, ...] = ()
    changed: tuple[SelectedFile, ...] = ()
    deleted: tuple[str, ...] = ()  # or moved
    omitted: tuple[str, ...] = ()  # changed, but too large to be sent again
    key: PlaceholderKey | None = field(default=None, repr=False)

    @property
    def file_tokens(self) -> int:
        """The tokens that count towards the budget."""
        return sum(file.tokens for file in (*self.files, *self.added))

    @property
    def total_tokens(self) -> int:
        """All tokens: also of changed files, range headers, map and guidance."""
        headers = RANGE_HEADER * sum(len(file.ranges or ()) for file in self.files)
        sizes = (len(text.encode("utf-8", "surrogateescape")) for text in (self.repo_map, headers))
        changed = sum(file.tokens for file in self.changed)
        guidance = self.guidance.tokens if self.guidance else 0
        return self.file_tokens + changed + sum(map(estimate_tokens, sizes)) + guidance

    def to_context_files(self) -> tuple[ContextFile, ...]:
        guidance = [self.guidance] if self.guidance else []
        files = (*self.files, *self.added, *self.changed, *guidance)
        return tuple(ContextFile(f.path, f.ranges, f.tokens, f.reason) for f in files)

    def restore(self, text: str) -> str:
        """Return TEXT with the secrets in place of their placeholders."""
        if not self.placeholders:
            return text
        names = re.compile("|".join(map(re.escape, list(self.placeholders))))
        return names.sub(lambda match: self.placeholders[match[0]], text)

    def mask(self, text: str, path: str = "") -> str:
        """Return TEXT, of any file, with placeholders for secrets. Thread-safe."""
        return self.mask_detected(self.mask_known(text), path)

    def mask_known(self, text: str, context: str | None = None) -> str:
        """Return TEXT with placeholders for the secrets of selected files.

        With CONTEXT, only placeholders in it are used: the same files then always give the same
        text, whichever secrets became known since.
        """
        known = list(self.placeholders.items())  # a copy: other threads can add to it
        for name, secret in sorted(known, key=lambda item: (-len(item[1]), item[0])):
            if len(secret) >= MIN_SECRET_CHARS and (context is None or name in context):
                text = text.replace(secret, name)
        return text

    def mask_detected(self, text: str, path: str = "") -> str:
        """Return TEXT with placeholders for everything that looks like a secret."""
        placeholders = Placeholders(self.key)
        masked, _ = placeholders.replace(text, path)
        self.placeholders.update(placeholders.mapping)
        return masked
