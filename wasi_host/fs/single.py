"""One file of the host, in a directory that holds nothing else.

Theory of operation
===================

The file is held by a descriptor of its directory and its name there, so that an editor which
writes a new file and renames it over the old one is seen; a link that the embedder gave is
followed once, when the descriptor is opened. ``SingleDirectory`` passes this one name on to that
directory, and no other. What replaced the file later and is no regular file, a link above all,
is not there (ENOENT): nothing but a file of that name is ever opened.

The guest sees the name that was given, also where that was a link's. It may read and write the
file and set its times. The directory is fixed: EPERM for whatever would make, remove or move a
name, whether or not it exists, except opening the file with CREAT, as programs do to write one.
"""

from __future__ import annotations

import errno
import os
import stat as modes

from wasi_host.fs.fixed import FixedDirectory
from wasi_host.fs.host_nodes import PROBES
from wasi_host.fs.node import Dirent, Node, Stat
from wasi_host.fs.walk import DIRECTORY, Walkable, failure
from wasi_spec.numbers import Filetype
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

__all__ = ["Held", "SingleDirectory", "hold"]

_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE: Final = Filetype.REGULAR_FILE
#: Makes an inode number for the directory from the file's; no host has such large ones.
_MADE_UP: Final = 1 << 63


class Held(NamedTuple):
    """A file: the name that guests see, its name in its directory, its device and inode."""

    shown: str
    name: str
    device: int
    ino: int


def hold(path: str) -> tuple[int, Held | None]:
    """Open what an embedder gives to a guest, following links.

    Returns:
        The descriptor of a directory, and None; or that of a regular file's directory, and the
        file.

    Raises:
        FileNotFoundError, NotADirectoryError: there is neither.
        OSError: it cannot be opened.
    """
    try:
        return os.open(path, os.O_RDONLY | _DIRECTORY), None
    except FileNotFoundError:
        words = "no such directory to give to a guest"
        raise FileNotFoundError(errno.ENOENT, words, path) from None
    except NotADirectoryError:
        refused = "not a directory, nor a regular file, to give to a guest"
    try:
        directory, name = os.path.split(os.path.realpath(path, strict=True))
        fd = os.open(directory, (PROBES.o_path or os.O_RDONLY) | _DIRECTORY)
    except NotADirectoryError:
        raise NotADirectoryError(errno.ENOTDIR, refused, path) from None
    try:
        st = os.stat(name, dir_fd=fd, follow_symlinks=False)
        if path.endswith("/") or not modes.S_ISREG(st.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, refused, path)
    except BaseException:
        os.close(fd)
        raise
    return fd, Held(os.path.basename(path), name, st.st_dev, st.st_ino)


def _closed() -> Walkable:
    """Stand in for what opened the directory of a node that is closed."""
    raise failure(errno.EBADF)


class SingleDirectory(FixedDirectory):
    """A directory that holds one file of another directory.

    Args:
        open_parent: returns the file's directory, open; this node closes it.
        file: the file.
    """

    __slots__ = ("_file", "_open_parent", "_parent", "readonly")

    def __init__(self, open_parent: Callable[[], Walkable], file: Held) -> None:
        self._open_parent = open_parent
        self._parent = open_parent()
        self._file = file
        self.readonly = self._parent.readonly

    def close(self) -> None:
        """Close the directory of the file."""
        self._parent.close()
        # What opens it again may be all that keeps its descriptor.
        self._open_parent = _closed

    def reopen(self) -> SingleDirectory:
        """Return another node of this directory."""
        return SingleDirectory(self._open_parent, self._file)

    def stat(self) -> Stat:
        """Return the attributes, with the times of the file."""
        try:
            times = self.stat_entry(self._file.shown)[5:]
        except FileNotFoundError:
            times = (0, 0, 0)
        atime, mtime, ctime = times
        return (self._file.device, self._file.ino | _MADE_UP, DIRECTORY, 2, 0, atime, mtime, ctime)

    def entries(self) -> list[Dirent]:
        """Return the file, while it is there."""
        try:
            stat = self.stat_entry(self._file.shown)
        except FileNotFoundError:
            return []
        return [Dirent(self._file.shown, stat[1], _FILE)]

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of the file; ENOENT for any other name, and once it is gone."""
        if name == self._file.shown:
            stat = self._parent.stat_entry(self._file.name)
            if stat[2] == _FILE:
                return stat
        raise failure(errno.ENOENT)

    def open_present(self, name: str, mode: int) -> Node:
        """Open the file; as the host does, and ENOENT for what is none any more."""
        # What took its place since it was looked at is not opened for long.
        node = self._parent.open_entry(self._file.name, mode)
        if node.filetype == _FILE:
            return node
        node.close()
        raise failure(errno.ENOENT)

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of the file; EPERM where read-only."""
        if self.readonly:
            raise failure(errno.EPERM)
        self.stat_entry(name)
        self._parent.set_entry_times(self._file.name, atime_ns, mtime_ns)
