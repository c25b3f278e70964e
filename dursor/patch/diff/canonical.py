"""The canonical patch: git's format, computed from the two trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import Change, FileChange
from dursor.patch.diff.linediff import Opcode, opcodes
from dursor.patch.lines import split_lines
from dursor.patch.names import DEV_NULL, quote
from dursor.tree import FileState, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.patch.diff.resolution import Resolution
    from dursor.patch.lines import Splice

_CONTEXT = 3


@dataclass(frozen=True)
class CanonicalPatch:
    """A patch that `git apply` takes on the base, and what it does to each file."""

    text: str  # bytes decoded as UTF-8 with surrogateescape
    files: tuple[FileChange, ...]


def render_canonical(base: Tree, resolution: Resolution) -> CanonicalPatch:
    """Return the patch from BASE to the tree that RESOLUTION makes of it."""
    texts: list[str] = []
    files: list[FileChange] = []
    moved_away = set(resolution.renames.values())
    for path in sorted(resolution.changes):
        state = resolution.changes[path]
        old_path = resolution.renames.get(path)
        if state is None and path in moved_away:
            continue
        old = _old(base, old_path or path)
        text, change = _section(path, old_path, old, state, resolution.splices.get(path))
        texts.append(text)
        files.append(change)
    return CanonicalPatch("".join(texts), tuple(files))


def _old(base: Tree, path: str) -> FileState | None:
    entry = base.entries().get(path)
    return FileState(entry.mode, base.read(path)) if entry else None


def _section(
    path: str,
    old_path: str | None,
    old: FileState | None,
    new: FileState | None,
    placed: Sequence[Splice] | None,
) -> tuple[str, FileChange]:
    before, after = _lines(old), _lines(new)
    ops = (_as_placed(placed, before, after) if placed else None) or opcodes(before, after)
    same = sum(len(line) for op in ops if op.equal for line in before[op.a0 : op.a1])
    most = max(sum(map(len, before)), sum(map(len, after)))
    likeness = 100 * same // most if most else 100
    names = _names(path, old_path)
    header = [f"diff --git {names[0]} {names[1]}\n", *_modes(old, new)]
    if old_path is not None:
        header.append(f"similarity index {likeness}%\n")
        header += [f"rename from {quote(old_path)}\n", f"rename to {quote(path)}\n"]
    body = "".join(_hunks(before, after, ops))
    if body:
        header.append(f"--- {_marked(names[0]) if old else DEV_NULL}\n")
        header.append(f"+++ {_marked(names[1]) if new else DEV_NULL}\n")
    added = sum(op.b1 - op.b0 for op in ops if not op.equal)
    removed = sum(op.a1 - op.a0 for op in ops if not op.equal)
    change = FileChange(path, old_path, _kind(old_path, old, new), added, removed)
    return "".join(header) + body, change


def _lines(state: FileState | None) -> list[str]:
    return split_lines(state.data.decode("utf-8", "surrogateescape")) if state else []


def _as_placed(
    placed: Sequence[Splice], before: Sequence[str], after: Sequence[str]
) -> list[Opcode] | None:
    """Return the changes as the model placed them; None when they are not what AFTER shows."""
    ops: list[Opcode] = []
    a = b = 0
    for start, stop, new in placed:
        ops.append(Opcode(equal=True, a0=a, a1=start, b0=b, b1=b + start - a))
        b += start - a
        ops += [
            Opcode(op.equal, op.a0 + start, op.a1 + start, op.b0 + b, op.b1 + b)
            for op in opcodes(before[start:stop], after[b : b + len(new)])
        ]
        a, b = stop, b + len(new)
    ops.append(Opcode(equal=True, a0=a, a1=len(before), b0=b, b1=len(after)))
    if any(op.equal and before[op.a0 : op.a1] != after[op.b0 : op.b1] for op in ops):
        return None
    return _joined([op for op in ops if op.a0 < op.a1 or op.b0 < op.b1])


def _joined(ops: Sequence[Opcode]) -> list[Opcode]:
    """Merge neighbours of a kind, so that equal and changed runs alternate."""
    out: list[Opcode] = []
    for op in ops:
        if out and out[-1].equal == op.equal:
            out[-1] = Opcode(op.equal, out[-1].a0, op.a1, out[-1].b0, op.b1)
        else:
            out.append(op)
    return out


def _names(path: str, old_path: str | None) -> tuple[str, str]:
    return quote(f"a/{old_path if old_path is not None else path}"), quote(f"b/{path}")


def _marked(name: str) -> str:
    """Put a tab after a name with a blank, or it would be cut there."""
    return name + "\t" if " " in name and not name.startswith('"') else name


def _modes(old: FileState | None, new: FileState | None) -> list[str]:
    if old is None and new is not None:
        return [f"new file mode {new.mode}\n"]
    if new is None and old is not None:
        return [f"deleted file mode {old.mode}\n"]
    if old and new and old.mode != new.mode:
        return [f"old mode {old.mode}\n", f"new mode {new.mode}\n"]
    return []


def _kind(old_path: str | None, old: FileState | None, new: FileState | None) -> Change:
    if old_path is not None:
        return Change.RENAMED
    if old is None:
        return Change.ADDED
    return Change.DELETED if new is None else Change.MODIFIED


def _groups(ops: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """Yield runs of changes near enough to share their context."""
    group: list[Opcode] = []
    for op in ops:
        if not op.equal:
            group.append(op)
        elif group and op.a1 - op.a0 > 2 * _CONTEXT:
            yield group
            group = []
        elif group:
            group.append(op)
    if group:
        if group[-1].equal:
            group.pop()
        yield group


def _hunks(before: Sequence[str], after: Sequence[str], ops: Sequence[Opcode]) -> Iterator[str]:
    for group in _groups(ops):
        first, last = group[0], group[-1]
        lead = min(_CONTEXT, first.a0)
        tail = min(_CONTEXT, len(before) - last.a1)
        a0, a1, b0, b1 = first.a0 - lead, last.a1 + tail, first.b0 - lead, last.b1 + tail
        yield f"@@ -{_range(a0, a1)} +{_range(b0, b1)} @@\n"
        yield from _tagged(" ", before[a0 : first.a0])
        for op in group:
            if op.equal:
                yield from _tagged(" ", before[op.a0 : op.a1])
            else:
                yield from _tagged("-", before[op.a0 : op.a1])
                yield from _tagged("+", after[op.b0 : op.b1])
        yield from _tagged(" ", before[last.a1 : a1])


def _range(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _tagged(tag: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield tag + line if line.endswith("\n") else f"{tag}{line}\n\\ No newline at end of file\n"
