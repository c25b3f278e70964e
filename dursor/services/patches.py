"""Resolve a pasted reply of any model into a patch."""

from __future__ import annotations

import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from dursor.agent.preflight import refuse_forbidden
from dursor.errors import ApplyFailedError, NoPatchError, UsageError
from dursor.patch.diff.canonical import CanonicalPatch, render_canonical
from dursor.patch.lines import detect_codec
from dursor.patch.policy import check_policy
from dursor.patch.resolve import Resolution, resolve
from dursor.services.repos import Repos, require_working_tree
from dursor.services.results import AppliedChange, ResolvedPatch
from dursor.services.rounds.limits import build_path_rules, read_repo_policy
from dursor.vcs.apply.apply import apply_patch

if TYPE_CHECKING:
    from dursor.config import Settings
    from dursor.domain import Repo
    from dursor.pathrules import PathRules
    from dursor.tree import Tree
    from dursor.vcs.repository import Repository

_COLOR = re.compile(r"\x1b\[[\d;]*[mK]")
_MARK = re.compile(r"> ?")


@dataclass(frozen=True)
class Patches:
    """Resolves and applies replies that do not come from a run."""

    settings: Settings
    repos: Repos

    def resolve(self, reply: bytes, repo: str | None, base: str | None) -> ResolvedPatch:
        """Resolve REPLY into a patch of BASE (default HEAD)."""
        registered, _, repository = self.repos.locate(repo)
        with repository:
            patch, resolution = self._resolve(registered, repository, reply, base)
        return ResolvedPatch(patch.text, patch.files, resolution.warnings)

    def apply(self, reply: bytes, repo: str | None, base: str | None) -> AppliedChange:
        """Resolve REPLY and apply it to the working tree, all or nothing."""
        registered, _, repository = self.repos.locate(repo)
        with repository:
            require_working_tree(registered, hint="remove --apply")
            patch, _ = self._resolve(registered, repository, reply, base)
            apply_patch(
                repository,
                patch.text.encode("utf-8", "surrogateescape"),
                journals=self.settings.journals,
            )
        return AppliedChange(patch.files, None, None, repository.top)

    def _resolve(
        self, repo: Repo, repository: Repository, reply: bytes, base: str | None
    ) -> tuple[CanonicalPatch, Resolution]:
        text = _decode(reply)
        if not text.strip():
            raise UsageError("the reply is empty", hint="dursor patch FILE, or dursor patch -")
        commit = self.repos.resolve(repo, repository, "HEAD" if base is None else base)
        tree: Tree = repository.tree(commit)
        policy = read_repo_policy(tree)
        rules = build_path_rules(self.settings, policy)
        resolution = _resolve_quoted(text, tree, rules)
        max_files = min(self.settings.get("max_files"), policy.max_files or sys.maxsize)
        check_policy(tree, resolution, rules, max_files)
        return render_canonical(tree, resolution), resolution


def _decode(reply: bytes) -> str:
    """Decode REPLY as UTF-16 if it has a byte order mark (as from PowerShell), else like a file."""
    if reply.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return reply.decode("utf-16", "replace")
    return reply.decode(detect_codec(reply), "surrogateescape")


def _resolve_quoted(text: str, tree: Tree, rules: PathRules) -> Resolution:
    """Resolve TEXT, or if it contains no patch, TEXT without its quoting."""
    refuse_forbidden(text, tree, rules)
    try:
        return _resolve_text(text, tree)
    except NoPatchError:
        bare = _unquote(text)
        if bare == text:
            raise
    refuse_forbidden(bare, tree, rules)
    return _resolve_text(bare, tree)


def _unquote(text: str) -> str:
    """Remove terminal colours, mail quoting and common indentation from TEXT."""
    lines = _COLOR.sub("", text).split("\n")
    if all(line.startswith(">") for line in lines if line.strip()):
        lines = [_MARK.sub("", line) for line in lines]
    return dedent("\n".join(lines))


def _resolve_text(text: str, tree: Tree) -> Resolution:
    """Resolve TEXT; an error shows the first line that differs."""
    try:
        return resolve(text, tree)
    except ApplyFailedError as error:
        first = error.failures[0]
        if first.line is None or not first.line.strip():
            raise
        line, near = first.line.strip()[:80], ""
        if first.nearest_line:
            near = f"; the nearest text is at line {first.nearest_line}"
        message = f"{error.message}: {line!r} was not found{near}"
        raise ApplyFailedError(message, failures=error.failures) from error
