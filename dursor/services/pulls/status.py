"""What has become of a pull request: its state, its branch, and what was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import LIVE
from dursor.errors import ConflictError
from dursor.services.pulls.comments import build_state_message
from dursor.services.pulls.create import describe_end
from dursor.services.pulls.target import HOLDING

if TYPE_CHECKING:
    from dursor.domain import Message, PullRequest
    from dursor.github.client import GitHub
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.pulls.session import PullSession

NOW_LIVE = {"open": "is open for review", "draft": "is a draft"}


@dataclass(frozen=True)
class LiveHead:
    """Where a task's open pull request stands; no commit when it has none."""

    commit: str | None = None
    branch: str = ""
    number: int = 0
    notes: tuple[str, ...] = ()  # what a person should know besides


def describe_change(hub: GitHub, name: RepoName, pr: PullRequest, pull: PullInfo) -> list[Message]:
    """What to say of a state that has changed since PR was last heard of."""
    if pull.state == pr.status:
        return []
    how = NOW_LIVE.get(pull.state) or f"{_ended(hub, name, pull)}; {_branch_left(hub, pull)}"
    return [build_state_message(hub.host, pull, how, pr.task_id)]


def _ended(hub: GitHub, name: RepoName, pull: PullInfo) -> str:
    if pull.state != "merged":
        return "was closed without being merged"
    if hub.relation(name, pull.base_ref, pull.head_commit) in HOLDING:
        return f"was merged into {pull.base_ref}"
    commit = f" ({pull.merge_commit[:8]})" if pull.merge_commit else ""
    return f"was merged into {pull.base_ref} as a new commit{commit}, squashed or rebased"


def _branch_left(hub: GitHub, pull: PullInfo) -> str:
    there = pull.head_repo is not None and hub.branch(pull.head_repo, pull.head_ref) is not None
    return f"its branch {pull.head_ref} is {'still there' if there else 'deleted'}"


def live_head(site: PullSession, name: RepoName, pr: PullRequest) -> LiveHead:
    """Where PR's branch stands now; without a commit, and a note why, when it is over."""
    pull = site.hub.pull(name, pr.number)
    if pull.state not in LIVE:
        return LiveHead(
            notes=(f"#{pr.number} {describe_end(pull)}: this round does not start from it",)
        )
    try:
        head, _, _ = site.fetch_head(pull)
    except ConflictError as error:
        return LiveHead(notes=(f"{error.message}: this round does not start from it",))
    return LiveHead(head, pull.head_ref, pr.number)
