"""Streams that cost or do little: host descriptors, bytes, captured output, nothing at all.

Theory of operation of ``HostStream``. A descriptor given to us is shared with others, so it is
never made non-blocking: that would change it for them. Instead a read waits until there is
something to read, and a write until there is room, each on the descriptor and the instance's wake
descriptor. Room means ``PIPE_BUF`` bytes: a larger write would block for good on a nearly full
pipe, out of reach of a deadline. A long write is therefore many short ones, and like in POSIX it
ends when all is written, unless the guest asked not to wait. If another process drains or fills
the pipe between our look and our call, that call blocks; nothing portable prevents it.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from fcntl import ioctl
from os import read as os_read
from os import write as os_write
from select import PIPE_BUF, poll

from wasi_host.fs.node import Stat, Stream
from wasi_host.world.scheduler import HANGUP, READ, WRITE, Scheduler
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

_UNKNOWN: Final = Filetype.UNKNOWN
_TERMINAL: Final = Filetype.CHARACTER_DEVICE
#: The most that one read of a pipe, socket or terminal asks for: the host allocates it first.
_READ_SIZE: Final = 1 << 20
_UNLIMITED: Final = sys.maxsize


def host_error(number: int) -> OSError:
    """Return an ``OSError`` of the subclass that belongs to the number."""
    return OSError(number, os.strerror(number))


class WorldStream(Stream):
    """A stream of ours: it also tells how much there is, for ``poll_oneoff``."""

    __slots__ = ()

    filetype: int = _UNKNOWN
    readonly: bool = False

    def stat(self) -> Stat:
        """Return all zeros but the kind: what is behind it is the embedder's affair."""
        return (0, 0, self.filetype, 0, 0, 0, 0, 0)

    def read(self, size: int) -> bytes:
        """Raise EBADF: not a source, unless a subclass says so."""
        raise host_error(errno.EBADF)

    def write(self, data: bytes | memoryview) -> int:
        """Raise EBADF: takes nothing, unless a subclass says so."""
        raise host_error(errno.EBADF)

    def readable(self) -> tuple[int, bool]:
        """Return how many bytes a read gets at once, and whether the other side is gone.

        1 where the number is not known; 0 and gone at the end. Meaningful once ``read_ready``.
        """
        return 1, False

    def writable(self) -> tuple[int, bool]:
        """Return how many bytes a write takes at once at least, and whether the reader is gone."""
        return PIPE_BUF, False


class Null(WorldStream):
    """Reads as empty, takes everything."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        """Return nothing: the end."""
        return b""

    def write(self, data: bytes | memoryview) -> int:
        """Take all."""
        return len(data)

    def readable(self) -> tuple[int, bool]:
        """Return the end."""
        return 0, True


class Closed(WorldStream):
    """A standard stream the host process does not have: EBADF for everything.

    Its number cannot stand for it: the host would give it to the next thing it opens.
    """

    __slots__ = ()


class BytesInput(WorldStream):
    """Input that is there from the start."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes; none at the end."""
        start = self._position
        data = self._data[start : start + size]
        self._position = start + len(data)
        return data

    def renew(self, data: bytes) -> None:
        """Begin again, with other input."""
        self._data = data
        self._position = 0

    def readable(self) -> tuple[int, bool]:
        """Return what is left; at the end also gone."""
        left = len(self._data) - self._position
        return left, not left


class Capture(WorldStream):
    """Output collected in memory.

    Attributes:
        buffer: what was kept.
        limit: how many bytes are kept.
        room: how many bytes more are kept.
        truncated: whether something was dropped; the guest never notices.
    """

    __slots__ = ("buffer", "limit", "room", "truncated")

    def __init__(self, limit: int | None = None) -> None:
        # One growing buffer, not a list of parts: 10^9 writes of one byte stay bounded.
        self.buffer = bytearray()
        self.limit = self.room = _UNLIMITED if limit is None else limit
        self.truncated = False

    def renew(self) -> None:
        """Begin again, with nothing kept."""
        self.buffer = bytearray()
        self.room = self.limit
        self.truncated = False

    def write(self, data: bytes | memoryview) -> int:
        """Keep what there is room for; take all."""
        size = len(data)
        if size > self.room:
            self.truncated = True
            self.buffer += data[: self.room]
            self.room = 0
        else:
            self.room -= size
            self.buffer += data
        return size

    def getvalue(self) -> bytes:
        """Return what was kept so far."""
        return bytes(self.buffer)

    def result(self) -> bytes:
        """Return what was kept, at the end, when nobody writes any more."""
        return bytes(self.buffer)


def _is_null_device(status: os.stat_result) -> bool:
    try:
        return status.st_rdev == os.stat(os.devnull).st_rdev
    except OSError:
        return False


def _watch(fd: int, events: int) -> poll:
    poller = poll()
    poller.register(fd, events)
    return poller


class HostStream(WorldStream):
    """A host descriptor, inherited or given; it keeps the host's own position.

    Attributes:
        filetype: CHARACTER_DEVICE for a terminal, else UNKNOWN.
        nonblock: whether the guest set NONBLOCK: EAGAIN instead of waiting.
        pipe: whether it is a pipe's end.
    """

    # `filetype` is each stream's own here.
    __slots__ = ("_fd", "_input", "_output", "_owned", "_regular", "_scheduler", "filetype",
                 "nonblock", "pipe")  # fmt: skip

    def __init__(
        self,
        fd: int,
        *,
        readable: bool,
        writable: bool,
        scheduler: Scheduler,
        owned: bool = False,
    ) -> None:
        """Take a descriptor.

        Args:
            fd: the host descriptor.
            readable: read from.
            writable: written to.
            scheduler: where to wait.
            owned: closed by ``close``.

        Raises:
            OSError: EBADF: the descriptor is not open.
        """
        status = os.fstat(fd)
        device = stat.S_ISCHR(status.st_mode)
        self.filetype = _TERMINAL if device and os.isatty(fd) else _UNKNOWN
        self.nonblock = False
        self._fd = fd
        self._owned = owned
        self._scheduler = scheduler
        self._regular = stat.S_ISREG(status.st_mode)
        self.pipe = stat.S_ISFIFO(status.st_mode)
        # None: never waits, so there is no need to look.
        self._input = self._output = None
        if not (self._regular or (device and _is_null_device(status))):
            self._input = _watch(fd, READ) if readable else None
            self._output = _watch(fd, WRITE) if writable else None

    def fileno(self) -> int:
        """Return the host descriptor."""
        return self._fd

    @property
    def never_waits(self) -> bool:
        """Whether neither a read nor a write can block: a regular file, the null device."""
        return self._fd >= 0 and self._input is None and self._output is None

    def read(self, size: int) -> bytes:
        """Read what is there; wait only while there is nothing.

        Raises:
            OSError: EAGAIN: nothing there, and the guest asked not to wait; what the host says.
            Stopped: the run was asked to stop.
        """
        poller = self._input
        if poller is None:
            return os_read(self._fd, size)
        if not size:
            return b""
        if size > _READ_SIZE:
            size = _READ_SIZE
        scheduler = self._scheduler
        scheduler.check()
        while True:
            if not poller.poll(0):
                if self.nonblock:
                    raise host_error(errno.EAGAIN)
                scheduler.wait([(self._fd, "read")], None)
            try:
                return os_read(self._fd, size)
            except BlockingIOError:
                # Somebody else made it non-blocking, and somebody was faster: no matter to a
                # guest that did not ask for it.
                if self.nonblock:
                    raise
                scheduler.check()

    def write(self, data: bytes | memoryview) -> int:
        """Write all; less where the guest asked not to wait, or where the host fails midway.

        Raises:
            OSError: EAGAIN: no room, and the guest asked not to wait; EPIPE: nobody reads any
                more; what else the host says.
            Stopped: the run was asked to stop.
        """
        poller = self._output
        if poller is None:
            return os_write(self._fd, data)
        size = len(data)
        if size > PIPE_BUF:
            data = memoryview(data)
        scheduler = self._scheduler
        scheduler.check()
        done = 0
        while done < size:
            try:
                if not poller.poll(0):
                    if self.nonblock:
                        raise host_error(errno.EAGAIN)
                    scheduler.wait([(self._fd, "write")], None)
                done += os_write(self._fd, data[done : done + PIPE_BUF])
            except OSError as error:
                if error.errno == errno.EAGAIN and not self.nonblock:
                    scheduler.check()
                elif done:
                    # As in POSIX: what was written counts, the error comes with the next call.
                    break
                else:
                    raise
        return done

    def read_ready(self) -> bool:
        """Tell whether a read would not wait."""
        return self._input is None or bool(self._input.poll(0))

    def write_ready(self) -> bool:
        """Tell whether a write would not wait."""
        return self._output is None or bool(self._output.poll(0))

    def readable(self) -> tuple[int, bool]:
        """Return what is left of a file, or what waits in a pipe; 0 and gone at the end."""
        if self._regular:
            try:
                left = os.fstat(self._fd).st_size - os.lseek(self._fd, 0, os.SEEK_CUR)
            except OSError:
                return 0, True
            return max(left, 0), left <= 0
        poller = self._input
        if poller is None:
            return 0, True
        from termios import FIONREAD  # a library of its own, for one number

        gone = any(events & HANGUP for _, events in poller.poll(0))
        try:
            answer = ioctl(self._fd, FIONREAD, bytes(4))
        except OSError:
            # Nothing that counts its bytes, such as /dev/zero.
            return 1, gone
        waiting = int.from_bytes(answer, sys.byteorder)
        return waiting, gone or not waiting

    def writable(self) -> tuple[int, bool]:
        """Return the room there is at least, and whether the reader is gone."""
        poller = self._output
        gone = poller is not None and any(events & HANGUP for _, events in poller.poll(0))
        return PIPE_BUF, gone

    def duplicate(self) -> HostStream:
        """Return another output to the same open file, closed separately."""
        return HostStream(
            os.dup(self._fd) if self._owned else self._fd,
            readable=False,
            writable=True,
            scheduler=self._scheduler,
            owned=self._owned,
        )

    def close(self) -> None:
        """Close the descriptor if it is ours."""
        fd, owned = self._fd, self._owned
        # Never the number of somebody else's later file.
        self._fd, self._input, self._output = -1, None, None
        if owned and fd >= 0:
            os.close(fd)
