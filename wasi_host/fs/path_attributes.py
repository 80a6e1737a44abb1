"""What a store of paths cannot keep: which file is which, and times to the nanosecond.

*Inode numbers* are made from the path, name by name: the number of ``/a/b`` from that of ``/a``
and ``b``. So they are the same for every run without a table. What was renamed keeps its number:
only then it stands in a table, and all below it follows, since their numbers are made from its.

*Times* that were set are remembered exactly, whatever the store made of them (seconds as floating
point, or nothing), for as long as the store does not tell of a later change. What we changed
ourselves, a directory above all, is remembered as changed where the store does not notice.

Both tables are bounded, since guests fill them: the oldest entry goes first.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from wasi_host.fs.path_store import Info

__all__ = ["ROOT_INO", "Attributes"]

ROOT_INO: Final = 1
_KEPT: Final = 1 << 16


class _Times(NamedTuple):
    """Times in nanoseconds.

    ``atime``: None is the store's. ``seen``: the store's mtime when ours was set, which holds as
    long as that stays; None: ours is that of a change, and holds until the store's is later.
    """

    atime: int | None
    mtime: int
    seen: int | None


class Attributes:
    """The attributes that we keep for one store."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inos: OrderedDict[str, int] = OrderedDict()
        self._taken: set[int] = set()
        self._times: OrderedDict[str, _Times] = OrderedDict()
        self._spare = 1 << 63

    # Inode numbers

    def ino(self, path: str) -> int:
        """Return the inode number of a path."""
        with self._lock:
            return self._ino(path)

    def inos(self, path: str, names: Iterable[str]) -> list[int]:
        """Return the inode numbers of names in the directory at ``path``."""
        at = path.rstrip("/")
        with self._lock:
            above = self._ino(path)
            return [self._child(above, name, f"{at}/{name}") for name in names]

    def _ino(self, path: str) -> int:
        number, at = ROOT_INO, ""
        for name in path.split("/"):
            if name:
                at = f"{at}/{name}"
                number = self._child(number, name, at)
        return number

    def _child(self, above: int, name: str, path: str) -> int:
        number = self._inos.get(path)
        if number is None:
            text = name.encode("utf-8", "surrogateescape")
            made = blake2b(text, digest_size=8, key=above.to_bytes(8, "little")).digest()
            number = int.from_bytes(made, "little") >> 1 | 2
            if number in self._taken:
                # It went elsewhere by a rename; this is another file of its old name.
                self._spare += 1
                number = self._spare
                self._keep_ino(path, number)
        return number

    def _keep_ino(self, path: str, number: int) -> None:
        self._drop_ino(path)
        self._inos[path] = number
        self._taken.add(number)
        if len(self._inos) > _KEPT:
            self._taken.discard(self._inos.popitem(last=False)[1])

    def _drop_ino(self, path: str) -> None:
        number = self._inos.pop(path, None)
        if number is not None:
            self._taken.discard(number)

    # Names

    def moved(self, path: str, to: str) -> None:
        """Know that a path and all below it is now another one, where nothing was."""
        below = f"{path}/"
        with self._lock:
            number = self._ino(path)
            self._drop_ino(path)
            self._keep_ino(to, number)
            for old in [old for old in self._inos if old.startswith(below)]:
                number = self._inos[old]
                self._drop_ino(old)
                self._keep_ino(to + old[len(path) :], number)
            for old in [old for old in self._times if old == path or old.startswith(below)]:
                self._times[to + old[len(path) :]] = self._times.pop(old)

    def removed(self, path: str) -> None:
        """Know that a path, with nothing below it, is gone."""
        with self._lock:
            self._drop_ino(path)
            self._times.pop(path, None)

    # Times

    def times(self, path: str, info: Info) -> tuple[int, int]:
        """Return access and modification time of a path of which the store tells ``info``."""
        kept = self._times.get(path)
        if kept is None:
            return info.atime, info.mtime
        atime, mtime, seen = kept
        if seen is None:
            mtime = max(mtime, info.mtime)
        elif seen != info.mtime:
            mtime = info.mtime
        return info.atime if atime is None else atime, mtime

    def set_times(self, path: str, atime: int, mtime: int, seen: int) -> None:
        """Remember times that were set; ``seen`` is the mtime that the store tells since."""
        with self._lock:
            self._remember(path, _Times(atime, mtime, seen))

    def changed(self, path: str, now: int) -> None:
        """Remember that something of ours changed a file, or a directory's names."""
        with self._lock:
            kept = self._times.get(path)
            self._remember(path, _Times(None if kept is None else kept.atime, now, None))

    def _remember(self, path: str, times: _Times) -> None:
        self._times[path] = times
        if len(self._times) > _KEPT:
            self._times.popitem(last=False)
