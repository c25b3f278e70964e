"""Rounds in separate processes: concurrent, canceled, interrupted, killed, detached."""

import json
import signal
import time
from collections.abc import Callable

import psutil
from command_line import DIFF, KEYS, CommandLine
from vendors import streams
from vendors.server import Action, Script

SLOW = [*streams.responses(DIFF)[:4], Action.HOLD]


def list_runs(cli: CommandLine, *words: str) -> list[dict[str, str]]:
    items: list[dict[str, str]] = cli("run", "list", *words, "--json").data["items"]
    return items


def wait_until(holds: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)  # another process works


def wait_for_streams(cli: CommandLine, models: int) -> None:
    """Wait until every model has been asked and its stream is open."""
    assert cli.server.wait_for(lambda server: len(server.requests) == models, 10)


def test_two_rounds_at_once_share_a_store(cli: CommandLine):
    cli.reply_with(DIFF)

    both = [cli.start("run", "append a line", "-m", "gpt:5", "--json") for _ in range(2)]
    outs = [json.loads(process.communicate(timeout=30)[0]) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert {out["status"] for out in outs} == {"ok"}
    assert len({run["id"] for run in list_runs(cli, "--limit", "50")}) == 10


def test_cancel_from_another_process_stops_one_run(cli: CommandLine):
    cli.script("gpt", Script(SLOW))
    cli.reply_with(DIFF, models=["claude"])
    round_ = cli.start("run", "append a line", "-m", "gpt", "-m", "claude", "--json")
    wait_for_streams(cli, 2)
    wait_until(lambda: list_runs(cli, "--status", "succeeded"))
    (running,) = list_runs(cli, "--status", "running")

    asked = time.monotonic()
    done = cli.run_process("run", "cancel", running["id"][:8], "--json")
    out = json.loads(round_.communicate(timeout=15)[0])

    assert cli.server.disconnects[0] - asked < 2  # the command itself starts within this, too
    assert [run["status"] for run in done.runs] == ["canceled"]
    assert [(run["model"], run["status"]) for run in out["data"]["runs"]] == [
        ("gpt", "canceled"),
        ("claude", "succeeded"),
    ]
    assert out["data"]["runs"][0]["error"] is None
    assert round_.returncode == 0


def test_the_server_sees_a_canceled_stream_close_within_a_second(cli: CommandLine):
    cli.script("gpt", Script(SLOW))
    round_ = cli.start("run", "append a line", "-m", "gpt", "--json")
    wait_for_streams(cli, 1)
    wait_until(lambda: list_runs(cli, "--status", "running"))
    (running,) = list_runs(cli, "--status", "running")

    asked = time.monotonic()
    cli("run", "cancel", running["id"], "--json")
    round_.communicate(timeout=15)

    assert cli.server.disconnects[0] - asked < 1
    assert round_.returncode == 130


def test_a_killed_round_is_found_interrupted(cli: CommandLine):
    cli.script("gpt", Script(SLOW))
    round_ = cli.start("run", "append a line", "-m", "gpt:3", "--jobs", "2")
    wait_for_streams(cli, 2)

    round_.send_signal(signal.SIGKILL)
    round_.communicate(timeout=10)

    for run in list_runs(cli):
        assert run["status"] == "failed"
        assert run["error"]["code"] == "interrupted"
    assert len(list_runs(cli)) == 3
    assert list_runs(cli, "--status", "running") == list_runs(cli, "--status", "queued") == []


def test_ctrl_c_cancels_every_run(cli: CommandLine):
    cli.script("gpt", Script(SLOW))
    cli.script("claude", Script(SLOW))
    round_ = cli.start("run", "append a line", "-m", "gpt", "-m", "claude", "--json")
    wait_for_streams(cli, 2)
    wait_until(lambda: len(list_runs(cli, "--status", "running")) == 2)

    round_.send_signal(signal.SIGINT)
    out, err = round_.communicate(timeout=10)

    assert round_.returncode == 130
    assert [run["status"] for run in json.loads(out)["data"]["runs"]] == ["canceled"] * 2
    assert "Traceback" not in err
    assert [(run["status"], run["error"]) for run in list_runs(cli)] == [("canceled", None)] * 2
    assert cli.server.wait_for(lambda server: len(server.disconnects) == 2)


def test_a_detached_round_continues_and_can_be_watched(cli: CommandLine):
    cli.reply_with(DIFF, models=["gpt"])
    stream = streams.messages(DIFF)
    cli.script("claude", Script([*stream[:4], 1.0, *stream[4:]]))

    detached = cli.run_process(
        "run", "append a line", "-m", "gpt", "-m", "claude", "--detach", "--json"
    )
    ids = [run["id"] for run in detached.runs]
    watched = cli("run", "watch", *ids, "--json")

    assert detached.exit_code == 0
    assert {run["status"] for run in detached.runs} == {"queued"}
    assert [run["status"] for run in watched.data["runs"]] == ["succeeded", "succeeded"]
    assert [run["id"] for run in watched.data["runs"]] == ids


def test_a_detached_round_can_be_canceled_and_holds_no_key(cli: CommandLine):
    cli.script("gpt", Script(SLOW))
    detached = cli.run_process("run", "append a line", "-m", "gpt", "--detach", "--json")
    (run,) = detached.runs
    wait_for_streams(cli, 1)
    (worker,) = [one for one in psutil.process_iter() if _is_worker(one, cli)]
    seen = " ".join(worker.cmdline()) + " ".join(worker.environ().values())

    done = cli("run", "cancel", run["id"], "--json")

    assert all(key not in seen for key in KEYS.values())
    assert [one["status"] for one in done.data["runs"]] == ["canceled"]
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running()


def _is_worker(process: psutil.Process, cli: CommandLine) -> bool:
    try:
        return "dursor.worker" in process.cmdline() and process.cwd() == str(cli.repo)
    except psutil.Error:  # it ended meanwhile
        return False


def test_logs_follow_a_run_to_its_end(cli: CommandLine):
    stream = streams.responses(DIFF)
    cli.script("gpt", Script([*stream[:5], 0.5, *stream[5:]]))
    (run,) = cli.run_process("run", "append a line", "-m", "gpt", "--detach", "--json").runs

    done = cli("run", "logs", run["id"], "--follow", "--json")

    assert [entry["stage"] for entry in done.data["items"]][-1] == "finish"


def test_a_repository_cannot_put_its_own_modules_into_the_worker(cli: CommandLine):
    trap = cli.home / "imported"
    (cli.repo / "asyncio.py").write_text(f"open({str(trap)!r}, 'w')\n")
    (cli.repo / "httpx.py").write_text(f"open({str(trap)!r}, 'w')\n")
    cli.reply_with(DIFF, models=["gpt"])

    (run,) = cli("run", "append a line", "-m", "gpt", "--detach", "--json").runs
    cli("run", "watch", run["id"])

    assert [one["status"] for one in list_runs(cli)] == ["succeeded"]
    assert not trap.exists()
