"""An upper filesystem that was given: what a guest writes is in it, under the names of the overlay.

A directory is made in it as soon as anything new is to be in that place; files are whole. What
only the index knows (whiteouts, where renamed things of the lower tree come from, times) is in the
file ``MARKS`` in its root, written when a run has ended. Of the names of a file, ``_places``, the
first is the one to open it by.
"""

import contextlib
import errno
import itertools
import os
from collections.abc import Iterator
from typing import Final

from wasi_host.fs.memory_data import FileInode, LinkInode
from wasi_host.fs.node import Directory, File, FileSystem
from wasi_host.fs.overlay_data import copy_whole
from wasi_host.fs.overlay_index import Entry, LayeredDirectory, LayeredFile
from wasi_host.fs.overlay_layers import Layers, Upper
from wasi_host.fs.overlay_marks import dump, load
from wasi_host.fs.walk import DIRECTORY, failure

__all__ = ["TreeUpper"]

_MISSING: Final = frozenset((errno.ENOENT, errno.ENOTDIR))
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_TRUNC
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY
#: The name under which a file without any other is made, and removed again at once.
_NAMELESS: Final = ".wasi_host-nameless"
#: Where the marks are; no guest can have a file of this name in the root.
MARKS: Final = ".wasi_host-overlay.json"
_NEW_MARKS: Final = f"{MARKS}.new"


class TreeUpper(Upper):
    """Writes into a filesystem.

    Args:
        filesystem: the filesystem; its tree becomes part of what the overlay shows.
        layers: what the nodes of the overlay share.
    """

    def __init__(self, filesystem: FileSystem, layers: Layers) -> None:
        self._root = filesystem.open_root()
        self._layers = layers
        self._places: dict[LayeredFile, list[tuple[LayeredDirectory, str]]] = {}
        self._saved = b""
        if self._has(layers.root, MARKS):
            node = self._root.open_entry(MARKS, os.O_RDONLY)
            assert isinstance(node, File)
            with contextlib.closing(node):
                self._saved = node.pread(node.stat()[4], 0)
            self._places = load(layers, self._saved)
        self._adopt()

    def save(self) -> None:
        """Write the marks, where they are others than before."""
        with self._layers.lock:
            text = dump(self._layers)
            if text == self._saved or not (self._saved or self._layers.changed):
                return
            with contextlib.closing(self._create(self._layers.root, _NEW_MARKS)) as node:
                view = memoryview(text)
                while len(view):
                    view = view[node.append(view) :]
                node.sync()
            self._root.rename(_NEW_MARKS, self._root, MARKS)
            self._saved = text

    def clear(self) -> None:
        """Remove all that is there."""
        self._places.clear()
        self._saved = b""
        todo = [""]
        emptied = []
        while todo:
            path = todo.pop()
            emptied.append(path)
            node = self._root.open_at(path or ".", _ENTER, False)
            assert isinstance(node, Directory)
            with contextlib.closing(node):
                for entry in list(node.entries()):
                    if entry.filetype == DIRECTORY:
                        todo.append(f"{path}/{entry.name}" if path else entry.name)
                    else:
                        node.unlink(entry.name)
        for path in reversed(emptied[1:]):
            self._root.remove_dir_at(path)

    def close(self) -> None:
        """Close the root."""
        self._root.close()

    def _adopt(self) -> None:
        """Show what is in the upper tree already: in the place of what the lower tree has."""
        layers = self._layers
        todo = [(layers.root, "")]
        while todo:
            place, path = todo.pop()
            directory = self._root.open_at(path or ".", _ENTER, False)
            assert isinstance(directory, Directory)
            with contextlib.closing(directory):
                for entry in directory.entries():
                    known = place.own.get(entry.name)
                    if known is not None or (not path and entry.name in (MARKS, _NEW_MARKS)):
                        if isinstance(known, LayeredDirectory):
                            todo.append((known, f"{path}/{entry.name}" if path else entry.name))
                        continue
                    stat = directory.stat_entry(entry.name)
                    lower = None if place.lower is None else place.below(entry.name)
                    below = None if lower is None else layers.lower.find(lower)
                    same = lower if below is not None and below[2] == stat[2] else None
                    made: Entry
                    if entry.filetype == DIRECTORY:
                        made = LayeredDirectory(place, same, entry.name)
                        todo.append((made, f"{path}/{entry.name}" if path else entry.name))
                        made.ino, made.touched = layers.new_ino(), same is None
                    elif entry.filetype == LayeredFile.filetype:
                        made = LayeredFile(same)
                        layers.store.usage.inodes += 1
                        made.copy = FileInode(layers.new_ino(), stat[6], layers.store.usage)
                        made.copied = True
                        self._places[made] = [(place, entry.name)]
                    else:
                        made = LinkInode(layers.new_ino(), directory.read_link(entry.name), stat[6])
                    if below is not None and same is None:
                        layers.hide(place, entry.name, below)
                    place.own[entry.name] = made

    # Files

    def new_file(self, directory: LayeredDirectory, name: str, ino: int, now: int) -> Entry:
        """Make an empty file."""
        _check_free(directory, name)
        with self._made(directory) as upper:
            upper.open_entry(name, _NEW).close()
        inode = LayeredFile(None)
        inode.copy = FileInode(ino, now, self._layers.store.usage)
        inode.copied = True
        self._places[inode] = [(directory, name)]
        return inode

    def copy_up(self, inode: LayeredFile) -> None:
        """Copy a file whole."""
        assert inode.below is not None
        with self._layers.lock:
            places = self._known(inode)
            file = self._create(*places[0]) if places else self._nameless()
            self._places[inode] = places
            for directory, name in places[1:]:
                self._link(places[0], directory, name)
        try:
            copy_whole(inode.below, file)
        except BaseException:
            file.close()
            with self._layers.lock:
                for place in self._places.pop(inode, []):
                    self._unlink(*place)
            raise
        inode.file = file
        inode.copied = True

    def _known(self, inode: LayeredFile) -> list[tuple[LayeredDirectory, str]]:
        """Return the names of a file of the lower tree."""
        if inode in self._places:
            return self._places[inode]
        home = inode.home
        return [] if home is None or home[0].own.get(home[1]) is not inode else [home]

    def _create(self, directory: LayeredDirectory, name: str) -> File:
        with self._made(directory) as upper:
            node = upper.open_entry(name, _NEW)
        assert isinstance(node, File)
        return node

    def _nameless(self) -> File:
        for number in itertools.count():
            name = f"{_NAMELESS}{number}"
            try:
                node = self._root.open_entry(name, _NEW | os.O_EXCL)
            except FileExistsError:
                continue
            break
        self._root.unlink(name)
        assert isinstance(node, File)
        return node

    def open(self, inode: LayeredFile) -> File:
        """Open a file."""
        directory, name = self._places[inode][0]
        with contextlib.closing(self._at(directory)) as upper:
            node = upper.open_entry(name, os.O_RDWR)
        assert isinstance(node, File)
        return node

    def size(self, inode: LayeredFile) -> int:
        """Return the size."""
        file = inode.file
        if file is not None:
            with contextlib.suppress(OSError):
                return file.stat()[4]
        directory, name = self._places[inode][0]
        with contextlib.closing(self._at(directory)) as upper:
            return upper.stat_entry(name)[4]

    # Names

    def make_dir(self, directory: LayeredDirectory, name: str) -> None:
        """Make a directory."""
        _check_free(directory, name)
        with self._made(directory) as upper:
            upper.make_dir(name)

    def symlink(self, directory: LayeredDirectory, name: str, target: str) -> None:
        """Make a symbolic link."""
        _check_free(directory, name)
        with self._made(directory) as upper:
            upper.symlink(name, target)

    def link(self, inode: Entry, directory: LayeredDirectory, name: str) -> None:
        """Give a file another name; of a lower one only the index knows it."""
        _check_free(directory, name)
        if isinstance(inode, LayeredFile):
            places = self._known(inode)
            if inode.copied:
                self._link(places[0], directory, name)
            self._places[inode] = [*places, (directory, name)]
        elif type(inode) is LinkInode:
            self.symlink(directory, name, inode.target)

    def _link(
        self, place: tuple[LayeredDirectory, str], directory: LayeredDirectory, name: str
    ) -> None:
        with contextlib.closing(self._at(place[0])) as source, self._made(directory) as upper:
            source.link(place[1], upper, name)

    def remove(self, directory: LayeredDirectory, name: str, inode: Entry) -> None:
        """Remove a name."""
        if isinstance(inode, LayeredDirectory):
            with self._if_there(directory) as upper:
                if upper is not None:
                    upper.remove_dir(name)
        else:
            self._unlink(directory, name)
            self._forget(inode, directory, name)

    def _unlink(self, directory: LayeredDirectory, name: str) -> None:
        with self._if_there(directory) as upper:
            if upper is not None:
                upper.unlink(name)

    def _forget(self, inode: Entry, directory: LayeredDirectory, name: str) -> None:
        if isinstance(inode, LayeredFile):
            places = [place for place in self._known(inode) if place != (directory, name)]
            self._places[inode] = places
            if not places and not inode.users:
                del self._places[inode]

    def rename(
        self,
        directory: LayeredDirectory,
        name: str,
        to: LayeredDirectory,
        to_name: str,
        inode: Entry,
        present: Entry | None,
    ) -> None:
        """Move a name, where it is in the upper tree."""
        _check_free(to, to_name)
        if self._has(directory, name):
            with contextlib.closing(self._at(directory)) as source, self._made(to) as upper:
                source.rename(name, upper, to_name)
        elif present is not None:
            self.remove(to, to_name, present)
        if present is not None:
            self._forget(present, to, to_name)
        if isinstance(inode, LayeredFile):
            places = [place for place in self._known(inode) if place != (directory, name)]
            self._places[inode] = [*places, (to, to_name)]

    # Directories of the upper tree

    def _at(self, directory: LayeredDirectory) -> Directory:
        """Open the upper directory of one of the index."""
        node = self._root.open_at(directory.path() or ".", _ENTER, False)
        assert isinstance(node, Directory)
        return node

    def _has(self, directory: LayeredDirectory, name: str) -> bool:
        found = False
        with self._if_there(directory) as upper:
            if upper is not None:
                upper.stat_entry(name)
                found = True
        return found

    @contextlib.contextmanager
    def _if_there(self, directory: LayeredDirectory) -> Iterator[Directory | None]:
        """Give the upper directory, None without one; what is missing in it is no error."""
        try:
            upper: Directory | None = self._at(directory)
        except OSError as error:
            if error.errno not in _MISSING:
                raise
            upper = None
        try:
            yield upper
        except FileNotFoundError:
            return
        finally:
            if upper is not None:
                upper.close()

    @contextlib.contextmanager
    def _made(self, directory: LayeredDirectory) -> Iterator[Directory]:
        """Give the upper directory, made with all above it where it is missing."""
        try:
            upper = self._at(directory)
        except FileNotFoundError:
            if not directory.nlink:
                raise failure(errno.ENOENT) from None
            path = ""
            for name in directory.path().split("/"):
                path = f"{path}/{name}" if path else name
                with contextlib.suppress(FileExistsError):
                    self._root.make_dir_at(path)
            upper = self._at(directory)
        try:
            yield upper
        finally:
            upper.close()


def _check_free(directory: LayeredDirectory, name: str) -> None:
    """Raise EPERM for the names of the marks, which are the overlay's own."""
    if directory.parent is None and name in (MARKS, _NEW_MARKS):
        raise failure(errno.EPERM)
