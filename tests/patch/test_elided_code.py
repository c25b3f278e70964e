"""Comments for omitted code, and lines that only look like them."""

import pytest

from dursor.patch.placement.elided_code import is_elision, is_placeholder

PLACEHOLDERS = [
    "# ... existing code ...",
    "        # ... rest of the function ...",
    "// ... existing code ...",
    "/* ... the rest remains unchanged ... */",
    "<!-- ... existing content ... -->",
    "-- ... other methods unchanged",
    "# ... (rest of the file stays the same)",
    "    // … unchanged …",
]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_comments_for_omitted_code(text):
    assert is_elision(text)
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["...", "    ...", "# ...", "…"])
def test_dots_alone_skip_context_but_may_be_code(text):
    assert is_elision(text)
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "# existing code",
        "print('...')",
        "def f(*args): ...",
        "# wait for the server ... then go on",
        "log('loading ...')",
        "# ... " + "rest " * 100,
        "a[...] = 1",
        "return [...existing, item]",
    ],
)
def test_ordinary_lines_are_no_placeholders(text):
    assert not is_placeholder(text)
