from pathlib import Path

import pytest
from front import Front
from hub import Hub
from lab import FILES, Lab, clone
from vendors.server import ScriptedServer


@pytest.fixture
def lab(tmp_path: Path, server: ScriptedServer, hub: Hub) -> Lab:
    """dursor in a clone of ada/lib, signed in with a token."""
    remote = hub.repo("ada/lib", FILES)
    home = tmp_path / "home"
    home.mkdir()
    top = clone(remote, f"{hub.url}/ada/lib.git", tmp_path / "project")
    front = Front(home, top, server, extra=hub.env(hub.token("ada")))
    return Lab(front, hub, remote)
