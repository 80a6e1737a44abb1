"""The names in a memory filesystem: adding, taking and moving them, and telling a snapshot.

Whoever calls these holds the lock of the filesystem, and has seen that it may be changed.
"""

import errno

from wasi_host.fs.budget import Budget
from wasi_host.fs.memory_data import DirectoryInode, FileInode, Inode, LinkInode, Store
from wasi_host.fs.memory_tree import MAX_DEPTH
from wasi_host.fs.walk import failure

__all__ = [
    "add", "check_absent", "find", "make_dir", "move", "note", "remove_dir", "unlink",
]  # fmt: skip


def find(place: DirectoryInode, name: str) -> Inode:
    """Return what a name refers to; ENOENT without one."""
    inode = place.entries.get(name)
    if inode is None:
        raise failure(errno.ENOENT)
    return inode


def check_absent(place: DirectoryInode, name: str) -> None:
    """Check that a name may be made: ENOENT in a removed directory, EEXIST where it is."""
    if not place.nlink:
        raise failure(errno.ENOENT)
    if name in place.entries:
        raise failure(errno.EEXIST)


def note(store: Store, place: DirectoryInode, inode: Inode) -> None:
    """Tell a snapshot that a directory's names, and what one refers to, are about to change."""
    journal = store.journal
    if journal is not None:
        journal.note(place)
        journal.note(inode)


def add(store: Store, place: DirectoryInode, name: str, inode: Inode, now: int) -> None:
    """Add a name that is not there; ENOENT in a removed directory."""
    if not place.nlink:
        raise failure(errno.ENOENT)
    if store.journal is not None:
        note(store, place, inode)
    place.entries[name] = inode
    if isinstance(inode, DirectoryInode):
        inode.parent = place
        place.nlink += 1
    place.mtime = place.ctime = now


def _drop(store: Store, place: DirectoryInode, name: str, inode: Inode, now: int) -> None:
    """Remove a name, and what it refers to with its last one."""
    if store.journal is not None:
        note(store, place, inode)
    del place.entries[name]
    if isinstance(inode, DirectoryInode):
        place.nlink -= 1
        inode.nlink = 0
    else:
        inode.nlink -= 1
    place.mtime = place.ctime = inode.ctime = now
    # A file goes with its inode, which may still be open.
    if not inode.nlink and not isinstance(inode, FileInode):
        store.usage.inodes -= 1
        store.usage.bytes -= inode.size if isinstance(inode, LinkInode) else 0


def make_dir(store: Store, budget: Budget, place: DirectoryInode, name: str) -> None:
    """Create a directory; the errors of ``check_absent``, ENAMETOOLONG too deep, EDQUOT."""
    check_absent(place, name)
    depth, above = 1, place.parent
    while above is not None:
        depth, above = depth + 1, above.parent
    if depth >= MAX_DEPTH:
        raise failure(errno.ENAMETOOLONG)
    ino, now = store.new_inode(budget), store.clock()
    add(store, place, name, DirectoryInode(ino, place, now), now)


def remove_dir(store: Store, place: DirectoryInode, name: str) -> None:
    """Remove an empty directory; ENOENT, ENOTDIR, ENOTEMPTY."""
    inode = find(place, name)
    if not isinstance(inode, DirectoryInode):
        raise failure(errno.ENOTDIR)
    if inode.entries:
        raise failure(errno.ENOTEMPTY)
    _drop(store, place, name, inode, store.clock())


def unlink(store: Store, place: DirectoryInode, name: str) -> None:
    """Remove a name; ENOENT, EISDIR for a directory."""
    inode = find(place, name)
    if isinstance(inode, DirectoryInode):
        raise failure(errno.EISDIR)
    _drop(store, place, name, inode, store.clock())


def move(store: Store, place: DirectoryInode, name: str, to: DirectoryInode, to_name: str) -> None:
    """Move an entry, replacing what a file or an empty directory may replace.

    Raises:
        OSError: ENOENT without a source or in a removed directory; EINVAL into its own subtree;
            ENOTEMPTY over an ancestor or a directory that is not empty; EISDIR a file over a
            directory; ENOTDIR a directory over anything else.
    """
    inode = place.entries.get(name)
    if inode is None or not to.nlink:
        raise failure(errno.ENOENT)
    present = to.entries.get(to_name)
    # Where things stand first, then the kinds, then what is inside: Linux's order.
    if isinstance(inode, DirectoryInode) and to.is_below(inode):
        raise failure(errno.EINVAL)
    now = store.clock()
    if present is not None:
        if isinstance(present, DirectoryInode) and place.is_below(present):
            raise failure(errno.ENOTEMPTY)
        if present is inode:
            return
        _check_replacing(inode, present)
        _drop(store, to, to_name, present, now)
    if store.journal is not None:
        note(store, place, inode)
        note(store, to, inode)
    del place.entries[name]
    to.entries[to_name] = inode
    if isinstance(inode, DirectoryInode):
        inode.parent = to
        place.nlink -= 1
        to.nlink += 1
    place.mtime = place.ctime = to.mtime = to.ctime = inode.ctime = now


def _check_replacing(inode: Inode, present: Inode) -> None:
    """Check that a rename may put ``inode`` in the place of ``present``."""
    if isinstance(inode, DirectoryInode):
        if not isinstance(present, DirectoryInode):
            raise failure(errno.ENOTDIR)
        if present.entries:
            raise failure(errno.ENOTEMPTY)
    elif isinstance(present, DirectoryInode):
        raise failure(errno.EISDIR)
