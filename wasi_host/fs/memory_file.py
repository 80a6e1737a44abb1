"""Open files of a memory filesystem.

Sharing: one lock per filesystem guards growth and cutting; reading, and overwriting what is
there, take none (``memory_data`` tells why that is safe).
"""

from __future__ import annotations

import errno

from wasi_host.fs.budget import UNLIMITED, Budget
from wasi_host.fs.memory_data import PAGE, FileInode, Store, change_times, stat_of
from wasi_host.fs.node import File, Stat
from wasi_host.fs.walk import failure

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

__all__ = ["MemoryFile"]

_NOTHING: Final = bytearray()


class MemoryFile(File):
    """An open file in memory. ``inode`` may be read directly: see ``memory_data.FileInode``."""

    __slots__ = ("budget", "inode", "readonly", "store")

    def __init__(
        self, store: Store, inode: FileInode, readonly: bool, budget: Budget = UNLIMITED
    ) -> None:
        self.store = store
        self.inode = inode
        self.readonly = readonly
        self.budget = budget

    def __reduce__(self) -> tuple[object, ...]:
        # A budget is that of one run.
        return MemoryFile, (self.store, self.inode, self.readonly)

    def stat(self) -> Stat:
        """Return the attributes."""
        return stat_of(self.store, self.inode)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times exactly; EPERM in a read-only filesystem."""
        self._writable()
        change_times(self.store, self.inode, atime_ns, mtime_ns)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; empty at or after the end."""
        inode = self.inode
        data = inode.data
        if offset + size <= len(data) or len(data) == inode.size:
            return b"" + data[offset : offset + size]
        with self.store.lock:
            return inode.read(size, offset)

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in order from ``offset``; return how many bytes there were."""
        done = 0
        for buffer in buffers:
            data = self.inode.data
            end = offset + done + len(buffer)
            whole = end <= len(data)
            piece = data[offset + done : end] if whole else self.pread(len(buffer), offset + done)
            buffer[: len(piece)] = piece
            done += len(piece)
            if len(piece) < len(buffer):
                break
        return done

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; return how much was taken, less at a limit.

        Raises:
            OSError: EFBIG at the size limit; EDQUOT where the run may store no more; EPERM in a
                read-only filesystem.
        """
        if self.readonly:
            raise failure(errno.EPERM)
        count = len(data)
        if not count:
            return 0
        inode, store = self.inode, self.store
        end = offset + count
        dense = inode.data
        if end <= len(dense):
            journal = store.journal
            # Most writes are to what was noted before, and need no lock.
            if journal is not None and journal.concerns(inode, offset, end):
                with store.lock:
                    journal.note_bytes(inode, offset, end)
            # Assigning makes a bytearray of anything else first; to add to one is faster.
            dense[offset:end] = _NOTHING + data
            inode.mtime = inode.ctime = store.clock()
            return count
        with store.lock:
            return self._grow(data, offset)

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end; else like ``pwrite``."""
        self._writable()
        if not len(data):
            return 0
        with self.store.lock:
            return self._grow(data, self.inode.size)

    def _grow(self, data: bytes | memoryview, offset: int) -> int:
        """Write with the lock held."""
        count = len(data)
        store, inode = self.store, self.inode
        if offset + count > store.max_file_bytes:
            count = store.max_file_bytes - offset
            if count <= 0:
                raise failure(errno.EFBIG)
            data = memoryview(data)[:count]
        usage = store.usage
        # The most it can take: what is written, and zeros or pages beside it.
        most = count + (2 * PAGE if offset > len(inode.data) else 0)
        if usage.bytes + most > self.budget.quick:
            fitting = inode.fitting(count, offset, self.budget.room(usage))
            if fitting < count:
                self.budget.hit.add("fs_bytes")
                if not fitting:
                    raise failure(errno.EDQUOT)
                count = fitting
                data = memoryview(data)[:count]
        if store.journal is not None:
            store.journal.note_bytes(inode, offset, offset + count)
        usage.bytes += inode.write(data, offset)
        inode.mtime = inode.ctime = store.clock()
        return count

    def truncate(self, size: int) -> None:
        """Cut or extend with a hole; EFBIG over the limit, EPERM where read-only."""
        if self.readonly:
            raise failure(errno.EPERM)
        store, inode = self.store, self.inode
        if size > store.max_file_bytes:
            raise failure(errno.EFBIG)
        with store.lock:
            if store.journal is not None:
                store.journal.note_cut(inode, size)
            store.usage.bytes += inode.resize(size)
            inode.mtime = inode.ctime = store.clock()

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; the rest as ``truncate``."""
        self._writable()
        if offset + length > self.store.max_file_bytes:
            raise failure(errno.EFBIG)
        with self.store.lock:
            if offset + length > self.inode.size:
                if self.store.journal is not None:
                    self.store.journal.note(self.inode)
                self.store.usage.bytes += self.inode.resize(offset + length)
                self.inode.mtime = self.inode.ctime = self.store.clock()

    def stored(self) -> int:
        """Return how many bytes are held, in whole pages behind a hole; at most the size."""
        return min(self.inode.stored, self.inode.size)

    def _writable(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
