"""A hardened version of GitPython's command class; every git process is started here."""

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
def _prevent_git_version() -> Iterator[None]:
    """Keep `import git` from running `git version`, which would inherit every key."""
    settings = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": f"{__file__}.absent"}
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


with _prevent_git_version():
    from git.cmd import Git, safer_popen

Process: TypeAlias = Git.AutoInterrupt
Source: TypeAlias = int | IO[bytes]

FETCH = "git fetch --refetch --no-filter"  # makes a partial clone whole
ANY = range(-64, 256)  # every exit status; negative ones are signals
SECONDS = 120.0
# Branch names that are valid without asking git.
PLAIN_BRANCH = re.compile(r"(?!HEAD\Z)[A-Za-z0-9_][A-Za-z0-9_-]*(?:/[A-Za-z0-9_][A-Za-z0-9_-]*)*")
OUTPUT_LIMIT = 1 << 29  # bytes; listing a tree of a million files takes a fifth of it
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
    """A partial clone lacks an object."""


class GitTimeoutError(InternalError):
    """A git process exceeded its time limit."""


class GitOutput(NamedTuple):
    """The result of a git process: exit status, raw stdout, stderr as text."""

    status: int
    out: bytes
    err: str


class GitCommand(Git):
    """Runs git in one folder with a scrubbed environment."""

    def __init__(
        self,
        working_dir: str | os.PathLike[str] | None = None,
        *,
        hooks: bool = False,
        environment: Callable[[], dict[str, str]] = build_local_env,
    ) -> None:
        super().__init__(working_dir)
        # Without a terminal no prompt can block, but hooks and signing programs may need one.
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
        """Run `git ARGS`; raise an error for an exit status outside OK."""
        with TemporaryFile() as source, TemporaryFile() as stderr:
            if stdin:
                source.write(stdin)
                source.seek(0)
            words = ["git", *self._persistent_git_options, *args]
            process = self._start(words, source if stdin else subprocess.DEVNULL, stderr, env)
            name = _find_subcommand(args)
            status, out = _collect(process, name, seconds, group=self._own_session)
            stderr.seek(0)
            output = GitOutput(status, out, decode(stderr.read(1 << 16)))
        log.debug("git %s: exit %d", " ".join(args[:3]), status)
        if status not in ok:
            raise explain(name, output.err)
        return output

    def run_remote(self, url: str, *args: str, env: Mapping[str, str], seconds: float) -> GitOutput:
        """Run `git ARGS` against URL and accept any exit status; DeadlineError on a timeout."""
        try:
            return self.run(*args, ok=ANY, env=env, seconds=seconds)
        except GitTimeoutError as error:
            raise DeadlineError(f"{url} took more than {seconds:g} s", hint="try again") from error

    def open_pipe(self, *args: str, stderr: IO[bytes]) -> Process:
        """Start a long-lived `git ARGS` with pipes for stdin and stdout."""
        words = ["git", *self._persistent_git_options, *args]
        return self._start(words, subprocess.PIPE, stderr, None)

    def execute(self, command: Sequence[str], **options: Any) -> Any:  # type: ignore[override]
        """Start a command for GitPython, which only uses the `as_process` form here."""
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
            raise UsageError("a name contains a zero byte")
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
            raise InternalError(f"cannot start git: {error.strerror}") from error
        return Process(process, argv)


def _collect(process: Process, name: str, seconds: float, *, group: bool) -> tuple[int, bytes]:
    """Read a process to its end within the limits of time and size."""
    timed_out = threading.Event()

    def stop() -> None:
        timed_out.set()
        _kill(process.pid, group=group)

    watchdog = threading.Timer(seconds, stop)
    watchdog.daemon = True
    watchdog.start()
    try:
        with process.stdout as stream:
            out = stream.read(OUTPUT_LIMIT + 1)
            if len(out) > OUTPUT_LIMIT:
                raise InternalError(f"git {name} printed more than {OUTPUT_LIMIT >> 20} MiB")
        status = process.proc.wait() if process.proc else 1
    finally:
        watchdog.cancel()
        if process.poll() is None:
            _kill(process.pid, group=group)
        process._terminate()  # noqa: SLF001 - now rather than in __del__
    if timed_out.is_set():
        raise GitTimeoutError(f"git {name} timed out after {seconds:g} s")
    return status, out


def _find_subcommand(args: Sequence[str]) -> str:
    """Return the subcommand in ARGS, which may begin with settings."""
    index = 0
    while args[index] == "-c":
        index += 2
    return args[index]


def _kill(pid: int, *, group: bool) -> None:
    """Kill process PID, or the whole GROUP that it leads: a child can keep a pipe open."""
    with suppress(ProcessLookupError):
        if group:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def encode(text: str) -> bytes:
    """Encode a path or name for git."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise UsageError(f"git cannot store the name {text!a}") from error


def decode(data: bytes) -> str:
    """Decode git's bytes; `encode` reverses it."""
    return data.decode("utf-8", "surrogateescape")


def explain(name: str, stderr: str) -> DursorError:
    """Return the error for a git process that failed with STDERR."""
    owner = re.search(r"dubious ownership in repository at '(.*)'", stderr)
    if owner:
        return UsageError(
            f"git does not trust {owner[1]}: it belongs to another user",
            hint=f"git config --global --add safe.directory {shlex.quote(owner[1])}",
        )
    if "promisor remote" in stderr:
        return MissingObjectError("this partial clone lacks required files", hint=FETCH)
    if "bad config" in stderr:
        return UsageError(
            f"git cannot read its configuration: {find_reason(stderr)}", hint="git config --list"
        )
    return InternalError(f"git {name} failed: {find_reason(stderr)}")


def find_reason(stderr: str) -> str:
    """Return the error line of STDERR without credentials, at most 300 characters."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines
    line = errors[0] if errors else "no reason given"
    line = re.sub(r"^(fatal|error): ", "", line)
    return re.sub(r"://[^/\s@']*@", "://", line)[:300]


def is_branch_name(command: GitCommand, name: str) -> bool:
    """Check whether git accepts NAME unchanged as a branch name."""
    if PLAIN_BRANCH.fullmatch(name):
        return True
    output = command.run("check-ref-format", "--branch", name, ok=(0, 1, 128, 129))
    return name != "@" and output.status == 0 and decode(output.out).rstrip("\n") == name


def is_owned(folder: Path) -> bool:
    """Check whether FOLDER belongs to this user."""
    return sys.platform == "win32" or folder.stat().st_uid == os.geteuid()
