"""A GitHub of real parts on loopback: bare repositories behind `git http-backend`, and its REST API.

    with Hub(tmp_path / "hub") as hub:
        repo = hub.repo("ada/lib", files={"a.py": "1\\n"})
        token = hub.token("ada")
        ... point something at hub.env(token) ...
        assert hub.violations == []

Whatever GitHub would refuse is refused as GitHub does it; whatever it would merely tolerate is
written down in `violations`.
"""

from hub.server import Hub
from hub.state import Pull, Repo

__all__ = ["Hub", "Pull", "Repo"]
