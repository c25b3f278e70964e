"""Any model's reply, pasted from anywhere, as a patch of a repository."""

from __future__ import annotations

import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import closing
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

from dursor.agent.preflight import refuse_forbidden
from dursor.errors import ApplyFailedError, NoPatchError, UsageError
from dursor.patch.diff.canonical import CanonicalPatch, render_canonical
from dursor.patch.lines import detect_codec
from dursor.patch.policy import check_policy
from dursor.patch.resolve import Resolution, resolve
from dursor.services.results import AppliedChange, ResolvedPatch
from dursor.services.rounds.plan import path_rules, repo_policy
from dursor.vcs.apply.apply import apply_patch

if TYPE_CHECKING:
    from dursor.config import Settings
    from dursor.domain import Repo
    from dursor.pathrules import PathRules
    from dursor.services.repos import Repos
    from dursor.tree import Tree
    from dursor.vcs.repository import Repository

_COLOUR = re.compile(r"\x1b\[[\d;]*[mK]")
_MARK = re.compile(r"> ?")


@dataclass(frozen=True)
class Patches:
    """Resolves and applies replies that no run of ours produced."""

    settings: Settings
    repos: Repos

    def resolve(self, reply: bytes, repo: str | None, base: str | None) -> ResolvedPatch:
        """The clean patch of REPLY against BASE (default HEAD)."""
        place, _, repository = self.repos.locate(repo)
        with closing(repository):
            patch, found = self._resolved(place, repository, reply, base)
        return ResolvedPatch(patch.text, patch.files, found.warnings)

    def apply(self, reply: bytes, repo: str | None, base: str | None) -> AppliedChange:
        """Resolve REPLY and put it into the working tree, all or nothing."""
        place, _, repository = self.repos.locate(repo)
        with closing(repository):
            if place.workspace_path is not None:
                raise UsageError(
                    f"{place.name!r} is a clone that dursor keeps; it has no working tree",
                    hint="leave --apply away",
                )
            patch, _ = self._resolved(place, repository, reply, base)
            done = apply_patch(
                repository,
                patch.text.encode("utf-8", "surrogateescape"),
                journals=self.settings.journals,
            )
        return AppliedChange(patch.files, done.branch, done.commit, repository.top)

    def _resolved(
        self, place: Repo, repository: Repository, reply: bytes, base: str | None
    ) -> tuple[CanonicalPatch, Resolution]:
        text = _decoded(reply)
        if not text.strip():
            raise UsageError("the reply is empty", hint="dursor patch FILE, or dursor patch -")
        commit = self.repos.resolve(place, repository, "HEAD" if base is None else base)
        tree: Tree = repository.tree(commit)
        policy = repo_policy(tree)
        rules = path_rules(self.settings, policy)
        found = _found(text, tree, rules)
        max_files = min(self.settings.get("max_files"), policy.max_files or sys.maxsize)
        check_policy(tree, found, rules, max_files)
        return render_canonical(tree, found), found


def _decoded(reply: bytes) -> str:
    """REPLY as text: UTF-16 with its mark (what PowerShell redirects), or as a file is read."""
    if reply.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return reply.decode("utf-16", "replace")
    return reply.decode(detect_codec(reply), "surrogateescape")


def _found(text: str, tree: Tree, rules: PathRules) -> Resolution:
    """Resolve TEXT, or if there is no patch to be seen, what is below its quoting."""
    refuse_forbidden(text, tree, rules)
    try:
        return _explained(text, tree)
    except NoPatchError:
        bare = _unquoted(text)
        if bare == text:
            raise
    refuse_forbidden(bare, tree, rules)
    return _explained(bare, tree)


def _unquoted(text: str) -> str:
    """TEXT without a terminal's colours, and without a mail's mark or the margin of all lines."""
    lines = _COLOUR.sub("", text).split("\n")
    if all(line.startswith(">") for line in lines if line.strip()):
        lines = [_MARK.sub("", line) for line in lines]
    return dedent("\n".join(lines))


def _explained(text: str, tree: Tree) -> Resolution:
    """Resolve TEXT; an error says where it begins to differ, for a person to mend it."""
    try:
        return resolve(text, tree)
    except ApplyFailedError as error:
        first = error.failures[0]
        if first.line is None or not first.line.strip():
            raise
        line, near = first.line.strip()[:80], ""
        if first.nearest_line:
            near = f"; the nearest text begins at line {first.nearest_line}"
        message = f"{error.message}: it has no {line!r} there{near}"
        raise ApplyFailedError(message, failures=error.failures) from error
