"""Open directories of a memory filesystem.

Sharing: one lock per filesystem guards changes of names; looking one up takes none.
"""

from __future__ import annotations

import errno
import os

from wasi_host.fs.budget import UNLIMITED, Budget
from wasi_host.fs.memory_data import (
    DirectoryInode,
    FileInode,
    Inode,
    LinkInode,
    Store,
    change_times,
    stat_of,
)
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.memory_names import (
    add,
    check_absent,
    find,
    make_dir,
    move,
    note,
    remove_dir,
    unlink,
)
from wasi_host.fs.node import Directory, Dirent, Node, Stat
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, NO_NAMES, failure

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: So many characters are never over 255 bytes, so a name of them need not be measured.
_SHORT: Final = 63
_CREAT: Final = os.O_CREAT
_EXCLUSIVE: Final = os.O_CREAT | os.O_EXCL
_TRUNC: Final = os.O_TRUNC
_DIRECTORY: Final = os.O_DIRECTORY


class MemoryDirectory(ResolvedDirectory):
    """An open directory in memory."""

    __slots__ = ("budget", "inode", "readonly", "store")

    def __init__(
        self, store: Store, inode: DirectoryInode, readonly: bool, budget: Budget = UNLIMITED
    ) -> None:
        self.store = store
        self.inode = inode
        self.readonly = readonly
        self.budget = budget

    def reopen(self) -> MemoryDirectory:
        """Return another node of this directory."""
        return MemoryDirectory(self.store, self.inode, self.readonly, self.budget)

    def stat(self) -> Stat:
        """Return the attributes."""
        return stat_of(self.store, self.inode)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times exactly; EPERM in a read-only filesystem."""
        self._changing()
        change_times(self.store, self.inode, atime_ns, mtime_ns)

    def entries(self) -> list[Dirent]:
        """Return the entries as they are at this moment, in order of creation."""
        new, entry = tuple.__new__, Dirent
        return [
            new(entry, (name, inode.ino, inode.filetype))
            for name, inode in list(self.inode.entries.items())
        ]

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root."""
        parent = self.inode.parent
        return None if parent is None else parent.ino

    # Shortcuts through directories alone; what meets anything else is walked.

    def jump(self, path: str) -> MemoryDirectory | None:
        """Return the directory at ``path``, or None: walk."""
        place = self._below(path)
        if place is None:
            return None
        return MemoryDirectory(self.store, place, self.readonly, self.budget)

    def _below(self, path: str) -> DirectoryInode | None:
        place = self.inode
        if "/" not in path:
            inode = place.entries.get(path)
            return inode if isinstance(inode, DirectoryInode) else None
        for part in path.split("/"):
            # Neither '' nor '.' nor '..' is an entry.
            inode = place.entries.get(part)
            if not isinstance(inode, DirectoryInode):
                return None
            place = inode
        return place

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat; see ``ResolvedDirectory.open_at``."""
        above, slash, name = path.rpartition("/")
        if name not in NO_NAMES and not (mode & CHANGES and self.readonly):
            place = self._below(above) if slash else self.inode
            inode = None if place is None else place.entries.get(name)
            # A link may lead up again, which only the walk knows; it also measures new names.
            if place and not isinstance(inode, LinkInode) and (inode or len(name) <= _SHORT):
                return self._open(place, name, inode, mode)
        return super().open_at(path, mode, follow)

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat; see ``ResolvedDirectory.stat_at``."""
        above, slash, name = path.rpartition("/")
        place = self._below(above) if slash else self.inode
        if place is not None:
            inode = place.entries.get(name)
            if inode is not None and not (follow and isinstance(inode, LinkInode)):
                return stat_of(self.store, inode)
        return super().stat_at(path, follow)

    def _named(self, path: str) -> tuple[DirectoryInode | None, str]:
        """Return where a path's last name belongs, and that name; None: the walk must tell."""
        above, slash, name = path.rpartition("/")
        if name in NO_NAMES or len(name) > _SHORT:
            return None, name
        return self._below(above) if slash else self.inode, name

    def make_dir_at(self, path: str) -> None:
        """Create a directory, like mkdirat; see ``ResolvedDirectory.make_dir_at``."""
        place, name = self._named(path)
        if place is None or self.readonly:
            return super().make_dir_at(path)
        with self.store.lock:
            return make_dir(self.store, self.budget, place, name)

    def remove_dir_at(self, path: str) -> None:
        """Remove an empty directory; see ``ResolvedDirectory.remove_dir_at``."""
        place, name = self._named(path)
        if place is None or self.readonly:
            return super().remove_dir_at(path)
        with self.store.lock:
            return remove_dir(self.store, place, name)

    def unlink_at(self, path: str) -> None:
        """Remove a name, like unlinkat; see ``ResolvedDirectory.unlink_at``."""
        place, name = self._named(path)
        if place is None or self.readonly:
            return super().unlink_at(path)
        with self.store.lock:
            return unlink(self.store, place, name)

    def rename_at(self, path: str, to: Directory, to_path: str) -> None:
        """Move, like renameat; see ``ResolvedDirectory.rename_at``."""
        if isinstance(to, MemoryDirectory) and to.store is self.store:
            place, name = self._named(path)
            target, to_name = to._named(to_path)
            if place and target and not (self.readonly or to.readonly):
                with self.store.lock:
                    return move(self.store, place, name, target, to_name)
        return super().rename_at(path, to, to_path)

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry.

        Raises:
            OSError: ENOENT, EEXIST with CREAT | EXCL; ELOOP for a link; EISDIR for writing,
                creating or cutting a directory; ENOTDIR for DIRECTORY on a file; EPERM for a
                change where read-only.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        return self._open(self.inode, name, self.inode.entries.get(name), mode)

    def _open(self, place: DirectoryInode, name: str, inode: Inode | None, mode: int) -> Node:
        """Open what was found by a name in ``place``, here or below; None: nothing was."""
        if inode is None:
            if not mode & _CREAT:
                raise failure(errno.ENOENT)
            made, inode = self._create(place, name)
            if made:
                return MemoryFile(self.store, made, self.readonly, self.budget)
        if mode & _EXCLUSIVE == _EXCLUSIVE:
            raise failure(errno.EEXIST)
        if isinstance(inode, FileInode):
            if mode & _DIRECTORY:
                raise failure(errno.ENOTDIR)
            node = MemoryFile(self.store, inode, self.readonly, self.budget)
            if mode & _TRUNC:
                node.truncate(0)
            return node
        if isinstance(inode, DirectoryInode):
            if mode & CHANGES:
                raise failure(errno.EISDIR)
            return MemoryDirectory(self.store, inode, self.readonly, self.budget)
        raise failure(errno.ELOOP)

    def _create(self, place: DirectoryInode, name: str) -> tuple[FileInode | None, Inode]:
        """Create a file, unless somebody else did meanwhile: return what is there, new first."""
        store = self.store
        with store.lock:
            present = place.entries.get(name)
            if present is not None:
                return None, present
            now = store.clock()
            inode = FileInode(store.new_inode(self.budget), now, store.usage)
            add(store, place, name, inode, now)
            return inode, inode

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT without one."""
        return stat_of(self.store, find(self.inode, name))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry exactly; ENOENT, or EPERM where read-only."""
        self._changing()
        change_times(self.store, find(self.inode, name), atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target; ENOENT without an entry, EINVAL for what is no link."""
        inode = find(self.inode, name)
        if not isinstance(inode, LinkInode):
            raise failure(errno.EINVAL)
        return inode.target

    def make_dir(self, name: str) -> None:
        """Create a directory; EEXIST, ENOENT in a removed one, ENAMETOOLONG too deep, EDQUOT."""
        self._changing()
        with self.store.lock:
            make_dir(self.store, self.budget, self.inode, name)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            remove_dir(self.store, self.inode, name)

    def unlink(self, name: str) -> None:
        """Remove a name; ENOENT, EISDIR for a directory, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            unlink(self.store, self.inode, name)

    def symlink(self, name: str, target: str) -> None:
        """Create a link; EEXIST, ENOENT in a removed directory, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            check_absent(self.inode, name)
            size = len(target.encode("utf-8", "surrogateescape"))
            self.budget.check_bytes(self.store.usage, size)
            ino, now = self.store.new_inode(self.budget), self.store.clock()
            self.store.usage.bytes += size
            add(self.store, self.inode, name, LinkInode(ino, target, now), now)

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EEXIST over any name;
                EPERM for a directory, or where read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        with self.store.lock:
            inode = find(self.inode, name)
            check_absent(to.inode, to_name)
            if isinstance(inode, DirectoryInode):
                raise failure(errno.EPERM)
            note(self.store, self.inode, inode)
            inode.nlink += 1
            inode.ctime = now = self.store.clock()
            add(self.store, to.inode, to_name, inode, now)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry; the errors of ``memory_names.move``.

        Raises:
            OSError: EPERM where read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        with self.store.lock:
            move(self.store, self.inode, name, to.inode, to_name)

    def _same_filesystem(self, to: Directory) -> MemoryDirectory:
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, MemoryDirectory) or to.store is not self.store:
            raise failure(errno.EXDEV)
        return to

    def _changing(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
