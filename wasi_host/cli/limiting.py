"""The options of ``wasi-host run`` that limit a program, choose its engine and tell what came."""

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from wasi_host.limits import Limits
from wasi_host.modules import check_runtime
from wasi_host.results import CompletedRun

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds of each unit of time.
_UNITS: Final = {"ms": 1e-3, "s": 1, "m": 60, "h": 3600}


def duration(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """Return the seconds of a time such as ``10s``, ``500ms``, ``2m`` or ``1.5``."""
    if text is None:
        return None
    number = text.rstrip("msh")
    scale = _UNITS.get(text[len(number) :] or "s")
    if scale is None or not number.isascii() or not number.replace(".", "", 1).isdecimal():
        raise click.BadParameter(f"{text!r} is no time such as 10s, 500ms or 2m")
    return float(number) * scale


def size(_ctx: click.Context, _param: click.Parameter, text: str | None) -> int | None:
    """Return the bytes of a size such as ``8M``: a number, with K, M or G for powers of 1024."""
    if text is None:
        return None
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    if unit not in ("", "K", "M", "G") or not number.isascii() or not number.isdecimal():
        raise click.BadParameter(f"{text!r} is no size such as 8M")
    return int(number) << {"": 0, "K": 10, "M": 20, "G": 30}[unit]


def engine(_ctx: click.Context, _param: click.Parameter, name: str) -> str:
    """Return the name of an engine; BadParameter: there is none of the name."""
    try:
        check_runtime(name)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return name


_OPTIONS: Final = (
    click.option(
        "--timeout",
        metavar="TIME",
        callback=duration,
        help="Stop the program after so long, such as 10s, 500ms or 2m.",
    ),
    click.option(
        "--max-memory",
        metavar="SIZE",
        callback=size,
        help="Let its memory and tables grow to so much (1G by default), such as 256M.",
    ),
    click.option(
        "--max-stack",
        metavar="SIZE",
        callback=size,
        help="Let the guest use so much stack (1M by default), such as 8M.",
    ),
    click.option(
        "--max-output",
        metavar="SIZE",
        callback=size,
        help="Pass on so much of its standard output, and of its standard error; drop the rest.",
    ),
    click.option(
        "--fuel",
        metavar="N",
        type=click.IntRange(0, (1 << 64) - 1),
        help="Stop it after so much computing: about one for each instruction.",
    ),
    click.option(
        "--json",
        "json_file",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Write what came of the run: exit code, limits, use of time and memory, trap.",
    ),
    click.option(
        "--runtime",
        metavar="ENGINE",
        default="wasmtime",
        callback=engine,
        help="Run it on another engine: pywasm, pywasm3 or a plug-in's.",
    ),
)


def options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def limits(
    timeout: float | None, max_memory: int | None, max_stack: int | None, fuel: int | None
) -> Limits:
    """Return the limits of the run.

    Raises:
        click.BadParameter: one is out of range.
    """
    found = Limits(timeout=timeout, fuel=fuel)
    for name, value in (("memory", max_memory), ("stack", max_stack)):
        if value is not None:
            try:
                found = found._replace(**{name: value})
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint=f"--max-{name}") from None
    return found


class Head:
    """Passes on the head of an output, and drops the rest.

    Args:
        fd: where it goes.
        limit: bytes.

    Attributes:
        cut: whether something was dropped.
    """

    def __init__(self, fd: int, limit: int) -> None:
        self._fd = fd
        self._left = limit
        self.cut = False

    def __call__(self, data: bytes) -> None:
        """Take some of the output."""
        head = memoryview(data)[: self._left]
        self._left -= len(head)
        self.cut = self.cut or len(head) < len(data)
        while head:
            head = head[os.write(self._fd, head) :]


def heads(limit: int | None) -> dict[str, Head]:
    """Return the streams of a run whose outputs are limited; none where they are not."""
    return {} if limit is None else {"stdout": Head(1, limit), "stderr": Head(2, limit)}


def cut(streams: dict[str, Head]) -> list[str]:
    """Return the names of the streams that were cut, and say so on standard error."""
    names = {"stdout": "standard output", "stderr": "standard error"}
    found = [name for name, stream in streams.items() if stream.cut]
    for name in found:
        click.echo(f"wasi-host: {names[name]} was cut (--max-output)", err=True)
    return found


def write_json(path: str, result: CompletedRun, status: int, truncated: list[str]) -> None:
    """Write what came of a run.

    Raises:
        OSError: the file cannot be written.
    """
    from json import dumps

    usage, trap = result.usage, result.trap
    told = {
        "args": [word if isinstance(word, str) else repr(word) for word in result.args[1:]],
        "returncode": result.returncode,
        "exit_status": status,
        "stopped": result.stopped,
        "limits_hit": sorted({*result.limits_hit, *(["output"] if truncated else [])}),
        "truncated": sorted(truncated),
        "usage": usage._asdict(),
        "trap": None if trap is None else {"cause": trap.cause, "message": trap.message},
    }
    with open(path, "w", encoding="utf-8") as file:
        file.write(dumps(told, indent=2) + "\n")
