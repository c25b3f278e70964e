"""Changing one value of a TOML file, and not a byte besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


def set_value(
    text: str, known: Mapping[str, Any], path: tuple[str, ...], value: Any, file: Path
) -> bytes:
    """Give TEXT (which parses to KNOWN) with VALUE at PATH; None takes it away.

    UsageError when the file is written in a way that cannot be changed safely.
    """
    import tomllib

    pieces = list(_pieces(text))
    changed = _replaced(pieces, path, value)
    if changed is None:
        changed = pieces if value is None else _inserted(pieces, path, value)
    after = "".join(changed)
    try:
        right = tomllib.loads(after) == _expected(known, path, value)
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise UsageError(f"{file} is written in a way that only you can change: edit it by hand")
    return after.encode()


def _pieces(text: str) -> Iterator[str]:
    """Cut TEXT into its statements, each of whole lines and valid by itself."""
    import tomllib

    piece = ""
    for line in text.splitlines(keepends=True):
        piece += line
        try:
            tomllib.loads(piece)
        except tomllib.TOMLDecodeError:
            continue  # a value that goes on in the next line
        yield piece
        piece = ""
    if piece:
        yield piece


def _places(pieces: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Give for each piece its index, the table it stands in, and the path it names or sets."""
    import tomllib

    table: tuple[str, ...] = ()
    for index, piece in enumerate(pieces):
        path = _first_path(tomllib.loads(piece))
        if piece.lstrip().startswith("["):
            table = path
            yield index, table, table
        else:
            yield index, table, (*table, *path)


def _first_path(parsed: Any) -> tuple[str, ...]:
    path = []
    while isinstance(parsed, dict) and len(parsed) == 1:
        ((name, parsed),) = parsed.items()
        path.append(name)
    return tuple(path)


def _replaced(pieces: Sequence[str], path: tuple[str, ...], value: Any) -> list[str] | None:
    for index, table, at in _places(pieces):
        if at == path and at != table:
            left = pieces[index].split("=", 1)[0].rstrip()
            new = [] if value is None else [f"{left} = {_toml(value)}{_comment(pieces[index])}"]
            return [*pieces[:index], *new, *pieces[index + 1 :]]
    return None


def _comment(piece: str) -> str:
    """Give what follows the value of a one-line statement: its comment and its line end."""
    import tomllib

    line = piece.rstrip("\r\n")
    end = piece[len(line) :]
    if "\n" in line:
        return end
    start = line.find("#")
    while start != -1:
        try:
            if tomllib.loads(line[:start]) == tomllib.loads(line):
                return f"  {line[start:]}{end}"
        except tomllib.TOMLDecodeError:
            pass  # a "#" inside a string
        start = line.find("#", start + 1)
    return end


def _inserted(pieces: Sequence[str], path: tuple[str, ...], value: Any) -> list[str]:
    """Put a new line at the end of its table, which is made where it is missing."""
    line = f"{path[-1]} = {_toml(value)}\n"
    table = path[:-1]
    inside = [i for i, at, _ in _places(pieces) if at == table and _says_something(pieces[i])]
    if inside:
        position = max(inside) + 1
    elif table:
        position, line = len(pieces), f"\n[{'.'.join(map(_name, table))}]\n{line}"
    else:
        position = _before_tables(pieces)
    before = list(pieces[:position])
    if before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return [*before, line, *pieces[position:]]


def _says_something(piece: str) -> bool:
    return bool(piece.strip()) and not piece.lstrip().startswith("#")


def _before_tables(pieces: Sequence[str]) -> int:
    """Find the place before the first table and the comment that stands on it."""
    position = next((i for i, one in enumerate(pieces) if one.startswith("[")), len(pieces))
    while 0 < position < len(pieces) and pieces[position - 1].startswith("#"):
        position -= 1
    return position


def _expected(known: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *rest = path
    new = dict(known) if isinstance(known, dict) else {}
    if rest:
        new[name] = _expected(new.get(name), tuple(rest), value)
    elif value is None:
        new.pop(name, None)
    else:
        new[name] = list(value) if isinstance(value, tuple) else value
    return new


def _name(name: str) -> str:
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isalnum() and bare.isascii() else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return f'"{"".join(map(_escaped, value))}"'
    return repr(value)


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"
