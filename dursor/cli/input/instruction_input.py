"""Reads texts from arguments, stdin, files or the editor."""

from __future__ import annotations

import sys
from pathlib import Path

from dursor.cli.output.terminal import is_terminal
from dursor.errors import UsageError

STDIN = "-"


def read_instruction(text: str | None, file: Path | None, command: str) -> str:
    """Read the instruction from TEXT, from stdin for `-`, from FILE, or from the user's editor.

    Hints name COMMAND, such as `dursor run`. UsageError when it is missing, empty or ambiguous.
    """
    if text is not None and file is not None:
        raise UsageError(
            "TEXT cannot be combined with --instruction-file",
            hint=f"{command} --instruction-file {file}",
        )
    instruction = _read(text, file, command).strip("\n")
    if not instruction.strip():
        raise UsageError("the instruction is empty", hint=f'{command} "Fix the failing test"')
    return instruction


def _read(text: str | None, file: Path | None, command: str) -> str:
    if file is not None:
        return decode(read_file(file), str(file))
    if text == STDIN:
        return decode(read_stdin(), "stdin")
    if text is not None:
        return _decode_argument(text, "TEXT")
    hint = f'{command} "Fix the failing test"'
    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        from dursor.cli.input.editor import edit

        return edit(hint)
    raise UsageError("TEXT is missing, and there is no terminal for an editor", hint=hint)


def read_argument(text: str, name: str, hint: str = "dursor task --help") -> str:
    """Read a short text called NAME from an argument, or from stdin for `-`."""
    value = decode(read_stdin(), "stdin") if text == STDIN else _decode_argument(text, name)
    if not value.strip():
        raise UsageError(f"{name} is empty", hint=hint)
    return value.strip()


def _decode_argument(text: str, name: str) -> str:
    return decode(text.encode("utf-8", "surrogateescape"), name)


def read_stdin(max_bytes: int = -1) -> bytes:
    """Read stdin to its end, or at most MAX_BYTES."""
    return b"" if sys.stdin is None else sys.stdin.buffer.read(max_bytes)


def read_file(path: Path) -> bytes:
    """Read PATH; UsageError when it is not readable."""
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
        raise UsageError(f"{source} is not text: it contains a NUL character")
    return text.replace("\r\n", "\n").removeprefix("\ufeff")
