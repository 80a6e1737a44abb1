"""What is in an archive: a tree of names, made of the paths of its members.

An archive is a list of paths, and whoever wrote it may mean harm. A path is taken apart into
names once, here; ``..``, an absolute path, an empty name, a NUL and a name longer than any
filesystem takes are refused. So is a member below another that is no directory: what is written
through a link would land where the link leads. Of members with the same path the last one counts.
Directories that no member stands for are made up.
"""

from collections.abc import Callable
from typing import Final

from wasi_host.fs.archive_data import Data
from wasi_host.fs.memory_tree import MAX_DEPTH
from wasi_host.fs.walk import DIRECTORY, LINK, MAX_NAME, MAX_TARGET
from wasi_spec.numbers import Filetype

__all__ = ["Index", "Item", "names_of"]

_FILE: Final = Filetype.REGULAR_FILE
_LATEST: Final = (1 << 64) - 1
_ROOT: Final = 2


class Item:
    """Something in an archive: a file, a link, a directory.

    Attributes:
        ino: its number, in the order of the members.
        kind: its filetype.
        nlink: how many names it has.
        size: of a file, or of a link's text.
        mtime_ns: when it was changed.
        open: gives the bytes of a file.
        target: the text of a link.
        below: what is in a directory, by name.
        parent: the number of the directory that it is in; of a directory only. (Not the
            directory: an archive is given up, and its file closed, with its last user.)
    """

    __slots__ = ("below", "ino", "kind", "mtime_ns", "nlink", "open", "parent", "size", "target")

    def __init__(self, ino: int, kind: int, mtime_ns: int) -> None:
        self.ino = ino
        self.kind = kind
        self.mtime_ns = min(max(mtime_ns, 0), _LATEST)
        self.nlink = 2 if kind == DIRECTORY else 1
        self.size = 0
        self.open: Callable[[], Data] | None = None
        self.target = ""
        self.below: dict[str, Item] = {}
        self.parent: int | None = None


def names_of(path: str) -> list[str]:
    """Return the names of a member's path; none for the root.

    Raises:
        ValueError: the path leads out, is absolute or empty, or has an impossible name in it.
    """
    if not path:
        raise ValueError("a member without a name")
    if "\0" in path:
        raise ValueError(f"the member {path!r} has a NUL in its name")
    if path[0] == "/":
        raise ValueError(f"the member {path!r} is absolute")
    names = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in names:
        raise ValueError(f"the member {path!r} leads out")
    if len(names) >= MAX_DEPTH:
        raise ValueError(f"the member {path[:40]!r}... is deeper than {MAX_DEPTH} directories")
    for name in names:
        if len(name) > 63 and len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
            raise ValueError(f"the member {path[:40]!r}... has a name of over {MAX_NAME} bytes")
    return names


class Index:
    """The tree of an archive. All that adds to it raises ValueError for what it refuses."""

    def __init__(self) -> None:
        self.root = Item(_ROOT, DIRECTORY, 0)
        self._last_ino = _ROOT

    def add_directory(self, path: str, mtime_ns: int) -> None:
        """Add a directory, or give the one that is there its time."""
        names = names_of(path)
        place = self._directory(names, path)
        place.mtime_ns = min(max(mtime_ns, 0), _LATEST)

    def add_file(self, path: str, mtime_ns: int, size: int, opener: Callable[[], Data]) -> None:
        """Add a file; ``opener`` gives its bytes."""
        if not 0 <= size < 1 << 63:
            raise ValueError(f"the member {path!r} has no size that a file can have")
        item = self._item(_FILE, mtime_ns)
        item.size = size
        item.open = opener
        self._put(path, item)

    def add_link(self, path: str, mtime_ns: int, target: str) -> None:
        """Add a symbolic link; where it leads is looked at when it is followed."""
        size = len(target.encode("utf-8", "surrogateescape"))
        if not target or "\0" in target or size > MAX_TARGET:
            raise ValueError(f"the link {path!r} has no text that a link can have")
        item = self._item(LINK, mtime_ns)
        item.size, item.target = size, target
        self._put(path, item)

    def add_name(self, path: str, of: str) -> None:
        """Add another name of the file or link that is ``of`` until now."""
        item: Item | None = self.root
        for name in names_of(of):
            item = None if item is None else item.below.get(name)
        if item is None or item.kind == DIRECTORY:
            raise ValueError(f"the member {path!r} is a link to {of!r}, which is no file before it")
        item.nlink += 1
        self._put(path, item)

    def _item(self, kind: int, mtime_ns: int) -> Item:
        self._last_ino += 1
        return Item(self._last_ino, kind, mtime_ns)

    def _directory(self, names: list[str], path: str) -> Item:
        """Return the directory at these names, made up where there is none."""
        place = self.root
        for name in names:
            below = place.below.get(name)
            if below is None:
                below = place.below[name] = self._item(DIRECTORY, 0)
                below.parent = place.ino
                place.nlink += 1
            elif below.kind != DIRECTORY:
                raise ValueError(f"the member {path!r} needs {name!r} to be a directory")
            place = below
        return place

    def _put(self, path: str, item: Item) -> None:
        names = names_of(path)
        if not names or path[-1] == "/":
            raise ValueError(f"the member {path!r} has the name of a directory and is none")
        place = self._directory(names[:-1], path)
        present = place.below.get(names[-1])
        if present is not None:
            if present.kind == DIRECTORY:
                raise ValueError(f"the member {path!r} is a directory, and something else too")
            present.nlink -= 1
        place.below[names[-1]] = item
