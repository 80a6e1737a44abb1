"""Filesystems below each other: what is mounted in a directory is a part of its tree.

Theory of operation
===================

A guest with directories at ``/`` and at ``/data`` has two descriptors, and by the second it
reaches what it means by ``/data/x``. But it may come there by the first one too: it lists ``/``,
walks down from it, or follows a link. So the outer directory shows the inner one at its place.

* The mount points are a small tree of names (``_Point``). At its leaves filesystems are mounted;
  the names on the way are *waypoints*. ``NamespaceDirectory`` stands for a directory of the
  outer tree that has such names: the root, and each waypoint. It answers for these names itself
  and hands all others to the directory underneath. Whatever else is opened, every file above
  all, is what the filesystem underneath opened, and as fast.
* A mount covers what the outer directory has under its name. A waypoint is the outer tree's own
  directory; where that has none (or something else), it is made up: empty but for what leads on,
  never to be written, with an inode number made from its path.
* Paths are walked by ``walk``, name by name, so links and ``..`` work across mounts as in one
  tree. Only a descriptor opened at a mount is a sandbox of its own, as any descriptor is.
* A point cannot be renamed, replaced (EBUSY) or removed (EBUSY; a waypoint is ENOTEMPTY, since
  something is in it). Waypoints neither, unlike Linux, where a mount moves along with a directory
  above it: a guest could put another directory in its place, and names would then mean something
  else by one descriptor than by the other.
* A rename or a link is made between the directories underneath both names (``beneath``), which
  know whether they are of one filesystem: two host directories on one device are, else EXDEV.

Each mount is as read-only as its own filesystem is. ``readonly`` of a ``NamespaceDirectory``, by
which callers refuse early, is therefore true only where everything in it is; its own names are
guarded by the directory underneath.

A filesystem that does not tell ``A`` from ``a`` (as macOS has them) shows a covered directory
under its other spellings.
"""

from __future__ import annotations

import errno
import os
import zlib

from wasi_host.fs.node import Directory, Dirent, FileSystem, Node, Stat
from wasi_host.fs.resolve import ResolvedDirectory
from wasi_host.fs.walk import CHANGES, DIRECTORY, NO_NAMES, Walkable, failure

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from wasi_host.fs.budget import Budget

__all__ = ["Namespace", "NamespaceDirectory"]

#: Inode numbers of made-up directories are above all that a host filesystem has.
_MADE_UP: Final = 3 << 62
_EXCLUSIVE: Final = os.O_CREAT | os.O_EXCL
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY


class _Point:
    """A name at which a filesystem is mounted, or that leads to one.

    Attributes:
        ino: the inode number, should the outer tree have no directory here.
        filesystem: what is mounted; None at a waypoint.
        below: what is in a waypoint, by name.
    """

    __slots__ = ("below", "filesystem", "ino")

    def __init__(self, path: str) -> None:
        self.ino = _MADE_UP | zlib.crc32(path.encode("utf-8", "surrogateescape"))
        self.filesystem: FileSystem | None = None
        self.below: dict[str, _Point] = {}

    def limited(self, budget: Budget) -> _Point:
        """Return the same, with all that is mounted here or below as a run sees it."""
        point = _Point("")
        point.ino = self.ino
        point.filesystem = self.filesystem and self.filesystem.limited(budget)
        point.below = {name: below.limited(budget) for name, below in self.below.items()}
        return point

    def readonly(self) -> bool:
        """Tell whether everything that is mounted here or below is read-only."""
        if self.filesystem is None:
            return all(point.readonly() for point in self.below.values())
        root = self.filesystem.open_root()
        try:
            return root.readonly
        finally:
            root.close()


class Namespace(FileSystem):
    """A filesystem with others mounted in it.

    It keeps nothing open of its own, and closes none of the filesystems.

    Args:
        outer: the filesystem that the others are in.
        mounts: relative path -> what is mounted there. Paths are names and slashes only; one
            may lie below another.
        at: where ``outer`` itself is, such as ``/data``: made-up directories have their inode
            numbers from their whole path.

    Raises:
        ValueError: a path is empty, or has ``.``, ``..``, an empty name or a NUL in it.
    """

    def __init__(self, outer: FileSystem, mounts: Mapping[str, FileSystem], at: str = "") -> None:
        self.outer = outer
        self._top = _Point(at)
        inside: dict[str, dict[str, FileSystem]] = {}
        for path in sorted(mounts, key=len):
            names = path.split("/")
            if "\0" in path or not NO_NAMES.isdisjoint(names):
                raise ValueError(f"{path!r} is no place to mount a filesystem at")
            above = next((one for one in inside if path.startswith(f"{one}/")), None)
            if above is None:
                inside[path] = {}
            else:
                inside[above][path[len(above) + 1 :]] = mounts[path]
        for path in mounts:
            if path in inside:
                filesystem, deeper = mounts[path], inside[path]
                where = f"{at}/{path}"
                self._add(path, Namespace(filesystem, deeper, where) if deeper else filesystem, at)

    def _add(self, path: str, filesystem: FileSystem, at: str) -> None:
        point = self._top
        for name in path.split("/"):
            at = f"{at}/{name}"
            if name not in point.below:
                point.below[name] = _Point(at)
            point = point.below[name]
        point.filesystem = filesystem

    def limited(self, budget: Budget) -> Namespace:
        """Return the same with all that is in it as a run sees it."""
        limited = Namespace(self.outer.limited(budget), {})
        limited._top = self._top.limited(budget)
        return limited

    def open_root(self) -> NamespaceDirectory:
        """Return the root, fresh for each instance.

        Raises:
            TypeError: the outer filesystem's directories cannot be walked.
            OSError: its root cannot be opened.
        """
        root = self.outer.open_root()
        if isinstance(root, Walkable):
            return NamespaceDirectory(root, self._top, None)
        root.close()
        raise TypeError(f"nothing can be mounted in a {type(root).__name__}")


class NamespaceDirectory(ResolvedDirectory):
    """An open directory with mount points in it, or names that lead to some."""

    __slots__ = ("_above", "_below", "_point", "_under", "readonly")

    def __init__(
        self, under: Walkable | None, point: _Point, above: tuple[int, int] | None
    ) -> None:
        # Without ``under`` it is made up; then ``above`` has device and inode of its parent.
        self._under = under
        self._point = point
        self._below = point.below
        self._above = above
        # Looks into the mounts only where there is something to find out.
        self.readonly = (under is None or under.readonly) and point.readonly()

    def close(self) -> None:
        """Close the directory underneath."""
        if self._under is not None:
            self._under.close()

    def reopen(self) -> NamespaceDirectory:
        """Return another node of this directory."""
        under = None if self._under is None else self._under.reopen()
        return NamespaceDirectory(under, self._point, self._above)

    def stat(self) -> Stat:
        """Return the attributes."""
        if self._under is not None:
            return self._under.stat()
        device = self._above[0] if self._above else 0
        return (device, self._point.ino, DIRECTORY, 2, 0, 0, 0, 0)

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times; EPERM where read-only or made up."""
        self._own().set_times(atime_ns, mtime_ns)

    def sync(self, data_only: bool = False) -> None:
        """Write to storage."""
        if self._under is not None:
            self._under.sync(data_only)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root."""
        if self._under is not None:
            return self._under.parent_ino()
        return self._above[1] if self._above else None

    def entries(self) -> list[Dirent]:
        """Return the entries, each point once, whether or not it covers something."""
        listed, left = [], dict.fromkeys(self._below)
        for entry in () if self._under is None else self._under.entries():
            if entry.name in left:
                del left[entry.name]
                entry = self._dirent(entry.name)
            listed.append(entry)
        return [*listed, *map(self._dirent, left)]

    def _dirent(self, name: str) -> Dirent:
        return Dirent(name, self.stat_entry(name)[1], DIRECTORY)

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry: at a mount the root of what is mounted.

        Raises:
            OSError: at a point EISDIR for writing, creating or cutting, EEXIST for creating it
                as new; EPERM for a change where read-only; else as the filesystem.
        """
        point = self._below.get(name)
        if point is None:
            if self._under is not None:
                return self._under.open_entry(name, mode)
            raise failure(errno.EPERM if mode & os.O_CREAT else errno.ENOENT)
        if mode & CHANGES:
            self._own()
            raise failure(errno.EEXIST if mode & _EXCLUSIVE == _EXCLUSIVE else errno.EISDIR)
        return self._enter(name, point)

    def _enter(self, name: str, point: _Point) -> Directory:
        """Return what is at a point: the root of the mount, or the waypoint."""
        if point.filesystem is not None:
            return point.filesystem.open_root()
        try:
            under = None if self._under is None else self._under.open_entry(name, _ENTER)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            under = None
        if isinstance(under, Walkable):
            return NamespaceDirectory(under, point, None)
        if under is not None:
            under.close()
        device, ino = self.stat()[:2]
        return NamespaceDirectory(None, point, (device, ino))

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry: at a mount, of the root of what is mounted."""
        point = self._below.get(name)
        if point is None:
            return self._there().stat_entry(name)
        if point.filesystem is None and self._under is not None:
            # So that a waypoint needs no right to be read.
            try:
                stat = self._under.stat_entry(name)
            except FileNotFoundError:
                stat = None
            if stat is not None and stat[2] == DIRECTORY:
                return stat
        inside = self._enter(name, point)
        try:
            return inside.stat()
        finally:
            inside.close()

    def set_entry_times(self, name: str, atime_ns: int | None, mtime_ns: int | None) -> None:
        """Set the times of an entry; EPERM where it is read-only."""
        point = self._below.get(name)
        if point is None:
            self._own().set_entry_times(name, atime_ns, mtime_ns)
            return
        inside = self._enter(name, point)
        try:
            inside.set_times(atime_ns, mtime_ns)
        finally:
            inside.close()

    def read_link(self, name: str) -> str:
        """Return a link's target; EINVAL for what is no link."""
        if name in self._below:
            raise failure(errno.EINVAL)
        return self._there().read_link(name)

    def make_dir(self, name: str) -> None:
        """Create a directory; EEXIST at a point."""
        self._free(name, errno.EEXIST).make_dir(name)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory; EBUSY at a mount, ENOTEMPTY at a waypoint."""
        point = self._below.get(name)
        way = point is not None and point.filesystem is None
        self._free(name, errno.ENOTEMPTY if way else errno.EBUSY).remove_dir(name)

    def unlink(self, name: str) -> None:
        """Remove a name that is no directory; EISDIR at a point."""
        self._free(name, errno.EISDIR).unlink(name)

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link; EEXIST at a point."""
        self._free(name, errno.EEXIST).symlink(name, target)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry to where the filesystem underneath can; EBUSY for a point."""
        self._free(name, errno.EBUSY).rename(name, to, to_name)

    def link(self, name: str, to: Directory, to_name: str) -> None:
        """Give a file another name; a point is EPERM, as every directory, or EEXIST."""
        if name in self._below:
            self._own()
            try:
                to.stat_entry(to_name)
            except FileNotFoundError:
                raise failure(errno.EPERM) from None
            raise failure(errno.EEXIST)
        self._own().link(name, to, to_name)

    def _there(self) -> Walkable:
        """Return the directory underneath, to look a name up; ENOENT without one."""
        if self._under is None:
            raise failure(errno.ENOENT)
        return self._under

    def _own(self) -> Walkable:
        """Return the directory underneath, to change it; EPERM where that is read-only."""
        if self._under is None or self._under.readonly:
            raise failure(errno.EPERM)
        return self._under

    def _free(self, name: str, number: int) -> Walkable:
        """Return the directory underneath, to change ``name``; the errno given at a point."""
        under = self._own()
        if name in self._below:
            raise failure(number)
        return under

    # For the walk

    def step(self, name: str) -> Walkable:
        """Open one directory to walk through it."""
        if name in self._below or self._under is None:
            return super().step(name)
        return self._under.step(name)

    def search(self) -> None:
        """Raise EACCES where the directory underneath may not be searched."""
        if self._under is not None:
            self._under.search()

    def fixed(self) -> bool:
        """Tell whether the directory underneath is made up or read-only."""
        return self._under is None or self._under.readonly

    def link_text(self, name: str) -> str:
        """Return the text of a link that is about to be followed."""
        if name in self._below:
            raise failure(errno.EINVAL)
        return self._there().link_text(name)

    def beneath(self, name: str) -> Directory | None:
        """Return the directory underneath; None at a point, EPERM where read-only."""
        under = self._own()
        return None if name in self._below else under.beneath(name)
