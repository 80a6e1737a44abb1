"""Descriptors of files and directories that the native part serves too; see ``slotted``."""

from __future__ import annotations

from weakref import ref

from wasi_host.descriptors.base import FD_READDIR
from wasi_host.descriptors.directory import DirectoryDescriptor, snapshot
from wasi_host.descriptors.file import HostFileDescriptor, MemoryFileDescriptor
from wasi_host.descriptors.slotted import Slotted
from wasi_host.native import structures
from wasi_host.native.structures import Pinned

TYPE_CHECKING = False

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence
    from typing import Protocol

    from wasi_host.fs.memory import MemoryFile
    from wasi_host.native.library import Library
else:
    Protocol = object

#: After so many reads the bytes of a file in memory are pinned, which takes as long as two.
_OFTEN = 4


class NativeHostFile(Slotted, HostFileDescriptor):
    """An open regular file of a host directory."""

    __slots__ = ("memory", "slot")


class NativeDirectory(Slotted, DirectoryDescriptor):
    """An open host directory; the listing stands in the slot."""

    __slots__ = ("_lib", "memory", "slot")

    _lib: Library

    def readdir(self, buf_len: int, cookie: int) -> bytes:
        """Do as ``DirectoryDescriptor.readdir`` does."""
        self.need(FD_READDIR)
        if cookie == 0 or not self.slot.listing:
            self._list(*snapshot(self.node))
        return self._lib.listed(self.address, cookie, buf_len)

    def _list(self, blob: bytes, offsets: array[int]) -> None:
        address, count = offsets.buffer_info()
        if not self._lib.keep_listing(self.address, blob, len(blob), address, count):
            raise MemoryError

    @property
    def address(self) -> int:
        """Where the slot lies."""
        return structures.address(self.slot)


class NativeMemoryFile(Slotted, MemoryFileDescriptor):
    """An open file in memory that is only read; its bytes are pinned as long as this is open."""

    __slots__ = ("memory", "pin", "slot")

    pin: Pinned


class Pinner(Protocol):
    """Puts a native descriptor in the place of one: the table."""

    def pin(self, descriptor: ReadMemoryFile) -> None:
        """Do so, if it can be done."""


class ReadMemoryFile(MemoryFileDescriptor):
    """An open file in memory that is only read, and not yet known to be read often."""

    __slots__ = ()

    pinner: Pinner
    reads: int

    @classmethod
    def become(cls, descriptor: MemoryFileDescriptor, pinner: Pinner) -> None:
        """Make a descriptor one of these: a new one would take as long as opening the file."""
        descriptor.__class__ = cls
        assert isinstance(descriptor, cls)
        descriptor.pinner, descriptor.reads = pinner, 0

    def read(self, size: int) -> bytes:
        """Do as ``FileDescriptor.read`` does."""
        data = MemoryFileDescriptor.read(self, size)
        self._count()
        return data

    def pread(self, size: int, offset: int) -> bytes:
        """Do as ``FileDescriptor.pread`` does."""
        data = MemoryFileDescriptor.pread(self, size, offset)
        self._count()
        return data

    def readinto(self, buffers: Sequence[memoryview]) -> int:
        """Do as ``FileDescriptor.readinto`` does."""
        count = MemoryFileDescriptor.readinto(self, buffers)
        self._count()
        return count

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Do as ``FileDescriptor.preadinto`` does."""
        count = MemoryFileDescriptor.preadinto(self, buffers, offset)
        self._count()
        return count

    def _count(self) -> None:
        self.reads += 1
        if self.reads == _OFTEN:
            self.pinner.pin(self)


def pin(node: MemoryFile) -> Pinned | None:
    """Return the bytes of a file, pinned; None where they are not all in one place."""
    inode = node.inode
    with node.store.lock:
        known = None if inode.pin is None else inode.pin()
        if isinstance(known, Pinned):
            return known
        data = inode.data
        if not data or len(data) != inode.size:
            return None
        made = Pinned(data)
        inode.pin = ref(made)
    return made
