"""The command `dursor`: `--version` is answered at once, everything else by the command line."""

from __future__ import annotations

import os
import sys

from dursor import __version__


def main(app: object = None) -> int:
    """Run the command line of this process, on APP if there is one; returns the exit code."""
    try:
        code = _run(app)
    except KeyboardInterrupt:  # before it was deferred
        code = _interrupted()
    return _leave(code)


def _run(app: object) -> int:
    if sys.argv[1:] == ["--version"]:
        return _tell_version()

    from dursor import interrupts

    interrupts.defer()
    import gc

    from dursor.cli.output import crash, terminal

    terminal.prepare()
    gc.set_threshold(50_000)  # start-up only allocates: collecting there is 4 ms for nothing
    sys.excepthook = crash.explain
    sys.unraisablehook = crash.overlook

    from dursor.cli.root import command

    code = command().run(sys.argv[1:], obj=app)
    interrupts.ignore()
    return code


def _tell_version() -> int:
    try:
        print(f"dursor {__version__}")  # noqa: T201 - unlike write, it knows of a closed stdout
    except BrokenPipeError:
        os._exit(0)
    except OSError as error:
        return _give_up(error)
    return 0


def _interrupted() -> int:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from dursor.cli.output import printer as output
    from dursor.cli.output import terminal

    terminal.prepare()
    output.fail(output.INTERRUPTION, as_json=output.asked_for_json(sys.argv[1:]))
    return output.INTERRUPTED


def _leave(code: int) -> int:
    """End the process without the interpreter's teardown, 8 ms that nobody waits for."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        os._exit(code)  # the reader has seen enough; a normal exit would complain
    except OSError as error:
        return _give_up(error)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        os._exit(code)  # an unheard story changes nothing; a normal exit would complain
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit leaves out what was promised at exit
        os._exit(code)
    return code


def _give_up(error: OSError) -> int:
    from dursor.cli.output.terminal import tell

    tell(f"error: cannot write to stdout: {error.strerror}")
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
