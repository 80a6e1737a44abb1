"""Names in a directory of an overlay: looked up, added and taken away.

A name is first looked for in the index; only one that the index does not know is looked for in
the lower directory, and what is found there is remembered when it is entered, opened or changed.
"""

import errno

from wasi_host.fs.budget import UNLIMITED, Budget
from wasi_host.fs.memory_data import LinkInode
from wasi_host.fs.node import Directory, Node, Stat
from wasi_host.fs.overlay_data import seal_of
from wasi_host.fs.overlay_index import (
    UNKNOWN,
    Entry,
    Hidden,
    LayeredDirectory,
    LayeredFile,
    Unknown,
    is_touched,
    lower_of,
)
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, DIRECTORY, LINK, NO_NAMES, check_name, failure

__all__ = ["OverlayNames"]


class OverlayNames(ResolvedDirectory):
    """An open directory of an overlay, without the operations on it.

    It keeps nothing of the lower tree open.
    """

    __slots__ = ("_budget", "_layers", "inode", "readonly")

    def __init__(
        self,
        layers: Layers,
        inode: LayeredDirectory,
        readonly: bool,
        budget: Budget = UNLIMITED,
    ) -> None:
        self._layers = layers
        self.inode = inode
        self.readonly = readonly
        self._budget = budget

    def close(self) -> None:
        """Keep what is to be known of the overlay, once a root is closed."""
        if self.inode.parent is None:
            self._layers.upper.save()

    def _at(self, inode: LayeredDirectory) -> "OverlayNames":
        """Return a node of a directory."""
        return type(self)(self._layers, inode, self.readonly, self._budget)

    def reopen(self) -> "OverlayNames":
        """Return another node of this directory."""
        return self._at(self.inode)

    # Shortcuts through directories that the index knows; what meets anything else is walked.

    def jump(self, path: str) -> "OverlayNames | None":
        """Return the directory at ``path``, or None: walk."""
        place = self.inode
        for part in path.split("/"):
            # Neither '' nor '.' nor '..' is a name of the index.
            inode = place.own.get(part)
            if not isinstance(inode, LayeredDirectory):
                return None
            place = inode
        return self._at(place)

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat; see ``ResolvedDirectory.open_at``."""
        above, _, name = path.rpartition("/")
        if above and name not in NO_NAMES and not (mode & CHANGES and self.readonly):
            directory = self.jump(above)
            if directory is not None:
                check_name(directory, name)
                try:
                    return directory.open_entry(name, mode)
                except OSError as error:
                    # The link may lead up again, which only the walk knows.
                    if error.errno != errno.ELOOP or not follow:
                        raise
        return super().open_at(path, mode, follow)

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat; see ``ResolvedDirectory.stat_at``."""
        above, _, name = path.rpartition("/")
        if above and name not in NO_NAMES:
            directory = self.jump(above)
            if directory is not None:
                check_name(directory, name)
                stat = directory.stat_entry(name)
                if stat[2] != LINK or not follow:
                    return stat
        return super().stat_at(path, follow)

    def step(self, name: str) -> "OverlayNames":
        """Enter a directory without opening anything of the lower tree."""
        layers, inode = self._layers, self.inode
        known = inode.own.get(name, UNKNOWN)
        if known is UNKNOWN:
            stat = self._below(name)
            if stat[2] == DIRECTORY:
                with layers.lock:
                    if name in inode.own or inode.lower is None:
                        known = inode.own.get(name)
                    else:
                        known = layers.find(inode, name, stat)
            else:
                raise failure(errno.ELOOP if stat[2] == LINK else errno.ENOTDIR)
        if known is None:
            raise failure(errno.ENOENT)
        if isinstance(known, LayeredDirectory):
            return self._at(known)
        raise failure(errno.ELOOP if isinstance(known, LinkInode) else errno.ENOTDIR)

    # All below: the caller holds the lock.

    def _below(self, name: str) -> Stat:
        """Return the attributes of a name that only the lower directory can know."""
        if self.inode.lower is None:
            raise failure(errno.ENOENT)
        return self._layers.lower.stat(self.inode.below(name))

    def present(self, name: str) -> Entry | None:
        """Return what a name refers to, None where there is nothing."""
        known = self.inode.own.get(name, UNKNOWN)
        if not isinstance(known, Unknown):
            return known
        if self.inode.lower is None:
            return None
        stat = self._layers.lower.find(self.inode.below(name))
        return None if stat is None else self._layers.find(self.inode, name, stat)

    def _entry(self, name: str) -> Entry:
        inode = self.present(name)
        if inode is None:
            raise failure(errno.ENOENT)
        return inode

    def _absent(self, name: str) -> None:
        if not self.inode.nlink:
            raise failure(errno.ENOENT)
        if self.present(name) is not None:
            raise failure(errno.EEXIST)

    def _add(self, name: str, inode: Entry) -> None:
        """Let a name refer to an inode."""
        place = self.inode
        self._layers.touch(place)
        place.own[name] = inode
        if isinstance(inode, LayeredDirectory):
            inode.parent, inode.name = place, name
            place.nlink += 1
        place.mtime = place.ctime = self._layers.store.clock()

    def _take(self, name: str, inode: Entry, removed: bool = False) -> None:
        """Let a name refer to nothing, whatever the lower directory has under it."""
        place, layers = self.inode, self._layers
        layers.touch(place)
        path = None if place.lower is None else place.below(name)
        stat = None if path is None else layers.lower.find(path)
        if stat is None:
            place.own.pop(name, None)
        else:
            place.own[name] = None
            if name not in place.hidden:
                at_home = lower_of(inode) == path
                seal = getattr(inode, "seal", None) if at_home else None
                known = inode if removed and at_home else None
                place.hidden[name] = Hidden(
                    seal or seal_of(stat), known if isinstance(known, LayeredDirectory) else None
                )
        if isinstance(inode, LayeredDirectory):
            place.nlink = max(place.nlink - 1, 1)
        place.mtime = place.ctime = layers.store.clock()

    def _drop(self, name: str, inode: Entry) -> None:
        """Remove a name; the directory that it was is gone."""
        own = self._layers.touch(inode)
        self._take(name, inode, removed=True)
        if isinstance(inode, LayeredDirectory):
            if inode.lower is None:
                self._count_gone(0)
            inode.nlink = 0
            inode.lower = None
            inode.own.clear()
        else:
            own.nlink -= 1
            if type(inode) is LinkInode and not inode.nlink:
                self._count_gone(inode.size)
        own.ctime = self._layers.store.clock()

    def _count_new(self, size: int = 0) -> None:
        """Count something new that holds ``size`` bytes; EDQUOT where the run may not have it."""
        store = self._layers.store
        with store.lock:
            self._budget.check_bytes(store.usage, size)
            self._budget.check_inode(store.usage)
            store.usage.inodes += 1
            store.usage.bytes += size

    def _count_gone(self, size: int) -> None:
        """Take a directory or link made here off the account; a file goes with its inode."""
        store = self._layers.store
        with store.lock:
            store.usage.inodes -= 1
            store.usage.bytes -= size

    def _check_empty(self, inode: LayeredDirectory) -> None:
        """Raise ENOTEMPTY where a directory has names in it."""
        own = inode.own
        full = any(known is not None and is_touched(known) for known in own.values())
        if not full and inode.lower is not None:
            below = self._layers.lower.entries(inode.lower)
            full = any(own.get(entry.name, UNKNOWN) is not None for entry in below)
        if full:
            raise failure(errno.ENOTEMPTY)

    def _check_replacing(self, inode: Entry, present: Entry) -> None:
        """Check that a rename may put ``inode`` in the place of ``present``."""
        if isinstance(inode, LayeredDirectory):
            if not isinstance(present, LayeredDirectory):
                raise failure(errno.ENOTDIR)
            self._check_empty(present)
        elif isinstance(present, LayeredDirectory):
            raise failure(errno.EISDIR)

    def _are_one(self, inode: Entry, present: Entry) -> bool:
        """Tell whether both are names of one file, in the lower tree too while nothing differs."""
        if inode is present:
            return True
        files = isinstance(inode, LayeredFile) and isinstance(present, LayeredFile)
        if not files or is_touched(inode) or is_touched(present):
            return False
        return self._layers.stat(inode)[1] == self._layers.stat(present)[1]

    def _same_filesystem(self, to: Directory) -> "OverlayNames":
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not isinstance(to, OverlayNames) or to._layers is not self._layers:
            raise failure(errno.EXDEV)
        return to

    def _changing(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
