"""The value that a command returns, as lines for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dursor.cli.output import formats
from dursor.cli.output.columns import format_setting, format_status, render_grid, render_table
from dursor.cli.output.terminal import escape_controls, paint, print_stderr, to_one_line
from dursor.ids import short_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dursor.cli.command_result import Items, RunView
    from dursor.domain import LogEntry, Message, PullRequest, Repo, Run, Task
    from dursor.services import results

MAX_WITHHELD = 50  # a repository of pictures has thousands
USUAL_SECTIONS = frozenset({"summary", "files"})


def render(value: Any) -> Iterable[str]:
    """Render VALUE as lines without control characters other than colours."""
    return RENDERERS[type(value).__name__](value)


def render_items(items: Items) -> Iterator[str]:
    """Render a table, or print the hint for an empty list."""
    if items.kind == "log":
        yield from map(render_log_entry, items.values)
        return
    values = [*items.values]
    if not values and items.empty:
        print_stderr(items.empty)
        return
    yield from render_table(items.kind, values)


def render_pairs(*rows: tuple[str, str | None]) -> Iterator[str]:
    """Render names and values below each other; leave out values that are None or empty."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value:
            first, *more = escape_controls(value).splitlines() or [""]
            yield f"{name:<{width}}  {first}".rstrip()
            yield from (f"{'':<{width}}  {line}".rstrip() for line in more)


def render_log_entry(entry: LogEntry) -> str:
    """Render one line of a run's log."""
    return f"{entry.at}  {entry.stage:<7}  {to_one_line(entry.message)}"


def render_run(view: RunView) -> Iterator[str]:
    """Render a run's head and the requested sections; replies alone are the bare text."""
    if view.sections == {"reply"}:
        yield from _render_replies(view.run)
        return
    yield from _render_head(view.run)
    for name, render_section in SECTIONS.items():
        if name in (view.sections or USUAL_SECTIONS):
            lines = [*render_section(view.run)]
            if lines:
                yield ""
                yield from lines


def _render_rows(kind: str, rows: Sequence[Any]) -> Iterable[str]:
    return render_table(kind, rows) if rows else ()


def _render_head(run: Run) -> Iterator[str]:
    time = formats.format_duration(formats.measure_elapsed(run))
    error = run.error
    yield from render_pairs(
        ("run", run.id),
        ("task", f"{short_id(run.task_id)}, round {run.round.number}, sample {run.sample}"),
        ("parent", run.round.parent_run_id and short_id(run.round.parent_run_id)),
        ("model", f"{run.model} ({run.provider} {run.model_name})"),
        ("status", f"{format_status(run)}, {time}, {formats.format_cost(run.cost_usd)}"),
        ("error", f"{error.message} (stage: {error.stage})" if error else None),
        ("hint", error.hint if error else None),
        ("tokens", _format_usage(run)),
        ("base", _format_base(run)),
        ("instruction", run.round.instruction),
        ("warnings", "\n".join(run.warnings)),
    )


def _format_usage(run: Run) -> str | None:
    if (usage := run.usage) is None:
        return None
    return (
        f"{formats.format_count(usage.input_tokens)} in"
        f" ({formats.format_count(usage.cached_input_tokens)} cached),"
        f" {formats.format_count(usage.output_tokens)} out"
        f" ({formats.format_count(usage.reasoning_tokens)} reasoning)"
    )


def _format_base(run: Run) -> str:
    changes = ", with uncommitted changes" if run.round.dirty else ""
    return f"{run.round.base_ref} ({short_id(run.round.base_commit)}{changes})"


def render_patch(patch: str) -> Iterator[str]:
    """Render a patch, added lines green and removed ones red."""
    for line in patch.split("\n")[: -1 if patch.endswith("\n") else None]:
        yield paint(escape_controls(line), _choose_colour(line), sys.stdout)


def _choose_colour(line: str) -> str | None:
    if line.startswith(("diff ", "--- ", "+++ ", "index ")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])


def _render_replies(run: Run) -> Iterator[str]:
    if not run.replies:
        print_stderr(f"no reply is stored for run {short_id(run.id)}")
    for reply in run.replies:
        if len(run.replies) > 1:
            yield paint(f"attempt {reply.attempt}:", "bold", sys.stdout)
        yield from escape_controls(reply.text).removesuffix("\n").split("\n")


SECTIONS: dict[str, Callable[[Run], Iterable[str]]] = {
    "summary": lambda run: escape_controls(run.summary or "").splitlines(),
    "files": lambda run: _render_rows("file_change", run.files_changed),
    "context": lambda run: _render_rows("context", run.sent_files),
    "logs": lambda run: map(render_log_entry, run.full_log),
    "reply": _render_replies,
    "diff": lambda run: render_patch(run.patch or ""),
}


def render_comparison(value: results.Comparison) -> Iterator[str]:
    """Render runs side by side, then the diff from the first to the last."""
    yield from render_table("round", value.runs)
    yield ""
    heads = [*(short_id(run.id) for run in value.runs), "", "FILE"]
    rows = [
        [
            *("changed" if run.id in file.runs else formats.NOTHING for run in value.runs),
            "identical" if file.identical else "",
            to_one_line(file.path),
        ]
        for file in value.files
    ]
    yield from render_grid(heads, rows)
    if value.interdiff:
        first, *_, last = value.runs
        note = _describe_bases(first, last)
        print_stderr(f"diff from {short_id(first.id)} to {short_id(last.id)}{note}:")
        yield ""
        yield from render_patch(value.interdiff)


def _describe_bases(first: Run, last: Run) -> str:
    if first.round.base_commit == last.round.base_commit:
        return ""
    commits = " and ".join(short_id(run.round.base_commit) for run in (first, last))
    return f" (different bases: {commits})"


def render_applied(value: results.AppliedChange) -> Iterator[str]:
    """Render the changed files, branch and commit, and the folder if it is another one."""
    if value.top is not None and not Path.cwd().is_relative_to(value.top.resolve()):
        print_stderr(f"in {to_one_line(str(value.top))}:")
    yield from render_table("file_change", value.files_changed)
    if value.branch or value.commit:
        yield ""
        yield from render_pairs(("branch", value.branch), ("commit", value.commit))


def render_task(value: Task) -> Iterator[str]:
    """Render a task."""
    yield from render_pairs(
        ("task", value.id),
        ("title", value.title),
        ("status", value.status),
        ("repo", short_id(value.repo_id)),
        ("created", value.created_at),
    )


def render_message(value: Message) -> Iterator[str]:
    """Render one message of a task."""
    author = value.role if value.run_id is None else f"{value.role} ({short_id(value.run_id)})"
    yield paint(f"{author}, {value.created_at}", "bold", sys.stdout)
    yield from (f"  {line}".rstrip() for line in escape_controls(value.content).splitlines())


def render_task_history(value: results.TaskHistory) -> Iterator[str]:
    """Render a task's conversation, its runs and its pull requests."""
    yield from render_task(value.task)
    for message in value.messages:
        yield ""
        yield from render_message(message)
    for kind, rows in (("round", value.runs), ("pr", value.prs)):
        if rows:
            yield ""
            yield from render_table(kind, rows)


def render_pull(value: PullRequest) -> Iterator[str]:
    """Render a pull request."""
    yield from render_pairs(
        ("pr", f"#{value.number}"),
        ("id", value.id),
        ("title", value.title),
        ("status", value.status),
        ("branch", f"{value.branch} ({short_id(value.latest_commit)})"),
        ("url", value.url),
        ("task", short_id(value.task_id)),
        ("updated", value.updated_at),
        ("body", value.body),
    )


def render_pull_sync(value: results.PullSync) -> Iterator[str]:
    """Render a pull request's status and its new messages."""
    yield from render_table("pr", [value.pr])
    for message in value.messages:
        yield ""
        yield from render_message(message)


def render_github_status(value: results.GitHubStatus) -> Iterator[str]:
    """Render the GitHub host and the signed-in account."""
    yield from render_pairs(
        ("api", value.api_url),
        ("kind", value.kind or "not signed in"),
        ("login", value.login),
        ("app", value.app_id),
        ("installation", value.installation_id),
        ("source", value.source),
    )
    if value.kind is None:
        print_stderr("hint: dursor github login, or export DURSOR_GITHUB_TOKEN=...")


def render_repo(value: Repo) -> Iterator[str]:
    """Render a repository."""
    yield from render_pairs(
        ("repo", value.id),
        ("name", value.name),
        ("path", value.path),
        ("url", value.repo_url),
        ("branch", value.default_branch),
        ("commit", value.latest_commit),
        ("created", value.created_at),
    )


def render_model(value: results.Model) -> Iterator[str]:
    """Render a model."""
    profile = value.profile
    options = ", ".join(f"{name} {option}" for name, option in profile.options.items())
    yield from render_pairs(
        ("name", profile.name),
        ("display", profile.display_name),
        ("provider", profile.provider),
        ("model", profile.model_name),
        ("base url", profile.base_url),
        ("options", options),
        ("key", value.key or "none"),
        ("built in", "yes" if profile.built_in else None),
    )


def render_context_plan(value: results.ContextPlan) -> Iterator[str]:
    """Render the files that would be sent and those that would be withheld."""
    yield from render_table("context", value.files)
    if value.withheld:
        yield ""
        yield from render_table("withheld", value.withheld[:MAX_WITHHELD])
        if (more := len(value.withheld) - MAX_WITHHELD) > 0:
            yield f"and {more} more (--json lists all)"
    yield ""
    yield from render_pairs(
        ("base", short_id(value.base_commit)),
        ("tokens", f"{value.tokens_total} in total, {value.tokens_files} for files"),
        ("budget", str(value.budget)),
    )


def render_round_plan(value: results.RoundPlan) -> Iterator[str]:
    """Render the models and the context of a dry run."""
    yield from render_table("planned_model", value.models)
    yield ""
    yield from render_context_plan(value.context)


RENDERERS: dict[str, Callable[[Any], Iterable[str]]] = {
    # by name: an import of the classes would cost the cheap commands 5 ms
    "AppliedChange": render_applied,
    "Comparison": render_comparison,
    "ContextPlan": render_context_plan,
    "GitHubStatus": render_github_status,
    "Items": render_items,
    "Message": render_message,
    "Model": render_model,
    "PlainOutput": lambda output: map(escape_controls, output.lines),
    "PullRequest": render_pull,
    "PullSync": render_pull_sync,
    "Repo": render_repo,
    "RoundPlan": render_round_plan,
    "RoundResult": lambda result: render_table("round", result.runs),
    "RunView": render_run,
    "Setting": lambda setting: [escape_controls(format_setting(setting.value))],
    "Task": render_task,
    "TaskHistory": render_task_history,
}
