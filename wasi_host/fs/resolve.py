"""The operations on paths, for every filesystem, made of its operations on one name.

``walk`` tells how a path is walked, and holds the essay. Here is what each operation does with
the last name. A single name, by far the most frequent path, goes to the primitive at once: no
directory has to be entered, and every primitive tells of a link instead of following it.

A read-only directory refuses every change with EPERM before it looks at the path, and so does
one that is read-only behind the path (a mount point inside another directory).
"""

import errno

from wasi_host.fs.node import Directory, Node, Stat
from wasi_host.fs.walk import (
    CHANGES,
    DIRECTORY,
    LINK,
    MAX_TARGET,
    NO_NAMES,
    Walk,
    Walkable,
    check_name,
    failure,
)


class ResolvedDirectory(Walkable):
    """A directory whose path operations are made of its primitives."""

    __slots__ = ()

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat.

        Raises:
            OSError: EPERM for a change in a read-only directory and for a path that leaves;
                ELOOP for a link not to be followed; EISDIR for writing, creating or cutting a
                directory, or creating ``x/``; EEXIST, ENOENT, ENOTDIR as POSIX.
        """
        if mode & CHANGES and self.readonly:
            raise failure(errno.EPERM)
        if "/" not in path and path not in NO_NAMES:
            check_name(self, path)
            try:
                return self.open_entry(path, mode)
            except OSError as error:
                if error.errno != errno.ELOOP or not follow:
                    raise
        with Walk(self, mode & CHANGES != 0) as at:
            at.go(path)
            return at.open(mode, follow)

    def stat_at(self, path: str, follow: bool) -> Stat:
        """Return attributes, like fstatat.

        Raises:
            OSError: EPERM for a path that leaves; ENOENT, ENOTDIR, ELOOP as POSIX.
        """
        if "/" not in path and path not in NO_NAMES:
            check_name(self, path)
            stat = self.stat_entry(path)
            if stat[2] != LINK or not follow:
                return stat
        with Walk(self) as at:
            at.go(path)
            return at.settle(follow)

    def set_times_at(
        self, path: str, follow: bool, atime_ns: int | None, mtime_ns: int | None
    ) -> None:
        """Set times in nanoseconds since 1970, like utimensat; None leaves one as it is.

        Raises:
            OSError: EPERM in a read-only directory and for a path that leaves; else as stat_at.
        """
        self._writable()
        with Walk(self, True) as at:
            at.go(path, may_jump=not follow and path[-1:] != "/")
            if follow or at.slash:
                at.settle(follow)
            at.change()
            if at.name == ".":
                at.directory.set_times(atime_ns, mtime_ns)
            else:
                check_name(at.directory, at.name)
                at.directory.set_entry_times(at.name, atime_ns, mtime_ns)

    def make_dir_at(self, path: str) -> None:
        """Create a directory, like mkdirat.

        Raises:
            OSError: EEXIST at anything that exists, ``.`` too; EPERM, ENOENT, ENOTDIR.
        """
        self._writable()
        if "/" not in path and path not in NO_NAMES:
            check_name(self, path)
            return self.make_dir(path)
        with Walk(self, True) as at:
            at.go(path, may_jump=True)
            if at.name == ".":
                raise failure(errno.EEXIST)
            check_name(at.directory, at.name)
            at.change()
            at.directory.make_dir(at.name)

    def remove_dir_at(self, path: str) -> None:
        """Remove an empty directory, like unlinkat with AT_REMOVEDIR.

        Raises:
            OSError: EINVAL for ``.``; ENOTDIR for a file or a link, with or without a slash;
                ENOTEMPTY; EPERM, ENOENT.
        """
        self._writable()
        if "/" not in path and path not in NO_NAMES:
            check_name(self, path)
            return self.remove_dir(path)
        with Walk(self, True) as at:
            at.go(path, may_jump=True)
            if at.name == ".":
                raise failure(errno.EINVAL)
            check_name(at.directory, at.name)
            at.change()
            at.directory.remove_dir(at.name)

    def unlink_at(self, path: str) -> None:
        """Remove a name, like unlinkat.

        Raises:
            OSError: EISDIR for a directory, ``.`` and a link to one with a slash; ENOTDIR for
                ``file/``; EPERM, ENOENT.
        """
        self._writable()
        if "/" not in path and path not in NO_NAMES:
            check_name(self, path)
            return self.unlink(path)
        with Walk(self, True) as at:
            at.go(path, may_jump=path[-1:] != "/")
            if at.slash:
                at.settle(True)
            if at.slash or at.name == ".":
                raise failure(errno.EISDIR)
            check_name(at.directory, at.name)
            at.change()
            at.directory.unlink(at.name)

    def symlink_at(self, target: str, path: str) -> None:
        """Create a symbolic link at ``path``, like symlinkat.

        Raises:
            OSError: for the target EPERM where it is absolute, ENOENT where it is empty,
                ENAMETOOLONG over 4095 bytes; for the path EEXIST, and behind a slash ENOENT or
                ENOTDIR; EPERM where it leaves.
        """
        self._writable()
        if not target:
            raise failure(errno.ENOENT)
        if len(target) > 1023 and len(target.encode("utf-8", "surrogateescape")) > MAX_TARGET:
            raise failure(errno.ENAMETOOLONG)
        if target[0] == "/":
            raise failure(errno.EPERM)
        with Walk(self, True) as at:
            at.go(path, may_jump=True)
            at.make()
            at.change()
            at.directory.symlink(at.name, target)

    def read_link_at(self, path: str) -> str:
        """Return a link's target, like readlinkat.

        Raises:
            OSError: EPERM for an absolute text and for a path that leaves; EINVAL for what is
                no link; ENOTDIR for ``file/``; ENOENT.
        """
        with Walk(self) as at:
            at.go(path, may_jump=path[-1:] != "/")
            if at.slash:
                at.settle(True)
            if at.slash or at.name == ".":
                raise failure(errno.EINVAL)
            check_name(at.directory, at.name)
            text = at.directory.read_link(at.name)
            if text[:1] == "/":
                raise failure(errno.EPERM)
            return text

    def rename_at(self, path: str, to: Directory, to_path: str) -> None:
        """Move, like renameat.

        Raises:
            OSError: EPERM where either side is read-only or leaves; EBUSY where either is ``.``
                or a mount point; ENOENT without a source; ENOTDIR where either has a slash and
                the source is no directory; EINVAL into its own subtree; ENOTEMPTY, EISDIR,
                ENOTDIR by what is there; EXDEV to another filesystem.
        """
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not path or not to_path:
            raise failure(errno.ENOENT)
        if not isinstance(to, ResolvedDirectory):
            raise failure(errno.EXDEV)
        with Walk(self, True) as source, Walk(to, True) as target:
            source.go(path, may_jump=True)
            target.go(to_path, may_jump=True)
            source.change()
            target.change()
            if source.name == "." or target.name == ".":
                raise failure(errno.EBUSY)
            check_name(source.directory, source.name)
            if source.slash or target.slash or len(target.name) > 63:
                kind = source.directory.stat_entry(source.name)[2]
                check_name(target.directory, target.name)
                if (source.slash or target.slash) and kind != DIRECTORY:
                    raise failure(errno.ENOTDIR)
            goal = target.directory.beneath(target.name)
            if goal is None:
                source.directory.stat_entry(source.name)
                raise failure(errno.EBUSY)
            source.directory.rename(source.name, goal, target.name)

    def link_at(self, path: str, to: Directory, to_path: str) -> None:
        """Create a hard link, like linkat without AT_SYMLINK_FOLLOW.

        Raises:
            OSError: EPERM where either side is read-only or leaves, and for a directory; ENOENT
                without a source; EEXIST over any name; behind a slash ENOENT or ENOTDIR; EXDEV
                to another filesystem.
        """
        if self.readonly or to.readonly:
            raise failure(errno.EPERM)
        if not path or not to_path:
            raise failure(errno.ENOENT)
        if not isinstance(to, ResolvedDirectory):
            raise failure(errno.EXDEV)
        with Walk(self, True) as source, Walk(to, True) as target:
            source.go(path, may_jump=path[-1:] != "/")
            # The source is looked up before the target's path, as Linux does.
            source.settle(False)
            target.go(to_path, may_jump=True)
            target.make()
            source.change()
            target.change()
            if source.name == "." or source.slash:
                self._refuse_link_of_directory(target)
            goal = target.directory.beneath(target.name)
            if goal is None:
                raise failure(errno.EEXIST)
            source.directory.link(source.name, goal, target.name)

    @staticmethod
    def _refuse_link_of_directory(target: Walk) -> None:
        """EEXIST where the new name exists, else EPERM."""
        try:
            target.directory.stat_entry(target.name)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise
            raise failure(errno.EPERM) from None
        raise failure(errno.EEXIST)

    def _writable(self) -> None:
        if self.readonly:
            raise failure(errno.EPERM)
