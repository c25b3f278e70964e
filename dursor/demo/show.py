"""The demonstration: a real round on a real repository, against practice models."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.demo import practice_server
from dursor.demo.models import PRACTICE_MODELS, PracticeModel
from dursor.demo.result import DemoResult
from dursor.demo.sample import INSTRUCTION, create_sample
from dursor.demo.verify import run_test, verify
from dursor.errors import InternalError, UsageError
from dursor.services.events import ignore_event
from dursor.services.request import ModelCount, NewModel, RoundRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dursor.app import App
    from dursor.services.events import Listener
    from dursor.services.results import RoundResult

# The user's variables that the demo keeps: no keys, models or folders of dursor.
KEPT_VARIABLES = (
    *("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "LANG", "TZ", "TMPDIR", "TEMP", "TMP"),
    *("DURSOR_LOG_LEVEL", "DURSOR_DEBUG"),
)


def run_demo(
    make_app: Callable[[Mapping[str, str], Path], App],
    keep: Path | None,
    listener: Listener | None,
    *,
    models: Sequence[PracticeModel] = PRACTICE_MODELS,
    environ: Mapping[str, str] = os.environ,
    delay: float = 0.02,
) -> DemoResult:
    """Run a round of MODELS on the sample and the sample's test on each answer.

    Everything happens in a temporary folder or in KEEP, which must be new or empty (UsageError).
    DELAY paces the practice models' streams, in seconds per event.
    """
    answers = {model.name: model.answer for model in models}
    with _open_folder(keep) as folder, practice_server.serve(answers, delay=delay) as endpoints:
        repository = folder / "toolshed"
        create_sample(repository).close()
        passed, detail = run_test(repository)
        if passed:
            raise InternalError("the sample's test passes before any change")
        with make_app(_make_environment(environ, folder) | endpoints, repository) as app:
            round_ = _run_round(app, models, listener or ignore_event)
        if round_.interrupted or round_.task is None or round_.round is None:
            raise KeyboardInterrupt
        answers_folder = folder / "answers"
        tests = tuple(verify(run, repository, answers_folder / run.model) for run in round_.runs)
    notes = tuple(f"{model.name}: {model.note}" for model in models if model.note)
    return DemoResult(
        round_.task, round_.round, round_.runs, tests, detail, notes, folder if keep else None
    )


def _run_round(app: App, models: Sequence[PracticeModel], listener: Listener) -> RoundResult:
    """Add the practice models as profiles and start one run of each."""
    for model in models:
        app.models.add(NewModel(model.name, model.provider, model.name), lambda: None)
    counts = tuple(ModelCount(model.name, 1) for model in models)
    return app.rounds.start(RoundRequest(INSTRUCTION, counts), listener)


def _make_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    kept = {name: environ[name] for name in KEPT_VARIABLES if name in environ}
    own = {
        "DURSOR_DATA_DIR": folder / "data",
        "DURSOR_CONFIG_DIR": folder / "config",
        "DURSOR_WORKSPACES_DIR": folder / "workspaces",
        "DURSOR_KEY_STORE": "file",
    }
    return kept | {name: str(value) for name, value in own.items()}


@contextmanager
def _open_folder(keep: Path | None) -> Iterator[Path]:
    """Yield KEEP or a temporary folder."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="dursor-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name).resolve()
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        occupied = any(keep.iterdir())
    except OSError as error:
        raise UsageError(f"cannot write to {keep}: {error.strerror}") from error
    if occupied:
        raise UsageError(f"{keep} is not an empty folder", hint="name a new or empty folder")
    yield keep.resolve()
