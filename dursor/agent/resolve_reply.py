"""The first step of a run: ask until the reply resolves to a change, with repair turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.agent import conversation, prompts
from dursor.agent.preflight import refuse_forbidden
from dursor.agent.repairs import PartialReply, resolve_with_repairs
from dursor.domain import Role, Stage
from dursor.errors import ApplyFailedError, NoPatchError, PolicyError
from dursor.patch.policy import escape_path
from dursor.patch.resolve import PartlyResolvedError
from dursor.providers.adapters.error_payloads import to_one_line
from dursor.providers.base import Turn
from dursor.tree import Overlay

if TYPE_CHECKING:
    from dursor.agent.active_run import ActiveRun
    from dursor.patch.resolve import Resolution

MAX_REPAIRS = 2
MAX_QUOTED = 300  # characters of a reply in an error


async def resolve_reply(run: ActiveRun) -> None:
    """Set the run's `replies` and `change`; raises CallError or PatchError."""
    history = prompt = run.spec.prompt
    partial: PartialReply | None = None
    while True:
        run.stage = Stage.CALL
        explored, reply = await run.session.ask(prompt)
        history = history if explored is prompt else explored
        run.replies.append(reply.text)
        run.enter(Stage.RESOLVE, f"resolving the reply ({len(reply.text)} characters)")
        try:
            run.change = await run.in_pool(_resolve, run, reply.text, partial)
        except PartlyResolvedError as error:
            _refuse_secret_quotes(run, error)
            if run.session.attempts > MAX_REPAIRS:
                raise
            partial = PartialReply(error.message, error.failures, error.kept)
            run.observer.stage(Stage.RESOLVE, f"{error.message}; asking for a repair")
            request = _repair_request(run, partial)
            turns = (Turn(Role.ASSISTANT, reply.text), Turn(Role.USER, request))
            prompt = conversation.extend(history, *turns)
        except NoPatchError as error:
            raise _quote_reply(run, error, reply.text) from error
        else:
            run.observer.notes(Stage.RESOLVE, run.change.notes)
            return


def _resolve(run: ActiveRun, reply: str, partial: PartialReply | None) -> Resolution:
    """Resolve REPLY against the run's tree, on top of the resolved part of a PARTIAL reply."""
    text = run.context.restore(reply)
    tree = Overlay(run.tree, partial.kept.changes) if partial else run.tree
    refuse_forbidden(text, tree, run.context.rules, finished=True)
    return resolve_with_repairs(text, run.tree, partial)


def _refuse_secret_quotes(run: ActiveRun, error: ApplyFailedError) -> None:
    """Refuse a repair turn that would quote a file which must not be sent; PolicyError."""
    for path in {failure.path for failure in error.failures if failure.path}:
        if (reason := run.context.rules.find_reason(path)) is not None:
            raise PolicyError(
                f"{escape_path(path)}: {reason}", hint="allow it with --allow-path GLOB"
            ) from error


def _repair_request(run: ActiveRun, partial: PartialReply) -> str:
    request = prompts.format_repair(partial.failures, has_kept=bool(partial.kept.changes))
    paths = {failure.path for failure in partial.failures if failure.path}
    return run.mask_secrets(request, paths)


def _quote_reply(run: ActiveRun, error: NoPatchError, reply: str) -> NoPatchError:
    """Return ERROR with the first lines of REPLY, which the user has paid for."""
    quote = to_one_line(run.context.clean(reply), MAX_QUOTED)
    return NoPatchError(f"{error.message}: {quote}")
