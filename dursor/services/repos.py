"""Find, register and remove repositories: the user's folders and clones of URLs."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.domain import Repo, now
from dursor.errors import AuthError, ConflictError, NotFoundError, UsageError
from dursor.ids import new_id
from dursor.vcs.locate import find_top

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dursor.domain import Branch, Secret
    from dursor.services.events import Listener
    from dursor.services.github.access import GitHubAccess
    from dursor.store.read import Reader
    from dursor.store.write import Store
    from dursor.vcs.repository import Repository

ON_A_HOST = re.compile(r"(?:[\w-]+\.)+[A-Za-z]{2,}(?::[0-9]+)?/[\w-]+/[\w.-]+/?")
OWNER_NAME = re.compile(r"[A-Za-z0-9][\w-]*/[\w.-]+")


@dataclass(frozen=True)
class Repos:
    """Finds, registers and forgets repositories."""

    reader: Reader
    open_store: Callable[[], Store]
    cwd: Path
    workspaces: Path
    mirrors: Path  # folder of the private repositories for pull requests
    open_access: Callable[[], GitHubAccess]

    def list(self, limit: int) -> Sequence[Repo]:
        """List registered repositories, newest first."""
        return self.reader.repos(limit=limit)

    def find(self, selector: str) -> Repo:
        """Return the registered repository SELECTOR (name, id, path or OWNER/NAME)."""
        if not selector:
            raise UsageError("the repository's name is empty", hint="dursor repo list")
        for repo in self._known:
            if selector in {repo.name, repo.id} or _is_same_url(selector, repo.repo_url):
                return repo
        path = str((self.cwd / selector).resolve())
        for repo in self._known:
            if path == repo.path:
                return repo
        if re.fullmatch("[0-9a-f]{4,}", selector):
            return self.reader.repo(selector)
        raise self._explain_unknown(selector)

    @cached_property
    def _known(self) -> Sequence[Repo]:
        return self.reader.repos(limit=-1)

    def _explain_unknown(self, selector: str) -> NotFoundError:
        close = difflib.get_close_matches(selector, [repo.name for repo in self._known], 1)
        hint = f"did you mean {close[0]!r}?" if close else "dursor repo list"
        return NotFoundError(f"repository {selector!r} does not exist", hint=hint)

    def find_current(self) -> Repo | None:
        """Return the registered repository around the current folder."""
        top = find_top(self.cwd)
        return None if top is None else self.reader.repo_at(str(top))

    def locate(self, selector: str | None) -> tuple[Repo, bool, Repository]:
        """Return a round's repository, whether it is new (not registered), and the opened one."""
        if selector is None:
            return self._find_around(self.cwd)
        try:
            repo = self.find(selector)
        except NotFoundError as error:
            folder = self.cwd / selector
            if not folder.is_dir():
                raise UsageError(
                    f"repository or folder {selector!r} does not exist", hint=error.hint
                ) from None
            return self._find_around(folder)
        return repo, False, self.open(repo)

    def open(self, repo: Repo) -> Repository:
        from dursor.vcs.repository import Repository

        if not Path(repo.path).is_dir():
            raise ConflictError(
                f"the folder of {repo.name!r} no longer exists: {repo.path}",
                hint=f"dursor repo remove {repo.name}",
            )
        return self._add_mirror(repo, Repository.open(Path(repo.path)))

    def _add_mirror(self, repo: Repo, repository: Repository) -> Repository:
        """Let REPOSITORY read the mirror: rounds may have started from a fetched pull request."""
        objects = self.build_mirror_path(repo) / "objects"
        if objects.is_dir():
            repository.add_alternate(objects)
        return repository

    def build_mirror_path(self, repo: Repo) -> Path:
        """Return the folder of REPO's mirror, which need not exist."""
        return self.mirrors / f"{repo.id}.git"

    def _find_around(self, folder: Path, name: str | None = None) -> tuple[Repo, bool, Repository]:
        from dursor.vcs.repository import Repository

        repository = Repository.open(folder)
        path = str(repository.top)
        if (known := self.reader.repo_at(path)) is not None:
            return known, False, self._add_mirror(known, repository)
        return self._build_repo(repository, name), True, repository

    def _build_repo(self, repository: Repository, name: str | None, url: str | None = None) -> Repo:
        path = str(repository.top)
        return Repo(
            id=new_id(),
            name=self._choose_name(name or repository.top.name or "repo", exact=name is not None),
            repo_url=url or repository.read_origin_url(),
            path=path,
            default_branch=repository.find_default_branch(),
            latest_commit=None,
            workspace_path=path if url else None,
            created_at=now(),
        )

    def _choose_name(self, wanted: str, *, exact: bool) -> str:
        taken = {repo.name for repo in self._known}
        if wanted not in taken:
            return wanted
        if exact:
            raise ConflictError(f"repository {wanted!r} already exists", hint="use another --name")
        number = 2
        while f"{wanted}-{number}" in taken:
            number += 1
        return f"{wanted}-{number}"

    def add(self, source: str, name: str | None, listener: Listener) -> Repo:
        """Register the folder SOURCE, or clone the URL SOURCE and register that."""
        folder = self.cwd / source
        if folder.is_dir():
            repo, is_new, repository = self._find_around(folder, name)
            repository.close()
            return self.open_store().add_repo(repo) if is_new else self._return_known(repo, name)
        url = self._find_url(source)
        try:
            return self._clone(url, name, listener)
        except (AuthError, NotFoundError) as error:
            if url == source:
                raise
            message = f"folder {source!r} does not exist, and {error.message}"
            raise type(error)(message, hint=error.hint) from error

    def _find_url(self, source: str) -> str:
        """Return the URL SOURCE, or the GitHub URL of OWNER/NAME."""
        from dursor.github.repo_names import parse_remote_url

        if "://" in source:
            return source
        host = self.open_access().host
        if OWNER_NAME.fullmatch(source):
            return f"{host.web_url}/{source}"
        if source.startswith(f"{host.name}/"):  # as shown by browsers
            return host.web_url + source.removeprefix(host.name)
        if ON_A_HOST.fullmatch(source):
            return f"https://{source}"
        if parse_remote_url(source) is not None:
            return source
        raise UsageError(
            f"{source!r} is not a folder, a URL or OWNER/NAME",
            hint="dursor repo add PATH, or dursor repo add OWNER/NAME",
        )

    def _return_known(self, repo: Repo, name: str | None) -> Repo:
        if name is not None and name != repo.name:
            raise ConflictError(
                f"this repository is already registered as {repo.name!r}",
                hint=f"dursor repo remove {repo.name}",
            )
        return repo

    def _clone(self, url: str, name: str | None, listener: Listener) -> Repo:
        from dursor.services.events import Notice
        from dursor.vcs import urls
        from dursor.vcs.remote import clone

        if (known := self._find_by_url(url)) is not None:
            return self._return_known(known, name)
        access = self.open_access()
        url = access.canonicalize(url, listener)
        if (known := self._find_by_url(url)) is not None:
            return self._return_known(known, name)
        wanted = self._choose_name(name or urls.derive_name(url), exact=name is not None)
        listener(Notice(f"cloning {urls.strip_credentials(url)}"))
        into = self.workspaces / wanted
        repository = access.run_git(
            url, lambda address, key: clone.clone(address, into, key), listener
        )
        with repository:
            repo = self._build_repo(repository, wanted, urls.strip_credentials(url))
            head = _find_head(repository)
            return self.open_store().add_repo(replace(repo, latest_commit=head))

    def _find_by_url(self, url: str) -> Repo | None:
        return next((repo for repo in self._known if _is_same_url(url, repo.repo_url)), None)

    def branches(self, selector: str) -> Sequence[Branch]:
        """List the branches of a registered repository; a clone is refreshed first."""
        repo = self.find(selector)
        with self.open(repo) as repository:
            if repo.workspace_path is not None:
                self.refresh(repo, repository)
            return repository.list_branches()

    def refresh(self, repo: Repo, repository: Repository) -> None:
        """Fetch new commits into a clone."""
        from dursor.services.events import ignore_event
        from dursor.vcs.remote import clone

        def fetch(url: str, secret: Secret | None) -> None:
            clone.refresh(repository, None if secret is None else url, secret)

        self.open_access().run_git(repo.repo_url or "", fetch, ignore_event)
        head = _find_head(repository)
        if head is not None and head != repo.latest_commit:
            self.open_store().update_repo(repo.id, latest_commit=head)

    def resolve(self, repo: Repo, repository: Repository, ref: str) -> str:
        """Return the id of the commit REF; a clone fetches missing tags and commits."""
        from dursor.services.events import ignore_event
        from dursor.vcs.remote import clone

        try:
            return repository.resolve(ref)
        except UsageError:
            if repo.workspace_path is None or not self.open_access().run_git(
                repo.repo_url or "",
                lambda url, key: clone.fetch_ref(
                    repository, ref, None if key is None else url, key
                ),
                ignore_event,
            ):
                raise
            return repository.resolve(ref)

    def remove(self, selector: str) -> Repo:
        """Unregister a repository; a clone is deleted, the user's folder never."""
        from dursor.vcs.remote import clone

        repo = self.find(selector)
        self.open_store().remove_repo(repo.id)
        if repo.workspace_path is not None:
            clone.remove(Path(repo.workspace_path), self.workspaces)
        clone.remove(self.build_mirror_path(repo), self.mirrors)
        return repo


def require_working_tree(repo: Repo, *, hint: str) -> None:
    """Raise UsageError with HINT if REPO is a clone by dursor."""
    if repo.workspace_path is not None:
        raise UsageError(f"{repo.name!r} is a clone without a working tree", hint=hint)


def _find_head(repository: Repository) -> str | None:
    return next((b.commit for b in repository.list_branches() if b.default), None)


def _is_same_url(selector: str, url: str | None) -> bool:
    """Check whether SELECTOR is URL, or the OWNER/NAME at its end."""
    if url is None:
        return False
    plain = url.removesuffix("/").removesuffix(".git")
    wanted = selector.removesuffix("/").removesuffix(".git")
    return plain == wanted or (
        wanted.count("/") == 1 and plain.endswith(("/" + wanted, ":" + wanted))
    )
