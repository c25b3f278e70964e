"""What a branch may be called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.vcs.command import decode

if TYPE_CHECKING:
    from dursor.vcs.command import GitCommand

# Names that need no process to be known as good: no dot, nothing special, not `HEAD`.
PLAIN = re.compile(r"(?!HEAD\Z)[A-Za-z0-9_][A-Za-z0-9_-]*(?:/[A-Za-z0-9_][A-Za-z0-9_-]*)*")


def is_branch_name(command: GitCommand, name: str) -> bool:
    """Tell whether git takes NAME as it stands for a branch."""
    if PLAIN.fullmatch(name):
        return True
    output = command.run("check-ref-format", "--branch", name, ok=(0, 1, 128, 129))
    return name != "@" and output.status == 0 and decode(output.out).rstrip("\n") == name
