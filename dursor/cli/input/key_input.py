"""Secrets typed on a terminal or piped in; never echoed, never an argument."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dursor.cli.input.instruction_input import decode, read_stdin
from dursor.cli.output.terminal import is_terminal
from dursor.domain import Secret
from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 8 * 1024  # bytes; keys have some hundred at most


def key_from_stdin() -> Secret:
    """Read a key from stdin; UsageError when there is none."""
    data = read_stdin(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(
            f"what is on stdin is no key: it is larger than {LARGEST // 1024} KiB",
            hint="dursor models set-key NAME --stdin < key.txt",
        )
    key = _checked(decode(data, "stdin"))
    if key is None:
        raise UsageError("no key on stdin", hint="dursor models set-key NAME --stdin < key.txt")
    return key


def typed_key(name: str, *, required: bool) -> Callable[[], Secret | None]:
    """Make a question for NAME's key; without a terminal it is UsageError, or None unless REQUIRED.

    An empty line means: no key, which a required one may not be.
    """

    def ask() -> Secret | None:
        hint = f"dursor models set-key {name} --stdin < key.txt"
        if not is_terminal(sys.stdin):
            if required:
                raise UsageError("no terminal to type the key on", hint=hint)
            return None
        prompt = f"Key for {name}: " if required else f"Key for {name} (empty: none): "
        key = _checked(hidden(prompt))
        if key is None and required:
            raise UsageError("no key was typed", hint=hint)
        return key

    return ask


def hidden(prompt: str) -> str:
    """Ask on the terminal without echo; UsageError at the end of input."""
    from getpass import getpass

    try:
        return getpass(prompt, stream=sys.stderr)
    except EOFError as error:
        raise UsageError("nothing was typed") from error


def _checked(text: str) -> Secret | None:
    key = text.strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("that is no key: it holds spaces, line breaks or other characters")
    return Secret(key)
