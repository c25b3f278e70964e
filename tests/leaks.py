"""Looks for keys where none may be: files, SQLite, output, the arguments of every process."""

import base64
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import psutil
from front import KEYS, Done, Front


def spellings(key: str) -> list[bytes]:
    """KEY as it could turn up: whole, without its ends, in Base64, in a URL, in JSON."""
    raw = key.encode()
    encoded = [base64.b64encode(raw).rstrip(b"=")[:-1], base64.urlsafe_b64encode(raw)[:-4]]
    return [raw, raw[3:-2], *encoded, quote(key, safe="").encode(), json.dumps(key).encode()]


def find(data: bytes, keys: Iterable[str] = KEYS.values()) -> list[str]:
    """The KEYS that DATA holds."""
    return [key for key in keys if any(one in data for one in spellings(key))]


def processes() -> bytes:
    """The arguments of every process of this machine that may be seen."""
    found = psutil.process_iter(["cmdline"])
    return "\n".join(" ".join(one.info["cmdline"] or ()) for one in found).encode(
        "utf-8", "replace"
    )


def rows(database: Path) -> bytes:
    """Everything that is in DATABASE, as text."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def everywhere(front: Front, *done: Done) -> dict[str, bytes]:
    """All that could hold a key after commands: name to content."""
    files = {str(path): path.read_bytes() for path in front.home.rglob("*") if path.is_file()}
    shown = {f"output {i}": (one.stdout + one.stderr).encode() for i, one in enumerate(done)}
    database = front.data / "dursor.db"
    stored = {"rows": rows(database)} if database.exists() else {}
    return {**files, **shown, **stored, "arguments": processes()}


def check(front: Front, *done: Done, keys: Iterable[str] = KEYS.values()) -> None:
    """Fail where one of KEYS is found."""
    listed = list(keys)
    found = {
        where: hits
        for where, data in everywhere(front, *done).items()
        if (hits := find(data, listed))
    }
    assert not found, found
