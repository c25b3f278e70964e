"""Rounds in processes of their own: side by side, canceled, interrupted, killed, detached."""

import json
import signal
import time
from collections.abc import Callable

import psutil
from front import DIFF, KEYS, Front
from vendors import streams
from vendors.server import Action, Script

SLOW = [*streams.responses(DIFF)[:4], Action.HOLD]


def listed(front: Front, *words: str) -> list[dict[str, str]]:
    items: list[dict[str, str]] = front("run", "list", *words, "--json").data["items"]
    return items


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.05)  # another process works


def holding(front: Front, models: int) -> None:
    """Wait until every model has been asked and its stream is open."""
    assert front.server.wait_for(lambda server: len(server.requests) == models, 10)


def test_two_rounds_at_once_share_a_store(front: Front):
    front.answers(DIFF)

    both = [front.start("run", "append a line", "-m", "gpt:5", "--json") for _ in range(2)]
    outs = [json.loads(process.communicate(timeout=30)[0]) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert {out["status"] for out in outs} == {"ok"}
    assert len({run["id"] for run in listed(front, "--limit", "50")}) == 10


def test_cancel_from_another_process_stops_one_run(front: Front):
    front.on("gpt", Script(SLOW))
    front.answers(DIFF, models=["claude"])
    round_ = front.start("run", "append a line", "-m", "gpt", "-m", "claude", "--json")
    holding(front, 2)
    until(lambda: listed(front, "--status", "succeeded"))
    (running,) = listed(front, "--status", "running")

    asked = time.monotonic()
    done = front.process("run", "cancel", running["id"][:8], "--json")
    out = json.loads(round_.communicate(timeout=15)[0])

    assert front.server.disconnects[0] - asked < 2  # the command itself starts within this, too
    assert [run["status"] for run in done.runs] == ["canceled"]
    assert [(run["model"], run["status"]) for run in out["data"]["runs"]] == [
        ("gpt", "canceled"),
        ("claude", "succeeded"),
    ]
    assert out["data"]["runs"][0]["error"] is None
    assert round_.returncode == 0


def test_the_server_sees_a_canceled_stream_close_within_a_second(front: Front):
    front.on("gpt", Script(SLOW))
    round_ = front.start("run", "append a line", "-m", "gpt", "--json")
    holding(front, 1)
    until(lambda: listed(front, "--status", "running"))
    (running,) = listed(front, "--status", "running")

    asked = time.monotonic()
    front("run", "cancel", running["id"], "--json")
    round_.communicate(timeout=15)

    assert front.server.disconnects[0] - asked < 1
    assert round_.returncode == 130


def test_a_killed_round_is_found_interrupted(front: Front):
    front.on("gpt", Script(SLOW))
    round_ = front.start("run", "append a line", "-m", "gpt:3", "--jobs", "2")
    holding(front, 2)

    round_.send_signal(signal.SIGKILL)
    round_.communicate(timeout=10)

    for run in listed(front):
        assert run["status"] == "failed"
        assert run["error"]["code"] == "interrupted"
    assert len(listed(front)) == 3
    assert listed(front, "--status", "running") == listed(front, "--status", "queued") == []


def test_ctrl_c_cancels_every_run(front: Front):
    front.on("gpt", Script(SLOW))
    front.on("claude", Script(SLOW))
    round_ = front.start("run", "append a line", "-m", "gpt", "-m", "claude", "--json")
    holding(front, 2)
    until(lambda: len(listed(front, "--status", "running")) == 2)

    round_.send_signal(signal.SIGINT)
    out, err = round_.communicate(timeout=10)

    assert round_.returncode == 130
    assert [run["status"] for run in json.loads(out)["data"]["runs"]] == ["canceled"] * 2
    assert "Traceback" not in err
    assert [(run["status"], run["error"]) for run in listed(front)] == [("canceled", None)] * 2
    assert front.server.wait_for(lambda server: len(server.disconnects) == 2)


def test_a_detached_round_goes_on_and_can_be_watched(front: Front):
    front.answers(DIFF, models=["gpt"])
    stream = streams.messages(DIFF)
    front.on("claude", Script([*stream[:4], 1.0, *stream[4:]]))

    detached = front.process(
        "run", "append a line", "-m", "gpt", "-m", "claude", "--detach", "--json"
    )
    ids = [run["id"] for run in detached.runs]
    watched = front("run", "watch", *ids, "--json")

    assert detached.exit_code == 0
    assert {run["status"] for run in detached.runs} == {"queued"}
    assert [run["status"] for run in watched.data["runs"]] == ["succeeded", "succeeded"]
    assert [run["id"] for run in watched.data["runs"]] == ids


def test_a_detached_round_can_be_canceled_and_holds_no_key(front: Front):
    front.on("gpt", Script(SLOW))
    detached = front.process("run", "append a line", "-m", "gpt", "--detach", "--json")
    (run,) = detached.runs
    holding(front, 1)
    (worker,) = [one for one in psutil.process_iter() if _is_worker(one, front)]
    seen = " ".join(worker.cmdline()) + " ".join(worker.environ().values())

    done = front("run", "cancel", run["id"], "--json")

    assert all(key not in seen for key in KEYS.values())
    assert [one["status"] for one in done.data["runs"]] == ["canceled"]
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running()


def _is_worker(process: psutil.Process, front: Front) -> bool:
    try:
        return "dursor.worker" in process.cmdline() and process.cwd() == str(front.repo)
    except psutil.Error:  # it ended meanwhile
        return False


def test_logs_follow_a_run_to_its_end(front: Front):
    stream = streams.responses(DIFF)
    front.on("gpt", Script([*stream[:5], 0.5, *stream[5:]]))
    (run,) = front.process("run", "append a line", "-m", "gpt", "--detach", "--json").runs

    done = front("run", "logs", run["id"], "--follow", "--json")

    assert [entry["stage"] for entry in done.data["items"]][-1] == "finish"


def test_a_repository_cannot_put_its_own_modules_into_the_worker(front: Front):
    trap = front.home / "imported"
    (front.repo / "asyncio.py").write_text(f"open({str(trap)!r}, 'w')\n")
    (front.repo / "httpx.py").write_text(f"open({str(trap)!r}, 'w')\n")
    front.answers(DIFF, models=["gpt"])

    (run,) = front("run", "append a line", "-m", "gpt", "--detach", "--json").runs
    front("run", "watch", run["id"])

    assert [one["status"] for one in listed(front)] == ["succeeded"]
    assert not trap.exists()
