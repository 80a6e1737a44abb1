"""Where a guest's files are: a host directory or memory, seen from the embedder's side.

A ``Place`` makes what a test needs without the guest, also what a guest could not make (links
that point out), and looks at what is there afterwards.
"""

import os
import stat as modes
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

from wasi_spec import Filetype

DIR = int(Filetype.DIRECTORY)
FILE = int(Filetype.REGULAR_FILE)
LINK = int(Filetype.SYMBOLIC_LINK)


class Seen(NamedTuple):
    """What is at a name: its kind, its bytes or target, links to it, modification time."""

    kind: int
    content: bytes | str
    nlink: int
    mtime_ns: int


class Place(ABC):
    """A directory given to a guest."""

    #: What is given in ``dirs=``.
    source: Any

    @abstractmethod
    def write(self, path: str, data: bytes = b"") -> None: ...

    @abstractmethod
    def mkdir(self, path: str) -> None: ...

    @abstractmethod
    def symlink(self, target: str, path: str) -> None: ...

    @abstractmethod
    def see(self, path: str) -> Seen | None:
        """Look at a name itself; None if there is none."""

    @abstractmethod
    def names(self, path: str = "") -> list[str]: ...

    def read(self, path: str) -> bytes:
        seen = self.see(path)
        assert seen is not None, path
        assert isinstance(seen.content, bytes), path
        return seen.content

    def exists(self, path: str) -> bool:
        return self.see(path) is not None

    def snapshot(self, top: str = "") -> dict[str, Seen]:
        """Return all that is there, by path."""
        found = {}
        for name in self.names(top):
            path = f"{top}/{name}" if top else name
            seen = self.see(path)
            assert seen is not None
            found[path] = seen
            if seen.kind == DIR:
                found |= self.snapshot(path)
        return found


class HostPlace(Place):
    """A directory of the host."""

    def __init__(self, root: Path, source: Any = None) -> None:
        self.root = root
        self.source = str(root) if source is None else source

    def write(self, path: str, data: bytes = b"") -> None:
        (self.root / path).write_bytes(data)

    def mkdir(self, path: str) -> None:
        (self.root / path).mkdir()

    def symlink(self, target: str, path: str) -> None:
        (self.root / path).symlink_to(target)

    def see(self, path: str) -> Seen | None:
        where = self.root / path
        try:
            status = where.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        content: bytes | str = b""
        kind = int(Filetype.UNKNOWN)
        if modes.S_ISDIR(status.st_mode):
            kind = DIR
        elif modes.S_ISLNK(status.st_mode):
            kind, content = LINK, os.readlink(where)
        elif modes.S_ISREG(status.st_mode):
            kind, content = FILE, where.read_bytes()
        return Seen(kind, content, status.st_nlink, status.st_mtime_ns)

    def names(self, path: str = "") -> list[str]:
        return sorted(os.listdir(self.root / path))


class MemoryPlace(Place):
    """A tree in memory, reached through the primitives of the filesystem protocol."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.root = source.open_root()

    def _parent(self, path: str) -> tuple[Any, str]:
        *parents, name = path.split("/")
        directory = self.root
        for parent in parents:
            directory = directory.open_entry(parent, os.O_RDONLY | os.O_DIRECTORY)
        return directory, name

    def write(self, path: str, data: bytes = b"") -> None:
        directory, name = self._parent(path)
        file = directory.open_entry(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if data:
            file.pwrite(data, 0)
        file.close()

    def mkdir(self, path: str) -> None:
        directory, name = self._parent(path)
        directory.make_dir(name)

    def symlink(self, target: str, path: str) -> None:
        directory, name = self._parent(path)
        directory.symlink(name, target)

    def see(self, path: str) -> Seen | None:
        try:
            directory, name = self._parent(path)
            status = directory.stat_entry(name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        _, _, kind, nlink, size, _, mtime_ns, _ = status
        content: bytes | str = b""
        if kind == LINK:
            content = directory.read_link(name)
        elif kind == FILE:
            file = directory.open_entry(name, os.O_RDONLY)
            content = bytes(file.pread(size, 0))
            file.close()
        return Seen(kind, content, nlink, mtime_ns)

    def names(self, path: str = "") -> list[str]:
        directory = self.root
        if path:
            parent, name = self._parent(path)
            directory = parent.open_entry(name, os.O_RDONLY | os.O_DIRECTORY)
        return sorted(entry.name for entry in directory.entries())
