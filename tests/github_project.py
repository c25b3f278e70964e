"""A user's clone of a repository on the GitHub double, and dursor in it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import repos
from command_line import README, CommandLine, Outcome, make_append_reply
from hub import Hub, Pull, Repo

FILES = {"README.md": README, "calc.py": "def add(a, b):\n    return a - b\n"}


@dataclass
class GitHubProject:
    """dursor, the user's clone, and its repository on GitHub."""

    cli: CommandLine
    hub: Hub
    remote: Repo

    def __call__(self, *words: str, **options: Any) -> Outcome:
        """Run dursor with --json in the user's clone."""
        return self.cli(*words, "--json", **options)

    def succeed(self, *words: str, **options: Any) -> dict[str, Any]:
        """Run dursor, which must succeed, and return its data."""
        done = self(*words, **options)
        assert (done.exit_code, done.json["errors"]) == (0, []), done
        return done.data

    def fail(self, *words: str, **options: Any) -> dict[str, Any]:
        """Run dursor, which must fail, and return its error with the exit code."""
        done = self(*words, **options)
        assert done.exit_code != 0, done
        return {**done.json["errors"][0], "exit": done.exit_code}

    def run(self, reply: str | None = None, *words: str, text: str = "append a line") -> Any:
        """Run a round of gpt with REPLY and return its run, which must succeed."""
        run = self.ask(reply or make_append_reply("line 4", "line 3"), *words, text=text)
        assert run["status"] == "succeeded", run
        return run

    def ask(self, reply: str, *words: str, text: str = "append a line") -> Any:
        """Run a round of gpt with REPLY and return its run."""
        self.cli.server._routes.clear()
        self.cli.reply_with(reply, models=["gpt"])
        (run,) = self.cli.run_round(text, "-m", "gpt", *words).runs
        return run

    def open_pr(self, *words: str, reply: str | None = None) -> tuple[Any, Any]:
        """Return a run and its pull request."""
        run = self.run(reply)
        return run, self.succeed("pr", "create", "--run", run["id"], *words)

    @property
    def pull(self) -> Pull:
        """The only pull request."""
        (pull,) = self.remote.pulls.values()
        return pull

    def log(self, branch: str, form: str = "%s") -> list[str]:
        """Return the commits of BRANCH on GitHub, newest first."""
        return self.remote.git("log", f"--format={form}", f"refs/heads/{branch}").split("\n")


CLONES: dict[str, dict[Path, bytes]] = {}  # files of a clone by its newest commit


def clone(remote: Repo, url: str, top: Path) -> Path:
    """Clone REMOTE to TOP with origin URL; git runs once per process."""
    tip = str(remote.head("main"))
    if tip not in CLONES:
        repos.git(top.parent, "clone", "-q", str(remote.path), str(top))
        files = [path for path in top.rglob("*") if path.is_file() and "hooks" not in path.parts]
        CLONES[tip] = {path.relative_to(top): path.read_bytes() for path in files}
    for name, content in CLONES[tip].items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(content)
    for part in ("hooks", "refs/tags", "objects/info", "objects/pack"):
        (top / ".git" / part).mkdir(parents=True, exist_ok=True)
    config = top / ".git/config"
    config.write_text(re.sub(r"(?m)^\turl = .*$", f"\turl = {url}", config.read_text()))
    return top
