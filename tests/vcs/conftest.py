import pytest
import repos


@pytest.fixture(autouse=True)
def hermetic(monkeypatch, tmp_path_factory):
    """Give the code under test nothing of this machine's git configuration."""
    repos.isolate(monkeypatch, tmp_path_factory.mktemp("home"))
