"""Commit messages with trailers that name the run, and the chain of runs before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.services.tasks import build_title

if TYPE_CHECKING:
    from dursor.domain import Run
    from dursor.store.read import Reader

RUN, MODEL, BASE = "Dursor-Run", "Dursor-Model", "Dursor-Base"  # trailers of our commits


def build_commit_message(run: Run) -> str:
    """Build a message of the instruction's title, the summary and the trailers."""
    parts = [build_title(run.round.instruction)]
    if run.summary:
        parts.append(run.summary.replace("\0", ""))  # git ends a message there
    parts.append(f"{RUN}: {run.id}\n{MODEL}: {run.model_name}\n{BASE}: {run.round.base_commit}")
    return "\n\n".join(parts) + "\n"


def list_chain(reader: Reader, run: Run) -> tuple[Run, ...]:
    """List the --from ancestors of RUN, oldest first, and RUN itself last."""
    chain = [run]
    while chain[-1].round.parent_run_id is not None:
        chain.append(reader.run(chain[-1].round.parent_run_id))
    return tuple(reversed(chain))
