"""An open directory of an overlay: what each operation on a name does."""

import errno
import os
from typing import Final

from wasi_host.fs.memory_data import LinkInode, change_times
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.memory_tree import MAX_DEPTH
from wasi_host.fs.node import Directory, Dirent, File, Node, Stat, Stream
from wasi_host.fs.overlay_file import OverlayFile
from wasi_host.fs.overlay_index import (
    UNKNOWN,
    Entry,
    LayeredDirectory,
    LayeredFile,
    LayeredSpecial,
    Unknown,
    is_touched,
)
from wasi_host.fs.overlay_names import OverlayNames
from wasi_host.fs.walk import CHANGES, failure

__all__ = ["OverlayDirectory"]

_EXCLUSIVE: Final = os.O_CREAT | os.O_EXCL


class OverlayDirectory(OverlayNames):
    """An open directory of an overlay."""

    __slots__ = ()

    def stat(self) -> Stat:
        """Return the attributes."""
        return self._layers.stat(self.inode)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times exactly; EPERM where read-only."""
        self._changing()
        with self._layers.lock:
            change_times(self._layers.store, self._layers.touch(self.inode), atime_ns, mtime_ns)

    def entries(self) -> list[Dirent]:
        """Return the entries: what the lower directory lists, then the new names."""
        inode, layers = self.inode, self._layers
        if inode.lower is None:
            below: list[Dirent] = []
        else:
            below = list(layers.lower.entries(inode.lower))
        with layers.lock:
            own = dict(inode.own)
        if not own:
            return below
        listed = []
        for entry in below:
            known = own.pop(entry.name, UNKNOWN)
            if isinstance(known, Unknown):
                listed.append(entry)
            elif known is not None:
                listed.append(self._dirent(entry.name, known, entry))
        for name, known in own.items():
            # What is only remembered is listed by the lower tree as long as it is there.
            if known is not None and is_touched(known):
                listed.append(self._dirent(name, known, None))
        return listed

    def _dirent(self, name: str, inode: Entry, entry: Dirent | None) -> Dirent:
        if entry is not None and not is_touched(inode):
            return entry
        if isinstance(inode, LayeredFile):
            assert inode.copy is not None
            return Dirent(name, inode.copy.ino, inode.filetype)
        return Dirent(name, inode.ino, inode.filetype)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root."""
        parent = self.inode.parent
        return None if parent is None else self._layers.stat(parent)[1]

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry.

        Raises:
            OSError: ENOENT, EEXIST with CREAT | EXCL; ELOOP for a link; EISDIR for writing,
                creating or cutting a directory; ENOTDIR for DIRECTORY on a file; EPERM for a
                change where read-only; what the lower tree says.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        with self._layers.lock:
            known = self.inode.own.get(name, UNKNOWN)
            if known is None:
                node = self._create(name, mode)
            elif not isinstance(known, Unknown):
                node = self._open_known(known, mode)
            else:
                node = self._open_below(name, mode)
        if mode & os.O_TRUNC and isinstance(node, File):
            try:
                node.truncate(0)
            except BaseException:
                node.close()
                raise
        return node

    def _create(self, name: str, mode: int) -> Node:
        """Create a file; ENOENT where that was not asked for."""
        inode, layers = self.inode, self._layers
        if not mode & os.O_CREAT or (not inode.nlink):
            raise failure(errno.ENOENT)
        self._count_new()
        made = layers.upper.new_file(inode, name, layers.new_ino(), layers.store.clock())
        self._add(name, made)
        return self._open_known(made, mode & ~os.O_EXCL)

    def _open_known(self, inode: Entry, mode: int) -> Node:
        """Open what the index knows."""
        if mode & _EXCLUSIVE == _EXCLUSIVE:
            raise failure(errno.EEXIST)
        if isinstance(inode, LayeredDirectory):
            if mode & CHANGES:
                raise failure(errno.EISDIR)
            return self._at(inode)
        if isinstance(inode, LinkInode):
            raise failure(errno.ELOOP)
        if mode & os.O_DIRECTORY:
            raise failure(errno.ENOTDIR)
        if isinstance(inode, LayeredSpecial):
            return self._open_special(inode.lower, mode)
        if isinstance(inode, LayeredFile):
            if not inode.whole or inode.copy is None:
                self._layers.use(inode)
                return OverlayFile(self._layers, inode, self.readonly, mode, self._budget)
            inode = inode.copy
        return MemoryFile(self._layers.store, inode, self.readonly, self._budget)

    def _open_below(self, name: str, mode: int) -> Node:
        """Open what only the lower tree knows, or create it."""
        inode, layers = self.inode, self._layers
        if inode.lower is None:
            return self._create(name, mode)
        path = inode.below(name)
        if mode & _EXCLUSIVE == _EXCLUSIVE:
            if layers.lower.find(path) is not None:
                raise failure(errno.EEXIST)
            return self._create(name, mode)
        try:
            node = layers.lower.open(path, mode)
        except FileNotFoundError:
            return self._create(name, mode)
        if isinstance(node, Directory):
            node.close()
            if mode & CHANGES:
                raise failure(errno.EISDIR)
            made = inode.own[name] = LayeredDirectory(inode, path, name)
            return self._at(made)
        if isinstance(node, File) and node.filetype == LayeredFile.filetype:
            file = LayeredFile(path)
            file.home = (inode, name)
            layers.use(file, node)
            inode.own[name] = file
            return OverlayFile(layers, file, self.readonly, mode, self._budget)
        if not mode & CHANGES:
            return node
        node.close()
        return self._open_special(path, mode)

    def _open_special(self, path: str, mode: int) -> Node:
        node = self._layers.lower.open_stream(path, mode)
        if isinstance(node, Stream):
            return node
        node.close()
        raise failure(errno.EPERM)

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT."""
        known = self.inode.own.get(name, UNKNOWN)
        if known is None:
            raise failure(errno.ENOENT)
        if not isinstance(known, Unknown):
            return self._layers.stat(known)
        return self._layers.ours(self._below(name))

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry, of a link itself; ENOENT, or EPERM where read-only."""
        self._changing()
        layers = self._layers
        with layers.lock:
            change_times(layers.store, layers.touch(self._entry(name)), atime_ns, mtime_ns)

    def read_link(self, name: str) -> str:
        """Return a link's target; EINVAL for what is no link, ENOENT."""
        known = self.inode.own.get(name, UNKNOWN)
        if known is None:
            raise failure(errno.ENOENT)
        if isinstance(known, LinkInode):
            return known.target
        if not isinstance(known, Unknown):
            raise failure(errno.EINVAL)
        if self.inode.lower is None:
            raise failure(errno.ENOENT)
        return self._layers.lower.read_link(self.inode.below(name))

    def make_dir(self, name: str) -> None:
        """Create a directory; EEXIST, ENOENT in a removed one, ENAMETOOLONG if too deep, EPERM."""
        self._changing()
        layers, inode = self._layers, self.inode
        with layers.lock:
            self._absent(name)
            depth, place = 1, inode.parent
            while place is not None:
                depth, place = depth + 1, place.parent
            if depth >= MAX_DEPTH:
                raise failure(errno.ENAMETOOLONG)
            self._count_new()
            layers.upper.make_dir(inode, name)
            made = LayeredDirectory(inode, None, name)
            made.ino, made.touched = layers.new_ino(), True
            made.atime = made.mtime = made.ctime = layers.store.clock()
            self._add(name, made)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY, or EPERM where read-only."""
        self._changing()
        with self._layers.lock:
            inode = self._entry(name)
            if not isinstance(inode, LayeredDirectory):
                raise failure(errno.ENOTDIR)
            self._check_empty(inode)
            self._layers.upper.remove(self.inode, name, inode)
            self._drop(name, inode)

    def unlink(self, name: str) -> None:
        """Remove a name; ENOENT, EISDIR for a directory, or EPERM where read-only."""
        self._changing()
        with self._layers.lock:
            inode = self._entry(name)
            if isinstance(inode, LayeredDirectory):
                raise failure(errno.EISDIR)
            self._layers.upper.remove(self.inode, name, inode)
            self._drop(name, inode)

    def symlink(self, name: str, target: str) -> None:
        """Create a link; EEXIST, ENOENT in a removed directory, or EPERM where read-only."""
        self._changing()
        layers = self._layers
        with layers.lock:
            self._absent(name)
            self._count_new(len(target.encode("utf-8", "surrogateescape")))
            layers.upper.symlink(self.inode, name, target)
            self._add(name, LinkInode(layers.new_ino(), target, layers.store.clock()))

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name: a lower file too, of which nothing is copied.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EEXIST over any name;
                EPERM for a directory, or where read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        layers = self._layers
        with layers.lock:
            inode = self._entry(name)
            to._absent(to_name)
            if isinstance(inode, LayeredDirectory):
                raise failure(errno.EPERM)
            layers.upper.link(inode, to.inode, to_name)
            own = layers.touch(inode)
            own.nlink += 1
            own.ctime = layers.store.clock()
            to._add(to_name, inode)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry: a lower file or directory too, of which nothing is copied.

        Raises:
            OSError: ENOENT without a source or in a removed directory; EINVAL into its own
                subtree; ENOTEMPTY over an ancestor or a directory that is not empty; EISDIR a
                file over a directory; ENOTDIR a directory over anything else; EPERM where
                read-only; EXDEV to another filesystem.
        """
        to = self._same_filesystem(to)
        layers = self._layers
        with layers.lock:
            inode = self._entry(name)
            if not to.inode.nlink:
                raise failure(errno.ENOENT)
            present = to.present(to_name)
            # Where things stand first, then the kinds, then what is inside: Linux's order.
            if to.inode.is_below(inode):
                raise failure(errno.EINVAL)
            if present is not None:
                if self.inode.is_below(present):
                    raise failure(errno.ENOTEMPTY)
                if present is inode or self._are_one(inode, present):
                    return
                self._check_replacing(inode, present)
            # All that may fail comes before the first change.
            own = layers.touch(inode)
            layers.touch(self.inode)
            layers.touch(to.inode)
            layers.upper.rename(self.inode, name, to.inode, to_name, inode, present)
            if present is not None:
                to._drop(to_name, present)
            self._take(name, inode)
            own.ctime = layers.store.clock()
            to._add(to_name, inode)
