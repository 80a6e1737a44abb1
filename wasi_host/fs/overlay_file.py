"""An open file of an overlay."""

import errno
import os
from collections.abc import Sequence
from typing import Final

from wasi_host.fs.budget import Budget
from wasi_host.fs.memory_data import change_times
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.node import File, Stat
from wasi_host.fs.overlay_data import PartlyCopied
from wasi_host.fs.overlay_index import LayeredFile
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.walk import failure

__all__ = ["OverlayFile"]

_SYNC: Final = getattr(os, "O_SYNC", 0) | getattr(os, "O_DSYNC", 0)


class OverlayFile(File):
    """An open file: what it reads is the lower file until there is another one.

    It is one of the users of ``inode``, until it is closed.
    """

    __slots__ = ("_budget", "_layers", "_open", "_sync", "inode", "readonly")

    def __init__(
        self, layers: Layers, inode: LayeredFile, readonly: bool, mode: int, budget: Budget
    ) -> None:
        self._layers = layers
        self._budget = budget
        self._open = True
        self._sync = mode & _SYNC != 0
        self.inode = inode
        self.readonly = readonly

    def close(self) -> None:
        """Be no user any more."""
        if self._open:
            self._open = False
            self._layers.leave(self.inode)

    def stat(self) -> Stat:
        """Return the attributes."""
        copy, file = self.inode.copy, self._file()
        stat = file.stat()
        if copy is None:
            return self._layers.ours(stat)
        return self._layers.with_size(copy, stat[4])

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times exactly; the bytes stay where they are."""
        self._writable()
        with self._layers.lock:
            change_times(self._layers.store, self._layers.touch(self.inode), atime_ns, mtime_ns)

    def sync(self, data_only: bool = False) -> None:
        """Write to storage what is the overlay's own."""
        if self.inode.copied:
            self._file().sync(data_only)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; empty at or after the end."""
        return self._file().pread(size, offset)

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in order from ``offset``; return how many bytes there were."""
        return self._file().preadinto(buffers, offset)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; return how much was taken."""
        self._writable()
        if not len(data):
            return 0
        file = self._own_file()
        return self._written(file, file.pwrite(data, offset))

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end, wherever that is by then; return how much was taken."""
        self._writable()
        if not len(data):
            return 0
        file = self._own_file()
        return self._written(file, file.append(data))

    def truncate(self, size: int) -> None:
        """Cut or extend with zeros to ``size``."""
        self._writable()
        file = self._layers.own_file(self.inode)
        file.truncate(size)
        self._written(file, 0)

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; never shorter."""
        self._writable()
        if offset + length <= self.stat()[4]:
            return
        file = self._layers.own_file(self.inode)
        file.allocate(offset, length)
        self._written(file, 0)

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Pass an expected access pattern on."""
        self._file().advise(offset, length, advice)

    def stored(self) -> int:
        """Return how many bytes are held, holes not counted."""
        return self._file().stored()

    def _written(self, file: File, count: int) -> int:
        """Note that the file was changed; return ``count``."""
        copy = self.inode.copy
        if copy is not None:
            copy.mtime = copy.ctime = self._layers.store.clock()
        if self._sync:
            file.sync(True)
        return count

    def _own_file(self) -> File:
        """Return where the bytes are written; whoever writes last before a growth pays for it."""
        file = self._layers.own_file(self.inode)
        if type(file) is PartlyCopied:
            file.pays(self._budget)
        elif type(file) is MemoryFile:
            file.budget = self._budget
        return file

    def _file(self) -> File:
        file = self.inode.file
        if file is None:
            raise failure(errno.EBADF)
        return file

    def _writable(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
