"""Default title and body of a pull request, in the repository's template if it has one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.ids import short_id
from dursor.services.tasks import build_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.domain import Run
    from dursor.tree import Tree

MAX_BODY = 65_536  # characters that GitHub accepts
FOLDERS = (".github/", "", "docs/")  # in GitHub's order
SUFFIXES = (".md", ".markdown", ".txt", "")
TEMPLATE = re.compile(r"(\.github/|docs/|)pull[_-]request[_-]template(\.md|\.markdown|\.txt|)")
TEMPLATE_IN_FOLDER = re.compile(
    r"(\.github/|docs/|)pull[_-]request[_-]template/([^/]+?)(\.md|\.markdown|\.txt)"
)
DEFAULT_NAMES = {"default", "pull_request_template", "pull-request-template"}
HEADING = re.compile(r"#{1,6}\s+\S")
# The heading for a description contains one of these words, the first of them before the others.
WORDS = ("descri", "summar", "overview", "what", "why", "purpose", "motivation", "change")
NO_DESCRIPTION = "type of"
FENCE = re.compile(r"\s*(```|~~~)")
CODE_OR_MENTION = re.compile(r"(`+)(?:.|\n)*?\1|(?<![\w/.`@])@[A-Za-z0-9][A-Za-z0-9/-]*")


def render_title(chain: Sequence[Run]) -> str:
    """Return the title for CHAIN, oldest run first: its first instruction."""
    return build_title(chain[0].round.instruction)


def render_body(chain: Sequence[Run], base: Tree) -> str:
    """Return the body for CHAIN in the template of BASE."""
    run = chain[-1]
    instructions = "\n\n".join(_quote(escape_mentions(run.round.instruction)) for run in chain)
    made_by = f"Made by dursor with {run.model} (`{run.model_name}`), run `{short_id(run.id)}`."
    parts = [escape_mentions(run.summary or ""), f"Instruction:\n\n{instructions}", made_by]
    text = "\n\n".join(part for part in parts if part)
    template = find_template(base)
    return _truncate(text if template is None else fill_template(template, text))


def escape_mentions(text: str) -> str:
    """Format @names as code, so that GitHub notifies nobody because of a decorator."""
    text = CODE_OR_MENTION.sub(lambda match: match[0] if match[1] else f"`{match[0]}`", text)
    return text.strip()


def find_template(tree: Tree) -> str | None:
    """Return the repository's pull request template, from the places that GitHub reads.

    Of several in a folder, the one with a default name counts.
    """
    files = {
        path.lower(): path
        for path, entry in tree.entries().items()
        if entry.mode.startswith("100") and entry.size <= MAX_BODY
    }
    path = _find_single(files) or _find_in_folder(files)
    if path is None:
        return None
    text = tree.read(files[path]).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text if text.strip() else None


def _find_single(paths: Iterable[str]) -> str | None:
    matches = [match for path in paths if (match := TEMPLATE.fullmatch(path))]
    matches.sort(key=lambda match: (FOLDERS.index(match[1]), SUFFIXES.index(match[2])))
    return matches[0][0] if matches else None


def _find_in_folder(paths: Iterable[str]) -> str | None:
    matches = [match for path in paths if (match := TEMPLATE_IN_FOLDER.fullmatch(path))]
    for folder in FOLDERS:
        here = [match for match in matches if match[1] == folder]
        if len(here) > 1:
            here = [match for match in here if match[2] in DEFAULT_NAMES]
        if here:
            return here[0][0]
    return None


def fill_template(template: str, text: str) -> str:
    """Insert TEXT below the heading for a description, or before everything."""
    lines = template.strip("\n").split("\n")
    headings = {index: lines[index].lower() for index in _find_headings(lines)}
    for word in WORDS:
        for index, heading in headings.items():
            if word in heading and NO_DESCRIPTION not in heading:
                rest = "\n".join(lines[index + 1 :]).strip("\n")
                return "\n".join([*lines[: index + 1], "", text, "", rest]).rstrip("\n") + "\n"
    return "\n".join([text, "", *lines]) + "\n"


def _find_headings(lines: Sequence[str]) -> Iterator[int]:
    """Yield the indexes of headings outside code and HTML comments."""
    is_fenced = is_hidden = False
    for index, line in enumerate(lines):
        if not is_hidden and FENCE.match(line):
            is_fenced = not is_fenced
        if is_fenced:
            continue
        if not is_hidden and HEADING.match(line):
            yield index
        start, end = line.rfind("<!--"), line.rfind("-->")
        is_hidden = is_hidden and end < 0 if start < 0 else start > end


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _truncate(text: str) -> str:
    if len(text) <= MAX_BODY:
        return text
    note = "\n\n(truncated to GitHub's limit)\n"
    kept, _, _ = text[: MAX_BODY - len(note)].rpartition("\n")
    return kept + note
