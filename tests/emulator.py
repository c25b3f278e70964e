"""llmock, a third-party emulator of the vendors' APIs, as a real process."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

CONTEXT_WINDOW = 2000  # tokens as llmock counts them: a quarter of the characters


class Emulator:
    """One llmock; `script` queues what it does to the next requests."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_urls = {
            "openai": f"{self.url}/v1",
            "anthropic": f"{self.url}/anthropic",
            "google": f"{self.url}/gemini",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        command = [str(Path(sys.executable).with_name("llmock")), "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, "--context-window", str(CONTEXT_WINDOW)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "NO_COLOR": "1"},
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "llmock ended as it started"
            try:
                self._call("GET", "/health")
            except OSError:
                time.sleep(0.05)  # it says nothing when it is ready, so it is asked
            else:
                return self
        raise TimeoutError("llmock did not start")

    def __exit__(self, *_: object) -> None:
        assert self._process
        self._process.kill()  # politely asked, it would wait for the answers that it holds back
        self._process.wait(10)

    def script(self, *behaviors: dict[str, Any]) -> None:
        """Queue BEHAVIORS; `times: None` holds for ever."""
        self._call("POST", "/_llmock/scenario", {"behaviors": list(behaviors)})

    def reset(self) -> None:
        """Forget every request and behaviour."""
        self._call("POST", "/_llmock/reset")

    def requests(self) -> list[dict[str, Any]]:
        """What was asked since the last reset."""
        listed: list[dict[str, Any]] = self._call("GET", "/_llmock/requests")["requests"]
        return listed

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            data = json.loads(response.read())
            assert response.status < 300, data
            return data
        finally:
            connection.close()
