"""Nodes that refuse to be changed: EPERM. What they are otherwise, other classes say."""

import errno

from wasi_host.fs.node import Directory, File
from wasi_host.fs.walk import Walkable, failure

__all__ = ["RefusingDirectory", "RefusingFile"]


class RefusingDirectory(Walkable):
    """An open directory whose names and times nobody changes; to be inherited from first."""

    __slots__ = ()

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

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


class RefusingFile(File):
    """An open file that nobody changes; to be inherited from first."""

    __slots__ = ()

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def append(self, data: bytes | memoryview) -> int:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def truncate(self, size: int) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)

    def allocate(self, offset: int, length: int) -> None:
        """Raise EPERM."""
        raise failure(errno.EPERM)
