"""A server, a client and endpoints for the tests of the providers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from vendors.server import ScriptedServer

from dursor.domain import Role, Secret
from dursor.providers.base import Endpoint, Prompt, Turn
from dursor.providers.client import ModelClient

HERE = Path(__file__).parent
KEY = "sk-test-0123456789abcdef"
PROVIDERS = {
    "responses": ("openai", "responses", "/v1"),
    "chat": ("openai", "chat", "/v1"),
    "messages": ("anthropic", None, ""),
    "gemini": ("google", None, ""),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a file in one event loop, so that they can share a client."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


class Endpoints:
    """Builds endpoints on the scripted server by wire format."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, wire: str, **changes: Any) -> Endpoint:
        provider, api, path = PROVIDERS[wire]
        endpoint = Endpoint(provider, "model-1", Secret(KEY), f"{self._url}{path}", api)
        return replace(endpoint, **changes)


@pytest.fixture
def endpoint(server: ScriptedServer) -> Endpoints:
    return Endpoints(server.url)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[ModelClient]:
    """Yield one client per file; its tests share the file's event loop."""
    client = ModelClient()
    yield client
    await client.aclose()


@pytest.fixture
def prompt() -> Prompt:
    return Prompt("You are exact.", (Turn(Role.USER, "Change the code."),))
