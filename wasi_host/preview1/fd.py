"""The calls on one descriptor. Each finds it (BADF) and leaves the rest to it."""

from __future__ import annotations

from wasi_host.errors import INVAL, NAMETOOLONG
from wasi_host.preview1.state import State
from wasi_spec.numbers import Fstflags, Preopentype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.descriptors.base import FdstatTuple
    from wasi_host.fs.node import Stat
    from wasi_host.world.clocks import Clocks

_DIR: Final = Preopentype.DIR
_ATIM: Final = Fstflags.ATIM
_ATIM_NOW: Final = Fstflags.ATIM_NOW
_MTIM: Final = Fstflags.MTIM
_MTIM_NOW: Final = Fstflags.MTIM_NOW
_BOTH_ATIM: Final = _ATIM | _ATIM_NOW
_BOTH_MTIM: Final = _MTIM | _MTIM_NOW
_NOW: Final = _ATIM_NOW | _MTIM_NOW


def chosen_times(
    clocks: Clocks, atim: int, mtim: int, fst_flags: int
) -> tuple[int | None, int | None]:
    """Return the access and modification time that a call sets; None: stays as it is.

    Raises:
        INVAL: one of them is to be both given and now.
    """
    if fst_flags & _BOTH_ATIM == _BOTH_ATIM or fst_flags & _BOTH_MTIM == _BOTH_MTIM:
        raise INVAL
    now = clocks.realtime() if fst_flags & _NOW else 0
    return (
        atim if fst_flags & _ATIM else now if fst_flags & _ATIM_NOW else None,
        mtim if fst_flags & _MTIM else now if fst_flags & _MTIM_NOW else None,
    )


class FdCalls(State):
    """Calls on one descriptor.

    All raise BADF for a number that is not open and for a thing of the wrong kind, and
    NOTCAPABLE for a right that was withheld or dropped; ``wasi_host.descriptors`` says which
    rights and which further errors, and in which order.
    """

    __slots__ = ()

    def fd_advise(self, fd: int, offset: int, len: int, advice: int) -> None:
        """Announce how a file will be used, like posix_fadvise."""
        self.fds[fd].advise(offset, len, advice)

    def fd_allocate(self, fd: int, offset: int, len: int) -> None:
        """Make a file at least ``offset + len`` bytes long, like posix_fallocate."""
        self.fds[fd].allocate(offset, len)

    def fd_close(self, fd: int) -> None:
        """Close a descriptor, like close; its number is free again even if that fails."""
        self.fds.close(fd)

    def fd_datasync(self, fd: int) -> None:
        """Write a file's data to storage, like fdatasync."""
        self.fds[fd].datasync()

    def fd_fdstat_get(self, fd: int) -> FdstatTuple:
        """Return a descriptor's kind, flags, and the rights it has at this moment."""
        return self.fds[fd].fdstat()

    def fd_fdstat_set_flags(self, fd: int, flags: int) -> None:
        """Set APPEND and NONBLOCK, like F_SETFL; INVAL if DSYNC, RSYNC or SYNC would change."""
        self.fds[fd].set_flags(flags)

    def fd_fdstat_set_rights(self, fd: int, fs_rights_base: int, fs_rights_inheriting: int) -> None:
        """Drop all other rights; NOTCAPABLE, and nothing changed, for one that is not there."""
        self.fds[fd].set_rights(fs_rights_base, fs_rights_inheriting)

    def fd_filestat_get(self, fd: int) -> Stat:
        """Return the attributes of an open file, like fstat."""
        return self.fds[fd].filestat()

    def fd_filestat_set_size(self, fd: int, size: int) -> None:
        """Cut or extend an open file, like ftruncate."""
        self.fds[fd].set_size(size)

    def fd_filestat_set_times(self, fd: int, atim: int, mtim: int, fst_flags: int) -> None:
        """Set an open file's times, like futimens.

        Raises:
            INVAL: a time is to be both given and now; seen before the descriptor is.
        """
        atime_ns, mtime_ns = chosen_times(self.clocks, atim, mtim, fst_flags)
        self.fds[fd].set_times(atime_ns, mtime_ns)

    def fd_pread(self, fd: int, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``, like pread."""
        return self.fds[fd].pread(size, offset)

    def fd_preadinto(self, fd: int, buffers: tuple[memoryview, ...], offset: int) -> int:
        """Do as ``fd_pread`` does, without a copy; return how many bytes there were."""
        return self.fds[fd].preadinto(buffers, offset)

    def fd_prestat_get(self, fd: int) -> tuple[int, int]:
        """Return the kind of a preopen and the length in bytes of its name; BADF for no preopen."""
        return _DIR, self.fds[fd].prestat()

    def fd_prestat_dir_name(self, fd: int, path_len: int) -> bytes:
        """Return a preopened directory's guest name, without a terminator.

        Raises:
            NOTDIR: no preopen.
            NAMETOOLONG: the name is longer than ``path_len``.
        """
        name = self.fds[fd].prestat_dir_name()
        if len(name) > path_len:
            raise NAMETOOLONG
        return name

    def fd_pwrite(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, like pwrite; return how many bytes were taken."""
        return self.fds[fd].pwrite(data, offset)

    def fd_read(self, fd: int, size: int) -> bytes:
        """Return up to ``size`` bytes from the position, like read."""
        return self.fds[fd].read(size)

    def fd_readinto(self, fd: int, buffers: tuple[memoryview, ...]) -> int:
        """Do as ``fd_read`` does, without a copy; return how many bytes there were."""
        return self.fds[fd].readinto(buffers)

    def fd_readdir(self, fd: int, buf_len: int, cookie: int) -> bytes:
        """Return encoded directory entries from ``cookie`` on, the last one cut at ``buf_len``.

        Fewer than ``buf_len`` bytes: that was the end.
        """
        return self.fds[fd].readdir(buf_len, cookie)

    def fd_renumber(self, fd: int, to: int) -> None:
        """Move a descriptor to another number, which is open and whose own is closed."""
        self.fds.renumber(fd, to)

    def fd_seek(self, fd: int, offset: int, whence: int) -> int:
        """Move the position by a signed ``offset``, like lseek; return the new one."""
        return self.fds[fd].seek(offset, whence)

    def fd_sync(self, fd: int) -> None:
        """Write a file's data and attributes to storage, like fsync."""
        self.fds[fd].sync()

    def fd_tell(self, fd: int) -> int:
        """Return the position, like lseek(fd, 0, SEEK_CUR)."""
        return self.fds[fd].tell()

    def fd_write(self, fd: int, data: bytes | memoryview) -> int:
        """Write at the position, like write; return how many bytes were taken."""
        return self.fds[fd].write(data)
