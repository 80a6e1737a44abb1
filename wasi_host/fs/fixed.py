"""A directory whose names nobody can make, remove or move: EPERM, whatever the path.

What is in it may still be written, as far as it is not read-only.
"""

import errno
import os
from abc import abstractmethod

from wasi_host.fs.node import Directory, Node
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, failure

__all__ = ["FixedDirectory"]


class FixedDirectory(ResolvedDirectory):
    """An open directory whose names are fixed."""

    __slots__ = ()

    @abstractmethod
    def open_present(self, name: str, mode: int) -> Node:
        """Open what is there; ``mode`` says nothing of creating."""

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry.

        Raises:
            OSError: ENOENT without one; EPERM to create one, and for a change where read-only;
                EEXIST to create as new what is there; else as ``open_present``.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        try:
            self.stat_entry(name)
        except FileNotFoundError:
            if mode & os.O_CREAT:
                raise failure(errno.EPERM) from None
            raise
        if mode & os.O_CREAT and mode & os.O_EXCL:
            raise failure(errno.EEXIST)
        return self.open_present(name, mode & ~(os.O_CREAT | os.O_EXCL))

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def read_link(self, name: str) -> str:
        """Raise EINVAL for what is there, ENOENT for what is not."""
        self.stat_entry(name)
        raise failure(errno.EINVAL)

    def make_dir(self, name: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def remove_dir(self, name: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def unlink(self, name: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def symlink(self, name: str, target: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def beneath(self, name: str) -> Directory | None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def make_dir_at(self, path: str) -> None:
        """Raise EPERM, whatever the path."""
        raise failure(errno.EPERM)

    def remove_dir_at(self, path: str) -> None:
        """Raise EPERM, whatever the path."""
        raise failure(errno.EPERM)

    def unlink_at(self, path: str) -> None:
        """Raise EPERM, whatever the path."""
        raise failure(errno.EPERM)

    def symlink_at(self, target: str, path: str) -> None:
        """Raise EPERM, whatever the path."""
        raise failure(errno.EPERM)

    def rename_at(self, path: str, to: Directory, to_path: str) -> None:
        """Raise EPERM, whatever the paths."""
        raise failure(errno.EPERM)

    def link_at(self, path: str, to: Directory, to_path: str) -> None:
        """Raise EPERM, whatever the paths."""
        raise failure(errno.EPERM)
