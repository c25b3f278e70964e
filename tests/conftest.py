"""Fixtures for every part; parts have their own beside their tests."""

from collections.abc import Iterator

import pytest
from emulator import Emulator


@pytest.fixture(scope="session")
def llmock_process() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def llmock(llmock_process: Emulator) -> Iterator[Emulator]:
    """llmock without any memory; takes the place of the fixture that its package brings."""
    llmock_process.reset()
    yield llmock_process
    llmock_process.reset()
