"""The first step of a run: ask until the reply resolves to a change, with repair turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.agent import conversation, prompts
from dursor.agent.preflight import refuse_forbidden
from dursor.agent.repairs import PartialReply, resolve_with_repairs
from dursor.domain import Stage
from dursor.errors import ApplyFailedError, NoPatchError, PolicyError
from dursor.patch.policy import escape_path
from dursor.patch.resolve import PartlyResolvedError
from dursor.tree import Overlay

if TYPE_CHECKING:
    from dursor.agent.attempt import Attempt
    from dursor.patch.resolve import Resolution

MAX_REPAIRS = 2
MAX_QUOTED = 300  # characters of a reply in an error


async def resolve_reply(attempt: Attempt) -> None:
    """Set the attempt's `replies` and `change`; raises CallError or PatchError."""
    history = prompt = attempt.spec.prompt
    partial: PartialReply | None = None
    while True:
        attempt.stage = Stage.CALL
        explored, reply = await attempt.session.ask(prompt)
        history = history if explored is prompt else explored
        attempt.replies.append(reply.text)
        attempt.enter(Stage.RESOLVE, f"resolving the reply ({len(reply.text)} characters)")
        try:
            attempt.change = await attempt.in_pool(_resolve, attempt, reply.text, partial)
        except PartlyResolvedError as error:
            _refuse_secret_quotes(attempt, error)
            if attempt.session.attempts > MAX_REPAIRS:
                raise
            partial = PartialReply(error.message, error.failures, error.kept)
            attempt.observer.stage(Stage.RESOLVE, f"{error.message}; asking for a repair")
            request = _repair_request(attempt, partial)
            prompt = conversation.request_repair(history, reply.text, request)
        except NoPatchError as error:
            raise _quote_reply(attempt, error, reply.text) from error
        else:
            attempt.observer.notes(Stage.RESOLVE, attempt.change.notes)
            return


def _resolve(attempt: Attempt, reply: str, partial: PartialReply | None) -> Resolution:
    """Resolve REPLY against the attempt's tree, on top of the resolved part of a PARTIAL reply."""
    text = attempt.context.restore(reply)
    tree = Overlay(attempt.tree, partial.kept.changes) if partial else attempt.tree
    refuse_forbidden(text, tree, attempt.context.rules, finished=True)
    return resolve_with_repairs(text, attempt.tree, partial)


def _refuse_secret_quotes(attempt: Attempt, error: ApplyFailedError) -> None:
    """Refuse a repair turn that would quote a file which must not be sent; PolicyError."""
    for path in {failure.path for failure in error.failures if failure.path}:
        if (reason := attempt.context.rules.find_reason(path)) is not None:
            raise PolicyError(
                f"{escape_path(path)}: {reason}", hint="allow it with --allow-path GLOB"
            ) from error


def _repair_request(attempt: Attempt, partial: PartialReply) -> str:
    request = prompts.format_repair(partial.failures, has_kept=bool(partial.kept.changes))
    paths = {failure.path for failure in partial.failures if failure.path}
    return attempt.mask_secrets(request, paths)


def _quote_reply(attempt: Attempt, error: NoPatchError, reply: str) -> NoPatchError:
    """Return ERROR with the first lines of REPLY, which the user has paid for."""
    text = " ".join(attempt.context.clean(reply).split())
    quote = text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."
    return NoPatchError(f"{error.message}: {quote}")
