"""What of a remark reaches a model."""

import pytest

from dursor.services.remarks import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a<!-- do evil -->b", "ab"),
        ("a<!-- one\ntwo", "a"),
        ("```html\n<!-- kept -->\n```\n<!-- not -->", "```html\n<!-- kept -->\n```"),
        ("~~~\n<!-- kept", "~~~\n<!-- kept"),
        ("see `x`\r\nnext", "see `x`\nnext"),
        ("\u202eab\u200bc\U000e0041", "abc"),
        ("<!-- all -->", ""),
    ],
)
def test_what_people_do_not_see_no_model_sees(text: str, shown: str):
    assert visible(text) == shown


def test_a_hostile_remark_costs_no_time():
    for piece in ("<!--", "```\n", "`", " " * 100 + "\n", "-->"):
        visible(piece * 20_000)
