"""Completes a word for a shell: `_DURSOR_COMPLETE=complete_bash dursor`.

bash and zsh pass COMP_WORDS, a word a line, and COMP_CWORD; fish passes its line as COMP_LINE.
The output is a completion a line: for zsh `word:description`, for fish with a tab between; or the
single line `<files>`, which makes the shell complete file names.
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
from dursor.cli.output.terminal import to_one_line
from dursor.errors import DursorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typer._click.core import Command
    from typer._click.shell_completion import CompletionItem


def run_completion(root: Command, instruction: str, extra: Mapping[str, Any]) -> int:
    """Follow INSTRUCTION, `complete_SHELL` or `source_SHELL`, and return the exit code."""
    verb, _, shell = instruction.partition("_")
    if verb == "source":
        from dursor.cli.completion import shells

        sys.stdout.write(shells.find_shell(shell).script)
        return 0
    format_item = FORMATTERS.get(shell)
    if verb != "complete" or format_item is None:
        return 1
    words, incomplete = _split_words(os.environ)
    option, equals, _ = incomplete.partition("=") if incomplete.startswith("--") else ("", "", "")
    finder = CompletionFinder(root, {**extra}, "dursor", "_DURSOR_COMPLETE")
    with suppress(DursorError):  # invalid words have no completions
        for item in finder.get_completions(words, incomplete):
            item.value = f"{option}{equals}{item.value}" if equals else item.value
            sys.stdout.write((FILES if item.help == FILES else format_item(item)) + "\n")
    return 0


class CompletionFinder(ShellComplete):
    """Typer's search for completions, without its own input and output.

    Those would import Rich, and let zsh evaluate the title of a task.
    """

    def source_vars(self) -> dict[str, Any]:
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        return _split_words(os.environ)

    def format_completion(self, item: CompletionItem) -> str:
        return str(item.value)


def _split_words(environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Split the command line into its complete words after `dursor` and the incomplete one."""
    line = environment.get("COMP_LINE")
    if line is not None:
        words = split_arg_string(line)
        is_open = bool(words) and not line[-1:].isspace()
        return (words[1:-1], words[-1]) if is_open else (words[1:], "")
    words = split_arg_string(environment.get("COMP_WORDS", ""))
    index = int(environment.get("COMP_CWORD", "0"))
    complete = [
        word
        for before, word in pairwise(words[:index])
        if not (word == "=" and before.startswith("--"))  # bash splits --model=gpt
    ]
    return complete, words[index] if index < len(words) else ""


def _format_bash(item: CompletionItem) -> str:
    return shlex.quote(item.value)


def _format_zsh(item: CompletionItem) -> str:
    value = item.value.replace("\\", "\\\\").replace(":", "\\:")
    return f"{value}:{to_one_line(item.help)}" if item.help else value


def _format_fish(item: CompletionItem) -> str:
    return f"{item.value}\t{to_one_line(item.help)}" if item.help else str(item.value)


FORMATTERS: dict[str, Callable[[CompletionItem], str]] = {
    "bash": _format_bash,
    "zsh": _format_zsh,
    "fish": _format_fish,
}
