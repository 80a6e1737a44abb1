"""Descriptors of directories, preopened or opened by the guest, and what is opened below them."""

from __future__ import annotations

import os
from array import array
from itertools import accumulate

from wasi_host.descriptors.base import (
    FD_FILESTAT_GET,
    FD_FILESTAT_SET_TIMES,
    FD_READ,
    FD_READDIR,
    FD_SEEK,
    FD_TELL,
    FD_WRITE,
    NONBLOCK,
    Descriptor,
)
from wasi_host.descriptors.file import (
    FileDescriptor,
    HostFileDescriptor,
    MemoryFileDescriptor,
)
from wasi_host.descriptors.stream import StreamDescriptor
from wasi_host.errors import AGAIN, BADF, NOTDIR, PERM
from wasi_host.fs.host import HostFile
from wasi_host.fs.memory import MemoryFile
from wasi_host.fs.node import Directory, File, Node, Stat, Stream
from wasi_spec.numbers import DIRECTORY_RIGHTS, FILE_RIGHTS, STREAM_RIGHTS, Filetype
from wasi_spec.records import DIRENT

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final, Literal

    from wasi_host.world.scheduler import Scheduler

_DIRECTORY: Final = Filetype.DIRECTORY
#: Where the inode stands in a stat.
_INO: Final = 1


class DirectoryDescriptor(Descriptor):
    """An open directory.

    Attributes:
        node: the directory.
        name: a preopen's guest name in bytes, None for all others.
        blob: the encoded entries of the last listing, None before the first.
        offsets: where each entry begins in ``blob``.
    """

    __slots__ = ("blob", "name", "node", "offsets")

    def __init__(
        self,
        node: Directory,
        rights_base: int,
        rights_inheriting: int,
        name: bytes | None = None,
        fdflags: int = 0,
    ) -> None:
        # Not through super(): each run makes one of these for each of its directories.
        self.node = node
        self.name = name
        self.blob: bytes | None = None
        self.offsets: array[int] | None = None
        self.filetype = _DIRECTORY
        self.access = DIRECTORY_RIGHTS
        self.rights_base = rights_base & DIRECTORY_RIGHTS
        self.rights_inheriting = rights_inheriting
        self.fdflags = fdflags
        self.position = 0

    def directory(self, needed: int) -> Directory:
        """Return the node. NOTCAPABLE: a right in ``needed`` is missing."""
        if self.rights_base & needed != needed:
            raise self.refused(needed)
        return self.node

    def directory_to_open_in(self, needed: int) -> Directory:
        """Return the node. NOTCAPABLE: a right in ``needed`` is missing."""
        if self.rights_base & needed != needed:
            raise self.refused(needed)
        return self.node

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
        """Return the descriptor of a node opened below this one: see ``open_node``."""
        return open_node(node, rights, inheriting, fdflags, readable, writable, scheduler)

    def set_flags(self, flags: int) -> None:
        """Raise BADF: a directory has no flags to set (catalogue 17)."""
        raise BADF

    def filestat(self) -> Stat:
        """Return the attributes. NOTCAPABLE: FD_FILESTAT_GET is missing."""
        self.need(FD_FILESTAT_GET)
        return self.node.stat()

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set times; None leaves one as it is.

        Raises:
            NOTCAPABLE: FD_FILESTAT_SET_TIMES is missing.
            PERM: the directory was given read-only.
        """
        self.need(FD_FILESTAT_SET_TIMES)
        if self.node.readonly:
            raise PERM
        self.node.set_times(atime_ns, mtime_ns)

    def readdir(self, buf_len: int, cookie: int) -> bytes:
        """Return encoded entries: ``.``, ``..``, then the filesystem's.

        A listing is taken once and kept, so that entries made or removed between two calls
        neither repeat nor hide another. A cookie is the index of the next entry.

        Args:
            buf_len: how much to return; the last entry is cut there.
            cookie: 0 takes a new listing; one at or beyond the end gives nothing.

        Raises:
            NOTCAPABLE: FD_READDIR is missing.
        """
        self.need(FD_READDIR)
        if cookie == 0 or self.blob is None or self.offsets is None:
            self.blob, self.offsets = snapshot(self.node)
        if cookie >= len(self.offsets):
            return b""
        start = self.offsets[cookie]
        return self.blob[start : start + buf_len]

    def prestat(self) -> int:
        """Return the length in bytes of the guest name. BADF: no preopen."""
        if self.name is None:
            raise BADF
        return len(self.name)

    def prestat_dir_name(self) -> bytes:
        """Return the guest name. NOTDIR: no preopen."""
        if self.name is None:
            raise NOTDIR
        return self.name

    def close(self) -> None:
        """Close the node and forget the listing."""
        self.blob = self.offsets = None
        self.node.close()


def snapshot(node: Directory) -> tuple[bytes, array[int]]:
    """Return a directory's entries, encoded one after another, and where each begins.

    ``..`` has the inode of the directory above, at the root the root's own. A host name that
    is no UTF-8 is listed as its raw bytes (catalogue 34).
    """
    ino = node.stat()[_INO]
    above = node.parent_ino()
    pack = DIRENT.pack
    entries = [
        pack(1, ino, 1, _DIRECTORY) + b".",
        pack(2, ino if above is None else above, 2, _DIRECTORY) + b"..",
    ]
    for index, (name, entry_ino, filetype) in enumerate(node.entries(), 3):
        text = name.encode("utf-8", "surrogateescape")
        entries.append(pack(index, entry_ino, len(text), filetype) + text)
    offsets = array("Q", accumulate(map(len, entries), initial=0))
    offsets.pop()
    return b"".join(entries), offsets


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
