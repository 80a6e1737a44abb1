"""Open files and streams of the host, and what the host's attributes are to a guest.

Probes: what only Linux has is looked for in ``PROBES`` each time it is used, so that tests can
take it away and see that everything works without, as on macOS.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat as modes
from os import preadv, pwrite

from wasi_host.fs.node import File, Stat, Stream
from wasi_host.fs.walk import failure
from wasi_spec.enums import Advice
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar, Final


class Probes:
    """What this host has; each may be cleared (0 or False), and everything still works.

    Attributes:
        o_path: the flag to open a directory only to walk through it.
        rwf_append: the flag to write at the end in one call.
        proc: whether ``/proc`` has links that jump.
    """

    __slots__ = ("o_path", "proc", "rwf_append")

    def __init__(self) -> None:
        self.o_path = getattr(os, "O_PATH", 0)
        self.rwf_append = getattr(os, "RWF_APPEND", 0) if hasattr(os, "pwritev") else 0
        self.proc = os.path.isdir("/proc/self/fd")


PROBES: Final = Probes()

#: Filetype of each file format; fifos and sockets are UNKNOWN, as for wasmtime.
KINDS: Final = {
    modes.S_IFREG: Filetype.REGULAR_FILE,
    modes.S_IFDIR: Filetype.DIRECTORY,
    modes.S_IFLNK: Filetype.SYMBOLIC_LINK,
    modes.S_IFCHR: Filetype.CHARACTER_DEVICE,
    modes.S_IFBLK: Filetype.BLOCK_DEVICE,
}
_SYMBOLIC_LINK: Final = KINDS[modes.S_IFLNK]
_REGULAR_FILE: Final = KINDS[modes.S_IFREG]
_DIRECTORY: Final = KINDS[modes.S_IFDIR]
_UNKNOWN: Final = Filetype.UNKNOWN
FORMAT: Final = 0o170000
#: Holes of a file that are looked at.
_HOLES: Final = 256
_LATEST: Final = (1 << 64) - 1
_FURTHEST: Final = (1 << 63) - 1

_ADVICE: Final = {int(kind): getattr(os, f"POSIX_FADV_{kind.name}", None) for kind in Advice}


def filestat(st: os.stat_result) -> Stat:
    """Return the attributes in the order of ``Filestat``; times before 1970 as 0."""
    atime, mtime, ctime = st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns
    # One comparison for all three: any of them negative, or over 64 bits, makes this so.
    if not 0 <= atime | mtime | ctime <= _LATEST:
        atime, mtime, ctime = (min(max(ns, 0), _LATEST) for ns in (atime, mtime, ctime))
    kind = KINDS.get(st.st_mode & FORMAT, 0)
    return (st.st_dev, st.st_ino, kind, st.st_nlink, st.st_size, atime, mtime, ctime)


def new_times(st: os.stat_result, atime_ns: int | None, mtime_ns: int | None) -> tuple[int, int]:
    """Return both times for ``os.utime``, which cannot leave one out, the missing from ``st``."""
    return (
        st.st_atime_ns if atime_ns is None else atime_ns,
        st.st_mtime_ns if mtime_ns is None else mtime_ns,
    )


def sync(fd: int, data_only: bool) -> None:
    """Call fsync, or fdatasync where there is one."""
    if data_only and hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def _mapped(fd: int, size: int) -> int:
    """Return how many bytes of a file are data; all that is beyond many holes counts as data."""
    if not hasattr(os, "SEEK_DATA"):
        return size
    found = end = 0
    try:
        for _ in range(_HOLES):
            start = os.lseek(fd, end, os.SEEK_DATA)
            end = os.lseek(fd, start, os.SEEK_HOLE)
            found += end - start
            if end >= size:
                return found
    except OSError as error:
        # No data behind the last hole; else a filesystem that has no map.
        return found if error.errno == errno.ENXIO else size
    return found + size - end


class HostFile(File):
    """An open regular file of the host.

    Attributes:
        fd: the host descriptor, -1 once closed. It may be read and written directly at offsets;
            it never has O_APPEND set, which would overrule them. Whoever takes it over closes
            it instead of the node, and sets it to -1.
    """

    __slots__ = ("fd", "readonly")

    def __init__(self, fd: int, readonly: bool = False) -> None:
        self.fd = fd
        self.readonly = readonly

    def close(self) -> None:
        """Close the host descriptor."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def stat(self) -> Stat:
        """Return the attributes, like fstat."""
        return filestat(os.fstat(self.fd))

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times, like futimens; what the host cannot hold is clamped by it."""
        self._writable()
        if atime_ns is None and mtime_ns is None:
            return
        os.utime(self.fd, ns=new_times(os.fstat(self.fd), atime_ns, mtime_ns))

    def sync(self, data_only: bool = False) -> None:
        """Write to storage, like fsync or fdatasync."""
        sync(self.fd, data_only)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; empty at or after the end."""
        try:
            return os.pread(self.fd, size, offset)
        except OverflowError:
            raise failure(errno.EINVAL) from None

    def preadinto(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers in order from ``offset``; return how many bytes there were."""
        return preadv(self.fd, buffers, offset)

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, like pwrite; return how much was taken."""
        self._writable()
        try:
            return pwrite(self.fd, data, offset)
        except OverflowError:
            raise failure(errno.EINVAL) from None

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end, wherever that is by then; return how much was taken."""
        self._writable()
        if PROBES.rwf_append:
            try:
                return os.pwritev(self.fd, (data,), 0, PROBES.rwf_append)
            except OSError as error:
                # Linux before 4.16, and filesystems that do not know it.
                if error.errno != errno.EOPNOTSUPP:
                    raise
        flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)
        fcntl.fcntl(self.fd, fcntl.F_SETFL, flags | os.O_APPEND)
        try:
            return os.write(self.fd, data)
        finally:
            fcntl.fcntl(self.fd, fcntl.F_SETFL, flags)

    def truncate(self, size: int) -> None:
        """Cut or extend, like ftruncate; EFBIG over what the host takes."""
        self._writable()
        os.ftruncate(self.fd, size)

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; ENOTSUP where the host cannot."""
        self._writable()
        if not hasattr(os, "posix_fallocate"):
            raise failure(errno.ENOTSUP)
        if offset + length > _FURTHEST:
            raise failure(errno.EFBIG)
        os.posix_fallocate(self.fd, offset, length)

    def stored(self) -> int:
        """Return how many bytes are held, by the host's blocks or by its map of the holes.

        The larger of the two, so that neither what was reserved (a hole in the map) nor what
        was written and has no blocks yet is left out.
        """
        st = os.fstat(self.fd)
        blocks = getattr(st, "st_blocks", st.st_size) * 512
        return min(st.st_size, max(blocks, _mapped(self.fd, st.st_size)))

    def advise(self, offset: int, length: int, advice: int) -> None:
        """Pass the hint on, where the host takes any and the offset can be meant."""
        hint = _ADVICE.get(advice)
        if hint is not None and offset <= _FURTHEST and length <= _FURTHEST:
            os.posix_fadvise(self.fd, offset, length, hint)

    def _writable(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)


class HostBlockDevice(HostFile):
    """A block device: a file by all that is done with it."""

    __slots__ = ()

    filetype: ClassVar[int] = Filetype.BLOCK_DEVICE  # type: ignore[misc]


class HostStream(Stream):
    """A fifo or a character device, opened by its name in a host directory.

    Its descriptor is non-blocking for good: it is ours alone, and waiting is done above on
    ``fileno()`` together with what may end the wait. So ``read`` and ``write`` raise EAGAIN
    where they would wait.
    """

    __slots__ = ("fd", "filetype", "readonly")

    def __init__(self, fd: int, filetype: int, readonly: bool) -> None:
        self.fd = fd
        self.filetype = filetype
        self.readonly = readonly

    def close(self) -> None:
        """Close the host descriptor."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def stat(self) -> Stat:
        """Return the attributes, like fstat."""
        return filestat(os.fstat(self.fd))

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times, like futimens; EPERM below a read-only directory."""
        if self.readonly:
            raise failure(errno.EPERM)
        if atime_ns is not None or mtime_ns is not None:
            os.utime(self.fd, ns=new_times(os.fstat(self.fd), atime_ns, mtime_ns))

    def read(self, size: int) -> bytes:
        """Return between 1 and ``size`` bytes, or none at the end; EAGAIN where it would wait."""
        return os.read(self.fd, size)

    def write(self, data: bytes | memoryview) -> int:
        """Write; return how much was taken; EAGAIN where it would wait."""
        return os.write(self.fd, data)

    def read_ready(self) -> bool | None:
        """Return None: ask ``fileno()``."""
        return None

    def write_ready(self) -> bool | None:
        """Return None: ask ``fileno()``."""
        return None

    def fileno(self) -> int:
        """Return the host descriptor to wait on."""
        return self.fd


def entry_kind(entry: os.DirEntry[str]) -> int:
    """Return the filetype of an entry, as a rule without asking the host again."""
    if entry.is_symlink():
        return _SYMBOLIC_LINK
    # What is no link has no target either: the questions without keywords cost half.
    if entry.is_file():
        return _REGULAR_FILE
    if entry.is_dir():
        return _DIRECTORY
    try:
        return KINDS.get(entry.stat(follow_symlinks=False).st_mode & FORMAT, _UNKNOWN)
    except FileNotFoundError:
        return _UNKNOWN
