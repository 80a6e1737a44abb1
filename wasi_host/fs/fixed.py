"""A directory whose names nobody can make, remove or move: EPERM, whatever the path.

What is in it may still be written, as far as it is not read-only.
"""

import errno
import os
from abc import abstractmethod

from wasi_host.fs.node import Directory, Node
from wasi_host.fs.refusing import RefusingDirectory
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, failure

__all__ = ["FixedDirectory"]


class FixedDirectory(RefusingDirectory, ResolvedDirectory):
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

    def read_link(self, name: str) -> str:
        """Raise EINVAL for what is there, ENOENT for what is not."""
        self.stat_entry(name)
        raise failure(errno.EINVAL)

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
