"""``python -m wasi_host`` is the command ``wasi-host``.

A tool that says hello takes less time than the interpreter needs to load the command and to take
itself apart at the end. So nothing looks for garbage while it loads, what parses options is loaded
where there are any, and the process leaves as soon as all is written.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; the entry point of the console script."""
    gc.disable()
    if _runs_plainly(sys.argv[1:]):
        from wasi_host.cli.program import Misuse, run_plainly

        gc.enable()
        _, module, *args = sys.argv[1:]
        try:
            _leave(run_plainly(module, args))
        except Misuse as error:
            from wasi_host.cli.group import tell_misuse

            _leave(tell_misuse(str(error)))
    from wasi_host.cli.group import cli

    gc.enable()
    try:
        cli.main(prog_name="wasi-host")
    except SystemExit as end:
        _leave(end.code)
    _leave(None)


def _runs_plainly(words: list[str]) -> bool:
    """Tell whether a program is run without an option; all words after it are its own."""
    run = len(words) > 1 and words[0] == "run" and not words[1].startswith("-")
    # The shell asks for completions, or has not expanded patterns.
    return run and "_WASI_HOST_COMPLETE" not in os.environ and sys.platform != "win32"


def _leave(code: str | int | None) -> NoReturn:
    """End the process with a status, at once where nothing is left to be done."""
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    if isinstance(code, str) or len(others) > 1:
        sys.exit(code)
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        # Told in the interpreter's own way, with its own status.
        sys.exit(code)
    os._exit(code or 0)


if __name__ == "__main__":
    main()
