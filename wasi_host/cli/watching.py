"""The options of ``wasi-host run`` that watch a program, or make it run alike again."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from wasi_host.surroundings import Clock

#: The option whose value may be left out, and what it is then: standard error.
OPTIONAL_VALUE, STANDARD_ERROR = "--strace", "-"
#: How far ``--clock stepping:TIME`` goes at each reading.
STEP_NS = 1_000_000

F = TypeVar("F", bound=Callable[..., Any])


def clock(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Clock | None:
    """Return the clock that ``[fixed:|stepping:|virtual:]TIME`` means; virtual by default.

    Raises:
        click.BadParameter: no time, or one without a time zone.
    """
    if text is None:
        return None
    kind, separator, rest = text.partition(":")
    if not separator or kind not in ("fixed", "stepping", "virtual"):
        kind, rest = "virtual", text
    try:
        time = _time(rest)
        return Clock.stepping(time, STEP_NS) if kind == "stepping" else getattr(Clock, kind)(time)
    except ValueError as error:
        raise click.BadParameter(
            f"{text!r}: {error}; write 2024-05-01T12:00:00Z, or nanoseconds since 1970"
        ) from None


def _time(text: str) -> Any:  # noqa: ANN401  an int or a datetime, which is imported here only
    if text.isascii() and text.isdecimal():
        return int(text)
    from datetime import datetime

    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time needs its zone")
    return time


def words(_ctx: click.Context, _param: click.Parameter, text: str | None) -> list[str] | None:
    """Return the words of a filter; BadParameter: one that names no calls."""
    if text is None:
        return None
    from wasi_host.observers import Trace

    found = [word.strip() for word in text.split(",") if word.strip()]
    try:
        Trace(found)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return found


_OPTIONS = (
    click.option(
        OPTIONAL_VALUE,
        metavar="[=FILE]",
        help="Show every call of the program, on standard error or in a file.",
    ),
    click.option(
        "--strace-filter",
        metavar="WORDS",
        callback=words,
        help="Show some calls only: fs, clock, random, sock, fd, path, process, or names of "
        "functions, with commas.",
    ),
    click.option("--stats", is_flag=True, help="Count calls and their time; a table at the end."),
    click.option(
        "--record",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Record the run: all its calls with what went in and what came out.",
    ),
    click.option(
        "--replay",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False),
        help="Run again from a recording: no directories, input or network are needed.",
    ),
    click.option("--seed", metavar="N", type=int, help="Make random bytes the same in each run."),
    click.option(
        "--clock",
        metavar="TIME",
        callback=clock,
        help="Start the program's clock at TIME, such as 2024-05-01T12:00:00Z, and jump over its "
        "sleeps; fixed:TIME stands still, stepping:TIME goes on 1 ms at each reading.",
    ),
)


def options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def watching(
    strace: str | None,
    strace_filter: list[str] | None,
    stats: bool,
    record: str | None,
    replay: str | None,
) -> Iterator[dict[str, Any]]:
    """Yield the keywords of ``run``; then tell hints and the table of calls.

    Raises:
        click.UsageError: options that exclude each other.
        OSError: the file of ``--strace`` cannot be written.
    """
    if record is not None and replay is not None:
        raise click.UsageError("--record and --replay are opposites: give one")
    if strace is None and strace_filter is not None:
        strace = STANDARD_ERROR
    if not (strace or stats or record or replay):
        yield {}
        return
    from wasi_host import observers

    layers: list[Any] = []
    if record is not None:
        layers.append(observers.record(record))
    if replay is not None:
        layers.append(observers.replay(replay))
    if strace is None:
        trace = observers.Trace(keep=False) if stats else None
        yield {"layers": layers, "trace": trace or False}
    else:
        with _writer(strace) as write:
            trace = observers.Trace(strace_filter or (), write, keep=False)
            try:
                yield {"layers": layers, "trace": trace}
            finally:
                for hint in trace.hint_lines():
                    write(f"{hint}\n")
    if stats and trace is not None:
        sys.stderr.write(trace.summary())


@contextmanager
def _writer(name: str) -> Iterator[Callable[[str], object]]:
    if name == STANDARD_ERROR:
        yield sys.stderr.write
        return
    with open(name, "w", encoding="utf-8", buffering=1) as file:
        yield file.write
