"""Device nodes: what programs expect in ``/dev``, and nothing of the host's own.

``null zero urandom full`` are made here. ``stdin stdout stderr`` are the standard streams of the
run that opens them, and ``tty`` its terminal, if it has one: whoever opens them borrows the
stream, and closing gives nothing up. A run hands its streams over by ``of_run``; without them,
inside another wrapper for example, these names are not there.

No name can be made, removed or moved; opening one with CREAT or TRUNC, as shells do to write to
``/dev/null``, works.
"""

from __future__ import annotations

import errno
import os

from wasi_host.fs.fixed import FixedDirectory
from wasi_host.fs.node import Dirent, FileSystem, Node, Stat, Stream
from wasi_host.fs.walk import DIRECTORY, failure
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Final

__all__ = ["Devices", "DevicesDirectory"]

_DEVICE: Final = Filetype.CHARACTER_DEVICE
#: No host, and no tree in memory, has this device number.
_NUMBER: Final = 1 << 60
#: The standard streams by name.
_STANDARD: Final = ("stdin", "stdout", "stderr")


class _Device(Stream):
    """A device that never waits: reads as nothing, takes everything."""

    __slots__ = ("_stat", "readonly")

    filetype: int = _DEVICE

    def __init__(self, stat: Stat) -> None:
        self._stat = stat
        self.readonly = False

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._stat

    def read(self, size: int) -> bytes:
        """Return nothing: the end."""
        return b""

    def write(self, data: bytes | memoryview) -> int:
        """Take everything."""
        return len(data)


class _Zero(_Device):
    """Reads as zeros without end."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        """Return ``size`` zeros."""
        return bytes(size)


class _Full(_Zero):
    """Has no room."""

    __slots__ = ()

    def write(self, data: bytes | memoryview) -> int:
        """Raise ENOSPC."""
        raise failure(errno.ENOSPC)


class _Random(_Device):
    """Reads as random bytes without end."""

    __slots__ = ("_random",)

    def __init__(self, stat: Stat, random: Callable[[int], bytes]) -> None:
        super().__init__(stat)
        self._random = random

    def read(self, size: int) -> bytes:
        """Return ``size`` random bytes."""
        return self._random(size)


class _Borrowed(Stream):
    """A standard stream of the run, or two of them; closing it closes neither."""

    __slots__ = ("_sink", "_source", "_stat", "filetype", "readonly")

    def __init__(self, stat: Stat, source: Stream | None, sink: Stream | None) -> None:
        self._stat = stat
        self._source = source
        self._sink = sink
        self.filetype = stat[2]
        self.readonly = False

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._stat

    def _from(self) -> Stream:
        if self._source is None:
            raise failure(errno.EBADF)
        return self._source

    def _to(self) -> Stream:
        if self._sink is None:
            raise failure(errno.EBADF)
        return self._sink

    def read(self, size: int) -> bytes:
        """Read what the standard stream reads; EBADF for one that is written."""
        return self._from().read(size)

    def write(self, data: bytes | memoryview) -> int:
        """Write what the standard stream writes; EBADF for one that is read."""
        return self._to().write(data)

    def read_ready(self) -> bool | None:
        """Tell whether a read would not wait."""
        return self._from().read_ready()

    def write_ready(self) -> bool | None:
        """Tell whether a write would not wait."""
        return self._to().write_ready()

    def fileno(self) -> int:
        """Return the host descriptor to wait on; ENOTSUP where there is none."""
        source = self._source or self._to()
        return source.fileno()


class Devices(FileSystem):
    """Device nodes for a key such as ``/dev``: null zero urandom full stdin stdout stderr tty.

    ``stdin``, ``stdout`` and ``stderr`` are the run's standard streams, whatever they were made
    of; ``tty`` is there where standard input and output are terminals. In another wrapper these
    four are missing.
    """

    def __init__(self) -> None:
        self._streams: tuple[Stream, ...] = ()
        self._random: Callable[[int], bytes] = os.urandom

    def of_run(self, streams: Sequence[Stream], random: Callable[[int], bytes]) -> Devices:
        """Return the devices of a run.

        Args:
            streams: its standard input, output and error.
            random: what gives so many random bytes.
        """
        devices = Devices()
        devices._streams = tuple(streams)
        devices._random = random
        return devices

    def open_root(self) -> DevicesDirectory:
        """Return the root."""
        makers: dict[str, Callable[[Stat], Stream]] = {
            "null": _Device,
            "zero": _Zero,
            "urandom": lambda stat: _Random(stat, self._random),
            "full": _Full,
        }
        kinds = dict.fromkeys(makers, _DEVICE)
        for number, (name, stream) in enumerate(zip(_STANDARD, self._streams, strict=False)):
            source, sink = (None, stream) if number else (stream, None)
            makers[name] = _borrower(source, sink)
            kinds[name] = stream.filetype
        terminals = [stream for stream in self._streams[:2] if stream.filetype == _DEVICE]
        if len(terminals) == 2:
            makers["tty"] = _borrower(*terminals)
            kinds["tty"] = _DEVICE
        return DevicesDirectory(makers, kinds)

    def __reduce__(self) -> tuple[type[Devices], tuple[()]]:
        return Devices, ()

    def __repr__(self) -> str:
        return "Devices()"


def _borrower(source: Stream | None, sink: Stream | None) -> Callable[[Stat], Stream]:
    return lambda stat: _Borrowed(stat, source, sink)


class DevicesDirectory(FixedDirectory):
    """The open directory of the devices."""

    __slots__ = ("_kinds", "_makers", "readonly")

    def __init__(
        self, makers: Mapping[str, Callable[[Stat], Stream]], kinds: Mapping[str, int]
    ) -> None:
        self._makers = makers
        self._kinds = kinds
        self.readonly = False

    def reopen(self) -> DevicesDirectory:
        """Return another node of this directory."""
        return DevicesDirectory(self._makers, self._kinds)

    def stat(self) -> Stat:
        """Return the attributes."""
        return (_NUMBER, 1, DIRECTORY, 2, 0, 0, 0, 0)

    def entries(self) -> list[Dirent]:
        """Return the devices."""
        return [
            Dirent(name, number, kind) for number, (name, kind) in enumerate(self._kinds.items(), 2)
        ]

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of a device; ENOENT."""
        for entry in self.entries():
            if entry.name == name:
                return (_NUMBER, entry.ino, entry.filetype, 1, 0, 0, 0, 0)
        raise failure(errno.ENOENT)

    def open_present(self, name: str, mode: int) -> Node:
        """Open a device; ENOTDIR as a directory."""
        if mode & os.O_DIRECTORY:
            raise failure(errno.ENOTDIR)
        return self._makers[name](self.stat_entry(name))
