"""A GitHub double on loopback: bare repositories behind `git http-backend`, and the REST API.

    with Hub(tmp_path / "hub") as hub:
        repo = hub.repo("ada/lib", files={"a.py": "1\\n"})
        token = hub.token("ada")
        ... point something at hub.env(token) ...
        assert hub.violations == []

It refuses everything that GitHub refuses, in the same way. Requests that GitHub merely tolerates
are recorded in `violations`.
"""

from hub.server import Hub
from hub.state import Pull, Repo

__all__ = ["Hub", "Pull", "Repo"]
