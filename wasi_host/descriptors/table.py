"""The table of descriptors: which number names which.

Only the table adds, removes and moves descriptors and picks their numbers.
"""

from __future__ import annotations

from heapq import heappop, heappush

from wasi_host.descriptors.base import Descriptor
from wasi_host.errors import BADF, MFILE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: How many descriptors an instance may have open where nothing else is said.
OPEN_FILES: Final = 256


class DescriptorTable(dict[int, Descriptor]):
    """Descriptors by number; ``table[fd]`` raises BADF for one that is not open.

    Attributes:
        limit: how many may be open at once.
        limit_hit: whether one more was asked for.
    """

    __slots__ = ("_free", "_next", "limit", "limit_hit")

    def __init__(self, limit: int = OPEN_FILES) -> None:
        self.limit = limit
        self.limit_hit = False
        # Every number below ``_next`` is either open or in the heap of free ones.
        self._free: list[int] = []
        self._next = 0

    def untouched(self, count: int) -> bool:
        """Tell whether all that ever happened is that so many descriptors were inserted."""
        return self._next == count and not self._free and not self.limit_hit

    def remember(self, count: int) -> object:
        """Return the rights of the first descriptors, for ``restore``."""
        return [self[fd].rights_base for fd in range(count)]

    def restore(self, state: object, count: int) -> None:
        """Put the first descriptors back as they were inserted; ``untouched`` was asked before.

        Args:
            state: what ``remember`` returned.
            count: how many.
        """
        assert isinstance(state, list)
        for fd in range(count):
            descriptor = self[fd]
            descriptor.rights_base = state[fd]
            descriptor.rights_inheriting = descriptor.fdflags = 0

    def __missing__(self, fd: int) -> Descriptor:
        raise BADF

    def check_room(self) -> None:
        """Check that one more descriptor can be open; ask before anything is created.

        Raises:
            MFILE: the limit is reached.
        """
        if len(self) >= self.limit:
            self.limit_hit = True
            raise MFILE

    def insert(self, descriptor: Descriptor) -> int:
        """Give a descriptor the lowest free number, and return it; ``check_room`` came before."""
        if self._free:
            fd = heappop(self._free)
        else:
            fd = self._next
            self._next = fd + 1
        self[fd] = descriptor
        return fd

    def close(self, fd: int) -> None:
        """Close a descriptor; its number is free again even where closing fails.

        Raises:
            BADF: it is not open.
        """
        descriptor = self[fd]
        del self[fd]
        heappush(self._free, fd)
        descriptor.close()

    def renumber(self, fd: int, to: int) -> None:
        """Move a descriptor to another open number, whose own is closed.

        Onto itself nothing happens. An error of closing is lost, as dup2 loses it.

        Raises:
            BADF: one of the two is not open.
        """
        descriptor, old = self[fd], self[to]
        if fd == to:
            return
        self[to] = descriptor
        del self[fd]
        heappush(self._free, fd)
        try:
            old.close()
        except OSError:
            return

    def close_all(self) -> None:
        """Close every descriptor; the first error is raised when all are closed."""
        error: OSError | None = None
        descriptors = list(self.values())
        self.clear()
        self._free.clear()
        self._next = 0
        for descriptor in descriptors:
            try:
                descriptor.close()
            except OSError as failed:
                error = error or failed
        if error is not None:
            raise error
