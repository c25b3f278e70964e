"""dursor as a user runs it: with a home, a repository, keys in the environment and vendors on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import repos
from typer.testing import CliRunner
from vendors import streams
from vendors.server import ReceivedRequest, Script, ScriptedServer

KEYS = {
    "OPENAI_API_KEY": "sk-command-line-openai-1111",
    "ANTHROPIC_API_KEY": "sk-ant-command-line-anthropic-2222",
    "GEMINI_API_KEY": "AIza-command-line-gemini-3333",
}
VENDORS = {"gpt": "/responses", "claude": "/messages", "gemini": "GenerateContent"}
WIRES: dict[str, Callable[..., list[bytes]]] = {
    "gpt": streams.responses,
    "claude": streams.messages,
    "gemini": streams.gemini,
}
README = "line 1\nline 2\nline 3\n"
DIFF = """Appended a line.

```diff
--- a/README.md
+++ b/README.md
@@ -2,2 +2,3 @@
 line 2
 line 3
+line 4
```
"""


def make_append_reply(line: str, after: str) -> str:
    """Return a reply that appends LINE to README.md after its last line AFTER."""
    return (
        f"Appended {line}.\n\n```diff\n--- a/README.md\n+++ b/README.md\n"
        f"@@ -1,1 +1,2 @@\n {after}\n+{line}\n```\n"
    )


@dataclass(frozen=True)
class Outcome:
    """The result of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The envelope."""
        envelope: dict[str, Any] = json.loads(self.stdout)
        return envelope

    @property
    def data(self) -> dict[str, Any]:
        """The envelope's data."""
        data: dict[str, Any] = self.json["data"]
        return data

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The runs of a round."""
        runs: list[dict[str, Any]] = self.data["runs"]
        return runs


@dataclass
class CommandLine:
    """Runs dursor in a repository, in this process or another."""

    home: Path
    repo: Path
    server: ScriptedServer
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of a command."""
        url = self.server.url
        base = {
            "OPENAI_BASE_URL": f"{url}/v1",
            "ANTHROPIC_BASE_URL": url,
            "GOOGLE_GEMINI_BASE_URL": url,
            "DURSOR_DATA_DIR": str(self.data),
            "DURSOR_CONFIG_DIR": str(self.home / "config"),
            "DURSOR_KEY_STORE": "file",
            "NO_COLOR": "1",
        }
        return repos.environment(self.home) | KEYS | base | self.extra

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "data"

    def __call__(self, *words: str, input: str | None = None, cwd: Path | None = None) -> Outcome:
        """Run dursor in this process."""
        from dursor.app import App
        from dursor.cli.root import app as command

        env = self.env
        with App(env, cwd or self.repo) as app:
            saved = {name: None for name in os.environ if name not in env}
            done = CliRunner().invoke(command, list(words), input=input, obj=app, env=saved | env)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    def run_round(self, text: str = "append a line", *words: str) -> Outcome:
        """Run a round with --json."""
        return self("run", text, *words, "--json")

    def run_process(
        self, *words: str, input: str = "", cwd: Path | None = None, timeout: float = 30
    ) -> Outcome:
        """Run dursor in another process."""
        done = subprocess.run(
            [sys.executable, "-m", "dursor", *words],
            env=self.env,
            cwd=cwd or self.repo,
            input=input,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start dursor in another process."""
        return subprocess.Popen(
            [sys.executable, "-m", "dursor", *words],
            env=self.env,
            cwd=self.repo,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def reply_with(self, *replies: str, models: Sequence[str] = tuple(VENDORS)) -> None:
        """Script every model of MODELS with REPLIES in turn; the last one repeats."""
        for model in models:
            scripts = [Script(WIRES[model](reply)) for reply in replies]
            self.server.script(VENDORS[model], *scripts)

    def script(self, model: str, *scripts: Script | Callable[[ReceivedRequest], Script]) -> None:
        """Script one vendor."""
        self.server.script(VENDORS[model], *scripts)

    def configure(self, **values: Any) -> None:
        """Set configuration values through the environment."""
        self.extra |= {f"DURSOR_{name.upper()}": str(value) for name, value in values.items()}

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that reached the vendors."""
        return list(self.server.requests)


def turns(request: ReceivedRequest) -> list[tuple[str, str]]:
    """Return the conversation of a request to any vendor: (role, text) in order.

    Tool calls and their results have no text; those without a role are left out.
    """
    body: Mapping[str, Any] = request.json
    if "contents" in body:
        names = {"model": "assistant"}
        return [
            (names.get(turn["role"], turn["role"]), _text(turn["parts"]))
            for turn in body["contents"]
        ]
    turns = body.get("input") or body["messages"]
    return [(turn["role"], _text(turn["content"])) for turn in turns if "role" in turn]


def _text(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)
