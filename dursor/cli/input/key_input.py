"""Reads keys from the terminal, without echo, or from stdin; never from an argument."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dursor.cli.input.instruction_input import decode, read_stdin
from dursor.cli.output.terminal import is_terminal
from dursor.domain import Secret
from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 8 * 1024  # real keys have a few hundred at most


def read_key() -> Secret:
    """Read a key from stdin; UsageError when there is none."""
    hint = "dursor models set-key NAME --stdin < key.txt"
    data = read_stdin(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"stdin is larger than {MAX_BYTES // 1024} KiB: not a key", hint=hint)
    key = _parse(decode(data, "stdin"))
    if key is None:
        raise UsageError("stdin holds no key", hint=hint)
    return key


def make_prompt(name: str, *, required: bool) -> Callable[[], Secret | None]:
    """Make a function that asks for NAME's key on the terminal; an empty line means no key.

    Without a terminal or a key it raises UsageError if REQUIRED, else it returns None.
    """

    def ask() -> Secret | None:
        hint = f"dursor models set-key {name} --stdin < key.txt"
        if not is_terminal(sys.stdin):
            if required:
                raise UsageError("no terminal to type the key on", hint=hint)
            return None
        suffix = "" if required else " (empty: none)"
        key = _parse(ask_hidden(f"Key for {name}{suffix}: "))
        if key is None and required:
            raise UsageError("no key was typed", hint=hint)
        return key

    return ask


def ask_hidden(prompt: str) -> str:
    """Ask on the terminal without echo; UsageError at the end of input."""
    from getpass import getpass

    try:
        return getpass(prompt, stream=sys.stderr)
    except EOFError as error:
        raise UsageError("nothing was typed") from error


def _parse(text: str) -> Secret | None:
    key = text.strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError("not a key: it contains spaces, line breaks or non-ASCII characters")
    return Secret(key)
