"""Keys at work in real processes: not in arguments, output, logs, files, or a child's environment."""

import json
import re
import shutil
import sqlite3
import time
from pathlib import Path

import leaks
import repos
from command_line import DIFF, KEYS, VENDORS, CommandLine, turns
from vendors.faults import Fault, make_faults
from vendors.server import ReceivedRequest

PROVIDERS = ("openai", "anthropic", "google")
PASSPHRASE = "a passphrase that nobody may see"
SPY = """#!/bin/sh
{{ printf '%s\\n' "$@"; cat /proc/$$/environ 2>/dev/null || env; }} >> '{log}'
exec '{git}' "$@"
"""


def test_no_fault_shows_a_key_even_in_the_debug_log(cli: CommandLine):
    faults = make_faults(", ".join(KEYS.values()))
    cli.extra |= {
        "DURSOR_DEBUG": "1",
        "DURSOR_LOG_LEVEL": "debug",
        "DURSOR_ENCRYPTION_KEY": PASSPHRASE,
    }
    cli.configure(retries=1, first_byte_timeout=3, idle_timeout=3, timeout=20)
    words, expected = [], {}
    for number, fault in enumerate(faults.values()):
        name = f"fault-{number}"
        provider = PROVIDERS[number % 3]
        cli("models", "add", name, "--provider", provider, "--model", name)
        words += ["-m", name]
        expected[name] = fault
    cli.server.script("", lambda request: find_fault(request, expected).script(request.wire))

    process = cli.start("run", "append a line", *words, "--json")
    arguments = bytearray()
    while process.poll() is None:
        arguments += leaks.processes()
        time.sleep(0.2)
    out, err = process.communicate()

    codes = {run["model"]: run["error"]["code"] for run in json.loads(out)["data"]["runs"]}
    assert codes == {name: fault.code for name, fault in expected.items()}
    secrets = [*KEYS.values(), PASSPHRASE]
    assert b"dursor" in arguments
    assert leaks.find(bytes(arguments) + out.encode() + err.encode(), secrets) == []
    assert " DEBUG " in err
    leaks.check(cli, keys=secrets)


def find_fault(request: ReceivedRequest, faults: dict[str, Fault]) -> Fault:
    """Return the fault of the request's model, which Gemini's requests name in the path."""
    match = re.search(r"/models/([^:]+):", request.path)
    return faults[match[1] if match else request.json["model"]]


def test_git_gets_no_key(cli: CommandLine, tmp_path: Path):
    log, folder = tmp_path / "spied", tmp_path / "bin"
    folder.mkdir()
    spy = repos.Script(SPY.format(log=log, git=shutil.which("git")))
    repos.write(folder, {"git": spy})
    cli.extra |= {
        "PATH": f"{folder}:{cli.env['PATH']}",
        "DURSOR_ENCRYPTION_KEY": PASSPHRASE,
        "GH_TOKEN": "ghp_frontDoorToken1234567890",
        "AWS_SECRET_ACCESS_KEY": "front/door/secret/4444",
    }
    cli.reply_with(DIFF)

    done = cli.run_process("run", "append a line", "-m", "gpt", "--dirty", "--json")
    (run,) = done.runs
    for words in (("run", "apply", run["id"], "--branch", "new", "--commit"), ("doctor",)):
        cli.run_process(*words)

    spied = log.read_bytes()
    assert (cli.repo / "README.md").read_text().endswith("line 4\n")
    assert b"cat-file" in spied
    assert b"PATH=" in spied
    names = ("GH_TOKEN", "AWS_SECRET_ACCESS_KEY", "DURSOR_ENCRYPTION_KEY", *KEYS)
    assert leaks.find(spied, [*KEYS.values(), *(cli.env[name] for name in names)]) == []


def test_a_reply_that_quotes_keys_is_stored_without_them(cli: CommandLine):
    reply = "You asked with " + " and ".join(KEYS.values()) + ".\n\n" + DIFF
    cli.reply_with(reply)

    done = cli.run_round("append a line", *(w for model in VENDORS for w in ("-m", model)))
    cli("run", "show", done.runs[0]["id"], "--json")

    assert {run["status"] for run in done.runs} == {"succeeded"}
    assert all("[redacted]" in run["summary"] for run in done.runs)
    leaks.check(cli, done)
    connection = sqlite3.connect(cli.data / "dursor.db")
    messages = connection.execute(
        "SELECT content FROM messages WHERE role = 'assistant'"
    ).fetchall()
    connection.close()
    assert len(messages) == 3


def test_a_key_in_an_instruction_is_neither_sent_nor_stored(cli: CommandLine):
    cli.reply_with(DIFF)
    key, token = KEYS["ANTHROPIC_API_KEY"], "ghp_" + "1aB2cD3eF4gH5iJ6" * 2

    done = cli.run_round(f"append a line; {key} fails with {token}", "-m", "gpt")
    task = done.data["task"]["id"]
    cli("task", "say", task, f"my key is {key}")
    cli("task", "rename", task, f"the task of {key}")
    again = cli.run_round("append a line", "-m", "gpt", "--task", task)

    assert done.exit_code == again.exit_code == 0
    assert "append a line; [redacted] fails with [redacted]" in done.runs[0]["instruction"]
    assert any("secret" in warning for warning in done.runs[0]["warnings"])
    assert leaks.find(b"".join(request.body for request in cli.requests), [key, token]) == []
    leaks.check(cli, done, again, keys=[key, token])


def test_an_ordinary_instruction_is_sent_unchanged(cli: CommandLine):
    text = "rename `api_key` to `key`; keep Bearer and sk- as they are"
    cli.reply_with(DIFF)

    (run,) = cli.run_round(text, "-m", "gpt").runs

    assert (run["instruction"], run["warnings"]) == (text, [])
    assert text in turns(cli.requests[0])[0][1]
