"""What a round's models are shown: one selection for all, rendered into each model's window."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.agent import conversation
from dursor.agent.tools import TOOLS
from dursor.agent.usage import BYTES_PER_TOKEN
from dursor.context.selection.render import render_selection
from dursor.context.selection.select import select_context
from dursor.context.selection.select_followup import FollowUpSelector
from dursor.errors import InternalError, UsageError
from dursor.files import hold_lock, replace_file
from dursor.providers.vendors import VENDORS
from dursor.services.rounds.base import files_of
from dursor.tree import Overlay
from dursor.vcs.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.context.selection.selection import Selection
    from dursor.domain import ContextFile
    from dursor.pathrules import PathRules
    from dursor.providers.base import Endpoint, Prompt
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.services.rounds.base import Standing
    from dursor.store.read import Reader

log = logging.getLogger(__name__)

KEY_BYTES = 32
NAMED = 5  # of the files that a window has no room for


@dataclass(frozen=True)
class Fitted:
    """A prompt for one model's window."""

    prompt: Prompt
    room: int  # bytes that everything said may have
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Prompting:
    """Chooses what to show and puts the prompts together."""

    reader: Reader
    data_dir: Path
    cwd: Path

    def select(
        self,
        instruction: str,
        pinned: Sequence[str],
        standing: Standing,
        rules: PathRules,
        *,
        budget: int,
        before: int | None = None,
    ) -> Selection:
        """Choose the context once for the round; BEFORE is its number where it has one already."""
        query = _query(instruction, standing)
        cache_dir, key = self._cache_dir(standing), placeholder_key(self.data_dir)
        history = History(standing.repository, standing.base_commit)
        if earlier := self._first_context(standing, before):
            follower = FollowUpSelector(
                standing.base, standing.start.changes, rules, cache_dir, history, key
            )
            found = follower.select(earlier, query, budget=budget, pinned=pinned)
            if found is not None:
                return found
        return select_context(
            Overlay(standing.base, standing.start.changes),
            query,
            budget=budget,
            pinned=pinned,
            rules=rules,
            cache_dir=cache_dir,
            history=history,
            key=key,
        )

    def _cache_dir(self, standing: Standing) -> Path:
        """The folder that keeps the index of this repository, whichever worktree it is in."""
        place = os.fsencode(standing.repository.common_dir)
        return self.data_dir / "cache" / "context" / hashlib.sha256(place).hexdigest()[:16]

    def _first_context(self, standing: Standing, before: int | None) -> Sequence[ContextFile]:
        """What the task's first round on this base was shown; every later one begins with it."""
        if standing.task is None:
            return ()
        for run in reversed(self.reader.runs(task_id=standing.task.id, limit=None)):
            if before is not None and run.round >= before:
                return ()
            if (run.base_commit, run.dirty) == (standing.base_commit, standing.dirty):
                whole = self.reader.run(run.id)
                if whole.dirty_patch == standing.dirty_patch:
                    return whole.context
        return ()

    def pinned(self, files: Sequence[str], standing: Standing) -> tuple[str, ...]:
        """FILES, typed relative to the current folder, from the top of the tree."""
        top = standing.repository.top
        here = self.cwd.resolve()
        inside = here.is_relative_to(top)
        pinned = []
        for file in files:
            whole = here / file if inside or Path(file).is_absolute() else top / file
            path = os.path.relpath(whole, top).replace(os.sep, "/")
            if path == "." or path.split("/", 1)[0] == "..":
                raise UsageError(f"--file {file!r} is no file of {top}", hint="git ls-files")
            pinned.append(path)
        return tuple(pinned)

    def fitted(
        self,
        selection: Selection,
        standing: Standing,
        instruction: str,
        endpoint: Endpoint,
        *,
        explores: bool,
    ) -> Fitted:
        """Render the round's prompt for ENDPOINT; UsageError when not even the words fit."""
        room, tools = _room(endpoint), TOOLS if explores else ()
        # A remark on a pull request quotes the patch, and that has the secrets it came back with.
        earlier = [
            replace(one, content=selection.mask_detected(one.content)) for one in standing.earlier
        ]
        said = conversation.opening("", earlier, instruction, tools=tools)
        size = conversation.size(said)
        if room <= size:
            raise UsageError(
                f"the instruction, with what was said before it, is about "
                f"{size // BYTES_PER_TOKEN} tokens: "
                f"too long for {endpoint.model_name}",
                hint="say it shorter, or name the files that it quotes",
            )
        shown = render_selection(selection, (room - size) // BYTES_PER_TOKEN)
        prompt = conversation.opening(
            shown.context, earlier, instruction, now=shown.current, tools=tools
        )
        return Fitted(prompt, room, _warnings(endpoint, shown.omitted))


def placeholder_key(data_dir: Path) -> PlaceholderKey:
    """What names placeholders: made once, so that a later round says the same for each secret.

    Where it cannot be kept, it names them for this process: a round is kept nowhere then, either.
    """
    file = data_dir / "placeholder.key"

    @cache
    def read() -> bytes:
        made = os.urandom(KEY_BYTES)
        try:
            with hold_lock(data_dir / ".placeholder.lock"):
                if file.exists() and len(known := file.read_bytes()) == KEY_BYTES:
                    return known
                replace_file(file, made)
        except OSError as error:
            raise InternalError(f"cannot read {file}: {error.strerror}") from error
        except InternalError as error:
            log.debug("%s", error.message)
        return made

    return read


def _warnings(endpoint: Endpoint, left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    names = ", ".join(left_out[:NAMED])
    more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
    return (f"the window of {endpoint.model_name} had no room for {names}{more}",)


def _query(text: str, standing: Standing) -> str:
    """What the context is chosen by: the instruction, what led to it, the files changed so far."""
    asked = [one.content for one in standing.earlier if one.role == "user"]
    return "\n\n".join([text, *reversed(asked), *files_of(standing.start)])


def _room(endpoint: Endpoint) -> int:
    """Bytes that the model's window holds at least, whatever its tokenizer makes of them."""
    window = VENDORS[endpoint.provider].find_limits(endpoint.model_name).context_window
    room = (window - endpoint.max_output_tokens) * conversation.WORST_BYTES_PER_TOKEN
    if room <= 0:
        raise UsageError(
            f"max_output_tokens {endpoint.max_output_tokens} leaves no room for input in the "
            f"window of {endpoint.model_name} ({window} tokens)",
            hint="dursor config set max_output_tokens 16000",
        )
    return room
