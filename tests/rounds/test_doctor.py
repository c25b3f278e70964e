"""A look at a machine on which much is amiss."""

from front import Front


def test_everything_is_looked_at_even_where_the_store_is_damaged(front: Front):
    front.data.mkdir()
    (front.data / "dursor.db").write_bytes(b"no database" * 1000)
    front.extra |= {"ANTHROPIC_BASE_URL": "nowhere", "DURSOR_TIMEOUT": "soon"}

    done = front("doctor", "--json")

    failed = {one["name"]: one["hint"] for one in done.data["checks"] if not one["ok"]}
    assert done.exit_code == 1
    assert {"config", "store", "keys", "network"} <= failed.keys()
    assert failed["store"].startswith(f"mv {front.data}/dursor.db ")
    assert failed["network"] == "unset ANTHROPIC_BASE_URL"
    assert [one["name"] for one in done.data["checks"]][-1] == "repository"
