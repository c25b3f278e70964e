"""Answers to a shell that completes a word: `_DURSOR_COMPLETE=complete_bash dursor`.

bash and zsh give COMP_WORDS, a word a line, and COMP_CWORD; fish gives its line as COMP_LINE.
The answer is a candidate a line: for zsh `word:what it is`, for fish with a tab between; or one
line, `<files>`, where the shell is to offer its own.
"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from typer._click.shell_completion import ShellComplete, split_arg_string

from dursor.cli.completion.completions import FILES
from dursor.cli.output.terminal import one_line
from dursor.errors import DursorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typer._click.core import Command
    from typer._click.shell_completion import CompletionItem


def answer(root: Command, instruction: str, extra: Mapping[str, Any]) -> int:
    """Do what INSTRUCTION says: `complete_SHELL` or `source_SHELL`; returns the exit code."""
    verb, _, shell = instruction.partition("_")
    if verb == "source":
        from dursor.cli.completion import shells

        sys.stdout.write(shells.script(shell))
        return 0
    shown = FORMATS.get(shell)
    if verb != "complete" or shown is None:
        return 1
    words, incomplete = _words(os.environ)
    option, equals, _ = incomplete.partition("=") if incomplete.startswith("--") else ("", "", "")
    finder = Finder(root, {**extra}, "dursor", "_DURSOR_COMPLETE")
    with suppress(DursorError):  # words that lead nowhere: nothing to offer
        for item in finder.get_completions(words, incomplete):
            item.value = f"{option}{equals}{item.value}" if equals else item.value
            sys.stdout.write((FILES if item.help == FILES else shown(item)) + "\n")
    return 0


class Finder(ShellComplete):
    """Typer's search for candidates; its own input and output are not used.

    They would load Rich, and have zsh evaluate whatever a task's title holds.
    """

    def source_vars(self) -> dict[str, Any]:
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        return _words(os.environ)

    def format_completion(self, item: CompletionItem) -> str:
        return str(item.value)


def _words(environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Split what was typed into whole words, without the program's, and the one to complete."""
    line = environment.get("COMP_LINE")
    if line is not None:
        words = split_arg_string(line)
        open_word = bool(words) and not line[-1:].isspace()
        return (words[1:-1], words[-1]) if open_word else (words[1:], "")
    words = split_arg_string(environment.get("COMP_WORDS", ""))
    at = int(environment.get("COMP_CWORD", "0"))
    whole = [
        word
        for before, word in pairwise(words[:at])
        if not (word == "=" and before.startswith("--"))  # bash takes --model=gpt apart
    ]
    return whole, words[at] if at < len(words) else ""


def _bash(item: CompletionItem) -> str:
    return shlex.quote(item.value)


def _zsh(item: CompletionItem) -> str:
    value = item.value.replace("\\", "\\\\").replace(":", "\\:")
    return f"{value}:{one_line(item.help)}" if item.help else value


def _fish(item: CompletionItem) -> str:
    return f"{item.value}\t{one_line(item.help)}" if item.help else str(item.value)


FORMATS: dict[str, Callable[[CompletionItem], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
