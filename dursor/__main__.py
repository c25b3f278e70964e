"""The command `dursor`: `--version` is answered at once, everything else by the command line."""

from __future__ import annotations

import os
import sys

from dursor import __version__


def main() -> int:
    """Run the command line of this process and return its exit code."""
    if sys.argv[1:] == ["--version"]:
        print(f"dursor {__version__}")  # noqa: T201 - unlike write, it knows of a closed stdout
        return _leave(0)

    import gc

    from dursor.cli import crash, terminal

    terminal.prepare()
    gc.set_threshold(50_000)  # start-up only allocates: collecting there is 4 ms for nothing
    sys.excepthook = crash.explain

    from dursor.cli.root import command

    return _leave(command().run(sys.argv[1:]))


def _leave(code: int) -> int:
    """End the process without the interpreter's teardown, 8 ms that nobody waits for."""
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except BrokenPipeError:
        os._exit(code)  # the reader has seen enough; a normal exit would complain
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 - os._exit leaves out what was promised at exit
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
