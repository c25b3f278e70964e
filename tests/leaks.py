"""Searches for keys where none may be: files, SQLite, output and process arguments."""

import base64
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import psutil
from command_line import KEYS, CommandLine, Outcome


def spellings(key: str) -> list[bytes]:
    """Return KEY as it could occur: plain, without its ends, in Base64, in a URL, in JSON."""
    raw = key.encode()
    encoded = [base64.b64encode(raw).rstrip(b"=")[:-1], base64.urlsafe_b64encode(raw)[:-4]]
    return [raw, raw[3:-2], *encoded, quote(key, safe="").encode(), json.dumps(key).encode()]


def find(data: bytes, keys: Iterable[str] = KEYS.values()) -> list[str]:
    """Return the KEYS that DATA contains."""
    return [key for key in keys if any(spelling in data for spelling in spellings(key))]


def processes() -> bytes:
    """Return the arguments of every visible process of this machine."""
    arguments = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    return "\n".join(map(" ".join, arguments)).encode("utf-8", "replace")


def rows(database: Path) -> bytes:
    """Dump DATABASE as text."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def everywhere(cli: CommandLine, *done: Outcome) -> dict[str, bytes]:
    """Return everything that could contain a key after commands, by name."""
    files = {str(path): path.read_bytes() for path in cli.home.rglob("*") if path.is_file()}
    output = {f"output {i}": (d.stdout + d.stderr).encode() for i, d in enumerate(done)}
    database = cli.data / "dursor.db"
    stored = {"rows": rows(database)} if database.exists() else {}
    return {**files, **output, **stored, "arguments": processes()}


def check(cli: CommandLine, *done: Outcome, keys: Iterable[str] = KEYS.values()) -> None:
    """Fail if any of KEYS is found."""
    keys = list(keys)
    leaks = {
        name: matches
        for name, data in everywhere(cli, *done).items()
        if (matches := find(data, keys))
    }
    assert not leaks, leaks
