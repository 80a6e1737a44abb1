"""Open files and directories of a store of paths: our rules in front of it.

What ``path_tree`` keeps is shared by all instances; a node belongs to one. Read-only is ours (the
store's own says EPERM to nobody), and so is whether a file was opened for writing: some stores
hand out files opened for reading that can be cut.
"""

import errno
import os
from typing import Final

from wasi_host.fs.node import Directory, Dirent, File, Node, Stat, unsupported
from wasi_host.fs.path_store import OpenFile
from wasi_host.fs.path_tree import Place, Tree
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, DIRECTORY, LINK, NO_NAMES, failure
from wasi_spec.numbers import Filetype

__all__ = ["MAX_HOLE", "PathDirectory", "PathFile"]

#: The size limit of a file, that of ext4.
MAX_FILE: Final = 1 << 44
#: How far behind its end a file can be written or extended where a hole costs its full size.
MAX_HOLE: Final = 64 << 20
_ZEROS: Final = 1 << 20
_FILE: Final = Filetype.REGULAR_FILE
_WRITING: Final = os.O_WRONLY | os.O_RDWR
_SYNCHRONOUS: Final = getattr(os, "O_SYNC", 0) | getattr(os, "O_DSYNC", 0)


class PathFile(File):
    """An open file."""

    __slots__ = ("_closed", "_mode", "_place", "_tree", "readonly")

    def __init__(self, tree: Tree, place: Place, mode: int, readonly: bool) -> None:
        self._tree = tree
        self._place = place
        self._mode = mode
        self._closed = False
        self.readonly = readonly

    def close(self) -> None:
        """Close; the last node of a file hands the store what it has not got."""
        if not self._closed:
            self._closed = True
            self._tree.leave(self._place)

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._tree.stat_place(self._place)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times, exactly as long as the filesystem lives; EPERM where read-only."""
        if self.readonly:
            raise failure(errno.EPERM)
        self._tree.set_place_times(self._place, atime_ns, mtime_ns)

    def sync(self, data_only: bool = False) -> None:
        """Hand to the store what it has not got."""
        with self._place.lock:
            if self._place.file is not None:
                self._place.file.flush()

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; empty at or after the end."""
        place = self._place
        with place.lock:
            file = place.require(self._tree.store, False)
            if offset > MAX_FILE:
                return b""
            return file.read(size, offset) if size else b""

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``, all of it.

        Raises:
            OSError: EFBIG over the size limit, or too far behind the end; EPERM where read-only;
                EBADF where not opened for writing; whatever the store fails with.
        """
        if not len(data):
            self._check_writing(errno.EBADF)
            return 0
        with self._place.lock:
            return self._write(self._open_for_writing(errno.EBADF), bytes(data), offset)

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end of this moment, all of it; else like ``pwrite``."""
        if not len(data):
            self._check_writing(errno.EBADF)
            return 0
        with self._place.lock:
            file = self._open_for_writing(errno.EBADF)
            return self._write(file, bytes(data), file.size())

    def truncate(self, size: int) -> None:
        """Cut or extend to ``size``; EINVAL where not opened for writing, else like ``pwrite``."""
        with self._place.lock:
            self._resize(self._open_for_writing(errno.EINVAL), size)

    def allocate(self, offset: int, length: int) -> None:
        """Make the file at least ``offset + length`` long; else like ``pwrite``."""
        with self._place.lock:
            file = self._open_for_writing(errno.EBADF)
            if offset + length > file.size():
                self._resize(file, offset + length)

    # Below: the caller holds the lock of the place.

    def _check_writing(self, otherwise: int) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
        if not self._mode & _WRITING:
            raise failure(otherwise)

    def _open_for_writing(self, otherwise: int) -> OpenFile:
        self._check_writing(otherwise)
        return self._place.require(self._tree.store, True)

    def _write(self, file: OpenFile, data: bytes, offset: int) -> int:
        if offset + len(data) > MAX_FILE:
            data = data[: max(MAX_FILE - offset, 0)]
            if not data:
                raise failure(errno.EFBIG)
        self._fill_hole(file, offset)
        file.write(data, offset)
        self._after_change(file)
        return len(data)

    def _resize(self, file: OpenFile, size: int) -> None:
        if size > MAX_FILE:
            raise failure(errno.EFBIG)
        self._fill_hole(file, size)
        file.truncate(size)
        self._after_change(file)

    def _fill_hole(self, file: OpenFile, end: int) -> None:
        """Write zeros up to ``end``, which not every store makes of its own.

        Raises:
            OSError: EFBIG where that is more than a store should get for one call of a guest's.
        """
        if self._tree.store.sparse:
            return
        at = file.size()
        if end - at > MAX_HOLE:
            raise failure(errno.EFBIG)
        while at < end:
            count = min(end - at, _ZEROS)
            file.write(bytes(count), at)
            at += count

    def _after_change(self, file: OpenFile) -> None:
        if self._mode & _SYNCHRONOUS:
            file.flush()
        place = self._place
        if place.removed is None:
            self._tree.changed(place.path)


class PathDirectory(ResolvedDirectory):
    """An open directory."""

    __slots__ = ("_closed", "_place", "_tree", "readonly")

    def __init__(self, tree: Tree, place: Place, readonly: bool) -> None:
        self._tree = tree
        self._place = place
        self._closed = False
        self.readonly = readonly

    def close(self) -> None:
        """Leave the directory."""
        if not self._closed:
            self._closed = True
            self._tree.leave(self._place)

    def reopen(self) -> "PathDirectory":
        """Return another node of this directory."""
        tree = self._tree
        with tree.lock:
            place = self._place
            place.uses += 1
            return PathDirectory(tree, place, self.readonly)

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._tree.stat_place(self._place)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times, exactly as long as the filesystem lives; EPERM where read-only."""
        self._changing()
        self._tree.set_place_times(self._place, atime_ns, mtime_ns)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root."""
        path = self._place.path
        return None if path == "/" else self._tree.attributes.ino(path.rpartition("/")[0])

    def entries(self) -> list[Dirent]:
        """Return the entries, in the store's order; names that nobody could use are left out."""
        if self._place.removed is not None:
            return []
        path, kinds = self._place.path, dict[str, int]()
        for name, kind in self._tree.store.names(path):
            if name not in NO_NAMES and "/" not in name and "\0" not in name:
                kinds[name] = kind
        inos = self._tree.attributes.inos(path, kinds)
        return [Dirent(*entry) for entry in zip(kinds, inos, kinds.values(), strict=True)]

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry.

        Raises:
            OSError: ENOENT, EEXIST with CREAT | EXCL; ELOOP for a link; EISDIR for writing,
                creating or cutting a directory; ENOTDIR for DIRECTORY on a file; ENOTSUP for
                what is neither; EPERM for a change where read-only.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        tree = self._tree
        with tree.lock:
            path = self._path(name)
            info = tree.find(path)
            if info is None:
                if not mode & os.O_CREAT:
                    raise failure(errno.ENOENT)
                return PathFile(tree, tree.create(self._place.path, path), mode, self.readonly)
            if mode & os.O_CREAT and mode & os.O_EXCL:
                raise failure(errno.EEXIST)
            if info.filetype == LINK:
                raise failure(errno.ELOOP)
            if info.filetype == DIRECTORY:
                if mode & CHANGES:
                    raise failure(errno.EISDIR)
                return PathDirectory(tree, tree.enter(path), self.readonly)
            if mode & os.O_DIRECTORY:
                raise failure(errno.ENOTDIR)
            if info.filetype != _FILE:
                # A pipe or device, which would not be told apart once it is open.
                raise unsupported()
            return self._open_file(path, mode)

    def _open_file(self, path: str, mode: int) -> PathFile:
        place = self._tree.enter(path)
        node = PathFile(self._tree, place, mode, self.readonly)
        try:
            with place.lock:
                place.require(self._tree.store, bool(mode & (_WRITING | os.O_TRUNC)))
            if mode & os.O_TRUNC:
                # With the right to read only, too: what was asked for may cut it once.
                PathFile(self._tree, place, mode | os.O_RDWR, False).truncate(0)
        except BaseException:
            node.close()
            raise
        return node

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT without one."""
        return self._tree.stat(self._path(name))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry; ENOTSUP for a link, EPERM where read-only."""
        self._changing()
        self._tree.set_times(self._path(name), atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target; ENOENT without an entry, EINVAL for what is no link."""
        target = self._tree.store.info(self._path(name)).target
        if target is None:
            raise failure(errno.EINVAL)
        return target

    def make_dir(self, name: str) -> None:
        """Create a directory; EEXIST, ENOENT in a removed one, ENAMETOOLONG too deep, or EPERM."""
        self._changing()
        with self._tree.lock:
            path = self._path(name)
            self._tree.make_dir(self._place.path, path)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY, or EPERM where read-only."""
        self._changing()
        with self._tree.lock:
            path = self._path(name)
            self._tree.remove_dir(self._place.path, path)

    def unlink(self, name: str) -> None:
        """Remove a name; ENOENT, EISDIR for a directory, or EPERM where read-only."""
        self._changing()
        with self._tree.lock:
            path = self._path(name)
            self._tree.unlink(self._place.path, path)

    def symlink(self, name: str, target: str) -> None:
        """Raise ENOTSUP; EPERM where read-only, EEXIST and ENOENT as where there are links."""
        self._changing()
        with self._tree.lock:
            if self._tree.find(self._path(name)) is not None:
                raise failure(errno.EEXIST)
        raise unsupported()

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Raise ENOTSUP; before it what is wrong with the names, as where there are links."""
        to = self._same_filesystem(to)
        with self._tree.lock:
            info = self._tree.store.info(self._path(name))
            if self._tree.find(to._path(to_name)) is not None:
                raise failure(errno.EEXIST)
        raise failure(errno.EPERM) if info.filetype == DIRECTORY else unsupported()

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry, replacing what a file or an empty directory may replace.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EINVAL into its own
                subtree; ENOTEMPTY over an ancestor or a directory that is not empty; EISDIR a
                file over a directory; ENOTDIR a directory over anything else; ENOTSUP for a
                symbolic link; EPERM where read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        tree = self._tree
        with tree.lock:
            path = self._path(name)
            if to._place.removed is not None:
                tree.store.info(path)
            tree.rename(self._place.path, path, to._place.path, to._path(to_name))

    def _path(self, name: str) -> str:
        """Return the path of an entry; ENOENT in a removed directory."""
        if self._place.removed is not None:
            raise failure(errno.ENOENT)
        path = self._place.path
        return f"/{name}" if path == "/" else f"{path}/{name}"

    def _same_filesystem(self, to: Directory) -> "PathDirectory":
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, PathDirectory) or to._tree is not self._tree:
            raise failure(errno.EXDEV)
        return to

    def _changing(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
