from pathlib import Path

import pytest
from command_line import CommandLine
from github_project import FILES, GitHubProject, clone
from hub import Hub
from vendors.server import ScriptedServer


@pytest.fixture
def project(tmp_path: Path, server: ScriptedServer, hub: Hub) -> GitHubProject:
    """dursor in a clone of ada/lib, signed in with a token."""
    remote = hub.repo("ada/lib", FILES)
    home = tmp_path / "home"
    home.mkdir()
    top = clone(remote, f"{hub.url}/ada/lib.git", tmp_path / "project")
    cli = CommandLine(home, top, server, extra=hub.env(hub.token("ada")))
    return GitHubProject(cli, hub, remote)
