"""From a module and its arguments to an exit status, without what parses options.

Statuses of our own: 2 usage, 124 a timeout, 125 an error of the host, 126 not a WASI module, 127
module not found, 130 Ctrl-C, 134 a trap, 137 another limit that ended it. An exit code above 255
is 255: a guest's exit(256) is no success.
"""

from __future__ import annotations

import os
import sys

from wasi_host.cli.notice import Compiling
from wasi_host.interrupts import insist
from wasi_host.modules import Mode, Module, NotAWasiModule
from wasi_host.sandbox import run as run_program

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from wasi_host.results import CompletedRun

HOST_ERROR, NOT_A_MODULE, NOT_FOUND, INTERRUPTED, TRAPPED = 125, 126, 127, 130, 134
TIMED_OUT, ENDED = 124, 137

#: What is said of a run that was stopped.
_STOPPED = {
    "timeout": "stopped: its time was over (--timeout)",
    "fuel": "stopped: its fuel was used up (--fuel)",
}


class Misuse(Exception):
    """What was asked for makes no sense; the text says why."""


def keep_standard_numbers() -> None:
    """Take the numbers of standard streams that are closed, so that nothing of ours gets them.

    A guest would read from and write to whatever came next: a listener, a pipe between threads.
    Each is opened the wrong way round, so that the guest's calls fail with BADF, as they should.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)


def load(module: str, mode: Mode, cache: bool) -> Module | int:
    """Return the compiled module, or the status that says why there is none.

    Raises:
        Misuse: no path can be so.
    """
    try:
        program = Module(module, cache=cache)
        with Compiling(program.name):
            program.variant(mode)
    except NotAWasiModule as error:
        return say(str(error), NOT_A_MODULE)
    except (FileNotFoundError, NotADirectoryError) as error:
        return say(f"{module}: {error.strerror}", NOT_FOUND)
    except ImportError as error:  # the engine is not installed
        return say(str(error), HOST_ERROR)
    except ValueError as error:  # a NUL in the path
        raise Misuse(f"{module!r}: {error}") from None
    except OSError as error:
        return say(f"{module}: {error.strerror or error}", NOT_A_MODULE)
    except KeyboardInterrupt:
        return INTERRUPTED
    return program


def carry_out(
    program: Module, args: Sequence[str], stdin: str | None, options: dict[str, Any]
) -> CompletedRun | int:
    """Run a program; return what came of it, or the status that says why nothing did.

    Args:
        program: the module.
        args: its arguments.
        stdin: the path of its input; None: ours.
        options: other keywords of ``run``.

    Raises:
        Misuse: an option has a value that cannot be.
    """
    try:
        if stdin is None:
            return run_program([program, *args], **options)
        with open(stdin, "rb") as file:
            return run_program([program, *args], stdin=file, **options)
    except NotAWasiModule as error:
        return say(str(error), NOT_A_MODULE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Misuse(str(error)) from None
    except (OSError, RuntimeError) as error:
        return say(str(error), HOST_ERROR)


def report(result: CompletedRun) -> int:
    """Say how a run ended, unless it ended well; return the status."""
    if result.trap is not None:
        return say(result.trap.message, TRAPPED)
    if result.stopped is not None:
        ends = {"timeout": TIMED_OUT, "interrupt": INTERRUPTED}
        words = _STOPPED.get(result.stopped, f"stopped ({result.stopped})")
        return say(words, ends.get(result.stopped, ENDED))
    try:
        for value in result.values:
            if sys.stdout is not None:
                sys.stdout.write(f"{value}\n")
                sys.stdout.flush()
    except OSError as error:
        sys.stdout = None  # else the interpreter tries once more at its end
        return say(f"cannot write the result: {error.strerror}", HOST_ERROR)
    return min(result.returncode, 255)


def say(message: str, status: int) -> int:
    """Say something on standard error, and return the status it is said with."""
    if sys.stderr is not None:
        sys.stderr.write(f"wasi-host: {message}\n")
        sys.stderr.flush()
    return status


def run_plainly(module: str, args: Sequence[str]) -> int:
    """Do what ``wasi-host run MODULE ARGS...`` does, without an option; return the status.

    Raises:
        Misuse: no path can be so, or no argument.
    """
    keep_standard_numbers()
    insist()
    program = load(module, Mode(), cache=True)
    if isinstance(program, int):
        return program
    result = carry_out(program, args, None, {})
    return result if isinstance(result, int) else report(result)
