"""The three practice models: what each of them says about the sample's bug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dursor.demo.sample import BUG
from dursor.domain import ProviderName

if TYPE_CHECKING:
    from dursor.demo.exchange import Answer, PracticeRequest


@dataclass(frozen=True)
class PracticeModel:
    """A name to reach it by, the vendor whose wire format it is asked in, and what it answers."""

    name: str
    provider: ProviderName
    answer: Answer
    note: str | None = None  # what a person should look at in the answer


def when_shown_the_bug(reply: str) -> Answer:
    """Say REPLY, but only to a prompt that holds the line with the bug: nobody answers blind."""

    def answer(request: PracticeRequest) -> str:
        if BUG.strip() in request.text:
            return reply
        return "I was not shown the function that counts pages, so there is nothing I can change."

    return answer


RIGHT = """\
`page_count` always added a page for what the division leaves over, also when it leaves nothing: \
twelve tools at four a page made four pages. It now rounds up instead. The README no longer lists \
the trouble.

```diff
--- a/README.md
+++ b/README.md
@@ -10,7 +10,3 @@ What the street lends and borrows, one page at a time.
     12  wood splitter     Ines
 
 Tests: `python -m unittest`
-
-## Known trouble
-
-- With a full last page, `python -m toolshed` counts one page too many, and that page is empty.
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -22,7 +22,7 @@ def page_count(total: int, size: int) -> int:
     \"\"\"How many pages TOTAL items take at SIZE items a page.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return -(-total // size)
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

# The change is right, its header is not: the hunk is elsewhere and longer than it says.
MALFORMED = """\
The count is one too high whenever the last page is full. Adding `size - 1` before dividing \
rounds up exactly when there is a remainder.

```diff
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -1,4 +1,4 @@
 def page_count(total: int, size: int) -> int:
-    \"\"\"How many pages TOTAL items take at SIZE items a page.\"\"\"
+    \"\"\"How many pages TOTAL items take at SIZE items a page; none when there are no items.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return (total + size - 1) // size
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

# It mends the case in the instruction and loses the last page of every other list.
WRONG = """\
The `+ 1` counts a page that does not exist: twelve tools at four a page are 12 // 4 = 3 pages. \
Without it the list ends where the tools end.

```diff
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -22,7 +22,7 @@ def page_count(total: int, size: int) -> int:
     \"\"\"How many pages TOTAL items take at SIZE items a page.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return total // size
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

PRACTICE_MODELS = (
    PracticeModel("practice-gpt", ProviderName.OPENAI, when_shown_the_bug(RIGHT)),
    PracticeModel(
        "practice-claude",
        ProviderName.ANTHROPIC,
        when_shown_the_bug(MALFORMED),
        "its diff has wrong line numbers and counts, git refuses it; hunks are placed by content",
    ),
    PracticeModel(
        "practice-gemini",
        ProviderName.GOOGLE,
        when_shown_the_bug(WRONG),
        "its diff is well-formed and its reasoning sounds right; only running the test tells",
    ),
)
