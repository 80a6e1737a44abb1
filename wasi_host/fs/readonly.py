"""A filesystem in which nothing can be changed, whatever it is made of.

Every change is EPERM before the path is looked at, so that a refusal does not tell what exists.
Where a directory hands its own ``readonly`` on to all that it opens, as those of the host and of
memory do, the wrapper only sets it: reading is then as fast as without.
"""

import errno

from wasi_host.fs.budget import Budget
from wasi_host.fs.host import HostBlockDevice, HostDirectory, HostFile
from wasi_host.fs.memory import MemoryDirectory, MemoryFile
from wasi_host.fs.node import File, FileSystem, Node
from wasi_host.fs.refusing import RefusingDirectory, RefusingFile
from wasi_host.fs.source import Source, filesystem_of
from wasi_host.fs.walk import CHANGES, Walkable, failure
from wasi_host.fs.wrapped import (
    TransparentDirectory,
    WrappedDirectory,
    WrappedFile,
    walkable_root,
)

__all__ = ["ReadOnly", "ReadOnlyDirectory", "ReadOnlyFile"]


class ReadOnly(FileSystem):
    """A source that guests may read and not change: every change is refused (PERM).

    Args:
        source: a path, a dict of files, or a filesystem. Of a dict one tree is made, for all
            runs.

    Raises:
        TypeError, ValueError, OSError: as for ``source`` in ``dirs=``.
    """

    def __init__(self, source: Source) -> None:
        self.inner = filesystem_of(source, "the source of ReadOnly")

    def open_root(self) -> Walkable:
        """Return the root.

        Raises:
            TypeError: the source resolves paths by itself and cannot be wrapped.
            OSError: its root cannot be opened.
        """
        return readonly_directory(walkable_root(self.inner))

    def limited(self, budget: Budget) -> "ReadOnly":
        """Return the same around what the source is to a run."""
        return ReadOnly(self.inner.limited(budget))

    def __repr__(self) -> str:
        return f"ReadOnly({self.inner!r})"


def readonly_directory(under: Walkable) -> Walkable:
    """Return a directory that was just opened as one that refuses changes."""
    if type(under) is HostDirectory or type(under) is MemoryDirectory:
        under.readonly = True
    return under if under.readonly else ReadOnlyDirectory(under)


class ReadOnlyDirectory(RefusingDirectory, TransparentDirectory):
    """An open directory that refuses every change."""

    __slots__ = ()

    def __init__(self, under: Walkable) -> None:
        super().__init__(under)
        self.readonly = True

    def enter(self, under: Walkable) -> "WrappedDirectory":
        """Wrap a directory that was opened underneath."""
        return ReadOnlyDirectory(under)

    def adopt(self, node: Node) -> Node:
        """Wrap a file; a stream, which was opened for reading only, is left as it is."""
        if type(node) is HostFile or type(node) is MemoryFile or type(node) is HostBlockDevice:
            node.readonly = True
        return ReadOnlyFile(node) if isinstance(node, File) and not node.readonly else node

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry for reading; EPERM for anything else."""
        if mode & CHANGES:
            raise failure(errno.EPERM)
        return super().open_entry(name, mode)

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open for reading, like openat; EPERM for anything else, whatever the path."""
        if mode & CHANGES:
            raise failure(errno.EPERM)
        return self.wrap(self._under.open_at(path, mode, follow))


class ReadOnlyFile(RefusingFile, WrappedFile):
    """An open file that refuses every change."""

    __slots__ = ()

    def __init__(self, under: File) -> None:
        super().__init__(under)
        self.readonly = True
