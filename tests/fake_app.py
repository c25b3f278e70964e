"""A fake application for the command line: parsing and printing are real.

`FakeApp` takes the place of dursor.app.App: it returns the answers that a test sets and records
every call. As a program, `python fake_app.py WORDS` runs WORDS with a scenario, which the variable
FAKE_APP_SCENARIO names.
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
    AttemptReply,
    Change,
    ContextFile,
    FileChange,
    KeySource,
    LogEntry,
    Message,
    MessageKind,
    ModelProfile,
    PullRequest,
    Repo,
    Role,
    Round,
    Run,
    RunError,
    RunStatus,
    Stage,
    Task,
    TaskStatus,
    Usage,
)
from dursor.errors import ProviderError
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
MESSAGE = Message(
    "5a1d" * 8,
    TASK.id,
    Role.USER,
    MessageKind.INSTRUCTION,
    "Fix the off-by-one\nin pagination",
    AT,
    round_id="0123" * 8,
)
CHANGED = FileChange("shop/pages.py", None, Change.MODIFIED, 11, 4)
USAGE = Usage(12_345, 6_000, 1_234, 200, 0)
LOGGED = LogEntry(AT, Stage.CALL, "streaming")
SENT = ContextFile("shop/pages.py", ((1, 20), (40, 60)), 321, "named in the instruction")
PATCH = "diff --git a/shop/pages.py b/shop/pages.py\n--- a/shop/pages.py\n+++ b/shop/pages.py\n"
PATCH += "@@ -1 +1 @@\n-last = 9\n+last = 10\n"
ROUND = Round(
    id="0123" * 8,
    task_id=TASK.id,
    number=1,
    parent_run_id=None,
    base_ref="main",
    base_commit="c0de" * 10,
    dirty=False,
    created_at=AT,
    instruction="Fix the off-by-one in pagination",
    context=(SENT, ContextFile("README.md", None, 12, "guidance")),
)
RUN = Run(
    id="3fa1c9e2" * 4,
    round=ROUND,
    sample=1,
    model_id="aaaa" * 8,
    model="gpt",
    provider="openai",
    model_name="gpt-5.2",
    status=RunStatus.SUCCEEDED,
    created_at=AT,
    summary="Counts from one.",
    patch=PATCH,
    files_changed=(CHANGED, FileChange("b.py", "a.py", Change.RENAMED, 0, 0)),
    warnings=("line endings differ",),
    logs=(LOGGED,),
    usage=USAGE,
    cost_usd=0.0312,
    attempts=1,
    started_at=AT,
    completed_at=LATER,
    replies=(AttemptReply(1, "Counts from one."),),
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
class FakeApp:
    """Answers a call such as `app.runs.find(...)` from `answers["runs.find"]` and records it."""

    answers: dict[str, Any]
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, noun: str) -> Any:
        return Service(self, noun)

    def answer(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        self.calls.append((name, args, options))
        answer = self.answers[name]
        if isinstance(answer, BaseException):
            raise answer
        return answer(*args, **options) if callable(answer) else answer

    @property
    def only_call(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """The only call."""
        assert len(self.calls) == 1, self.calls
        return self.calls[0]


class Service:
    def __init__(self, app: FakeApp, noun: str) -> None:
        self._app = app
        self._noun = noun

    def __getattr__(self, verb: str) -> Any:
        name = f"{self._noun}.{verb}"
        if name == "configuration.path":
            return self._app.answers[name]
        return lambda *args, **options: self._app.answer(name, args, options)


def run_round(request: Any, listener: Any) -> results.RoundResult:
    """A round of two models that takes half a second and raises every kind of event."""
    queued = [replace(run, status=RunStatus.QUEUED) for run in (RUN, FAILED)]
    listener(RoundStarted(TASK, tuple(queued)))
    listener(Notice("registered shop"))
    listener(StageEntered(RUN.id, Stage.CALL, "asking gpt-5.2\x1b[2J", AT))
    listener(RetryPlanned(FAILED.id, 0.5, "429: slow down"))
    for chars in range(0, 4000, 1000):
        listener(OutputGrew(RUN.id, chars, cost_usd=0.01))
        time.sleep(0.1)  # so that frames are drawn
    listener(OutputGrew(RUN.id, 4000, USAGE, 0.0312))
    listener(RunFinished(RUN))
    listener(RunFinished(FAILED))
    return results.RoundResult(TASK, ROUND, (RUN, FAILED))


def run_until_interrupted(request: Any, listener: Any) -> results.RoundResult:
    """A round that waits for Ctrl-C and handles it like a real one."""
    listener(RoundStarted(TASK, (replace(RUN, status=RunStatus.RUNNING),)))
    interrupted = threading.Event()
    with interrupts.hold(), interrupts.call_on_interrupt(interrupted.set):
        while not interrupted.wait(0.01):
            pass
    return results.RoundResult(TASK, ROUND, (CANCELED,), interrupted=True)


def run_under_interrupts(request: Any, listener: Any) -> results.RoundResult:
    """A round that is interrupted again and again while it ends."""
    listener(RoundStarted(TASK, (replace(RUN, status=RunStatus.RUNNING),)))
    try:
        time.sleep(30)  # until the signal
    finally:
        threading.Thread(target=interrupt_repeatedly, daemon=True).start()
    raise AssertionError


def interrupt_repeatedly() -> None:
    while True:
        time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGINT)


def keep_key(profile: Any, ask_key: Any) -> results.Model:
    key = ask_key()
    name = "none" if key is None else key.reveal()[::-1]  # reversed: an echo shows it as typed
    return results.Model(replace(PROFILE, display_name=name), None)


def echo_instruction(request: Any) -> results.RoundPlan:
    reason = f"<{request.instruction}>"
    return results.RoundPlan(replace(PLAN, files=(SENT._replace(reason=reason),)), ())


SCENARIOS: dict[str, dict[str, Any]] = {
    "round": {"rounds.start": run_round},
    "stubborn": {"rounds.start": run_under_interrupts},
    "interrupted": {"rounds.start": run_until_interrupted},
    "key": {"models.add": keep_key, "models.set_key": keep_key},
    "plan": {"rounds.plan": echo_instruction},
    "bug": {"runs.find": ZeroDivisionError(f"while holding {os.environ.get('OPENAI_API_KEY')}")},
    "odd": {"runs.find": ODD},
    "everything": {"runs.find": RUN, "runs.list": [RUN] * 1500},
    "one": {"runs.list": [RUN]},
    "list": {"runs.list": [RUN] * 1500},
    "error": {"runs.find": ProviderError("the server broke", hint="try again")},
}


def main() -> int:
    from dursor import __main__

    return __main__.main(FakeApp(SCENARIOS[os.environ["FAKE_APP_SCENARIO"]]))


if __name__ == "__main__":
    sys.exit(main())
