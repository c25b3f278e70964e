"""List the remotes of a repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.vcs.command import decode
from dursor.vcs.urls import strip_credentials

if TYPE_CHECKING:
    from dursor.vcs.repository import Repository

LINE = re.compile(r"([^\t]+)\t(.*) \(fetch\)(?: \[.*\])?")


def list_remotes(repo: Repository) -> dict[str, str]:
    """Map each remote's name to its URL without credentials; `origin` comes first."""
    listing = decode(repo.command.run("remote", "--verbose").out)
    matches = (LINE.fullmatch(line) for line in listing.splitlines())
    urls = {match[1]: strip_credentials(match[2]) for match in matches if match}
    return dict(sorted(urls.items(), key=lambda item: item[0] != "origin"))
