"""The ledger of placement rules and guards: for each, a reply whose result changes without it."""

from dataclasses import dataclass

import pytest
from replies import tree

from dursor.errors import PatchError
from dursor.patch.formats import extract
from dursor.patch.placement import ambiguity, indent, partial_context, rules
from dursor.patch.resolve import resolve

REFUSED = "refused"
SEVEN = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n"
CLASSES = (
    "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 1\n"
)
FUNCTION = (
    "def one():\n    alpha = 1\n    beta = load(path)\n    gamma = 3\n    delta = 4\n"
    "    return alpha\n\ndef two():\n    pass\n"
)


@dataclass(frozen=True)
class Case:
    """A reply about `f.py`, and the file's text afterwards."""

    reply: str
    base: str
    result: str = REFUSED


def diff(body: str, header: str = "@@ @@") -> str:
    return f"--- a/f.py\n+++ b/f.py\n{header}\n{body}"


def block(old: str, new: str) -> str:
    return f"`f.py`:\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


def envelope(body: str) -> str:
    return f"*** Begin Patch\n*** Update File: f.py\n{body}*** End Patch\n"


RULES = {
    rules.fill_empty_file: Case(diff("+x\n", "@@ -0,0 +1 @@"), "", "x\n"),
    rules.place_at_end: Case(
        envelope("@@\n x\n+y\n*** End of File\n"), "x\nz\nx\n", "x\nz\nx\ny\n"
    ),
    rules.place_below_anchors: Case(
        envelope("@@ class B:\n@@ def f(self):\n-        return 1\n+        return 2\n"),
        CLASSES,
        CLASSES[:-2] + "2\n",
    ),
    # Without trailing blanks the old side occurs twice.
    rules.match_exactly: Case(diff(" x\n-y\n+z\n"), "x \ny\nq\nx\ny\n", "x \ny\nq\nx\nz\n"),
    rules.ignore_trailing_blanks: Case(block("x = 1", "x = 2"), "x = 1  \n", "x = 2\n"),
    rules.restore_lost_tags: Case(
        diff("    x = 1\n+    y = 2\n    def f(self):\n"),
        "class A:\n    x = 1\n    def f(self):\n        return 1\n",
        "class A:\n    x = 1\n    y = 2\n    def f(self):\n        return 1\n",
    ),
    rules.ignore_indentation: Case(
        diff(" if go:\n-    stop()\n+    run()\n"),
        "    if go:\n        stop()\n",
        "    if go:\n        run()\n",
    ),
    rules.use_partial_context: Case(
        diff(
            " def one():\n     alpha = 1\n     delta = 4\n-    return alpha\n+    return delta\n \n def two():\n"
        ),
        FUNCTION,
        FUNCTION.replace("return alpha", "return delta"),
    ),
}

GUARDS = {
    # The reply breaks off within "five": nobody knows what it goes on to change.
    ambiguity.ends_in_half_a_line: Case(
        diff(" one\n-two\n+2\n three\n four\n fi", "@@ -1,7 +1,7 @@").removesuffix("\n"), SEVEN
    ),
    # The header counts one removed line more: "two" lost its minus.
    ambiguity.lacks_a_tag: Case(diff("one\ntwo\n-three\n+3\n", "@@ -1,3 +1,2 @@"), SEVEN),
    # "- one" is context with its sign, because the line above it lost its tag as well.
    ambiguity.may_be_context: Case(diff("list\n- one\n+- two\n"), "list\n one\nend\n- one\n"),
    # The header counts lines to remove below the added one.
    ambiguity.lacks_a_side: Case(diff(" one\n two\n+x\n", "@@ -1,5 +1,5 @@"), SEVEN),
    # The search text left out the line that the replacement repeats.
    ambiguity.repeats_next_line: Case(block("one", "1\ntwo"), SEVEN),
    # The hunk skips one of the three equal lines, so it seems to fit one line too low.
    ambiguity.changes_inside_run: Case(diff("-x\n+y\n x\n y\n", "@@ -1,4 +1,4 @@"), "x\nx\nx\ny\n"),
    # The blank line may be the end of the reply, and the last "x" may be meant.
    ambiguity.rests_on_padding: Case(diff(" x\n+y\n\n"), "x\n\nz\nx\n"),
    ambiguity.has_foreign_margin: Case(diff(" a:\n+\tb\n c:\n"), "a:\nc:\n    d\n"),
}

INDENT_GUARDS = {
    # A bracket may be missing: the last line is not where the others say.
    indent.may_slide: Case(
        diff("   f();\n-  });\n+  }, x);\n });\n"), "  f();\n  });\n  });\n});\n"
    ),
    # Only the removed lines lost their margin, and the added ones are right as they are.
    indent.moves_edge: Case(
        diff("-  one()\n-  two()\n+    if x:\n+      y()\n"), "    one()\n    two()\n"
    ),
}

CONTEXT_GUARDS = {
    # The file has no room for "zeta": it was to be added.
    partial_context.is_squeezed_in: Case(
        diff(
            " def one():\n     zeta = 0\n     alpha = 1\n     beta = load(path)\n-    gamma = 3\n"
            "+    gamma = 4\n     delta = 4\n"
        ),
        FUNCTION,
    ),
    # The last line uses the new name: it was to be added.
    partial_context.uses_new_word: Case(
        diff(
            "     beta = load(path)\n     gamma = 3\n-    delta = 4\n+    fresh = 4\n"
            "     return alpha\n     use(fresh)\n"
        ),
        FUNCTION,
    ),
    # The line resembles the file's: it was to be changed.
    partial_context.resembles_a_line: Case(
        diff(
            " def one():\n     beta = load(path, mode)\n     delta = 4\n-    return alpha\n"
            "+    return beta\n \n def two():\n"
        ),
        FUNCTION,
    ),
}

# Guards outside of the lists: what replaces each, and the case.
OTHERS = {
    # The hunk adds the line that it skips further down: it was to be moved.
    "dursor.patch.placement.partial_context.is_moved": (
        False,
        Case(
            diff(
                " def one():\n+    gamma = 3\n     alpha = 1\n     beta = load(path)\n     delta = 4\n"
                "-    return alpha\n+    return delta\n \n"
            ),
            FUNCTION,
        ),
    ),
    # An elided line is no context that the file must have.
    "dursor.patch.placement.partial_context.is_elision": (
        False,
        Case(
            diff(
                " def one():\n     alpha = 1\n # ... existing code ...\n-    return alpha\n"
                "+    return delta\n \n def two():\n     pass\n"
            ),
            FUNCTION,
            FUNCTION.replace("return alpha", "return delta"),
        ),
    ),
    # All may be moved by one blank: then the added line is too far left.
    "dursor.patch.placement.indent.keeps_grid": (
        True, Case(diff("  a = 1\n+ b = 2\n  c = 3\n"), "  a = 1\n  c = 3\n"),
    ),
    # The hunk's levels are two wide, the file's four.
    "dursor.patch.placement.indent._Measure._is_off": (
        False, Case(diff("   one()\n   two()\n+    three()\n"), "go\n    one()\n    two()\n"),
    ),
    # Nothing shows the margin of the added line, and another hunk lost its margins.
    "dursor.patch.draft.is_unproved": (
        False,
        Case(
            diff(" x = [\n+  1,\n ]\n@@ @@\n def f():\n-  if g():\n+  if g(1):\n     h()\n"),
            "x = [\n]\n\ndef f():\n    if g():\n        h()\n",
        ),
    ),
    "dursor.patch.filedraft.is_placeholder": (
        False, Case(diff("-one\n+# ... existing code ...\n"), SEVEN)
    ),
    # The block could be applied twice, and stands there twice.
    "dursor.patch.filedraft.FileDraft._refuse_doubled": (
        None, Case(block("one", "one\nx") * 2, SEVEN)
    ),
    # The header counts a change, and the changed line lost its tag.
    "dursor.patch.filedraft.FileDraft.check_unchanged": (
        (), Case(diff(" one\n three\n", "@@ -1,3 +1,2 @@") + "@@ @@\n-six\n+6\n", SEVEN)
    ),
    "dursor.patch.draft.is_excerpt": (False, Case("`f.py`:\n```\none\nnew\n```\n", SEVEN)),
    "dursor.patch.draft.TreeDraft._refuse_other_file": (
        None,
        Case(block("one", "1") + "\nNow change c.py, which calls it.\n\nIt is short:\n\n"
             + block("two", "2").removeprefix("`f.py`:\n"), SEVEN),
    ),
    "dursor.patch.draft.is_ambiguous": (
        False, Case(diff("-one\n+1\n") + "--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n", SEVEN)
    ),
    "dursor.patch.formats.prose_cues.find_doubt": (
        None,
        Case(diff("-one\n+1\n") + "\nAlternatively:\n\n" + diff("-two\n+2\n"), SEVEN),
    ),
    "dursor.patch.formats.prose_cues.withdraws": (
        False, Case(diff("-one\n+1\n") + "\nWait, that is wrong.\n", SEVEN)
    ),
    # The second patch replaces the first, so both would change the line twice.
    "dursor.patch.formats.prose_cues.takes_back": (
        False,
        Case(
            diff("-one\n+1\n") + "\nWait, here is the corrected patch:\n\n" + diff("-one\n+uno\n"),
            SEVEN,
            SEVEN.replace("one", "uno"),
        ),
    ),
}  # fmt: skip


def verdict(case: Case) -> str:
    extract.extract.cache_clear()
    base = tree(f__py=case.base, **{"d/c__py": "x\n", "b/real__py": "r\n"})
    try:
        changes = resolve(case.reply, base).changes
    except PatchError:
        return REFUSED
    return changes["f.py"].data.decode()


REGISTRIES = [
    (rules, "EXPLICIT_RULES", RULES),
    (rules, "RULES", RULES),
    (rules, "GUARDS", GUARDS),
    (indent, "GUARDS", INDENT_GUARDS),
    (partial_context, "GUARDS", CONTEXT_GUARDS),
]
ROWS = [
    pytest.param(module, name, member, cases.get(member), id=member.__name__)
    for module, name, cases in REGISTRIES
    for member in getattr(module, name)
]


@pytest.mark.parametrize(("module", "name", "member", "case"), ROWS)
def test_every_rule_and_guard_changes_a_verdict(monkeypatch, module, name, member, case):
    assert case is not None, f"{member.__name__} has no row in the ledger"
    assert verdict(case) == case.result
    rest = tuple(other for other in getattr(module, name) if other is not member)
    monkeypatch.setattr(module, name, rest)
    assert verdict(case) != case.result


@pytest.mark.parametrize("target", OTHERS)
def test_every_other_guard_changes_a_verdict(monkeypatch, target):
    neutral, case = OTHERS[target]
    assert verdict(case) == case.result
    monkeypatch.setattr(target, lambda *args, **options: neutral)
    assert verdict(case) != case.result


def test_every_row_names_an_existing_rule():
    known = {member for module, name, _ in REGISTRIES for member in getattr(module, name)}
    assert {member for _, _, cases in REGISTRIES for member in cases} == known
