"""What an embedder may give as a directory, and what each stands for.

Everything a run needs of ``dirs=`` is prepared once (``Preopens``): host directories are opened
once and lend their descriptor to every run; a dict of files becomes a fresh tree for each. Guest
paths are compared name by name, as wasi-libc does that finds a directory for a path by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import urandom
from time import time_ns

from wasi_host.fs.budget import UNLIMITED, Budget
from wasi_host.fs.devices import Devices
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.namespace import Namespace
from wasi_host.fs.node import FileSystem, Stream
from wasi_host.fs.source import Source, filesystem_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

__all__ = [
    "FileSystem",
    "HostDir",
    "MemoryFS",
    "Preopens",
    "Source",
    "filesystem_of",
]

#: Device numbers of trees made for one run begin where no host's are, nor those of filesystems
#: that outlive a run.
_FRESH_DEVICES: Final = 1 << 60


class Preopens:
    """The directories of a guest, in the order given.

    A directory whose guest path lies below that of another (``/`` and ``/data``) is also a mount
    point inside the other one.

    Args:
        dirs: guest path -> source. A source is a path to a host directory, or to a file, which
            then is alone in a directory; a dict of files, from which each run gets a fresh tree
            in memory; or a filesystem (``HostDir``, ``MemoryFS``).

    Raises:
        TypeError: a key is no str; a value is none of these (bytes among them).
        ValueError: a key is empty or holds a NUL or lone surrogates; two keys are one place to
            a guest (``/`` and ``.``, ``/a`` and ``a/``) and have different sources; a source is
            a URL.
        FileNotFoundError, NotADirectoryError, PermissionError: a host directory cannot be had.
    """

    __slots__ = ("_nested", "_sources", "_twins")

    def __init__(self, dirs: Mapping[str, Any] | None) -> None:
        if dirs is not None and not isinstance(dirs, Mapping):
            raise TypeError(
                "dirs is a mapping from guest paths to directories, such as {'/data': 'data'}, "
                f"not {type(dirs).__name__}"
            )
        given = dict(dirs or {})
        names = [_guest_path(name) for name in given]
        places = [_place(name) for name in given]
        self._twins = _twins(given, places)
        self._sources: list[tuple[bytes, FileSystem | Mapping[str, Any]]] = [
            (names[n], {} if n in self._twins else _source(key, value))
            for n, (key, value) in enumerate(given.items())
        ]
        self._nested = _nested(places, self._twins)

    def open(
        self,
        clock: Callable[[], int] = time_ns,
        budget: Budget = UNLIMITED,
        streams: Sequence[Stream] = (),
        random: Callable[[int], bytes] = urandom,
        watched: list[tuple[bytes, Callable[[], object]]] | None = None,
    ) -> list[tuple[bytes, FileSystem]]:
        """Return guest path and filesystem of each directory, for one run.

        Args:
            clock: the time in nanoseconds since 1970 for the files of fresh trees.
            budget: how much the run may make grow in memory.
            streams: the standard streams, for devices.
            random: what gives so many random bytes, for devices.
            watched: gets what tells of changes, with the guest path; None: nobody asks.
        """
        opened = []
        for n, (name, source) in enumerate(self._sources):
            if isinstance(source, Mapping):
                # Numbered by their place, so that a guest is told the same in each run.
                source = MemoryFS(source, clock=clock, device=_FRESH_DEVICES + n)
            elif isinstance(source, Devices):
                source = source.of_run(streams, random)
            if watched is not None and n not in self._twins and (watch := source.watch()):
                watched.append((name, watch))
            opened.append((name, source.limited(budget)))
        if self._nested or self._twins:
            alone = [filesystem for _, filesystem in opened]
            for n, place, below in self._nested:
                mounts = {path: alone[m] for path, m in below.items()}
                opened[n] = (opened[n][0], Namespace(alone[n], mounts, place))
            for n, m in self._twins.items():
                opened[n] = (opened[n][0], opened[m][1])
        return opened


def _place(key: str) -> tuple[str, ...] | None:
    """Return the names that lead to a guest path, from ``/`` or ``.``, the same place to a guest.

    None for a path with ``..``: only a guest that spells it so means it.
    """
    names = tuple(name for name in key.split("/") if name not in ("", "."))
    return None if ".." in names else names


def _nested(
    places: list[tuple[str, ...] | None], twins: Mapping[int, int]
) -> list[tuple[int, str, dict[str, int]]]:
    """Return the directories with others below: number, place, and relative path -> number."""
    found = []
    for n, outer in enumerate(places):
        if outer is None or n in twins:
            continue
        below = {
            "/".join(inner[len(outer) :]): m
            for m, inner in enumerate(places)
            if inner is not None and m not in twins and m != n and inner[: len(outer)] == outer
        }
        if below:
            found.append((n, "/".join(("", *outer)), below))
    return found


def _twins(given: Mapping[str, Any], places: list[tuple[str, ...] | None]) -> dict[int, int]:
    """Return which directories are the same as one given before: number -> number of that one.

    Raises:
        ValueError: two different sources are given for one place.
    """
    keys, first, twins = list(given), dict[tuple[str, ...], int](), dict[int, int]()
    for n, place in enumerate(places):
        if place is None:
            continue
        m = first.setdefault(place, n)
        if m == n:
            continue
        if given[keys[m]] != given[keys[n]]:
            raise ValueError(
                f"dirs has both {keys[m]!r} and {keys[n]!r}: they are the same place to a guest; "
                "give one"
            )
        twins[n] = m
    return twins


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
    filesystem = filesystem_of(value, f"dirs[{name!r}]")
    # A dict was made a tree only so that a wrong one is told now, not at the first run.
    return dict(value) if isinstance(value, Mapping) else filesystem
