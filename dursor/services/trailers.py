"""Where a change comes from: the runs it grew from, and what its commit says of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.services.tasks import title_of

if TYPE_CHECKING:
    from dursor.domain import Run
    from dursor.store.read import Reader

RUN, MODEL, BASE = "Dursor-Run", "Dursor-Model", "Dursor-Base"  # trailers of our commits


def build_commit_message(run: Run) -> str:
    """A commit message: the instruction's first line, the summary, and where it comes from."""
    parts = [title_of(run.instruction)]
    if run.summary:
        parts.append(run.summary.replace("\0", ""))  # git's messages end at one
    parts.append(f"{RUN}: {run.id}\n{MODEL}: {run.model_name}\n{BASE}: {run.base_commit}")
    return "\n\n".join(parts) + "\n"


def list_chain(reader: Reader, run: Run) -> tuple[Run, ...]:
    """The runs that led to RUN by --from, oldest first, RUN itself last."""
    chain = [run]
    while chain[-1].parent_run_id is not None:
        chain.append(reader.run(chain[-1].parent_run_id))
    return tuple(reversed(chain))
