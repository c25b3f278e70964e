"""The three practice models and their replies to the sample's bug."""

from __future__ import annotations

from dataclasses import dataclass

from dursor.demo.sample import BUG

NOT_SHOWN = "I was not shown the function that counts pages, so there is nothing I can change."


@dataclass(frozen=True)
class PracticeModel:
    """A model's name, the vendor whose wire format it uses, and its scripted reply."""

    name: str
    provider: str
    reply: str
    note: str | None = None  # a remark about the reply, for the report

    def answer(self, prompt: str) -> str:
        """Return the reply, but only if PROMPT contains the buggy line."""
        return self.reply if BUG.strip() in prompt else NOT_SHOWN


RIGHT = """\
`page_count` always added a page for the remainder, even when there is none: twelve tools at four \
a page made four pages. It now rounds up instead. The README no longer lists the issue.

```diff
--- a/README.md
+++ b/README.md
@@ -10,7 +10,3 @@ A tool library for the neighborhood, one page at a time.
     12  wood splitter     Ines
 
 Tests: `python -m unittest`
-
-## Known issues
-
-- When the last page is full, `python -m toolshed` counts one page too many, and it is empty.
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -22,7 +22,7 @@ def page_count(total: int, size: int) -> int:
     \"\"\"Count the pages that TOTAL items need at SIZE items a page.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return -(-total // size)
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

# The change is right. Its hunk header is wrong: both the position and the line counts.
MALFORMED = """\
The count is one too high whenever the last page is full. Adding `size - 1` before dividing \
rounds up exactly when there is a remainder.

```diff
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -1,4 +1,4 @@
 def page_count(total: int, size: int) -> int:
-    \"\"\"Count the pages that TOTAL items need at SIZE items a page.\"\"\"
+    \"\"\"Count the pages that TOTAL items need at SIZE items a page: none for no items.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return (total + size - 1) // size
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

# Fixes the case in the instruction but drops the last page of every other list.
WRONG = """\
The `+ 1` counts a page that does not exist: twelve tools at four a page are 12 // 4 = 3 pages. \
Without it the list ends where the tools end.

```diff
--- a/toolshed/pages.py
+++ b/toolshed/pages.py
@@ -22,7 +22,7 @@ def page_count(total: int, size: int) -> int:
     \"\"\"Count the pages that TOTAL items need at SIZE items a page.\"\"\"
     if size < 1:
         raise ValueError("a page holds at least one item")
-    return total // size + 1
+    return total // size
 
 
 def page(items: Sequence[object], number: int, size: int) -> Page:
```
"""  # noqa: W293  # context lines of a diff

PRACTICE_MODELS = (
    PracticeModel("practice-gpt", "openai", RIGHT),
    PracticeModel(
        "practice-claude",
        "anthropic",
        MALFORMED,
        "git rejects its diff (wrong line numbers and counts), but hunks are placed by content",
    ),
    PracticeModel(
        "practice-gemini",
        "google",
        WRONG,
        "its diff is well-formed and its reasoning sounds right, but the test fails",
    ),
)
