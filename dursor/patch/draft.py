"""A tree while the sections of a reply are laid over it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.patch.diff.resolution import Resolution, drop_unchanged
from dursor.patch.edits import Action, FileEdit, Hunk
from dursor.patch.filedraft import FileDraft, FileRefusedError, is_binary, refuse
from dursor.patch.lines import FileText, decode, new_file
from dursor.patch.names import (
    find_shared_path,
    is_ambiguous,
    is_writable,
    locate,
    resolve_new_path,
)
from dursor.patch.placement.elided_code import is_placeholder
from dursor.patch.placement.indent import is_unproved
from dursor.patch.placement.indexed_file import IndexedFile
from dursor.patch.rewrite import is_excerpt, is_quoted, rewritten
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, FileState, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAVED = (".orig", ".bak", ".old", "~")  # what the name of a former state ends in
_MODES = frozenset({FILE, EXECUTABLE, SYMLINK, SUBMODULE})


class TreeDraft:
    """The files that differ from the base so far; None for a deleted one."""

    def __init__(self, base: Tree, kept: Resolution | None) -> None:
        self.base = base
        self.entries = base.entries()
        self.files: dict[str, FileDraft | None] = {}
        self.renames: dict[str, str] = {}
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.from_before: set[str] = set()
        self.quoted: set[str] = set()  # files of which a part is shown as it is
        if kept:
            self._keep(kept)

    def _keep(self, kept: Resolution) -> None:
        self.renames.update(kept.renames)
        self.from_before.update(kept.changes)
        for path, state in kept.changes.items():
            if state is None:
                self.files[path] = None
                continue
            self.files[path] = self._kept(kept, path, state) or FileDraft(
                path, state.mode, IndexedFile(decode(state.data)), is_settled=True
            )

    def _kept(self, kept: Resolution, path: str, state: FileState) -> FileDraft | None:
        """Lay the line changes KEPT for PATH over the base, if that surely makes STATE of it."""
        origin = kept.renames.get(path, path)
        splices = kept.splices.get(path)
        if splices is None or origin not in self.entries:
            return None
        text = decode(self.base.read(origin))
        ends = [*sorted(splice.end for splice in splices), 0]
        if max(ends) > len(text.lines):
            return None
        draft = FileDraft(path, state.mode, IndexedFile(text), sorted(splices), set(splices))
        closed = decode(state.data).final_newline
        draft.newline = closed if closed != text.final_newline else None
        try:
            return draft if draft.state() == state else None
        except FileRefusedError:
            return None

    def take(self, edit: FileEdit) -> None:
        """Lay EDIT over the tree; raises FileRefusedError with every hunk that failed."""
        _refuse_outright(edit)
        self._refuse_other_file(edit)
        match edit.action:
            case Action.ADD:
                self._add(edit)
            case Action.DELETE:
                self._delete(edit)
            case Action.WRITE:
                self._write(edit)
            case Action.MODIFY:
                self._modify(edit)

    def _refuse_other_file(self, edit: FileEdit) -> None:
        """Refuse a block whose file was named before, if the words above it name another."""
        if not edit.mentions:
            return
        own = self._locate(edit.path, edit)
        for name in edit.mentions:
            alike = self._by_name.get(name.rpartition("/")[2], ())
            if any(path != own and f"/{path}".endswith(f"/{name}") for path in alike):
                reason = f"is this about {edit.path} or {name}? Name the file right above the block"
                raise refuse(edit.path, reason, _first_source(edit))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Map the last component of paths to the paths of the base that end in it."""
        found: dict[str, list[str]] = {}
        for path in self.entries:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def _exists(self, path: str) -> bool:
        return self.files[path] is not None if path in self.files else path in self.entries

    def _locate(self, name: str, edit: FileEdit) -> str | None:
        """Find the present path of the file that NAME means, renamed by this reply or not."""
        path = locate(name, self._exists, prefixed=edit.prefixed)
        if path is None:
            moved = {old: new for new, old in self.renames.items()}
            old = locate(name, moved.__contains__, prefixed=edit.prefixed)
            path = moved[old] if old is not None else None
        return path

    def _open(self, path: str) -> FileDraft:
        draft = self.files.get(path)
        if draft is not None:
            return draft
        mode = self.entries[path].mode
        if mode == SUBMODULE:
            raise refuse(path, "this is a submodule")
        if mode == SYMLINK:
            raise refuse(path, "this is a symbolic link")
        data = self.base.read(path)
        if is_binary(data):
            raise refuse(path, "this is a binary file")
        return FileDraft(path, mode, IndexedFile(decode(data)))

    def _new_path(self, edit: FileEdit, name: str) -> str:
        """Return where a new file called NAME goes; raises when its top folder may be a prefix."""
        if not edit.certain and is_ambiguous(name, self.entries):
            raise refuse(
                name, "the first folder may be a prefix or real: give the path from the top"
            )
        return resolve_new_path(name, prefixed=edit.prefixed)

    def _add(self, edit: FileEdit) -> None:
        path = self._new_path(edit, edit.path)
        lines: list[str] = []
        for hunk in edit.hunks:
            lines += _added(path, hunk)
        newline = not any(hunk.new_open for hunk in edit.hunks)
        self._create(path, edit.new_mode or FILE, new_file(lines, final_newline=newline))

    def _create(self, path: str, mode: str, text: FileText) -> None:
        if any(is_placeholder(line) for line in text.lines):
            raise refuse(path, "the new file has lines that stand for code left out")
        draft = FileDraft(path, mode, IndexedFile(text), is_settled=True)
        if self._exists(path) and path not in self.from_before:
            present = self.files.get(path)
            state = present.state() if present else None
            data = state.data if state else self.base.read(path)
            if data and data != draft.state().data:
                raise refuse(path, "this file already exists")
        self.files[path] = draft
        self.notes.append(f"{path}: new file")

    def _delete(self, edit: FileEdit) -> None:
        path = self._locate(edit.path, edit)
        if path is None:
            if self.files.get(resolve_new_path(edit.path, prefixed=edit.prefixed), 0) is None:
                return
            raise refuse(_plain(edit), "there is no such file")
        if edit.hunks:
            draft = self._open(path)
            self._place(draft, edit)
            if not draft.is_empty:
                raise refuse(path, "the patch deletes the file but not all of its lines")
        self.files[path] = None
        self.renames.pop(path, None)
        self.notes.append(f"{path}: deleted")

    def _modify(self, edit: FileEdit) -> None:
        path, new_path = self._locate(edit.path, edit), edit.new_path
        if new_path is not None and not (edit.prefixed or edit.renames or edit.copies):
            path, new_path = self._one_of(edit, path, self._locate(new_path, edit)), None
        elif path is None and new_path is not None:
            path, new_path = self._locate(new_path, edit), None
        if path is None:
            self._fill(edit)
            return
        if new_path is not None and edit.prefixed and not (edit.renames or edit.copies):
            raise refuse(path, "the patch names two paths but says nothing of a rename")
        draft = self._open(path)
        if edit.copies and new_path is not None:
            draft = FileDraft(new_path, draft.mode, draft.target, list(draft.splices))
            if self._exists(new_path):
                raise refuse(new_path, "the copy's target already exists")
        draft.mode = edit.new_mode or draft.mode
        self.files[draft.path] = draft
        self._place(draft, edit)
        if edit.renames and new_path is not None:
            self._rename(path, resolve_new_path(new_path, prefixed=edit.prefixed))

    def _one_of(self, edit: FileEdit, old: str | None, new: str | None) -> str | None:
        """Return the one file that two names without prefixes mean; raises when they mean two.

        A name that is not there may be a label, such as `before.py`, but for a place in a folder.
        """
        rest = find_shared_path(edit.path, edit.new_path or "")
        if old is new is None and rest is not None and self._exists(rest):
            return rest
        saved = any(edit.path == f"{edit.new_path}{ending}" for ending in _SAVED)
        label = edit.path if old is None else edit.new_path or ""
        if old == new or (None in {old, new} and (saved or "/" not in label)):
            return old or new
        raise refuse(old or new, "the patch names two paths but says nothing of a rename")

    def _fill(self, edit: FileEdit) -> None:
        """Make a new file of a section that only adds, from the file's start, to none."""
        starts_file = all(hunk.start in {None, 0} for hunk in edit.hunks)
        adds = all(line.tag == "+" for hunk in edit.hunks for line in hunk.lines)
        if not (edit.hunks and adds and starts_file):
            raise refuse(_plain(edit), "there is no such file", _first_source(edit))
        self._add(edit)

    def _rename(self, old: str, new: str) -> None:
        if old == new:
            return
        if self._exists(new):
            raise refuse(new, "the rename's target already exists")
        draft = self.files[old]
        if draft is None:
            raise refuse(old, "this file is deleted")
        self.files[old] = None
        self.files[new] = draft
        if old in self.renames:
            self.renames[new] = self.renames.pop(old)
        elif old in self.entries:
            self.renames[new] = old
        draft.path = new
        self.notes.append(f"{new}: renamed from {old}")

    def _write(self, edit: FileEdit) -> None:
        path = self._locate(edit.path, edit)
        if path is None:
            self._create(self._new_path(edit, edit.path), FILE, new_file(edit.lines))
            return
        draft = self._open(path)
        if is_quoted(edit.lines, draft.target):
            if len(edit.lines) < len(draft.target.lines):
                self.quoted.add(path)
            return
        if is_excerpt(edit.lines, draft.target):
            raise refuse(path, "this looks like an excerpt, not the whole file: show what changes")
        self.files[path] = FileDraft(
            path, draft.mode, IndexedFile(rewritten(draft.target.text, edit.lines)), is_settled=True
        )
        self.notes.append(f"{path}: rewritten")

    def _place(self, draft: FileDraft, edit: FileEdit) -> None:
        failures: list[HunkFailure] = []
        off_margin = False
        draft.begin()
        for hunk in edit.hunks:
            try:
                places = (
                    draft.add(hunk, edit.breath) if hunk.changes else draft.check_unchanged(hunk)
                )
            except FileRefusedError as error:
                failures += error.failures
                continue
            self.notes += [f"{draft.path}:{placed.start + 1}: {placed.rule}" for placed in places]
            off_margin |= any(placed.rule == "indentation" for placed in places)
        if off_margin:
            failures += [
                HunkFailure(draft.path, hunk.source, "nothing shows how far its lines are indented")
                for hunk in edit.hunks
                if is_unproved(hunk.lines)
            ]
        if failures:
            raise FileRefusedError(failures[0].reason, failures=tuple(failures))

    def finish(self) -> tuple[Resolution, list[HunkFailure]]:
        """Return what it all comes to, and the failures that only show now."""
        failures: list[HunkFailure] = []
        states: dict[str, FileState | None] = {}
        for path, draft in self.files.items():
            try:
                states[path] = draft.state() if draft else None
            except FileRefusedError as error:
                failures += error.failures
        changes = drop_unchanged(self.base, states)
        reason = "this is a part of the file as it is: is the rest to go?"
        failures += [HunkFailure(path, "", reason) for path in sorted(self.quoted - set(changes))]
        renames = {
            new: old
            for new, old in self.renames.items()
            if changes.get(new) is not None and new not in self.entries and old in changes
        }
        splices = {
            path: tuple(draft.splices)
            for path, draft in self.files.items()
            if draft and not draft.is_settled and path in changes
        }
        return Resolution(
            changes, renames, tuple(self.warnings), tuple(self.notes), splices
        ), failures


def _plain(edit: FileEdit) -> str:
    """Return the path that EDIT names, without its prefix."""
    return resolve_new_path(edit.path, prefixed=edit.prefixed)


def _refuse_outright(edit: FileEdit) -> None:
    """Raise for a section that needs no look at the tree to be refused."""
    if edit.cut:
        raise refuse(_plain(edit) or None, "the reply breaks off inside this patch")
    if edit.hollow:
        raise refuse(_plain(edit), "the patch has no hunks: begin each one with an @@ line")
    if edit.binary:
        raise refuse(_plain(edit), "binary changes are not supported")
    if not edit.path:
        raise refuse(None, "nothing says which file this is about", _first_source(edit))
    if not is_writable(edit.path + (edit.new_path or "")):
        raise refuse(None, "the file's name is not Unicode text", _first_source(edit))
    if edit.new_mode is not None and edit.new_mode not in _MODES:
        raise refuse(_plain(edit), f"there is no file mode {edit.new_mode!r}")


def _first_source(edit: FileEdit) -> str:
    return edit.hunks[0].source if edit.hunks else ""


def _added(path: str, hunk: Hunk) -> Iterator[str]:
    """Yield the lines of a new file's hunk; blank ones may have lost their plus."""
    lines = list(hunk.lines)
    while lines and lines[-1].tag == " " and not lines[-1].text.strip():
        lines.pop()
    if hunk.lines and hunk.lines[-1].tag == "+" and hunk.tail and hunk.tail[0].strip():
        raise refuse(path, "the line right below the new file has no tag", hunk.source)
    for line in lines:
        if line.tag == "-" or (line.tag == " " and line.text.strip()):
            raise refuse(path, "a new file has only added lines", hunk.source)
        yield line.text
