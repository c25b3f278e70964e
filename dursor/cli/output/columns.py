"""Tables: their columns, cut to the width of the window and coloured on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.cli.output import formats
from dursor.cli.output.terminal import count_columns, fit, measure_width, paint, to_one_line
from dursor.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

GAP = 2
INSTRUCTION_CELLS = 60
MIN_LAST_CELLS = 12  # of the last column, however narrow the window
COLOURED_HEADS = ("STATUS", "RESULT")
COLOURS = {
    "succeeded": "green",
    "failed": "red",
    "canceled": "yellow",
    "running": "cyan",
    "ok": "green",
    "warning": "yellow",
    "error": "red",
    "merged": "green",
    "closed": "dim",
}


class Column(NamedTuple):
    """A heading and the function that formats a cell below it."""

    head: str
    cell: Callable[[Any], str]


def format_status(run: Any) -> str:
    """Format a run's status, with the code of its error."""
    return f"{run.status}: {run.error.code}" if run.error else str(run.status)


def format_setting(value: Any) -> str:
    """Format a setting's value: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value)


def format_ranges(ranges: Sequence[Sequence[int]] | None) -> str:
    """Format line ranges as `all` or `1-20,40-60`."""
    if ranges is None:
        return "all"
    return ",".join(f"{first}-{last}" for first, last in ranges)


ROUND = (
    Column("RUN", lambda run: short_id(run.id)),
    Column("MODEL", lambda run: run.model),
    Column("STATUS", format_status),
    Column("FILES", lambda run: str(len(run.files_changed))),
    Column("+/-", lambda run: formats.format_line_counts(run.files_changed)),
    Column("TIME", lambda run: formats.format_duration(formats.measure_elapsed(run))),
    Column("COST", lambda run: formats.format_cost(run.cost_usd)),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "round": ROUND,
    "run": (
        *ROUND,
        Column("AGE", lambda run: formats.format_age(run.created_at)),
        Column(
            "INSTRUCTION", lambda run: fit(to_one_line(run.round.instruction), INSTRUCTION_CELLS)
        ),
    ),
    "task": (
        Column("TASK", lambda task: short_id(task.id)),
        Column("STATUS", lambda task: task.status),
        Column("AGE", lambda task: formats.format_age(task.created_at)),
        Column("TITLE", lambda task: task.title),
    ),
    "repo": (
        Column("REPO", lambda repo: short_id(repo.id)),
        Column("NAME", lambda repo: repo.name),
        Column("BRANCH", lambda repo: repo.default_branch or formats.NOTHING),
        Column("PATH", lambda repo: repo.path),
    ),
    "branch": (
        Column("BRANCH", lambda branch: branch.name),
        Column("COMMIT", lambda branch: short_id(branch.commit)),
        Column("DEFAULT", lambda branch: "default" if branch.default else ""),
    ),
    "model": (
        Column("NAME", lambda model: model.profile.name),
        Column("PROVIDER", lambda model: model.profile.provider),
        Column("MODEL", lambda model: model.profile.model_name),
        Column("KEY", lambda model: model.key or "none"),
    ),
    "model_check": (
        Column("NAME", lambda check: check.name),
        Column("RESULT", lambda check: "ok" if check.ok else "failed"),
        Column("TIME", lambda check: f"{check.latency_ms} ms" if check.ok else formats.NOTHING),
        Column("ERROR", lambda check: check.error.message if check.error else ""),
    ),
    "setting": (
        Column("KEY", lambda setting: setting.key),
        Column("VALUE", lambda setting: format_setting(setting.value)),
        Column("SOURCE", lambda setting: setting.source),
        Column("DESCRIPTION", lambda setting: setting.description),
    ),
    "doctor_check": (
        Column("CHECK", lambda check: check.name),
        Column("RESULT", lambda check: check.level),
        Column("DETAIL", lambda check: check.detail),
    ),
    "context": (
        Column("TOKENS", lambda file: str(file.tokens)),
        Column("LINES", lambda file: format_ranges(file.ranges)),
        Column("PATH", lambda file: file.path),
        Column("REASON", lambda file: file.reason),
    ),
    "withheld": (
        Column("WITHHELD", lambda file: file.path),
        Column("REASON", lambda file: file.reason),
    ),
    "file_change": (
        Column("CHANGE", lambda file: file.change),
        Column("+/-", lambda file: formats.format_line_counts([file])),
        Column(
            "PATH", lambda file: f"{file.old_path} -> {file.path}" if file.old_path else file.path
        ),
    ),
    "pr": (
        Column("PR", lambda pr: f"#{pr.number}"),
        Column("STATUS", lambda pr: pr.status),
        Column("BRANCH", lambda pr: pr.branch),
        Column("TITLE", lambda pr: pr.title),
    ),
    "hosted_repo": (
        Column("REPO", lambda repo: repo.name),
        Column("BRANCH", lambda repo: repo.default_branch),
        Column("VISIBILITY", lambda repo: "private" if repo.private else "public"),
        Column("URL", lambda repo: repo.url),
    ),
    "planned_model": (
        Column("MODEL", lambda model: model.name),
        Column("PROVIDER", lambda model: model.provider),
        Column("NAME", lambda model: model.model_name),
        Column("SAMPLES", lambda model: str(model.samples)),
        Column("MAX COST", lambda model: formats.format_cost(model.worst_cost_usd)),
    ),
}


def render_table(kind: str, values: Iterable[Any]) -> Iterator[str]:
    """Render VALUES of one KIND; only the heading when there are none."""
    columns = COLUMNS[kind]
    rows = [[to_one_line(column.cell(value)) for column in columns] for value in values]
    return render_grid([column.head for column in columns], rows)


def render_grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Render ROWS of escaped cells below HEADS; the last column is cut to the window."""
    widths = [max(map(measure_width, column)) for column in zip(heads, *rows, strict=True)]
    taken = sum(widths[:-1]) + GAP * (len(widths) - 1)
    widths[-1] = min(widths[-1], max(count_columns(sys.stdout) - taken, MIN_LAST_CELLS))
    yield _render_row(heads, widths, ["bold"] * len(heads))
    for row in rows:
        colours = [_choose_colour(*pair) for pair in zip(heads, row, strict=True)]
        yield _render_row(row, widths, colours)


def _choose_colour(head: str, cell: str) -> str | None:
    return COLOURS.get(cell.partition(":")[0]) if head in COLOURED_HEADS else None


def _render_row(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str | None]) -> str:
    line = ""
    for cell, width, colour in zip(cells, widths, colours, strict=True):
        text = fit(cell, width)
        line += paint(text, colour, sys.stdout) + " " * (width - measure_width(text) + GAP)
    return line.rstrip()
