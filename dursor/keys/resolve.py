"""Which key a model is called with: its profile's own, the environment's, the provider's."""

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


def profile_key(name: str) -> str:
    """Name the stored key of the profile called NAME."""
    return f"model:{name}"


def provider_key(provider: str) -> str:
    """Name the stored key of all models of PROVIDER."""
    return f"provider:{provider}"


class KeySources(Protocol):
    """What remembers where stored keys lie: the store's reader."""

    def key_sources(self) -> Mapping[str, KeySource]:
        """Tell where each stored key lies, by its name ("model:gpt", "provider:openai")."""
        ...


class Keys:
    """Finds, keeps and forgets keys.

    HANDED are keys by profile id that a parent process read already. ASK is called with a
    question when a passphrase is needed (None: there is nobody to ask).
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

    # of models

    def source(self, profile: ModelProfile) -> KeySource | None:
        """Tell where the model's key lies, without reading it; None when there is none."""
        if (own := self._own(profile)) is not None:
            return own
        if _variable(profile.provider, self._env) is not None:
            return KeySource.ENV
        return self.stored(provider_key(profile.provider))

    def read(self, profile: ModelProfile) -> Secret:
        """Give the key to call the model with; AuthError when there is none that can be read."""
        if profile.id in self._handed:
            return Secret(self._handed[profile.id])
        return self.resolve(profile)[0]

    def resolve(self, profile: ModelProfile) -> tuple[Secret, KeySource]:
        """Find the model's key and where it lies.

        The profile's own stored key comes first, then the environment, then the provider's. The
        key stores are not touched, nor even imported, unless a key lies there.
        """
        if (own := self._own(profile)) is not None:
            return self._stored(profile, profile_key(profile.name), own), own
        if (variable := _variable(profile.provider, self._env)) is not None:
            return Secret(_checked(self._env[variable].strip(), variable)), KeySource.ENV
        name = provider_key(profile.provider)
        if (source := self.stored(name)) is not None:
            return self._stored(profile, name, source), source
        raise _missing(profile)

    def list_environment_keys(self) -> list[Secret]:
        """Every key that the environment holds, to be kept out of what is written."""
        names = (name for vendor in VENDORS.values() for name in vendor.key_variables)
        return [Secret(self._env[name]) for name in names if self._env.get(name)]

    def _own(self, profile: ModelProfile) -> KeySource | None:
        return profile.key_source or self.stored(profile_key(profile.name))

    def _stored(self, profile: ModelProfile, name: str, source: KeySource) -> Secret:
        secret = self._rings.ring_at(source).get(name)
        if secret is None:
            target = profile.name if name == profile_key(profile.name) else profile.provider
            raise AuthError(
                f"the key stored for {target!r} is no longer in {_PLACES[source]}",
                hint=f"dursor models set-key {target}",
            )
        return Secret(_checked(secret.reveal(), f"the key stored as {name!r}"))

    # by name

    def stored(self, name: str) -> KeySource | None:
        """Tell where the store remembers the key NAME to lie."""
        return self._sources.key_sources().get(name)

    def get(self, name: str) -> Secret | None:
        """Read the stored secret NAME; None when the store remembers none."""
        source = self.stored(name)
        return None if source is None else self._rings.ring_at(source).get(name)

    def store(self, name: str, secret: Secret) -> KeySource:
        """Keep a secret, and tell where; the caller has the store remember it."""
        ring, trouble = self._rings.choose()
        if trouble is not None and not self._file.has_passphrase:
            raise _nowhere(trouble)
        ring.set(name, secret)
        former = self.stored(name)
        if former not in {None, ring.source}:
            with contextlib.suppress(AuthError):  # a copy in a place that is closed does no harm
                self.delete(name, former or ring.source)
        return ring.source

    def delete(self, name: str, source: KeySource) -> bool:
        """Forget a stored secret; False when it was not there any more."""
        return self._rings.ring_at(source).delete(name)

    def state(self) -> str:
        """Say where new keys go; AuthError when they can go nowhere."""
        ring, trouble = self._rings.choose()
        if ring.source is KeySource.KEYRING:
            if (now_trouble := self._rings.system.find_problem()) is not None:
                raise AuthError(now_trouble, hint=system.HINT)
            return _PLACES[KeySource.KEYRING]
        if not self._file.has_passphrase:
            raise _nowhere(trouble or "DURSOR_KEY_STORE is file")
        return f"{_PLACES[KeySource.FILE]} {self._file.path}" + (f" ({trouble})" if trouble else "")

    @cached_property
    def _file(self) -> file.EncryptedFile:
        return file.EncryptedFile(self._settings.data_dir / FILE_NAME, self._env, self._ask)

    @cached_property
    def _rings(self) -> KeyRings:
        return KeyRings(self._settings.get("key_store"), system.SystemKeyring(), self._file)


def _variable(provider: str, env: Mapping[str, str]) -> str | None:
    return next(
        (name for name in VENDORS[provider].key_variables if env.get(name, "").strip()), None
    )


def _checked(key: str, origin: str) -> str:
    """Give KEY; AuthError when it could not stand in a request header."""
    if key.isascii() and key.isprintable() and " " not in key:
        return key
    raise AuthError(
        f"{origin} holds characters that no key has (a blank, a line break, a letter beyond ASCII)",
        hint="copy the key again",
    )


def _missing(profile: ModelProfile) -> AuthError:
    variables, provider = VENDORS[profile.provider].key_variables, profile.provider
    return AuthError(
        f"no key for model {profile.name!r}: {' or '.join(variables)} is not set",
        hint=f"export {variables[0]}=..., or dursor models set-key {provider}",
    )


def _nowhere(why: str) -> AuthError:
    return AuthError(f"{why}, and there is no passphrase for an encrypted key file", hint=file.HINT)
