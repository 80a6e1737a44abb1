"""What an embedder may give as a directory or socket, and what each stands for.

Everything a run needs of ``dirs=`` is prepared once (``Preopens``): host directories are opened
once and lend their descriptor to every run; a dict of files becomes a fresh tree for each.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.node import FileSystem
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_host.world.sockets import SocketSource, open_sockets

__all__ = ["NONE", "HostDir", "MemoryFS", "Preopens", "SocketSource", "Source", "checked_sockets"]

#: One value of ``dirs=``: a path, a dict of files, or a filesystem of ours.
Source = str | os.PathLike[str] | Mapping[str, Any] | FileSystem


class Preopens:
    """The directories of a guest, in the order given.

    Args:
        dirs: guest path -> source. A source is a path to a host directory; a dict of files,
            from which each run gets a fresh tree in memory; or a filesystem
            (``HostDir``, ``MemoryFS``).

    Raises:
        TypeError: a key is no str; a value is none of these (bytes among them).
        ValueError: a key is empty or holds a NUL or lone surrogates; ``/`` and ``.`` (one place
            to wasi-libc) have different sources; a source is a URL.
        FileNotFoundError, NotADirectoryError, PermissionError: a host directory cannot be had.
    """

    __slots__ = ("_sources",)

    def __init__(self, dirs: Mapping[str, Any] | None) -> None:
        if dirs is not None and not isinstance(dirs, Mapping):
            raise TypeError(
                "dirs is a mapping from guest paths to directories, such as {'/data': 'data'}, "
                f"not {type(dirs).__name__}"
            )
        given = dict(dirs or {})
        if "/" in given and "." in given and given["/"] != given["."]:
            raise ValueError(
                "dirs has both '/' and '.': they are the same place to a guest; give one"
            )
        self._sources: list[tuple[bytes, FileSystem | Mapping[str, Any]]] = [
            (_guest_path(name), _source(name, value)) for name, value in given.items()
        ]

    def open(self) -> list[tuple[bytes, FileSystem]]:
        """Return guest path and filesystem of each directory, for one run."""
        return [
            (name, source if isinstance(source, FileSystem) else MemoryFS(source))
            for name, source in self._sources
        ]


def _guest_path(name: object) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"a key of dirs is a guest path (str), not {name!r}")
    if not name:
        raise ValueError("a key of dirs is empty; the working directory is '.'")
    if "\0" in name:
        raise ValueError(f"the guest path {name!r} holds a NUL")
    try:
        return name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the guest path {name!r} holds a lone surrogate") from None


def _source(name: str, value: object) -> FileSystem | Mapping[str, Any]:
    if isinstance(value, FileSystem):
        return value
    if isinstance(value, Mapping):
        MemoryFS(value)  # so that a wrong tree is told now, not at the first run
        return dict(value)
    if isinstance(value, str) and "://" in value:
        raise ValueError(f"dirs[{name!r}]: {value!r} is a URL; only directories are supported")
    if isinstance(value, str | os.PathLike):
        return HostDir(value)
    hint = " (the bytes of a file go into a dict: {'name': b'...'})" * isinstance(value, bytes)
    raise TypeError(
        f"dirs[{name!r}] must be a path, a dict of files, HostDir or MemoryFS, "
        f"not {type(value).__name__}{hint}"
    )


#: No directories: shared, since most short runs have none.
NONE: Final = Preopens(None)


def checked_sockets(sockets: Iterable[SocketSource]) -> tuple[SocketSource, ...]:
    """Return the sockets of ``sockets=``, each seen to be one that a guest can have.

    Raises:
        TypeError: no list, or something else in it.
        ValueError: closed, no socket, or neither listening nor connected.
    """
    if isinstance(sockets, str | bytes) or not isinstance(sockets, Iterable):
        raise TypeError(f"sockets is a list of sockets, not {type(sockets).__name__}")
    given = tuple(sockets)
    if given:
        # So that a wrong one is told now, not at the first run.
        for node in open_sockets(given, Scheduler(Clocks())):
            node.close()
    return given
