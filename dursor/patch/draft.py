"""A tree while the edits of a reply are applied to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.patch.diff.resolution import Resolution, drop_unchanged
from dursor.patch.edits import Action, FileEdit, Hunk
from dursor.patch.filedraft import FileDraft, FileRefusedError, build_refusal, is_binary
from dursor.patch.lines import FileText, decode, make_text
from dursor.patch.names import find_shared_path, is_ambiguous, is_writable, locate, resolve_new_path
from dursor.patch.placement.elided_code import is_placeholder
from dursor.patch.placement.indent import is_unproved
from dursor.patch.placement.indexed_file import IndexedFile
from dursor.patch.rewrite import is_excerpt, is_quotation, rewrite_text
from dursor.tree import EXECUTABLE, FILE, SUBMODULE, SYMLINK, FileState, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_BACKUPS = (".orig", ".bak", ".old", "~")
_MODES = frozenset({FILE, EXECUTABLE, SYMLINK, SUBMODULE})
_NO_FILE = "this file does not exist"
_TWO_PATHS = "the patch names two paths without a rename"


class TreeDraft:
    """The files that differ from the base so far; None for a deleted one."""

    def __init__(self, base: Tree, kept: Resolution | None) -> None:
        self.base = base
        self.entries = base.entries()
        self.files: dict[str, FileDraft | None] = {}
        self.renames: dict[str, str] = {}
        self.notes: list[str] = []
        self.kept: set[str] = set()  # paths that an earlier attempt changed
        self.quoted: set[str] = set()  # paths of which a part is shown unchanged
        if kept:
            self._load_kept(kept)

    def _load_kept(self, kept: Resolution) -> None:
        self.renames.update(kept.renames)
        self.kept.update(kept.changes)
        for path, state in kept.changes.items():
            if state is None:
                self.files[path] = None
                continue
            self.files[path] = self._replay_splices(kept, path, state) or FileDraft(
                path, state.mode, IndexedFile(decode(state.data)), is_settled=True
            )

    def _replay_splices(self, kept: Resolution, path: str, state: FileState) -> FileDraft | None:
        """Apply the splices KEPT for PATH to the base; None when that does not give STATE."""
        origin = kept.renames.get(path, path)
        splices = kept.splices.get(path)
        if splices is None or origin not in self.entries:
            return None
        text = decode(self.base.read(origin))
        if max((splice.end for splice in splices), default=0) > len(text.lines):
            return None
        draft = FileDraft(path, state.mode, IndexedFile(text), sorted(splices), set(splices))
        newline = decode(state.data).final_newline
        draft.newline = newline if newline != text.final_newline else None
        try:
            return draft if draft.build_state() == state else None
        except FileRefusedError:
            return None

    def apply(self, edit: FileEdit) -> None:
        """Apply EDIT; raises FileRefusedError with every hunk that failed."""
        _refuse_malformed(edit)
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
        """Refuse a block that inherits its file when the prose above names another."""
        if not edit.mentions:
            return
        path = self._locate(edit.path, edit)
        for name in edit.mentions:
            alike = self._by_name.get(name.rpartition("/")[2], ())
            if any(other != path and f"/{other}".endswith(f"/{name}") for other in alike):
                reason = f"is this for {edit.path} or {name}? Name the file right above the block"
                raise build_refusal(edit.path, reason, _get_source(edit))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The paths of the base by their last component."""
        paths: dict[str, list[str]] = {}
        for path in self.entries:
            paths.setdefault(path.rpartition("/")[2], []).append(path)
        return paths

    def _exists(self, path: str) -> bool:
        return self.files[path] is not None if path in self.files else path in self.entries

    def _locate(self, name: str, edit: FileEdit) -> str | None:
        """Return the current path of the file NAME, also after a rename in this reply."""
        path = locate(name, self._exists, prefixed=edit.prefixed)
        if path is None:
            renamed = {old: new for new, old in self.renames.items()}
            old = locate(name, renamed.__contains__, prefixed=edit.prefixed)
            path = renamed[old] if old is not None else None
        return path

    def _open(self, path: str) -> FileDraft:
        draft = self.files.get(path)
        if draft is not None:
            return draft
        mode = self.entries[path].mode
        if mode == SUBMODULE:
            raise build_refusal(path, "this is a submodule")
        if mode == SYMLINK:
            raise build_refusal(path, "this is a symbolic link")
        data = self.base.read(path)
        if is_binary(data):
            raise build_refusal(path, "this is a binary file")
        return FileDraft(path, mode, IndexedFile(decode(data)))

    def _resolve_new_path(self, edit: FileEdit) -> str:
        """Return the path of a new file; raises when its first folder may be a prefix."""
        if not edit.has_git_header and is_ambiguous(edit.path, self.entries):
            reason = "the first folder may be a prefix: give the path from the top"
            raise build_refusal(edit.path, reason)
        return _strip_path(edit)

    def _add(self, edit: FileEdit) -> None:
        path = self._resolve_new_path(edit)
        lines = [line for hunk in edit.hunks for line in _list_added(path, hunk)]
        newline = not any(hunk.new_open for hunk in edit.hunks)
        self._create(path, edit.new_mode or FILE, make_text(lines, final_newline=newline))

    def _create(self, path: str, mode: str, text: FileText) -> None:
        if any(is_placeholder(line) for line in text.lines):
            raise build_refusal(path, "the new file has lines that stand for code left out")
        draft = FileDraft(path, mode, IndexedFile(text), is_settled=True)
        if self._exists(path) and path not in self.kept:
            current = self.files.get(path)
            data = current.build_state().data if current else self.base.read(path)
            if data and data != draft.build_state().data:
                raise build_refusal(path, "this file already exists")
        self.files[path] = draft
        self.notes.append(f"{path}: new file")

    def _delete(self, edit: FileEdit) -> None:
        path = self._locate(edit.path, edit)
        if path is None:
            if self.files.get(_strip_path(edit), 0) is None:
                return
            raise build_refusal(_strip_path(edit), _NO_FILE)
        if edit.hunks:
            draft = self._open(path)
            self._place_hunks(draft, edit)
            if not draft.is_empty:
                raise build_refusal(path, "the patch deletes the file but not all of its lines")
        self.files[path] = None
        self.renames.pop(path, None)
        self.notes.append(f"{path}: deleted")

    def _modify(self, edit: FileEdit) -> None:
        path, new_path = self._locate(edit.path, edit), edit.new_path
        is_move = edit.renames or edit.copies
        if new_path is not None and not (edit.prefixed or is_move):
            path, new_path = self._choose_path(edit, path, self._locate(new_path, edit)), None
        elif path is None and new_path is not None:
            path, new_path = self._locate(new_path, edit), None
        if path is None:
            self._fill(edit)
            return
        if new_path is not None and not is_move:
            raise build_refusal(path, _TWO_PATHS)
        draft = self._open(path)
        if edit.copies and new_path is not None:
            draft = FileDraft(new_path, draft.mode, draft.file, list(draft.splices))
            if self._exists(new_path):
                raise build_refusal(new_path, "the target of the copy already exists")
        draft.mode = edit.new_mode or draft.mode
        self.files[draft.path] = draft
        self._place_hunks(draft, edit)
        if edit.renames and new_path is not None:
            self._rename(path, resolve_new_path(new_path, prefixed=edit.prefixed))

    def _choose_path(self, edit: FileEdit, old: str | None, new: str | None) -> str | None:
        """Return the one file that two names without prefixes mean; raises when they mean two.

        A name that does not exist may be a label such as `before.py`, but not with a folder.
        """
        common = find_shared_path(edit.path, edit.new_path or "")
        if old is new is None and common is not None and self._exists(common):
            return common
        is_backup = any(edit.path == f"{edit.new_path}{ending}" for ending in _BACKUPS)
        label = edit.path if old is None else edit.new_path or ""
        if old == new or (None in {old, new} and (is_backup or "/" not in label)):
            return old or new
        raise build_refusal(old or new, _TWO_PATHS)

    def _fill(self, edit: FileEdit) -> None:
        """Create the file of a section that only adds lines from the start of a file."""
        starts_file = all(hunk.start in {None, 0} for hunk in edit.hunks)
        adds = all(line.tag == "+" for hunk in edit.hunks for line in hunk.lines)
        if not (edit.hunks and adds and starts_file):
            raise build_refusal(_strip_path(edit), _NO_FILE, _get_source(edit))
        self._add(edit)

    def _rename(self, old: str, new: str) -> None:
        if old == new:
            return
        if self._exists(new):
            raise build_refusal(new, "the target of the rename already exists")
        draft = self.files[old]
        if draft is None:
            raise build_refusal(old, "this file is deleted")
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
            self._create(self._resolve_new_path(edit), FILE, make_text(edit.lines))
            return
        draft = self._open(path)
        if is_quotation(edit.lines, draft.file):
            if len(edit.lines) < len(draft.file.lines):
                self.quoted.add(path)
            return
        if is_excerpt(edit.lines, draft.file):
            reason = "this looks like an excerpt, not the whole file: give the changes as a patch"
            raise build_refusal(path, reason)
        text = rewrite_text(draft.file.text, edit.lines)
        self.files[path] = FileDraft(path, draft.mode, IndexedFile(text), is_settled=True)
        self.notes.append(f"{path}: rewritten")

    def _place_hunks(self, draft: FileDraft, edit: FileEdit) -> None:
        failures: list[HunkFailure] = []
        is_reindented = False
        draft.begin_section()
        for hunk in edit.hunks:
            try:
                if not hunk.changes:
                    draft.check_unchanged(hunk)
                    continue
                placements = draft.place(hunk, edit.passage)
            except FileRefusedError as error:
                failures += error.failures
                continue
            self.notes += [f"{draft.path}:{x.start + 1}: {x.rule}" for x in placements]
            is_reindented |= any(x.rule == "indentation" for x in placements)
        if is_reindented:
            reason = "nothing shows how far its lines are indented"
            failures += [
                HunkFailure(draft.path, hunk.source, reason)
                for hunk in edit.hunks
                if is_unproved(hunk.lines)
            ]
        if failures:
            raise FileRefusedError(failures[0].reason, failures=tuple(failures))

    def finish(self) -> tuple[Resolution, list[HunkFailure]]:
        """Return the resolution, and the failures that only the whole reply shows."""
        failures: list[HunkFailure] = []
        states: dict[str, FileState | None] = {}
        for path, draft in self.files.items():
            try:
                states[path] = draft.build_state() if draft else None
            except FileRefusedError as error:
                failures += error.failures
        changes = drop_unchanged(self.base, states)
        reason = "this repeats a part of the file unchanged: say whether the rest is to go"
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
        return Resolution(changes, renames, (), tuple(self.notes), splices), failures


def _strip_path(edit: FileEdit) -> str:
    return resolve_new_path(edit.path, prefixed=edit.prefixed)


def _refuse_malformed(edit: FileEdit) -> None:
    """Refuse a section that is invalid whatever the tree holds."""
    path = _strip_path(edit)
    if edit.is_cut:
        raise build_refusal(path or None, "the reply breaks off inside this patch")
    if edit.is_hollow:
        raise build_refusal(path, "the patch has no hunks: begin each one with an @@ line")
    if edit.is_binary:
        raise build_refusal(path, "binary changes are not supported")
    if not edit.path:
        raise build_refusal(None, "the patch does not name its file", _get_source(edit))
    if not is_writable(edit.path + (edit.new_path or "")):
        raise build_refusal(None, "the file's name is not Unicode text", _get_source(edit))
    if edit.new_mode is not None and edit.new_mode not in _MODES:
        raise build_refusal(path, f"file mode {edit.new_mode!r} is not supported")


def _get_source(edit: FileEdit) -> str:
    return edit.hunks[0].source if edit.hunks else ""


def _list_added(path: str, hunk: Hunk) -> Iterator[str]:
    """Yield the lines of a new file's hunk; blank ones may have lost their plus."""
    lines = list(hunk.lines)
    while lines and lines[-1].tag == " " and not lines[-1].text.strip():
        lines.pop()
    if hunk.lines and hunk.lines[-1].tag == "+" and hunk.tail and hunk.tail[0].strip():
        raise build_refusal(path, "the line right below the new file has no tag", hunk.source)
    for line in lines:
        if line.tag == "-" or (line.tag == " " and line.text.strip()):
            raise build_refusal(path, "a new file has only added lines", hunk.source)
        yield line.text
