"""The canonical patch: git's format, computed from two trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.domain import Change, FileChange
from dursor.patch.diff.linediff import Opcode, diff_lines
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
    """A patch that `git apply` accepts on the base, and its effect on each file."""

    text: str  # bytes decoded as UTF-8 with surrogateescape
    files: tuple[FileChange, ...]


def render_canonical(base: Tree, resolution: Resolution) -> CanonicalPatch:
    """Return the patch that turns BASE into the result of RESOLUTION."""
    texts: list[str] = []
    files: list[FileChange] = []
    renamed = set(resolution.renames.values())
    for path in sorted(resolution.changes):
        state = resolution.changes[path]
        old_path = resolution.renames.get(path)
        if state is None and path in renamed:
            continue
        old = _read(base, old_path or path)
        text, change = _render_file(path, old_path, old, state, resolution.splices.get(path))
        texts.append(text)
        files.append(change)
    return CanonicalPatch("".join(texts), tuple(files))


def _read(base: Tree, path: str) -> FileState | None:
    entry = base.entries().get(path)
    return FileState(entry.mode, base.read(path)) if entry else None


def _render_file(
    path: str,
    old_path: str | None,
    old: FileState | None,
    new: FileState | None,
    splices: Sequence[Splice] | None,
) -> tuple[str, FileChange]:
    before, after = _split(old), _split(new)
    ops = (_convert_splices(splices, before, after) if splices else None) or diff_lines(
        before, after
    )
    same = sum(len(line) for op in ops if op.equal for line in before[op.a0 : op.a1])
    size = max(sum(map(len, before)), sum(map(len, after)))
    similarity = 100 * same // size if size else 100
    names = quote(f"a/{path if old_path is None else old_path}"), quote(f"b/{path}")
    header = [f"diff --git {names[0]} {names[1]}\n", *_render_modes(old, new)]
    if old_path is not None:
        header.append(f"similarity index {similarity}%\n")
        header += [f"rename from {quote(old_path)}\n", f"rename to {quote(path)}\n"]
    body = "".join(_render_hunks(before, after, ops))
    if body:
        header.append(f"--- {_add_tab(names[0]) if old else DEV_NULL}\n")
        header.append(f"+++ {_add_tab(names[1]) if new else DEV_NULL}\n")
    added = sum(op.b1 - op.b0 for op in ops if not op.equal)
    removed = sum(op.a1 - op.a0 for op in ops if not op.equal)
    change = FileChange(path, old_path, _classify(old_path, old, new), added, removed)
    return "".join(header) + body, change


def _split(state: FileState | None) -> list[str]:
    return split_lines(state.data.decode("utf-8", "surrogateescape")) if state else []


def _convert_splices(
    splices: Sequence[Splice], before: Sequence[str], after: Sequence[str]
) -> list[Opcode] | None:
    """Return the changes where the model placed them; None when they do not give AFTER."""
    ops: list[Opcode] = []
    a = b = 0
    for start, stop, new in splices:
        ops.append(Opcode(equal=True, a0=a, a1=start, b0=b, b1=b + start - a))
        b += start - a
        ops += [
            Opcode(op.equal, op.a0 + start, op.a1 + start, op.b0 + b, op.b1 + b)
            for op in diff_lines(before[start:stop], after[b : b + len(new)])
        ]
        a, b = stop, b + len(new)
    ops.append(Opcode(equal=True, a0=a, a1=len(before), b0=b, b1=len(after)))
    if any(op.equal and before[op.a0 : op.a1] != after[op.b0 : op.b1] for op in ops):
        return None
    return _merge_ops([op for op in ops if op.a0 < op.a1 or op.b0 < op.b1])


def _merge_ops(ops: Sequence[Opcode]) -> list[Opcode]:
    """Merge neighbours of one kind, so that equal and changed runs alternate."""
    out: list[Opcode] = []
    for op in ops:
        if out and out[-1].equal == op.equal:
            out[-1] = Opcode(op.equal, out[-1].a0, op.a1, out[-1].b0, op.b1)
        else:
            out.append(op)
    return out


def _add_tab(name: str) -> str:
    """Append a tab to a name with a blank: git would cut it at the blank."""
    return name + "\t" if " " in name and not name.startswith('"') else name


def _render_modes(old: FileState | None, new: FileState | None) -> list[str]:
    if old is None and new is not None:
        return [f"new file mode {new.mode}\n"]
    if new is None and old is not None:
        return [f"deleted file mode {old.mode}\n"]
    if old and new and old.mode != new.mode:
        return [f"old mode {old.mode}\n", f"new mode {new.mode}\n"]
    return []


def _classify(old_path: str | None, old: FileState | None, new: FileState | None) -> Change:
    if old_path is not None:
        return Change.RENAMED
    if old is None:
        return Change.ADDED
    return Change.DELETED if new is None else Change.MODIFIED


def _group_ops(ops: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """Yield runs of changes so close that they share a hunk."""
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


def _render_hunks(
    before: Sequence[str], after: Sequence[str], ops: Sequence[Opcode]
) -> Iterator[str]:
    for group in _group_ops(ops):
        first, last = group[0], group[-1]
        lead = min(_CONTEXT, first.a0)
        tail = min(_CONTEXT, len(before) - last.a1)
        a0, a1, b0, b1 = first.a0 - lead, last.a1 + tail, first.b0 - lead, last.b1 + tail
        yield f"@@ -{_format_range(a0, a1)} +{_format_range(b0, b1)} @@\n"
        yield from _tag_lines(" ", before[a0 : first.a0])
        for op in group:
            if op.equal:
                yield from _tag_lines(" ", before[op.a0 : op.a1])
            else:
                yield from _tag_lines("-", before[op.a0 : op.a1])
                yield from _tag_lines("+", after[op.b0 : op.b1])
        yield from _tag_lines(" ", before[last.a1 : a1])


def _format_range(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _tag_lines(tag: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield tag + line if line.endswith("\n") else f"{tag}{line}\n\\ No newline at end of file\n"
