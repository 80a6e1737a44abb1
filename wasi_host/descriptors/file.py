"""Descriptors of regular files.

The position is ours, never the host's: every read and write gives its offset, so two
descriptors of one file do not disturb each other. APPEND is ours too and can be switched at run
time; DSYNC, RSYNC and SYNC were given to the filesystem when the file was opened, which then
synchronises each write itself.

``HostFileDescriptor`` and ``MemoryFileDescriptor`` differ from ``FileDescriptor`` only in that
the calls programs make most skip the node.
"""

from __future__ import annotations

from os import pread, pwrite

from wasi_host.descriptors.base import (
    APPEND,
    FD_ADVISE,
    FD_ALLOCATE,
    FD_DATASYNC,
    FD_FILESTAT_GET,
    FD_FILESTAT_SET_SIZE,
    FD_FILESTAT_SET_TIMES,
    FD_READ,
    FD_SEEK,
    FD_SYNC,
    FD_TELL,
    FD_WRITE,
    POLL_READ,
    POLL_WRITE,
    READ_AT,
    WRITE_AT,
    Descriptor,
)
from wasi_host.errors import BADF, FBIG, INVAL, NOTDIR, PERM
from wasi_spec.numbers import Eventrwflags, Whence

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wasi_host.fs.host import HostFile
    from wasi_host.fs.memory import MemoryFile
    from wasi_host.fs.node import Directory, File, Stat

#: The largest offset and size there is: a signed 64-bit number.
MAX_OFFSET: Final = 2**63 - 1

_SET: Final = Whence.SET
_CUR: Final = Whence.CUR
_HANGUP: Final = Eventrwflags.FD_READWRITE_HANGUP
#: Where the size stands in a stat.
_SIZE: Final = 4


class FileDescriptor(Descriptor):
    """An open regular file of any filesystem."""

    __slots__ = ("node",)

    node: File

    def __init__(
        self,
        node: File,
        access: int,
        rights_base: int,
        rights_inheriting: int = 0,
        fdflags: int = 0,
    ) -> None:
        # Not through super(): one file is opened in a microsecond or two.
        self.node = node
        self.filetype = node.filetype
        self.access = access
        self.rights_base = rights_base & access
        self.rights_inheriting = rights_inheriting
        self.fdflags = fdflags
        self.position = 0

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes from the position, and move it; empty at the end.

        Raises:
            BADF: not open for reading.
            NOTCAPABLE: FD_READ is missing.
            INVAL: the position plus ``size`` is over 2^63 - 1.
        """
        if not self.rights_base & FD_READ:
            raise self.refused(FD_READ)
        position = self.position
        if position + size > MAX_OFFSET:
            raise INVAL
        data = self.node.pread(size, position)
        self.position = position + len(data)
        return data

    def readinto(self, buffers: Sequence[memoryview]) -> int:
        """Do as ``read`` does, into buffers; return how many bytes there were."""
        if not self.rights_base & FD_READ:
            raise self.refused(FD_READ)
        position = self.position
        if position + sum(map(len, buffers)) > MAX_OFFSET:
            raise INVAL
        count = self.node.preadinto(buffers, position)
        self.position = position + count
        return count

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; the position stays.

        Raises:
            BADF: not open for reading.
            NOTCAPABLE: FD_READ or FD_SEEK is missing.
            INVAL: ``offset + size`` is over 2^63 - 1.
        """
        if self.rights_base & READ_AT != READ_AT:
            raise self.refused(READ_AT)
        if offset + size > MAX_OFFSET:
            raise INVAL
        return self.node.pread(size, offset)

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Do as ``pread`` does, into buffers; return how many bytes there were."""
        if self.rights_base & READ_AT != READ_AT:
            raise self.refused(READ_AT)
        if offset + sum(map(len, buffers)) > MAX_OFFSET:
            raise INVAL
        return self.node.preadinto(buffers, offset)

    def write(self, data: bytes | memoryview) -> int:
        """Write at the position, or at the end with APPEND, and move the position behind it.

        Returns:
            How many bytes were taken.

        Raises:
            BADF: not open for writing.
            NOTCAPABLE: FD_WRITE is missing.
            INVAL: the position plus the length is over 2^63 - 1.
        """
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        if self.fdflags & APPEND:
            return self.append(data)
        position = self.position
        if position + len(data) > MAX_OFFSET:
            raise INVAL
        count = self.node.pwrite(data, position)
        self.position = position + count
        return count

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end; the position becomes the end (catalogue 55), unless it was nothing."""
        count = self.node.append(data)
        if count:
            self.position = self.node.stat()[_SIZE]
        return count

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, or at the end with APPEND as Linux does; the position stays.

        Returns:
            How many bytes were taken.

        Raises:
            BADF: not open for writing.
            NOTCAPABLE: FD_WRITE or FD_SEEK is missing.
            INVAL: ``offset`` plus the length is over 2^63 - 1.
        """
        if self.rights_base & WRITE_AT != WRITE_AT:
            raise self.refused(WRITE_AT)
        if offset + len(data) > MAX_OFFSET:
            raise INVAL
        if self.fdflags & APPEND:
            return self.node.append(data)
        return self.node.pwrite(data, offset)

    def seek(self, offset: int, whence: int) -> int:
        """Move the position; return the new one.

        Raises:
            NOTCAPABLE: FD_SEEK is missing; FD_TELL is enough to move by 0 from the position.
            INVAL: the result would be negative or over 2^63 - 1; the position stays.
        """
        rights = self.rights_base
        if not (rights & FD_SEEK or (rights & FD_TELL and offset == 0 and whence == _CUR)):
            raise self.refused(FD_SEEK)
        if whence == _CUR:
            offset += self.position
        elif whence != _SET:
            offset += self.node.stat()[_SIZE]
        if not 0 <= offset <= MAX_OFFSET:
            raise INVAL
        self.position = offset
        return offset

    def tell(self) -> int:
        """Return the position. NOTCAPABLE: FD_TELL is missing."""
        if not self.rights_base & FD_TELL:
            raise self.refused(FD_TELL)
        return self.position

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Take note of an expected access pattern.

        Raises:
            NOTCAPABLE: FD_ADVISE is missing.
            INVAL: ``length`` is over 2^63 - 1. Any offset will do.
        """
        self.need(FD_ADVISE)
        if length > MAX_OFFSET:
            raise INVAL
        if offset <= MAX_OFFSET:
            self.node.advise(offset, length, advice)

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; never shorter.

        Raises:
            BADF: not open for writing.
            NOTCAPABLE: FD_ALLOCATE is missing.
            INVAL: ``length`` is 0, or one of the two is over 2^63 - 1.
            FBIG: their sum is.
            NOTSUP: the filesystem cannot.
        """
        if not self.access & FD_WRITE:
            raise BADF
        self.need(FD_ALLOCATE)
        if length == 0 or offset > MAX_OFFSET or length > MAX_OFFSET:
            raise INVAL
        if offset + length > MAX_OFFSET:
            raise FBIG
        self.node.allocate(offset, length)

    def datasync(self) -> None:
        """Write the data to storage. NOTCAPABLE: FD_DATASYNC is missing."""
        self.need(FD_DATASYNC)
        self.node.sync(True)

    def sync(self) -> None:
        """Write data and attributes to storage. NOTCAPABLE: FD_SYNC is missing."""
        self.need(FD_SYNC)
        self.node.sync(False)

    def filestat(self) -> Stat:
        """Return the attributes. NOTCAPABLE: FD_FILESTAT_GET is missing."""
        if not self.rights_base & FD_FILESTAT_GET:
            raise self.refused(FD_FILESTAT_GET)
        return self.node.stat()

    def set_size(self, size: int) -> None:
        """Cut, or extend with zeros.

        Raises:
            INVAL: not open for writing (in a directory that could be written), or ``size`` is
                over 2^63 - 1.
            NOTCAPABLE: FD_FILESTAT_SET_SIZE is missing.
            PERM: the directory was given read-only.
            FBIG: more than the filesystem takes.
        """
        node = self.node
        if not (self.access & FD_WRITE or node.readonly):
            raise INVAL  # as ftruncate on Linux; BADF is for reads and writes
        self.need(FD_FILESTAT_SET_SIZE)
        if node.readonly:
            raise PERM
        if size > MAX_OFFSET:
            raise INVAL
        node.truncate(size)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set times; None leaves one as it is. A read-only descriptor will do.

        Raises:
            NOTCAPABLE: FD_FILESTAT_SET_TIMES is missing.
            PERM: the directory was given read-only.
        """
        self.need(FD_FILESTAT_SET_TIMES)
        if self.node.readonly:
            raise PERM
        self.node.set_times(atime_ns, mtime_ns)

    def directory_to_open_in(self, needed: int) -> Directory:
        """Raise NOTDIR: nothing can be opened below a file (catalogue 17)."""
        raise NOTDIR

    def poll_read(self) -> tuple[int, int]:
        """Return what is left to read, and the hangup flag at the end: a file never waits."""
        self.need(POLL_READ)
        left = self.node.stat()[_SIZE] - self.position
        return (left, 0) if left > 0 else (0, _HANGUP)

    def poll_write(self) -> tuple[int, int]:
        """Return one byte of room: a file never waits, and none tells how much it would take."""
        self.need(POLL_WRITE)
        return (1, 0)

    def close(self) -> None:
        """Close the node."""
        self.node.close()


class HostFileDescriptor(FileDescriptor):
    """An open regular file of a host directory, read and written at the host's descriptor."""

    __slots__ = ()

    node: HostFile

    # The kernel answers EINVAL for an offset and a length that overflow; an offset that is no
    # signed 64-bit number never gets there and is an OverflowError.

    def read(self, size: int) -> bytes:
        """Do as ``FileDescriptor.read`` does."""
        if not self.rights_base & FD_READ:
            raise self.refused(FD_READ)
        data = pread(self.node.fd, size, self.position)
        self.position += len(data)
        return data

    def pread(self, size: int, offset: int) -> bytes:
        """Do as ``FileDescriptor.pread`` does."""
        if self.rights_base & READ_AT != READ_AT:
            raise self.refused(READ_AT)
        try:
            return pread(self.node.fd, size, offset)
        except OverflowError:
            raise INVAL from None

    def write(self, data: bytes | memoryview) -> int:
        """Do as ``FileDescriptor.write`` does."""
        if not self.rights_base & FD_WRITE:
            raise self.refused(FD_WRITE)
        if self.fdflags & APPEND:
            return self.append(data)
        count = pwrite(self.node.fd, data, self.position)
        self.position += count
        return count

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Do as ``FileDescriptor.pwrite`` does."""
        if self.rights_base & WRITE_AT != WRITE_AT:
            raise self.refused(WRITE_AT)
        if self.fdflags & APPEND:
            if offset + len(data) > MAX_OFFSET:
                raise INVAL
            return self.node.append(data)
        try:
            return pwrite(self.node.fd, data, offset)
        except OverflowError:
            raise INVAL from None


class MemoryFileDescriptor(FileDescriptor):
    """An open regular file in memory, read without asking its node.

    Attributes:
        pinner, reads: set and used in ``slotted.ReadMemoryFile`` alone.
    """

    # Room for both is here, so that one of these can become one of those.
    __slots__ = ("pinner", "reads")

    node: MemoryFile

    # ``b"" +`` makes bytes of a slice in half the time of ``bytes()``.

    def read(self, size: int) -> bytes:
        """Do as ``FileDescriptor.read`` does."""
        if not self.rights_base & FD_READ:
            raise self.refused(FD_READ)
        position = self.position
        end = position + size
        data = self.node.inode.data
        # Beyond the dense prefix the node knows what is a hole and what is the end.
        if end > len(data):
            return FileDescriptor.read(self, size)
        self.position = end
        return b"" + data[position:end]

    def pread(self, size: int, offset: int) -> bytes:
        """Do as ``FileDescriptor.pread`` does."""
        if self.rights_base & READ_AT != READ_AT:
            raise self.refused(READ_AT)
        end = offset + size
        data = self.node.inode.data
        if end > len(data):
            return FileDescriptor.pread(self, size, offset)
        return b"" + data[offset:end]
