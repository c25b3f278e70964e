"""Adds a run's change to a pull request's branch as one more commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.domain import LIVE
from dursor.errors import ConflictError, NoChangeError
from dursor.ids import short_id
from dursor.services.events import Notice
from dursor.services.pulls.ancestry import check_ancestry, is_commit_of
from dursor.services.pulls.create import create_commit
from dursor.services.pulls.status import describe_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.domain import PullRequest, Run
    from dursor.github.resources import PullInfo
    from dursor.services.events import Listener
    from dursor.services.pulls.session import PullSession


def push_update(
    session: PullSession, pr: PullRequest, pull: PullInfo, chain: Sequence[Run], listener: Listener
) -> str:
    """Push the last run of CHAIN to PULL's branch and return the branch's new commit."""
    run, mirror = chain[-1], session.mirror
    if pull.state not in LIVE:
        raise ConflictError(
            f"#{pull.number} {describe_end(pull)} and cannot be updated",
            hint=f"dursor run TEXT --task {short_id(run.task_id)}, then dursor pr create --run RUN",
        )
    head, name = session.fetch_head(pull)
    if is_commit_of(mirror, mirror.commit(head), run):
        listener(Notice(f"#{pr.number} already contains run {short_id(run.id)}"))
        return head
    check_ancestry(mirror, head, chain, number=pr.number, known=pr.latest_commit)
    try:
        commit, workflows = create_commit(session, run, head, name)
    except NoChangeError:
        listener(Notice(f"#{pr.number} already contains the change of run {short_id(run.id)}"))
        return head
    try:
        session.push(name, commit, pull.head_ref, expect=head, workflows=workflows)
    except ConflictError:
        current = session.fetch(name, pull.head_ref)
        if current is None or not is_commit_of(mirror, mirror.commit(current), run):
            raise
        return current  # another process was faster
    return commit
