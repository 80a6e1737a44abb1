"""States of a memory filesystem that it can go back to, in time proportional to what changed.

Theory of operation
===================

A snapshot copies nothing when it is taken. It is a *journal*: before an inode is changed for the
first time since, the journal notes what it was. Of a directory that is its names, of a file its
size and, chunk by chunk, the bytes that are about to be overwritten or cut off; what is only
appended costs nothing. To go back is to put back what was noted.

Only the newest journal is written to. To go back to an older snapshot, the newer ones are undone
first, and are then over. Giving a snapshot up hands what it noted on to the one before it.

Bytes are overwritten without a lock where that is safe (see ``memory_data``), so a snapshot is to
be taken, and gone back to, while nobody writes.
"""

from __future__ import annotations

from wasi_host.fs.memory_data import (
    PAGE,
    DirectoryInode,
    FileInode,
    Inode,
    Journal,
    LinkInode,
    Store,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

__all__ = ["Noted", "Snapshot", "give_up", "go_back", "noted_since", "take"]

#: Bytes of a file that are noted at once.
CHUNK: Final = 1 << 16


class Noted:
    """What an inode was."""

    __slots__ = ("chunks", "entries", "nlink", "parent", "size", "times")

    def __init__(self, inode: Inode) -> None:
        self.nlink = inode.nlink
        self.times = inode.atime, inode.mtime, inode.ctime
        self.size = inode.size if isinstance(inode, FileInode) else 0
        # Of a file: the bytes of chunks, by number; those that are missing are as they were.
        self.chunks: dict[int, bytes] = {}
        self.entries: dict[str, Inode] = {}
        self.parent: DirectoryInode | None = None
        if isinstance(inode, DirectoryInode):
            self.entries = dict(inode.entries)
            self.parent = inode.parent

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Return where bytes were that are noted, and the bytes."""
        for index, data in self.chunks.items():
            size = min(CHUNK, self.size - index * CHUNK)
            if size > 0:
                # What is missing of it was cut off before, and was a hole.
                yield index * CHUNK, data.ljust(size, b"\0")


class Snapshot(Journal):
    """A state of a memory filesystem; made by ``MemoryFS.snapshot``."""

    __slots__ = ("_last_ino", "noted", "store")

    def __init__(self, store: Store) -> None:
        self.store = store
        self.noted: dict[Inode, Noted] = {}
        self._last_ino = store.last_ino

    # What the filesystem calls before it changes something, with its lock held.

    def note(self, inode: Inode) -> None:
        """Note what an inode is, the first time."""
        if inode not in self.noted and inode.ino <= self._last_ino:
            self.noted[inode] = Noted(inode)

    def concerns(self, inode: FileInode, start: int, end: int) -> bool:
        """Tell whether bytes are still to be noted; asked without the lock."""
        noted = self.noted.get(inode)
        if noted is None:
            return inode.ino <= self._last_ino
        first = start // CHUNK
        if first in noted.chunks and (end - 1) // CHUNK == first:
            return False
        return start < noted.size

    def note_bytes(self, inode: FileInode, start: int, end: int) -> None:
        """Note the bytes from ``start`` to ``end`` that are about to be overwritten."""
        self.note(inode)
        noted = self.noted.get(inode)
        if noted is None:
            return
        end = min(end, noted.size)
        if start < end:
            self._keep(inode, noted, range(start // CHUNK, (end - 1) // CHUNK + 1))

    def note_cut(self, inode: FileInode, size: int) -> None:
        """Note the bytes that are about to be cut off; not the holes between them."""
        self.note(inode)
        noted = self.noted.get(inode)
        if noted is None or size >= noted.size:
            return
        first = size // CHUNK
        self._keep(inode, noted, range(first, -(-len(inode.data) // CHUNK)))
        self._keep(inode, noted, {page * PAGE // CHUNK for page in inode.pages} - set(range(first)))

    @staticmethod
    def _keep(inode: FileInode, noted: Noted, chunks: range | set[int]) -> None:
        for index in chunks:
            if index not in noted.chunks:
                begin = index * CHUNK
                size = min(CHUNK, noted.size - begin)
                noted.chunks[index] = inode.read(size, begin) if size > 0 else b""

    # All below: with the lock held.

    def undo(self) -> None:
        """Put back what was noted, and begin anew."""
        made = self._made_since()
        for inode, noted in self.noted.items():
            if not inode.nlink and noted.nlink and not isinstance(inode, FileInode):
                self._count(inode, 1)
            inode.nlink = noted.nlink
            inode.atime, inode.mtime, inode.ctime = noted.times
            if isinstance(inode, DirectoryInode):
                inode.entries = noted.entries
                inode.parent = noted.parent
            elif isinstance(inode, FileInode):
                self._put_back(inode, noted)
        for inode in made:
            if not isinstance(inode, FileInode):
                self._count(inode, -1)
            if isinstance(inode, DirectoryInode):
                inode.entries = {}
            inode.nlink = 0
        self.noted = {}

    def _put_back(self, inode: FileInode, noted: Noted) -> None:
        usage = self.store.usage
        usage.bytes += inode.shrink(noted.size)
        usage.bytes += inode.resize(noted.size)
        for begin, data in noted.pieces():
            usage.bytes += inode.write(data, begin)

    def _made_since(self) -> set[Inode]:
        """Return all that was made since and has a name."""
        made: set[Inode] = set()
        todo: list[Inode] = [inode for inode in self.noted if isinstance(inode, DirectoryInode)]
        while todo:
            place = todo.pop()
            if isinstance(place, DirectoryInode):
                new = {one for one in place.entries.values() if one.ino > self._last_ino} - made
                made |= new
                todo += new
        return made

    def _count(self, inode: Inode, sign: int) -> None:
        self.store.usage.inodes += sign
        if isinstance(inode, LinkInode):
            self.store.usage.bytes += sign * inode.size

    def hand_on(self, older: Snapshot) -> None:
        """Tell an older snapshot all that it does not know."""
        for inode, noted in self.noted.items():
            if inode.ino > older._last_ino:
                continue
            known = older.noted.setdefault(inode, noted)
            if known is noted:
                continue
            for index, data in noted.chunks.items():
                known.chunks.setdefault(index, data[: max(0, known.size - index * CHUNK)])


def take(store: Store) -> Snapshot:
    """Return a snapshot of what is."""
    with store.lock:
        snapshot = Snapshot(store)
        store.snapshots.append(snapshot)
        store.journal = snapshot
        return snapshot


def go_back(store: Store, snapshot: Snapshot) -> None:
    """Make everything as it was when the snapshot was taken; it may be gone back to again.

    Raises:
        ValueError: it is of another filesystem, was given up, or an older one was gone back to.
    """
    with store.lock:
        at = _place(store, snapshot)
        for newer in reversed(store.snapshots[at:]):
            assert isinstance(newer, Snapshot)
            newer.undo()
        del store.snapshots[at + 1 :]
        store.journal = snapshot


def give_up(store: Store, snapshot: Snapshot) -> None:
    """Forget a snapshot; what is stays as it is. The errors of ``go_back``."""
    with store.lock:
        at = _place(store, snapshot)
        older = store.snapshots[at - 1] if at else None
        if isinstance(older, Snapshot):
            snapshot.hand_on(older)
        del store.snapshots[at]
        store.journal = store.snapshots[-1] if store.snapshots else None


def noted_since(store: Store, snapshot: Snapshot) -> dict[Inode, Noted]:
    """Return what was noted since a snapshot was taken; the lock is held. Errors: ``go_back``."""
    at = _place(store, snapshot)
    for newer in store.snapshots[at + 1 :]:
        assert isinstance(newer, Snapshot)
        newer.hand_on(snapshot)
    return snapshot.noted


def _place(store: Store, snapshot: Snapshot) -> int:
    for at, one in enumerate(store.snapshots):
        if one is snapshot:
            return at
    raise ValueError("this snapshot is not of this filesystem, or is over")
