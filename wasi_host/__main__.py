"""``python -m wasi_host`` is the command ``wasi-host``.

A tool that says hello takes less time than the interpreter needs to load the command and to take
itself apart at the end. So nothing looks for garbage while it loads, and the process leaves as
soon as all is written.
"""

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; the entry point of the console script."""
    gc.disable()
    from wasi_host.cli import cli

    gc.enable()
    try:
        cli.main(prog_name="wasi-host")
    except SystemExit as end:
        _leave(end.code)
    _leave(None)


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
