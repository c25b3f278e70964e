"""The files that a reply's edits come to, one draft each, over a tree."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError
from dursor.patch.edits import Action, FileEdit, Hunk
from dursor.patch.explain import failure
from dursor.patch.ladder import Ambiguous, Placed, Target, climb
from dursor.patch.lines import FileText, Splice, decode, new_file
from dursor.patch.names import locate, target
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Changes, FileState, Overlay, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODES = frozenset({FILE, EXECUTABLE, SYMLINK, SUBMODULE})
_SNIFFED = 8000  # bytes that git looks at for a NUL


class FileRefusedError(ApplyFailedError):
    """One section of a reply cannot be applied."""


def refuse(path: str | None, reason: str, hunk: str = "") -> FileRefusedError:
    """The error for a section that fails as a whole."""
    return FileRefusedError(reason, failures=(HunkFailure(path, hunk, reason),))


def is_binary(data: bytes) -> bool:
    """Whether git would call DATA binary."""
    return b"\0" in data[:_SNIFFED]


@dataclass
class FileDraft:
    """One file while hunks are laid into it."""

    path: str
    mode: str
    target: Target
    splices: list[Splice] = field(default_factory=list)
    seen: set[tuple[object, ...]] = field(default_factory=set)
    newline: bool | None = None
    changed: bool = False

    def add(self, hunk: Hunk) -> Placed:
        """Place HUNK; raises FileRefusedError."""
        outcome = climb(hunk, self.target)
        if outcome is None and self.splices:
            self.settle()
            outcome = climb(hunk, self.target)
        if not isinstance(outcome, Placed):
            self._fail(hunk, outcome)
        assert isinstance(outcome, Placed)  # noqa: S101
        if (hunk.lines, outcome.start) in self.seen:
            return outcome
        for splice in outcome.splices:
            self._insert(hunk, splice)
        self.seen.add((hunk.lines, outcome.start))
        if outcome.stop == len(self.target.lines) and hunk.old_open != hunk.new_open:
            self.newline = not hunk.new_open
        return outcome

    def _fail(self, hunk: Hunk, outcome: Ambiguous | Placed | None) -> None:
        assert not isinstance(outcome, Placed)  # noqa: S101
        why = failure(self.path, hunk, self.target, outcome)
        raise FileRefusedError(why.reason, failures=(why,))

    def _insert(self, hunk: Hunk, splice: Splice) -> None:
        at = bisect_left(self.splices, (splice.start, splice.end + 1))
        before = self.splices[at - 1] if at else None
        after = self.splices[at] if at < len(self.splices) else None
        if (before and before.end > splice.start) or (after and splice.end > after.start):
            raise refuse(self.path, "two hunks change the same lines", hunk.source)
        self.splices.insert(at, splice)

    def settle(self) -> None:
        """Apply what is placed; what follows is placed in the result."""
        if self.splices or self.newline is not None:
            text = self.target.text.spliced(self.splices, final_newline=self.newline)
            self.target = Target(text)
            self.splices, self.newline = [], None
            self.seen = set()

    def state(self) -> FileState:
        """The file as it now is."""
        self.settle()
        try:
            data = self.target.text.encode()
        except UnicodeEncodeError as error:
            raise refuse(
                self.path, f"the file is not UTF-8 and cannot hold {error.object[error.start]!r}"
            ) from error
        if is_binary(data):
            raise refuse(self.path, "the result is binary")
        return FileState(self.mode, data)


class Draft:
    """A tree being changed by the sections of a reply."""

    def __init__(self, base: Tree, changes: Changes, renames: dict[str, str]) -> None:
        self.base = base
        self.tree: Tree = Overlay(base, changes) if changes else base
        self.kept: dict[str, FileState | None] = dict(changes)
        self.renames = renames
        self.files: dict[str, FileDraft | None] = {}  # None: deleted
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def take(self, edit: FileEdit) -> None:
        """Lay EDIT over the tree; raises FileRefusedError with every hunk that failed."""
        if edit.cut:
            raise refuse(edit.path, "the reply breaks off inside this patch")
        if edit.binary:
            raise refuse(edit.path, "binary changes are not supported")
        if edit.copies:
            raise refuse(edit.path, "copies are not supported: add the new file in full")
        {
            Action.ADD: self._add,
            Action.DELETE: self._delete,
            Action.MODIFY: self._modify,
            Action.WRITE: self._write,
        }[edit.action](edit)

    def _exists(self, path: str) -> bool:
        if path in self.files:
            return self.files[path] is not None
        return path in self.tree.entries()

    def _locate(self, edit: FileEdit) -> str | None:
        return locate(edit.path, self._exists, prefixed=edit.prefixed)

    def _open(self, path: str) -> FileDraft:
        draft = self.files.get(path)
        if draft is not None:
            return draft
        entry = self.tree.entries()[path]
        if entry.mode == SUBMODULE:
            raise refuse(path, "this is a submodule")
        if entry.mode == SYMLINK:
            raise refuse(path, "this is a symbolic link")
        data = self.tree.read(path)
        if is_binary(data):
            raise refuse(path, "this is a binary file")
        return FileDraft(path, entry.mode, Target(decode(data)))

    def _mode(self, edit: FileEdit, present: str) -> str:
        mode = edit.new_mode or present
        if mode not in _MODES:
            raise refuse(edit.path, f"there is no file mode {mode!r}")
        return mode

    def _add(self, edit: FileEdit) -> None:
        path = target(edit.path, prefixed=edit.prefixed)
        lines: list[str] = []
        for hunk in edit.hunks:
            if any(
                line.tag == "-" or (line.tag == " " and line.text.strip()) for line in hunk.lines
            ):
                raise refuse(path, "a new file has only added lines", hunk.source)
            body = list(hunk.lines)
            while body and body[-1].bare:
                body.pop()
            lines += [line.text for line in body]
        newline = not any(hunk.new_open for hunk in edit.hunks)
        text = new_file(lines, final_newline=newline)
        self._create(path, self._mode(edit, FILE), text)

    def _create(self, path: str, mode: str, text: FileText) -> None:
        if self._exists(path):
            if self.tree.read(path) == text.encode() if path in self.tree.entries() else False:
                return
            raise refuse(path, "this file already exists")
        self.files[path] = FileDraft(path, mode, Target(text), changed=True)
        self.notes.append(f"{path}: new file")

    def _delete(self, edit: FileEdit) -> None:
        path = self._locate(edit)
        if path is None:
            raise refuse(edit.path, "there is no such file")
        if edit.hunks:
            draft = self._open(path)
            self._place(draft, edit.hunks)
            draft.settle()
            if draft.target.lines:
                raise refuse(path, "the patch deletes the file but does not remove all its lines")
        self.files[path] = None
        self.notes.append(f"{path}: deleted")

    def _modify(self, edit: FileEdit) -> None:
        path = self._locate(edit)
        new_path = edit.new_path
        if path is None and new_path is not None:
            path = locate(new_path, self._exists, prefixed=edit.prefixed)
            new_path = None
        if path is None:
            self._modify_missing(edit)
            return
        if new_path is not None and not edit.renames and edit.prefixed:
            raise refuse(path, "the section names two paths but says nothing of a rename")
        draft = self._open(path)
        draft.mode = self._mode(edit, draft.mode)
        self._place(draft, edit.hunks)
        draft.changed = True
        self.files[path] = draft
        if edit.renames and new_path is not None:
            self._rename(path, target(new_path, prefixed=edit.prefixed))

    def _modify_missing(self, edit: FileEdit) -> None:
        if all(line.tag == "+" for hunk in edit.hunks for line in hunk.lines) and edit.hunks:
            self._add(edit)
            return
        raise refuse(edit.path, "there is no such file")

    def _rename(self, old: str, new: str) -> None:
        if old == new:
            return
        if self._exists(new):
            raise refuse(new, "the rename's target already exists")
        draft = self.files[old]
        assert draft is not None  # noqa: S101
        self.files[old] = None
        self.files[new] = draft
        self.renames[new] = self.renames.pop(old, old)
        draft.path = new

    def _write(self, edit: FileEdit) -> None:
        path = self._locate(edit)
        if path is None:
            self._create(target(edit.path, prefixed=False), FILE, new_file(edit.whole))
            return
        raise refuse(path, "a block with a file's name is no patch: show what changes")

    def _place(self, draft: FileDraft, hunks: tuple[Hunk, ...]) -> None:
        failures: list[HunkFailure] = []
        for hunk in hunks:
            if not hunk.changes:
                continue
            try:
                placed = draft.add(hunk)
            except FileRefusedError as error:
                failures += error.failures
                continue
            self.notes.append(f"{draft.path}:{placed.start + 1}: {placed.rule}")
        if failures:
            self.files[draft.path] = draft
            raise FileRefusedError(failures[0].reason, failures=tuple(failures))

    def settle(self) -> list[HunkFailure]:
        """Finish every file; the failures that only show then."""
        failures: list[HunkFailure] = []
        for path, draft in list(self.files.items()):
            if draft is None:
                self.kept[path] = None
                continue
            try:
                self.kept[path] = draft.state()
            except FileRefusedError as error:
                failures += error.failures
        return failures

    def changes(self) -> Mapping[str, FileState | None]:
        """What differs from the base."""
        entries = self.base.entries()
        out: dict[str, FileState | None] = {}
        for path, state in self.kept.items():
            entry = entries.get(path)
            if state is None:
                if entry is not None:
                    out[path] = None
            elif entry is None or entry.mode != state.mode or self.base.read(path) != state.data:
                out[path] = state
        return out
