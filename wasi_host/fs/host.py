"""Directories of the host: what a path reaches never leaves the one that was given.

A ``HostDir`` opens its directory once, and that descriptor is the capability: everything is
looked up from it with the ``*at`` calls, one name at a time and without following links, by
``resolve``. On Linux a path of several names is handed to ``openat2`` whole, which keeps the
same rule in the kernel and gives the same answers.
"""

from __future__ import annotations

import errno
import os
import stat as modes
import sys

from wasi_host.fs import openat2
from wasi_host.fs.host_nodes import (
    FORMAT,
    KINDS,
    PROBES,
    HostBlockDevice,
    HostFile,
    HostStream,
    entry_kind,
    filestat,
    new_times,
    sync,
)
from wasi_host.fs.node import Directory, Dirent, FileSystem, Node, Stat
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.single import SingleDirectory, hold
from wasi_host.fs.walk import CHANGES, NO_NAMES, failure
from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

__all__ = ["HostBlockDevice", "HostDir", "HostDirectory", "HostFile", "HostStream", "Root"]

#: Of an open mode what the host is told. O_APPEND is not: ``HostFile.append`` does it.
_TOLD: Final = (
    os.O_WRONLY
    | os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | os.O_TRUNC
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_SYNC", 0)
    | getattr(os, "O_DSYNC", 0)
)
#: O_NONBLOCK, so that opening a fifo never waits; it means nothing to a regular file.
_ALWAYS: Final = (
    getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)
)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_ENTER: Final = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_SYMBOLIC_LINK: Final = Filetype.SYMBOLIC_LINK
#: How far ``parent_ino`` looks up for the root.
_LEVELS: Final = 128


class Root:
    """The descriptor of a ``HostDir``, closed when nobody uses it; its device and inode."""

    __slots__ = ("fd", "identity")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        st = os.fstat(fd)
        self.identity = (st.st_dev, st.st_ino)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)


class HostDirectory(ResolvedDirectory):
    """An open directory of the host.

    Attributes:
        fd: the host descriptor, -1 once closed. That of a root belongs to its ``HostDir``.
        root: the directory that was given, which this one is or lies below; None once closed.
    """

    __slots__ = ("fd", "readonly", "root")

    def __init__(self, fd: int, readonly: bool, root: Root | None) -> None:
        self.fd = fd
        self.readonly = readonly
        # Keeps the root open as long as anything below it is, and knows how far up inside is.
        self.root = root

    def close(self) -> None:
        """Close the host descriptor, if it is this node's own."""
        fd, self.fd = self.fd, -1
        root, self.root = self.root, None
        if root is not None and fd != root.fd:
            os.close(fd)

    def reopen(self) -> HostDirectory:
        """Return another node of this directory."""
        fd = os.open(".", os.O_RDONLY | _ENTER, dir_fd=self.fd)
        return HostDirectory(fd, self.readonly, self.root)

    def stat(self) -> Stat:
        """Return the attributes, like fstat."""
        return filestat(os.fstat(self.fd))

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times; what the host cannot hold is clamped by it."""
        self._changing()
        if atime_ns is None and mtime_ns is None:
            return
        # By name: a descriptor opened with O_PATH has no futimens.
        os.utime(".", ns=new_times(os.fstat(self.fd), atime_ns, mtime_ns), dir_fd=self.fd)

    def sync(self, data_only: bool = False) -> None:
        """Write to storage, like fsync or fdatasync."""
        sync(self.fd, data_only)

    def entries(self) -> list[Dirent]:
        """Return the entries as they are at this moment; undecodable names as surrogates."""
        # A description of its own: the offset of a directory is part of it.
        fd = os.open(".", os.O_RDONLY | _ENTER, dir_fd=self.fd)
        new, dirent = tuple.__new__, Dirent
        try:
            with os.scandir(fd) as found:
                return [new(dirent, (one.name, one.inode(), entry_kind(one))) for one in found]
        finally:
            os.close(fd)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root and outside of it."""
        path, inside, root = "", None, self.root
        st = os.fstat(self.fd)
        for _ in range(_LEVELS):
            if root is None or (st.st_dev, st.st_ino) == root.identity:
                return inside
            path += "../"
            below, st = st, os.stat(path, dir_fd=self.fd)
            if inside is None:
                inside = st.st_ino
            if (st.st_dev, st.st_ino) == (below.st_dev, below.st_ino):
                return None
        return None

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry, like openat with O_NOFOLLOW; never waits.

        Raises:
            OSError: ELOOP for a link, with O_DIRECTORY too; ENXIO for a socket, and for a fifo
                to be written that nobody reads; EPERM for a change where read-only; EMFILE; else
                as openat.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        flags = mode & _TOLD | _ALWAYS | _NOFOLLOW
        try:
            fd = os.open(name, flags, 0o666, dir_fd=self.fd)
        except OSError as error:
            number = self._meaning(error, name, mode)
            if number == error.errno:
                raise
            raise failure(number) from None
        return self.adopt(fd)

    def _meaning(self, error: OSError, name: str, mode: int) -> int:
        """Return the errno that Linux, or we, would have for a failed open."""
        number = error.errno or errno.EIO
        if number == errno.ENOTDIR and mode & os.O_DIRECTORY:
            return errno.ELOOP if self._is(name, modes.S_IFLNK) else number
        if number == errno.EOPNOTSUPP and self._is(name, modes.S_IFSOCK):
            return errno.ENXIO  # macOS
        return number

    def _is(self, name: str, file_format: int) -> bool:
        try:
            st = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except OSError:
            return False
        return st.st_mode & FORMAT == file_format

    def adopt(self, fd: int) -> Node:
        """Return the node for a descriptor that was just opened, by what it turned out to be."""
        try:
            file_format = os.fstat(fd).st_mode & FORMAT
        except OSError:
            os.close(fd)
            raise
        if file_format == modes.S_IFREG:
            return HostFile(fd, self.readonly)
        if file_format == modes.S_IFDIR:
            return HostDirectory(fd, self.readonly, self.root)
        if file_format == modes.S_IFBLK:
            return HostBlockDevice(fd, self.readonly)
        return HostStream(fd, KINDS.get(file_format, 0), self.readonly)

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry, like fstatat with AT_SYMLINK_NOFOLLOW."""
        return filestat(os.stat(name, dir_fd=self.fd, follow_symlinks=False))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry, like utimensat with AT_SYMLINK_NOFOLLOW."""
        self._changing()
        st = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        if atime_ns is None and mtime_ns is None:
            return
        times = new_times(st, atime_ns, mtime_ns)
        os.utime(name, ns=times, dir_fd=self.fd, follow_symlinks=False)

    def read_link(self, name: str) -> str:
        """Return a link's target; undecodable bytes as surrogates; EINVAL for what is no link."""
        return os.readlink(name, dir_fd=self.fd)

    def make_dir(self, name: str) -> None:
        """Create a directory, like mkdirat."""
        self._changing()
        os.mkdir(name, 0o777, dir_fd=self.fd)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory, like unlinkat with AT_REMOVEDIR."""
        self._changing()
        os.rmdir(name, dir_fd=self.fd)

    def unlink(self, name: str) -> None:
        """Remove a name, like unlinkat; EISDIR for a directory."""
        self._changing()
        try:
            os.unlink(name, dir_fd=self.fd)
        except PermissionError:
            # POSIX has EPERM for a directory, and macOS follows it.
            if self._is(name, modes.S_IFDIR):
                raise failure(errno.EISDIR) from None
            raise

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link, like symlinkat."""
        self._changing()
        os.symlink(target, name, dir_fd=self.fd)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry, like renameat."""
        os.rename(name, to_name, src_dir_fd=self.fd, dst_dir_fd=self._host(to))

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name, like linkat without AT_SYMLINK_FOLLOW."""
        target = self._host(to)
        os.link(name, to_name, src_dir_fd=self.fd, dst_dir_fd=target, follow_symlinks=False)

    def _host(self, to: Directory) -> int:
        """Return the descriptor of the other side of a rename or a link."""
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, HostDirectory):
            raise failure(errno.EXDEV)
        return to.fd

    def _changing(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)

    # For the walk

    def step(self, name: str) -> HostDirectory:
        """Open a directory only to walk through it: on Linux that needs no right to read it."""
        fd = os.open(name, PROBES.o_path | _ENTER | _NOFOLLOW, dir_fd=self.fd)
        return HostDirectory(fd, self.readonly, self.root)

    def search(self) -> None:
        """Raise EACCES without the right to search this directory, as the kernel does."""
        os.stat(".", dir_fd=self.fd)

    def link_text(self, name: str) -> str:
        """Return the text of a link to follow; ELOOP for one of /proc that jumps.

        Such a link goes to an open file whatever its text says, so following the text would be
        something else, and following the link would leave the directory.
        """
        text = os.readlink(name, dir_fd=self.fd)
        if PROBES.proc and (text[:1] == "/" or ":" in text):
            st = os.stat(name, dir_fd=self.fd, follow_symlinks=False)
            # An ordinary link of /proc has the size of its text.
            if st.st_size != len(os.fsencode(text)) and st.st_dev == os.stat("/proc").st_dev:
                raise failure(errno.ELOOP)
        return text

    # Whole paths, where Linux resolves them

    def jump(self, path: str) -> HostDirectory | None:
        """Return the directory at ``path`` with one openat2, or None without it."""
        if not openat2.available():
            return None
        fd = openat2.open_beneath(self.fd, path, PROBES.o_path | _ENTER)
        return HostDirectory(fd, self.readonly, self.root)

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat; see ``ResolvedDirectory.open_at``."""
        if "/" not in path:
            if path not in NO_NAMES:
                try:
                    return self.open_entry(path, mode)
                except OSError as error:
                    if error.errno != errno.ELOOP or not follow:
                        raise
            return super().open_at(path, mode, follow)
        if not openat2.available():
            return super().open_at(path, mode, follow)
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        flags = mode & _TOLD | _ALWAYS
        if not follow:
            flags |= _NOFOLLOW
        try:
            fd = openat2.open_beneath(self.fd, path, flags, 0o666 if mode & os.O_CREAT else 0)
        except NotADirectoryError:
            if follow or not mode & os.O_DIRECTORY:
                raise
            # Perhaps a link, which is ELOOP: the walk tells.
            return super().open_at(path, mode, follow)
        return self.adopt(fd)

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat; see ``ResolvedDirectory.stat_at``."""
        if "/" not in path:
            if path not in NO_NAMES:
                st = filestat(os.stat(path, dir_fd=self.fd, follow_symlinks=False))
                if not follow or st[2] != _SYMBOLIC_LINK:
                    return st
        elif openat2.available():
            flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else _NOFOLLOW)
            fd = openat2.open_beneath(self.fd, path, flags)
            try:
                return filestat(os.fstat(fd))
            finally:
                os.close(fd)
        return super().stat_at(path, follow)


class HostDir(FileSystem):
    """A host directory, and everything below it; or one file of it, in a directory alone.

    Args:
        path: the directory, or a regular file; a link to one is followed.
        readonly: refuse every change.

    Raises:
        FileNotFoundError, NotADirectoryError: there is neither.
        OSError: it cannot be opened.
        NotImplementedError: this platform has no calls relative to a directory (Windows), or
            Python decodes names by something else than UTF-8 (start it with ``-X utf8``).
    """

    def __init__(self, path: str | os.PathLike[str], readonly: bool = False) -> None:
        self.path = os.fspath(path)
        self.readonly = readonly
        if os.open not in os.supports_dir_fd:
            raise NotImplementedError("host directories need openat, which this platform lacks")
        if sys.getfilesystemencoding() != "utf-8":
            raise NotImplementedError("host directories need UTF-8 names: use python -X utf8")
        fd, self._file = hold(self.path)
        self._root: Root | None = Root(fd)

    def open_root(self) -> ResolvedDirectory:
        """Return the root. It borrows the descriptor and keeps it open while it lives.

        Raises:
            ValueError: the filesystem is closed.
        """
        root = self._root
        if root is None:
            raise ValueError(f"HostDir({self.path!r}) is closed")
        if self._file is not None:
            return SingleDirectory(lambda: HostDirectory(root.fd, self.readonly, root), self._file)
        return HostDirectory(root.fd, self.readonly, root)

    @property
    def single(self) -> bool:
        """Whether it is one file, in a directory alone."""
        return self._file is not None

    def close(self) -> None:
        """Close the descriptor, as soon as no root that was opened uses it any more."""
        self._root = None

    def __reduce__(self) -> tuple[type[HostDir], tuple[str, bool]]:
        return HostDir, (self.path, self.readonly)

    def __repr__(self) -> str:
        return f"HostDir({self.path!r}{', readonly=True' if self.readonly else ''})"
