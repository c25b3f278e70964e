"""What is said to a model, in order: the repository, what was said before, the instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.agent import prompts
from dursor.domain import Message, Role
from dursor.providers.base import Prompt, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

WORST_BYTES_PER_TOKEN = 3  # no tokenizer here makes more tokens of text than this


def opening(context: str, earlier: Sequence[Message], instruction: str) -> Prompt:
    """The prompt of a round: CONTEXT leads, so that a later round can repeat the same beginning."""
    turns = [Turn(message.role, _said(message)) for message in earlier]
    turns.append(Turn(Role.USER, prompts.instruction(instruction)))
    first = turns[0]
    if first.role is Role.USER:
        turns[0] = Turn(Role.USER, f"{context}\n\n{first.text}")
    else:
        turns.insert(0, Turn(Role.USER, context))
    return Prompt(prompts.SYSTEM, tuple(turns))


def _said(message: Message) -> str:
    if message.role is Role.USER:
        return prompts.instruction(message.content)
    return message.content


def repairing(prompt: Prompt, reply: str, said: str) -> Prompt:
    """PROMPT, what the model answered to it, and SAID, which asks for a repair."""
    turns = (*prompt.turns, Turn(Role.ASSISTANT, reply), Turn(Role.USER, said))
    return Prompt(prompt.system, turns)


def size(prompt: Prompt) -> int:
    """Bytes of everything said."""
    return sum(len(text.encode("utf-8", "replace")) for text in _texts(prompt))


def most_tokens(prompt: Prompt) -> int:
    """Tokens that everything said can be at most."""
    return -(-size(prompt) // WORST_BYTES_PER_TOKEN)


def _texts(prompt: Prompt) -> list[str]:
    return [prompt.system, *(turn.text for turn in prompt.turns)]
