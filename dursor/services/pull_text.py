"""What a pull request says when nobody says it: title and text from the run, in the template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dursor.services.tasks import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.domain import Run
    from dursor.tree import Tree

FOLDERS = ("", ".github/", "docs/")
NAMES = ("pull_request_template.md", "pull_request_template.txt", "pull_request_template")
LARGEST = 65_536  # characters that GitHub takes
HEADING = re.compile(r"#{1,6}\s+\S")
# Under which heading of a template a description belongs: the first that holds the first of these.
DESCRIBING = ("descri", "summar", "overview", "what", "why", "purpose", "motivation", "change")
MISLEADING = "type of"
FENCE = re.compile(r"\s*(```|~~~)")
CODE_OR_MENTION = re.compile(r"(`+)(?:.|\n)*?\1|(?<![\w/.`@])@[A-Za-z0-9][A-Za-z0-9/-]*")


def title_for(chain: Sequence[Run]) -> str:
    """A title for the change that CHAIN, oldest run first, has led to: what was asked first."""
    return title_of(chain[0].instruction)


def body_for(chain: Sequence[Run], base: Tree) -> str:
    """A text for the change that CHAIN has led to, filled into the template of BASE."""
    run = chain[-1]
    asked = "\n\n".join(_quoted(without_mentions(one.instruction)) for one in chain)
    made = f"Made by dursor with {run.model} (`{run.model_name}`), run `{run.id[:8]}`."
    parts = [without_mentions(run.summary or ""), f"Asked for:\n\n{asked}", made]
    text = "\n\n".join(part for part in parts if part)
    template = template_of(base)
    return _cut(text if template is None else filled(template, text))


def without_mentions(text: str) -> str:
    """TEXT with its @names as code: nobody is called by a decorator's name."""
    return CODE_OR_MENTION.sub(lambda m: m[0] if m[1] else f"`{m[0]}`", text).strip()


def template_of(tree: Tree) -> str | None:
    """The repository's template for pull requests, where GitHub looks for it."""
    wanted = [folder + name for folder in FOLDERS for name in NAMES]
    found = {
        path.lower(): path
        for path, entry in tree.entries().items()
        if entry.mode.startswith("100") and entry.size <= LARGEST and path.lower() in wanted
    }
    first = next((found[name] for name in wanted if name in found), None)
    if first is None:
        return None
    text = tree.read(first).decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return text if text.strip() else None


def filled(template: str, text: str) -> str:
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
