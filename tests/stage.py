"""The command line on a stage: real parsing and printing, an application that only plays.

`Played` stands for dursor.app.App: what a test sets is answered, and every call is noted.
As a program, `python stage.py WORDS` runs WORDS against the play that STAGE_PLAY names.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any

from dursor import interrupts
from dursor.domain import (
    Change,
    ContextFile,
    FileChange,
    KeySource,
    LogEntry,
    Message,
    ModelProfile,
    PullRequest,
    Repo,
    Role,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    Usage,
)
from dursor.errors import DursorError, ProviderError
from dursor.services import results
from dursor.services.events import (
    Notice,
    OutputGrew,
    RetryPlanned,
    RoundStarted,
    RunFinished,
    StageEntered,
)

AT = "2026-01-02T03:04:05.000Z"
LATER = "2026-01-02T03:04:26.000Z"

TASK = Task("7d1f" * 8, "4ee0" * 8, "Pagination", TaskStatus.OPEN, AT, AT)
REPO = Repo("4ee0" * 8, "shop", None, "/home/ada/shop", "main", "c0de" * 10, None, AT)
MESSAGE = Message("5a1d" * 8, TASK.id, Role.USER, "Fix the off-by-one\nin pagination", None, AT)
CHANGED = FileChange("shop/pages.py", None, Change.MODIFIED, 11, 4)
USAGE = Usage(12_345, 6_000, 1_234, 200, 0)
LOGGED = LogEntry(AT, Stage.CALL, "streaming")
SENT = ContextFile("shop/pages.py", ((1, 20), (40, 60)), 321, "named in the instruction")
PATCH = "diff --git a/shop/pages.py b/shop/pages.py\n--- a/shop/pages.py\n+++ b/shop/pages.py\n"
PATCH += "@@ -1 +1 @@\n-last = 9\n+last = 10\n"
RUN = Run(
    id="3fa1c9e2" * 4,
    task_id=TASK.id,
    round=1,
    sample=1,
    parent_run_id=None,
    model_id="aaaa" * 8,
    model="gpt",
    provider="openai",
    model_name="gpt-5.2",
    instruction="Fix the off-by-one in pagination",
    base_ref="main",
    base_commit="c0de" * 10,
    dirty=False,
    status=RunStatus.SUCCEEDED,
    created_at=AT,
    summary="Counts from one.",
    patch=PATCH,
    files_changed=(CHANGED, FileChange("b.py", "a.py", Change.RENAMED, 0, 0)),
    warnings=("line endings differ",),
    logs=(LOGGED,),
    context=(SENT, ContextFile("README.md", None, 12, "guidance")),
    usage=USAGE,
    cost_usd=0.0312,
    attempts=1,
    started_at=AT,
    completed_at=LATER,
)
OTHER = replace(RUN, id="b07d55aa" * 4, model="claude", provider="anthropic")
FAILED = replace(
    RUN,
    id="dead0001" * 4,
    model="gemini",
    provider="google",
    status=RunStatus.FAILED,
    error=RunError("timeout", "no first byte within 300 s", "--timeout 900", Stage.CALL),
    summary=None,
    patch=None,
    files_changed=(),
    usage=None,
    cost_usd=None,
)
ODD = replace(RUN, patch="+caf\udce9 \x1b[2J\r\n")
CANCELED = replace(FAILED, id="ca9ce1ed" * 4, status=RunStatus.CANCELED, error=None)
PROFILE = ModelProfile(
    "aaaa" * 8,
    "gpt",
    "openai",
    "gpt-5.2",
    "GPT",
    options={"effort": "high"},
    built_in=True,
)
MODEL = results.Model(PROFILE, KeySource.ENV)
PR = PullRequest(
    "9999" * 8, TASK.id, 42, "https://x/42", "dursor/3fa1", "T", "B", "c0", "open", AT, AT
)
NEWS = results.PullSync(PR, (MESSAGE,))
SIGNED_IN = results.GitHubStatus(
    "https://api.github.com", "app", "helper[bot]", "12345", "678", "dursor github login"
)
HOSTED = results.HostedRepo(
    "ada/shop", "main", private=True, archived=False, url="https://github.com/ada/shop"
)
PLAN = results.ContextPlan(
    "c0de" * 10, 8000, 321, 500, (SENT,), (results.WithheldPath(".env", "forbidden"),)
)
APPLIED = results.AppliedChange((CHANGED,), "fix", "c0de" * 10)


@dataclass
class Played:
    """Answers calls such as `app.runs.find(...)` from `answers["runs.find"]` and notes them."""

    answers: dict[str, Any]
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, noun: str) -> Any:
        return Service(self, noun)

    def answer(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self.calls.append((name, args, options))
        given = self.answers[name]
        if isinstance(given, BaseException):
            raise given
        return given(*args, **options) if callable(given) else given

    @property
    def said(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """The only call."""
        assert len(self.calls) == 1, self.calls
        return self.calls[0]


class Service:
    def __init__(self, app: Played, noun: str) -> None:
        self._app = app
        self._noun = noun

    def __getattr__(self, verb: str) -> Any:
        name = f"{self._noun}.{verb}"
        if name == "configuration.path":
            return self._app.answers[name]
        return lambda *args, **options: self._app.answer(name, args, options)


def play_round(request: Any, listener: Any) -> results.RoundResult:
    """A round of two models that takes a second, with all that can be heard of one."""
    begun = [replace(run, status=RunStatus.QUEUED) for run in (RUN, FAILED)]
    listener(RoundStarted(TASK, tuple(begun)))
    listener(Notice("registered shop"))
    listener(StageEntered(RUN.id, Stage.CALL, "asking gpt-5.2\x1b[2J", AT))
    listener(RetryPlanned(FAILED.id, 0.5, "429: slow down"))
    for chars in range(0, 4000, 1000):
        listener(OutputGrew(RUN.id, chars, cost_usd=0.01))
        time.sleep(0.1)  # the play needs frames to be drawn
    listener(OutputGrew(RUN.id, 4000, USAGE, 0.0312))
    listener(RunFinished(RUN))
    listener(RunFinished(FAILED))
    return results.RoundResult(TASK, (RUN, FAILED))


def play_interrupted(request: Any, listener: Any) -> results.RoundResult:
    """A round that waits for Ctrl-C, as a real one handles it."""
    listener(RoundStarted(TASK, (replace(RUN, status=RunStatus.RUNNING),)))
    came: list[bool] = []
    with interrupts.hold(), interrupts.call_on_interrupt(lambda: came.append(True)):
        while not came:
            time.sleep(0.01)
    return results.RoundResult(TASK, (CANCELED,), interrupted=True)


def play_stubborn(request: Any, listener: Any) -> results.RoundResult:
    """A round that is interrupted again and again while it is being wound up."""
    listener(RoundStarted(TASK, (replace(RUN, status=RunStatus.RUNNING),)))
    try:
        time.sleep(30)  # until the signal
    finally:
        threading.Thread(target=press_for_ever, daemon=True).start()
    raise AssertionError


def press_for_ever() -> None:
    while True:
        time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGINT)


def keep_key(profile: Any, ask_key: Any) -> results.Model:
    key = ask_key()
    shown = (
        "none" if key is None else key.reveal()[::-1]
    )  # reversed: an echo would show it as typed
    return results.Model(replace(PROFILE, display_name=shown), None)


def echo_instruction(request: Any) -> results.RoundPlan:
    reason = f"<{request.instruction}>"
    return results.RoundPlan(replace(PLAN, files=(replace(SENT, reason=reason),)), ())


PLAYS: dict[str, dict[str, Any]] = {
    "round": {"rounds.start": play_round},
    "stubborn": {"rounds.start": play_stubborn},
    "interrupted": {"rounds.start": play_interrupted},
    "key": {"models.add": keep_key, "models.set_key": keep_key},
    "plan": {"rounds.plan": echo_instruction},
    "bug": {"runs.find": ZeroDivisionError(f"while holding {os.environ.get('OPENAI_API_KEY')}")},
    "odd": {"runs.find": ODD},
    "everything": {"runs.find": RUN, "runs.list": [RUN] * 1500},
    "one": {"runs.list": [RUN]},
    "list": {"runs.list": [RUN] * 1500},
    "error": {"runs.find": ProviderError("the server broke", hint="try again")},
}


def failing(error: DursorError) -> Any:
    """An answer that raises."""

    def answer(*args: Any, **options: Any) -> Any:
        raise error

    return answer


def main() -> int:
    from dursor import __main__

    return __main__.main(Played(PLAYS[os.environ["STAGE_PLAY"]]))


if __name__ == "__main__":
    sys.exit(main())
