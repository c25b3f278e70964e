"""GitPython's command class, hardened: the one way a git process is started."""

from __future__ import annotations

import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

from dursor.errors import DeadlineError, DursorError, InternalError, UsageError
from dursor.vcs.environment import build_local_env, find_git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)


@contextmanager
def _no_process_at_import() -> Iterator[None]:
    """Keep `import git` from running `git version`, which would inherit every key."""
    wanted = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": f"{__file__}.absent"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with _no_process_at_import():
    from git.cmd import Git, safer_popen

Process: TypeAlias = Git.AutoInterrupt
Source: TypeAlias = int | IO[bytes]

FETCH = "git fetch --refetch --no-filter"  # makes a partial clone whole
ANY = range(-64, 256)  # every exit status; a signal counts below zero
SECONDS = 120.0
OUTPUT_LIMIT = 1 << 29  # bytes; the listing of a tree of a million files is a fifth of it
HARDENING = (
    "core.hooksPath=" + os.devnull,
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.askPass=",
    "core.warnAmbiguousRefs=false",
    "diff.external=",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "init.templateDir=",
    "gc.auto=0",
    "maintenance.auto=false",
    "color.ui=false",
)


class MissingObjectError(UsageError):
    """A partial clone lacks what was asked for."""


class GitTimeoutError(InternalError):
    """A git process took longer than it may."""


class GitOutput(NamedTuple):
    """What a finished git process left: exit status, stdout as it was, stderr as text."""

    status: int
    out: bytes
    err: str


class GitCommand(Git):
    """Runs git in one folder with a scrubbed environment; bytes in, bytes out."""

    def __init__(
        self,
        working_dir: str | os.PathLike[str] | None = None,
        *,
        hooks: bool = False,
        environment: Callable[[], dict[str, str]] = build_local_env,
    ) -> None:
        super().__init__(working_dir)
        # Alone, lest a prompt wait on the terminal; but hooks and signing programs may need it.
        self._own_session = sys.platform != "win32" and not hooks
        settings = [item for item in HARDENING if not (hooks and item.startswith("core.hooksPath"))]
        self._persistent_git_options = [word for item in settings for word in ("-c", item)]
        self._base_environment = environment

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        ok: Sequence[int] = (0,),
        env: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> GitOutput:
        """Run `git ARGS`; a status outside OK becomes one clear error."""
        with TemporaryFile() as source, TemporaryFile() as stderr:
            if stdin:
                source.write(stdin)
                source.seek(0)
            words = ["git", *self._persistent_git_options, *args]
            process = self._start(words, source if stdin else subprocess.DEVNULL, stderr, env)
            status, out = _collect(process, _verb(args), seconds, group=self._own_session)
            stderr.seek(0)
            output = GitOutput(status, out, decode(stderr.read(1 << 16)))
        log.debug("git %s: exit %d", " ".join(args[:3]), status)
        if status not in ok:
            raise explain(_verb(args), output.err)
        return output

    def run_remote(self, url: str, *args: str, env: Mapping[str, str], seconds: float) -> GitOutput:
        """Run `git ARGS`, which speaks to URL, however it ends; DeadlineError when it does not."""
        try:
            return self.run(*args, ok=ANY, env=env, seconds=seconds)
        except GitTimeoutError as error:
            raise DeadlineError(f"{url} took more than {seconds:g} s", hint="try again") from error

    def open_pipe(self, *args: str, stderr: IO[bytes]) -> Process:
        """Start `git ARGS` with pipes at both ends, for a process that answers many questions."""
        words = ["git", *self._persistent_git_options, *args]
        return self._start(words, subprocess.PIPE, stderr, None)

    def execute(self, command: Sequence[str], **options: Any) -> Any:  # type: ignore[override]
        """Start what GitPython itself asks for; only its `as_process` form is in use."""
        if not options.get("as_process"):
            raise NotImplementedError(command)
        stdin = options.get("istream") or subprocess.DEVNULL
        text = bool(options.get("universal_newlines"))
        return self._start(command, stdin, subprocess.PIPE, options.get("env"), text=text)

    def _start(
        self,
        words: Sequence[str],
        stdin: Source,
        stderr: Source,
        env: Mapping[str, str] | None,
        *,
        text: bool = False,
    ) -> Process:
        argv = [find_git(), *words[1:]]
        if any("\0" in word for word in argv):
            raise UsageError("a name holds a zero byte")
        try:
            process = safer_popen(
                argv if sys.platform == "win32" else [encode(word) for word in argv],
                cwd=self.working_dir,
                env=self._base_environment() | self.environment() | dict(env or {}),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                encoding="utf-8" if text else None,
                errors="backslashreplace" if text else None,
                start_new_session=self._own_session,
            )
        except OSError as error:
            raise InternalError(f"git could not be started: {error.strerror}") from error
        return Process(process, argv)


def _collect(process: Process, name: str, seconds: float, *, group: bool) -> tuple[int, bytes]:
    """Read a process to its end, within the limits of time and size."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process.pid, group=group)

    watchdog = threading.Timer(seconds, stop)
    watchdog.daemon = True
    watchdog.start()
    try:
        with process.stdout as stream:
            out = stream.read(OUTPUT_LIMIT + 1)
            if len(out) > OUTPUT_LIMIT:
                raise InternalError(f"git {name} said more than {OUTPUT_LIMIT >> 20} MiB")
        status = process.proc.wait() if process.proc else 1
    finally:
        watchdog.cancel()
        if process.poll() is None:
            _kill(process.pid, group=group)
        process._terminate()  # noqa: SLF001 - what its __del__ does, but now
    if late.is_set():
        raise GitTimeoutError(f"git {name} did not finish within {seconds:g} s")
    return status, out


def _verb(args: Sequence[str]) -> str:
    """Name the command among ARGS, which settings may come before."""
    at = 0
    while args[at] == "-c":
        at += 2
    return args[at]


def _kill(pid: int, *, group: bool) -> None:
    """End process PID; of a GROUP it leads, everything, for one child can keep a pipe open."""
    with suppress(ProcessLookupError):
        if group:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def encode(text: str) -> bytes:
    """Turn a path or name into git's bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"not a name git can hold: {text!a}") from error


def decode(data: bytes) -> str:
    """Turn git's bytes into text that `encode` turns back."""
    return data.decode("utf-8", "surrogateescape")


def explain(name: str, stderr: str) -> DursorError:
    """Choose the error for a git process that failed with STDERR."""
    owner = re.search(r"dubious ownership in repository at '(.*)'", stderr)
    if owner:
        return UsageError(
            f"git does not trust {owner[1]}: it belongs to another user",
            hint=f"git config --global --add safe.directory {shlex.quote(owner[1])}",
        )
    if "promisor remote" in stderr:
        return MissingObjectError(
            "this partial clone lacks files that are needed",
            hint=FETCH,
        )
    if "bad config" in stderr:
        return UsageError(
            f"git cannot read its configuration: {find_reason(stderr)}", hint="git config --list"
        )
    return InternalError(f"git {name} failed: {find_reason(stderr)}")


def find_reason(stderr: str) -> str:
    """Pick the line of STDERR that says what is wrong, without credentials and at most 300 long."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines
    line = telling[0] if telling else "no reason given"
    line = re.sub(r"^(fatal|error): ", "", line)
    return re.sub(r"://[^/\s@']*@", "://", line)[:300]


def is_owned(folder: Path) -> bool:
    """Tell whether FOLDER belongs to this user."""
    return sys.platform == "win32" or folder.stat().st_uid == os.geteuid()
