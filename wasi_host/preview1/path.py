"""The calls on paths.

Order of checks in each: flags that make no sense together (INVAL); the descriptors are open
(BADF), directories (BADF; for ``path_open`` a file is NOTDIR) and have the rights (NOTCAPABLE);
a change in a directory given read-only (PERM, whether or not the name exists); then the path,
component by component, which is the filesystem's.
"""

from __future__ import annotations

import os
from errno import ENFILE

from wasi_host.descriptors.base import FD_DATASYNC, FD_READ, FD_SYNC, FD_WRITE, SYNC_FLAGS
from wasi_host.errors import ILSEQ, INVAL, ISDIR, MFILE, NOTCAPABLE, PERM
from wasi_host.preview1.fd import chosen_times
from wasi_host.preview1.state import State
from wasi_spec.numbers import Fdflags, Filetype, Oflags, Rights

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.fs.node import Directory, Node, Stat

_PATH_CREATE_DIRECTORY: Final = Rights.PATH_CREATE_DIRECTORY
_PATH_FILESTAT_GET: Final = Rights.PATH_FILESTAT_GET
_PATH_FILESTAT_SET_TIMES: Final = Rights.PATH_FILESTAT_SET_TIMES
_PATH_LINK_SOURCE: Final = Rights.PATH_LINK_SOURCE
_PATH_LINK_TARGET: Final = Rights.PATH_LINK_TARGET
_PATH_READLINK: Final = Rights.PATH_READLINK
_PATH_REMOVE_DIRECTORY: Final = Rights.PATH_REMOVE_DIRECTORY
_PATH_RENAME_SOURCE: Final = Rights.PATH_RENAME_SOURCE
_PATH_RENAME_TARGET: Final = Rights.PATH_RENAME_TARGET
_PATH_SYMLINK: Final = Rights.PATH_SYMLINK
_PATH_UNLINK_FILE: Final = Rights.PATH_UNLINK_FILE

_DIRECTORY_KIND: Final = Filetype.DIRECTORY
_CREAT: Final = Oflags.CREAT
_TRUNC: Final = Oflags.TRUNC
_DIRECTORY: Final = Oflags.DIRECTORY
_NO_DIRECTORY: Final = Oflags.CREAT | Oflags.EXCL | Oflags.TRUNC
_CHANGES: Final = _CREAT | _TRUNC
_READ_OR_WRITE: Final = FD_READ | FD_WRITE


def _host_oflags(oflags: int) -> int:
    """Return the bits of ``os.O_*``; EXCL without CREAT means nothing (catalogue 56)."""
    mode = os.O_CREAT if oflags & _CREAT else 0
    if oflags & _CREAT and oflags & Oflags.EXCL:
        mode |= os.O_EXCL
    if oflags & _TRUNC:
        mode |= os.O_TRUNC
    return mode | (os.O_DIRECTORY if oflags & _DIRECTORY else 0)


def _host_fdflags(fdflags: int) -> int:
    """Return the bits of ``os.O_*``.

    APPEND is not among them: it can be switched at run time, so the descriptor appends itself.
    RSYNC is SYNC, as on Linux.
    """
    mode = os.O_NONBLOCK if fdflags & Fdflags.NONBLOCK else 0
    if fdflags & Fdflags.DSYNC:
        mode |= getattr(os, "O_DSYNC", os.O_SYNC)
    return mode | (os.O_SYNC if fdflags & (Fdflags.SYNC | Fdflags.RSYNC) else 0)


def _needed_to_open(oflags: int) -> int:
    """Return the rights a directory must have for ``path_open`` (catalogue 22)."""
    rights = Rights.PATH_OPEN
    if oflags & _CREAT:
        rights |= Rights.PATH_CREATE_FILE
    if oflags & _TRUNC:
        rights |= Rights.PATH_FILESTAT_SET_SIZE
    return int(rights)


def _needed_for_sync(fdflags: int) -> int:
    """Return the rights a directory must be able to pass on for these flags (catalogue 22)."""
    rights = FD_DATASYNC if fdflags & Fdflags.DSYNC else 0
    return rights | (FD_SYNC if fdflags & (Fdflags.SYNC | Fdflags.RSYNC) else 0)


# All combinations, worked out once: flag arithmetic on enum members costs 0.4 us each time.
_OFLAGS_MODE: Final = tuple(map(_host_oflags, range(1 << 4)))
_FDFLAGS_MODE: Final = tuple(map(_host_fdflags, range(1 << 5)))
_NEEDED_TO_OPEN: Final = tuple(map(_needed_to_open, range(1 << 4)))
_NEEDED_FOR_SYNC: Final = tuple(map(_needed_for_sync, range(1 << 5)))


class PathCalls(State):
    """Calls on paths below a descriptor."""

    __slots__ = ()

    def path_create_directory(self, fd: int, path: str) -> None:
        """Create a directory, like mkdirat."""
        self._to_change(fd, _PATH_CREATE_DIRECTORY).make_dir_at(path)

    def path_filestat_get(self, fd: int, flags: int, path: str) -> Stat:
        """Return the attributes of a file, like fstatat; of a link itself unless followed."""
        return self.fds[fd].directory(_PATH_FILESTAT_GET).stat_at(path, flags != 0)

    def path_filestat_set_times(
        self, fd: int, flags: int, path: str, atim: int, mtim: int, fst_flags: int
    ) -> None:
        """Set a file's times, like utimensat; a link's own unless followed.

        Raises:
            INVAL: a time is to be both given and now; seen before the descriptor is.
        """
        atime_ns, mtime_ns = chosen_times(self.clocks, atim, mtim, fst_flags)
        directory = self._to_change(fd, _PATH_FILESTAT_SET_TIMES)
        directory.set_times_at(path, flags != 0, atime_ns, mtime_ns)

    def path_link(
        self, old_fd: int, old_flags: int, old_path: str, new_fd: int, new_path: str
    ) -> None:
        """Create a hard link, like linkat; of a symbolic link: to the link itself.

        Raises:
            INVAL: the source is to be followed; seen before the descriptors are.
        """
        if old_flags:
            raise INVAL
        old, new = self._two_to_change(old_fd, _PATH_LINK_SOURCE, new_fd, _PATH_LINK_TARGET)
        old.link_at(old_path, new, new_path)

    def path_open(
        self,
        fd: int,
        dirflags: int,
        path: str,
        oflags: int,
        fs_rights_base: int,
        fs_rights_inheriting: int,
        fdflags: int,
    ) -> int:
        """Open a file or directory, like openat; return the lowest free number.

        FD_WRITE asked makes the descriptor writable; FD_READ asked, or FD_WRITE not asked,
        makes it readable. CREAT and TRUNC change neither. What else it may do is what the
        directory can pass on, however little was asked for, unless rights are strict.

        Args:
            fd: the directory.
            dirflags: whether a link in last place is followed.
            path: relative to the directory.
            oflags: CREAT, DIRECTORY, EXCL, TRUNC.
            fs_rights_base: the rights asked for.
            fs_rights_inheriting: those asked for what will be opened below.
            fdflags: the descriptor's flags.

        Raises:
            INVAL: DIRECTORY with CREAT, EXCL or TRUNC; seen before the descriptor is.
            BADF: not open, or neither file nor directory.
            NOTDIR: a file.
            NOTCAPABLE: the directory lacks PATH_OPEN, PATH_CREATE_FILE for CREAT or
                PATH_FILESTAT_SET_SIZE for TRUNC, or cannot pass on FD_DATASYNC for DSYNC,
                FD_SYNC for SYNC and RSYNC, FD_READ or FD_WRITE asked for (strict: any right).
            PERM: a change in a directory given read-only.
            MFILE: no room for one more descriptor; nothing was created.
            ISDIR: FD_WRITE asked for a directory.
        """
        if oflags & _DIRECTORY and oflags & _NO_DIRECTORY:
            raise INVAL
        fds = self.fds
        parent = fds[fd]
        directory = parent.directory_to_open_in(_NEEDED_TO_OPEN[oflags])
        granted = inheriting = parent.rights_inheriting
        demanded = _READ_OR_WRITE & fs_rights_base
        if self.strict:
            granted, inheriting = fs_rights_base, fs_rights_inheriting
            demanded = granted | inheriting
        if fdflags & SYNC_FLAGS:
            demanded |= _NEEDED_FOR_SYNC[fdflags]
        if demanded & ~parent.rights_inheriting:
            raise NOTCAPABLE
        writable = fs_rights_base & FD_WRITE != 0
        readable = not writable or fs_rights_base & FD_READ != 0
        if directory.readonly and (writable or oflags & _CHANGES):
            raise PERM
        fds.check_room()
        mode = _OFLAGS_MODE[oflags] | _FDFLAGS_MODE[fdflags]
        if writable:
            mode |= os.O_RDWR if readable else os.O_WRONLY
        node = self._open(directory, path, mode, dirflags != 0)
        try:
            if writable and node.filetype == _DIRECTORY_KIND:
                raise ISDIR
            return fds.insert(
                parent.opened(
                    node, granted, inheriting, fdflags, readable, writable, self.scheduler
                )
            )
        except BaseException:
            node.close()
            raise

    def _open(self, directory: Directory, path: str, mode: int, follow: bool) -> Node:
        """Open below a directory; that the host's own table is full is MFILE to the guest too."""
        try:
            return directory.open_at(path, mode, follow)
        except OSError as error:
            if error.errno == ENFILE:
                raise MFILE from None
            raise

    def path_readlink(self, fd: int, path: str, buf_len: int) -> bytes:
        """Return the target of a symbolic link, cut at ``buf_len``, like readlinkat.

        Raises:
            ILSEQ: the host's text is no UTF-8 (catalogue 34).
        """
        target = self.fds[fd].directory(_PATH_READLINK).read_link_at(path)
        try:
            return target.encode()[:buf_len]
        except UnicodeEncodeError:
            raise ILSEQ from None

    def path_remove_directory(self, fd: int, path: str) -> None:
        """Remove an empty directory, like rmdir."""
        self._to_change(fd, _PATH_REMOVE_DIRECTORY).remove_dir_at(path)

    def path_rename(self, fd: int, old_path: str, new_fd: int, new_path: str) -> None:
        """Rename a file or directory, like renameat."""
        old, new = self._two_to_change(fd, _PATH_RENAME_SOURCE, new_fd, _PATH_RENAME_TARGET)
        old.rename_at(old_path, new, new_path)

    def path_symlink(self, old_path: str, fd: int, new_path: str) -> None:
        """Create a symbolic link with the text ``old_path``, like symlinkat."""
        self._to_change(fd, _PATH_SYMLINK).symlink_at(old_path, new_path)

    def path_unlink_file(self, fd: int, path: str) -> None:
        """Remove a name that is no directory, like unlink."""
        self._to_change(fd, _PATH_UNLINK_FILE).unlink_at(path)

    def _to_change(self, fd: int, needed: int) -> Directory:
        """Return the directory for a call that changes something in it."""
        directory = self.fds[fd].directory(needed)
        if directory.readonly:
            raise PERM
        return directory

    def _two_to_change(
        self, fd: int, needed: int, to_fd: int, to_needed: int
    ) -> tuple[Directory, Directory]:
        """Return both directories of a call; each kind of fault is looked for in both first."""
        source, target = self.fds[fd], self.fds[to_fd]
        source.directory(0)
        target.directory(0)
        old, new = source.directory(needed), target.directory(to_needed)
        if old.readonly or new.readonly:
            raise PERM
        return old, new
