"""Looks at everything a round needs and says what is missing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import DursorError
from dursor.services.results import DoctorCheck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dursor.config import Settings
    from dursor.services.models import Models
    from dursor.services.repos import Repos
    from dursor.store.read import Reader

OLDEST_GIT = (2, 31)


@dataclass(frozen=True)
class Doctor:
    """Examines this machine; calls no model."""

    settings: Settings
    reader: Reader
    models: Models
    repos: Repos

    def examine(self) -> list[DoctorCheck]:
        """Every finding, good or bad."""
        return list(self._findings())

    def _findings(self) -> Iterator[DoctorCheck]:
        yield DoctorCheck("python", ok=True, detail=platform.python_version())
        yield from self._tried("git", self._git)
        yield from self._tried("config", self._config)
        yield from self._tried("store", self._store)
        yield from self._tried("key store", self.models.describe_key_store)
        yield from self._tried("keys", self._keys)
        yield from self._tried("network", self._network)
        yield from self._tried("repository", self._repository)

    def _tried(self, name: str, look: Callable[[], str]) -> Iterator[DoctorCheck]:
        try:
            yield DoctorCheck(name, ok=True, detail=look())
        except DursorError as error:
            yield DoctorCheck(name, ok=False, detail=error.message, hint=error.hint)

    def _git(self) -> str:
        from dursor.vcs.command import GitCommand

        version = GitCommand().run("version").out.decode().split()[2]
        if tuple(map(int, version.split(".")[:2])) < OLDEST_GIT:
            raise DursorError(f"git {version} is too old", hint="install git 2.31 or newer")
        return version

    def _config(self) -> str:
        self.settings.find_all()
        file = self.settings.config_file
        return str(file) if file.exists() else f"{file} (not there: defaults)"

    def _store(self) -> str:
        self.reader.runs(limit=1)
        file = self.settings.database
        there = next(one for one in (file, *file.parents) if one.exists())
        if not os.access(there, os.W_OK):
            raise DursorError(f"{there} cannot be written", hint=f"ls -ld {there}")
        return str(file)

    def _keys(self) -> str:
        if ready := self.models.list_ready():
            return f"ready: {', '.join(ready)}"
        raise DursorError(
            "no model has a key", hint="export OPENAI_API_KEY=..., or dursor models set-key gpt"
        )

    def _network(self) -> str:
        from urllib.request import getproxies

        told = [f"{name} is set" for name in self.models.list_url_variables()]
        told += [f"{scheme} through a proxy" for scheme in getproxies() if scheme != "no"]
        return ", ".join(told) or "the vendors' own addresses, without a proxy"

    def _repository(self) -> str:
        here = self.repos.here()
        if here is None:
            return "not inside a registered one (the first round registers it)"
        return f"{here.name} at {here.path}"
