"""The files of a guest after its run, for Python to read: paths as the guest has them.

A path is walked by the same rules as the guest's own (``fs.resolve``): links inside work, and
nothing leads out. Whatever a guest left behind, names and links above all, is not believed when
it is copied to the host: see ``GuestPath.export_to``.
"""

import errno
import fnmatch
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from wasi_host.files_export import (
    check_name,
    check_tree,
    entries,
    export_file,
    export_tree,
    pieces,
)
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.namespace import Namespace
from wasi_host.fs.node import Directory, File, FileSystem
from wasi_host.fs.walk import failure
from wasi_spec.numbers import Filetype

__all__ = ["Directories", "GuestPath", "GuestStat", "pickled", "unpickled"]

_FILE: Final = Filetype.REGULAR_FILE
_DIRECTORY: Final = Filetype.DIRECTORY
_LINK: Final = Filetype.SYMBOLIC_LINK
_MODES: Final = {_FILE: 0o100000, _DIRECTORY: 0o040000, _LINK: 0o120000}
T = TypeVar("T")


class GuestStat(NamedTuple):
    """What is told of a file, by the names of ``os.stat_result``; ``st_mode`` has the kind only."""

    st_mode: int
    st_ino: int
    st_dev: int
    st_nlink: int
    st_size: int
    st_atime_ns: int
    st_mtime_ns: int
    st_ctime_ns: int


class Directories:
    """What a run had as directories, as one tree.

    Args:
        opened: guest path and filesystem of each.
    """

    def __init__(self, opened: Sequence[tuple[bytes, FileSystem]]) -> None:
        self._opened = opened

    def open_root(self) -> Directory:
        """Open ``/``: the directory given so, or one made up that holds the others."""
        places: dict[str, FileSystem] = {}
        for name, filesystem in self._opened:
            names = [part for part in name.decode().split("/") if part not in ("", ".")]
            if ".." not in names:
                places.setdefault("/".join(names), filesystem)
        root = places.get("")
        if root is None:
            # Whatever lies below another is mounted in that already.
            outer = {
                path: filesystem
                for path, filesystem in places.items()
                if not any(path.startswith(f"{other}/") for other in places)
            }
            root = Namespace(MemoryFS(readonly=True), outer)
        return root.open_root()


def pickled(opened: "Sequence[tuple[bytes, FileSystem | bytes]]") -> list[tuple[bytes, bytes]]:
    """Return the directories that another process can have, each pickled.

    They stay pickled until somebody asks for a file: one of the host's opens a descriptor.
    """
    kept: list[tuple[bytes, bytes]] = []
    for name, filesystem in opened:
        if isinstance(filesystem, FileSystem):
            try:
                filesystem = pickle.dumps(filesystem)
            except (TypeError, AttributeError, pickle.PicklingError, RecursionError):
                continue  # of another library, with a clock of the caller's, or too deep
        kept.append((name, filesystem))
    return kept


def unpickled(kept: "Sequence[tuple[bytes, FileSystem | bytes]]") -> list[tuple[bytes, FileSystem]]:
    """Return directories that came from another process, or are of this one."""
    return [
        (name, filesystem if isinstance(filesystem, FileSystem) else pickle.loads(filesystem))
        for name, filesystem in kept
    ]


class GuestPath:
    """A path of a guest, after its run, to be read like a ``pathlib.Path``.

    ``result.files / "out/a.csv"`` is what the guest has as ``/out/a.csv``, or as ``out/a.csv``
    in its working directory, which is the same place to it.

    Methods raise ``OSError`` as those of ``pathlib`` do.
    """

    __slots__ = ("_directories", "_names")

    def __init__(self, directories: Directories, names: tuple[str, ...] = ()) -> None:
        self._directories = directories
        self._names = names

    # The path

    def __truediv__(self, other: "str | os.PathLike[str]") -> "GuestPath":
        names = os.fspath(other).split("/")
        return GuestPath(
            self._directories, (*self._names, *(name for name in names if name not in ("", ".")))
        )

    def joinpath(self, *others: "str | os.PathLike[str]") -> "GuestPath":
        """Return this path with others behind it."""
        path = self
        for other in others:
            path = path / other
        return path

    @property
    def name(self) -> str:
        """The last name; empty for the root."""
        return self._names[-1] if self._names else ""

    @property
    def suffix(self) -> str:
        """What the last name ends with, from the last dot on."""
        return Path(self.name).suffix

    @property
    def parts(self) -> tuple[str, ...]:
        """The names from the root."""
        return self._names

    @property
    def parent(self) -> "GuestPath":
        """The directory above; of the root itself."""
        return GuestPath(self._directories, self._names[:-1])

    def __str__(self) -> str:
        return "/" + "/".join(self._names)

    def __repr__(self) -> str:
        return f"GuestPath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, GuestPath)
            and other._names == self._names
            and other._directories is self._directories
        )

    def __hash__(self) -> int:
        return hash(self._names)

    def __lt__(self, other: "GuestPath") -> bool:
        return self._names < other._names

    # What is there

    def _ask(self, question: Callable[[Directory, str], T]) -> T:
        """Ask the root about this path; errors of the guest's files name it."""
        root = self._directories.open_root()
        try:
            return question(root, "/".join(self._names) or ".")
        except OSError as error:
            raise OSError(error.errno, os.strerror(error.errno or 0), str(self)) from None
        finally:
            root.close()

    def stat(self, *, follow_symlinks: bool = True) -> GuestStat:
        """Return size, times and kind."""
        dev, ino, kind, nlink, size, *times = self._ask(
            lambda root, path: root.stat_at(path, follow_symlinks)
        )
        return GuestStat(_MODES.get(kind, 0), ino, dev, nlink, size, *times)

    def _kind(self, follow: bool = True) -> int | None:
        try:
            return self._ask(lambda root, path: root.stat_at(path, follow))[2]
        except OSError:
            return None

    def exists(self) -> bool:
        """Tell whether there is something; a link counts if it leads to something inside."""
        return self._kind() is not None

    def is_file(self) -> bool:
        """Tell whether it is a regular file, or a link to one inside."""
        return self._kind() == _FILE

    def is_dir(self) -> bool:
        """Tell whether it is a directory, or a link to one inside."""
        return self._kind() == _DIRECTORY

    def is_symlink(self) -> bool:
        """Tell whether it is a symbolic link itself."""
        return self._kind(False) == _LINK

    def readlink(self) -> str:
        """Return the text of a symbolic link."""
        return self._ask(lambda root, path: root.read_link_at(path))

    def read_bytes(self) -> bytes:
        """Return the content of a file."""
        return self._ask(_content)

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the content of a file as text."""
        return self.read_bytes().decode(encoding, errors)

    def iterdir(self) -> Iterator["GuestPath"]:
        """Return what is in a directory, by name."""
        names = sorted(name for name, _ in self._ask(entries))
        return iter([GuestPath(self._directories, (*self._names, name)) for name in names])

    def glob(self, pattern: str) -> Iterator["GuestPath"]:
        """Return what matches a relative pattern, by name; ``**`` is any number of directories.

        Links are listed, and not walked through by ``**``.

        Raises:
            ValueError: the pattern is empty or absolute.
        """
        names = [name for name in pattern.split("/") if name not in ("", ".")]
        if not names or pattern[0] == "/":
            raise ValueError(f"{pattern!r} is no relative pattern")
        found = {self} if self.is_dir() else set()
        for number, name in enumerate(names):
            last = number == len(names) - 1
            if name == "**":
                found = {path for place in found for path in place._below(last)}
            else:
                found = {
                    path
                    for place in found
                    if place.is_dir()
                    for path in place.iterdir()
                    if fnmatch.fnmatchcase(path.name, name)
                }
        return iter(sorted(found))

    def rglob(self, pattern: str) -> Iterator["GuestPath"]:
        """Return what matches a pattern here or in any directory below."""
        return self.glob(f"**/{pattern}")

    def _below(self, everything: bool) -> Iterator["GuestPath"]:
        """Return this directory and all directories below; ``everything``: and what is in them."""
        todo = [self]
        while todo:
            place = todo.pop()
            yield place
            for name, kind in place._ask(entries):
                path = place / name
                if kind == _DIRECTORY:
                    todo.append(path)
                elif everything:
                    yield path

    # To the host

    def export_to(self, host_dir: "str | os.PathLike[str]") -> Path:
        """Copy to a host directory, which is made if it is missing.

        Of a directory, what is in it is copied; a file is copied under its own name. A file
        that is there already is replaced; nothing is ever written through a link, nor outside of
        ``host_dir``. Links are copied as links. Devices are left out.

        Returns:
            What was written: the directory, or the file in it.

        Raises:
            ValueError: a name that is none on the host, or a link that would lead out of what is
                copied, or might. Nothing was written then.
            OSError: something cannot be read or written, or is in the way.
        """
        target = Path(host_dir)
        if self._kind() != _DIRECTORY:
            self.stat()
            check_name(self.name)
            target.mkdir(parents=True, exist_ok=True)
            host = HostDir(target)
            try:
                self._ask(lambda root, path: export_file(root, path, host.open_root(), self.name))
            finally:
                host.close()
            return target / self.name
        self._ask(check_tree)
        target.mkdir(parents=True, exist_ok=True)
        host = HostDir(target)
        try:
            self._ask(lambda root, path: export_tree(root, path, host.open_root()))
        finally:
            host.close()
        return target


def _content(root: Directory, path: str) -> bytes:
    node = root.open_at(path, os.O_RDONLY, True)
    try:
        if isinstance(node, Directory):
            raise failure(errno.EISDIR)
        if not isinstance(node, File):
            raise failure(errno.EINVAL)  # a device has no content, and may have no end
        return b"".join(pieces(node))
    finally:
        node.close()
