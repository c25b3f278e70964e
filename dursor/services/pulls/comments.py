"""What was said about a pull request, as messages of its task."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dursor.domain import Message, Role, now
from dursor.github.payload import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dursor.github.host import GitHubHost
    from dursor.github.resources import Comment, PullInfo

HUNK_LINES = 6  # of the change a remark is about; its end is what it stands below
CODE_OR_HIDDEN = re.compile(
    r"(^ *(?:```|~~~)(?:.|\n)*?(?:^ *(?:```|~~~) *$|\Z))|<!--(?:.|\n)*?(?:-->|\Z)",
    re.MULTILINE,
)
# Characters that show nothing, or turn a line's direction: words can hide behind them.
INVISIBLE = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
REVIEWS = {
    "approved": "approved pull request #{number}",
    "changes_requested": "asked for changes in pull request #{number}",
    "commented": "reviewed pull request #{number}",
    "dismissed": "reviewed pull request #{number}; the review was dismissed",
}


def to_messages(
    host: GitHubHost, pull: PullInfo, remarks: Sequence[Comment], task_id: str
) -> list[Message]:
    """REMARKS in their order, each with an id of its own that is the same every time."""
    at = now()  # of hearing: a retry of an earlier round must not hear what was said after it
    authors = {one.id: one.author for one in remarks if one.kind == "line"}
    return [
        Message(_id(host, one), task_id, Role.USER, content, None, at)
        for one in remarks
        if (content := _content(one, pull.number, authors)) is not None
    ]


def build_state_message(host: GitHubHost, pull: PullInfo, how: str, task_id: str) -> Message:
    """What has become of a pull request; HOW in words."""
    key = f"{host.name}/state/{pull.url}/{pull.state}/{pull.updated_at}"
    said = f"Pull request #{pull.number} {how}."
    return Message(_hashed(key), task_id, Role.SYSTEM, said, None, now())


def _id(host: GitHubHost, remark: Comment) -> str:
    """An id from what makes a remark another one: who it is, and what it says."""
    return _hashed(
        "/".join([host.name, remark.kind, str(remark.id), remark.state or "", remark.body])
    )


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _content(remark: Comment, number: int, authors: Mapping[int, str]) -> str | None:
    """The words of a message; None when the remark has none."""
    body = "" if remark.state == "dismissed" else strip_hidden(remark.body)
    if not body and remark.state in {None, "commented"}:
        return None
    parts = [_head(remark, number, authors), _place(remark), body]
    return "\n\n".join(part for part in parts if part)


def _head(remark: Comment, number: int, authors: Mapping[int, str]) -> str:
    """The first line, and one line only: by it the agent knows a remark from an instruction."""
    edited = " (edited)" if remark.updated_at != remark.at else ""
    author = words(remark.author)
    if remark.kind == "review":
        did = REVIEWS.get(remark.state or "", REVIEWS["commented"]).format(number=number)
        return f"@{author} {did}:"
    if remark.kind == "comment":
        return f"@{author} on pull request #{number}{edited}:"
    answered = authors.get(remark.reply_to or 0)
    to = f", in answer to @{words(answered)}" if answered else ""
    return f"@{author} on {_where(remark)} (pull request #{number}{to}){edited}:"


def _where(remark: Comment) -> str:
    """The file and the lines."""
    lines = f", line {remark.line}" if remark.line else ""
    if remark.line and remark.start_line and remark.start_line < remark.line:
        lines = f", lines {remark.start_line}-{remark.line}"
    return f"{words(remark.path)}{lines}{' of an earlier version' if remark.outdated else ''}"


def _place(remark: Comment) -> str:
    """The end of the change that a remark stands below."""
    lines = [] if remark.reply_to else (remark.diff_hunk or "").splitlines()[-HUNK_LINES:]
    return "\n".join(f"> {line}" for line in lines)


def strip_hidden(text: str) -> str:
    """TEXT as people see it on GitHub: what it hides from them tells no model a thing."""
    shown = INVISIBLE.sub("", text.replace("\r\n", "\n"))
    return CODE_OR_HIDDEN.sub(lambda m: m[1] or "", shown).strip()
