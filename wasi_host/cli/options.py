"""What the words of ``wasi-host run`` mean: directories, environment, addresses."""

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from wasi_host.cli.watching import OPTIONAL_VALUE, STANDARD_ERROR

if TYPE_CHECKING:
    import socket

    from wasi_host.sources import FileSystem

#: The options that give a directory; their order on the command line is the guest's.
DIRECTORY_OPTIONS = ("dir", "ro_dir", "overlay", "mem_dir", "mount")


class OrderedCommand(click.Command):
    """A command that remembers in which order its directory options were given.

    ``ctx.obj`` becomes a list of (option name, value).
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, and note the order; click itself keeps it within one option only."""
        args = self._with_values(args)
        options, _, order = self.make_parser(ctx).parse_args(list(args))
        values = {name: iter(options.get(name) or ()) for name in DIRECTORY_OPTIONS}
        ctx.obj = [
            (param.name, next(values[param.name]))
            for param in order
            if param.name in DIRECTORY_OPTIONS
        ]
        return super().parse_args(ctx, args)

    def _with_values(self, args: list[str]) -> list[str]:
        """Give ``--strace`` its value where it has none.

        click would take the next word, the module, for it.
        """
        takes_value = {
            name
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        result = list(args)
        at = 0
        while at < len(result) and result[at].startswith("-") and result[at] not in ("-", "--"):
            if result[at] == OPTIONAL_VALUE:
                result[at] = f"{OPTIONAL_VALUE}={STANDARD_ERROR}"
            at += 2 if result[at] in takes_value else 1
        return result


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
        if not separator and option != "mount":
            host, guest = (value, value) if option != "mem_dir" else ("", value)
        if not guest or (separator and not host) or (option == "mount" and "://" not in host):
            what = "URL" if option == "mount" else "HOST"
            raise click.BadParameter(f"{value!r}: write {what}::GUEST", param_hint=flag)
        if guest in dirs:
            raise click.BadParameter(f"the guest path {guest!r} is given twice", param_hint=flag)
        try:
            dirs[guest] = _source(option, host)
        except (OSError, ValueError, ImportError) as error:
            words = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise click.BadParameter(f"{host}: {words}", param_hint=flag) from None
    return dirs


def made_in_run(dirs: dict[str, Any]) -> dict[str, Any]:
    """Return directories of which those in memory are made for the run, on its clock."""
    if not dirs:
        return dirs
    from wasi_host.sources import MemoryFS

    return {
        guest: source.tree() if isinstance(source, MemoryFS) else source
        for guest, source in dirs.items()
    }


def _source(option: str, host: str) -> "FileSystem":
    # A guest without directories is run without loading filesystems.
    from wasi_host.sources import HostDir, MemoryFS

    if option == "mount":
        return _mounted(host)
    if option == "mem_dir":
        from pathlib import Path

        return MemoryFS(Path(host)) if host else MemoryFS()
    if option == "overlay":
        from wasi_host.directories import Overlay

        return Overlay(host)
    return HostDir(host, readonly=option == "ro_dir")


def _mounted(url: str) -> "FileSystem":
    """Return the filesystem at a URL; what it lacks is said in our way."""
    from wasi_host.sources import filesystem_of

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        filesystem = filesystem_of(url, "--mount")
    for warning in said:
        click.echo(f"wasi-host: {warning.message}", err=True)
    return filesystem


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


#: A host name or address, in brackets if there are colons in it, and a port.
_ADDRESS = re.compile(r"(?:\[([^\[\]]+)\]|([^\[\]:]+)):([0-9]{1,5})", re.ASCII)


def addresses(
    ctx: click.Context, param: click.Parameter, given: Sequence[str]
) -> list[tuple[str, int]]:
    """Return host and port of each ``--listen``.

    Raises:
        click.BadParameter: no ``HOST:PORT``, or a port over 65535.
    """
    result = []
    for word in given:
        match = _ADDRESS.fullmatch(word)
        if match is None:
            raise click.BadParameter(f"{word!r}: write HOST:PORT, or [HOST]:PORT with IPv6")
        port = int(match[3])
        if port > 65_535:
            raise click.BadParameter(f"{word!r}: a port is 65535 at most")
        result.append((match[1] or match[2], port))
    return result


def listeners(given: Sequence[tuple[str, int]], opened: ExitStack) -> list["socket.socket"]:
    """Return a listener on each address; for port 0 say on standard error which one it got.

    Args:
        given: hosts and ports.
        opened: closes the listeners.

    Raises:
        OSError: an address cannot be listened on; the text names it.
    """
    result = []
    for host, port in given:
        shown = f"[{host}]" if ":" in host else host
        try:
            listener = opened.enter_context(_listener(host, port))
        except (OSError, UnicodeError) as error:
            number = getattr(error, "errno", None) or 0
            # Those of looking a name up are negative, with texts of their own.
            words = os.strerror(number) if number > 0 else getattr(error, "strerror", error)
            raise OSError(f"cannot listen on {shown}:{port}: {words}") from None
        result.append(listener)
        if not port:
            chosen = listener.getsockname()[1]
            click.echo(f"wasi-host: listening on {shown}:{chosen}", err=True)
    return result


def _listener(host: str, port: int) -> "socket.socket":
    # 2 ms that runs without --listen need not pay.
    import socket

    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    # IPv6 alone where IPv6 is asked for: one --listen is one listener, on that address only.
    return socket.create_server(address, family=family)
