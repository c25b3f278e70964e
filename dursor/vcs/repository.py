"""Open and read a repository; nothing is written."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.domain import Branch
from dursor.errors import InternalError, NotFoundError, UsageError
from dursor.vcs.command import GitCommand, decode, encode, is_owned
from dursor.vcs.locate import find_top
from dursor.vcs.objects import CommitTree, ObjectReader
from dursor.vcs.urls import strip_credentials

if TYPE_CHECKING:
    from typing import Self

import git  # after `command`, which keeps the import from starting a process
from git.exc import GitError

UNSHALLOW = "git fetch --unshallow"
REF_LIMIT = 1000


class HardenedRepo(git.Repo):
    """GitPython's repository with hardened processes."""

    GitCommandWrapperType = GitCommand


class Repository:
    """A repository on this machine: the user's, or a clone by dursor."""

    def __init__(self, opened: HardenedRepo) -> None:
        self._opened = opened
        self.is_bare = _is_bare(opened)
        self.git_dir = Path(opened.git_dir)
        self.top = self.git_dir if self.is_bare else Path(str(opened.working_tree_dir))
        self.common_dir = _find_common_dir(self.git_dir)
        self.alternates: tuple[Path, ...] = ()
        self.command = GitCommand(self.top)
        if self.is_bare and is_owned(self.git_dir):
            self.command.update_environment(GIT_DIR=str(self.git_dir))
        self.reader = ObjectReader(self.command)

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the repository around PATH; UsageError if there is none."""
        try:
            if not path.is_dir():
                raise UsageError(f"folder {path} does not exist")
            top = find_top(path)
            opened = HardenedRepo(
                str(top or path.resolve()), search_parent_directories=top is None, expand_vars=False
            )
        except (GitError, OSError, ValueError, configparser.Error) as error:
            raise UsageError(
                f"{path} is not in a git repository", hint="dursor run --repo PATH, or git init"
            ) from error
        return cls(opened)

    def resolve(self, ref: str) -> str:
        """Return the full id of the commit REF; UsageError if it does not exist."""
        if not ref or len(ref) > REF_LIMIT or not ref.isprintable():
            raise UsageError(f"{ref[:100]!a} is not a valid ref", hint="git branch --list")
        spellings = (
            [ref] if ref in {"HEAD", "@"} else [ref, f"refs/heads/{ref}", f"refs/tags/{ref}"]
        )
        try:
            first, *rest = self.reader.read([f"{name}^{{commit}}" for name in spellings])
        except InternalError as error:  # git fails for some refs, such as `HEAD@{99}`
            raise UsageError(f"cannot find {ref}: {error.message}", hint="git log") from error
        if len({item.oid for item in rest if item}) > 1:
            raise UsageError(
                f"{ref} is both a branch and a tag", hint=f"refs/heads/{ref} or refs/tags/{ref}"
            )
        return first.oid if first else self._resolve_unsuffixed(ref)

    def tree(self, commit: str) -> CommitTree:
        """Open the files of COMMIT (a full id)."""
        return CommitTree(self.command, self.reader, require_id(commit))

    def read_origin_url(self) -> str | None:
        """Return the URL of the remote `origin` without credentials."""
        output = self.command.run("config", "-z", "--get", "remote.origin.url", ok=(0, 1))
        url = decode(output.out).split("\0", maxsplit=1)[0]
        return strip_credentials(url) or None

    def find_current_branch(self) -> str | None:
        """Return the branch that HEAD is on; None when detached."""
        output = self.command.run("symbolic-ref", "-q", "HEAD", ok=(0, 1))
        return decode(output.out).rstrip("\n").removeprefix("refs/heads/") or None

    def find_default_branch(self) -> str | None:
        """Return the branch that work starts from; None if it cannot be determined."""
        return self._find_default(list(self._list_heads()))

    def list_branches(self) -> list[Branch]:
        """List the branches, sorted by name."""
        heads = self._list_heads()
        default = self._find_default(list(heads))
        return [Branch(name, commit, name == default) for name, commit in heads.items()]

    def add_alternate(self, objects: Path) -> None:
        """Also read the objects in folder OBJECTS; nothing is written."""
        self.reader.close()
        self.alternates = (*self.alternates, objects)
        self.command.update_environment(**self.alternates_env)

    @property
    def alternates_env(self) -> dict[str, str]:
        """The environment of a git process that also reads the alternates."""
        folders = os.pathsep.join(_quote_in_list(str(folder)) for folder in self.alternates)
        return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": folders}

    def close(self) -> None:
        """Stop the reading processes."""
        self.reader.close()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _list_heads(self) -> dict[str, str]:
        lines = self._list_refs("%(refname)%00%(objectname)", "refs/heads/")
        pairs = (line.split("\0") for line in lines)
        return {name.removeprefix("refs/heads/"): commit for name, commit in pairs}

    def _find_default(self, names: list[str]) -> str | None:
        current = self.find_current_branch()
        if self.is_bare:
            return current
        for target in self._list_refs("%(symref)", "refs/remotes/origin/HEAD"):
            if target:
                return target.removeprefix("refs/remotes/origin/")
        if len(names) == 1:
            return names[0]
        return next((name for name in ("main", "master") if name in names), current)

    def _list_refs(self, form: str, pattern: str) -> list[str]:
        output = self.command.run("for-each-ref", f"--format={form}", pattern)
        return decode(output.out).splitlines()

    def _resolve_unsuffixed(self, ref: str) -> str:
        """Resolve a revision that allows no suffix (`:/text`), or explain its error."""
        output = self.command.run("cat-file", "--batch-check", stdin=encode(ref) + b"\n")
        answer = decode(output.out).rstrip("\n")
        if answer.endswith(" ambiguous"):
            raise UsageError(
                f"{ref} is ambiguous: several objects have this prefix",
                hint=f"git rev-parse --disambiguate={ref}",
            )
        if answer.endswith(" missing"):
            raise self._explain_missing(ref)
        oid, kind, _ = answer.split()
        if kind != "commit":
            raise UsageError(f"{ref} is a {kind}, not a commit", hint="git log --oneline")
        return oid

    def _explain_missing(self, ref: str) -> UsageError:
        if ref in {"HEAD", "@"}:
            return UsageError(
                f"{self.top} has no commits yet", hint="git add . && git commit -m start"
            )
        return UsageError(f"ref {ref} does not exist", hint=self._suggest(ref))

    def _suggest(self, ref: str) -> str:
        import difflib  # noqa: PLC0415 - only needed for a misspelt ref

        names = [
            name.split("/", 2)[2]
            for pattern in ("refs/heads/", "refs/tags/", "refs/remotes/")
            for name in self._list_refs("%(refname)", pattern)
        ]
        near = [name for name in names if name.endswith(f"/{ref}")]
        near += difflib.get_close_matches(ref, names, n=3)
        if near:
            return f"--base {shlex.quote(near[0])}"
        if (self.common_dir / "shallow").exists():
            return "use a branch, a tag or a full commit id" if self.is_bare else UNSHALLOW
        return "git branch --all --list"


def require_id(commit: str) -> str:
    """Return COMMIT if it is a full id, not an option for git; NotFoundError otherwise."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        raise NotFoundError(f"{commit!a} is not a full commit id")
    return commit


def _is_bare(opened: HardenedRepo) -> bool:
    """Check whether there is no working tree.

    Where the configuration does not say so, GitPython takes the parent folder for one: ask git.
    """
    if opened.bare or os.path.lexists(Path(str(opened.working_tree_dir), ".git")):
        return bool(opened.bare)
    trust = ("-c", "safe.bareRepository=all") if is_owned(Path(opened.git_dir)) else ()
    output = GitCommand(opened.git_dir).run(*trust, "rev-parse", "--is-bare-repository")
    return output.out.strip() == b"true"


def _quote_in_list(path: str) -> str:
    """Quote PATH if it would be split otherwise."""
    is_plain = os.pathsep not in path and not path.startswith('"')
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return path if is_plain else f'"{escaped}"'


def _find_common_dir(git_dir: Path) -> Path:
    """Return the repository that a linked worktree belongs to."""
    try:
        target = (git_dir / "commondir").read_bytes()
    except OSError:
        return git_dir
    return (git_dir / os.fsdecode(target.rstrip(b"\r\n"))).resolve()
