"""What the words of ``wasi-host run`` mean: directories and environment."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import click

from wasi_host.sources import HostDir, MemoryFS

#: The options that give a directory; their order on the command line is the guest's.
DIRECTORY_OPTIONS = ("dir", "ro_dir", "mem_dir")


class OrderedCommand(click.Command):
    """A command that remembers in which order its directory options were given.

    ``ctx.obj`` becomes a list of (option name, value).
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and note the order; click itself keeps it within one option only."""
        options, _, order = self.make_parser(ctx).parse_args(list(args))
        values = {name: iter(options.get(name) or ()) for name in DIRECTORY_OPTIONS}
        ctx.obj = [
            (param.name, next(values[param.name]))
            for param in order
            if param.name in DIRECTORY_OPTIONS
        ]
        return super().parse_args(ctx, args)


def directories(given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the ``dirs`` mapping of the directory options.

    Raises:
        click.BadParameter: a directory is missing or no directory, a part is empty, or a guest
            path is given twice.
    """
    dirs: dict[str, Any] = {}
    for option, value in given:
        flag = "--" + option.replace("_", "-")
        host, separator, guest = value.rpartition("::")
        if not separator:
            host, guest = (value, value) if option != "mem_dir" else ("", value)
        if not guest or (separator and not host):
            raise click.BadParameter(f"{value!r}: write HOST::GUEST", param_hint=flag)
        if guest in dirs:
            raise click.BadParameter(f"the guest path {guest!r} is given twice", param_hint=flag)
        try:
            dirs[guest] = _source(option, host)
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise click.BadParameter(f"{host}: {words}", param_hint=flag) from None
    return dirs


def _source(option: str, host: str) -> HostDir | MemoryFS:
    if option == "mem_dir":
        from pathlib import Path

        return MemoryFS(Path(host)) if host else MemoryFS()
    return HostDir(host, readonly=option == "ro_dir")


def environment(given: Sequence[str], inherit: bool, own: Mapping[str, str]) -> dict[str, str]:
    """Return the guest's environment from ``--env`` and ``--inherit-env``.

    Raises:
        click.BadParameter: a name is empty, or a name alone is not set here.
    """
    result = dict(own) if inherit else {}
    for word in given:
        name, separator, value = word.partition("=")
        if not name:
            raise click.BadParameter(f"{word!r} has no name", param_hint="--env")
        if not separator:
            if name not in own:
                raise click.BadParameter(
                    f"{name} is not set here; give it a value: {name}=VALUE", param_hint="--env"
                )
            value = own[name]
        result[name] = value
    for name, value in result.items():
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            raise click.BadParameter(
                f"{os.fsencode(name)!r} is not UTF-8, as WASI wants it", param_hint="--env"
            ) from None
    return result
