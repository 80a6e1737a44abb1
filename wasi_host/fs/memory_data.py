"""Inodes of a memory filesystem: what a name refers to, without names, paths or rights.

Theory of operation (the bytes of a file)
=========================================

A file is a *dense prefix*, one ``bytearray`` with its first bytes, and *pages* for what lies
beyond. Nearly every file is all prefix: reading is one slice, appending amortised O(1). Only a
write that leaves a hole of more than a page makes pages; what neither holds reads as zeros.
When the prefix grows up to a page, it takes it in, so a hole that gets filled ends as a prefix.

Reads and overwrites within the prefix take no lock, whoever else is at work. That is why the
prefix only ever grows in place: to cut a file *replaces* the bytearray, so an overwrite that
comes late lands in the old one, as if it had come before the cut. All else (growth, pages,
cutting) is done under the lock of the filesystem.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from wasi_host.fs.budget import Budget, Usage
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final, Protocol
    from weakref import ReferenceType

    from wasi_host.fs.node import Stat
else:
    Protocol = object

PAGE: Final = 4096


class Journal(ABC):
    """Is told before anything is changed for the first time; the lock is held."""

    __slots__ = ()

    @abstractmethod
    def note(self, inode: Inode) -> None:
        """Note what an inode is: names, times, size."""

    @abstractmethod
    def concerns(self, inode: FileInode, start: int, end: int) -> bool:
        """Tell whether bytes are still to be noted; without the lock, so sometimes in vain."""

    @abstractmethod
    def note_bytes(self, inode: FileInode, start: int, end: int) -> None:
        """Note the bytes from ``start`` to ``end``, which are about to be overwritten."""

    @abstractmethod
    def note_cut(self, inode: FileInode, size: int) -> None:
        """Note the bytes from ``size`` on, which are about to be cut off."""


class Store:
    """What all nodes of one memory filesystem share.

    Attributes:
        device: its device number.
        clock: the time in nanoseconds since 1970.
        max_file_bytes: the size limit of one file.
        lock: to be held for every change of names and for growth.
        usage: what is stored; what changes it is done with the lock held.
        journal: what is told before anything is changed, None: nobody.
        snapshots: all journals that are kept, oldest first (see ``memory_snapshot``).
        last_ino: the number given last.
    """

    def __init__(self, device: int, clock: Callable[[], int], max_file_bytes: int) -> None:
        self.device = device
        self.clock = clock
        self.max_file_bytes = max_file_bytes
        self.lock = threading.Lock()
        self.usage = Usage()
        self.journal: Journal | None = None
        self.snapshots: list[Journal] = []
        self.last_ino = 0

    def new_ino(self) -> int:
        """Return the next inode number; the caller holds the lock."""
        self.last_ino += 1
        return self.last_ino

    def new_inode(self, budget: Budget) -> int:
        """Count one more file, directory or link, and return its number; with the lock held.

        Raises:
            OSError: EDQUOT: ``budget`` does not allow it.
        """
        budget.check_inode(self.usage)
        self.usage.inodes += 1
        return self.new_ino()

    def __getstate__(self) -> dict[str, object]:
        kept = {**self.__dict__, "journal": None, "snapshots": []}
        del kept["lock"]
        return kept

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.lock = threading.Lock()


class Inode:
    """What names refer to: a number, how many names there are, and times in nanoseconds.

    The access time is set at creation and by ``set_times``, never by reading (as on a Linux
    filesystem mounted noatime): it is not worth its price in every read.
    """

    __slots__ = ("atime", "ctime", "filetype", "ino", "mtime", "nlink")

    #: What a stat tells; each kind has it in its own way.
    size: int

    def __init__(self, ino: int, filetype: int, nlink: int, now: int) -> None:
        self.ino = ino
        self.filetype = filetype
        self.nlink = nlink
        self.atime = self.mtime = self.ctime = now


class LinkInode(Inode):
    """A symbolic link."""

    __slots__ = ("target",)

    def __init__(self, ino: int, target: str, now: int) -> None:
        super().__init__(ino, Filetype.SYMBOLIC_LINK, 1, now)
        self.target = target

    @property
    def size(self) -> int:  # type: ignore[override]
        """How many bytes its text has."""
        return len(self.target.encode("utf-8", "surrogateescape"))


class DirectoryInode(Inode):
    """A directory. ``parent`` stays after its removal; ``nlink`` is then 0."""

    __slots__ = ("entries", "parent")

    size = 0

    def __init__(self, ino: int, parent: DirectoryInode | None, now: int) -> None:
        super().__init__(ino, Filetype.DIRECTORY, 2, now)
        self.parent = parent
        self.entries: dict[str, Inode] = {}

    def is_below(self, other: Inode) -> bool:
        """Tell whether this is ``other`` or somewhere below it."""
        place: DirectoryInode | None = self
        while place is not None:
            if place is other:
                return True
            place = place.parent
        return False


class Pin(Protocol):
    """Who reads the dense prefix where it lies, outside Python; as long as that holds all there is.

    An exported buffer keeps the bytes in place; overwriting within them is seen there.
    """

    def drop(self) -> None:
        """Take note that the file is about to be longer or shorter; the lock is held."""


class FileInode(Inode):
    """A regular file.

    Attributes:
        data: the dense prefix, the bytes [0, len(data)). Readers may slice it without a lock
            (``bytes(inode.data[offset:end])`` where ``end <= len(inode.data)``), and overwrite
            within it; they fetch the attribute anew each time, never change its length, and
            hold no memory view of it beyond one expression.
        size: at least ``len(data)``; what is between them is in pages or is zeros.
        pin: a weak reference to the pin of ``data``, or None; set with the lock held.

    The new inode is already counted in ``usage``, its data not yet.
    """

    __slots__ = ("_gone", "_pages", "data", "pin", "size")

    def __init__(self, ino: int, now: int, usage: Usage, data: bytes = b"") -> None:
        super().__init__(ino, Filetype.REGULAR_FILE, 1, now)
        self.data = bytearray(data)
        self.size = len(data)
        self._pages: dict[int, bytearray] = {}
        self._gone = usage.gone
        self.pin: ReferenceType[Pin] | None = None
        usage.bytes += len(data)

    def __getstate__(self) -> object:
        state: Any = super().__getstate__()  # of a class with slots alone: None, and these
        return None, {**state[1], "pin": None}

    def __del__(self) -> None:
        self._gone.append(self.stored)

    @property
    def stored(self) -> int:
        """How many bytes are really held: holes count nothing."""
        return len(self.data) + PAGE * len(self._pages)

    # All below: the caller holds the lock of the filesystem.

    @property
    def pages(self) -> Iterable[int]:
        """The numbers of the pages that are held behind the dense prefix."""
        return self._pages.keys()

    def _unpin(self) -> None:
        held, self.pin = self.pin, None
        pin = None if held is None else held()
        if pin is not None:
            pin.drop()

    def read(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``, with holes as zeros."""
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        piece = self.data[offset:end]
        if len(piece) == end - offset:
            return bytes(piece)
        piece.extend(bytes(end - offset - len(piece)))
        start = max(offset, len(self.data))
        if self._pages:
            for index in range(start // PAGE, (end - 1) // PAGE + 1):
                page = self._pages.get(index)
                if page is not None:
                    low = max(start, index * PAGE)
                    high = min(end, (index + 1) * PAGE)
                    piece[low - offset : high - offset] = page[
                        low - index * PAGE : high - index * PAGE
                    ]
        return bytes(piece)

    def fitting(self, count: int, offset: int, room: int) -> int:
        """Return how much of a write fits where ``room`` more bytes may be stored."""
        dense = len(self.data)
        if offset <= dense or not (self._pages or offset - dense > PAGE):
            return min(count, max(0, dense + max(0, room) - offset))
        done = 0
        while done < count:
            index, start = divmod(offset + done, PAGE)
            if index not in self._pages:
                room -= PAGE
                if room < 0:
                    return done
            done += PAGE - start
        return count

    def write(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, growing and leaving a hole as it must.

        Returns:
            How many more bytes are stored.
        """
        if self.pin is not None:
            self._unpin()
        dense = len(self.data)
        if offset == dense == self.size:
            # Growing at the end, by far the most frequent: there is nothing behind it.
            try:
                self.data += data
            except BufferError:
                self._put(data, offset)
            self.size = len(self.data)
            return self.size - dense
        before = self.stored
        if offset > dense and (self._pages or offset - dense > PAGE):
            self._write_pages(memoryview(data), offset)
            self.size = max(self.size, offset + len(data))
        else:
            # The hole's zeros first, so that a reader never sees the bytes at the wrong place.
            if offset > dense:
                self._grow(bytes(offset - dense))
            self._put(data, offset)
            self.size = max(self.size, len(self.data))
        if self._pages:
            self._take_in(dense)
        return self.stored - before

    def _put(self, data: bytes | memoryview, offset: int) -> None:
        try:
            self.data[offset : offset + len(data)] = data
        except BufferError:
            # Somebody holds a view of the prefix after all: leave it to them.
            self.data = bytearray(self.data)
            self.data[offset : offset + len(data)] = data

    def _grow(self, data: bytes | bytearray) -> None:
        self._put(memoryview(data), len(self.data))

    def _write_pages(self, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            index, start = divmod(offset + done, PAGE)
            page = self._pages.get(index)
            if page is None:
                page = self._pages[index] = bytearray(PAGE)
            piece = view[done : done + PAGE - start]
            page[start : start + len(piece)] = piece
            done += len(piece)

    def _take_in(self, dense: int) -> None:
        """Drop the pages that the prefix, ``dense`` long before, now covers; add what follows."""
        for index in range(dense // PAGE, len(self.data) // PAGE):
            self._pages.pop(index, None)
        while len(self.data) < self.size:
            index, start = divmod(len(self.data), PAGE)
            page = self._pages.pop(index, None)
            if page is None:
                return
            self._grow(page[start : start + self.size - len(self.data)])
        self._pages.clear()

    def shrink(self, size: int) -> int:
        """Cut off in place what was appended behind ``size``; nobody may be overwriting.

        Returns:
            How many more bytes are stored: none or fewer.
        """
        dense = len(self.data)
        if self._pages or not size < dense:
            return 0
        if self.pin is not None:
            self._unpin()
        try:
            del self.data[size:]
        except BufferError:
            return 0
        self.size = size
        return size - dense

    def resize(self, size: int) -> int:
        """Cut to ``size``, or extend to it with a hole; return how many more bytes are stored."""
        if self.pin is not None:
            self._unpin()
        dense, pages = len(self.data), self._pages
        if not pages:
            # Nearly every file is all prefix.
            if size < dense:
                self.data = self.data[:size]
            self.size = size
            return len(self.data) - dense
        before = self.stored
        if size < dense:
            self.data = self.data[:size]
            pages.clear()
        elif size < self.size:
            for index in [index for index in pages if index * PAGE >= size]:
                del pages[index]
            page = pages.get(size // PAGE)
            if page is not None:
                page[size % PAGE :] = bytes(PAGE - size % PAGE)
        self.size = size
        return self.stored - before


def stat_of(store: Store, inode: Inode) -> Stat:
    """Return the attributes of an inode."""
    return (
        store.device,
        inode.ino,
        inode.filetype,
        inode.nlink,
        inode.size,
        inode.atime,
        inode.mtime,
        inode.ctime,
    )


def change_times(store: Store, inode: Inode, atime_ns: int | None, mtime_ns: int | None) -> None:
    """Set the times of an inode; None leaves one as it is."""
    if store.journal is not None:
        with store.lock:
            store.journal.note(inode)
    if atime_ns is not None:
        inode.atime = atime_ns
    if mtime_ns is not None:
        inode.mtime = mtime_ns
    if atime_ns is not None or mtime_ns is not None:
        inode.ctime = store.clock()
