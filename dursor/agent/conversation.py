"""Prompts as lists of turns: the context, earlier messages, the instruction, repairs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from dursor.agent import prompts
from dursor.domain import Message, MessageKind, Role
from dursor.providers.base import Prompt, Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.providers.base import Tool

WORST_BYTES_PER_TOKEN = 3  # tokenizers need at least as many bytes for a token of text


def build_prompt(
    context: str,
    earlier: Sequence[Message],
    instruction: str,
    *,
    now: str = "",
    tools: Sequence[Tool] = (),
) -> Prompt:
    """Build the prompt of a round; the parts that later rounds repeat come first.

    CONTEXT precedes every turn; NOW holds the files that only this round adds, beside its
    INSTRUCTION.
    """
    turns = [Turn(message.role, _format_message(message)) for message in earlier]
    request = prompts.format_instruction(instruction)
    turns.append(Turn(Role.USER, f"{now}\n\n{request}" if now else request))
    if turns[0].role is not Role.USER:
        turns.insert(0, Turn(Role.USER, ""))  # holds the context alone
    return Prompt(prompts.system(explores=bool(tools)), tuple(turns), context, tuple(tools))


def _format_message(message: Message) -> str:
    if message.role is not Role.USER:
        return message.content
    if message.kind is MessageKind.COMMENT:
        return prompts.format_comment(message.content)
    return prompts.format_instruction(message.content)


def extend(prompt: Prompt, *turns: Turn) -> Prompt:
    """Return PROMPT with TURNS at its end."""
    return replace(prompt, turns=(*prompt.turns, *turns))


def count_bytes(prompt: Prompt) -> int:
    """Count the bytes of a prompt's text."""
    return sum(len(text.encode("utf-8", "replace")) for text in _texts(prompt))


def bound_tokens(prompt: Prompt) -> int:
    """Return an upper bound on a prompt's token count."""
    return -(-count_bytes(prompt) // WORST_BYTES_PER_TOKEN)


def _texts(prompt: Prompt) -> Iterator[str]:
    yield from (prompt.system, prompt.context)
    for tool in prompt.tools:
        yield from (tool.name, tool.description, json.dumps(tool.schema))
    for turn in prompt.turns:
        yield from turn.items or (turn.text,)
        yield from (result.text for result in turn.results)
