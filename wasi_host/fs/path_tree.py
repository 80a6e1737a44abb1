"""What is open in a store of paths, and changes of names, with which none can be trusted.

Theory of operation
===================

A store knows paths, and a path may come to mean another file at any time. Guests hold *open*
things: a file that goes on when it is renamed or removed, a directory that is itself after it was
moved. So everything open is a ``Place``: it knows the path at this moment. A rename through us
rewrites the paths of all places it concerns; what is removed or replaced is marked, with its last
attributes.

All nodes of one file share its place, and with it *one* open file of the store. Hence what one
writes the other reads, however much the store buffers, and an append is made at the true end under
the place's lock (against other processes nothing protects it).

A rename is where foreign filesystems lose data: moved into itself, over a full directory, over
one of another kind. Everything is therefore checked here, under the lock of the tree, before the
store is asked, and the store is only ever asked to move a file, or a directory to where nothing
is. One that cannot do the latter in one go has it taken apart and put together, name by name. A
symbolic link is never moved: a store that copies would follow it.

Locks: the tree's first (names), then a place's (the data of one file), then the attributes'.
"""

import errno
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from wasi_host.fs.memory_tree import MAX_DEPTH
from wasi_host.fs.node import Stat, unsupported
from wasi_host.fs.path_attributes import Attributes
from wasi_host.fs.path_store import Info, OpenFile, Store
from wasi_host.fs.walk import DIRECTORY, LINK, failure

__all__ = ["Place", "Tree"]

#: Device numbers begin where neither a host's nor a memory filesystem's is.
_devices: Final = itertools.count((1 << 62) + (1 << 40))


class Place:
    """Something open: where it is, and for a file the store's open file.

    Attributes:
        path: where it is now.
        removed: None, or its last attributes, once it has no name any more.
        file: the store's open file; None for a directory, and while a file is being moved.
        writable: whether ``file`` can be written.
        lock: to be held around every use of ``file``.
        uses: how many nodes there are.
        atime: of a file, once it was asked for: some stores take every look at a file for a read.
    """

    __slots__ = ("atime", "file", "lock", "path", "removed", "uses", "writable")

    def __init__(self, path: str) -> None:
        self.path = path
        self.removed: Stat | None = None
        self.file: OpenFile | None = None
        self.writable = False
        self.lock = threading.Lock()
        self.uses = 0
        self.atime: int | None = None

    def require(self, store: Store, writable: bool) -> OpenFile:
        """Return the open file, opened (again) where it must be; the caller holds the lock."""
        if self.file is not None and (self.writable or not writable):
            return self.file
        if self.removed is not None:
            # The name is gone, or another file's.
            raise failure(errno.EIO)
        opened = store.open(self.path, writable or self.writable)
        old, self.file = self.file, opened
        self.writable = self.writable or writable
        if old is not None:
            old.close()
        return opened

    def put_down(self) -> None:
        """Close the open file; the caller holds the lock."""
        file, self.file = self.file, None
        if file is not None:
            file.close()


class Tree:
    """The names of one store, and all that is open in it."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self.store = store
        self.clock = clock
        self.device = next(_devices)
        self.attributes = Attributes()
        self.lock = threading.RLock()
        self._places: dict[str, Place] = {}

    def enter(self, path: str) -> Place:
        """Return the place of a path, to be left again."""
        with self.lock:
            place = self._places.get(path)
            if place is None:
                place = self._places[path] = Place(path)
            place.uses += 1
            return place

    def leave(self, place: Place) -> None:
        """Leave a place; the last one closes the open file."""
        with self.lock:
            place.uses -= 1
            if place.uses:
                return
            if self._places.get(place.path) is place:
                del self._places[place.path]
            with place.lock:
                place.put_down()

    # Attributes

    def stat(self, path: str) -> Stat:
        """Return the attributes of what there is at a path; ENOENT without anything."""
        return self._stat(path, self.store.info(path))

    def stat_place(self, place: Place) -> Stat:
        """Return the attributes of something open, also after its removal."""
        if place.removed is None:
            return self.stat(place.path)
        stat = place.removed
        if place.file is not None:
            with place.lock:
                device, ino, kind, nlink, _, atime, mtime, ctime = stat
                return (device, ino, kind, nlink, place.file.size(), atime, mtime, ctime)
        return stat

    def _stat(self, path: str, info: Info) -> Stat:
        size = info.size
        place = self._places.get(path)
        if place is not None and place.writable and place.file is not None:
            with place.lock:
                # The store may not have it all yet.
                size = place.file.size() if place.file is not None else size
        atime, mtime = self._times(path, info)
        ino = self.attributes.ino(path)
        return (self.device, ino, info.filetype, 1, size, atime, mtime, info.ctime)

    def _times(self, path: str, info: Info) -> tuple[int, int]:
        """Return access and modification time; the former stays while a file is open."""
        atime, mtime = self.attributes.times(path, info)
        place = self._places.get(path)
        if place is not None and place.file is not None:
            if place.atime is None:
                place.atime = atime
            atime = place.atime
        return atime, mtime

    def set_times(self, path: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set times: in the store as far as it can, and exactly for as long as we are here."""
        with self.lock:
            info = self.store.info(path)
            if info.filetype == LINK:
                raise unsupported()
            atime, mtime = self._times(path, info)
            if atime_ns is None and mtime_ns is None:
                return
            atime = atime if atime_ns is None else atime_ns
            mtime = mtime if mtime_ns is None else mtime_ns
            place = self._places.get(path)
            if place is not None:
                place.atime = atime
                with place.lock:
                    if place.writable and place.file is not None:
                        place.file.flush()
            try:
                self.store.set_times(path, atime, mtime)
            except OSError as error:
                # A store without such times, or one without them at this path.
                if error.errno not in (errno.ENOTSUP, errno.ENOENT):
                    raise
            self.attributes.set_times(path, atime, mtime, self.store.info(path).mtime)

    def set_place_times(self, place: Place, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of something open, also after its removal."""
        with self.lock:
            if place.removed is None:
                self.set_times(place.path, atime_ns, mtime_ns)
                return
            device, ino, kind, nlink, size, atime, mtime, ctime = place.removed
            atime = atime if atime_ns is None else atime_ns
            mtime = mtime if mtime_ns is None else mtime_ns
            place.removed = (device, ino, kind, nlink, size, atime, mtime, ctime)

    def changed(self, path: str) -> None:
        """Know that a file's content, or a directory's names, were changed through us."""
        self.attributes.changed(path, self.clock())

    # Names. The caller holds the lock.

    def make_dir(self, parent: str, path: str) -> None:
        """Create a directory; EEXIST, or ENAMETOOLONG too deep."""
        self._absent(path)
        if path.count("/") > MAX_DEPTH:
            raise failure(errno.ENAMETOOLONG)
        self.store.make_dir(path)
        self._made(parent, path)

    def create(self, parent: str, path: str) -> Place:
        """Create a file, and return its place, open for writing and to be left."""
        file = self.store.create(path)
        self._made(parent, path)
        place = self.enter(path)
        place.file, place.writable = file, True
        return place

    def _made(self, parent: str, path: str) -> None:
        self.attributes.removed(path)
        self.changed(parent)

    def _absent(self, path: str) -> None:
        if self.find(path) is not None:
            raise failure(errno.EEXIST)

    def find(self, path: str) -> Info | None:
        """Return what there is at a path, or None."""
        try:
            return self.store.info(path)
        except FileNotFoundError:
            return None

    def remove_dir(self, parent: str, path: str) -> None:
        """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY."""
        info = self.store.info(path)
        if info.filetype != DIRECTORY:
            raise failure(errno.ENOTDIR)
        self._must_be_empty(path)
        stat = self._stat(path, info)
        self.store.remove_dir(path)
        self._gone(path, stat)
        self.changed(parent)

    def unlink(self, parent: str, path: str) -> None:
        """Remove a file or a link; ENOENT, EISDIR."""
        info = self.store.info(path)
        if info.filetype == DIRECTORY:
            raise failure(errno.EISDIR)
        stat = self._stat(path, info)
        self._hold(path)
        self.store.unlink(path)
        self._gone(path, stat)
        self.changed(parent)

    def _must_be_empty(self, path: str) -> None:
        for _ in self.store.names(path):
            raise failure(errno.ENOTEMPTY)

    def _hold(self, path: str) -> None:
        """Let whoever has a file open go on without its name."""
        place = self._places.get(path)
        if place is not None:
            with place.lock, suppress(OSError):
                # Open again, if it was moved since it was last used.
                place.require(self.store, False).hold()

    def _gone(self, path: str, stat: Stat) -> None:
        """Know that the name is gone, whoever has it open."""
        self.attributes.removed(path)
        place = self._places.pop(path, None)
        if place is not None:
            place.removed = (*stat[:3], 0, *stat[4:])
            with place.lock:
                if place.file is not None:
                    place.file.abandon()

    def rename(self, parent: str, path: str, to_parent: str, to: str) -> None:
        """Move a file or directory; what it may replace is replaced.

        Raises:
            OSError: ENOENT; EINVAL into its own subtree; ENOTEMPTY over an ancestor or a full
                directory; EISDIR, ENOTDIR by kinds; ENOTSUP for a symbolic link.
        """
        info = self.store.info(path)
        is_directory = info.filetype == DIRECTORY
        if is_directory and f"{to_parent}/".startswith(f"{path}/"):
            raise failure(errno.EINVAL)
        present = self.find(to)
        if present is not None:
            if parent == to or parent.startswith(f"{to}/"):
                raise failure(errno.ENOTEMPTY)
            if path == to:
                return
            if is_directory and present.filetype != DIRECTORY:
                raise failure(errno.ENOTDIR)
            if not is_directory and present.filetype == DIRECTORY:
                raise failure(errno.EISDIR)
            if is_directory:
                self._must_be_empty(to)
        if info.filetype == LINK:
            raise unsupported()
        times = {"": self._times(path, info)}
        replaced = None if present is None else self._stat(to, present)
        for place in self._at_or_below(path):
            with place.lock:
                # A store that copies knows nothing of open files: opened again at need.
                place.put_down()
        if is_directory:
            if present is not None:
                self.store.remove_dir(to)
            self._move_dir(path, to, times)
        else:
            self._hold(to)
            if present is not None and self._written_through(to, present):
                self.store.unlink(to)
            self.store.move_file(path, to)
        if replaced is not None:
            self._gone(to, replaced)
        self._moved(path, to, times)
        self.changed(parent)
        self.changed(to_parent)

    def _written_through(self, to: str, present: Info) -> bool:
        """Tell whether a store that copies would do harm to what is there: a link, an open file."""
        return present.filetype == LINK or (to in self._places and not self.store.replaces)

    def _at_or_below(self, path: str) -> list[Place]:
        below = f"{path}/"
        return [at for at in self._places.values() if f"{at.path}/".startswith(below)]

    def _moved(self, path: str, to: str, times: dict[str, tuple[int, int]]) -> None:
        """Know that something was moved; ``times``: of what may have lost them, by what follows."""
        self.attributes.moved(path, to)
        for place in self._at_or_below(path):
            del self._places[place.path]
            place.path = to + place.path[len(path) :]
            self._places[place.path] = place
        for rest, kept in times.items():
            found = self.store.info(to + rest)
            if self._times(to + rest, found) != kept:
                self.set_times(to + rest, *kept)

    def _move_dir(self, path: str, to: str, times: dict[str, tuple[int, int]]) -> None:
        """Move a directory to where nothing is; note in ``times`` what is moved piece by piece."""
        if self.store.move_dir(path, to):
            return
        directories, files = [""], list[str]()
        for directory in directories:
            for name, kind in self.store.names(path + directory):
                if kind == LINK:
                    raise unsupported()
                found = f"{directory}/{name}"
                (directories if kind == DIRECTORY else files).append(found)
                times[found] = self._times(path + found, self.store.info(path + found))
        for directory in directories:
            self.store.make_dir(to + directory)
        for file in files:
            self.store.move_file(path + file, to + file)
        for directory in reversed(directories):
            self.store.remove_dir(path + directory)
