"""The last steps of a run: check its change against policy and build its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.agent.active_run import RunResult
from dursor.agent.preflight import find_moved_secrets
from dursor.domain import Stage
from dursor.errors import NoChangeError, PolicyError
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.diff.resolution import compose
from dursor.patch.policy import check_policy
from dursor.patch.resolve import summarize_reply

if TYPE_CHECKING:
    from dursor.agent.active_run import ActiveRun
    from dursor.patch.resolve import Resolution


async def check_change(run: ActiveRun) -> None:
    """Set the run's `total`; PolicyError when it breaks a rule."""
    count = len(run.change.changes)
    run.enter(Stage.POLICY, f"checking {count} {'path' if count == 1 else 'paths'}")
    run.total = await run.in_pool(_check, run)


def _check(run: ActiveRun) -> Resolution:
    context = run.context
    total = compose(context.base, context.start, run.change)
    check_policy(context.base, total, context.rules, context.max_files)
    return total


async def build_result(run: ActiveRun) -> None:
    """Set the run's `result`; NoChangeError or PolicyError."""
    run.enter(Stage.FINISH, "computing the patch")
    run.result = await run.in_pool(_build, run)


def _build(run: ActiveRun) -> RunResult:
    patch = render_canonical(run.context.base, run.total)
    if not patch.files:
        raise NoChangeError("the reply restores the base: nothing is left to change")
    if any(key.reveal() in patch.text for key in run.context.keys):
        hint = "replace the key in the instruction and in the repository"
        raise PolicyError("the patch contains one of your API keys", hint=hint)
    # The first reply explains the change; a repair may explain only itself.
    summary = next(filter(None, map(summarize_reply, run.replies)), None)
    warnings = find_moved_secrets(run.change, run.tree, run.context.secrets)
    text = run.replies[0] if len(run.replies) == 1 else _join(run, summary)
    return RunResult(text, summary, patch, (*run.change.warnings, *warnings))


def _join(run: ActiveRun, summary: str | None) -> str:
    """Write a reply that took repairs as one that was right at once."""
    diff = render_canonical(run.tree, run.change).text
    text = f"{summary or 'Here is the change.'}\n\n```diff\n{diff}```\n"
    return run.mask_secrets(text, run.change.changes)  # later rounds send it
