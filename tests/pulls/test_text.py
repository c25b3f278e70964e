"""What a pull request says by itself, and where in a template it goes."""

from dataclasses import replace

import fake_app
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_tree import MemoryTree

from dursor.domain import Run
from dursor.services.pulls.text import (
    MAX_BODY,
    escape_mentions,
    fill_template,
    find_template,
    render_body,
    render_title,
)
from dursor.tree import FILE, SYMLINK, FileState

NOTHING = MemoryTree({})


def tree(**files: str | bytes) -> MemoryTree:
    data = {
        path.replace("__", "/").replace("_md", ".md"): content.encode()
        if isinstance(content, str)
        else content
        for path, content in files.items()
    }
    return MemoryTree({path: FileState(FILE, content) for path, content in data.items()})


def _instruct(run: Run, text: str) -> Run:
    return replace(run, round=replace(run.round, instruction=text))


def test_title_and_body_of_a_chain():
    first = _instruct(fake_app.RUN, "Fix the\noff-by-one")
    run = replace(_instruct(fake_app.OTHER, "and page 0"), summary="Uses @property.")
    assert render_title((first, run)) == "Fix the"
    assert render_body((first, run), NOTHING) == (
        "Uses `@property`.\n\nInstruction:\n\n> Fix the\n> off-by-one\n\n> and page 0\n\n"
        "Made by dursor with claude (`gpt-5.2`), run `b07d55aa`."
    )
    silent = replace(run, summary=None)
    assert render_body((silent,), NOTHING).startswith("Instruction:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks @ada", "thanks `@ada`"),
        ("@org/team, look", "`@org/team`, look"),
        ("`@ada` and ``x @bob`` stay", "`@ada` and ``x @bob`` stay"),
        ("```\n@dataclass\n```", "```\n@dataclass\n```"),
        ("mail ada@example.com or a/@b", "mail ada@example.com or a/@b"),
        ("one ` and @two", "one ` and `@two`"),
        ("@ alone", "@ alone"),
    ],
)
def test_escape_mentions(text: str, expected: str):
    assert escape_mentions(text) == expected


@given(st.text(alphabet="@a` \n/", max_size=30))
def test_escaping_mentions_keeps_every_word(text: str):
    assert escape_mentions(text).replace("`", "").split() == text.replace("`", "").split()


def test_find_template():
    assert find_template(NOTHING) is None
    assert find_template(tree(docs__Pull_Request_Template_md="a\r\nb")) == "a\nb"
    both = tree(**{".github/PULL_REQUEST_TEMPLATE_md": "hidden", "pull_request_template": "top"})
    assert find_template(both) == "hidden"
    several = {f".github/Pull_Request_Template/{name}_md": name for name in ("bug", "feature")}
    assert find_template(tree(**several)) is None
    assert (
        find_template(tree(**several, **{"docs/pull-request-template.txt": "content"})) == "content"
    )
    assert find_template(tree(**several, **{"PULL_REQUEST_TEMPLATE/only_md": "only"})) == "only"
    several[".github/PULL_REQUEST_TEMPLATE/Default_md"] = "usual"
    assert find_template(tree(**several)) == "usual"
    assert find_template(tree(**{"src/.github/pull_request_template_md": "elsewhere"})) is None
    assert find_template(tree(pull_request_template_md="\ufeff \n")) is None
    assert find_template(tree(pull_request_template_md=b"\xff")) == "\ufffd"
    assert find_template(tree(pull_request_template_md="x" * (MAX_BODY + 1))) is None
    link = MemoryTree({"pull_request_template.md": FileState(SYMLINK, b"/etc/passwd")})
    assert find_template(link) is None


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("## Checklist\n- [ ] a", "TEXT\n\n## Checklist\n- [ ] a\n"),
        (
            "# Description\n\n<!-- why -->\n\n# Next",
            "# Description\n\nTEXT\n\n<!-- why -->\n\n# Next\n",
        ),
        (
            "## Type of change\n- x\n## What changed\n",
            "## Type of change\n- x\n## What changed\n\nTEXT\n",
        ),
        ("## Changes\n## Summary\nhere", "## Changes\n## Summary\n\nTEXT\n\nhere\n"),
        ("<!--\n# Summary\n-->\n# Why\n", "<!--\n# Summary\n-->\n# Why\n\nTEXT\n"),
        ("```\n# Summary\n```\n", "TEXT\n\n```\n# Summary\n```\n"),
        ("<!-- a --> <!--\n# Summary", "TEXT\n\n<!-- a --> <!--\n# Summary\n"),
        ("no heading", "TEXT\n\nno heading\n"),
    ],
)
def test_fill_template(template: str, expected: str):
    assert fill_template(template, "TEXT") == expected


@given(st.text(alphabet="# Sumary\n<!-`>x", max_size=60))
def test_fill_template_keeps_every_word(template: str):
    words = fill_template(template, "TEXT").split()
    assert [word for word in words if word != "TEXT"] == template.split()


def test_long_body_is_truncated():
    run: Run = replace(fake_app.RUN, summary="a line\n" * 10_000)
    body = render_body((run,), NOTHING)
    assert len(body) <= MAX_BODY
    assert body.endswith("a line\n\n(truncated to GitHub's limit)\n")
