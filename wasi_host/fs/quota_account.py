"""The account of a quota: what there is, counted at the first use and with every change since.

Theory of operation
===================

An account (``Account``) belongs to a ``Quota`` and is shared by all that is open of it, in every
run. It knows how many inodes there are and how many bytes they hold. What is there at the first
use is counted then, by walking the tree once; from then on every change is counted as it is
made, under one lock, so that what was asked for, what was done and what is counted never part.
Nothing is read from the account that the tree could tell: a file counts its size, and only where
it has holes (made by writing behind the end, or by ``truncate``) a number of its own is kept. Of
a write into a file with holes, what falls into them cannot be told from what falls beside; the
filesystem is asked afterwards how much it holds, and the most it can be is counted.

A file's last name may go while it is open. It holds its bytes until it is closed, and is counted
until then: so the account knows how often each file is open.

Bytes are those of files and the texts of links; directories hold none. What other programs
change in a host directory meanwhile is not seen; the account may then be wrong, never negative.
"""

import errno
import os
import threading
from typing import Final

from wasi_host.fs.node import File, Stat
from wasi_host.fs.walk import DIRECTORY, Walkable, failure
from wasi_spec.numbers import Filetype

__all__ = ["Account"]

_FILE: Final = Filetype.REGULAR_FILE
#: Smaller files that are there at the start are not opened to ask for their holes.
_HOLES_FROM: Final = 1 << 16
#: Device and inode.
_Key = tuple[int, int]


class Account:
    """What is counted. All but ``lock`` and the limits: with the lock held.

    Attributes:
        max_bytes, max_inodes, max_file_bytes: the limits; None is no limit.
        bytes, inodes: what there is.
        lock: held from before something is looked at until it is changed and counted.
    """

    def __init__(
        self, max_bytes: int | None, max_inodes: int | None, max_file_bytes: int | None
    ) -> None:
        self.max_bytes = max_bytes
        self.max_inodes = max_inodes
        self.max_file_bytes = max_file_bytes
        self.lock = threading.Lock()
        self.bytes = 0
        self.inodes = 0
        self._began = False
        self._open: dict[_Key, int] = {}
        self._nameless: set[_Key] = set()
        # Files with holes: what is counted of them. Of all others it is the size.
        self._partly: dict[_Key, int] = {}

    def begin(self, root: Walkable) -> None:
        """Count what is there, the first time."""
        with self.lock:
            if not self._began:
                self._count(root)
                self._began = True

    def _count(self, root: Walkable) -> None:
        linked: set[_Key] = set()
        opened = [root.reopen()]
        try:
            todo = [iter(opened[0].entries())]
            while todo:
                entry = next(todo[-1], None)
                if entry is None:
                    todo.pop()
                    opened.pop().close()
                    continue
                try:
                    stat = opened[-1].stat_entry(entry.name)
                    self._count_one(opened[-1], entry.name, stat, linked)
                    if stat[2] == DIRECTORY:
                        opened.append(opened[-1].step(entry.name))
                        todo.append(iter(opened[-1].entries()))
                except (FileNotFoundError, PermissionError):
                    # Gone since it was listed, or not for us and so not for the guest either.
                    if len(opened) > len(todo):
                        opened.pop().close()
        finally:
            for directory in opened:
                directory.close()

    def _count_one(self, place: Walkable, name: str, stat: Stat, linked: set[_Key]) -> None:
        key = stat[:2]
        if stat[2] != DIRECTORY and stat[3] > 1:
            if key in linked:
                return
            linked.add(key)
        self.inodes += 1
        if stat[2] == _FILE and stat[4] >= _HOLES_FROM:
            self._ask(place, name, key, stat[4])
        self.bytes += self.counted(stat)

    def _ask(self, directory: Walkable, name: str, key: _Key, size: int) -> None:
        """Ask a file that is there at the start for its holes."""
        try:
            node = directory.open_entry(name, os.O_RDONLY)
        except OSError:
            return
        try:
            if isinstance(node, File) and (stored := node.stored()) < size:
                self._partly[key] = stored
        finally:
            node.close()

    def counted(self, stat: Stat) -> int:
        """Return what is counted of a file or link."""
        return 0 if stat[2] == DIRECTORY else min(self._partly.get(stat[:2], stat[4]), stat[4])

    def recount(self, stat: Stat, counted: int, size: int) -> None:
        """Count a file anew; ``stat`` tells how it was, ``size`` is its size now."""
        self.bytes = max(0, self.bytes + counted - self.counted(stat))
        if counted < size:
            self._partly[stat[:2]] = counted
        else:
            self._partly.pop(stat[:2], None)

    def check_inode(self) -> None:
        """Raise EDQUOT where there may be no further inode."""
        if self.max_inodes is not None and self.inodes >= self.max_inodes:
            raise failure(errno.EDQUOT)

    def check_bytes(self, more: int) -> None:
        """Raise EDQUOT where there may not be so many more bytes."""
        if self.max_bytes is not None and self.bytes + more > self.max_bytes:
            raise failure(errno.EDQUOT)

    def check_size(self, size: int) -> None:
        """Raise EFBIG where no file may be so large."""
        if self.max_file_bytes is not None and size > self.max_file_bytes:
            raise failure(errno.EFBIG)

    def fitting(self, stat: Stat, offset: int, count: int) -> int:
        """Return how much of a write there is room for.

        Raises:
            OSError: none: EFBIG by the size of a file, EDQUOT by all bytes.
        """
        if self.max_file_bytes is not None and offset + count > self.max_file_bytes:
            count = self.max_file_bytes - offset
            if count <= 0:
                raise failure(errno.EFBIG)
        if self.max_bytes is not None and self.bytes + count > self.max_bytes:
            room = max(0, self.max_bytes - self.bytes)
            inside = max(0, min(count, stat[4] - offset))
            holes = min(inside, stat[4] - self.counted(stat))
            # The holes come first: the worst that can be.
            count = min(count, inside + room - holes) if holes <= room else room
            if count <= 0:
                raise failure(errno.EDQUOT)
        return count

    def wrote(self, stat: Stat, offset: int, count: int, file: File) -> None:
        """Count what was written to a file that ``stat`` tells of."""
        size, counted = stat[4], self.counted(stat)
        inside = max(0, min(count, size - offset))
        counted += count - inside
        filled = min(inside, size - self.counted(stat))
        if filled:
            counted = max(counted, min(counted + filled, file.stored()))
        self.recount(stat, counted, max(size, offset + count))

    def opened(self, key: _Key) -> None:
        """Count that a file is open once more."""
        self._open[key] = self._open.get(key, 0) + 1

    def closed(self, stat: Stat) -> None:
        """Count that a file is open once less, and drop it if it has no name any more."""
        key = stat[:2]
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
            if key in self._nameless:
                self._nameless.discard(key)
                self._drop(stat)

    def unnamed(self, stat: Stat) -> None:
        """Count that a name of this went; ``stat`` tells how it was before."""
        if stat[2] != DIRECTORY and stat[3] > 1:
            return
        if stat[:2] in self._open:
            self._nameless.add(stat[:2])
        else:
            self._drop(stat)

    def _drop(self, stat: Stat) -> None:
        self.recount(stat, 0, 0)
        self.inodes = max(0, self.inodes - 1)
