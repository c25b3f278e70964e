"""Checks everything that a round needs on this machine; calls no model."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.errors import AuthError, DursorError
from dursor.services.results import DoctorCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from dursor.config import Settings
    from dursor.services.models import Models
    from dursor.services.repos import Repos
    from dursor.store.read import Reader

MIN_GIT = (2, 31)


@dataclass(frozen=True)
class Doctor:
    """Checks this machine."""

    settings: Settings
    reader: Reader
    models: Models
    repos: Repos

    def check(self) -> list[DoctorCheck]:
        checks: dict[str, Callable[[], str | list[DoctorCheck]]] = {
            "python": platform.python_version,
            "git": _check_git,
            "config": self._check_config,
            "store": self._check_store,
            "key store": self._check_key_store,
            "keys": self._check_keys,
            "network": self._describe_network,
            "repository": self._describe_repository,
        }
        return [result for name, check in checks.items() for result in _run(name, check)]

    def _check_config(self) -> str:
        self.settings.find_all()
        file = self.settings.config_file
        return str(file) if file.exists() else f"{file} (does not exist, using defaults)"

    def _check_store(self) -> str:
        self.reader.runs(limit=1)
        file = self.settings.database
        existing = next(path for path in (file, *file.parents) if path.exists())
        if not os.access(existing, os.W_OK):
            raise DursorError(f"{existing} is not writable", hint=f"ls -ld {existing}")
        return str(file)

    def _check_key_store(self) -> str | list[DoctorCheck]:
        try:
            return self.models.keys.describe_store()
        except AuthError as error:  # no error: `_check_keys` reports the stored keys that it locks
            return [DoctorCheck("key store", error.message, error.hint, "warning")]

    def _check_keys(self) -> list[DoctorCheck]:
        """Read every key that a model would use: the store does not know which are lost."""
        ready, broken = [], []
        for name in self.models.list_ready():
            try:
                self.models.keys.read(self.models.find_profile(name))
                ready.append(name)
            except DursorError as error:
                broken.append(DoctorCheck(f"key of {name}", error.message, error.hint, "error"))
        if ready:
            return [DoctorCheck("keys", f"ready: {', '.join(ready)}"), *broken]
        hint = "export OPENAI_API_KEY=..., or dursor models set-key gpt"
        return [DoctorCheck("keys", "no model has a usable key", hint, "error"), *broken]

    def _describe_network(self) -> str:
        from urllib.request import getproxies

        parts = [f"{name} is set" for name in self.models.list_url_variables()]
        parts += [f"{scheme} through a proxy" for scheme in getproxies() if scheme != "no"]
        return ", ".join(parts) or "default addresses, no proxy"

    def _describe_repository(self) -> str:
        here = self.repos.find_current()
        if here is None:
            return "the current folder is not registered (the first round registers it)"
        return f"{here.name} at {here.path}"


def _run(name: str, check: Callable[[], str | list[DoctorCheck]]) -> list[DoctorCheck]:
    try:
        result = check()
    except DursorError as error:
        return [DoctorCheck(name, error.message, error.hint, "error")]
    return [DoctorCheck(name, result)] if isinstance(result, str) else result


def _check_git() -> str:
    from dursor.vcs.command import GitCommand

    version = GitCommand().run("version").out.decode().split()[2]
    if tuple(map(int, version.split(".")[:2])) < MIN_GIT:
        raise DursorError(f"git {version} is too old", hint="install git 2.31 or newer")
    return version
