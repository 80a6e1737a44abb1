"""The bytes of a lower file that an overlay changes.

Theory of operation
===================

A file of the lower tree is opened there for reading, and only for that, when a guest opens it
for anything. Its bytes become the overlay's own at the first write, cut or growth. All who have
it open share one ``SharedFile`` and read through its ``file``: before that the lower file,
after it what took its place. So a descriptor that read before reads the new bytes afterwards.

In memory a file is copied *chunk by chunk* (``PartlyCopied``): a chunk that is written is
fetched first, unless it is overwritten whole, and all the others go on being read from below. A
byte written into a file of many gigabytes costs one chunk. Once every chunk is the overlay's own,
the file is a plain file in memory. Where an upper filesystem was given, it is to hold whole
files, and they are copied in pieces of ``PIECE`` bytes.

Somebody else may write into the lower file meanwhile. Old and new bytes are never mixed: a file
is *sealed* by number, size and modification time when its first chunk is taken, and whenever
bytes are read from below later, the seal is compared afterwards; if it is broken, ESTALE.
"""

import errno
import threading
from typing import ClassVar, Final, NamedTuple

from wasi_host.fs.budget import Budget
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.node import File, Stat
from wasi_host.fs.walk import failure

#: Bytes that are copied at once: of a file in memory, and into an upper filesystem.
CHUNK: Final = 1 << 16
PIECE: Final = 1 << 18


class Seal(NamedTuple):
    """What tells one state of a lower file from another."""

    filetype: int
    ino: int
    size: int
    mtime_ns: int


def seal_of(stat: Stat) -> Seal:
    """Return the seal of something with these attributes."""
    return Seal(stat[2], stat[1], stat[4], stat[6])


class SharedFile:
    """What all who have a file open share.

    Attributes:
        below: the lower file, while anyone has the file open and it is needed.
        file: where the bytes are read, while anyone has the file open.
        whole: whether all bytes are the overlay's own, in memory.
        lock: to be held while bytes become the overlay's own.
    """

    __slots__ = ("below", "file", "lock", "whole")

    filetype: ClassVar[int] = File.filetype

    def __init__(self) -> None:
        self.below: File | None = None
        self.file: File | None = None
        self.whole = False
        self.lock = threading.Lock()


class PartlyCopied(File):
    """A lower file of which some chunks have been replaced by others in memory.

    Of the lower file only the first ``reach`` bytes count: what was cut off does not come back.
    """

    __slots__ = ("_chunks", "_inode", "_memory", "_reach", "_seal", "readonly")

    def __init__(self, inode: SharedFile, lower: File, memory: MemoryFile) -> None:
        stat = lower.stat()
        self.readonly = False
        self._inode = inode
        self._memory = memory
        self._seal = seal_of(stat)
        self._reach = stat[4]
        self._chunks: set[int] = set()
        inode_of = memory.inode
        times = inode_of.atime, inode_of.mtime, inode_of.ctime
        memory.truncate(stat[4])
        inode_of.atime, inode_of.mtime, inode_of.ctime = times

    def pays(self, budget: Budget) -> None:
        """Let a run's budget pay for what is written from now on."""
        self._memory.budget = budget

    # All below: the caller holds the lock of the inode, or takes it here.

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._memory.stat()

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; ESTALE where the lower file has changed."""
        with self._inode.lock:
            end = min(offset + size, self._memory.inode.size)
            pieces, read_below = [], False
            while offset < end:
                index = offset // CHUNK
                mine = self._is_mine(index)
                while (index + 1) * CHUNK < end and self._is_mine(index + 1) == mine:
                    index += 1
                stop = min(end, (index + 1) * CHUNK)
                if mine:
                    piece = self._memory.pread(stop - offset, offset)
                else:
                    piece = self._read_below(max(min(stop, self._reach) - offset, 0), offset)
                    read_below = True
                pieces.append(piece)
                # Behind what is left of the lower file there are zeros.
                pieces.append(bytes(stop - offset - len(piece)))
                offset = stop
            if read_below:
                self._check()
            return b"".join(pieces)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; return how much was taken."""
        with self._inode.lock:
            return self._write(memoryview(data), offset)

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end."""
        with self._inode.lock:
            return self._write(memoryview(data), self._memory.inode.size)

    def truncate(self, size: int) -> None:
        """Cut, or extend with zeros."""
        with self._inode.lock:
            self._memory.truncate(size)
            self._reach = min(self._reach, size)
            last = self._count()
            self._chunks = {index for index in self._chunks if index < last}
            self._settle()

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long."""
        with self._inode.lock:
            self._memory.allocate(offset, length)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times."""
        self._memory.set_times(atime_ns, mtime_ns)

    def _count(self) -> int:
        """Return how many chunks the part of the lower file has that counts."""
        return -(-self._reach // CHUNK)

    def _is_mine(self, index: int) -> bool:
        return index in self._chunks or index >= self._count()

    def _settle(self) -> None:
        """Be done with the lower file once nothing of it counts any more."""
        if len(self._chunks) == self._count():
            # The lower file stays open for those who are reading it at this moment.
            self._inode.file = self._memory
            self._inode.whole = True

    def _write(self, data: memoryview, offset: int) -> int:
        """Write chunk by chunk; a chunk counts as ours only with all its bytes in place."""
        done = 0
        try:
            while done < len(data):
                index, start = divmod(offset + done, CHUNK)
                piece = data[done : done + CHUNK - start]
                if not self._is_mine(index):
                    end = min((index + 1) * CHUNK, self._reach)
                    if start or offset + done + len(piece) < end:
                        self._fetch(index)
                    else:
                        self._put(piece, index * CHUNK)
                        self._chunks.add(index)
                        done += len(piece)
                        continue
                count = self._memory.pwrite(piece, offset + done)
                done += count
                if count < len(piece):
                    break
        except OSError:
            if not done:
                raise
        self._settle()
        return done

    def _fetch(self, index: int) -> None:
        """Take a chunk of the lower file."""
        start = index * CHUNK
        data = self._read_below(min(CHUNK, self._reach - start), start)
        self._check()
        self._put(memoryview(data), start)
        self._chunks.add(index)

    def _put(self, data: memoryview, offset: int) -> None:
        """Write all of ``data`` to memory, or raise what it raises at a limit."""
        while len(data):
            count = self._memory.pwrite(data, offset)
            data, offset = data[count:], offset + count

    def _read_below(self, size: int, offset: int) -> bytes:
        lower = self._inode.below
        if lower is None:
            raise failure(errno.ESTALE)
        data = lower.pread(size, offset)
        while len(data) < size:
            more = lower.pread(size - len(data), offset + len(data))
            if not more:
                raise failure(errno.ESTALE)
            data += more
        return data

    def _check(self) -> None:
        """Raise ESTALE where the lower file is another than the one that was begun with."""
        lower = self._inode.below
        if lower is None or seal_of(lower.stat()) != self._seal:
            raise failure(errno.ESTALE)


def copy_whole(lower: File, to: File) -> Seal:
    """Copy a lower file piece by piece; return its seal.

    Raises:
        OSError: ESTALE where it changed meanwhile, each of several times.
    """
    for _ in range(4):
        seal, offset = seal_of(lower.stat()), 0
        while data := lower.pread(PIECE, offset):
            view = memoryview(data)
            while len(view):
                count = to.pwrite(view, offset)
                view, offset = view[count:], offset + count
        if seal_of(lower.stat()) == seal and offset == seal.size:
            return seal
        to.truncate(0)
    raise failure(errno.ESTALE)
