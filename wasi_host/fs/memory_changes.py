"""What is different in a memory filesystem since a snapshot was taken.

All names are looked at, those of the snapshot and those of now, but only the bytes that were
overwritten since. A directory that was moved is one change, whatever is in it.
"""

from collections.abc import Callable, Iterator

from wasi_host.fs.change import Change
from wasi_host.fs.change_version import Version
from wasi_host.fs.changes import Changes
from wasi_host.fs.memory_data import DirectoryInode, FileInode, Inode, LinkInode, Store
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.memory_snapshot import Noted, Snapshot, noted_since

__all__ = ["changes_since"]


def changes_since(store: Store, root: DirectoryInode, snapshot: Snapshot) -> Changes:
    """Return all that differs from a snapshot, in the order of paths.

    Raises:
        ValueError: the snapshot is of another filesystem, or is over.
    """
    with store.lock:
        noted = noted_since(store, snapshot)
        before = dict(_walk(root, lambda place: _names(noted, place)))
        after = dict(_walk(root, lambda place: place.entries))
        return Changes(sorted(_compare(store, noted, before, after), key=_order))


def _order(change: Change) -> tuple[list[str], bool]:
    return change.path.split("/"), change.kind != "deleted"


def _names(noted: dict[Inode, Noted], place: DirectoryInode) -> dict[str, Inode]:
    known = noted.get(place)
    return place.entries if known is None else known.entries


def _walk(
    root: DirectoryInode, names: Callable[[DirectoryInode], dict[str, Inode]]
) -> Iterator[tuple[str, Inode]]:
    todo = [(root, "")]
    while todo:
        place, above = todo.pop()
        for name, inode in names(place).items():
            yield f"{above}{name}", inode
            if isinstance(inode, DirectoryInode):
                todo.append((inode, f"{above}{name}/"))


def _compare(
    store: Store, noted: dict[Inode, Noted], before: dict[str, Inode], after: dict[str, Inode]
) -> Iterator[Change]:
    gone = {path: inode for path, inode in before.items() if after.get(path) is not inode}
    places = {inode: path for path, inode in reversed(gone.items())}
    moved: dict[str, str] = {}
    for path, inode in after.items():
        old = places.get(inode)
        if before.get(path) is not inode and old is not None and old not in moved:
            moved[old] = path
    olds = {path: old for old, path in moved.items()}
    for path, inode in after.items():
        was = before.get(path)
        old = olds.get(path)
        now = _version(store, path, inode, None)
        if old is not None:
            if not _moved_with_its_directory(old, path, olds):
                yield Change("renamed", path, _version(store, old, inode, noted.get(inode)), now)
            elif _has_changed(inode, noted.get(inode)):
                yield Change("changed", path, _version(store, old, inode, noted.get(inode)), now)
        elif was is inode:
            if _has_changed(inode, noted.get(inode)):
                yield Change("changed", path, _version(store, path, was, noted.get(was)), now)
        elif was is None or path in moved or was.filetype != inode.filetype:
            yield Change("created", path, None, now)
        elif not isinstance(inode, DirectoryInode):
            earlier = _version(store, path, was, noted.get(was))
            if not earlier.same_as(now):
                yield Change("changed", path, earlier, now)
    for path, inode in gone.items():
        there = after.get(path)
        replaced = there is not None and path not in olds and there.filetype == inode.filetype
        if path not in moved and not replaced:
            yield Change("deleted", path, _version(store, path, inode, noted.get(inode)), None)


def _moved_with_its_directory(old: str, path: str, olds: dict[str, str]) -> bool:
    above, _, name = path.rpartition("/")
    old_above, _, old_name = old.rpartition("/")
    return name == old_name and olds.get(above) == old_above


def _has_changed(inode: Inode, known: Noted | None) -> bool:
    """Tell whether a file has other bytes than were noted."""
    if known is None or not isinstance(inode, FileInode):
        return False
    if inode.size != known.size:
        return True
    return any(inode.read(len(data), begin) != data for begin, data in known.pieces())


def _version(store: Store, path: str, inode: Inode, known: Noted | None) -> Version:
    """Return what is at a path; with ``known``, what was."""
    mtime = inode.mtime if known is None else known.times[1]
    if isinstance(inode, LinkInode):
        return Version(path, inode.filetype, inode.size, mtime, inode.target)
    if not isinstance(inode, FileInode):
        return Version(path, inode.filetype, 0, mtime)
    if known is None:
        opener = lambda: MemoryFile(store, inode, True)  # noqa: E731  it belongs to one version
        return Version(path, inode.filetype, inode.size, mtime, opener=opener)
    kept = known
    return Version(
        path, inode.filetype, kept.size, mtime, opener=lambda: _Earlier(store, inode, kept)
    )


class _Earlier(MemoryFile):
    """A file as it was when it was noted."""

    __slots__ = ("_known",)

    def __init__(self, store: Store, inode: FileInode, known: Noted) -> None:
        super().__init__(store, inode, True)
        self._known = known

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``, as they were."""
        size = min(size, self._known.size - offset)
        if size <= 0:
            return b""
        with self.store.lock:
            data = bytearray(self.inode.read(size, offset).ljust(size, b"\0"))
        for begin, piece in self._known.pieces():
            low, high = max(begin, offset), min(begin + len(piece), offset + size)
            if low < high:
                data[low - offset : high - offset] = piece[low - begin : high - begin]
        return bytes(data)
