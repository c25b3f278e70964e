"""Comments that stand for code left out, and lines that only look like them."""

import pytest

from dursor.patch.placement.elided_code import is_elision, is_placeholder

STANDING = [
    "# ... existing code ...",
    "        # ... rest of the function ...",
    "// ... existing code ...",
    "/* ... the rest remains unchanged ... */",
    "<!-- ... existing content ... -->",
    "-- ... other methods unchanged",
    "# ... (rest of the file stays the same)",
    "    // … unchanged …",
]


@pytest.mark.parametrize("text", STANDING)
def test_what_stands_for_code(text):
    assert is_elision(text)
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["...", "    ...", "# ...", "…"])
def test_mere_dots_skip_context_but_are_code_too(text):
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
def test_what_is_text_of_its_own(text):
    assert not is_placeholder(text)
