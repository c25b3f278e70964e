"""The composition root: creates each part when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dursor.config import Settings
    from dursor.keys.resolve import Keys
    from dursor.providers.client import ModelClient
    from dursor.services.configuration import Configuration
    from dursor.services.doctor import Doctor
    from dursor.services.github.access import GitHubAccess
    from dursor.services.github.login import GitHubLogin
    from dursor.services.github.secrets import GitHubSecrets
    from dursor.services.models import Models
    from dursor.services.patches import Patches
    from dursor.services.pulls.service import PullRequests
    from dursor.services.repos import Repos
    from dursor.services.results import LiveHead
    from dursor.services.rounds.plan import Planner
    from dursor.services.rounds.service import RoundService
    from dursor.services.runs import Runs
    from dursor.services.tasks import Tasks
    from dursor.store.lease import Lease
    from dursor.store.read import Reader
    from dursor.store.write import Store


class App:
    """The parts of one process, created from its environment and current folder."""

    def __init__(
        self,
        env: Mapping[str, str],
        cwd: Path,
        *,
        ask_passphrase: Callable[[str], str] | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self.env = dict(env)
        self.cwd = cwd
        self._ask_passphrase = ask_passphrase
        self._handed_keys = keys or {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for name in ("reader", "_store"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @cached_property
    def settings(self) -> Settings:
        from dursor.config import Settings

        return Settings(self.env)

    @cached_property
    def reader(self) -> Reader:
        from dursor.store.read import Reader

        return Reader(self.settings.database, _upgrade)

    @cached_property
    def _store(self) -> Store:
        from dursor.store.write import Store

        return Store(self.settings.database)

    def open_store(self) -> Store:
        """Return the store; it is opened, created and migrated when first used."""
        return self._store

    def reap(self) -> None:
        """Mark the runs whose process is gone as interrupted; one query when there are none."""
        from dursor.store.lease import find_dead

        if leases := find_dead(self.leases, self.reader.active_leases()):
            self.open_store().reap(leases)

    def recover(self) -> Iterator[str]:
        """Undo applies whose process was killed; yields a line for each."""
        try:
            is_needed = any(self.settings.journals.glob("*.json"))
        except OSError:
            return  # a command that needs the data folder reports it
        if is_needed:
            from dursor.vcs.apply.recovery import recover

            yield from recover(self.settings.journals)

    @property
    def leases(self) -> Path:
        """The folder of the locks that processes hold for their runs."""
        return self.settings.data_dir / "leases"

    def acquire_lease(self) -> Lease:
        """Acquire a lease for one round, which shows others that its owner is alive."""
        from dursor.store.lease import Lease

        return Lease.acquire(self.leases)

    @cached_property
    def keys(self) -> Keys:
        from dursor.keys.resolve import Keys

        return Keys(self.env, self.settings, self.reader, self._ask_passphrase, self._handed_keys)

    def clean(self, text: str) -> str:
        """Return TEXT without the keys of the environment and other secrets."""
        from dursor.secrets.redact import Redactor

        return Redactor(self.keys.list_environment_keys()).clean(text)

    @cached_property
    def models(self) -> Models:
        from dursor.services.models import Models

        return Models(
            self.reader, self.settings, self.keys, self.env, self.open_store, self.make_client
        )

    def make_client(self) -> ModelClient:
        """Create the client for model calls; a process needs one."""
        from dursor.providers.client import ModelClient

        return ModelClient()

    @cached_property
    def repos(self) -> Repos:
        from dursor.services.repos import Repos

        return Repos(
            self.reader,
            self.open_store,
            self.cwd,
            self.settings.workspaces_dir,
            self.settings.data_dir / "publish",
            lambda: self.access,
        )

    @cached_property
    def access(self) -> GitHubAccess:
        from dursor.services.github.access import GitHubAccess

        return GitHubAccess(self.env, self.reader, self._github_secrets)

    @cached_property
    def _github_secrets(self) -> GitHubSecrets:
        from dursor.keys.resolve import Keys
        from dursor.services.github.secrets import GitHubSecrets

        quiet = Keys(self.env, self.settings, self.reader)
        return GitHubSecrets(self.keys, quiet, self.open_store)

    @cached_property
    def github(self) -> GitHubLogin:
        from dursor.services.github.login import GitHubLogin

        return GitHubLogin(self.access, self.open_store)

    @cached_property
    def pulls(self) -> PullRequests:
        from dursor.services.pulls.service import PullRequests

        return PullRequests(self.reader, self.open_store, self.repos, self.access, self.clean)

    @cached_property
    def tasks(self) -> Tasks:
        from dursor.services.tasks import Tasks

        return Tasks(self.reader, self.open_store, self.repos, self.clean)

    @cached_property
    def runs(self) -> Runs:
        from dursor.services.runs import Runs

        return Runs(self.reader, self.open_store, self.repos, self.reap, self.settings.journals)

    @cached_property
    def planner(self) -> Planner:
        from dursor.services.rounds.base import BaseResolver
        from dursor.services.rounds.plan import Planner

        def find_live_head(*args: Any) -> LiveHead:
            return self.pulls.find_live_head(*args)  # loaded when needed

        bases = BaseResolver(self.repos, self.reader, find_live_head)
        return Planner(self.settings, self.models, bases, self.cwd)

    @cached_property
    def rounds(self) -> RoundService:
        from dursor.services.rounds.executor import RoundExecutor
        from dursor.services.rounds.service import RoundService

        return RoundService(
            self.planner,
            self.reader,
            self.runs,
            self.open_store,
            self.acquire_lease,
            self.make_client,
            RoundExecutor,
            self._spawn,
        )

    @cached_property
    def patches(self) -> Patches:
        from dursor.services.patches import Patches

        return Patches(self.settings, self.repos)

    @cached_property
    def configuration(self) -> Configuration:
        from dursor.services.configuration import Configuration

        return Configuration(self.settings, self.models.find_profile)

    @cached_property
    def doctor(self) -> Doctor:
        from dursor.services.doctor import Doctor

        return Doctor(self.settings, self.reader, self.models, self.repos)

    def _spawn(self, spec: dict[str, Any], lease: Lease) -> None:
        from dursor.services.rounds.detach import spawn

        spawn(spec, lease, self.env, self.cwd)


def _upgrade(path: Path) -> None:
    """Migrate a database of an older dursor."""
    from dursor.store.write import Store

    Store(path).close()
