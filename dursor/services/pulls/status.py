"""The state of a pull request and of its branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import LIVE
from dursor.errors import ConflictError
from dursor.ids import short_id
from dursor.services.pulls.comments import build_state_message
from dursor.services.pulls.target import CONTAINED
from dursor.services.results import LiveHead

if TYPE_CHECKING:
    from dursor.domain import Message, PullRequest
    from dursor.github.repo_names import RepoName
    from dursor.github.resources import PullInfo
    from dursor.services.ports import Forge
    from dursor.services.pulls.session import PullSession

LIVE_STATES = {"open": "is open for review", "draft": "is a draft"}


def describe_end(pull: PullInfo) -> str:
    """Describe how a pull request ended."""
    return f"was merged into {pull.base_ref}" if pull.state == "merged" else "was closed"


def build_news(forge: Forge, name: RepoName, pr: PullRequest, pull: PullInfo) -> list[Message]:
    """Return a message if the state differs from the stored one."""
    if pull.state == pr.status:
        return []
    news = LIVE_STATES.get(pull.state) or _describe_closed(forge, name, pull)
    return [build_state_message(forge.host, pull, news, pr.task_id)]


def _describe_closed(forge: Forge, name: RepoName, pull: PullInfo) -> str:
    how = describe_end(pull)
    if pull.state != "merged":
        how += " without being merged"
    elif forge.compare(name, pull.base_ref, pull.head_commit) not in CONTAINED:
        commit = f" ({short_id(pull.merge_commit)})" if pull.merge_commit else ""
        how += f" as a new commit{commit}, squashed or rebased"
    repo, branch = pull.head_repo, pull.head_ref
    exists = repo is not None and forge.find_branch(repo, branch) is not None
    return f"{how}. Its branch {branch} {'still exists' if exists else 'was deleted'}"


def find_live_head(session: PullSession, name: RepoName, pr: PullRequest) -> LiveHead:
    """Return the head of PR's branch, or a note with the reason why it has none."""
    pull = session.forge.pulls(name).get(pr.number)
    reason = f"#{pr.number} {describe_end(pull)}"
    if pull.state in LIVE:
        try:
            head, _ = session.fetch_head(pull)
            return LiveHead(head, pull.head_ref, pr.number)
        except ConflictError as error:
            reason = error.message
    return LiveHead(notes=(f"{reason}: this round does not start from it",))
