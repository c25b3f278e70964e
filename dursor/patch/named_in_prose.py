"""Fenced blocks that a sentence above, or a comment on top, says are a file of the tree.

Words are weaker than a name of its own above a fence: a text counts only where it passes every
guard, nothing else in the reply is about its file, and the sentence is plain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dursor.domain import HunkFailure
from dursor.patch.edits import Says, Shown
from dursor.patch.filedraft import is_binary
from dursor.patch.formats.whole import is_path
from dursor.patch.lines import decode
from dursor.patch.names import locate
from dursor.patch.placement.target import Target
from dursor.patch.rewrite import is_excerpt, is_quoted
from dursor.tree import EXECUTABLE, FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.patch.diff.resolution import Resolution
    from dursor.patch.edits import Extract, FileEdit
    from dursor.tree import Tree

_LONGEST = 300
_WHOLE = r"(?:full|complete|entire|whole)"
_NEWER = r"(?:updated|new|modified|revised|corrected|fixed|final|rewritten|resulting)"
_TEXT = r"(?:file|contents?|version)"
_CODE = rf"(?:{_TEXT}|code|source|text|module|script|replacement)"
_OF = r"(?: (?:of|for|is|file|the|your))*"
_END = r"(?: (?:file|contents?|in full|is|as follows|below|should be|now|with [^\0]{0,150}))*$"
_LEADS = (
    r"(?:(?:\d+|step \d+|so|now|and|then|finally|next|first|below|this|here|the following) )*"
    r"(?:(?:is|s|follows) )?"
)
_SAYS = re.compile(
    rf"{_LEADS}(?:(?:the|your|my|an?) )?(?:"
    rf"{_WHOLE}(?: and)?(?: {_NEWER})*(?: {_CODE}){{0,2}}{_OF} \0{_END}|"
    rf"{_NEWER}(?: {_NEWER})*(?: {_TEXT}){{0,2}}{_OF} \0{_END})|"
    rf"\0(?: is)?(?: the)? (?:{_WHOLE}(?: {_NEWER})*(?: {_CODE}){{0,2}}|{_NEWER} {_TEXT})$|"
    rf"{_LEADS}replace(?: all)?(?: the)?(?: (?:{_WHOLE}|{_NEWER}))*(?: {_TEXT}){{0,2}}{_OF} \0"
    rf"(?: file)? with(?: (?:this|the following|the|below))*(?: {_TEXT})?$"
)
_CREATES = re.compile(
    rf"{_LEADS}create(?: an?)?(?: the)?(?: new)?(?: file)?"
    r"(?: (?:called|named|at))? \0(?: (?:file|as follows|with(?: the following)?(?: contents?)?))*$"
)
_CHANGES = re.compile(r"\b(?:updat|chang|modif|replac|add|fix|edit|rewr|creat|full|complete)")
_OTHERWISE = re.compile(
    r"\b(?:before|current(?:ly)?|original|old|previous(?:ly)?|existing|examples?|usage|outputs?|"
    r"run(?:ning|s)?|excerpt|snippet|parts?|relevant|sections?|functions?|methods?|class|diff|"
    r"patch|not|or|if|could|would|might|illustrat\w*|quot\w*|looked|was|for reference)\b|n't\b"
)
_WORD = re.compile(r"`[^`\s]+`|[^\s`]+")
_COMMENT = re.compile(r"\s*(?:#|//|--|;|%|/\*|<!--)\s*(\S+)(?:\s*(?:\*/|-->))?\s*$")


def said(line: str, body: Sequence[str]) -> tuple[str, Says] | None:
    """Return the file of a fenced block with this LINE above, and what is said of it."""
    if len(line) > _LONGEST:
        return None
    names = set(_names(line))
    words = line
    for name in names:
        words = words.replace(name, "")
    if _OTHERWISE.search(words.lower()):
        return None
    if len(names) == 1:
        name = names.pop()
        says = _said_of(name, line)
        return (name, says) if says else None
    comment = named_by(body[0]) if body and not names else None
    return (comment, Says.COMMENT) if comment else None


def _names(line: str) -> Iterator[str]:
    """Yield what looks like a path in LINE, dots in front included."""
    for word in _WORD.findall(line):
        name = word.strip("`*'\"()[]<>,:;!?").rstrip(".").removeprefix("./")
        if is_path(name):
            yield name


def _said_of(name: str, line: str) -> Says | None:
    sentence = line.lower().replace(name.lower(), "\0", 1)
    text = " ".join(re.sub(r"[`*_#>:,()'\"\u2013\u2014-]", " ", sentence).split()).strip(" .!")
    if name.lower() in text:
        return None
    text = re.split(r"(?<=\w)[.!] (?=[^\0]*\0)", text)[-1].replace("./\0", "\0")
    if _CREATES.match(text):
        return Says.NEW
    if _SAYS.match(text):
        return Says.WHOLE
    return Says.CHANGE if _CHANGES.search(text) and line.rstrip("*_ ").endswith(":") else None


def named_by(line: str) -> str | None:
    """Return the path that LINE, a comment, is all about."""
    match = _COMMENT.match(line) if len(line) <= _LONGEST else None
    return match[1] if match and is_path(match[1]) else None


class Reading:
    """The shown files of a reply, TAKEN into its EDITS or left as OTHERS."""

    def __init__(self, found: Extract, tree: Tree) -> None:
        self.tree = tree
        self.others: list[Shown] = []
        self.is_alone = not found.edits
        self.edits = list(found.edits)
        if not found.shown:
            return
        names = {name for edit in found.edits for name in (edit.path, edit.new_path) if name}
        self._files = {self._located(name) or name for name in names}
        taken = [one for item in found.shown if (one := self._read(item))]
        for at, edit in reversed(taken):
            self.edits.insert(at, edit)

    def _read(self, item: Shown) -> tuple[int, FileEdit] | None:
        path = self._find(item.edit.path)
        if path is None and item.says is Says.NEW and _is_plain(item.edit.path):
            path = item.edit.path
        if path is None:
            if item.says in {Says.WHOLE, Says.NEW}:
                self.others.append(item._replace(says=Says.CHANGE))
            return None
        edit = self._untitled(replace(item.edit, path=path))
        text = self._text(path)
        if text is not None and self._is_quote(item, edit, text):
            return None
        is_torn = edit.cut and item.says is not Says.CHANGE  # to be refused, whatever it is
        if not is_torn and (path in self._files or not self._counts(item, edit, text)):
            self.others.append(item._replace(edit=edit))
            return None
        self._files.add(path)
        return item.at, edit

    def _is_quote(self, item: Shown, edit: FileEdit, text: Target) -> bool:
        """Tell whether EDIT only shows code as it is: most of a file may be meant as all of it."""
        if edit.cut or not is_quoted(edit.lines, text):
            return False
        if edit.path in self._files or item.says is Says.CHANGE:
            return True
        most = len(text.lines) > len(edit.lines) >= len(text.lines) / 2
        return item.says is not Says.WHOLE and not most

    def _counts(self, item: Shown, edit: FileEdit, text: Target | None) -> bool:
        """Tell whether EDIT is for the tree: taken there, or refused there for all to see."""
        exists = edit.path in self.tree.entries()
        if item.says is Says.CHANGE or exists == (item.says is Says.NEW):
            return False
        other = named_by(edit.lines[0]) if edit.lines and exists else None
        if other and self._find(other) not in {None, edit.path}:
            return False
        if not exists or self.is_alone or item.says is Says.WHOLE:
            return True
        return (
            text is not None
            and not is_quoted(edit.lines, text)
            and not is_excerpt(edit.lines, text)
        )

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.tree.entries():
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def _located(self, name: str) -> str | None:
        return locate(name, self.tree.entries().__contains__, prefixed=False)

    def _find(self, name: str) -> str | None:
        """Return the one file that NAME is, or is the end of."""
        if path := self._located(name):
            return path
        alike = self._by_name.get(name.rpartition("/")[2], ())
        ends = [path for path in alike if path.endswith(f"/{name}")]
        return ends[0] if len(ends) == 1 else None

    def _text(self, path: str) -> Target | None:
        entry = self.tree.entries().get(path)
        if entry is None or entry.mode not in {FILE, EXECUTABLE}:
            return None
        data = self.tree.read(path)
        return None if is_binary(data) else Target(decode(data))

    def _untitled(self, edit: FileEdit) -> FileEdit:
        """Take a first line that names the file off EDIT, unless it is the file's own."""
        name = named_by(edit.lines[0]) if edit.lines else None
        text = self._text(edit.path)
        if name is None or text is None or self._find(name) != edit.path:
            return edit
        if text.lines and text.lines[0].strip() == edit.lines[0].strip():
            return edit
        is_apart = edit.lines[1:2] and not edit.lines[1].strip()
        lines = edit.lines[2 if is_apart and text.lines and text.lines[0].strip() else 1 :]
        return replace(edit, lines=lines)

    def unread(self, made: Resolution) -> tuple[list[HunkFailure], list[str]]:
        """Return what is not in what was MADE: whole files, and in words what else is shown."""
        failures: list[HunkFailure] = []
        warnings: list[str] = []
        for item in self.others:
            path = item.edit.path
            states = [made.changes[x] for x in made.changes if f"/{x}".endswith(f"/{path}")]
            if any(x and is_quoted(item.edit.lines, Target(decode(x.data))) for x in states):
                continue
            if item.says is Says.WHOLE:
                reason = "the whole file that the reply shows is not what its other patches make"
                failures.append(HunkFailure(path, "", reason))
            else:
                warnings.append(f"{path}: the reply shows code that is in no patch: not applied")
        return failures, warnings


def _is_plain(name: str) -> bool:
    """Tell whether NAME is that of a file below the top."""
    return "\\" not in name and all(part not in {"", ".", ".."} for part in name.split("/"))
