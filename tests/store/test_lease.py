"""A lease lives exactly as long as the process that holds it."""

import os
import signal
import subprocess
import sys

import pytest

from dursor.errors import InternalError
from dursor.store.lease import Lease, find_dead, is_alive, sweep

HOLDER = """
import sys, pathlib
from dursor.store.lease import Lease
lease = Lease.acquire(pathlib.Path(sys.argv[1]))
print(lease.id, flush=True)
sys.stdin.read()
"""
ADOPTER = """
import sys, pathlib
from dursor.store.lease import Lease
lease = Lease.adopt(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
print("ready", flush=True)
sys.stdin.read()
lease.release()
"""


def start(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def leases(tmp_path):
    return tmp_path / "data" / "leases"


def test_lease_is_alive_until_it_is_released(leases):
    lease = Lease.acquire(leases)
    assert is_alive(leases, lease.id)
    assert [file.name for file in leases.iterdir()] == [f"{lease.id}.lock"]
    lease.release()
    assert not is_alive(leases, lease.id)
    assert list(leases.iterdir()) == []


def test_killed_process_loses_its_lease(leases):
    with start(HOLDER, leases) as holder:
        lease_id = holder.stdout.readline().strip()
        assert is_alive(leases, lease_id)
        assert is_alive(leases, lease_id)  # checking does not take the lock
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not is_alive(leases, lease_id)


def test_child_adopts_the_lease_of_its_parent(leases):
    lease = Lease.acquire(leases)
    arguments = (leases, lease.id, lease.fileno())
    with start(ADOPTER, *arguments, pass_fds=[lease.fileno()]) as adopter:
        lease.hand_over()
        assert adopter.stdout.readline() == "ready\n"
        assert is_alive(leases, lease.id)
        adopter.stdin.close()
        adopter.wait()
        assert not is_alive(leases, lease.id)
    assert list(leases.iterdir()) == []


def test_other_children_do_not_inherit_a_lease(leases):
    lease = Lease.acquire(leases)
    with start("print('ready', flush=True); input()", close_fds=False) as child:
        assert child.stdout.readline() == "ready\n"
        lease.release()
        assert not is_alive(leases, lease.id)
        child.communicate("\n")


def test_acquiring_deletes_the_leases_of_dead_processes(leases):
    with start(HOLDER, leases) as holder:
        dead = holder.stdout.readline().strip()
        holder.kill()
    kept = Lease.acquire(leases)  # sweeps
    assert [file.name for file in leases.iterdir()] == [f"{kept.id}.lock"]
    sweep(leases)
    assert is_alive(leases, kept.id)
    assert not is_alive(leases, dead)
    kept.release()


def test_dead_leases_are_found(leases):
    mine = Lease.acquire(leases)
    lost = "e" * 32
    assert find_dead(leases, [mine.id, lost, None]) == {lost, None}
    assert find_dead(leases, []) == set()
    mine.release()
    assert find_dead(leases, [mine.id, lost, None]) == {mine.id, lost, None}


def test_unknown_lease_is_dead_even_without_a_folder(leases):
    assert not is_alive(leases, "e" * 32)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\0"])
def test_invalid_lease_id_is_refused(leases, name):
    with pytest.raises(InternalError):
        is_alive(leases, name)


def test_error_names_a_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InternalError, match="data/leases"):
        Lease.acquire(tmp_path / "data" / "leases")


def test_sweeping_keeps_the_leases_of_live_processes(leases):
    from concurrent.futures import ThreadPoolExecutor

    def hold(_):
        lease = Lease.acquire(leases)
        for _ in range(3):
            sweep(leases)
            assert is_alive(leases, lease.id)
        lease.release()
        return lease.id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(hold, range(200)))) == 200
    assert list(leases.iterdir()) == []


def test_error_names_a_folder_in_place_of_a_lease(leases):
    (leases / f"{'e' * 32}.lock").mkdir(parents=True)
    with pytest.raises(InternalError, match="cannot open"):
        is_alive(leases, "e" * 32)
    Lease.acquire(leases).release()


def test_processes_acquire_leases_at_once(leases):
    holders = [start(HOLDER, leases) for _ in range(4)]
    ids = [holder.stdout.readline().strip() for holder in holders]
    assert len(set(ids)) == 4
    assert all(is_alive(leases, lease_id) for lease_id in ids)
    for holder in holders:
        with holder:
            os.kill(holder.pid, signal.SIGKILL)
    assert not any(is_alive(leases, lease_id) for lease_id in ids)
