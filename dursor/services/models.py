"""Verbs over model profiles and their keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import ModelProfile, ProviderName, Secret, new_id, now
from dursor.errors import ConflictError, NotFoundError, UsageError
from dursor.keys.resolve import Keys, profile_key, provider_key
from dursor.providers import catalogue

if TYPE_CHECKING:
    from dursor.config import Settings
    from dursor.providers.base import Caller, Endpoint
    from dursor.services.request import ModelCount, NewModel
    from dursor.services.results import Model, ModelCheck
    from dursor.store.read import Reader
    from dursor.store.write import Store

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
AskKey = Callable[[], Secret | None]


@dataclass(frozen=True)
class Models:
    """Built-in profiles and the user's own."""

    reader: Reader
    settings: Settings
    keys: Keys
    env: Mapping[str, str]
    open_store: Callable[[], Store]
    new_caller: Callable[[], Caller]

    def profiles(self) -> Sequence[ModelProfile]:
        """Every profile: built-in ones first, then the user's by name."""
        return [*catalogue.BUILT_IN, *self.reader.models()]

    def names(self) -> Sequence[str]:
        """Every profile's name."""
        return [profile.name for profile in self.profiles()]

    def profile(self, name: str) -> ModelProfile:
        """The profile called NAME."""
        for profile in self.profiles():
            if profile.name == name:
                return profile
        close = difflib.get_close_matches(name.casefold(), self.names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else "dursor models list"
        raise NotFoundError(f"no model called {name!r}", hint=hint)

    def list(self, limit: int) -> Sequence[Model]:
        """Every profile and where its key is found."""
        return [self._with_key(profile) for profile in self.profiles()[:limit]]

    def find(self, name: str) -> Model:
        """One profile and where its key is found."""
        return self._with_key(self.profile(name))

    def _with_key(self, profile: ModelProfile) -> Model:
        from dursor.services.results import Model

        return Model(profile, self.keys.source(profile))

    def ready(self) -> Sequence[str]:
        """Names of the profiles whose keys are there."""
        return [one.name for one in self.profiles() if self.keys.source(one) is not None]

    def chosen(self, asked: Sequence[ModelCount]) -> Sequence[tuple[ModelProfile, int]]:
        """The profiles of a round and their samples; the config's when none are named."""
        counts = [(one.name, one.samples) for one in asked] or self._configured()
        if counts:
            return [(self.profile(name), samples) for name, samples in counts]
        ready = self.ready()
        if ready:
            said = f"no model chosen; ready: {', '.join(ready)}"
            raise UsageError(said, hint=f"add {' '.join(f'-m {name}' for name in ready)}")
        raise UsageError(
            "no model chosen, and no model has a key",
            hint="export OPENAI_API_KEY=..., then add -m gpt (dursor models list shows all)",
        )

    def _configured(self) -> Sequence[tuple[str, int]]:
        counts: dict[str, int] = {}
        for word in self.settings.get("models"):
            name, _, samples = word.partition(":")
            counts[name] = counts.get(name, 0) + int(samples or 1)
        return list(counts.items())

    def endpoint(self, profile: ModelProfile, max_output_tokens: int) -> Endpoint:
        """How PROFILE is reached, key included; AuthError when there is none."""
        from dursor.providers.base import Endpoint

        if profile.base_url is None:
            self._check_address(profile.provider)
        wanted = profile.options.get("max_output_tokens") or max_output_tokens
        known = catalogue.limits(profile.provider, profile.model_name)
        return Endpoint(
            profile.provider,
            profile.model_name,
            self.keys.read(profile),
            base_url=catalogue.base_url(profile, self.env),
            api=catalogue.api(profile),
            effort=profile.options.get("effort"),
            max_output_tokens=min(wanted, max_output_tokens, known.max_output),
            options=profile.options,
            name=profile.name,
            own_server=profile.base_url is not None,
        )

    def addresses(self) -> Sequence[str]:
        """Names of the variables that set a vendor's address; UsageError for one that is none."""
        return [
            catalogue.BASE_URL_VARIABLES[one] for one in ProviderName if self._check_address(one)
        ]

    def _check_address(self, provider: ProviderName) -> bool:
        """Whether the environment sets the address of PROVIDER; UsageError when it is none."""
        variable = catalogue.BASE_URL_VARIABLES[provider]
        if url := self.env.get(variable, "").strip():
            _check_url(url, f"{variable}: ", f"unset {variable}")
        return bool(url)

    def add(self, new: NewModel, ask_key: AskKey) -> Model:
        """Add a profile; its key, when one is given, goes into the key store."""
        self._check_new(new)
        options = {
            name: value
            for name, value in (
                ("api", new.api),
                ("effort", new.effort),
                ("max_output_tokens", new.max_output_tokens),
            )
            if value is not None
        }
        profile = ModelProfile(
            id=new_id(),
            name=new.name,
            provider=new.provider,
            model_name=new.model_name,
            display_name=new.display_name or new.model_name,
            base_url=new.base_url,
            options=options,
            created_at=now(),
        )
        key = ask_key()
        store = self.open_store()  # first: a key that no row names would never be found again
        if key is not None:
            source = self.keys.store(profile_key(profile.name), key)
            profile = replace(profile, key_source=source)
        store.add_model(profile)
        return self._with_key(profile)

    def _check_new(self, new: NewModel) -> None:
        if not NAME.fullmatch(new.name):
            raise UsageError(
                f"{new.name!r} cannot be a model's name",
                hint="use small letters, digits, '.', '_' and '-', a letter or digit first",
            )
        _check_vendors_name(new.model_name)
        if new.name in self.names():
            raise ConflictError(
                f"a model called {new.name!r} is there already",
                hint=f"dursor models remove {new.name}, or choose another name",
            )
        if new.api is not None and new.provider is not ProviderName.OPENAI:
            raise UsageError("--api is for openai alone", hint="leave --api away")
        if new.base_url is not None:
            _check_url(new.base_url, "", "--base-url https://HOST/v1")

    def set_key(self, name_or_provider: str, ask_key: AskKey) -> Model:
        """Store a key for one profile, or for every profile of a provider."""
        if name_or_provider in set(ProviderName):
            provider = ProviderName(name_or_provider)
            self._store_key(provider_key(provider), ask_key)
            shown = next(one for one in catalogue.BUILT_IN if one.provider is provider)
            return self.find(shown.name)
        profile = self.profile(name_or_provider)
        self._store_key(profile_key(profile.name), ask_key)
        return self.find(profile.name)

    def _store_key(self, name: str, ask_key: AskKey) -> None:
        key = ask_key()
        if key is None:
            raise UsageError("no key was given", hint="dursor models set-key NAME --stdin")
        store = self.open_store()  # first: a key that no row names would never be found again
        store.set_key_source(name, self.keys.store(name, key))

    def remove(self, name: str) -> Model:
        """Forget a profile and its stored key; of a built-in one, the key alone."""
        former = self.find(name)
        profile, key_name = former.profile, profile_key(name)
        source = self.keys.stored(key_name)
        if profile.built_in and source is None:
            raise ConflictError(
                f"{name!r} is built in and has no stored key of its own",
                hint="dursor models list",
            )
        if source is not None:
            self.keys.delete(key_name, source)
        if profile.built_in:
            self.open_store().set_key_source(key_name, None)
        else:
            self.open_store().remove_model(name)
        return former

    def check(self, names: Sequence[str]) -> Sequence[ModelCheck]:
        """Prove key and model of each with the cheapest call, all at once."""
        from dursor.services.checking import check_models

        chosen = [self.profile(name) for name in names or self.ready()]
        if not chosen:
            raise UsageError(
                "no model has a key", hint="export OPENAI_API_KEY=..., or dursor models set-key gpt"
            )
        return check_models(
            chosen, self.endpoint, self.new_caller(), self.settings.get("connect_timeout")
        )

    def key_store_state(self) -> str:
        """Which key store is in use, in a few words; DursorError when none can be."""
        return self.keys.state()


def _check_vendors_name(name: str) -> None:
    if not name.strip():
        raise UsageError("the vendor's name of the model is empty", hint="--model gpt-5.2")
    if not name.isprintable() or " " in name:
        raise UsageError(
            f"{name!r} cannot be a vendor's name of a model: it holds blanks or control characters",
            hint="--model gpt-5.2",
        )


def _check_url(url: str, where: str, hint: str) -> None:
    from urllib.parse import urlsplit

    if "@" in url.partition("://")[2].partition("/")[0]:  # first: no other error may quote it
        raise UsageError(
            f"{where}a base URL must not carry a user name or password",
            hint="give the key with --key-stdin or dursor models set-key",
        )
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that hold no address
        is_url = False
    if not is_url or not url.isprintable():
        raise UsageError(f"{where}{url!r} is not an http(s) URL", hint=hint)
