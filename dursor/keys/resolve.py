"""Find the key of a model: the profile's, the environment's or the provider's."""

from __future__ import annotations

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from dursor.domain import KeySource, Secret
from dursor.errors import AuthError
from dursor.keys import file, system
from dursor.keys.ring import KeyRings
from dursor.providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dursor.config import Settings
    from dursor.domain import ModelProfile

FILE_NAME = "keys.json"

_PLACES = {KeySource.KEYRING: "the OS keyring", KeySource.FILE: "the encrypted key file"}


def get_profile_key(name: str) -> str:
    """Return the name under which the key of profile NAME is stored."""
    return f"model:{name}"


def get_provider_key(provider: str) -> str:
    """Return the name under which the key of PROVIDER is stored."""
    return f"provider:{provider}"


class KeySources(Protocol):
    """Remembers where keys are stored; the store's reader implements it."""

    def key_sources(self) -> Mapping[str, KeySource]:
        """Return the place of each stored key by its name ("model:gpt", "provider:openai")."""
        ...


class Keys:
    """Finds, stores and deletes keys.

    HANDED are keys by profile id that the parent process has read. ASK is called with a prompt
    when a passphrase is needed (None: nobody can be asked).
    """

    def __init__(
        self,
        env: Mapping[str, str],
        settings: Settings,
        sources: KeySources,
        ask: Callable[[str], str] | None = None,
        handed: Mapping[str, str] | None = None,
    ) -> None:
        self._env = env
        self._settings = settings
        self._sources = sources
        self._ask = ask
        self._handed = handed or {}

    # keys of models

    def find_source(self, profile: ModelProfile) -> KeySource | None:
        """Return the place of the model's key without reading it; None if it has no key."""
        located = self._locate(profile)
        return located and located[0]

    def read(self, profile: ModelProfile) -> Secret:
        """Return the model's key; AuthError if there is none or it cannot be read."""
        if profile.id in self._handed:
            return Secret(self._handed[profile.id])
        located = self._locate(profile)
        if located is None:
            raise _explain_missing(profile)
        source, name = located
        if source is KeySource.ENV:
            return Secret(_check_key(self._env[name].strip(), name))
        secret = self._rings.get_ring(source).get(name)
        if secret is None:
            target = name.partition(":")[2]
            raise AuthError(
                f"the key stored for {target!r} is no longer in {_PLACES[source]}",
                hint=f"dursor models set-key {target}",
            )
        return Secret(_check_key(secret.reveal(), f"the key stored as {name!r}"))

    def _locate(self, profile: ModelProfile) -> tuple[KeySource, str] | None:
        """Return the place and the name of the model's key.

        The profile's own stored key comes first, then the environment, then the provider's stored
        key. A key store is not even imported unless it has the key.
        """
        name = get_profile_key(profile.name)
        if source := profile.key_source or self.find_stored(name):
            return source, name
        for variable in VENDORS[profile.provider].key_variables:
            if self._env.get(variable, "").strip():
                return KeySource.ENV, variable
        name = get_provider_key(profile.provider)
        source = self.find_stored(name)
        return None if source is None else (source, name)

    def list_environment_keys(self) -> list[Secret]:
        """List the keys in the environment, which must not appear in any output."""
        names = (name for vendor in VENDORS.values() for name in vendor.key_variables)
        return [Secret(self._env[name]) for name in names if self._env.get(name)]

    # stored keys by name

    def find_stored(self, name: str) -> KeySource | None:
        """Return the place of the stored key NAME according to the store."""
        return self._sources.key_sources().get(name)

    def get(self, name: str) -> Secret | None:
        """Read the stored key NAME; None if the store has no such key."""
        source = self.find_stored(name)
        return None if source is None else self._rings.get_ring(source).get(name)

    def store(self, name: str, secret: Secret) -> KeySource:
        """Store a key and return its place, which the caller records in the store."""
        ring, problem = self._rings.choose()
        if problem is not None and not self._file.has_passphrase:
            raise _explain_no_store(problem)
        ring.set(name, secret)
        former = self.find_stored(name)
        if former not in {None, ring.source}:
            with contextlib.suppress(AuthError):  # a copy in a locked place does no harm
                self.delete(name, former or ring.source)
        return ring.source

    def delete(self, name: str, source: KeySource) -> bool:
        """Delete a stored key; False if it did not exist."""
        return self._rings.get_ring(source).delete(name)

    def describe_store(self) -> str:
        """Return the place of new keys; AuthError if they cannot be stored."""
        ring, problem = self._rings.choose()
        if ring.source is KeySource.KEYRING:
            if (problem := self._rings.system.find_problem()) is not None:
                raise AuthError(problem, hint=system.HINT)
            return _PLACES[KeySource.KEYRING]
        if not self._file.has_passphrase:
            raise _explain_no_store(problem or "DURSOR_KEY_STORE is file")
        return f"{_PLACES[KeySource.FILE]} {self._file.path}" + (f" ({problem})" if problem else "")

    @cached_property
    def _file(self) -> file.EncryptedFile:
        return file.EncryptedFile(self._settings.data_dir / FILE_NAME, self._env, self._ask)

    @cached_property
    def _rings(self) -> KeyRings:
        return KeyRings(self._settings.get("key_store"), system.SystemKeyring(), self._file)


def _check_key(key: str, origin: str) -> str:
    """Return KEY; AuthError if it is not valid in a request header."""
    if key.isascii() and key.isprintable() and " " not in key:
        return key
    raise AuthError(
        f"{origin} contains a space, a line break or a non-ASCII character",
        hint="copy the key again",
    )


def _explain_missing(profile: ModelProfile) -> AuthError:
    variables = VENDORS[profile.provider].key_variables
    return AuthError(
        f"no key for model {profile.name!r}: {' or '.join(variables)} is not set",
        hint=f"export {variables[0]}=..., or dursor models set-key {profile.provider}",
    )


def _explain_no_store(reason: str) -> AuthError:
    return AuthError(
        f"{reason}, and there is no passphrase for the encrypted key file", hint=file.HINT
    )
