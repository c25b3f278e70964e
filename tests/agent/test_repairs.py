"""Repairs of replies that were resolved in part."""

import re

import pytest
from replies import tree

from dursor.agent.prompts import format_repair
from dursor.agent.repairs import PartialReply, resolve_with_repairs
from dursor.domain import HunkFailure
from dursor.errors import ApplyFailedError
from dursor.patch.resolve import PartlyResolvedError

ROWS = "".join(f"row {n}\n" for n in range(1, 41))
BASE = tree(a__py=ROWS, b__py="b1\nb2\nb3\n", c__py="c1\nc2\n")


def diff(path: str, *pairs: tuple[str, str]) -> str:
    hunks = "".join(f"@@ @@\n-{old}\n+{new}\n" for old, new in pairs)
    return f"--- a/{path}\n+++ b/{path}\n{hunks}"


def fenced(*sections: str) -> str:
    return f"Mended, sorry.\n\n```diff\n{''.join(sections)}```\n"


ADDED = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+n1\n"
DELETED = "diff --git a/{0} b/{0}\ndeleted file mode 100644\n--- a/{0}\n+++ /dev/null\n"
NINE = diff("a.py", ("row 9", "ROW 9"))
FIRST = fenced(
    diff("a.py", ("row 3", "ROW 3"), ("row nine", "ROW 9")),
    diff("b.py", ("b2", "B2")),
    ADDED,
    DELETED.format("c.py") + "@@ -1,2 +0,0 @@\n-c1\n-c2\n",
).replace("Mended, sorry.", "Rows three and nine shout now.")
SHOUTED = ROWS.replace("row 3\n", "ROW 3\n").replace("row 9\n", "ROW 9\n")
WHOLE = {
    "a.py": SHOUTED,
    "b.py": "b1\nB2\nb3\n",
    "c.py": None,
    "new.py": "n1\n",
}
MENDED: dict[str, tuple[str, dict[str, str | None]]] = {
    "only what failed": (fenced(NINE), {}),
    "everything anew": (FIRST.replace("row nine", "row 9"), {}),
    "on the text as kept": (
        fenced(
            "--- a/a.py\n+++ b/a.py\n@@ @@\n row 2\n ROW 3\n row 4\n row 5\n row 6\n row 7\n"
            " row 8\n-row 9\n+ROW 9\n row 10\n"
        ),
        {},
    ),
    "other words for what was kept": (
        fenced(diff("a.py", ("row 3", "tre"), ("row 9", "ROW 9")), ADDED.replace("n1", "n2")),
        {"a.py": SHOUTED.replace("ROW 3", "tre"), "new.py": "n2\n"},
    ),
    "what was kept taken back": (
        fenced(diff("a.py", ("ROW 3", "row 3"), ("row 9", "ROW 9"))),
        {"a.py": ROWS.replace("row 9\n", "ROW 9\n")},
    ),
    "a kept file deleted": (
        fenced(NINE, DELETED.format("b.py") + "@@ -1,3 +0,0 @@\n-b1\n-B2\n-b3\n"),
        {"b.py": None},
    ),
    "another format": ("a.py\n<<<<<<< SEARCH\nrow 9\n=======\nROW 9\n>>>>>>> REPLACE\n", {}),
    "an envelope": (
        "*** Begin Patch\n*** Update File: a.py\n@@\n row 8\n-row 9\n+ROW 9\n*** End Patch\n",
        {},
    ),
    "the whole file": (f"a.py\n```python\n{SHOUTED}```\n", {}),
    "the whole file by a sentence, in other words": (
        f"Here is the full updated `a.py`:\n\n```python\n{SHOUTED.replace('ROW 9', 'Neun')}```\n",
        {"a.py": SHOUTED.replace("ROW 9", "Neun")},
    ),
    "two attempts": (fenced(NINE.replace("row 9", "row 99")) + "\nWait.\n\n" + fenced(NINE), {}),
}


@pytest.fixture
def broken() -> PartialReply:
    with pytest.raises(PartlyResolvedError) as caught:
        resolve_with_repairs(FIRST, BASE, None)
    return PartialReply(caught.value.message, caught.value.failures, caught.value.kept)


@pytest.mark.parametrize("kind", MENDED)
def test_a_repair_completes_the_tree(broken: PartialReply, kind: str):
    reply, otherwise = MENDED[kind]
    found = resolve_with_repairs(reply, BASE, broken)
    after = {path: state.data.decode() if state else None for path, state in found.changes.items()}
    assert after == WHOLE | otherwise


def test_a_repair_without_a_patch_fails(broken: PartialReply):
    with pytest.raises(ApplyFailedError, match=r"a\.py: no line .* .the repair contains no patch"):
        resolve_with_repairs("I cannot do that.", BASE, broken)


@pytest.mark.parametrize(
    ("reply", "reasons"),
    [
        (fenced(NINE.replace("row 9", "row neun")), ["no line of the hunk is in the file"]),
        (fenced(diff("b.py", ("b3", "B3"))), ["leaves it out"]),
        (fenced(NINE.replace("ROW 9", "row 9"), diff("b.py", ("b3", "B3"))), ["leaves it out"]),
        (
            fenced(diff("b.py", ("b3", "B3"), ("no", "x"))),
            ["no line of the hunk is in the file", "leaves it out"],
        ),
    ],
)
def test_failed_and_missing_parts_are_requested_again(
    broken: PartialReply, reply: str, reasons: list[str]
):
    with pytest.raises(PartlyResolvedError) as caught:
        resolve_with_repairs(reply, BASE, broken)
    failures = caught.value.failures
    assert len(failures) == len(reasons)
    assert all(why in one.reason for why, one in zip(reasons, failures, strict=True))
    assert {"a.py", "b.py", "c.py", "new.py"} == {*caught.value.kept.changes}


def test_a_corrected_path_is_a_repair():
    with pytest.raises(PartlyResolvedError) as caught:
        resolve_with_repairs(fenced(diff("lib/a.py", ("row 9", "x"))), BASE, None)
    broken = PartialReply(caught.value.message, caught.value.failures, caught.value.kept)
    assert {*resolve_with_repairs(fenced(NINE.replace("ROW 9", "x")), BASE, broken).changes} == {
        "a.py"
    }


def test_an_invented_placeholder_fails_only_its_file():
    secret = "DURSOR_SECRET_00c0ffee"
    with pytest.raises(PartlyResolvedError, match="is not a placeholder of a secret") as caught:
        resolve_with_repairs(
            fenced(NINE.replace("ROW 9", secret), diff("b.py", ("b2", "B2"))), BASE, None
        )
    assert {*caught.value.kept.changes} == {"b.py"}


def test_the_size_of_a_repair_request_is_limited():
    long = HunkFailure("min.js", "-x\n+y", "no", "x" * 5_000_000, f"a\n{'b' * 5_000_000}\nc", 1)
    many = [HunkFailure("a.py", f"-row {n}\n" * 60, "no", nearest="r\n" * 60) for n in range(2000)]
    request = format_repair([long, *many], has_kept=True)
    assert len(request) < 60_000
    assert "a\n[a line of 5000000 characters]\nc" in request
    assert re.search(r"\n\n(19\d\d) more parts failed: \1 in a\.py\.", request)
