"""Where the words of an instruction come from."""

from __future__ import annotations

import sys
from pathlib import Path

from dursor.cli.output.terminal import is_terminal
from dursor.errors import UsageError

STDIN = "-"


def instruction(text: str | None, file: Path | None, command: str) -> str:
    """Read the instruction from TEXT, from stdin for `-`, from FILE, or from the user's editor.

    COMMAND (`dursor run`) is for the hints. UsageError when there is none, two, or nothing in it.
    """
    if text is not None and file is not None:
        raise UsageError(
            "TEXT and --instruction-file exclude each other",
            hint=f"{command} --instruction-file {file}",
        )
    words = _read(text, file, command).strip("\n")
    if not words.strip():
        raise UsageError("the instruction is empty", hint=f'{command} "Fix the failing test"')
    return words


def _read(text: str | None, file: Path | None, command: str) -> str:
    if file is not None:
        return decode(read_file(file), str(file))
    if text == STDIN:
        return decode(read_stdin(), "stdin")
    if text is not None:
        return _argument(text, "TEXT")
    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        from dursor.cli.input.editor import edit

        return edit(f'{command} "Fix the failing test"')
    raise UsageError(
        "no instruction: TEXT is missing, and there is no terminal to edit it on",
        hint=f'{command} "Fix the failing test"',
    )


def said(text: str, name: str, hint: str = "dursor task --help") -> str:
    """Read a short text called NAME from an argument, or from stdin for `-`."""
    words = decode(read_stdin(), "stdin") if text == STDIN else _argument(text, name)
    if not words.strip():
        raise UsageError(f"{name} is empty", hint=hint)
    return words.strip()


def _argument(text: str, name: str) -> str:
    return decode(text.encode("utf-8", "surrogateescape"), name)


def read_stdin(most: int = -1) -> bytes:
    """Read stdin to its end, or MOST bytes of it."""
    return b"" if sys.stdin is None else sys.stdin.buffer.read(most)


def read_file(path: Path) -> bytes:
    """Read PATH; UsageError when that cannot be done."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(
            f"cannot read {str(path)!r}: {reason}", hint=f"ls {path.parent}"
        ) from error


def decode(data: bytes, source: str) -> str:
    """Decode UTF-8 text from SOURCE; UsageError for anything else."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{source} is not UTF-8 text: byte {error.start}") from error
    if "\0" in text:
        raise UsageError(f"{source} is not text: it holds a NUL character")
    return text.replace("\r\n", "\n").removeprefix("\ufeff")
