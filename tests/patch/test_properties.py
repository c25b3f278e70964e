"""Any rendering, in any format, with any noise: the intended tree or a refusal."""

from dataclasses import dataclass, replace

import pytest
import replies
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from memory_tree import MemoryTree
from replies import Edit

from dursor.errors import PatchError, PolicyError
from dursor.patch.diff.apply_canonical import apply_canonical
from dursor.patch.diff.canonical import render_canonical
from dursor.patch.lines import decode
from dursor.patch.policy import check_policy
from dursor.patch.resolve import PartlyResolvedError, Resolution, resolve, summarize_reply
from dursor.pathrules import PathRules
from dursor.tree import EXECUTABLE, FILE, FileState

N = 100  # raise it when a rule changes
PATHS = ("pkg/mod.py", "a b/c.txt", "été.md", "b/x.py", "top")
# Few words, so that hunks are often ambiguous; odd ones, so that letters matter.
WORDS = (
    "def f(x):", "    return x", "    return y", "class A:", "x = 1", "", "    ", "}", "\t\tgo()",
    "-- comment", "++ count", "@decorated", "<<< x", "=======", "naïve = 'é'", "😀 ok", "# ...",
    "end\x0cpage", "a\x85b\u2028c", "  two", "        deep", "\\ odd", "*** star", "`tick`",
)  # fmt: skip
line = st.sampled_from(WORDS) | st.text(
    st.characters(blacklist_characters="\n\r\0\ufeff", blacklist_categories=("Cs",)), max_size=12
)


@dataclass(frozen=True)
class Case:
    """A file, its edits and its encoding."""

    path: str
    lines: list[str]
    edits: list[Edit]
    end: str
    final: bool
    codec: str = "utf-8"

    def data(self, lines: list[str]) -> bytes:
        last = self.end if lines and self.final else ""
        return (self.end.join(lines) + last).encode(self.codec)

    @property
    def tree(self) -> MemoryTree:
        others = {"other.py": FileState(FILE, b"x = 1\ny = 2\n")}
        return MemoryTree({**others, self.path: FileState(FILE, self.data(self.lines))})

    @property
    def wanted(self) -> bytes:
        return self.data(replies.apply_edits(self.lines, self.edits))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    lines = draw(st.lists(line, min_size=1, max_size=30))
    edits, at = [], 0
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(at, len(lines)))
        stop = min(len(lines), start + draw(st.integers(0, 3)))
        new = tuple(draw(st.lists(line, max_size=3)))
        if list(new) != lines[start:stop]:
            edits.append(Edit(start, stop, new))
        at = stop + 1
        if at > len(lines):
            break
    assume(edits)
    final = draw(st.booleans()) if lines[-1] else True
    ended = final or len(lines) > 1  # or nothing shows how lines end
    end = draw(st.sampled_from(["\n", "\r\n"])) if ended else "\n"
    case = Case(draw(st.sampled_from(PATHS)), lines, edits, end, final)
    if draw(st.booleans()):
        case = in_latin_1(case)
    assume(case.wanted != case.data(lines))
    return case


def in_latin_1(case: Case) -> Case:
    """Return CASE in Latin-1, if it can be encoded and recognised."""
    latin = replace(case, codec="latin-1")
    try:
        texts = [latin.data(case.lines), latin.wanted]
    except UnicodeEncodeError:
        return case
    return latin if all(decode(text).codec == "latin-1" for text in texts) else case


def outcome(reply: str, tree: MemoryTree) -> Resolution | None:
    """Resolve REPLY; None is a refusal."""
    try:
        return resolve(reply, tree)
    except PatchError:
        return None


def verify(case: Case, reply: str) -> bool:
    """Assert that REPLY gives the wanted tree or a refusal; return which."""
    result = outcome(reply, case.tree)
    if result is None:
        return False
    got = {path: state and state.data for path, state in result.changes.items()}
    wanted = {case.path: case.wanted}
    if not case.final:  # a writer of blocks cannot say how a file ends
        got = {path: data and data.rstrip(b"\r\n") for path, data in got.items()}
        wanted = {path: data.rstrip(b"\r\n") for path, data in wanted.items()}
    assert got == wanted
    return True


FORMATS = {
    "diff": replies.diff,
    "blocks": replies.blocks,
    "envelope": replies.envelope,
    "pairs": replies.pairs,
    "whole": replies.whole,
}


# -- noise -----------------------------------------------------------------------------------


def headers(lines):
    return [at for at, text in enumerate(lines) if text.startswith("@@")]


def wrong_counts(lines, draw):
    for at in headers(lines):
        start, new = lines[at].split(" ")[1:3]
        start, new = start.split(",")[0], new.split(",")[0]
        lines[at] = f"@@ {start},{draw(st.integers(0, 40))} {new},{draw(st.integers(0, 40))} @@"
    return lines


def no_numbers(lines, draw):
    for at in headers(lines):
        lines[at] = draw(st.sampled_from(["@@", "@@ @@", "@@ ... @@", "@@ def f(x): @@"]))
    return lines


def no_git_line(lines, draw):
    return [text for text in lines if not text.startswith("diff --git ")]


def no_prefix(lines, draw):
    return [
        text.replace("--- a/", "--- ", 1).replace("+++ b/", "+++ ", 1)
        for text in no_git_line(lines, draw)
    ]


def fenced(lines, draw):
    word = draw(st.sampled_from(["diff", "patch", ""]))
    return ["Here is the change you want:", "", f"```{word}", *lines, "```", "", "I hope it helps."]


def prose(lines, draw):
    return ["The fix is simple.", "", *lines, "", "This makes it work."]


def blanks_lose_their_space(lines, draw):
    return ["" if text == " " else text for text in lines]


def context_loses_its_space(lines, draw):
    first = headers(lines)[0]
    return lines[:first] + [text.removeprefix(" ") for text in lines[first:]]


def trailing_blanks_go(lines, draw):
    return [text.rstrip() if text.startswith(" ") and text.strip() else text for text in lines]


def padding(lines, draw):
    return [*lines, *[" "] * draw(st.integers(1, 3))]


def windows(lines, draw):
    return [text + "\r" for text in lines]


def away_from_changes(lines):
    """Return context lines that no change touches: an error beside a change may not show."""
    return [
        at
        for at in range(1, len(lines) - 1)
        if lines[at].startswith(" ") and not {lines[at - 1][:1], lines[at + 1][:1]} & {"+", "-"}
    ]


def a_line_is_skipped(lines, draw):
    if spots := away_from_changes(lines):
        del lines[draw(st.sampled_from(spots))]
    return lines


def a_line_is_invented(lines, draw):
    if spots := away_from_changes(lines):
        lines[draw(st.sampled_from(spots))] = " " + draw(line)
    return lines


def a_line_is_elided(lines, draw):
    spots = [at for at, text in enumerate(lines) if text.startswith(" ")]
    if spots:
        lines[draw(st.sampled_from(spots))] = " # ... existing code ..."
    return lines


def shifted(lines, draw):
    """Indent every line but empty ones, unless only blank context would show it."""
    if not any(text[:1] in {" ", "-"} and text[1:].strip() for text in lines[headers(lines)[0] :]):
        return lines
    width = " " * draw(st.sampled_from([2, 4, 8]))
    first = headers(lines)[0]
    return lines[:first] + [
        text[0] + width + text[1:] if text[:1] in {" ", "+", "-"} and text[1:] else text
        for text in lines[first:]
    ]


AROUND = (fenced, prose, windows)


@pytest.mark.parametrize("form", FORMATS)
@given(case=cases(), noise=st.sets(st.sampled_from(AROUND)), data=st.data())
@settings(max_examples=N)
def test_any_format_gives_the_intended_tree_or_a_refusal(form, case, noise, data):
    reply = FORMATS[form](case.path, case.lines, case.edits, data.draw(st.integers(0, 4)))
    if form == "whole":
        noise.discard(fenced)  # a fence around a name and a fence is no form that anybody writes
    for spoil in sorted(noise, key=AROUND.index):
        reply = spoil(reply, data.draw)
    verify(case, "\n".join(reply) + "\n")


GENTLE = (
    wrong_counts, no_git_line, fenced, prose, blanks_lose_their_space, trailing_blanks_go, padding,
    windows, no_numbers,
)  # fmt: skip
ROUGH = (
    no_prefix,
    context_loses_its_space,
    a_line_is_skipped,
    a_line_is_invented,
    a_line_is_elided,
    shifted,
)


@given(
    case=cases(),
    noise=st.lists(st.sampled_from(GENTLE + ROUGH), max_size=4, unique=True),
    data=st.data(),
)
@settings(max_examples=N)
def test_noise_gives_the_intended_tree_or_a_refusal(case, noise, data):
    lines = replies.diff(case.path, case.lines, case.edits)
    assume(not {shifted, context_loses_its_space} <= set(noise))  # together they say something else
    for spoil in sorted(noise, key=(GENTLE + ROUGH).index):
        lines = spoil(lines, data.draw)
    verify(case, "\n".join(lines) + "\n")


# -- files that come and go ------------------------------------------------------------------

NAMES = ("one.py", "d/two", "three four", "été/5", "b/six")
text = st.lists(line, min_size=1, max_size=12).filter(lambda lines: lines[-1] != "")


def as_data(lines):
    return ("\n".join(lines) + "\n").encode()


@st.composite
def moves(draw):
    """Draw a tree, its changes, and git's own diff of them."""
    before, after, reply = {}, {}, []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        lines, what = (
            draw(text),
            draw(st.sampled_from(["keep", "change", "delete", "rename", "mode", "add"])),
        )
        old, new = FileState(FILE, as_data(lines)), name
        if what != "add":
            before[name] = old
        if what == "keep":
            continue
        reply.append(
            f"diff --git a/{name} b/{(new := name + '.new') if what == 'rename' else name}"
        )
        if what == "rename":
            reply += ["similarity index 90%", f"rename from {name}", f"rename to {new}"]
        if what == "add":
            mode = draw(st.sampled_from([FILE, EXECUTABLE]))
            after[name] = FileState(mode, old.data)
            reply += [f"new file mode {mode}", "--- /dev/null", f"+++ b/{name}"]
            reply += [f"@@ -0,0 +1,{len(lines)} @@", *("+" + x for x in lines)]
        elif what == "delete":
            after[name] = None
            reply += [f"deleted file mode {FILE}", f"--- a/{name}", "+++ /dev/null"]
            reply += [f"@@ -1,{len(lines)} +0,0 @@", *("-" + x for x in lines)]
        else:
            mode = EXECUTABLE if what == "mode" else FILE
            at = draw(st.integers(0, len(lines) - 1))
            edit = Edit(at, at + 1, ("changed", draw(line), "end"))
            after.update(
                {name: None, new: FileState(mode, as_data(replies.apply_edits(lines, [edit])))}
            )
            reply += ["old mode 100644", "new mode 100755"] * (what == "mode")
            reply += [f"--- a/{name}", f"+++ b/{new}", *replies.hunk(lines, edit)]
    assume(after)
    return MemoryTree(before), after, reply


@given(case=moves(), noise=st.sets(st.sampled_from(AROUND)), data=st.data())
@settings(max_examples=N)
def test_added_deleted_and_renamed_files_resolve_or_are_refused(case, noise, data):
    base, wanted, reply = case
    for spoil in sorted(noise, key=AROUND.index):
        reply = spoil(reply, data.draw)
    result = outcome("\n".join(reply) + "\n", base)
    if result is not None:
        assert result.changes == wanted
        assert apply_canonical(render_canonical(base, result).text, base).changes == wanted


PARTS = (
    "a", "d", "..", ".", "", ".git", ".GIT", "git~1", ".env", "k.pem", "CON", "x ", "x.", "~", "link",
    "\u200c", "é", "C:", "\\..", "hooks", "A",
)  # fmt: skip
WRITTEN = (
    "--- /dev/null\n+++ {}\n@@ -0,0 +1 @@\n+x\n",
    "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x\n",
    "diff --git a/a b/{0}\nrename from a\nrename to {0}\n",
    "*** Begin Patch\n*** Add File: {}\n+x\n*** End Patch\n",
    "<file>{}</file>\n<original>\n</original>\n<patched>\nx\n</patched>\n",
)


@given(st.sampled_from(WRITTEN), st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
@settings(max_examples=N)
def test_no_path_escapes(form, parts):
    files = {"a": FileState(FILE, b"one\n"), "link": FileState("120000", b"/etc")}
    base = MemoryTree(files)
    try:
        result = resolve(form.format("/".join(parts)), base)
        check_policy(base, result, PathRules(), 50)
    except (PatchError, PolicyError):
        return
    for path in result.changes:
        inside = [part.casefold().strip() for part in path.split("/")]
        assert not {"", ".", "..", "con"} & set(inside)
        assert inside[0] != "link"
        assert not any("git" in part or "env" in part or part.endswith(".") for part in inside)
        assert path.isprintable()
        assert "\\" not in path
        assert ":" not in path


MARKS = (
    "diff --git a/top b/top", "diff --git a/x y b/z", "--- a/top", "+++ b/top", "--- /dev/null",
    "+++ b/new.py", "+++ /dev/null", "@@ -1,2 +1,2 @@", "@@", "@@ -0,0 +1 @@", "rename from top",
    "rename to other", "copy from top", "copy to other", "new file mode 100644", "old mode 100644",
    "deleted file mode 100644", "new mode 100755", "GIT binary patch", "```", "```diff", "~~~", "````md",
    "```py new.py", "top.py", "**`top`**", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE",
    "*** Begin Patch", "*** Update File: top", "*** Add File: new.py", "*** Delete File: top",
    "*** Move to: moved", "*** End of File", "*** End Patch", "<file>top</file>", "<original>",
    "</original>", "<patched>", "</patched>", "\\ No newline at end of file", " one", "-one", "+1", "-two",
    "+two", " ", "", "one", "two", "Wait, no.", "Then:", "-- ", "2.30.1", "+# ... existing code ...",
)  # fmt: skip


@given(st.lists(st.sampled_from(MARKS) | line, max_size=30), st.booleans())
@settings(max_examples=N * 2)
def test_random_marks_resolve_or_are_refused(lines, ends):
    """Any reply gives a resolution whose patch applies, or a refusal with reasons."""
    base = MemoryTree(
        {"top": FileState(FILE, b"one\ntwo\nthree\n"), "top.py": FileState(FILE, b"one\r\ntwo")}
    )
    reply = "\n".join(lines) + "\n" * ends
    has_reasons = True
    try:
        result = resolve(reply, base)
    except PartlyResolvedError as error:
        result, has_reasons = error.kept, bool(error.failures)
    except PatchError:
        return
    assert has_reasons
    assert apply_canonical(render_canonical(base, result).text, base).changes == result.changes
    summarize_reply(reply)
