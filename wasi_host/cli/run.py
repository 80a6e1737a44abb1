"""``wasi-host run``: run a program, with the exit status of the program (``program``)."""

import os
import sys
from contextlib import ExitStack
from typing import Any, NamedTuple

import click

from wasi_host.cli import changing, limiting, program, watching
from wasi_host.cli.options import (
    OrderedCommand,
    addresses,
    directories,
    environment,
    listeners,
    made_in_run,
)
from wasi_host.cli.program import HOST_ERROR, Misuse, say
from wasi_host.interrupts import insist
from wasi_host.modules import Mode, Module
from wasi_host.surroundings import Clock


class After(NamedTuple):
    """What is to be done after the run: see the options of these names."""

    diff: bool
    apply_changes: bool
    heads: dict[str, limiting.Head]
    json_file: str | None


@click.command(
    cls=OrderedCommand,
    context_settings={
        "ignore_unknown_options": False,
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help"],
    },
)
@click.option(
    "--dir", multiple=True, metavar="HOST[::GUEST]", help="Give the guest a host directory."
)
@click.option(
    "--ro-dir", multiple=True, metavar="HOST[::GUEST]", help="The same, for reading only."
)
@changing.options
@click.option(
    "--mem-dir",
    multiple=True,
    metavar="[HOST::]GUEST",
    help="Give the guest a directory in memory; HOST is copied in at the start.",
)
@click.option(
    "--mount",
    multiple=True,
    metavar="URL::GUEST",
    help="Give the guest the filesystem at a URL, such as zip://data.zip or mem://.",
)
@click.option(
    "-e",
    "--env",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Set an environment variable; NAME alone inherits it.",
)
@click.option("--inherit-env", is_flag=True, help="Give the guest the whole environment.")
@click.option("--argv0", metavar="NAME", help="The guest's argv[0]; the module's name by default.")
@click.option(
    "--invoke",
    metavar="FUNCTION",
    help="Call an exported function instead of _start, with ARGS as numbers.",
)
@click.option(
    "--stdin",
    "stdin",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Read standard input from a file.",
)
@click.option(
    "--tty/--no-tty",
    default=None,
    help="Tell the guest that its standard streams are, or are not, terminals, whatever they are.",
)
@click.option(
    "--listen",
    multiple=True,
    metavar="HOST:PORT",
    callback=addresses,
    help="Give the guest a listening TCP socket, after all directories; port 0: any free one.",
)
@limiting.options
@click.option(
    "--strict-rights",
    is_flag=True,
    help="Give each descriptor exactly the rights its open asked for.",
)
@watching.options
@click.option("--no-cache", is_flag=True, help="Compile anew; neither read nor fill the cache.")
@click.argument("module")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def run(
    given: list[tuple[str, str]],
    /,
    module: str,
    args: tuple[str, ...],
    stdin: str | None,
    env: tuple[str, ...],
    inherit_env: bool,
    argv0: str | None,
    invoke: str | None,
    tty: bool | None,
    listen: list[tuple[str, int]],
    timeout: float | None,
    max_memory: int | None,
    max_stack: int | None,
    max_output: int | None,
    fuel: int | None,
    json_file: str | None,
    runtime: str,
    strict_rights: bool,
    strace: str | None,
    strace_filter: list[str] | None,
    stats: bool,
    record: str | None,
    replay: str | None,
    seed: int | None,
    clock: Clock | None,
    diff: bool,
    apply_changes: bool,
    no_cache: bool,
    **_options: object,
) -> None:
    """Run the WASI command MODULE; everything after it goes to the program.

    The guest sees no files but the directories given here, no environment but what --env and
    --inherit-env give, and no network but what --listen gives.
    """
    program.keep_standard_numbers()
    changing.check(given, apply_changes)
    options: dict[str, Any] = {
        "dirs": directories(given),
        "env": environment(env, inherit_env, os.environ),
        "argv0": argv0,
        "invoke": invoke,
        "tty": tty,
        "rights": "strict" if strict_rights else "grant",
        "seed": seed,
        "clock": clock,
        "runtime": runtime,
    }
    limits = options["limits"] = limiting.limits(timeout, max_memory, max_stack, fuel)
    heads = limiting.heads(max_output)
    after = After(diff, apply_changes, heads, json_file)
    if clock is not None:
        options["dirs"] = made_in_run(options["dirs"])
    with ExitStack() as opened:
        try:
            options["sockets"] = listeners(listen, opened)
        except OSError as error:
            sys.exit(say(str(error), HOST_ERROR))
        insist()
        mode = Mode(timeout is not None, fuel is not None, limits.stack, runtime=runtime)
        try:
            loaded = program.load(module, mode, cache=not no_cache)
            if isinstance(loaded, int):
                sys.exit(loaded)
            with watching.watching(strace, strace_filter, stats, record, replay) as keywords:
                status = _status(loaded, args, stdin, {**options, **heads, **keywords}, after)
        except Misuse as error:
            raise click.UsageError(str(error)) from None
        except OSError as error:
            status = say(f"{strace}: {error.strerror or error}", HOST_ERROR)
        sys.exit(status)


def _status(
    loaded: Module,
    args: tuple[str, ...],
    stdin: str | None,
    options: dict[str, Any],
    after: After,
) -> int:
    result = program.carry_out(loaded, args, stdin, options)
    if isinstance(result, int):
        return result
    status = program.report(result)
    failed = changing.settle(result, after.diff, after.apply_changes)
    if failed is not None:
        status = say(failed, status or HOST_ERROR)
    truncated = limiting.cut(after.heads)
    if after.json_file is not None:
        try:
            limiting.write_json(after.json_file, result, status, truncated)
        except OSError as error:
            status = say(f"{after.json_file}: {error.strerror}", status or HOST_ERROR)
    return status
