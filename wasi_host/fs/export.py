"""Our filesystems as pyfilesystem2's: ``as_pyfilesystem``.

What it does: all that ``fs.base.FS`` asks for, on any ``FileSystem``, within its own rules: links
are followed, as ``OSFS`` does, and never out of it. There are no paths of the host and no URLs.

``fs`` is imported, and the class that derives from its ``FS`` made, at the first use. The methods
are written in a class of their own (``_Operations``), which only becomes an ``FS`` then.
"""

import errno
import io
import os
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, Final

from wasi_host.fs.node import Directory, File, FileSystem, Node, Stat
from wasi_host.fs.path_store import nanoseconds
from wasi_host.fs.pyfs_import import import_fs
from wasi_host.fs.source import Source, filesystem_of
from wasi_host.fs.walk import DIRECTORY, LINK, failure
from wasi_spec.numbers import Filetype

__all__ = ["as_pyfilesystem"]

#: ``fs.ResourceType`` of our kinds.
_TYPES: Final = {
    Filetype.DIRECTORY: 1,
    Filetype.REGULAR_FILE: 2,
    Filetype.CHARACTER_DEVICE: 3,
    Filetype.BLOCK_DEVICE: 4,
    Filetype.SYMBOLIC_LINK: 7,
}
_NAMES: Final = ("st_dev", "st_ino", "st_nlink", "st_size")
_TIMES: Final = ("st_atime_ns", "st_mtime_ns", "st_ctime_ns")


def as_pyfilesystem(filesystem: FileSystem | Source, readonly: bool = False) -> Any:
    """Return a ``fs.base.FS`` of one of our filesystems.

    Args:
        filesystem: a filesystem, which stays yours to close; or what ``dirs=`` takes.
        readonly: refuse every change with ``ResourceReadOnly``, as one that is read-only does.

    Raises:
        ModuleNotFoundError: pyfilesystem2 is not installed.
        TypeError, ValueError, OSError: there is no such source.
    """
    return _exported()(filesystem_of(filesystem, "the filesystem"), readonly)


@cache
def _exported() -> Callable[[FileSystem, bool], Any]:
    module: Any = import_fs()

    def body(namespace: dict[str, Any]) -> None:
        namespace["_fs"] = module
        namespace["__module__"] = __name__
        namespace["__doc__"] = _Operations.__doc__

    made: Any = types.new_class("ExportedFS", (_Operations, module.base.FS), exec_body=body)
    return made  # type: ignore[no-any-return]


class _Operations:
    """A filesystem of ours as a pyfilesystem2 filesystem; closing it closes what it opened."""

    _fs: Any
    _meta: dict[str, object]
    check: Callable[[], None]
    opendir: Callable[[str], Any]
    validatepath: Callable[[str], str]

    def __init__(self, filesystem: FileSystem, readonly: bool) -> None:
        super().__init__()
        self._filesystem = filesystem
        self._root: Directory = filesystem.open_root()
        self._readonly = readonly or self._root.readonly
        self._meta = {
            "case_insensitive": False,
            "invalid_path_chars": "\0",
            "network": False,
            "read_only": self._readonly,
            "supports_rename": False,
            "thread_safe": True,
            "unicode_paths": True,
            "virtual": False,
        }

    def __repr__(self) -> str:
        return f"as_pyfilesystem({self._filesystem!r})"

    def close(self) -> None:
        """Close the root that was opened; the filesystem stays open."""
        root = getattr(self, "_root", None)
        if root is not None:
            root.close()
        super().close()  # type: ignore[misc]

    # What there is

    def getinfo(self, path: str, namespaces: Collection[str] | None = None) -> Any:
        """Return the attributes; of the namespaces basic, details, link and stat."""
        at = self._path(path)
        with self._converting(path):
            return self._info(self._root, at, at.rpartition("/")[2], namespaces or ())

    def _info(self, place: Directory, at: str, name: str, namespaces: Collection[str]) -> Any:
        stat = place.stat_at(at, True)
        raw: dict[str, dict[str, object]] = {
            "basic": {"name": "" if at == "." else name, "is_dir": stat[2] == DIRECTORY}
        }
        if "details" in namespaces:
            raw["details"] = _details(stat)
        if "stat" in namespaces:
            named = zip(_NAMES, (stat[0], stat[1], stat[3], stat[4]), strict=True)
            raw["stat"] = {**dict(named), **dict(zip(_TIMES, stat[5:], strict=True))}
        if "link" in namespaces:
            raw["link"] = {"target": _target(place, at)}
        return self._fs.info.Info(raw)

    def islink(self, path: str) -> bool:
        """Tell whether a path is a symbolic link."""
        at = self._path(path)
        with self._converting(path):
            return self._root.stat_at(at, False)[2] == LINK

    def listdir(self, path: str) -> list[str]:
        """Return the names in a directory."""
        with self._converting(path, directory=True), self._directory(path) as place:
            return [entry.name for entry in place.entries()]

    def scandir(
        self,
        path: str,
        namespaces: Collection[str] | None = None,
        page: tuple[int, int] | None = None,
    ) -> Iterator[Any]:
        """Return the attributes of all that is in a directory; what vanishes meanwhile is not."""
        start, end = page or (0, None)
        with self._converting(path, directory=True), self._directory(path) as place:
            return iter(list(self._infos(place, start, end, namespaces or ())))

    def _infos(
        self, place: Directory, start: int, end: int | None, namespaces: Collection[str]
    ) -> Iterator[Any]:
        for entry in islice(place.entries(), start, end):
            name = entry.name
            if not namespaces and entry.filetype != LINK:
                basic = {"name": name, "is_dir": entry.filetype == DIRECTORY}
                yield self._fs.info.Info({"basic": basic})
                continue
            try:
                yield self._info(place, name, name, namespaces)
            except OSError:
                # A link that leads nowhere, or out.
                continue

    # Changes

    def makedir(self, path: str, permissions: object = None, recreate: bool = False) -> Any:
        """Create a directory, and return a filesystem of it; permissions mean nothing here."""
        at = self._writable(path)
        with self._converting(path, directory=True):
            try:
                self._root.make_dir_at(at)
            except FileExistsError:
                if not (recreate and self._root.stat_at(at, True)[2] == DIRECTORY):
                    raise
        return self.opendir(path)

    def remove(self, path: str) -> None:
        """Remove a file or a link."""
        at = self._writable(path)
        with self._converting(path):
            self._root.unlink_at(at)

    def removedir(self, path: str) -> None:
        """Remove an empty directory."""
        at = self._writable(path)
        if at == ".":
            raise self._fs.errors.RemoveRootError(path)
        with self._converting(path, directory=True):
            self._root.remove_dir_at(at)

    def setinfo(self, path: str, info: Mapping[str, Mapping[str, object]]) -> None:
        """Set the times of the namespace details; nothing else can be set."""
        at = self._writable(path)
        details = info.get("details", {})
        with self._converting(path):
            times = (
                nanoseconds(details[key]) if details.get(key) is not None else None
                for key in ("accessed", "modified")
            )
            self._root.set_times_at(at, True, *times)

    def move(
        self, src_path: str, dst_path: str, overwrite: bool = False, preserve_time: bool = False
    ) -> None:
        """Move a file; its times stay its own, whatever is asked."""
        source, to = self._writable(src_path), self._writable(dst_path)
        with self._converting(src_path):
            if self._root.stat_at(source, True)[2] == DIRECTORY:
                raise self._fs.errors.FileExpected(src_path)
        with self._converting(dst_path):
            if not overwrite and self._exists(to):
                raise self._fs.errors.DestinationExists(dst_path)
            self._root.rename_at(source, self._root, to)

    def movedir(
        self, src_path: str, dst_path: str, create: bool = False, preserve_time: bool = False
    ) -> None:
        """Move a directory in one go where there is nothing yet, else what is in it."""
        source, to = self._writable(src_path), self._writable(dst_path)
        with self._converting(src_path, directory=True):
            whole = create and not self._exists(to) and source != "."
            if whole and self._root.stat_at(source, True)[2] == DIRECTORY:
                self._root.rename_at(source, self._root, to)
                return
        super().movedir(src_path, dst_path, create, preserve_time)  # type: ignore[misc]

    def openbin(self, path: str, mode: str = "r", buffering: int = -1, **options: object) -> Any:
        """Open a file; what is written is in the filesystem at once, whatever ``buffering``."""
        wanted = self._fs.mode.Mode(mode)
        wanted.validate_bin()
        at = self._writable(path) if wanted.writing else self._path(path)
        if at == ".":
            raise self._fs.errors.FileExpected(path)
        with self._converting(path):
            node = self._root.open_at(at, _flags(wanted), True)
            if isinstance(node, File):
                return ExportedFile(node, wanted)
            node.close()
            raise failure(errno.EISDIR if node.filetype == DIRECTORY else errno.ENOTSUP)

    # Paths and errors

    def _path(self, path: str) -> str:
        self.check()
        return self.validatepath(path).strip("/") or "."

    def _writable(self, path: str) -> str:
        at = self._path(path)
        if self._readonly:
            raise self._fs.errors.ResourceReadOnly(path)
        return at

    def _converting(self, path: str, directory: bool = False) -> Any:
        return self._fs.error_tools.convert_os_errors("operation", path, directory=directory)

    def _directory(self, path: str) -> "_Opened":
        return _Opened(self._root.open_at(self._path(path), os.O_DIRECTORY, True))

    def _exists(self, at: str) -> bool:
        try:
            self._root.stat_at(at, False)
        except FileNotFoundError:
            return False
        return True


class _Opened:
    """Closes a directory after its use."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __enter__(self) -> Directory:
        if not isinstance(self._node, Directory):
            raise failure(errno.ENOTDIR)
        return self._node

    def __exit__(self, *raised: object) -> None:
        self._node.close()


def _details(stat: Stat) -> dict[str, object]:
    atime, mtime, ctime = (time / 1e9 for time in stat[5:])
    return {
        "_write": ["accessed", "modified"],
        "type": _TYPES.get(stat[2], 0),
        "size": stat[4],
        "accessed": atime,
        "modified": mtime,
        "metadata_changed": ctime,
        "created": None,
    }


def _target(place: Directory, at: str) -> str | None:
    try:
        return None if at == "." else place.read_link_at(at)
    except OSError:
        # No link, or one whose text nobody shall see.
        return None


def _flags(mode: Any) -> int:
    flags = os.O_RDWR if mode.updating else os.O_WRONLY if mode.writing else os.O_RDONLY
    if mode.create:
        flags |= os.O_CREAT
    if mode.exclusive:
        return flags | os.O_EXCL
    return flags | os.O_TRUNC if mode.truncate else flags


class ExportedFile(io.RawIOBase):
    """An open file of ours as a file object of Python's."""

    def __init__(self, node: File, mode: Any) -> None:
        self._node = node
        self._modes = mode
        self._position = node.stat()[4] if mode.appending else 0

    @property
    def mode(self) -> str:
        """The mode it was opened with, such as ``"rb"``."""
        return str(self._modes.to_platform_bin())

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            super().close()
            self._node.close()

    def flush(self) -> None:
        """Do nothing: whatever was written is written."""

    def readable(self) -> bool:
        """Tell whether it was opened for reading."""
        return bool(self._modes.reading)

    def writable(self) -> bool:
        """Tell whether it was opened for writing."""
        return bool(self._modes.writing)

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        self._check(True)
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; ValueError before the start, or from nowhere."""
        self._check(True)
        if whence == os.SEEK_CUR:
            position = offset + self._position
        elif whence == os.SEEK_END:
            position = offset + self._node.stat()[4]
        elif whence == os.SEEK_SET:
            position = offset
        else:
            raise ValueError(f"{whence} is no place to seek from")
        if position < 0:
            raise ValueError(f"negative seek position {position}")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is data."""
        self._check(self.readable(), "read")
        with memoryview(buffer).cast("B") as view:
            data = self._node.pread(len(view), self._position)
            view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def write(self, data: Any) -> int:
        """Write at the position, or at the end where opened for appending."""
        self._check(self.writable(), "write")
        with memoryview(data).cast("B") as view:
            taken = bytes(view)
        if self._modes.appending:
            count = self._node.append(taken)
            self._position = self._node.stat()[4]
        else:
            count = self._node.pwrite(taken, self._position)
            self._position += count
        return count

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend to ``size``, or to the position."""
        self._check(self.writable(), "write")
        size = self._position if size is None else size
        self._node.truncate(size)
        return size

    def _check(self, allowed: bool, what: str = "") -> None:
        if self.closed:
            raise ValueError("I/O operation on a closed file")
        if not allowed:
            raise io.UnsupportedOperation(f"not open to {what}")
