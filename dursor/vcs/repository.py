"""A repository, read and never written."""

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
    from types import TracebackType
    from typing import Self

import git  # after `command`, which keeps it from starting a process
from git.exc import GitError

UNSHALLOW = "git fetch --unshallow"
REF_LIMIT = 1000


class HardenedRepo(git.Repo):
    """GitPython's repository, its processes hardened."""

    GitCommandWrapperType = GitCommand


class Repository:
    """One repository on this machine: the user's, or our clone."""

    def __init__(self, opened: HardenedRepo) -> None:
        self._opened = opened
        self.is_bare = _is_bare(opened)
        self.git_dir = Path(opened.git_dir)
        self.top = self.git_dir if self.is_bare else Path(str(opened.working_tree_dir))
        self.common_dir = _common_dir(self.git_dir)
        self.alternates: tuple[Path, ...] = ()
        self.command = GitCommand(self.top)
        if self.is_bare and is_owned(self.git_dir):
            self.command.update_environment(GIT_DIR=str(self.git_dir))
        self._reader = ObjectReader(self.command)

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Open the repository around PATH; UsageError where there is none."""
        try:
            if not path.is_dir():
                raise UsageError(f"no such folder: {path}")
            top = find_top(path)
            opened = HardenedRepo(
                str(top or path.resolve()), search_parent_directories=top is None, expand_vars=False
            )
        except (GitError, OSError, ValueError, configparser.Error) as error:
            raise UsageError(
                f"not in a git repository: {path}", hint="dursor run --repo PATH, or git init"
            ) from error
        return cls(opened)

    def resolve(self, ref: str) -> str:
        """Find the full id of the commit that REF names; UsageError when it names none."""
        if not ref or len(ref) > REF_LIMIT or not ref.isprintable():
            raise UsageError(f"not a ref: {ref[:100]!a}", hint="git branch --list")
        spellings = (
            [ref] if ref in {"HEAD", "@"} else [ref, f"refs/heads/{ref}", f"refs/tags/{ref}"]
        )
        try:
            found = self._reader.read([f"{spelling}^{{commit}}" for spelling in spellings])
        except InternalError as error:  # git dies of some refs, as of `HEAD@{99}`
            raise UsageError(f"cannot find {ref}: {error.message}", hint="git log") from error
        named = {item.oid for item in found[1:] if item}
        if len(named) > 1:
            raise UsageError(
                f"{ref} is both a branch and a tag", hint=f"refs/heads/{ref} or refs/tags/{ref}"
            )
        return found[0].oid if found[0] else self._peculiar(ref)

    def tree(self, commit: str) -> CommitTree:
        """Open the files of COMMIT (a full id)."""
        return CommitTree(self.command, self._reader, checked(commit))

    def read_origin_url(self) -> str | None:
        """Read the URL of the remote `origin`, credentials left out."""
        output = self.command.run("config", "-z", "--get", "remote.origin.url", ok=(0, 1))
        url = decode(output.out).split("\0", maxsplit=1)[0]
        return strip_credentials(url) or None

    def find_current_branch(self) -> str | None:
        """Name the branch HEAD is on; None when detached."""
        output = self.command.run("symbolic-ref", "-q", "HEAD", ok=(0, 1))
        return decode(output.out).rstrip("\n").removeprefix("refs/heads/") or None

    def find_default_branch(self) -> str | None:
        """Name the branch that work starts from; None when nothing tells."""
        return self._default(list(self._heads()))

    def list_branches(self) -> list[Branch]:
        """List the branches by name."""
        heads = self._heads()
        default = self._default(list(heads))
        return [Branch(name, commit, name == default) for name, commit in heads.items()]

    def add_alternate(self, objects: Path) -> None:
        """Read the objects in folder OBJECTS, too; nothing is written anywhere."""
        self._reader.close()
        self.alternates = (*self.alternates, objects)
        self.command.update_environment(**self.alternates_env)

    @property
    def alternates_env(self) -> dict[str, str]:
        """The environment of a git process that reads the alternates, too."""
        places = os.pathsep.join(_in_list(str(place)) for place in self.alternates)
        return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": places}

    def close(self) -> None:
        """End the processes that read."""
        self._reader.close()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _heads(self) -> dict[str, str]:
        lines = self._refs("%(refname)%00%(objectname)", "refs/heads/")
        pairs = (line.split("\0") for line in lines)
        return {name.removeprefix("refs/heads/"): commit for name, commit in pairs}

    def _default(self, names: list[str]) -> str | None:
        current = self.find_current_branch()
        if self.is_bare:
            return current
        for target in self._refs("%(symref)", "refs/remotes/origin/HEAD"):
            if target:
                return target.removeprefix("refs/remotes/origin/")
        if len(names) == 1:
            return names[0]
        return next((name for name in ("main", "master") if name in names), current)

    def _refs(self, form: str, pattern: str) -> list[str]:
        output = self.command.run("for-each-ref", f"--format={form}", pattern)
        return decode(output.out).splitlines()

    def _peculiar(self, ref: str) -> str:
        """Take a revision that cannot carry a suffix (`:/text`), or say what REF is instead."""
        facts = self.command.run("cat-file", "--batch-check", stdin=encode(ref) + b"\n")
        answer = decode(facts.out).rstrip("\n")
        if answer.endswith(" ambiguous"):
            raise UsageError(
                f"{ref} begins the ids of several objects",
                hint=f"git rev-parse --disambiguate={ref}",
            )
        if answer.endswith(" missing"):
            raise self._unknown(ref)
        oid, kind, _ = answer.split()
        if kind != "commit":
            raise UsageError(f"{ref} is a {kind}, not a commit", hint="git log --oneline")
        return oid

    def _unknown(self, ref: str) -> UsageError:
        if ref in {"HEAD", "@"}:
            return UsageError(
                f"no commits yet in {self.top}", hint="git add . && git commit -m start"
            )
        return UsageError(f"no such ref: {ref}", hint=self._nearest(ref))

    def _nearest(self, ref: str) -> str:
        import difflib  # noqa: PLC0415 - only for a misspelt ref

        names = [
            name.split("/", 2)[2]
            for pattern in ("refs/heads/", "refs/tags/", "refs/remotes/")
            for name in self._refs("%(refname)", pattern)
        ]
        near = [name for name in names if name.endswith(f"/{ref}")]
        near += difflib.get_close_matches(ref, names, n=3)
        if near:
            return f"--base {shlex.quote(near[0])}"
        if (self.common_dir / "shallow").exists():
            return "--base BRANCH, TAG or a whole commit id" if self.is_bare else UNSHALLOW
        return "git branch --all --list"


def checked(commit: str) -> str:
    """Return COMMIT if it is a full id; NotFoundError else, before git takes it for an option."""
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        raise NotFoundError(f"not a commit id: {commit!a}")
    return commit


def _is_bare(opened: HardenedRepo) -> bool:
    """Tell whether there is no working tree; git is asked where the configuration is silent.

    GitPython then takes the folder above for one.
    """
    if opened.bare or os.path.lexists(Path(str(opened.working_tree_dir), ".git")):
        return bool(opened.bare)
    named = ("-c", "safe.bareRepository=all") if is_owned(Path(opened.git_dir)) else ()
    output = GitCommand(opened.git_dir).run(*named, "rev-parse", "--is-bare-repository")
    return output.out.strip() == b"true"


def _in_list(path: str) -> str:
    """Quote a PATH that would else be taken apart."""
    plain = os.pathsep not in path and not path.startswith('"')
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return path if plain else f'"{escaped}"'


def _common_dir(git_dir: Path) -> Path:
    """Follow a linked worktree to the repository it belongs to."""
    try:
        target = (git_dir / "commondir").read_bytes()
    except OSError:
        return git_dir
    return (git_dir / os.fsdecode(target.rstrip(b"\r\n"))).resolve()
