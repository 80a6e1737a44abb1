"""Directories and files around those of another filesystem: what wrappers have in common.

A wrapper puts a rule in front of a filesystem and leaves everything else to it: it hands each
primitive on, and wraps what was opened. Paths are its own (``resolve``), so its rule holds for
every name on the way.

A rename or a link is made between the directories underneath; with a directory of any other
filesystem, the one underneath included, it is EXDEV: the rule would not see the other side.
"""

import errno
from abc import abstractmethod
from collections.abc import Iterable, Sequence

from wasi_host.fs.node import Directory, Dirent, File, FileSystem, Node, Stat
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import Walkable, failure

__all__ = ["TransparentDirectory", "WrappedDirectory", "WrappedFile", "walkable_root"]


def walkable_root(filesystem: FileSystem) -> Walkable:
    """Open the root of a filesystem that is to be wrapped.

    Raises:
        TypeError: its directories resolve paths in a way of their own.
        OSError: it cannot be opened.
    """
    root = filesystem.open_root()
    if isinstance(root, Walkable):
        return root
    root.close()
    raise TypeError(f"a {type(root).__name__} cannot be wrapped: it resolves paths by itself")


class WrappedFile(File):
    """An open file around another."""

    __slots__ = ("_under", "readonly")

    def __init__(self, under: File) -> None:
        self._under = under
        self.readonly = under.readonly

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._under.stat()

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times."""
        self._under.set_times(atime_ns, mtime_ns)

    def sync(self, data_only: bool = False) -> None:
        """Write to storage."""
        self._under.sync(data_only)

    def close(self) -> None:
        """Close the file underneath."""
        self._under.close()

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``."""
        return self._under.pread(size, offset)

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in order from ``offset``."""
        return self._under.preadinto(buffers, offset)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``."""
        return self._under.pwrite(data, offset)

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end."""
        return self._under.append(data)

    def truncate(self, size: int) -> None:
        """Cut or extend."""
        self._under.truncate(size)

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long."""
        self._under.allocate(offset, length)

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Pass the hint on."""
        self._under.advise(offset, length, advice)

    def stored(self) -> int:
        """Return how many bytes are really held."""
        return self._under.stored()


class WrappedDirectory(ResolvedDirectory):
    """An open directory around another, which it closes."""

    __slots__ = ("_under", "readonly")

    def __init__(self, under: Walkable) -> None:
        self._under = under
        self.readonly = under.readonly

    @abstractmethod
    def enter(self, under: Walkable) -> "WrappedDirectory":
        """Wrap a directory that was opened underneath, or this same one again."""

    @abstractmethod
    def adopt(self, node: Node) -> Node:
        """Wrap what was opened underneath and is no directory."""

    def same_filesystem(self, to: Directory) -> Walkable:
        """Return the directory underneath the other side of a rename or link; else EXDEV."""
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, WrappedDirectory) or type(to) is not type(self):
            raise failure(errno.EXDEV)
        return to._under

    def wrap(self, node: Node) -> Node:
        """Wrap what was opened underneath; it is closed where it cannot be wrapped."""
        try:
            if isinstance(node, Walkable):
                return self.enter(node)
            if isinstance(node, Directory):
                raise failure(errno.ENOTSUP)
            return self.adopt(node)
        except BaseException:
            node.close()
            raise

    def close(self) -> None:
        """Close the directory underneath."""
        self._under.close()

    def reopen(self) -> "WrappedDirectory":
        """Return another node of this directory."""
        return self.enter(self._under.reopen())

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._under.stat()

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times."""
        self._under.set_times(atime_ns, mtime_ns)

    def sync(self, data_only: bool = False) -> None:
        """Write to storage."""
        self._under.sync(data_only)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above."""
        return self._under.parent_ino()

    def entries(self) -> Iterable[Dirent]:
        """Return the entries."""
        return self._under.entries()

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry, and wrap it."""
        return self.wrap(self._under.open_entry(name, mode))

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry."""
        return self._under.stat_entry(name)

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry."""
        self._under.set_entry_times(name, atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target."""
        return self._under.read_link(name)

    def make_dir(self, name: str) -> None:
        """Create a directory."""
        self._under.make_dir(name)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory."""
        self._under.remove_dir(name)

    def unlink(self, name: str) -> None:
        """Remove a name that is no directory."""
        self._under.unlink(name)

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link."""
        self._under.symlink(name, target)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry within the filesystem underneath; else EXDEV."""
        goal = self.same_filesystem(to).beneath(to_name)
        if goal is None:
            raise failure(errno.EBUSY)
        self._under.rename(name, goal, to_name)

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name within the filesystem underneath; else EXDEV."""
        goal = self.same_filesystem(to).beneath(to_name)
        if goal is None:
            raise failure(errno.EEXIST)
        self._under.link(name, goal, to_name)

    # For the walk

    def step(self, name: str) -> Walkable:
        """Open one directory to walk through it."""
        return self.enter(self._under.step(name))

    def search(self) -> None:
        """Raise EACCES where the directory underneath may not be searched."""
        self._under.search()

    def link_text(self, name: str) -> str:
        """Return the text of a link that is about to be followed."""
        return self._under.link_text(name)

    def fixed(self) -> bool:
        """Tell whether the names of the directory underneath cannot be changed."""
        return self.readonly or self._under.fixed()

    def beneath(self, name: str) -> Directory | None:
        """Return this directory; None at a mount point."""
        return None if self._under.beneath(name) is None else self


class TransparentDirectory(WrappedDirectory):
    """One whose rule is not about names: paths are looked up underneath as a whole."""

    __slots__ = ()

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat."""
        return self._under.stat_at(path, follow)

    def read_link_at(self, path: str) -> str:
        """Return a link's target, like readlinkat."""
        return self._under.read_link_at(path)

    def jump(self, path: str) -> "WrappedDirectory | None":
        """Return the directory at ``path`` in one go, where the one underneath can."""
        under = self._under.jump(path)
        return None if under is None else self.enter(under)
