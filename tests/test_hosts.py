from dursor.hosts import is_loopback


def test_loopback():
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.8.9.1", "::1"]))
    others = ["api.openai.com", "10.0.0.1", "0.0.0.0", "localhost.evil.com", "localhost.x", "::2"]
    assert not any(map(is_loopback, others))
