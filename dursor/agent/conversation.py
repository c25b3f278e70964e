"""What is said to a model, in order: the repository, what was said before, the instruction."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.agent import prompts
from dursor.domain import Message, Role
from dursor.providers.base import Prompt, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.providers.base import Tool

WORST_BYTES_PER_TOKEN = 3  # no tokenizer here makes more tokens of text than this


def opening(
    context: str,
    earlier: Sequence[Message],
    instruction: str,
    *,
    now: str = "",
    tools: Sequence[Tool] = (),
) -> Prompt:
    """The prompt of a round, what stays the same over the rounds of a task first.

    CONTEXT is shown before anything is said; NOW, which only this round shows, beside its
    INSTRUCTION.
    """
    turns = [Turn(message.role, _said(message)) for message in earlier]
    asked = prompts.instruction(instruction)
    turns.append(Turn(Role.USER, f"{now}\n\n{asked}" if now else asked))
    if turns[0].role is not Role.USER:
        turns.insert(0, Turn(Role.USER, ""))  # the context stands alone there
    return Prompt(prompts.system(explores=bool(tools)), tuple(turns), context, tuple(tools))


def _said(message: Message) -> str:
    if message.role is Role.USER:
        return prompts.said(message.content)
    return message.content


def grown(prompt: Prompt, *turns: Turn) -> Prompt:
    """PROMPT, and what was said since."""
    return replace(prompt, turns=(*prompt.turns, *turns))


def repairing(prompt: Prompt, reply: str, said: str) -> Prompt:
    """PROMPT, what the model answered to it, and SAID, which asks for a repair."""
    return grown(prompt, Turn(Role.ASSISTANT, reply), Turn(Role.USER, said))


def size(prompt: Prompt) -> int:
    """Bytes of everything said."""
    return sum(len(text.encode("utf-8", "replace")) for text in _texts(prompt))


def most_tokens(prompt: Prompt) -> int:
    """Tokens that everything said can be at most."""
    return -(-size(prompt) // WORST_BYTES_PER_TOKEN)


def _texts(prompt: Prompt) -> Iterator[str]:
    yield from (prompt.system, prompt.context)
    for tool in prompt.tools:
        yield from (tool.name, tool.description, json.dumps(tool.schema))
    for turn in prompt.turns:
        yield from turn.items or (turn.text,)
        yield from (result.text for result in turn.results)
