"""What the commits of a branch say, read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.vcs.command import decode

if TYPE_CHECKING:
    from dursor.vcs.companion import Companion


def messages(companion: Companion, head: str, limit: int) -> list[str]:
    """Read the messages of HEAD and its first parents, newest first, at most LIMIT."""
    output = companion.command.run(
        *("log", "--first-parent", "-z", "--format=%B", "--no-mailmap", "--no-show-signature"),
        *("--encoding=UTF-8", f"--max-count={limit}", head, "--"),
    )
    return decode(output.out).split("\0")
