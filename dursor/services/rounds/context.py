"""The context of a round: one selection for all models, rendered into each model's window."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.agent import conversation
from dursor.agent.exploration.tools import TOOLS
from dursor.agent.usage import BYTES_PER_TOKEN
from dursor.context.selection.render import render_selection
from dursor.context.selection.select import select_context
from dursor.context.selection.select_followup import FollowUpSelector
from dursor.domain import Role
from dursor.errors import InternalError, UsageError
from dursor.files import hold_lock, replace_file
from dursor.providers.vendors import VENDORS
from dursor.vcs.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dursor.context.selection.selection import Selection
    from dursor.domain import ContextFile
    from dursor.pathrules import PathRules
    from dursor.providers.base import Endpoint, Prompt
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.services.rounds.base import RoundBase
    from dursor.store.read import Reader

log = logging.getLogger(__name__)

KEY_BYTES = 32
MAX_NAMED = 5  # files that a warning names


@dataclass(frozen=True)
class FittedPrompt:
    """A prompt that fits one model's window."""

    prompt: Prompt
    room: int  # bytes that the whole conversation may have
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ContextBuilder:
    """Selects the context of a round and renders its prompts."""

    reader: Reader
    data_dir: Path
    cwd: Path

    def select(
        self,
        instruction: str,
        pinned: Sequence[str],
        base: RoundBase,
        rules: PathRules,
        *,
        budget: int,
        number: int = 0,
    ) -> Selection:
        """Select the context of a round; NUMBER is that of a stored round, 0 for a new one."""
        query = _build_query(instruction, base)
        cache_dir, key = self._cache_dir(base), load_placeholder_key(self.data_dir)
        history = History(base.repository, base.base_commit)
        if earlier := self._first_context(base, number):
            selector = FollowUpSelector(
                base.tree, base.start.changes, rules, cache_dir, history, key
            )
            selection = selector.select(earlier, query, budget=budget, pinned=pinned)
            if selection is not None:
                return selection
        return select_context(
            base.start_tree,
            query,
            budget=budget,
            pinned=pinned,
            rules=rules,
            cache_dir=cache_dir,
            history=history,
            key=key,
        )

    def _cache_dir(self, base: RoundBase) -> Path:
        """Return the folder of this repository's index, the same for all its worktrees."""
        git_dir = os.fsencode(base.repository.common_dir)
        return self.data_dir / "cache" / "context" / hashlib.sha256(git_dir).hexdigest()[:16]

    def _first_context(self, base: RoundBase, number: int) -> Sequence[ContextFile]:
        """Return the context of the task's first round on this base; later rounds repeat it."""
        if base.task is None:
            return ()
        first = self.reader.first_round(
            base.task.id, base.base_commit, dirty=base.dirty, dirty_patch=base.dirty_patch
        )
        return () if first is None or first.number == number else first.context

    def pin(self, files: Sequence[str], base: RoundBase) -> tuple[str, ...]:
        """Convert FILES, relative to the current folder, to paths from the repository's top."""
        top, cwd = base.repository.top, self.cwd.resolve()
        is_inside = cwd.is_relative_to(top)
        paths = []
        for file in files:
            absolute = cwd / file if is_inside or Path(file).is_absolute() else top / file
            path = os.path.relpath(absolute, top).replace(os.sep, "/")
            if path == "." or path.split("/", 1)[0] == "..":
                raise UsageError(f"--file {file!r} is not a file in {top}", hint="git ls-files")
            paths.append(path)
        return tuple(paths)

    def fit(
        self,
        selection: Selection,
        base: RoundBase,
        instruction: str,
        endpoint: Endpoint,
        *,
        explores: bool,
    ) -> FittedPrompt:
        """Render the prompt for ENDPOINT; UsageError when the messages alone do not fit."""
        room, tools = _window_bytes(endpoint), TOOLS if explores else ()
        # A review comment quotes the patch, in which the secrets have been restored.
        earlier = [replace(m, content=selection.mask_detected(m.content)) for m in base.earlier]
        bare = conversation.build_prompt("", earlier, instruction, tools=tools)
        size = conversation.count_bytes(bare)
        if room <= size:
            raise UsageError(
                f"the instruction and the earlier messages have about {size // BYTES_PER_TOKEN} "
                f"tokens and exceed the context window of {endpoint.model_name}",
                hint="shorten the instruction, or name the files that it quotes",
            )
        rendered = render_selection(selection, (room - size) // BYTES_PER_TOKEN)
        prompt = conversation.build_prompt(
            rendered.context, earlier, instruction, now=rendered.current, tools=tools
        )
        return FittedPrompt(prompt, room, _list_warnings(endpoint, rendered.omitted))


def load_placeholder_key(data_dir: Path) -> PlaceholderKey:
    """Return a function that reads the key that names placeholders, created once.

    With one key, later rounds name each secret alike. Where it cannot be stored it is valid for
    this process; no round can be stored then, either.
    """
    file = data_dir / "placeholder.key"

    @cache
    def read() -> bytes:
        new = os.urandom(KEY_BYTES)
        try:
            with hold_lock(data_dir / ".placeholder.lock"):
                if file.exists() and len(stored := file.read_bytes()) == KEY_BYTES:
                    return stored
                replace_file(file, new)
        except OSError as error:
            raise InternalError(f"cannot read {file}: {error.strerror}") from error
        except InternalError as error:
            log.debug("%s", error.message)
        return new

    return read


def _list_warnings(endpoint: Endpoint, left_out: Sequence[str]) -> tuple[str, ...]:
    if not left_out:
        return ()
    names = ", ".join(left_out[:MAX_NAMED])
    more = f" and {len(left_out) - MAX_NAMED} more" if len(left_out) > MAX_NAMED else ""
    return (f"files that do not fit the context window of {endpoint.model_name}: {names}{more}",)


def _build_query(instruction: str, base: RoundBase) -> str:
    """Join the texts that rank files: the instructions, newest first, and the changed paths."""
    earlier = [m.content for m in reversed(base.earlier) if m.role is Role.USER]
    changed = [path for path, state in base.start.changes.items() if state is not None]
    return "\n\n".join([instruction, *earlier, *changed])


def _window_bytes(endpoint: Endpoint) -> int:
    """Return the bytes that surely fit the model's window, whatever its tokenizer."""
    window = VENDORS[endpoint.provider].find_limits(endpoint.model_name).context_window
    room = (window - endpoint.max_output_tokens) * conversation.WORST_BYTES_PER_TOKEN
    if room <= 0:
        raise UsageError(
            f"max_output_tokens {endpoint.max_output_tokens} leaves no room for input in the "
            f"context window of {endpoint.model_name} ({window} tokens)",
            hint="dursor config set max_output_tokens 16000",
        )
    return room
