"""The last steps of a run: check its change against policy and build its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.agent.attempt import RunResult
from dursor.agent.preflight import find_moved_secrets
from dursor.domain import Stage
from dursor.errors import NoChangeError, PolicyError
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.compose import compose
from dursor.patch.policy import check_policy
from dursor.patch.resolve import summarize_reply

if TYPE_CHECKING:
    from dursor.agent.attempt import Attempt
    from dursor.patch.resolve import Resolution


async def check_change(attempt: Attempt) -> None:
    """Set the attempt's `total`; PolicyError when it breaks a rule."""
    count = len(attempt.change.changes)
    attempt.enter(Stage.POLICY, f"checking {count} {'path' if count == 1 else 'paths'}")
    attempt.total = await attempt.in_pool(_check, attempt)


def _check(attempt: Attempt) -> Resolution:
    context = attempt.context
    total = compose(context.base, context.start, attempt.change)
    check_policy(context.base, total, context.rules, context.max_files)
    return total


async def build_result(attempt: Attempt) -> None:
    """Set the attempt's `result`; NoChangeError or PolicyError."""
    attempt.enter(Stage.FINISH, "computing the patch")
    attempt.result = await attempt.in_pool(_build, attempt)


def _build(attempt: Attempt) -> RunResult:
    patch = render_canonical(attempt.context.base, attempt.total)
    if not patch.files:
        raise NoChangeError("the reply restores the base: nothing is left to change")
    if any(key.reveal() in patch.text for key in attempt.context.keys):
        hint = "replace the key in the instruction and in the repository"
        raise PolicyError("the patch contains one of your API keys", hint=hint)
    # The first reply explains the change; a repair may explain only itself.
    summary = next(filter(None, map(summarize_reply, attempt.replies)), None)
    warnings = find_moved_secrets(attempt.change, attempt.tree, attempt.context.secrets)
    text = attempt.replies[0] if len(attempt.replies) == 1 else _join(attempt, summary)
    return RunResult(text, summary, patch, (*attempt.change.warnings, *warnings))


def _join(attempt: Attempt, summary: str | None) -> str:
    """Write a reply that took repairs as one that was right at once."""
    diff = render_canonical(attempt.tree, attempt.change).text
    text = f"{summary or 'Here is the change.'}\n\n```diff\n{diff}```\n"
    return attempt.mask_secrets(text, attempt.change.changes)  # later rounds send it
