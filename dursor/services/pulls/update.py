"""A further commit on a pull request's branch, when nothing of anybody else's would be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import LIVE
from dursor.errors import ConflictError, NoChangeError
from dursor.services.events import Notice
from dursor.services.pulls.ancestry import check_ancestry, is_commit_of
from dursor.services.pulls.create import create_commit, describe_end, touches_workflows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import PullRequest, Run
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.pulls.session import PullSession


def check_live(pull: PullInfo, run: Run) -> None:
    """Refuse a pull request that takes no more commits."""
    if pull.state not in LIVE:
        raise ConflictError(
            f"#{pull.number} {describe_end(pull)}: it takes no more commits",
            hint=f"dursor run TEXT --task {run.task_id[:8]}, then dursor pr create --run RUN",
        )


def push_update(
    site: PullSession, pr: PullRequest, pull: PullInfo, chain: Sequence[Run], listener: Listener
) -> str:
    """Put the last run of CHAIN on PULL's branch; the commit the branch then stands at."""
    run = chain[-1]
    check_live(pull, run)
    head, name, url = site.fetch_head(pull)
    if is_commit_of(site.mirror, site.mirror.commit(head), run):
        listener(Notice(f"#{pr.number} holds run {run.id[:8]} already"))
        return head
    check_ancestry(site.mirror, head, chain, number=pr.number, known=pr.latest_commit)
    try:
        commit, changes = create_commit(site, run, head, name)
    except NoChangeError:
        listener(Notice(f"#{pr.number} holds the change of run {run.id[:8]} already"))
        return head
    workflows = touches_workflows(changes)
    try:
        site.push(name, url, commit, pull.head_ref, expect=head, workflows=workflows)
    except ConflictError:
        there = site.fetch(name, url, pull.head_ref)
        if there is None or not is_commit_of(site.mirror, site.mirror.commit(there), run):
            raise
        return there  # another process was faster
    return commit
