"""What people read of each value that a command returns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dursor.cli.output import formats
from dursor.cli.output.columns import grid, status_of, table
from dursor.cli.output.terminal import harmless, one_line, paint, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dursor.cli.command_result import Items, PlainOutput, RunView
    from dursor.config import Setting
    from dursor.domain import LogEntry, Message, PullRequest, Repo, Run, Task
    from dursor.services import results


MOST_WITHHELD = 50  # shown: a repository of pictures needs no list of them


def of(value: Any) -> Iterable[str]:
    """Turn VALUE into lines; each is harmless on a terminal."""
    return VIEWS[type(value).__name__](value)


def items(listed: Items) -> Iterator[str]:
    """Write a list as its table, or say that it is empty."""
    if listed.kind == "log":
        yield from map(log_line, listed.values)
        return
    values = [*listed.values]
    if not values and listed.empty:
        tell(listed.empty)
        return
    yield from table(listed.kind, values)


def plain(value: PlainOutput) -> Iterator[str]:
    """Write lines that the command has made."""
    yield from map(harmless, value.lines)


def pairs(*rows: tuple[str, str | None]) -> Iterator[str]:
    """Write names and values below each other; what is None or empty is left out."""
    wide = max(len(name) for name, _ in rows)
    for name, said in rows:
        if said:
            first, *more = harmless(said).splitlines() or [""]
            yield f"{name:<{wide}}  {first}".rstrip()
            yield from (f"{'':<{wide}}  {line}".rstrip() for line in more)


def log_line(entry: LogEntry) -> str:
    """Write one line of a run's log."""
    return f"{entry.at}  {entry.stage:<7}  {one_line(entry.message)}"


def round_(value: results.RoundResult) -> Iterator[str]:
    """Write the table of a round."""
    yield from table("round", value.runs)


def run_view(view: RunView) -> Iterator[str]:
    """Write a run's head and the wanted sections."""
    run, wanted = view
    yield from _head(run)
    sections: dict[str, Callable[[Run], Iterable[str]]] = {
        "summary": _summary,
        "files": lambda run: table("change", run.files_changed) if run.files_changed else (),
        "context": lambda run: table("context", run.context) if run.context else (),
        "logs": lambda run: map(log_line, run.logs),
        "diff": lambda run: patch_lines(run.patch or ""),
    }
    for name, section in sections.items():
        if name in (wanted or {"summary", "files"}):
            shown = [*section(run)]
            if shown:
                yield ""
                yield from shown


def _head(run: Run) -> Iterator[str]:
    time = formats.duration(formats.elapsed(run))
    error = run.error
    yield from pairs(
        ("run", run.id),
        ("task", f"{formats.short(run.task_id)}, round {run.round}, sample {run.sample}"),
        ("parent", run.parent_run_id and formats.short(run.parent_run_id)),
        ("model", f"{run.model} ({run.provider} {run.model_name})"),
        ("status", f"{status_of(run)}, {time}, {formats.cost(run.cost_usd)}"),
        ("error", f"{error.message} (in {error.stage})" if error else None),
        ("hint", error.hint if error else None),
        ("tokens", _tokens(run)),
        ("base", _base(run)),
        ("instruction", run.instruction),
        ("warnings", "\n".join(run.warnings)),
    )


def _tokens(run: Run) -> str | None:
    used = run.usage
    if used is None:
        return None
    return (
        f"{formats.count(used.input_tokens)} in"
        f" ({formats.count(used.cached_input_tokens)} cached),"
        f" {formats.count(used.output_tokens)} out"
        f" ({formats.count(used.reasoning_tokens)} reasoning)"
    )


def _base(run: Run) -> str:
    tree = ", with the working tree's changes" if run.dirty else ""
    return f"{run.base_ref} ({formats.short(run.base_commit)}{tree})"


def _summary(run: Run) -> Iterable[str]:
    return harmless(run.summary or "").splitlines()


def patch_lines(patch: str) -> Iterator[str]:
    """Write a patch for eyes: harmless, added lines green, removed ones red."""
    for line in patch.split("\n")[: -1 if patch.endswith("\n") else None]:
        yield paint(harmless(line), _patch_colour(line), sys.stdout)


def _patch_colour(line: str) -> str | None:
    if line.startswith(("diff ", "--- ", "+++ ", "index ")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])


def comparison(value: results.Comparison) -> Iterator[str]:
    """Write runs side by side, then what leads from the first to the last."""
    yield from table("round", value.runs)
    yield ""
    heads = [*(formats.short(run.id) for run in value.runs), "", "FILE"]
    rows = [
        [
            *("changed" if run.id in file.runs else formats.NOTHING for run in value.runs),
            "identical" if file.identical else "",
            one_line(file.path),
        ]
        for file in value.files
    ]
    yield from grid(heads, rows)
    if value.interdiff:
        first, *_, last = value.runs
        tell(f"from {formats.short(first.id)} to {formats.short(last.id)}:{_apart(first, last)}")
        yield ""
        yield from patch_lines(value.interdiff)


def _apart(first: Run, last: Run) -> str:
    """Say what a difference holds besides what the runs did."""
    if first.base_commit == last.base_commit:
        return ""
    bases = f"{formats.short(first.base_commit)} and {formats.short(last.base_commit)}"
    return f" their bases differ, too ({bases})"


def applied(value: results.AppliedChange) -> Iterator[str]:
    """Write what was changed, and where it was committed; and where, if not here."""
    if value.top is not None and not Path.cwd().is_relative_to(value.top.resolve()):
        tell(f"in {one_line(str(value.top))}:")
    yield from table("change", value.files_changed)
    if value.branch or value.commit:
        yield ""
        yield from pairs(("branch", value.branch), ("commit", value.commit))


def task(value: Task) -> Iterator[str]:
    """Write a task."""
    yield from pairs(
        ("task", value.id),
        ("title", value.title),
        ("status", value.status),
        ("repo", formats.short(value.repo_id)),
        ("created", value.created_at),
    )


def message(value: Message) -> Iterator[str]:
    """Write one thing that was said."""
    who = value.role if value.run_id is None else f"{value.role} ({formats.short(value.run_id)})"
    yield paint(f"{who}, {value.created_at}", "bold", sys.stdout)
    yield from (f"  {line}".rstrip() for line in harmless(value.content).splitlines())


def history(value: results.TaskHistory) -> Iterator[str]:
    """Write a task's conversation, its runs and its pull requests."""
    yield from task(value.task)
    for said in value.messages:
        yield ""
        yield from message(said)
    if value.runs:
        yield ""
        yield from table("round", value.runs)
    if value.prs:
        yield ""
        yield from table("pr", value.prs)


def pull(value: PullRequest) -> Iterator[str]:
    """Write a pull request."""
    yield from pairs(
        ("pr", f"#{value.number}"),
        ("id", value.id),
        ("title", value.title),
        ("status", value.status),
        ("branch", f"{value.branch} ({formats.short(value.latest_commit)})"),
        ("page", value.url),
        ("task", formats.short(value.task_id)),
        ("updated", value.updated_at),
        ("text", value.body),
    )


def news(value: results.PullSync) -> Iterator[str]:
    """Write how a pull request is, and what was new about it."""
    yield from table("pr", [value.pr])
    for said in value.messages:
        yield ""
        yield from message(said)


def github_status(value: results.GitHubStatus) -> Iterator[str]:
    """Write who dursor is on which GitHub."""
    yield from pairs(
        ("api", value.api_url),
        ("kind", value.kind or "nobody is signed in"),
        ("login", value.login),
        ("app", value.app_id),
        ("installation", value.installation_id),
        ("source", value.source),
    )
    if value.kind is None:
        tell("hint: dursor github login, or export DURSOR_GITHUB_TOKEN=...")


def repo(value: Repo) -> Iterator[str]:
    """Write a repository."""
    yield from pairs(
        ("repo", value.id),
        ("name", value.name),
        ("path", value.path),
        ("url", value.repo_url),
        ("branch", value.default_branch),
        ("commit", value.latest_commit),
        ("created", value.created_at),
    )


def model(value: results.Model) -> Iterator[str]:
    """Write a model."""
    profile = value.profile
    options = ", ".join(f"{name} {option}" for name, option in profile.options.items())
    yield from pairs(
        ("name", profile.name),
        ("display", profile.display_name),
        ("provider", profile.provider),
        ("model", profile.model_name),
        ("base url", profile.base_url),
        ("options", options),
        ("key", value.key or "none"),
        ("built in", "yes" if profile.built_in else None),
    )


def setting(value: Setting) -> Iterator[str]:
    """Write a setting's bare value, as a script wants it."""
    from dursor.cli.output.columns import setting_value

    yield harmless(setting_value(value.value))


def context_plan(value: results.ContextPlan) -> Iterator[str]:
    """Write the files that would be sent and those that would not."""
    yield from table("context", value.files)
    if value.withheld:
        yield ""
        yield from table("withheld", value.withheld[:MOST_WITHHELD])
        if (more := len(value.withheld) - MOST_WITHHELD) > 0:
            yield f"and {more} more, which --json lists"
    yield ""
    yield from pairs(
        ("base", formats.short(value.base_commit)),
        ("tokens", f"{value.tokens_total} in all, {value.tokens_files} for files"),
        ("budget", str(value.budget)),
    )


def round_plan(value: results.RoundPlan) -> Iterator[str]:
    """Write what a round would do."""
    yield from table("planned", value.models)
    yield ""
    yield from context_plan(value.context)


VIEWS: dict[str, Callable[[Any], Iterable[str]]] = {
    # by name: an import of the classes would cost the cheap commands 5 ms
    "AppliedChange": applied,
    "Comparison": comparison,
    "ContextPlan": context_plan,
    "GitHubStatus": github_status,
    "Items": items,
    "Message": message,
    "Model": model,
    "PlainOutput": plain,
    "PullSync": news,
    "PullRequest": pull,
    "Repo": repo,
    "RoundResult": round_,
    "RoundPlan": round_plan,
    "RunView": run_view,
    "Setting": setting,
    "Task": task,
    "TaskHistory": history,
}
