"""The command `dursor`. `--version` is printed before anything is imported."""

from __future__ import annotations

import os
import sys

from dursor import __version__


def main(app: object = None) -> int:
    """Run the command line of this process, with APP if given, and return the exit code."""
    try:
        code = _run(app)
    except KeyboardInterrupt:  # before it was deferred
        code = _report_interruption()
    return _exit(code)


def _run(app: object) -> int:
    if sys.argv[1:] == ["--version"]:
        return _print_version()

    from dursor import interrupts

    interrupts.defer()
    import gc

    from dursor.cli.output import crash, terminal

    terminal.prepare_streams()
    gc.set_threshold(50_000)  # start-up only allocates: collections would cost 4 ms
    sys.excepthook = crash.report_crash
    sys.unraisablehook = crash.ignore_unraisable

    from dursor.cli.root import make_command

    code = make_command().run(sys.argv[1:], obj=app)
    interrupts.ignore()
    return code


def _print_version() -> int:
    try:
        print(f"dursor {__version__}")  # noqa: T201 - unlike write, it accepts a closed stdout
    except BrokenPipeError:
        os._exit(0)
    except OSError as error:
        return _report_stdout_error(error)
    return 0


def _report_interruption() -> int:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from dursor.cli.output import printer, terminal

    terminal.prepare_streams()
    printer.print_failure(printer.INTERRUPTION, as_json=printer.wants_json(sys.argv[1:]))
    return printer.INTERRUPTED


def _exit(code: int) -> int:
    """End the process without the interpreter's teardown, which takes 8 ms."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        os._exit(code)  # a normal exit would print a warning
    except OSError as error:
        return _report_stdout_error(error)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        os._exit(code)  # a normal exit would print a warning
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit skips them
        os._exit(code)
    return code


def _report_stdout_error(error: OSError) -> int:
    from dursor.cli.output.terminal import print_stderr

    print_stderr(f"error: cannot write to stdout: {error.strerror}")
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
