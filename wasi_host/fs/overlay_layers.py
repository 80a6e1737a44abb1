"""What all nodes of one overlay share: the lower tree, the index, and where writes go."""

import errno
import threading
from abc import ABC, abstractmethod
from typing import Final, TypeAlias

from wasi_host.fs.memory_data import FileInode, Inode, LinkInode, Store, stat_of
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.node import File, Stat
from wasi_host.fs.overlay_data import PartlyCopied, seal_of
from wasi_host.fs.overlay_index import (
    Entry,
    Hidden,
    LayeredDirectory,
    LayeredFile,
    LayeredLink,
    LayeredSpecial,
    take_attributes,
)
from wasi_host.fs.overlay_lower import Lower
from wasi_host.fs.walk import DIRECTORY, LINK, failure
from wasi_spec.numbers import Filetype

__all__ = ["Layers", "MemoryUpper", "State", "Upper"]

_FILE: Final = Filetype.REGULAR_FILE
#: What there is to know of an overlay in memory besides its lower tree.
State: TypeAlias = tuple[Store, LayeredDirectory, bool, int]


class Upper(ABC):
    """Where bytes go that an overlay writes, and the names under which they may be seen there.

    What is where in the overlay, the index tells. An upper is told of each change before the
    index is, with the lock of the overlay held; if it raises, nothing is changed.
    """

    def clear(self) -> None:  # noqa: B027
        """Remove all that is there; the lock is held."""

    def save(self) -> None:  # noqa: B027
        """Keep what there is to know of the overlay, so that it can be opened again."""

    def close(self) -> None:  # noqa: B027
        """Give back what it holds open."""

    @abstractmethod
    def new_file(self, directory: LayeredDirectory, name: str, ino: int, now: int) -> Entry:
        """Make an empty file, which is counted already."""

    @abstractmethod
    def copy_up(self, inode: LayeredFile) -> None:
        """Make the bytes of a lower file the overlay's own; its lock is held, not the overlay's.

        It sets ``copied`` and ``file``; ``copy`` and ``file``, the lower one, are there.
        """

    @abstractmethod
    def open(self, inode: LayeredFile) -> File:
        """Open the bytes of a file that were copied, for its first user."""

    @abstractmethod
    def size(self, inode: LayeredFile) -> int:
        """Return the size of a file whose bytes were copied."""

    def make_dir(self, directory: LayeredDirectory, name: str) -> None:  # noqa: B027
        """Make a directory."""

    def symlink(self, directory: LayeredDirectory, name: str, target: str) -> None:  # noqa: B027
        """Make a symbolic link."""

    def link(self, inode: Entry, directory: LayeredDirectory, name: str) -> None:  # noqa: B027
        """Give a file another name."""

    def remove(self, directory: LayeredDirectory, name: str, inode: Entry) -> None:  # noqa: B027
        """Remove a name."""

    def rename(  # noqa: B027
        self,
        directory: LayeredDirectory,
        name: str,
        to: LayeredDirectory,
        to_name: str,
        inode: Entry,
        present: Entry | None,
    ) -> None:
        """Move a name, in the place of ``present`` where there is something."""


class MemoryUpper(Upper):
    """Bytes in memory that nobody sees by a name: chunks of lower files, and new files."""

    def __init__(self, store: Store, lower: Lower) -> None:
        self._store = store
        self._lower = lower

    def new_file(self, directory: LayeredDirectory, name: str, ino: int, now: int) -> Entry:
        """Make an empty file, a plain one of a filesystem in memory."""
        return FileInode(ino, now, self._store.usage)

    def copy_up(self, inode: LayeredFile) -> None:
        """Take no chunk yet."""
        assert inode.copy is not None
        assert inode.below is not None
        partly = PartlyCopied(inode, inode.below, MemoryFile(self._store, inode.copy, False))
        inode.file = inode.partly = partly
        inode.copied = True

    def open(self, inode: LayeredFile) -> File:
        """Return the bytes; the lower file is opened again while some of them are there."""
        assert inode.copy is not None
        if inode.whole or inode.partly is None:
            return MemoryFile(self._store, inode.copy, False)
        try:
            inode.below = self._lower.open_file(inode.lower)
        except OSError:
            # It is told as soon as bytes of it are needed.
            inode.below = None
        return inode.partly

    def size(self, inode: LayeredFile) -> int:
        """Return the size."""
        assert inode.copy is not None
        return inode.copy.size


class Layers:
    """What all nodes of one overlay share.

    Attributes:
        lower: the lower tree.
        store: device number, clock, limits and the lock for growth of files in memory.
        upper: where writes go.
        root: the root of the index.
        lock: to be held for every change of names, and of who has a file open. Whoever needs
            the lock of a file too takes that one first.
        changed: whether anything was changed since it was last cleared.
    """

    def __init__(self, lower: Lower, store: Store, first_ino: int) -> None:
        self.lower = lower
        self.store = store
        self.upper: Upper = MemoryUpper(store, lower)
        self.root = LayeredDirectory(None, "", "")
        self.lock = threading.Lock()
        self.changed = False
        self._last_ino = first_ino

    def forget(self) -> None:
        """Begin with an empty index; the lock is held."""
        todo, self.root = [self.root], LayeredDirectory(None, "", "")
        while todo:
            for inode in todo.pop().own.values():
                if isinstance(inode, LayeredDirectory):
                    todo.append(inode)
                # Files are taken off the account when nobody has them any more.
                size = inode.size if type(inode) is LinkInode else None
                if isinstance(inode, LayeredDirectory) and inode.lower is None:
                    size = 0
                if size is not None:
                    with self.store.lock:
                        self.store.usage.inodes -= 1
                        self.store.usage.bytes -= size
        self.lower.moved.clear()
        self.upper.clear()

    def state(self) -> State:
        """Return what another process needs to go on with, where bytes are in memory."""
        return self.store, self.root, self.changed, self._last_ino

    def resume(self, state: State) -> None:
        """Go on where another left off, over the same lower tree; nothing is open."""
        self.store, self.root, self.changed, self._last_ino = state
        self.upper = MemoryUpper(self.store, self.lower)

    def new_ino(self) -> int:
        """Return the next number for something new; the lock is held."""
        self._last_ino += 1
        return self._last_ino

    def seen(self, ino: int) -> None:
        """Give no number again that was given before."""
        self._last_ino = max(self._last_ino, ino)

    def stat(self, inode: Entry) -> Stat:
        """Return the attributes of an inode."""
        if isinstance(inode, LayeredFile):
            return self._stat_file(inode)
        if isinstance(inode, LayeredDirectory):
            if inode.touched or inode.lower is None:
                return (
                    self.store.device, inode.ino, DIRECTORY, inode.nlink, inode.size,
                    inode.atime, inode.mtime, inode.ctime,
                )  # fmt: skip
            return self.ours(self.lower.stat(inode.lower))
        return stat_of(self.store, inode)

    def _stat_file(self, inode: LayeredFile) -> Stat:
        copy = inode.copy
        if copy is None:
            assert inode.lower is not None
            return self.ours(self.lower.stat(inode.lower))
        if inode.copied:
            size = self.upper.size(inode)
        else:
            assert inode.lower is not None
            size = self.lower.stat(inode.lower)[4]
        return self.with_size(copy, size)

    def with_size(self, copy: FileInode, size: int) -> Stat:
        """Return the attributes of a file that has some of its own, and its size from elsewhere."""
        return (
            self.store.device, copy.ino, _FILE, copy.nlink, size,
            copy.atime, copy.mtime, copy.ctime,
        )  # fmt: skip

    def ours(self, stat: Stat) -> Stat:
        """Return attributes of the lower tree as the overlay shows them."""
        return (self.store.device, *stat[1:])

    def find(self, directory: LayeredDirectory, name: str, stat: Stat) -> Entry:
        """Remember a lower name that the index does not know yet; the lock is held."""
        lower = directory.below(name)
        made: Entry
        if stat[2] == DIRECTORY:
            made = LayeredDirectory(directory, lower, name)
        elif stat[2] == LINK:
            made = LayeredLink(lower, self.lower.read_link(lower), stat)
        elif stat[2] == _FILE:
            made = LayeredFile(lower)
            made.home = (directory, name)
        else:
            made = LayeredSpecial(lower, stat)
        directory.own[name] = made
        return made

    def hide(self, place: LayeredDirectory, name: str, stat: Stat) -> None:
        """Remember what a lower name is that is seen no more."""
        place.hidden.setdefault(name, Hidden(seal_of(stat), None))

    def touch(self, inode: Entry) -> Inode:
        """Make number, times and number of names the overlay's own; the lock is held.

        Returns:
            The inode that has them.
        """
        self.changed = True
        if isinstance(inode, LayeredFile):
            if inode.copy is None:
                assert inode.lower is not None
                stat = self.lower.stat(inode.lower)
                inode.seal = seal_of(stat)
                with self.store.lock:
                    self.store.usage.inodes += 1
                copy = FileInode(stat[1], 0, self.store.usage)
                take_attributes(copy, stat)
                inode.copy = copy
            return inode.copy
        if isinstance(inode, LayeredDirectory):
            if not inode.touched and inode.lower is not None:
                stat = self.lower.stat(inode.lower)
                take_attributes(inode, stat)
                # Some hosts count no directories; 0 is for removed ones.
                inode.nlink = max(inode.nlink, 2)
                inode.size = stat[4]
            inode.touched = True
        elif isinstance(inode, LayeredLink | LayeredSpecial):
            inode.touched = True
        return inode

    def own_file(self, inode: LayeredFile) -> File:
        """Return where the bytes of an open file are written, copied up if they were not yet."""
        file = inode.file
        if not inode.copied or file is None:
            with inode.lock:
                if not inode.copied:
                    with self.lock:
                        self.touch(inode)
                    self.upper.copy_up(inode)
                file = inode.file
        if file is None:
            raise failure(errno.EBADF)
        return file

    def use(self, inode: LayeredFile, opened: File | None = None) -> None:
        """Count one more who has a file open; the lock is held. ``opened``: its lower file."""
        if inode.users == 0:
            if inode.copied:
                inode.file = self.upper.open(inode)
            else:
                inode.file = inode.below = opened or self.lower.open_file(inode.lower)
        elif opened is not None:
            opened.close()
        inode.users += 1

    def leave(self, inode: LayeredFile) -> None:
        """Count one fewer who has a file open, and close it after the last."""
        with self.lock:
            inode.users -= 1
            if inode.users:
                return
            file, inode.file = inode.file, None
            below, inode.below = inode.below, None
            if inode.whole:
                inode.partly = None
            home = inode.home
            if inode.copy is None and home is not None and home[0].own.get(home[1]) is inode:
                del home[0].own[home[1]]
            for node in (file, below):
                if node is not None:
                    node.close()
