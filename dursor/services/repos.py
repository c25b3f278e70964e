"""Verbs over repositories: the user's folders, and our clones of URLs."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.domain import Repo, new_id, now
from dursor.errors import AuthError, ConflictError, NotFoundError, UsageError
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
    mirrors: Path  # where the private repositories for pull requests are
    open_access: Callable[[], GitHubAccess]

    def list(self, limit: int) -> Sequence[Repo]:
        """Registered repositories, newest first."""
        return self.reader.repos(limit=limit)

    def find(self, selector: str) -> Repo:
        """The registered repository that SELECTOR (name, id, path or OWNER/NAME) names."""
        if not selector:
            raise UsageError("the repository's name is empty", hint="dursor repo list")
        for repo in self._known:
            if selector in {repo.name, repo.id} or _same_url(selector, repo.repo_url):
                return repo
        path = str((self.cwd / selector).resolve())
        for repo in self._known:
            if path == repo.path:
                return repo
        if _is_id(selector):
            return self.reader.repo(selector)
        raise self._unknown(selector)

    @cached_property
    def _known(self) -> Sequence[Repo]:
        return self.reader.repos(limit=-1)

    def _unknown(self, selector: str) -> NotFoundError:
        close = difflib.get_close_matches(selector, [repo.name for repo in self._known], 1)
        hint = f"did you mean {close[0]!r}?" if close else "dursor repo list"
        return NotFoundError(f"no repository called {selector!r}", hint=hint)

    def here(self) -> Repo | None:
        """The registered repository around the current folder."""
        top = find_top(self.cwd)
        return None if top is None else self._at(str(top))

    def _at(self, path: str) -> Repo | None:
        return self.reader.repo_at(path)

    def locate(self, selector: str | None) -> tuple[Repo, bool, Repository]:
        """The repository a round is about, whether it is still unregistered, and it opened."""
        if selector is None:
            return self._around(self.cwd)
        try:
            repo = self.find(selector)
        except NotFoundError as error:
            folder = self.cwd / selector
            if not folder.is_dir():
                raise UsageError(
                    f"no repository and no folder called {selector!r}", hint=error.hint
                ) from None
            return self._around(folder)
        return repo, False, self.open(repo)

    def open(self, repo: Repo) -> Repository:
        """REPO opened for reading."""
        from dursor.vcs.repository import Repository

        if not Path(repo.path).is_dir():
            raise ConflictError(
                f"the folder of {repo.name!r} is gone: {repo.path}",
                hint=f"dursor repo remove {repo.name}",
            )
        return self._lending(repo, Repository.open(Path(repo.path)))

    def _lending(self, repo: Repo, repository: Repository) -> Repository:
        """REPOSITORY with what was fetched of pull requests: rounds may have started from there."""
        fetched = self.mirror(repo) / "objects"
        if fetched.is_dir():
            repository.add_alternate(fetched)
        return repository

    def mirror(self, repo: Repo) -> Path:
        """Where the private repository for REPO's pull requests is, or will be."""
        return self.mirrors / f"{repo.id}.git"

    def _around(self, folder: Path) -> tuple[Repo, bool, Repository]:
        from dursor.vcs.repository import Repository

        repository = Repository.open(folder)
        path = str(repository.top)
        if (known := self._at(path)) is not None:
            return known, False, self._lending(known, repository)
        return self._new(repository, None), True, repository

    def _new(self, repository: Repository, name: str | None, url: str | None = None) -> Repo:
        path = str(repository.top)
        return Repo(
            id=new_id(),
            name=self._free_name(name or repository.top.name or "repo", exact=name is not None),
            repo_url=url or repository.read_origin_url(),
            path=path,
            default_branch=repository.find_default_branch(),
            latest_commit=None,
            workspace_path=path if url else None,
            created_at=now(),
        )

    def _free_name(self, wanted: str, *, exact: bool) -> str:
        taken = {repo.name for repo in self._known}
        if wanted not in taken:
            return wanted
        if exact:
            raise ConflictError(
                f"a repository called {wanted!r} is registered already",
                hint="choose another --name, or dursor repo list",
            )
        number = 2
        while f"{wanted}-{number}" in taken:
            number += 1
        return f"{wanted}-{number}"

    def add(self, source: str, name: str | None, listener: Listener) -> Repo:
        """Register the folder SOURCE, or clone the URL SOURCE and register that."""
        folder = self.cwd / source
        if folder.is_dir():
            repo, is_new, repository = self._around(folder)
            repository.close()
            if not is_new:
                return self._already(repo, name)
            return self.open_store().add_repo(self._named(repo, name))
        url = self._url_of(source)
        try:
            return self._clone(url, name, listener)
        except (AuthError, NotFoundError) as error:
            if url == source:
                raise
            said = f"there is no folder called {source!r}, and {error.message}"
            raise type(error)(said, hint=error.hint) from error

    def _url_of(self, source: str) -> str:
        """The URL that SOURCE is, or that OWNER/NAME has on GitHub."""
        from dursor.github.repo_names import parse_remote_url

        if "://" in source:
            return source
        host = self.open_access().host
        if OWNER_NAME.fullmatch(source):
            return f"{host.web_url}/{source}"
        if source.startswith(f"{host.name}/"):  # as browsers show it
            return host.web_url + source.removeprefix(host.name)
        if ON_A_HOST.fullmatch(source):
            return f"https://{source}"
        if parse_remote_url(source) is not None:
            return source
        raise UsageError(
            f"no folder called {source!r}, and neither a URL nor OWNER/NAME",
            hint="dursor repo add PATH, or dursor repo add OWNER/NAME",
        )

    def _named(self, repo: Repo, name: str | None) -> Repo:
        from dataclasses import replace

        return repo if name is None else replace(repo, name=self._free_name(name, exact=True))

    def _already(self, repo: Repo, name: str | None) -> Repo:
        if name is not None and name != repo.name:
            raise ConflictError(
                f"this repository is registered already, as {repo.name!r}",
                hint=f"dursor repo remove {repo.name}",
            )
        return repo

    def _clone(self, url: str, name: str | None, listener: Listener) -> Repo:
        from dataclasses import replace

        from dursor.services.events import Notice
        from dursor.vcs import urls
        from dursor.vcs.remote import clone as clones

        if (known := self._with_url(url)) is not None:
            return self._already(known, name)
        access = self.open_access()
        url = access.canonicalize(url, listener)
        if (known := self._with_url(url)) is not None:
            return self._already(known, name)
        wanted = self._free_name(name or urls.derive_name(url), exact=name is not None)
        listener(Notice(f"cloning {urls.strip_credentials(url)}"))
        into = self.workspaces / wanted
        repository = access.run_git(url, lambda at, key: clones.clone(at, into, key), listener)
        try:
            repo = self._new(repository, wanted, urls.strip_credentials(url))
            head = next((one.commit for one in repository.list_branches() if one.default), None)
            return self.open_store().add_repo(replace(repo, latest_commit=head))
        finally:
            repository.close()

    def _with_url(self, url: str) -> Repo | None:
        return next((repo for repo in self._known if _same_url(url, repo.repo_url)), None)

    def branches(self, selector: str) -> Sequence[Branch]:
        """The branches of a registered repository; a clone's are fetched first."""
        repo = self.find(selector)
        repository = self.open(repo)
        try:
            if repo.workspace_path is not None:
                self.refresh(repo, repository)
            return repository.list_branches()
        finally:
            repository.close()

    def refresh(self, repo: Repo, repository: Repository) -> None:
        """Fetch what is new into our clone."""
        from dursor.services.events import ignore_event
        from dursor.vcs.remote import clone as clones

        def fetch(url: str, secret: Secret | None) -> None:
            clones.refresh(repository, None if secret is None else url, secret)

        self.open_access().run_git(repo.repo_url or "", fetch, ignore_event)
        head = next((one.commit for one in repository.list_branches() if one.default), None)
        if head is not None and head != repo.latest_commit:
            self.open_store().update_repo(repo.id, latest_commit=head)

    def resolve(self, repo: Repo, repository: Repository, ref: str) -> str:
        """The id of the commit that REF names; what our clone lacks of old tags is fetched."""
        from dursor.services.events import ignore_event
        from dursor.vcs.remote import clone as clones

        try:
            return repository.resolve(ref)
        except UsageError:
            if repo.workspace_path is None or not self.open_access().run_git(
                repo.repo_url or "",
                lambda url, key: clones.seek(repository, ref, None if key is None else url, key),
                ignore_event,
            ):
                raise
            return repository.resolve(ref)

    def remove(self, selector: str) -> Repo:
        """Forget a repository; our own clone is deleted, the user's folder never."""
        from dursor.vcs.remote import clone as clones

        repo = self.find(selector)
        self.open_store().remove_repo(repo.id)
        if repo.workspace_path is not None:
            clones.remove(Path(repo.workspace_path), self.workspaces)
        clones.remove(self.mirror(repo), self.mirrors)
        return repo


def _is_id(text: str) -> bool:
    return len(text) >= 4 and all(char in "0123456789abcdef" for char in text)


def _same_url(selector: str, url: str | None) -> bool:
    """Whether SELECTOR is URL, or the OWNER/NAME at its end."""
    if url is None:
        return False
    plain = url.removesuffix("/").removesuffix(".git")
    wanted = selector.removesuffix("/").removesuffix(".git")
    return plain == wanted or (
        wanted.count("/") == 1 and plain.endswith(("/" + wanted, ":" + wanted))
    )
