"""How much a guest may keep in a directory: bytes, files, and the size of one file.

How it is counted is told in ``quota_account``. Here every change is made and counted under the
lock of the account, so that what was asked for, what was done and what is counted never part.
"""

import errno
import os
from typing import Final

from wasi_host.fs.budget import Budget
from wasi_host.fs.node import Directory, File, FileSystem, Node, Stat
from wasi_host.fs.quota_account import Account
from wasi_host.fs.source import Source, filesystem_of
from wasi_host.fs.walk import CHANGES, Walkable, failure
from wasi_host.fs.wrapped import TransparentDirectory, WrappedFile, walkable_root
from wasi_spec.numbers import Filetype

__all__ = ["Quota", "QuotaDirectory", "QuotaFile"]

_FILE: Final = Filetype.REGULAR_FILE


class Quota(FileSystem):
    """A source that may hold so much and no more, in all runs together.

    A write that crosses a limit takes what fits; the next one fails. What is there already
    counts too. Holes count nothing.

    Args:
        source: a path, a dict of files, or a filesystem. Of a dict one tree is made, for all
            runs.
        max_bytes: bytes of all files and texts of links; more is DQUOT.
        max_inodes: files, directories and links; more is DQUOT.
        max_file_bytes: the size of one file, holes included; more is FBIG.

    Raises:
        TypeError, ValueError, OSError: as for ``source`` in ``dirs=``; a limit is no integer,
            or negative.
    """

    def __init__(
        self,
        source: Source,
        max_bytes: int | None = None,
        max_inodes: int | None = None,
        max_file_bytes: int | None = None,
    ) -> None:
        limits = {
            "max_bytes": max_bytes, "max_inodes": max_inodes, "max_file_bytes": max_file_bytes,
        }  # fmt: skip
        for name, value in limits.items():
            if value is not None and not isinstance(value, int):
                raise TypeError(f"Quota: {name} must be an integer, not {value!r}")
            if value is not None and value < 0:
                raise ValueError(f"Quota: {name} must not be negative, as {value} is")
        self.inner = filesystem_of(source, "the source of Quota")
        self._account = Account(max_bytes, max_inodes, max_file_bytes)

    @property
    def used_bytes(self) -> int:
        """How many bytes there are."""
        return self._begun().bytes

    @property
    def used_inodes(self) -> int:
        """How many files, directories and links there are."""
        return self._begun().inodes

    def _begun(self) -> Account:
        root = self.open_root()
        root.close()
        return self._account

    def open_root(self) -> "QuotaDirectory":
        """Return the root; the first time, everything is counted.

        Raises:
            TypeError: the source resolves paths by itself and cannot be wrapped.
            OSError: it cannot be opened or listed.
        """
        root = walkable_root(self.inner)
        try:
            self._account.begin(root)
        except BaseException:
            root.close()
            raise
        return QuotaDirectory(root, self._account)

    def limited(self, budget: Budget) -> "Quota":
        """Return the same, with the same account, around what the source is to a run."""
        limited = Quota(self.inner.limited(budget))
        limited._account = self._account
        return limited

    def __reduce__(self) -> tuple[type["Quota"], tuple[object, ...]]:
        # In another process everything is counted anew.
        a = self._account
        return Quota, (self.inner, a.max_bytes, a.max_inodes, a.max_file_bytes)

    def __repr__(self) -> str:
        a = self._account
        return f"Quota({self.inner!r}, {a.max_bytes}, {a.max_inodes}, {a.max_file_bytes})"


class QuotaDirectory(TransparentDirectory):
    """An open directory whose changes are counted."""

    __slots__ = ("_account",)

    def __init__(self, under: Walkable, account: Account) -> None:
        super().__init__(under)
        self._account = account

    def enter(self, under: Walkable) -> "QuotaDirectory":
        """Wrap a directory that was opened underneath."""
        return QuotaDirectory(under, self._account)

    def adopt(self, node: Node) -> Node:
        """Wrap a regular file; nothing else holds bytes that grow."""
        with self._account.lock:
            return self._adopted(node)

    def _adopted(self, node: Node) -> Node:
        if not isinstance(node, File) or node.filetype != _FILE:
            return node
        self._account.opened(node.stat()[:2])
        return QuotaFile(node, self._account)

    def same_filesystem(self, to: Directory) -> Walkable:
        """Return the directory underneath, of the same account; else EXDEV."""
        under = super().same_filesystem(to)
        if not isinstance(to, QuotaDirectory) or to._account is not self._account:
            raise failure(errno.EXDEV)
        return under

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        """Open, like openat; what changes nothing needs no walk."""
        if mode & CHANGES:
            return super().open_at(path, mode, follow)
        return self.wrap(self._under.open_at(path, mode, follow))

    # Primitives

    def open_entry(self, name: str, mode: int) -> Node:
        """Open an entry; EDQUOT where creating it would be one inode too many."""
        if not mode & (os.O_CREAT | os.O_TRUNC):
            return super().open_entry(name, mode)
        account = self._account
        with account.lock:
            before = self._look(name)
            if before is None and mode & os.O_CREAT and not self.readonly:
                account.check_inode()
            node = self._under.open_entry(name, mode)
            try:
                if before is None:
                    account.inodes += 1
                elif mode & os.O_TRUNC and before[2] == _FILE:
                    account.recount(before, 0, 0)
                if isinstance(node, Walkable):
                    return self.enter(node)
                return self._adopted(node)
            except BaseException:
                node.close()
                raise

    def _look(self, name: str) -> Stat | None:
        try:
            return self._under.stat_entry(name)
        except FileNotFoundError:
            return None

    def make_dir(self, name: str) -> None:
        """Create a directory; EDQUOT where it is one inode too many."""
        with self._account.lock:
            self._room_for(name, 0)
            self._under.make_dir(name)
            self._account.inodes += 1

    def symlink(self, name: str, target: str) -> None:
        """Create a symbolic link; EDQUOT where it, or its text, is too much."""
        size = len(target.encode("utf-8", "surrogateescape"))
        with self._account.lock:
            self._room_for(name, size)
            self._under.symlink(name, target)
            self._account.inodes += 1
            self._account.bytes += size

    def _room_for(self, name: str, size: int) -> None:
        """Raise EDQUOT where there is no room for a new name; one that exists is told below."""
        if not self.readonly and self._look(name) is None:
            self._account.check_inode()
            self._account.check_bytes(size)

    def remove_dir(self, name: str) -> None:
        """Remove an empty directory."""
        with self._account.lock:
            before = self._look(name)
            self._under.remove_dir(name)
            if before is not None:
                self._account.unnamed(before)

    def unlink(self, name: str) -> None:
        """Remove a name; its file is counted until it is closed."""
        with self._account.lock:
            before = self._look(name)
            self._under.unlink(name)
            if before is not None:
                self._account.unnamed(before)

    def rename(self, name: str, to: Directory, to_name: str) -> None:
        """Move an entry; what it replaces is counted until it is closed."""
        goal = self.same_filesystem(to).beneath(to_name)
        if goal is None:
            raise failure(errno.EBUSY)
        with self._account.lock:
            try:
                replaced: Stat | None = goal.stat_entry(to_name)
            except FileNotFoundError:
                replaced = None
            moved = self._look(name)
            self._under.rename(name, goal, to_name)
            # Two names of one file stay as they are.
            if replaced is not None and moved is not None and replaced[:2] != moved[:2]:
                self._account.unnamed(replaced)


class QuotaFile(WrappedFile):
    """An open file whose bytes are counted."""

    __slots__ = ("_account", "_closed")

    def __init__(self, under: File, account: Account) -> None:
        super().__init__(under)
        self._account = account
        self._closed = False

    def close(self) -> None:
        """Close the file; without a name it is now no longer counted."""
        if not self._closed:
            self._closed = True
            with self._account.lock:
                self._account.closed(self._under.stat())
        self._under.close()

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        """Write at ``offset``; return how much was taken, less at a limit.

        Raises:
            OSError: EFBIG at the size of a file, EDQUOT at all bytes; what the file raises.
        """
        return self._write(data, offset)

    def append(self, data: bytes | memoryview) -> int:
        """Write at the end; else like ``pwrite``."""
        return self._write(data, None)

    def _write(self, data: bytes | memoryview, offset: int | None) -> int:
        count = len(data)
        if not count or self.readonly:
            return self._under.append(data) if offset is None else self._under.pwrite(data, offset)
        account = self._account
        with account.lock:
            stat = self._under.stat()
            start = stat[4] if offset is None else offset
            room = account.fitting(stat, start, count)
            part = data if room == count else memoryview(data)[:room]
            under = self._under
            taken = under.append(part) if offset is None else under.pwrite(part, offset)
            account.wrote(stat, start, taken, self._under)
            return taken

    def truncate(self, size: int) -> None:
        """Cut, or extend with a hole; EFBIG over the size of a file."""
        account = self._account
        with account.lock:
            stat = self._under.stat()
            if size > stat[4]:
                account.check_size(size)
            self._under.truncate(size)
            counted = account.counted(stat)
            # Of a file with holes nobody knows which bytes were cut off.
            known = counted == stat[4] or size >= stat[4]
            counted = min(counted, size)
            account.recount(stat, counted if known else min(counted, self._under.stored()), size)

    def allocate(self, offset: int, length: int) -> None:
        """Reserve room for ``offset + length`` bytes; EFBIG or EDQUOT as ``pwrite``."""
        account = self._account
        with account.lock:
            stat = self._under.stat()
            size = max(stat[4], offset + length)
            if size > stat[4]:
                account.check_size(size)
            counted = account.counted(stat)
            total = min(size, counted + length)
            account.check_bytes(total - counted)
            self._under.allocate(offset, length)
            account.recount(stat, total, size)
