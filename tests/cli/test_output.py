"""Text for a terminal is escaped and fits its columns."""

import io
import sys
from datetime import UTC, datetime

import fake_app
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.cli.output import columns, formats, terminal
from dursor.domain import Change, FileChange

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Window(io.StringIO):
    """A stream that reports to be a terminal."""

    def isatty(self) -> bool:
        return True


@given(st.text())
def test_no_text_controls_the_terminal(text):
    escaped = terminal.escape_controls(text)
    assert all(char.isprintable() or char in "\n\t\u200c\u200d" for char in escaped)
    assert terminal.escape_controls(escaped) == escaped
    assert terminal.to_one_line(text) == " ".join(terminal.to_one_line(text).split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("naïve 漢字 👩\u200d💻", "naïve 漢字 👩\u200d💻"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x08", "a\\rb\\x08"),
        ("\udcff", "\\udcff"),
    ],
)
def test_control_characters_are_escaped(text, expected):
    assert terminal.escape_controls(text) == expected


@given(st.text(), st.integers(2, 40))
def test_a_cut_text_fits(text, cells):
    assert terminal.measure_width(terminal.fit(text, cells)) <= cells


def test_a_wide_character_takes_two_cells():
    assert terminal.measure_width("漢字e\u0301") == 5
    assert terminal.fit("漢字漢字", 5) == "漢字…"
    assert terminal.fit("short", 5) == "short"


def test_only_a_terminal_with_colours_is_painted(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    window, pipe = Window(), io.StringIO()
    assert terminal.paint("x", "red", window) == "\x1b[31mx\x1b[0m"
    assert terminal.paint("x", None, window) == "x"
    assert terminal.paint("x", "red", pipe) == "x"
    monkeypatch.setenv("TERM", "dumb")
    assert terminal.paint("x", "red", window) == "x"
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.paint("x", "red", window) == "x"


def test_a_table_is_coloured_and_cut_in_a_window(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setattr(sys, "stdout", Window())
    lines = [*columns.render_table("run", [fake_app.RUN])]
    assert "\x1b[32msucceeded\x1b[0m" in lines[1]
    assert lines[1].endswith("…")


def test_a_table_in_a_pipe_is_plain():
    lines = [*columns.render_table("run", [fake_app.RUN])]
    assert "\x1b" not in "".join(lines)
    assert lines[1].endswith("Fix the off-by-one in pagination")


def test_a_closed_stderr_is_not_an_error(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    terminal.print_stderr("anyone?")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "-"),
        (-0.1, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (21.4, "21 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3900, "1 h 5 min"),
    ],
)
def test_durations(seconds, expected):
    assert formats.format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("usd", "expected"),
    [
        (None, "-"),
        (0, "$0.000"),
        (0.0001, "<$0.001"),
        (0.0005, "$0.001"),
        (0.0312, "$0.031"),
        (1.2, "$1.20"),
    ],
)
def test_costs(usd, expected):
    assert formats.format_cost(usd) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0"), (999, "999"), (12_345, "12.3k"), (999_949, "999.9k"), (1_234_567, "1.2M")],
)
def test_counts(number, expected):
    assert formats.format_count(number) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-02T03:04:05.000Z", "0 s"),
        ("2026-01-02T03:04:06Z", "0 s"),  # another machine's clock
        ("2026-01-02T03:03:30Z", "35 s"),
        ("2026-01-02T02:59:05Z", "5 min"),
        ("2026-01-02T00:04:05Z", "3 h"),
        ("2025-12-29T03:04:05Z", "4 d"),
    ],
)
def test_ages(at, expected):
    assert formats.format_age(at, NOW) == expected


def test_lines_changed_are_summed():
    files = [
        FileChange("a", None, Change.MODIFIED, 1, 2),
        FileChange("b", None, Change.ADDED, 3, 0),
    ]
    assert formats.format_line_counts(files) == "+4 -2"
    assert formats.format_line_counts([]) == "+0 -0"
