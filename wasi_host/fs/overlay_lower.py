"""The lower tree of an overlay: read, and never changed.

An overlay reaches the tree only through ``Lower``. It opens nothing for writing, but fifos and
character devices, and of the operations of a directory it uses those that look.
"""

import errno
import os
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from wasi_host.fs.node import Directory, Dirent, File, Node, Stat
from wasi_host.fs.walk import failure
from wasi_spec.numbers import Filetype

__all__ = ["Lower"]

_T = TypeVar("_T")
_FILE: Final = Filetype.REGULAR_FILE
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY
#: What may be asked of the lower tree besides reading.
_PASSED: Final = os.O_DIRECTORY | os.O_NONBLOCK
#: A lower path longer than this is walked in several steps: hosts take 4095 bytes at once.
_LONG: Final = 1000
#: The errnos by which a lower tree says that there is nothing at a path.
_NOTHING: Final = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))


class Lower:
    """The lower tree; all paths are relative to its root, ``""``, and hold names only."""

    def __init__(self, root: Directory) -> None:
        self._root = root
        #: Where things are now that were moved while changes are applied: old path -> new path.
        self.moved: dict[str, str] = {}

    def now(self, path: str) -> str:
        """Return where in the lower tree something is that was at a path at first."""
        if not self.moved:
            return path
        place, rest = path, ""
        while place and place not in self.moved:
            place, _, name = place.rpartition("/")
            rest = f"/{name}{rest}"
        return f"{self.moved[place]}{rest}" if place else path

    def close(self) -> None:
        """Close the root."""
        self._root.close()

    def stat(self, path: str) -> Stat:
        """Return the attributes of what is at a path, of a link itself."""
        path = self.now(path)
        if len(path) > _LONG:
            return self._in_parent(path, lambda directory, name: directory.stat_entry(name))
        return self._root.stat_at(path or ".", False)

    def find(self, path: str) -> Stat | None:
        """Return the attributes of what is at a path, None where nothing is."""
        try:
            return self.stat(path)
        except OSError as error:
            if error.errno not in _NOTHING:
                raise
            return None

    def open(self, path: str, mode: int) -> Node:
        """Open what is at a path for reading; of ``mode`` only DIRECTORY and NONBLOCK count.

        Raises:
            OSError: ELOOP for a link; else as openat.
        """
        path = self.now(path)
        mode &= _PASSED
        if len(path) > _LONG:
            return self._in_parent(path, lambda directory, name: directory.open_entry(name, mode))
        return self._root.open_at(path or ".", mode, False)

    def open_file(self, path: str | None) -> File:
        """Open the file at a path; ENOENT where there is none (any more)."""
        if path is None:
            raise failure(errno.ENOENT)
        node = self.open(path, os.O_RDONLY)
        if isinstance(node, File) and node.filetype == _FILE:
            return node
        node.close()
        raise failure(errno.ENOENT)

    def open_stream(self, path: str, mode: int) -> Node:
        """Open a fifo or a character device also for writing: that changes nothing of the tree.

        Raises:
            OSError: EPERM for anything else; else as openat.
        """
        kind = self.stat(path)[2]
        if kind not in (Filetype.CHARACTER_DEVICE, Filetype.UNKNOWN):
            raise failure(errno.EPERM)
        access = mode & (os.O_WRONLY | os.O_RDWR)
        return self._in_parent(
            self.now(path),
            lambda directory, name: directory.open_entry(name, access | mode & _PASSED),
        )

    def directory(self, path: str) -> Directory:
        """Open the directory at a path, to read it."""
        return self._walk(self.now(path))

    def _walk(self, path: str) -> Directory:
        if len(path) <= _LONG:
            return self._directory(self._root, path or ".")
        place = self._root
        names = path.split("/")
        while names:
            step = names.pop(0)
            while names and len(step) + len(names[0]) < _LONG:
                step = f"{step}/{names.pop(0)}"
            try:
                below = self._directory(place, step)
            finally:
                if place is not self._root:
                    place.close()
            place = below
        return place

    @staticmethod
    def _directory(place: Directory, path: str) -> Directory:
        node = place.open_at(path, _ENTER, False)
        if isinstance(node, Directory):
            return node
        node.close()
        raise failure(errno.ENOTDIR)

    def read_link(self, path: str) -> str:
        """Return the text of the link at a path, absolute ones too."""
        path = self.now(path)
        return self._in_parent(path, lambda directory, name: directory.read_link(name))

    def entries(self, path: str) -> Iterable[Dirent]:
        """Return the entries of the directory at a path; none where there is none any more."""
        try:
            directory = self.directory(path)
        except OSError as error:
            if error.errno not in _NOTHING:
                raise
            return ()
        try:
            return list(directory.entries())
        finally:
            directory.close()

    def _in_parent(self, path: str, call: Callable[[Directory, str], _T]) -> _T:
        above, _, name = path.rpartition("/")
        if not above:
            return call(self._root, name)
        directory = self._walk(above)
        try:
            return call(directory, name)
        finally:
            directory.close()
