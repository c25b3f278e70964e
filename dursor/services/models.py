"""Add, list, check and remove model profiles and their keys."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dursor.domain import ModelProfile, Secret, now
from dursor.errors import ConflictError, DursorError, NotFoundError, UsageError
from dursor.ids import new_id
from dursor.keys.resolve import Keys, get_profile_key, get_provider_key
from dursor.providers.vendors import BUILT_IN, VENDORS

if TYPE_CHECKING:
    from dursor.config import Settings
    from dursor.providers.base import CallLimits, Endpoint
    from dursor.providers.client import ModelClient
    from dursor.providers.vendor import Vendor
    from dursor.services.request import ModelCount, NewModel
    from dursor.services.results import Model, ModelCheck
    from dursor.store.read import Reader
    from dursor.store.write import Store

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
CHECK_TOKENS = 16
CHECK_SECONDS = 30.0  # for each step after connecting, and in total
NO_KEY_HINT = "export OPENAI_API_KEY=..., or dursor models set-key gpt"
AskKey = Callable[[], Secret | None]


@dataclass(frozen=True)
class Models:
    """Built-in profiles and the user's own."""

    reader: Reader
    settings: Settings
    keys: Keys
    env: Mapping[str, str]
    open_store: Callable[[], Store]
    make_client: Callable[[], ModelClient]

    def list_profiles(self) -> Sequence[ModelProfile]:
        """List every profile, built-in ones first, then the user's by name."""
        return [*BUILT_IN, *self.reader.models()]

    def list_names(self) -> Sequence[str]:
        return [profile.name for profile in self.list_profiles()]

    def find_profile(self, name: str) -> ModelProfile:
        for profile in self.list_profiles():
            if profile.name == name:
                return profile
        close = difflib.get_close_matches(name.casefold(), self.list_names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else "dursor models list"
        raise NotFoundError(f"model {name!r} does not exist", hint=hint)

    def list(self, limit: int) -> Sequence[Model]:
        """List profiles with the sources of their keys."""
        return [self._add_key_source(profile) for profile in self.list_profiles()[:limit]]

    def find(self, name: str) -> Model:
        """Return one profile with the source of its key."""
        return self._add_key_source(self.find_profile(name))

    def _add_key_source(self, profile: ModelProfile) -> Model:
        from dursor.services.results import Model

        return Model(profile, self.keys.find_source(profile))

    def list_ready(self) -> Sequence[str]:
        """List the names of the profiles that have a key."""
        profiles = self.list_profiles()
        return [profile.name for profile in profiles if self.keys.find_source(profile) is not None]

    def choose(self, counts: Sequence[ModelCount]) -> Sequence[tuple[ModelProfile, int]]:
        """Return the profiles of a round and their samples, the config's when COUNTS is empty."""
        if chosen := list(counts) or self._list_configured():
            return [(self.find_profile(name), samples) for name, samples in chosen]
        if ready := self.list_ready():
            raise UsageError(
                f"no model chosen; ready: {', '.join(ready)}",
                hint=f"add {' '.join(f'-m {name}' for name in ready)}",
            )
        raise UsageError(
            "no model chosen, and no model has a key",
            hint="export OPENAI_API_KEY=..., then add -m gpt (dursor models list shows all)",
        )

    def _list_configured(self) -> Sequence[tuple[str, int]]:
        counts: dict[str, int] = {}
        for word in self.settings.get("models"):
            name, _, samples = word.partition(":")
            counts[name] = counts.get(name, 0) + int(samples or 1)
        return list(counts.items())

    def build_endpoint(self, profile: ModelProfile, max_output_tokens: int) -> Endpoint:
        """Build the endpoint of PROFILE, key included; AuthError when there is no key."""
        from dursor.providers.base import Endpoint

        vendor = VENDORS[profile.provider]
        if profile.base_url is None:
            self._check_url_variable(vendor)
        limit = profile.options.get("max_output_tokens") or max_output_tokens
        known = vendor.find_limits(profile.model_name).max_output
        return Endpoint(
            profile.provider,
            profile.model_name,
            self.keys.read(profile),
            base_url=vendor.find_base_url(profile, self.env),
            api=vendor.select_api(profile),
            effort=profile.options.get("effort"),
            max_output_tokens=min(limit, max_output_tokens, known),
            options=profile.options,
            name=profile.name,
            own_server=profile.base_url is not None,
        )

    def list_url_variables(self) -> Sequence[str]:
        """List the variables that set a vendor's base URL; UsageError for an invalid URL."""
        vendors = filter(self._check_url_variable, VENDORS.values())
        return [vendor.base_url_variable for vendor in vendors]

    def _check_url_variable(self, vendor: Vendor) -> bool:
        """Return whether the environment sets VENDOR's base URL; UsageError for an invalid URL."""
        variable = vendor.base_url_variable
        if url := self.env.get(variable, "").strip():
            _check_url(url, f"{variable}: ", f"unset {variable}")
        return bool(url)

    def add(self, new: NewModel, ask_key: AskKey) -> Model:
        """Add a profile, and store its key if one is given."""
        self._check_new(new)
        names = ("api", "effort", "max_output_tokens")
        options = {name: value for name in names if (value := getattr(new, name)) is not None}
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
        store = self.open_store()  # first: a key without a row would be lost
        if key is not None:
            source = self.keys.store(get_profile_key(profile.name), key)
            profile = replace(profile, key_source=source)
        store.add_model(profile)
        return self._add_key_source(profile)

    def _check_new(self, new: NewModel) -> None:
        if not NAME.fullmatch(new.name):
            raise UsageError(
                f"{new.name!r} is not a valid model name",
                hint="use lowercase letters, digits, '.', '_' and '-', a letter or digit first",
            )
        if not new.model_name or " " in new.model_name or not new.model_name.isprintable():
            raise UsageError(
                f"{new.model_name!r} is not a valid --model: it is empty or contains spaces or "
                "control characters",
                hint="--model gpt-5.2",
            )
        if new.name in self.list_names():
            raise ConflictError(
                f"model {new.name!r} already exists",
                hint=f"dursor models remove {new.name}, or choose another name",
            )
        if new.api not in {None, *VENDORS[new.provider].adapters}:
            raise UsageError(
                f"--api {new.api} cannot be combined with --provider {new.provider}",
                hint="remove --api",
            )
        if new.base_url is not None:
            _check_url(new.base_url, "", "--base-url https://HOST/v1")

    def set_key(self, name_or_provider: str, ask_key: AskKey) -> Model:
        """Store a key for one profile, or for all profiles of a provider."""
        if vendor := VENDORS.get(name_or_provider):
            self._store_key(get_provider_key(vendor.name), ask_key)
            return self._add_key_source(vendor.built_in[0])
        profile = self.find_profile(name_or_provider)
        self._store_key(get_profile_key(profile.name), ask_key)
        return self.find(profile.name)

    def _store_key(self, name: str, ask_key: AskKey) -> None:
        key = ask_key()
        if key is None:
            raise UsageError("no key given", hint="dursor models set-key NAME --stdin")
        store = self.open_store()  # first: a key without a row would be lost
        store.set_key_source(name, self.keys.store(name, key))

    def remove(self, name: str) -> Model:
        """Remove a profile and its stored key; of a built-in profile, only the key."""
        former = self.find(name)
        profile, key_name = former.profile, get_profile_key(name)
        source = self.keys.find_stored(key_name)
        if profile.built_in and source is None:
            raise ConflictError(
                f"{name!r} is built in and has no stored key", hint="dursor models list"
            )
        if source is not None:
            self.keys.delete(key_name, source)
        if profile.built_in:
            self.open_store().set_key_source(key_name, None)
        else:
            self.open_store().remove_model(name)
        return former

    def check(self, names: Sequence[str]) -> Sequence[ModelCheck]:
        """Check key and model of each profile with the cheapest call, all at once."""
        import asyncio

        from dursor.providers.base import CallLimits

        profiles = [self.find_profile(name) for name in names or self.list_ready()]
        if not profiles:
            raise UsageError("no model has a key", hint=NO_KEY_HINT)
        connect = self.settings.get("connect_timeout")
        limits = CallLimits(connect, CHECK_SECONDS, CHECK_SECONDS, CHECK_SECONDS, retries=0)

        async def check_all() -> Sequence[ModelCheck]:
            client = self.make_client()
            try:
                checks = (self._check_profile(client, profile, limits) for profile in profiles)
                return await asyncio.gather(*checks)
            finally:
                await client.aclose()

        return asyncio.run(check_all())

    async def _check_profile(
        self, client: ModelClient, profile: ModelProfile, limits: CallLimits
    ) -> ModelCheck:
        from dursor.services.results import ModelCheck

        try:
            endpoint = self.build_endpoint(profile, CHECK_TOKENS)
            start = time.perf_counter()
            await client.check(endpoint, limits)
        except DursorError as error:
            return ModelCheck(profile.name, ok=False, latency_ms=None, error=error)
        latency = round((time.perf_counter() - start) * 1000)
        return ModelCheck(profile.name, ok=True, latency_ms=latency, error=None)


def _check_url(url: str, prefix: str, hint: str) -> None:
    from urllib.parse import urlsplit

    if "@" in url.partition("://")[2].partition("/")[0]:  # first: other errors quote the URL
        raise UsageError(
            f"{prefix}a base URL must not contain a user name or password",
            hint="dursor models set-key NAME",
        )
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or IPv6 address
        is_url = False
    if not is_url or not url.isprintable():
        raise UsageError(f"{prefix}{url!r} is not an http(s) URL", hint=hint)
