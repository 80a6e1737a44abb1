"""The table of descriptors: which number names which, and which descriptor a node gets.

Only the table adds, removes and moves descriptors and picks their numbers.
"""

import os
from heapq import heappop, heappush
from typing import Final, Literal

from wasi_host.descriptors.base import (
    FD_READ,
    FD_READDIR,
    FD_SEEK,
    FD_TELL,
    FD_WRITE,
    NONBLOCK,
    Descriptor,
)
from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.descriptors.file import (
    FileDescriptor,
    HostFileDescriptor,
    MemoryFileDescriptor,
)
from wasi_host.descriptors.stream import StreamDescriptor
from wasi_host.errors import AGAIN, BADF, MFILE
from wasi_host.fs.host import HostFile
from wasi_host.fs.memory import MemoryFile
from wasi_host.fs.node import Directory, File, Node, Stream
from wasi_host.world.scheduler import Scheduler
from wasi_spec.enums import Filetype
from wasi_spec.rights import FILE_RIGHTS, STREAM_RIGHTS

#: How many descriptors an instance may have open where nothing else is said.
OPEN_FILES: Final = 256


class DescriptorTable(dict[int, Descriptor]):
    """Descriptors by number; ``table[fd]`` raises BADF for one that is not open.

    Attributes:
        limit: how many may be open at once.
        limit_hit: whether one more was asked for.
    """

    __slots__ = ("_free", "_next", "limit", "limit_hit")

    def __init__(self, limit: int = OPEN_FILES) -> None:
        self.limit = limit
        self.limit_hit = False
        # Every number below ``_next`` is either open or in the heap of free ones.
        self._free: list[int] = []
        self._next = 0

    def untouched(self, count: int) -> bool:
        """Tell whether all that ever happened is that so many descriptors were inserted."""
        return self._next == count and not self._free and not self.limit_hit

    def remember(self, count: int) -> object:
        """Return the rights of the first descriptors, for ``restore``."""
        return [self[fd].rights_base for fd in range(count)]

    def restore(self, state: object, count: int) -> None:
        """Put the first descriptors back as they were inserted; ``untouched`` was asked before.

        Args:
            state: what ``remember`` returned.
            count: how many.
        """
        assert isinstance(state, list)
        for fd in range(count):
            descriptor = self[fd]
            descriptor.rights_base = state[fd]
            descriptor.rights_inheriting = descriptor.fdflags = 0

    def __missing__(self, fd: int) -> Descriptor:
        raise BADF

    def check_room(self) -> None:
        """Check that one more descriptor can be open; ask before anything is created.

        Raises:
            MFILE: the limit is reached.
        """
        if len(self) >= self.limit:
            self.limit_hit = True
            raise MFILE

    def insert(self, descriptor: Descriptor) -> int:
        """Give a descriptor the lowest free number, and return it; ``check_room`` came before."""
        if self._free:
            fd = heappop(self._free)
        else:
            fd = self._next
            self._next = fd + 1
        self[fd] = descriptor
        return fd

    def close(self, fd: int) -> None:
        """Close a descriptor; its number is free again even where closing fails.

        Raises:
            BADF: it is not open.
        """
        descriptor = self[fd]
        del self[fd]
        heappush(self._free, fd)
        descriptor.close()

    def renumber(self, fd: int, to: int) -> None:
        """Move a descriptor to another open number, whose own is closed.

        Onto itself nothing happens. An error of closing is lost, as dup2 loses it.

        Raises:
            BADF: one of the two is not open.
        """
        descriptor, old = self[fd], self[to]
        if fd == to:
            return
        self[to] = descriptor
        del self[fd]
        heappush(self._free, fd)
        try:
            old.close()
        except OSError:
            return

    def close_all(self) -> None:
        """Close every descriptor; the first error is raised when all are closed."""
        error: OSError | None = None
        descriptors = list(self.values())
        self.clear()
        self._free.clear()
        self._next = 0
        for descriptor in descriptors:
            try:
                descriptor.close()
            except OSError as failed:
                error = error or failed
        if error is not None:
            raise error


class OpenedStreamDescriptor(StreamDescriptor):
    """A fifo or device opened by path: its node says EAGAIN where the guest may have to wait.

    The host descriptor behind it is non-blocking for good (it is ours alone), so that a wait is
    always the scheduler's and can be ended.
    """

    __slots__ = ("scheduler",)

    def __init__(
        self, node: Stream, access: int, rights: int, fdflags: int, scheduler: Scheduler
    ) -> None:
        super().__init__(node, access, rights, 0, fdflags)
        self.scheduler = scheduler

    def read(self, size: int) -> bytes:
        """Do as ``StreamDescriptor.read`` does; wait, unless NONBLOCK is set (AGAIN)."""
        while True:
            try:
                return super().read(size)
            except BlockingIOError:
                self._wait("read")

    def write(self, data: bytes | memoryview) -> int:
        """Do as ``StreamDescriptor.write`` does; wait for room, unless NONBLOCK is set (AGAIN)."""
        while True:
            try:
                return super().write(data)
            except BlockingIOError:
                self._wait("write")

    def _wait(self, direction: Literal["read", "write"]) -> None:
        """Wait for the host descriptor, or refuse to if the guest said so."""
        if self.fdflags & NONBLOCK:
            raise AGAIN
        self.scheduler.wait([(self.fileno(), direction)], None)


def open_node(
    node: Node,
    rights: int,
    inheriting: int,
    fdflags: int,
    readable: bool,
    writable: bool,
    scheduler: Scheduler,
) -> Descriptor:
    """Return the descriptor for an open node.

    Args:
        node: what was opened; the descriptor closes it.
        rights: what it may be given; less what the kind and the open mode never have.
        inheriting: what descriptors opened below it may be given.
        fdflags: the flags it was opened with.
        readable: whether it was opened for reading.
        writable: whether it was opened for writing; never a directory.
        scheduler: where a stream waits.
    """
    withheld = (0 if readable else FD_READ | FD_READDIR) | (0 if writable else FD_WRITE)
    access = FILE_RIGHTS & ~withheld
    # The most frequent first: to ask for an abstract class takes ten times as long.
    if type(node) is HostFile:
        return HostFileDescriptor(node, access, rights, inheriting, fdflags)
    if type(node) is MemoryFile:
        return MemoryFileDescriptor(node, access, rights, inheriting, fdflags)
    if isinstance(node, Directory):
        return DirectoryDescriptor(node, rights, inheriting, None, fdflags)
    if isinstance(node, File):
        return FileDescriptor(node, access, rights, inheriting, fdflags)
    assert isinstance(node, Stream)
    access = STREAM_RIGHTS & ~withheld
    if node.filetype == Filetype.CHARACTER_DEVICE and not _is_terminal(node):
        # Without these two a C library takes every character device for a terminal.
        access |= FD_SEEK | FD_TELL
    return OpenedStreamDescriptor(node, access, rights, fdflags, scheduler)


def _is_terminal(node: Stream) -> bool:
    try:
        return os.isatty(node.fileno())
    except OSError:
        return False
