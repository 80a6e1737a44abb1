"""The filesystem protocol: what a file, a stream and a directory can do.

A filesystem works on **one name at a time**. Everything about paths (``..``, symbolic links,
the rule that nothing outside is reached) is in ``resolve``; everything about rights, positions
and descriptor numbers is above. A filesystem raises ``OSError`` with a host errno and nothing
else. Times are nanoseconds since 1970, sizes and offsets bytes.

``readonly`` nodes refuse every change with EPERM, before the name is looked at: a directory
given read-only answers the same whether or not the name exists.
"""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod

from wasi_spec.numbers import Filetype
from wasi_spec.records import Filestat
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import ClassVar

    from wasi_host.fs.budget import Budget

#: What a stat returns: a ``Filestat``, or a plain tuple in its order where speed matters.
Stat = Filestat | tuple[int, int, int, int, int, int, int, int]


class Dirent(NamedTuple):
    """One directory entry: its name (undecodable bytes as lone surrogates), inode and kind."""

    name: str
    ino: int
    filetype: int


def unsupported() -> OSError:
    """Return the error of an operation that a filesystem does not have."""
    return OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))


class Node(ABC):
    """Something open: a file, a stream or a directory."""

    __slots__ = ()

    filetype: int
    #: Refuses every change with EPERM.
    readonly: bool

    @abstractmethod
    def stat(self) -> Stat:
        """Return the attributes; times before 1970 read as 0."""

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set access and modification time; None leaves one as it is."""
        raise unsupported()

    def sync(self, data_only: bool = False) -> None:  # noqa: B027  a default, not a duty
        """Write to storage, like fsync or fdatasync; nothing to do where there is none."""

    def close(self) -> None:  # noqa: B027  a default, not a duty
        """Give back what the node holds; twice is harmless."""


class File(Node):
    """A regular file. It has no position: callers give offsets."""

    __slots__ = ()

    filetype: ClassVar[int] = Filetype.REGULAR_FILE  # type: ignore[misc]

    @abstractmethod
    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; empty at or after the end."""

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in order from ``offset``; return how many bytes there were."""
        done = 0
        for buffer in buffers:
            data = self.pread(len(buffer), offset + done)
            buffer[: len(data)] = data
            done += len(data)
            if len(data) < len(buffer):
                break
        return done

    @abstractmethod
    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, with zeros in a hole before it; return how much was taken."""

    @abstractmethod
    def append(self, data: bytes | memoryview) -> int:
        """Write at the end, wherever that is at this moment; return how much was taken."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Cut or extend with zeros to ``size``."""

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; never shorter."""
        raise unsupported()

    def stored(self) -> int:
        """Return how many bytes are really held, holes left out; the size where nobody knows."""
        return self.stat()[4]

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Take note of an expected access pattern (``wasi_spec.Advice``)."""


class Stream(Node):
    """Something without positions: standard input, a pipe, a terminal."""

    __slots__ = ()

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Return between 1 and ``size`` bytes, or none at the end."""

    @abstractmethod
    def write(self, data: bytes | memoryview) -> int:
        """Write; return how much was taken."""

    def read_ready(self) -> bool | None:
        """Tell whether a read would not wait; None: ask ``fileno()``."""
        return True

    def write_ready(self) -> bool | None:
        """Tell whether a write would not wait; None: ask ``fileno()``."""
        return True

    def fileno(self) -> int:
        """Return the host descriptor to wait on; ENOTSUP where there is none."""
        raise unsupported()


class Directory(Node):
    """A directory: the primitives on one name, and the operations on paths made of them.

    In a primitive, ``name`` is one component: never empty, ``.`` or ``..``, without ``/`` and
    NUL, and a symbolic link of that name is never followed. ``mode`` is an int of ``os.O_*``
    bits: access, CREAT, EXCL, TRUNC, DIRECTORY, APPEND, NONBLOCK, SYNC, DSYNC; NOFOLLOW and
    CLOEXEC are implied, so opening a link is ELOOP.

    The ``*_at`` operations take paths; ``resolve.ResolvedDirectory`` provides them all.
    """

    __slots__ = ()

    filetype: ClassVar[int] = Filetype.DIRECTORY  # type: ignore[misc]

    @abstractmethod
    def open_entry(self, name: str, mode: int) -> Node:
        """Open one entry, creating it where ``mode`` says so."""

    @abstractmethod
    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of one entry, of a link itself."""

    @abstractmethod
    def entries(self) -> Iterable[Dirent]:
        """Return the entries, without ``.`` and ``..``."""

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above where it is known and inside, else None."""
        return None

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of one entry, of a link itself."""
        raise unsupported()

    def read_link(self, name: str) -> str:
        """Return a link's target; EINVAL for what is no link."""
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def make_dir(self, name: str) -> None:
        """Create a directory."""
        raise unsupported()

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory."""
        raise unsupported()

    def unlink(self, name: str) -> None:
        """Remove a name that is no directory (EISDIR for one)."""
        raise unsupported()

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link."""
        raise unsupported()

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry to a name in a directory of the same filesystem (else EXDEV)."""
        raise unsupported()

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name in a directory of the same filesystem (else EXDEV)."""
        raise unsupported()

    # The operations on paths. ``follow``: whether a symbolic link in last place is followed.

    @abstractmethod
    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat."""

    @abstractmethod
    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat."""

    @abstractmethod
    def set_times_at(
        self, path: str, follow: bool, atime_ns: int | None, mtime_ns: int | None
    ) -> None:
        """Set times, like utimensat."""

    @abstractmethod
    def make_dir_at(self, path: str) -> None:
        """Create a directory, like mkdirat."""

    @abstractmethod
    def remove_dir_at(self, path: str) -> None:
        """Remove an empty directory, like unlinkat with AT_REMOVEDIR."""

    @abstractmethod
    def unlink_at(self, path: str) -> None:
        """Remove a name, like unlinkat."""

    @abstractmethod
    def symlink_at(self, target: str, path: str) -> None:
        """Create a symbolic link at ``path``, like symlinkat."""

    @abstractmethod
    def read_link_at(self, path: str) -> str:
        """Return a link's target, like readlinkat; EPERM for an absolute one."""

    @abstractmethod
    def rename_at(self, path: str, to: Directory, to_path: str) -> None:
        """Move, like renameat."""

    @abstractmethod
    def link_at(self, path: str, to: Directory, to_path: str) -> None:
        """Create a hard link, like linkat without AT_SYMLINK_FOLLOW."""


class FileSystem(ABC):
    """A source of directories: what an embedder hands to a guest."""

    @abstractmethod
    def open_root(self) -> Directory:
        """Return the root, fresh for each instance, which closes it."""

    def limited(self, budget: Budget) -> FileSystem:
        """Return this filesystem as a run sees it, whose budget covers what is in memory.

        Itself, where nothing is. What wraps another answers with one that wraps the other's.
        """
        return self

    def watch(self) -> Callable[[], object] | None:
        """Begin to look what a run changes.

        Returns:
            What gives the ``Changes``, to be called after the run; None where nobody knows.
        """
        # What wraps another filesystem has it as ``inner``.
        inner = getattr(self, "inner", None)
        return inner.watch() if isinstance(inner, FileSystem) else None

    def close(self) -> None:  # noqa: B027  a default, not a duty
        """Give back what the filesystem itself holds; twice is harmless."""
