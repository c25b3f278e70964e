"""Change one value of a TOML file and keep every other byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


def set_value(
    text: str, known: Mapping[str, Any], path: tuple[str, ...], value: Any, file: Path
) -> bytes:
    """Return TEXT (which parses to KNOWN) with VALUE at PATH; None removes the value.

    UsageError if FILE cannot be changed safely.
    """
    import tomllib

    pieces = list(_split(text))
    changed = _replace(pieces, path, value)
    if changed is None:
        changed = pieces if value is None else _insert(pieces, path, value)
    after = "".join(changed)
    try:
        is_right = tomllib.loads(after) == _expect(known, path, value)
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise UsageError(f"cannot change {file} safely", hint=f"$EDITOR {file}")
    return after.encode()


def _split(text: str) -> Iterator[str]:
    """Split TEXT into its statements; each consists of whole lines and is valid TOML."""
    import tomllib

    piece = ""
    for line in text.splitlines(keepends=True):
        piece += line
        try:
            tomllib.loads(piece)
        except tomllib.TOMLDecodeError:
            continue  # the value continues in the next line
        yield piece
        piece = ""
    if piece:
        yield piece


def _locate(pieces: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Yield each piece's index, its table, and the path that it names or sets."""
    import tomllib

    table: tuple[str, ...] = ()
    for index, piece in enumerate(pieces):
        path = _find_path(tomllib.loads(piece))
        if piece.lstrip().startswith("["):
            table = path
            yield index, table, table
        else:
            yield index, table, (*table, *path)


def _find_path(parsed: Any) -> tuple[str, ...]:
    path = []
    while isinstance(parsed, dict) and len(parsed) == 1:
        ((name, parsed),) = parsed.items()
        path.append(name)
    return tuple(path)


def _replace(pieces: Sequence[str], path: tuple[str, ...], value: Any) -> list[str] | None:
    for index, table, place in _locate(pieces):
        if place == path and place != table:
            left = pieces[index].split("=", 1)[0].rstrip()
            new = (
                [] if value is None else [f"{left} = {_dump(value)}{_find_comment(pieces[index])}"]
            )
            return [*pieces[:index], *new, *pieces[index + 1 :]]
    return None


def _find_comment(piece: str) -> str:
    """Return the comment and the line end of a one-line statement."""
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
            pass  # this "#" is inside a string
        start = line.find("#", start + 1)
    return end


def _insert(pieces: Sequence[str], path: tuple[str, ...], value: Any) -> list[str]:
    """Add a line to the end of its table, which is created if it is missing."""
    line = f"{path[-1]} = {_dump(value)}\n"
    table = path[:-1]
    inside = [
        i
        for i, owner, _ in _locate(pieces)
        if owner == table and (text := pieces[i].strip()) and text[0] != "#"
    ]
    if inside:
        position = max(inside) + 1
    elif table:
        position, line = len(pieces), f"\n[{'.'.join(map(_quote_name, table))}]\n{line}"
    else:
        position = _find_first_table(pieces)
    before = list(pieces[:position])
    if before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return [*before, line, *pieces[position:]]


def _find_first_table(pieces: Sequence[str]) -> int:
    """Return the index of the first table, or of the comment above it."""
    position = next((i for i, p in enumerate(pieces) if p.startswith("[")), len(pieces))
    while 0 < position < len(pieces) and pieces[position - 1].startswith("#"):
        position -= 1
    return position


def _expect(known: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *rest = path
    new = dict(known) if isinstance(known, dict) else {}
    if rest:
        new[name] = _expect(new.get(name), tuple(rest), value)
    elif value is None:
        new.pop(name, None)
    else:
        new[name] = list(value) if isinstance(value, tuple) else value
    return new


def _quote_name(name: str) -> str:
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isalnum() and bare.isascii() else _dump(name)


def _dump(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_dump, value))}]"
    if isinstance(value, str):
        return f'"{"".join(map(_escape, value))}"'
    return repr(value)


def _escape(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"
