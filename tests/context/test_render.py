"""A selection as text for a model."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from dursor.context.selection.render import quote_map, quote_path, render_selection
from dursor.context.selection.selection import SelectedFile, Selection
from dursor.context.text.measure import estimate_tokens
from dursor.patch.names import unquote


def selection_of(*picks, guidance="", repo_map=""):
    return Selection(
        budget=8000,
        files=picks,
        withheld=(),
        repo_map=repo_map,
        guidance=SelectedFile("AGENTS.md", None, 3, "", guidance) if guidance else None,
        placeholders={},
    )


def render_text(selection, max_tokens=sys.maxsize):
    return render_selection(selection, max_tokens).context


def whole(path, text):
    return SelectedFile(path, None, 0, "", text)


def test_a_file_is_in_a_fence_below_its_path():
    assert "## src/a.py\n```\nx = 1\n```\n" in render_text(
        selection_of(whole("src/a.py", "x = 1\n"))
    )


def test_an_empty_selection_is_an_empty_text():
    assert render_text(selection_of()) == ""


def test_a_missing_final_newline_is_noted():
    text = render_text(selection_of(whole("a", "x")))
    assert "```\nx\n```\n(no newline at the end of the file)\n" in text


@given(st.text(alphabet="`~#a \r\n", max_size=80))
def test_no_content_closes_its_fence(content):
    for selection in (
        selection_of(whole("a", content)),
        selection_of(guidance=content or "x"),
        selection_of(repo_map=content or "x"),
    ):
        lines = render_text(selection).split("\n")
        opening = next(n for n, line in enumerate(lines) if line.startswith("```"))
        fence = lines[opening]
        assert set(fence) == {"`"}
        closing = lines.index(fence, opening + 1)
        inside = "\n".join(lines[opening + 1 : closing])
        assert inside.replace("\\015", "\r").rstrip("\n") in {content.rstrip("\n"), "x"}
        assert fence not in content


NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\udc80\udcff`"\\'))


@given(NAMES.filter(str.strip))
def test_any_name_is_one_line_and_can_be_unquoted(name):
    shown = quote_path(name)
    assert len(shown.encode("utf-8").decode().splitlines()) == 1
    assert unquote(shown) == name
    listed = quote_map(f"{name.replace(chr(10), '')}\nnext")
    assert len(listed.encode("utf-8").decode().splitlines()) == 2


def test_excerpts_have_line_ranges_and_no_line_numbers():
    pick = SelectedFile("a.py", ((2, 3), (9, 9)), 0, "", "two\nthree\nnine\n")
    text = render_text(selection_of(pick))
    assert "lines 2-3:\n```\ntwo\nthree\n```\n" in text
    assert "lines 9-9:\n```\nnine\n```\n" in text


def test_guidance_and_map_come_before_the_files():
    text = render_text(
        selection_of(whole("a", "x\n"), guidance="be brief\n", repo_map="src/: b.py")
    )
    assert text.index("be brief") < text.index("src/: b.py") < text.index("## a")


def test_a_path_that_looks_like_markup_is_quoted_like_in_git():
    assert quote_path("src/a b.py") == "src/a b.py"
    assert quote_path("src/ä.py") == "src/ä.py"
    assert quote_path("a\n## b") == '"a\\012## b"'
    assert quote_path('a"`b') == '"a\\"\\140b"'
    assert quote_path(b"\xff.py".decode("utf-8", "surrogateescape")) == '"\\377.py"'


def test_files_that_do_not_fit_the_window_are_named():
    picks = [whole(f"file{n}.py", f"x = {n}\n" * 100) for n in range(10)]
    full = render_text(selection_of(*picks), max_tokens=100_000)
    assert full == render_text(selection_of(*picks))
    cut = render_text(selection_of(*picks), max_tokens=500)
    assert estimate_tokens(len(cut)) <= 500
    assert "## file0.py" in cut
    assert "## file9.py" not in cut
    assert cut.splitlines()[-1].startswith(
        "Omitted because this model's context window is too small: "
    )
    assert "file9.py" in cut.splitlines()[-1]


def test_a_long_list_of_omitted_files_is_cut():
    picks = [whole(f"folder/with/a/name/file{n}.py", "x\n" * 400) for n in range(100)]
    cut = render_text(selection_of(*picks), max_tokens=300)
    assert estimate_tokens(len(cut)) <= 300
    assert cut.endswith("(100 in all)\n")
