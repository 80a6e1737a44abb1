"""What filesystems in memory hold, and how much one run may make them hold.

Each memory filesystem counts in a ``Usage`` the bytes it stores (holes are not stored) and its
files, directories and links. A run with limits has a ``Budget`` over the usages of all its
filesystems: before one grows for that run, all of them together must have room. What is there
from the start counts as well; who fills a tree from Python is not limited.

A file is counted for as long as it exists, by a name or by being open: the end of its inode takes
it off the account. That can happen in any thread, also while the lock is held, so it only leaves
a note in ``gone``, which is looked at where a number is needed.
"""

from __future__ import annotations

import errno
import os
from collections import deque

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final, TypeVar

    _T = TypeVar("_T")

__all__ = ["UNLIMITED", "Budget", "Usage", "unlimited"]

_NO_LIMIT: Final = 1 << 63


class Usage:
    """What one memory filesystem holds; changed with its lock held.

    Attributes:
        bytes: what its files and the texts of its links store.
        inodes: how many files, directories and links there are, without the root.
        gone: the bytes of each file that ceased to exist since the last ``settle``.
    """

    __slots__ = ("bytes", "gone", "inodes")

    def __init__(self) -> None:
        self.bytes = 0
        self.inodes = 0
        self.gone: deque[int] = deque()

    def settle(self) -> None:
        """Take files that ceased to exist off the account."""
        gone = self.gone
        while gone:
            self.bytes -= gone.popleft()
            self.inodes -= 1


class Budget:
    """How much the memory filesystems of one run may hold together.

    Args:
        max_bytes: bytes stored.
        max_inodes: files, directories and links.

    Attributes:
        quick: growth up to this many bytes of the filesystem itself needs no ``room``.
        hit: the names of the limits that refused or cut something: ``"fs_bytes"``, ``"inodes"``.
    """

    __slots__ = ("_max_bytes", "_max_inodes", "_usages", "hit", "quick")

    def __init__(self, max_bytes: int = _NO_LIMIT, max_inodes: int = _NO_LIMIT) -> None:
        self._max_bytes = max_bytes
        self._max_inodes = max_inodes
        self._usages: list[Usage] = []
        self.quick = max_bytes
        self.hit: set[str] = set()

    def covers(self, usage: Usage) -> None:
        """Count what this filesystem holds, too."""
        if all(usage is not other for other in self._usages):
            self._usages.append(usage)
        if len(self._usages) > 1:
            self.quick = -1

    def room(self, usage: Usage) -> int:
        """Return how many bytes ``usage``, whose lock is held, may grow by."""
        usage.settle()
        return self._max_bytes - sum(each.bytes for each in self._usages)

    def check_inode(self, usage: Usage) -> None:
        """Check that ``usage``, whose lock is held, may have one more inode.

        Raises:
            OSError: EDQUOT: all together have as many as there may be.
        """
        usage.settle()
        inodes = 0
        for each in self._usages:
            inodes += each.inodes
        if inodes >= self._max_inodes:
            self.hit.add("inodes")
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    def check_bytes(self, usage: Usage, count: int) -> None:
        """Check that ``usage``, whose lock is held, may grow by ``count`` bytes.

        Raises:
            OSError: EDQUOT: all together would store more than they may.
        """
        if usage.bytes + count > self.quick and self.room(usage) < count:
            self.hit.add("fs_bytes")
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


#: Of whoever has no limits.
UNLIMITED: Final = Budget()


def unlimited(filesystem: _T) -> _T:
    """Return a filesystem itself: what a run's view of it is in another process."""
    return filesystem
