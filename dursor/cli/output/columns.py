"""Rows and columns for people: plain, cut to the window, coloured where that is wanted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from dursor.cli.output import formats
from dursor.cli.output.terminal import columns, fit, one_line, paint, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

GAP = 2
PROSE = 60  # cells of an instruction
NARROWEST = 12  # cells of the last column, however narrow the window
COLOURED = ("STATUS", "RESULT")
COLOURS = {
    "succeeded": "green",
    "failed": "red",
    "canceled": "yellow",
    "running": "cyan",
    "ok": "green",
    "merged": "green",
    "closed": "dim",
}


class Column(NamedTuple):
    """A heading, and what of a value stands below it."""

    head: str
    cell: Callable[[Any], str]


def status_of(run: Any) -> str:
    """Name a run's status, with the error's code."""
    return f"{run.status}: {run.error.code}" if run.error else str(run.status)


ROUND = (
    Column("RUN", lambda run: formats.short(run.id)),
    Column("MODEL", lambda run: run.model),
    Column("STATUS", status_of),
    Column("FILES", lambda run: str(len(run.files_changed))),
    Column("+/-", lambda run: formats.lines_changed(run.files_changed)),
    Column("TIME", lambda run: formats.duration(formats.elapsed(run))),
    Column("COST", lambda run: formats.cost(run.cost_usd)),
)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "round": ROUND,
    "run": (
        *ROUND,
        Column("AGE", lambda run: formats.age(run.created_at)),
        Column("INSTRUCTION", lambda run: fit(one_line(run.instruction), PROSE)),
    ),
    "task": (
        Column("TASK", lambda task: formats.short(task.id)),
        Column("STATUS", lambda task: task.status),
        Column("AGE", lambda task: formats.age(task.created_at)),
        Column("TITLE", lambda task: task.title),
    ),
    "repo": (
        Column("REPO", lambda repo: formats.short(repo.id)),
        Column("NAME", lambda repo: repo.name),
        Column("BRANCH", lambda repo: repo.default_branch or formats.NOTHING),
        Column("PATH", lambda repo: repo.path),
    ),
    "branch": (
        Column("BRANCH", lambda branch: branch.name),
        Column("COMMIT", lambda branch: formats.short(branch.commit)),
        Column("DEFAULT", lambda branch: "default" if branch.default else ""),
    ),
    "model": (
        Column("NAME", lambda model: model.profile.name),
        Column("PROVIDER", lambda model: model.profile.provider),
        Column("MODEL", lambda model: model.profile.model_name),
        Column("KEY", lambda model: model.key or "none"),
    ),
    "check": (
        Column("NAME", lambda check: check.name),
        Column("RESULT", lambda check: "ok" if check.ok else "failed"),
        Column("TIME", lambda check: milliseconds(check.latency_ms)),
        Column("ERROR", lambda check: check.error.message if check.error else ""),
    ),
    "setting": (
        Column("KEY", lambda setting: setting.key),
        Column("VALUE", lambda setting: setting_value(setting.value)),
        Column("SOURCE", lambda setting: setting.source),
        Column("DESCRIPTION", lambda setting: setting.description),
    ),
    "finding": (
        Column("CHECK", lambda finding: finding.name),
        Column("RESULT", lambda finding: "ok" if finding.ok else "failed"),
        Column("DETAIL", lambda finding: finding.detail),
    ),
    "context": (
        Column("TOKENS", lambda file: str(file.tokens)),
        Column("LINES", lambda file: spans(file.ranges)),
        Column("PATH", lambda file: file.path),
        Column("REASON", lambda file: file.reason),
    ),
    "withheld": (
        Column("WITHHELD", lambda file: file.path),
        Column("REASON", lambda file: file.reason),
    ),
    "change": (
        Column("CHANGE", lambda file: file.change),
        Column("+/-", lambda file: formats.lines_changed([file])),
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
    "hosted": (
        Column("REPO", lambda repo: repo.name),
        Column("BRANCH", lambda repo: repo.default_branch),
        Column("VISIBLE", lambda repo: "private" if repo.private else "public"),
        Column("URL", lambda repo: repo.url),
    ),
    "planned": (
        Column("MODEL", lambda model: model.name),
        Column("PROVIDER", lambda model: model.provider),
        Column("NAME", lambda model: model.model_name),
        Column("SAMPLES", lambda model: str(model.samples)),
        Column("AT MOST", lambda model: formats.cost(model.worst_cost_usd)),
    ),
}


def milliseconds(latency: int | None) -> str:
    """Write `340 ms`."""
    return formats.NOTHING if latency is None else f"{latency} ms"


def setting_value(value: Any) -> str:
    """Write a setting's JSON value."""
    if isinstance(value, str):
        return value
    import json

    return json.dumps(value)


def spans(ranges: Sequence[Sequence[int]] | None) -> str:
    """Write `all` or `1-20,40-60`."""
    if ranges is None:
        return "all"
    return ",".join(f"{first}-{last}" for first, last in ranges)


def table(kind: str, values: Iterable[Any]) -> Iterator[str]:
    """Lay out VALUES of one KIND; the heading alone when there are none."""
    shown = COLUMNS[kind]
    rows = [[one_line(column.cell(value)) for column in shown] for value in values]
    return grid([column.head for column in shown], rows)


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay out ROWS of harmless cells below HEADS; the last column ends where the window does."""
    widths = [max(map(width, column)) for column in zip(heads, *rows, strict=True)]
    taken = sum(widths[:-1]) + GAP * (len(widths) - 1)
    widths[-1] = min(widths[-1], max(columns(sys.stdout) - taken, NARROWEST))
    yield _line(heads, widths, ["bold"] * len(heads))
    for row in rows:
        yield _line(row, widths, [_colour(*pair) for pair in zip(heads, row, strict=True)])


def _colour(head: str, cell: str) -> str | None:
    return COLOURS.get(cell.partition(":")[0]) if head in COLOURED else None


def _line(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str | None]) -> str:
    line = ""
    for cell, wide, colour in zip(cells, widths, colours, strict=True):
        shown = fit(cell, wide)
        line += paint(shown, colour, sys.stdout) + " " * (wide - width(shown) + GAP)
    return line.rstrip()
