"""The base of every descriptor: what it may do, and the answer to what its kind cannot.

Order of checks in every method: the kind of thing (the defaults below answer for the wrong
one), then whether it was opened for this (BADF), then whether the right was withheld or dropped
(NOTCAPABLE), then the values. Nothing is done before the last check.

Rights, flags and position are plain attributes and live nowhere else. ``rights_base`` is what
the descriptor may do now; ``access`` is what its kind and open mode allow at most and never
changes: it only decides which of the two errors a missing right is.
"""

from __future__ import annotations

from wasi_host.errors import BADF, INVAL, NOTCAPABLE, NOTDIR, NOTSOCK, WasiError
from wasi_spec.numbers import Fdflags, Rights

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wasi_host.fs.node import Directory, Node, Stat
    from wasi_host.world.scheduler import Scheduler

FD_DATASYNC: Final = Rights.FD_DATASYNC
FD_READ: Final = Rights.FD_READ
FD_SEEK: Final = Rights.FD_SEEK
FD_FDSTAT_SET_FLAGS: Final = Rights.FD_FDSTAT_SET_FLAGS
FD_SYNC: Final = Rights.FD_SYNC
FD_TELL: Final = Rights.FD_TELL
FD_WRITE: Final = Rights.FD_WRITE
FD_ADVISE: Final = Rights.FD_ADVISE
FD_ALLOCATE: Final = Rights.FD_ALLOCATE
FD_READDIR: Final = Rights.FD_READDIR
FD_FILESTAT_GET: Final = Rights.FD_FILESTAT_GET
FD_FILESTAT_SET_SIZE: Final = Rights.FD_FILESTAT_SET_SIZE
FD_FILESTAT_SET_TIMES: Final = Rights.FD_FILESTAT_SET_TIMES
POLL_FD_READWRITE: Final = Rights.POLL_FD_READWRITE

READ_AT: Final = FD_READ | FD_SEEK
WRITE_AT: Final = FD_WRITE | FD_SEEK
POLL_READ: Final = POLL_FD_READWRITE | FD_READ
POLL_WRITE: Final = POLL_FD_READWRITE | FD_WRITE

APPEND: Final = Fdflags.APPEND
NONBLOCK: Final = Fdflags.NONBLOCK
#: The flags that a running program cannot change (catalogue 55).
SYNC_FLAGS: Final = Fdflags.DSYNC | Fdflags.RSYNC | Fdflags.SYNC

#: A descriptor's kind, flags, base and inheriting rights, in the order of ``Fdstat``.
FdstatTuple = tuple[int, int, int, int]


class Descriptor:
    """One open thing.

    Attributes:
        access: what kind and open mode allow at most, as a set of rights.
        fdflags: APPEND, DSYNC, NONBLOCK, RSYNC, SYNC as the guest sees them.
        filetype: a ``wasi_spec.Filetype`` as an int.
        position: where the next read or write happens; 0 for what has no positions.
        rights_base: what may be done with it now.
        rights_inheriting: what descriptors opened below it may be given.
    """

    __slots__ = (
        "access",
        "fdflags",
        "filetype",
        "position",
        "rights_base",
        "rights_inheriting",
    )

    def __init__(
        self,
        filetype: int,
        access: int,
        rights_base: int,
        rights_inheriting: int = 0,
        fdflags: int = 0,
    ) -> None:
        self.filetype = filetype
        self.access = access
        self.rights_base = rights_base & access
        self.rights_inheriting = rights_inheriting
        self.fdflags = fdflags
        self.position = 0

    # Rights.

    def refused(self, rights: int) -> type[WasiError]:
        """Return the error of a missing right.

        Args:
            rights: the rights a call needs, all of them.

        Returns:
            BADF where kind or open mode lack one of them, else NOTCAPABLE: it was withheld by
            the embedder or dropped by the guest.
        """
        return NOTCAPABLE if self.access & rights == rights else BADF

    def need(self, rights: int) -> None:
        """Check that all of these rights are there.

        Raises:
            BADF: kind or open mode lack one.
            NOTCAPABLE: one was withheld or dropped.
        """
        if self.rights_base & rights != rights:
            raise self.refused(rights)

    def fdstat(self) -> FdstatTuple:
        """Return kind, flags and rights; needs no right."""
        return (self.filetype, self.fdflags, self.rights_base, self.rights_inheriting)

    def set_rights(self, base: int, inheriting: int) -> None:
        """Keep only these rights.

        Raises:
            NOTCAPABLE: one of them is not there; nothing is changed.
        """
        if base & ~self.rights_base or inheriting & ~self.rights_inheriting:
            raise NOTCAPABLE
        self.rights_base = base
        self.rights_inheriting = inheriting

    def set_flags(self, flags: int) -> None:
        """Set APPEND and NONBLOCK.

        Raises:
            BADF: a directory.
            NOTCAPABLE: FD_FDSTAT_SET_FLAGS is missing.
            INVAL: DSYNC, RSYNC or SYNC would change.
        """
        self.need(FD_FDSTAT_SET_FLAGS)
        if (flags ^ self.fdflags) & SYNC_FLAGS:
            raise INVAL
        self.fdflags = flags

    # What a descriptor of another kind answers.

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes from the position; empty at the end. BADF: wrong kind."""
        raise BADF

    def readinto(self, buffers: Sequence[memoryview]) -> int:
        """Fill buffers in order from the position; return how many bytes there were."""
        data = self.read(sum(map(len, buffers)))
        scatter(data, buffers)
        return len(data)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``. BADF: wrong kind; SPIPE: no positions."""
        raise BADF

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill buffers in order from ``offset``; return how many bytes there were."""
        data = self.pread(sum(map(len, buffers)), offset)
        scatter(data, buffers)
        return len(data)

    def write(self, data: bytes | memoryview) -> int:
        """Write at the position; return how much was taken. BADF: wrong kind."""
        raise BADF

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; return how much was taken. BADF: wrong kind; SPIPE likewise."""
        raise BADF

    def seek(self, offset: int, whence: int) -> int:
        """Move the position; return the new one. BADF: wrong kind; SPIPE: no positions."""
        raise BADF

    def tell(self) -> int:
        """Return the position. BADF: wrong kind; SPIPE: no positions."""
        raise BADF

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Take note of an expected access pattern. BADF: no file."""
        raise BADF

    def allocate(self, offset: int, length: int) -> None:
        """Make a file at least ``offset + length`` long. BADF: no file."""
        raise BADF

    def datasync(self) -> None:
        """Write a file's data to storage. BADF: no file."""
        raise BADF

    def sync(self) -> None:
        """Write a file's data and attributes to storage. BADF: no file."""
        raise BADF

    def filestat(self) -> Stat:
        """Return the attributes. BADF: there are none."""
        raise BADF

    def set_size(self, size: int) -> None:
        """Cut or extend a file. BADF: no file."""
        raise BADF

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set times; None leaves one as it is. BADF: neither file nor directory."""
        raise BADF

    def readdir(self, buf_len: int, cookie: int) -> bytes:
        """Return encoded entries from ``cookie`` on, cut at ``buf_len``. BADF: no directory."""
        raise BADF

    def directory(self, needed: int) -> Directory:
        """Return the directory for a call on a path, with all the rights in ``needed`` checked.

        Raises:
            BADF: no directory.
            NOTCAPABLE: a right is missing.
        """
        raise BADF

    def directory_to_open_in(self, needed: int) -> Directory:
        """Do as ``directory`` does, for ``path_open``, whose answer for a file is NOTDIR."""
        raise BADF

    def opened(
        self,
        node: Node,
        rights: int,
        inheriting: int,
        fdflags: int,
        readable: bool,
        writable: bool,
        scheduler: Scheduler,
    ) -> Descriptor:
        """Return the descriptor of a node opened below this one. NOTDIR: nothing is below it."""
        raise NOTDIR

    def prestat(self) -> int:
        """Return the length in bytes of a preopen's guest name. BADF: no preopen."""
        raise BADF

    def prestat_dir_name(self) -> bytes:
        """Return a preopen's guest name. NOTDIR: no preopen."""
        raise NOTDIR

    def poll_read(self) -> tuple[int, int] | None:
        """Tell whether a read would not wait.

        Returns:
            ``(nbytes, eventrwflags)`` when ready now; None: wait for reading on ``fileno()``.

        Raises:
            BADF: a kind that cannot be waited for, or not open for reading.
            NOTCAPABLE: POLL_FD_READWRITE or FD_READ was withheld or dropped.
        """
        raise BADF

    def poll_write(self) -> tuple[int, int] | None:
        """Do as ``poll_read`` does, for a write and FD_WRITE."""
        raise BADF

    def fileno(self) -> int:
        """Return the host descriptor to wait on. BADF: there is none."""
        raise BADF

    def check_accept(self, flags: int) -> None:
        """Check that ``accept`` can be asked, before there is room made. NOTSOCK: no socket."""
        raise NOTSOCK

    def accept(self, flags: int) -> Descriptor:
        """Accept a connection. NOTSOCK: no socket."""
        raise NOTSOCK

    def recv(self, size: int, flags: int) -> tuple[bytes, int]:
        """Receive; return the bytes and ``roflags``. NOTSOCK: no socket."""
        raise NOTSOCK

    def send(self, data: bytes | memoryview, flags: int) -> int:
        """Send; return how much was taken. NOTSOCK: no socket."""
        raise NOTSOCK

    def shutdown(self, how: int) -> None:
        """Close one or both directions. NOTSOCK: no socket."""
        raise NOTSOCK

    def leave(self) -> None:
        """Take the state out of where the native part sees it."""

    def close(self) -> None:
        """Give back what the descriptor holds; twice is harmless."""


def scatter(data: bytes, buffers: Sequence[memoryview]) -> None:
    """Copy ``data`` into the buffers in order; there is room for all of it."""
    start = 0
    for buffer in buffers:
        part = data[start : start + len(buffer)]
        if not part:
            return
        buffer[: len(part)] = part
        start += len(part)
