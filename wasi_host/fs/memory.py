"""A filesystem in memory, with what POSIX asks of one: links, holes, open files without a name."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import time

from wasi_host.fs.budget import UNLIMITED, Budget, unlimited
from wasi_host.fs.memory_changes import changes_since
from wasi_host.fs.memory_data import DirectoryInode, FileInode, Inode, LinkInode, Store
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.memory_names import add
from wasi_host.fs.memory_nodes import MemoryDirectory
from wasi_host.fs.memory_snapshot import Snapshot, give_up, go_back, take
from wasi_host.fs.memory_tree import Entry, Link, read_tree
from wasi_host.fs.node import FileSystem, Node
from wasi_host.fs.walk import failure

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final, TypeAlias

    from wasi_host.fs.changes import Changes

    #: What a memory filesystem is made from: bytes or str is a file, a mapping a directory.
    Content: TypeAlias = bytes | str | "Tree" | Link | "os.PathLike[str]"
    Tree: TypeAlias = Mapping[str, Content]
    #: What ``MemoryFS.tree`` returns.
    Contents: TypeAlias = dict[str, bytes | Link | "Contents"]

__all__ = ["Link", "MemoryDirectory", "MemoryFS", "MemoryFile"]

#: The size limit of a file where none is set, that of ext4.
MAX_FILE: Final = 1 << 44

#: Device numbers of memory filesystems begin where no host's device number is.
_devices: Final = itertools.count((1 << 62) + 1)


class MemoryFS(FileSystem):
    """A live tree in memory, kept between runs and readable from Python.

    Args:
        tree: what is in it at the start: a mapping (bytes is a file, str a file in UTF-8, a
            mapping a directory, ``Link`` a symbolic link, a path a host file or tree that is
            read now; ``"a/b.txt"`` makes ``a``), or the path of a host directory.
        clock: the time in nanoseconds since 1970.
        readonly: refuse guests every change; Python may still ``write_bytes``.
        max_file_bytes: the size limit of one file, holes included.
        device: the device number; by default one that nothing else in this process has.

    Raises:
        TypeError, ValueError: what ``tree`` cannot be, see ``memory_tree.read_tree``.
        OSError: a host file cannot be read.
    """

    def __init__(
        self,
        tree: Tree | os.PathLike[str] | None = None,
        *,
        clock: Callable[[], int] = time.time_ns,
        readonly: bool = False,
        max_file_bytes: int = MAX_FILE,
        device: int | None = None,
    ) -> None:
        self.readonly = readonly
        self._watched: Snapshot | None = None
        number = next(_devices) if device is None else device
        #: What all nodes share: clock, lock, device number, limit.
        self.store = Store(number, clock, max_file_bytes)
        self.root = DirectoryInode(self.store.new_ino(), None, clock())
        for entry in read_tree({} if tree is None else tree):
            self._plant(entry)

    def open_root(self) -> MemoryDirectory:
        """Return the root."""
        return MemoryDirectory(self.store, self.root, self.readonly)

    def limited(self, budget: Budget) -> LimitedMemory:
        """Return this tree as a run sees it that may make it grow within ``budget`` only."""
        budget.covers(self.store.usage)
        return LimitedMemory(self, budget)

    @property
    def stored(self) -> tuple[int, int]:
        """How many bytes are stored, holes left out, and how many inodes there are."""
        with self.store.lock:
            self.store.usage.settle()
            return self.store.usage.bytes, self.store.usage.inodes

    def snapshot(self) -> Snapshot:
        """Return the present state, to be gone back to; it copies nothing now."""
        return take(self.store)

    def restore(self, snapshot: Snapshot) -> None:
        """Make everything as it was, in time proportional to what changed since.

        Later snapshots are over; this one may be restored again. What is open is what it was
        then. Nobody may be writing at this moment.

        Raises:
            ValueError: the snapshot is of another filesystem, or is over.
        """
        go_back(self.store, snapshot)

    def forget(self, snapshot: Snapshot) -> None:
        """Give a snapshot up, which frees what it kept; the errors of ``restore``."""
        give_up(self.store, snapshot)

    def changes_since(self, snapshot: Snapshot) -> Changes:
        """Return what is different from a snapshot; the errors of ``restore``.

        Bytes of now are read when they are asked for.
        """
        return changes_since(self.store, self.root, snapshot)

    def watch(self) -> Callable[[], Changes]:
        """Return what gives the changes since now: until the next watch, then it is over."""
        if self._watched is not None:
            # Gone back behind it, it is over already.
            with contextlib.suppress(ValueError):
                self.forget(self._watched)
        snapshot = self._watched = self.snapshot()
        return lambda: self.changes_since(snapshot)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_watched": None}

    def read_bytes(self, path: str) -> bytes:
        """Return the content of a file; the errors of ``open``."""
        node = self._open(path, os.O_RDONLY)
        if not isinstance(node, MemoryFile):
            raise failure(errno.EISDIR)
        return node.pread(node.inode.size, 0)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Make a file hold ``data``, creating it and the directories above as needed."""
        parts = [part for part in path.split("/") if part]
        for depth in range(1, len(parts)):
            try:
                self._writable_root().make_dir_at("/".join(parts[:depth]))
            except FileExistsError:
                continue
        node = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        if not isinstance(node, MemoryFile):
            raise failure(errno.EISDIR)
        node.pwrite(data, 0)

    def listdir(self, path: str = ".") -> list[str]:
        """Return the names in a directory, in order of creation."""
        node = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
        if not isinstance(node, MemoryDirectory):
            raise failure(errno.ENOTDIR)
        return list(node.inode.entries)

    def tree(self) -> Contents:
        """Return everything as nested dicts: files as bytes, symbolic links as ``Link``."""
        top: Contents = {}
        todo = [(self.root, top)]
        while todo:
            place, made = todo.pop()
            for name, inode in list(place.entries.items()):
                if isinstance(inode, DirectoryInode):
                    below: Contents = {}
                    made[name] = below
                    todo.append((inode, below))
                elif isinstance(inode, FileInode):
                    made[name] = MemoryFile(self.store, inode, True).pread(inode.size, 0)
                elif isinstance(inode, LinkInode):
                    made[name] = Link(inode.target)
        return top

    def __repr__(self) -> str:
        data, inodes = self.stored
        return f"<MemoryFS: {inodes} entries, {data} bytes>"

    def _writable_root(self) -> MemoryDirectory:
        return MemoryDirectory(self.store, self.root, False)

    def _open(self, path: str, mode: int) -> Node:
        return self._writable_root().open_at(path.lstrip("/") or ".", mode, True)

    def _plant(self, entry: Entry) -> None:
        """Make one entry of the tree at the start; its directory was made before it."""
        *above, name = entry.names
        place: Inode = self.root
        for part in above:
            place = place.entries[part] if isinstance(place, DirectoryInode) else place
        present = place.entries.get(name) if isinstance(place, DirectoryInode) else place
        if entry.content is None and isinstance(present, DirectoryInode):
            return
        if present is not None or not isinstance(place, DirectoryInode):
            raise ValueError(f"{'/'.join(entry.names)!r}: given twice, or below a file")
        now, ino = self.store.clock(), self.store.new_inode(UNLIMITED)
        made: Inode
        if entry.content is None:
            made = DirectoryInode(ino, place, now)
        elif isinstance(entry.content, Link):
            made = LinkInode(ino, entry.content.target, now)
            self.store.usage.bytes += made.size
        else:
            made = FileInode(ino, now, self.store.usage, entry.content)
        add(self.store, place, name, made, now)


class LimitedMemory(FileSystem):
    """A tree in memory, for a run with a budget."""

    def __init__(self, inner: MemoryFS, budget: Budget) -> None:
        self.inner = inner
        self.budget = budget

    def open_root(self) -> MemoryDirectory:
        """Return the root."""
        inner = self.inner
        return MemoryDirectory(inner.store, inner.root, inner.readonly, self.budget)

    def __reduce__(self) -> tuple[Callable[[MemoryFS], MemoryFS], tuple[MemoryFS]]:
        return unlimited, (self.inner,)
