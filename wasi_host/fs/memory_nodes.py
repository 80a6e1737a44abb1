"""Open directories of a memory filesystem.

Sharing: one lock per filesystem guards changes of names; looking one up takes none.
"""

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
    check_replacing,
    stat_of,
)
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.memory_tree import MAX_DEPTH
from wasi_host.fs.node import Directory, Dirent, Node, Stat
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, NO_NAMES, check_name, failure


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

    def reopen(self) -> "MemoryDirectory":
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

    def jump(self, path: str) -> "MemoryDirectory | None":
        """Return the directory at ``path``, or None: walk."""
        place = self.inode
        for part in path.split("/"):
            # Neither '' nor '.' nor '..' is an entry.
            inode = place.entries.get(part)
            if not isinstance(inode, DirectoryInode):
                return None
            place = inode
        return MemoryDirectory(self.store, place, self.readonly, self.budget)

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat; see ``ResolvedDirectory.open_at``."""
        above, _, name = path.rpartition("/")
        if above and name not in NO_NAMES and not (mode & CHANGES and self.readonly):
            directory = self.jump(above)
            # A link may lead up again, which only the walk knows.
            if directory is not None and not directory.has_link(name):
                check_name(directory, name)
                return directory.open_entry(name, mode)
        return super().open_at(path, mode, follow)

    def has_link(self, name: str) -> bool:
        """Tell whether there is a link of this name."""
        return isinstance(self.inode.entries.get(name), LinkInode)

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat; see ``ResolvedDirectory.stat_at``."""
        above, slash, name = path.rpartition("/")
        directory = self.jump(above) if slash else self
        if directory is not None:
            inode = directory.inode.entries.get(name)
            if inode is not None and not (follow and isinstance(inode, LinkInode)):
                return stat_of(self.store, inode)
        return super().stat_at(path, follow)

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
        inode = self.inode.entries.get(name)
        if inode is None:
            if not mode & os.O_CREAT:
                raise failure(errno.ENOENT)
            made, inode = self._create(name)
            if made:
                return MemoryFile(self.store, made, self.readonly, self.budget)
        if mode & os.O_CREAT and mode & os.O_EXCL:
            raise failure(errno.EEXIST)
        if isinstance(inode, FileInode):
            if mode & os.O_DIRECTORY:
                raise failure(errno.ENOTDIR)
            node = MemoryFile(self.store, inode, self.readonly, self.budget)
            if mode & os.O_TRUNC:
                node.truncate(0)
            return node
        if isinstance(inode, DirectoryInode):
            if mode & CHANGES:
                raise failure(errno.EISDIR)
            return MemoryDirectory(self.store, inode, self.readonly, self.budget)
        raise failure(errno.ELOOP)

    def _create(self, name: str) -> tuple[FileInode | None, Inode]:
        """Create a file, unless somebody else did meanwhile: return what is there, new first."""
        with self.store.lock:
            present = self.inode.entries.get(name)
            if present is not None:
                return None, present
            store = self.store
            inode = FileInode(store.new_inode(self.budget), store.clock(), store.usage)
            self._add(name, inode)
            return inode, inode

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT without one."""
        return stat_of(self.store, self._entry(name))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry exactly; ENOENT, or EPERM where read-only."""
        self._changing()
        change_times(self.store, self._entry(name), atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target; ENOENT without an entry, EINVAL for what is no link."""
        inode = self._entry(name)
        if not isinstance(inode, LinkInode):
            raise failure(errno.EINVAL)
        return inode.target

    def make_dir(self, name: str) -> None:
        """Create a directory; EEXIST, ENOENT in a removed one, ENAMETOOLONG too deep, EDQUOT."""
        self._changing()
        with self.store.lock:
            self._absent(name)
            depth, place = 1, self.inode.parent
            while place is not None:
                depth, place = depth + 1, place.parent
            if depth >= MAX_DEPTH:
                raise failure(errno.ENAMETOOLONG)
            ino = self.store.new_inode(self.budget)
            self._add(name, DirectoryInode(ino, self.inode, self.store.clock()))

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            inode = self._entry(name)
            if not isinstance(inode, DirectoryInode):
                raise failure(errno.ENOTDIR)
            if inode.entries:
                raise failure(errno.ENOTEMPTY)
            self._drop(name, inode)

    def unlink(self, name: str) -> None:
        """Remove a name; ENOENT, EISDIR for a directory, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            inode = self._entry(name)
            if isinstance(inode, DirectoryInode):
                raise failure(errno.EISDIR)
            self._drop(name, inode)

    def symlink(self, name: str, target: str) -> None:
        """Create a link; EEXIST, ENOENT in a removed directory, or EPERM where read-only."""
        self._changing()
        with self.store.lock:
            self._absent(name)
            size = len(target.encode("utf-8", "surrogateescape"))
            self.budget.check_bytes(self.store.usage, size)
            ino = self.store.new_inode(self.budget)
            self.store.usage.bytes += size
            self._add(name, LinkInode(ino, target, self.store.clock()))

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EEXIST over any name;
                EPERM for a directory, or where read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        with self.store.lock:
            inode = self._entry(name)
            to._absent(to_name)
            if isinstance(inode, DirectoryInode):
                raise failure(errno.EPERM)
            self._note(inode)
            inode.nlink += 1
            inode.ctime = self.store.clock()
            to._add(to_name, inode)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry, replacing what a file or an empty directory may replace.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EINVAL into its own
                subtree; ENOTEMPTY over an ancestor or a directory that is not empty; EISDIR a
                file over a directory; ENOTDIR a directory over anything else; EPERM where
                read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        with self.store.lock:
            inode = self._entry(name)
            if not to.inode.nlink:
                raise failure(errno.ENOENT)
            present = to.inode.entries.get(to_name)
            # Where things stand first, then the kinds, then what is inside: Linux's order.
            if to.inode.is_below(inode):
                raise failure(errno.EINVAL)
            if present is not None:
                if self.inode.is_below(present):
                    raise failure(errno.ENOTEMPTY)
                if present is inode:
                    return
                check_replacing(inode, present)
                to._drop(to_name, present)
            self._take(name, inode)
            inode.ctime = self.store.clock()
            to._add(to_name, inode)

    # Below: the caller holds the lock, where it changes anything.

    def _entry(self, name: str) -> Inode:
        inode = self.inode.entries.get(name)
        if inode is None:
            raise failure(errno.ENOENT)
        return inode

    def _absent(self, name: str) -> None:
        if not self.inode.nlink:
            raise failure(errno.ENOENT)
        if name in self.inode.entries:
            raise failure(errno.EEXIST)

    def _add(self, name: str, inode: Inode) -> None:
        place = self.inode
        if not place.nlink:
            raise failure(errno.ENOENT)
        self._note(inode)
        place.entries[name] = inode
        if isinstance(inode, DirectoryInode):
            inode.parent = place
            place.nlink += 1
        place.mtime = place.ctime = self.store.clock()

    def _take(self, name: str, inode: Inode) -> None:
        place = self.inode
        self._note(inode)
        del place.entries[name]
        if isinstance(inode, DirectoryInode):
            place.nlink -= 1
        place.mtime = place.ctime = self.store.clock()

    def _drop(self, name: str, inode: Inode) -> None:
        self._take(name, inode)
        inode.nlink = 0 if isinstance(inode, DirectoryInode) else inode.nlink - 1
        # A file goes with its inode, which may still be open.
        if not inode.nlink and not isinstance(inode, FileInode):
            self.store.usage.inodes -= 1
            self.store.usage.bytes -= inode.size if isinstance(inode, LinkInode) else 0
        inode.ctime = self.store.clock()

    def _note(self, inode: Inode) -> None:
        """Tell a snapshot that an inode's names are about to change, and this directory's."""
        journal = self.store.journal
        if journal is not None:
            journal.note(self.inode)
            journal.note(inode)

    def _same_filesystem(self, to: Directory) -> "MemoryDirectory":
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, MemoryDirectory) or to.store is not self.store:
            raise failure(errno.EXDEV)
        return to

    def _changing(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
