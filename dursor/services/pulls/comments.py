"""Comments on a pull request, and changes of its state, as messages of its task."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from dursor.domain import Message, MessageKind, Role, now
from dursor.github.payload import to_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dursor.github.host import GitHubHost
    from dursor.github.resources import Comment, PullInfo

HUNK_LINES = 6  # quoted of the change above a comment
CODE_OR_HIDDEN = re.compile(
    r"(^ *(?:```|~~~)(?:.|\n)*?(?:^ *(?:```|~~~) *$|\Z))|<!--(?:.|\n)*?(?:-->|\Z)", re.MULTILINE
)
# Invisible and bidirectional control characters, which can hide text.
INVISIBLE = re.compile("[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
REVIEWS = {
    "approved": "approved pull request #{number}",
    "changes_requested": "asked for changes in pull request #{number}",
    "commented": "reviewed pull request #{number}",
    "dismissed": "reviewed pull request #{number} (review dismissed)",
}


def to_messages(
    host: GitHubHost, pull: PullInfo, comments: Sequence[Comment], task_id: str
) -> list[Message]:
    """Convert COMMENTS; an unchanged comment gets the same id every time."""
    authors = {comment.id: comment.author for comment in comments if comment.kind == "line"}
    messages = []
    for comment in comments:
        if (content := _render(comment, pull.number, authors)) is not None:
            key = f"{comment.kind}/{comment.id}/{comment.state or ''}/{comment.body}"
            messages.append(_build_message(host, key, task_id, MessageKind.COMMENT, content))
    return messages


def build_state_message(
    host: GitHubHost, pull: PullInfo, description: str, task_id: str
) -> Message:
    """Report a new state of PULL."""
    key = f"state/{pull.url}/{pull.state}/{pull.updated_at}"
    content = f"Pull request #{pull.number} {description}."
    return _build_message(host, key, task_id, MessageKind.PR_STATE, content)


def _build_message(
    host: GitHubHost, key: str, task_id: str, kind: MessageKind, content: str
) -> Message:
    """Build a message whose id depends on KEY alone.

    It is dated now, so that a retry of an earlier round does not include it.
    """
    digest = hashlib.sha256(f"{host.name}/{key}".encode("utf-8", "surrogatepass")).hexdigest()
    role = Role.USER if kind is MessageKind.COMMENT else Role.SYSTEM
    return Message(digest[:32], task_id, role, kind, content, now())


def _render(comment: Comment, number: int, authors: Mapping[int, str]) -> str | None:
    """Return the message's text; None for an empty comment."""
    body = "" if comment.state == "dismissed" else strip_hidden(comment.body)
    if not body and comment.state in {None, "commented"}:
        return None
    parts = [_render_heading(comment, number, authors), _quote_hunk(comment), body]
    return "\n\n".join(part for part in parts if part)


def _render_heading(comment: Comment, number: int, authors: Mapping[int, str]) -> str:
    """Return the first line, always a single line."""
    author, edited = to_line(comment.author), ""
    if comment.updated_at != comment.created_at:
        edited = " (edited)"
    if comment.kind == "review":
        verdict = REVIEWS.get(comment.state or "", REVIEWS["commented"]).format(number=number)
        return f"@{author} {verdict}:"
    if comment.kind == "comment":
        return f"@{author} on pull request #{number}{edited}:"
    recipient = authors.get(comment.reply_to or 0)
    reply = f", in reply to @{to_line(recipient)}" if recipient else ""
    return f"@{author} on {_locate(comment)} (pull request #{number}{reply}){edited}:"


def _locate(comment: Comment) -> str:
    """Return the file and the lines."""
    lines = f", line {comment.line}" if comment.line else ""
    if comment.line and comment.start_line and comment.start_line < comment.line:
        lines = f", lines {comment.start_line}-{comment.line}"
    return f"{to_line(comment.path)}{lines}{' of an earlier version' if comment.outdated else ''}"


def _quote_hunk(comment: Comment) -> str:
    """Quote the end of the change above a comment."""
    lines = [] if comment.reply_to else (comment.diff_hunk or "").splitlines()[-HUNK_LINES:]
    return "\n".join(f"> {line}" for line in lines)


def strip_hidden(text: str) -> str:
    """Remove everything that GitHub does not display, so that no model reads it either."""
    text = INVISIBLE.sub("", text.replace("\r\n", "\n"))
    return CODE_OR_HIDDEN.sub(lambda match: match[1] or "", text).strip()
