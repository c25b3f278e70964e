"""A user's clone of a repository on a GitHub of real parts, and dursor in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import repos
from front import README, Done, Front, appending
from hub import Hub, Pull, Repo

FILES = {"README.md": README, "calc.py": "def add(a, b):\n    return a - b\n"}


@dataclass
class Lab:
    """dursor, the user's clone, and the repository on GitHub it came from."""

    front: Front
    hub: Hub
    remote: Repo

    def __call__(self, *words: str, **options: Any) -> Done:
        """Run dursor with --json in the user's clone."""
        return self.front(*words, "--json", **options)

    def good(self, *words: str, **options: Any) -> dict[str, Any]:
        """Run dursor, which must succeed, and give its data."""
        done = self(*words, **options)
        assert (done.exit_code, done.json["errors"]) == (0, []), done
        return done.data

    def refused(self, *words: str, **options: Any) -> dict[str, Any]:
        """Run dursor, which must fail, and give its error with the exit code."""
        done = self(*words, **options)
        assert done.exit_code != 0, done
        return {**done.json["errors"][0], "exit": done.exit_code}

    def run(self, reply: str | None = None, *words: str, text: str = "append a line") -> Any:
        """A round of gpt with REPLY; its one run."""
        run = self.ask(reply or appending("line 4", "line 3"), *words, text=text)
        assert run["status"] == "succeeded", run
        return run

    def ask(self, reply: str, *words: str, text: str = "append a line") -> Any:
        """A round of gpt, which answers REPLY; its one run, however it ended."""
        self.front.server._routes.clear()
        self.front.answers(reply, models=["gpt"])
        (run,) = self.front.round(text, "-m", "gpt", *words).runs
        return run

    def open(self, *words: str, reply: str | None = None) -> tuple[Any, Any]:
        """A run and the pull request made of it."""
        run = self.run(reply)
        return run, self.good("pr", "create", "--run", run["id"], *words)

    @property
    def pull(self) -> Pull:
        """The only pull request there is."""
        (pull,) = self.remote.pulls.values()
        return pull

    def log(self, branch: str, form: str = "%s") -> list[str]:
        """The commits of BRANCH on GitHub, newest first."""
        return self.remote.git("log", f"--format={form}", f"refs/heads/{branch}").split("\n")


def clone(remote: Repo, url: str, top: Path) -> Path:
    """A user's clone of REMOTE at TOP, with URL as its origin."""
    repos.git(top.parent, "clone", "-q", str(remote.path), str(top))
    repos.git(top, "remote", "set-url", "origin", url)
    return top
