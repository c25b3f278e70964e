"""The limits of a round: options, environment, configuration and the repository's policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dursor.config import RepoPolicy
from dursor.pathrules import PathRules
from dursor.providers.base import CallLimits
from dursor.providers.vendors import VENDORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.config import Settings
    from dursor.domain import ModelProfile
    from dursor.services.request import RoundRequest
    from dursor.tree import Tree

POLICY_FILE = ".dursor.toml"


@dataclass(frozen=True)
class RoundLimits:
    """The strictest value of each limit."""

    rules: PathRules
    max_files: int
    context_budget: int
    max_output_tokens: int
    budget_usd: float | None
    call_limits: CallLimits
    jobs: int
    concurrency: int
    require: str
    explore: bool | None  # None: where it is known to work

    def lets_explore(self, profile: ModelProfile) -> bool:
        """Return whether the model of PROFILE may explore the repository.

        By default not on a server of the user's own, nor over Chat Completions, where the vendor's
        newer models accept no tools.
        """
        if self.explore is not None:
            return self.explore
        return profile.base_url is None and VENDORS[profile.provider].select_api(profile) != "chat"


def resolve_limits(settings: Settings, request: RoundRequest, policy: RepoPolicy) -> RoundLimits:
    """Resolve the limits of REQUEST."""
    get, choices = settings.get, request.choices

    def strictest(name: str) -> Any:
        option = getattr(choices, name, None)
        return policy.limit(name, get(name) if option is None else option)

    return RoundLimits(
        rules=build_path_rules(settings, policy, choices.allow_paths),
        max_files=strictest("max_files"),
        context_budget=strictest("context_budget"),
        max_output_tokens=strictest("max_output_tokens"),
        budget_usd=strictest("budget_usd"),
        call_limits=CallLimits(
            connect=get("connect_timeout"),
            first_byte=get("first_byte_timeout"),
            idle=get("idle_timeout"),
            total=strictest("timeout"),
            retries=get("retries"),
            retry_after_cap=get("retry_after_cap"),
        ),
        jobs=request.jobs or get("jobs"),
        concurrency=get("concurrency"),
        require=request.require or get("require"),
        explore=_resolve_explore(choices.explore, get("explore"), policy),
    )


def _resolve_explore(option: bool | None, configured: str, policy: RepoPolicy) -> bool | None:
    if not policy.explore:
        return False
    if option is not None:
        return option
    return {"on": True, "off": False}.get(configured)


def read_repo_policy(tree: Tree) -> RepoPolicy:
    """Read the policy in the tree of the base commit; uncommitted changes to it have no effect."""
    entry = tree.entries().get(POLICY_FILE)
    if entry is None or not entry.mode.startswith("100"):
        return RepoPolicy()
    return RepoPolicy.parse(tree.read(POLICY_FILE))


def build_path_rules(
    settings: Settings, policy: RepoPolicy, allow_paths: Sequence[str] = ()
) -> PathRules:
    """Build the user's path rules, tightened by the repository's."""
    return PathRules(
        (*settings.get("forbidden_paths"), *policy.forbidden_paths),
        (*settings.get("allowed_paths"), *allow_paths),
    )
