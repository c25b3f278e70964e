"""The demonstration: a real round on a real repository, against models that only practise."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dursor.demo.judge import judge, run_test
from dursor.demo.models import PRACTICE_MODELS, PracticeModel
from dursor.demo.result import DemoResult, TestOutcome
from dursor.demo.sample import INSTRUCTION, create_sample
from dursor.demo.server import PracticeServer
from dursor.demo.story import NOTICE, lines
from dursor.errors import InternalError, UsageError
from dursor.services.events import ignore_event
from dursor.services.request import ModelCount, NewModel, RoundRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dursor.app import App
    from dursor.services.events import Listener
    from dursor.services.results import RoundResult

__all__ = ["NOTICE", "DemoResult", "PracticeModel", "TestOutcome", "lines", "run_demo"]

# Of the user's environment the demo takes places and looks, no keys, models or folders of dursor.
KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "LANG",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "DURSOR_LOG_LEVEL",
    "DURSOR_DEBUG",
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
    """Run a round of MODELS on the sample, and the sample's test on each answer.

    Everything happens in a scratch folder, or in KEEP, which must be new or empty (UsageError).
    `delay` paces the practice models' streams, in seconds a piece.
    """
    answers = {model.name: model.answer for model in models}
    with _workplace(keep) as folder, PracticeServer(answers, delay=delay) as server:
        repository = folder / "toolshed"
        create_sample(repository).close()
        passed, detail = run_test(repository)
        if passed:
            raise InternalError("the sample's test passes before anything was mended")
        env = _environment(environ, folder, server)
        with make_app(env, repository) as app:
            done = _round(app, models, listener or ignore_event)
        if done.interrupted or done.task is None:
            raise KeyboardInterrupt
        tests = tuple(judge(run, repository, folder / "answers" / run.model) for run in done.runs)
    notes = tuple(f"{model.name}: {model.note}" for model in models if model.note)
    return DemoResult(done.task, done.runs, tests, detail, notes, folder if keep else None)


def _round(app: App, models: Sequence[PracticeModel], listener: Listener) -> RoundResult:
    """Add the practice models as profiles and start one run of each."""
    for model in models:
        app.models.add(NewModel(model.name, model.provider, model.name), lambda: None)
    asked = tuple(ModelCount(model.name, 1) for model in models)
    return app.rounds.start(RoundRequest(INSTRUCTION, asked), listener)


def _environment(
    environ: Mapping[str, str], folder: Path, server: PracticeServer
) -> dict[str, str]:
    kept = {name: environ[name] for name in KEPT_VARIABLES if name in environ}
    own = {
        "DURSOR_DATA_DIR": folder / "data",
        "DURSOR_CONFIG_DIR": folder / "config",
        "DURSOR_WORKSPACES_DIR": folder / "workspaces",
        "DURSOR_KEY_STORE": "file",
    }
    return kept | {name: str(value) for name, value in own.items()} | server.environment()


@contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    """Give a folder to work in: KEEP, or one that is gone afterwards."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="dursor-demo-", ignore_cleanup_errors=True) as name:
            yield Path(name).resolve()
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        occupied = any(keep.iterdir())
    except OSError as error:
        raise UsageError(f"cannot keep anything in {keep}: {error.strerror}") from error
    if occupied:
        raise UsageError(f"not an empty folder: {keep}", hint="name a folder that is new or empty")
    yield keep.resolve()
