"""What a pull request says when nobody says it: title and text from the run, in the template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.services.tasks import title_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dursor.domain import Run
    from dursor.tree import Tree

FOLDERS = (".github/", "", "docs/")  # where GitHub looks, and in which order
ENDINGS = (".md", ".markdown", ".txt", "")
ONE = re.compile(r"(\.github/|docs/|)pull[_-]request[_-]template(\.md|\.markdown|\.txt|)")
SEVERAL = re.compile(
    r"(\.github/|docs/|)pull[_-]request[_-]template/([^/]+?)(\.md|\.markdown|\.txt)"
)
USUAL = {"default", "pull_request_template", "pull-request-template"}
LARGEST = 65_536  # characters that GitHub takes
HEADING = re.compile(r"#{1,6}\s+\S")
# Under which heading of a template a description belongs: the first that holds the first of these.
DESCRIBING = ("descri", "summar", "overview", "what", "why", "purpose", "motivation", "change")
MISLEADING = "type of"
FENCE = re.compile(r"\s*(```|~~~)")
CODE_OR_MENTION = re.compile(r"(`+)(?:.|\n)*?\1|(?<![\w/.`@])@[A-Za-z0-9][A-Za-z0-9/-]*")


def render_title(chain: Sequence[Run]) -> str:
    """A title for the change that CHAIN, oldest run first, has led to: what was asked first."""
    return title_of(chain[0].instruction)


def render_body(chain: Sequence[Run], base: Tree) -> str:
    """A text for the change that CHAIN has led to, fill_template into the template of BASE."""
    run = chain[-1]
    asked = "\n\n".join(_quoted(escape_mentions(one.instruction)) for one in chain)
    made = f"Made by dursor with {run.model} (`{run.model_name}`), run `{run.id[:8]}`."
    parts = [escape_mentions(run.summary or ""), f"Asked for:\n\n{asked}", made]
    text = "\n\n".join(part for part in parts if part)
    template = find_template(base)
    return _cut(text if template is None else fill_template(template, text))


def escape_mentions(text: str) -> str:
    """TEXT with its @names as code: nobody is called by a decorator's name."""
    return CODE_OR_MENTION.sub(lambda m: m[0] if m[1] else f"`{m[0]}`", text).strip()


def find_template(tree: Tree) -> str | None:
    """The repository's template for pull requests, where GitHub looks for it.

    Of a folder of several, the one that is alone or has the usual name: nobody is there to choose.
    """
    files = {
        path.lower(): path
        for path, entry in tree.entries().items()
        if entry.mode.startswith("100") and entry.size <= LARGEST
    }
    path = _alone(files) or _usual(files)
    if path is None:
        return None
    text = tree.read(files[path]).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text if text.strip() else None


def _alone(paths: Iterable[str]) -> str | None:
    found = [match for path in paths if (match := ONE.fullmatch(path))]
    found.sort(key=lambda match: (FOLDERS.index(match[1]), ENDINGS.index(match[2])))
    return found[0][0] if found else None


def _usual(paths: Iterable[str]) -> str | None:
    found = [match for path in paths if (match := SEVERAL.fullmatch(path))]
    for folder in FOLDERS:
        here = [match for match in found if match[1] == folder]
        chosen = here if len(here) == 1 else [match for match in here if match[2] in USUAL]
        if chosen:
            return chosen[0][0]
    return None


def fill_template(template: str, text: str) -> str:
    """TEMPLATE with TEXT below the heading that asks for it, or before everything."""
    lines = template.strip("\n").split("\n")
    headings = {at: lines[at].lower() for at in _headings(lines)}
    for word in DESCRIBING:
        for at, heading in headings.items():
            if word in heading and MISLEADING not in heading:
                rest = "\n".join(lines[at + 1 :]).strip("\n")
                return "\n".join([*lines[: at + 1], "", text, "", rest]).rstrip("\n") + "\n"
    return "\n".join([text, "", *lines]) + "\n"


def _headings(lines: Sequence[str]) -> Iterator[int]:
    """The numbers of LINES that are headings, not code or hidden."""
    fenced = hidden = False
    for at, line in enumerate(lines):
        if not hidden and FENCE.match(line):
            fenced = not fenced
        if fenced:
            continue
        if not hidden and HEADING.match(line):
            yield at
        hidden = _stays_hidden(line, hidden=hidden)


def _stays_hidden(line: str, *, hidden: bool) -> bool:
    """Whether what follows LINE is in an HTML comment."""
    opened, closed = line.rfind("<!--"), line.rfind("-->")
    return hidden and closed < 0 if opened < 0 else opened > closed


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _cut(text: str) -> str:
    if len(text) <= LARGEST:
        return text
    note = "\n\n(cut: GitHub takes no more)\n"
    kept, _, _ = text[: LARGEST - len(note)].rpartition("\n")
    return kept + note
