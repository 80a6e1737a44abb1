"""Any pyfilesystem2 filesystem as a source, behind our own rules.

It cannot be a file layer of its own: links lead out of an ``OSFS``, renames lose data or never
end, read-only wrappers let moves through, appends are not at the end (``path_tree`` tells what is
done about it). What is left to it is listing, reading, writing and removing what we have looked
at before. An ``OSFS`` or ``TempFS``, also by ``opendir`` or behind ``read_only``, is not even used
for that: its directory is a host directory.
"""

import errno
import os
import sys
from contextlib import suppress
from typing import Any, Final

from wasi_host.fs.host import HostDir
from wasi_host.fs.node import Directory
from wasi_host.fs.path_fs import Failures, PathFS, failures, warn_once
from wasi_host.fs.path_store import FileObject, Guard, Info, OpenFile, Store, nanoseconds
from wasi_host.fs.pyfs_import import import_fs
from wasi_spec.numbers import Filetype

__all__ = ["PyFilesystem"]

_DIRECTORY: Final = Filetype.DIRECTORY
_LINK: Final = Filetype.SYMBOLIC_LINK
#: Kinds by the numbers of ``fs.ResourceType``: unknown and file, the two devices, pipe and socket.
_KINDS: Final = {
    0: Filetype.REGULAR_FILE,
    2: Filetype.REGULAR_FILE,
    3: Filetype.CHARACTER_DEVICE,
    4: Filetype.BLOCK_DEVICE,
}
_UNKNOWN: Final = Filetype.UNKNOWN
_WANTED: Final = ("basic", "details", "link")

#: Exceptions of ``fs.errors`` by name, each before those it derives from.
_ERRNOS: Final = {
    "ResourceNotFound": errno.ENOENT,
    "DirectoryExpected": errno.ENOTDIR,
    "FileExpected": errno.EISDIR,
    "DirectoryNotEmpty": errno.ENOTEMPTY,
    "FileExists": errno.EEXIST,
    "DirectoryExists": errno.EEXIST,
    "DestinationExists": errno.EEXIST,
    "ResourceReadOnly": errno.EROFS,
    "PermissionDenied": errno.EACCES,
    "InsufficientStorage": errno.ENOSPC,
    "InvalidCharsInPath": errno.EILSEQ,
    "IllegalBackReference": errno.EPERM,
    "Unsupported": errno.ENOTSUP,
}


class PyFilesystem(PathFS):
    """A pyfilesystem2 filesystem.

    Programs find no symbolic or hard links to make (ENOTSUP), inode numbers made from paths, and
    of times what the filesystem keeps; those set through us are exact while this object lives.
    Links that are there (some filesystems over a disk show them) are followed by our rules only,
    and cannot be renamed. A file is extended by at most 64 MiB at once where a hole would cost its
    full size. Appends are at the end among everything opened through this object.

    Args:
        source: a ``fs.base.FS``, or a URL for pyfilesystem2's openers, such as ``"zip://a.zip"``.
        readonly: refuse every change; implied by a filesystem that says it is read-only.
        warn: say what it lacks, once for each class of filesystem (ForeignFilesystemWarning).

    Attributes:
        filesystem: the pyfilesystem2 object. One that was given is yours to close; one opened
            from a URL is closed with this object.
        failures: the last 100 exceptions of it that were not expected; the guest was told EIO.

    Raises:
        TypeError: neither a ``fs.base.FS`` nor a str.
        ValueError: nothing opens such a URL, or what opens it cannot.
        ModuleNotFoundError: a URL is given, and pyfilesystem2 is not installed.
    """

    def __init__(self, source: Any, readonly: bool = False, *, warn: bool = True) -> None:
        self.url = source if isinstance(source, str) else None
        if self.url is not None:
            source = _opened(self.url, readonly)
        base = sys.modules.get("fs.base")
        if base is None or not isinstance(source, base.FS):
            raise TypeError(
                f"PyFilesystem takes a pyfilesystem2 object or a URL, not {type(source).__name__}"
            )
        self.filesystem: Any = source
        self._given_readonly = readonly
        kept = failures()
        with _FsGuard(kept.append):
            readonly = readonly or self.filesystem.getmeta().get("read_only") is True
            path = _host_path(self.filesystem)
        self._host = None if path is None else HostDir(path, readonly=readonly)
        super().__init__(_PyfsStore(self.filesystem, kept, self.url is not None), readonly, kept)
        if self._host is None and warn:
            warn_once(type(self.filesystem))

    def open_root(self) -> Directory:
        """Return the root."""
        return super().open_root() if self._host is None else self._host.open_root()

    def close(self) -> None:
        """Close what was opened for this object."""
        if self._host is not None:
            self._host.close()
        super().close()

    def __reduce__(self) -> tuple[Any, ...]:
        if self.url is None and self._host is not None:
            return self._host.__reduce__()
        if self.url is None:
            raise TypeError("pyfilesystem2 objects do not pickle; give a URL")
        return PyFilesystem, (self.url, self._given_readonly)


def _opened(url: str, readonly: bool) -> object:
    module: Any = import_fs()
    expected = (module.errors.FSError, module.opener.errors.OpenerError, OSError, ValueError)
    try:
        # An archive that exists says NotWriteable: opened for writing it would begin empty.
        with suppress(module.opener.errors.NotWriteable):
            return module.open_fs(url, writeable=not readonly)
        return module.open_fs(url)
    except expected as error:
        raise ValueError(f"{url!r} cannot be opened by pyfilesystem2: {error}") from error


def _host_path(filesystem: Any) -> str | None:
    """Return the host directory that a filesystem plainly is, or None."""
    path = "/"
    while True:
        name = f"{type(filesystem).__module__}.{type(filesystem).__qualname__}"
        if name in ("fs.osfs.OSFS", "fs.tempfs.TempFS"):
            return str(filesystem.getsyspath(path))
        if name not in ("fs.subfs.SubFS", "fs.subfs.ClosingSubFS", "fs.wrap.WrapReadOnly"):
            return None
        filesystem, path = filesystem.delegate_path(path)


class _FsGuard(Guard):
    """Guards a call into pyfilesystem2."""

    __slots__ = ()

    def errno_of(self, error: Exception) -> int | None:
        """Return the errno of the host's error inside, else the one that the class means."""
        inside: Any = error
        while inside is not None:
            number = getattr(inside, "errno", None)
            if isinstance(number, int) and number > 0:
                return number
            inside = getattr(inside, "exc", None)
        for kind in type(error).__mro__:
            if kind.__module__ == "fs.errors" and kind.__name__ in _ERRNOS:
                return _ERRNOS[kind.__name__]
        return super().errno_of(error)


class _PyfsStore(Store):
    """A pyfilesystem2 filesystem as a store of paths."""

    def __init__(self, filesystem: Any, kept: Failures, owned: bool) -> None:
        self._fs = filesystem
        self._owned = owned
        self._guard = _FsGuard(kept.append)
        with self._guard:
            self.sparse = bool(filesystem.hassyspath("/"))
            self.replaces = self.sparse and filesystem.getmeta().get("supports_rename") is True

    def info(self, path: str) -> Info:
        """Return what there is at a path."""
        with self._guard:
            return _info(self._fs.getinfo(path, namespaces=_WANTED).raw)

    def names(self, path: str) -> list[tuple[str, int]]:
        """Return name and kind of each entry of a directory."""
        try:
            with self._guard:
                found = [info.raw for info in self._fs.scandir(path, namespaces=("basic", "link"))]
                return [(str(raw["basic"]["name"]), _info(raw).filetype) for raw in found]
        except OSError:
            # One entry that cannot be looked at, such as a dangling link, fails the whole.
            with self._guard:
                names = list(map(str, self._fs.listdir(path)))
        return [(name, self._kind(path, name)) for name in names]

    def _kind(self, path: str, name: str) -> int:
        try:
            return self.info(f"{path}/{name}").filetype
        except OSError:
            return _UNKNOWN

    def open(self, path: str, writable: bool) -> OpenFile:
        """Open an existing file."""
        return self._open(path, "r+b" if writable else "rb")

    def create(self, path: str) -> OpenFile:
        """Create a file."""
        return self._open(path, "x+b")

    def _open(self, path: str, mode: str) -> OpenFile:
        with self._guard:
            # Unbuffered, so that what other processes write is seen.
            return FileObject(self._fs.openbin(path, mode, buffering=0), self._guard)

    def make_dir(self, path: str) -> None:
        """Create a directory."""
        with self._guard:
            self._fs.makedir(path)

    def remove_dir(self, path: str) -> None:
        """Remove an empty directory."""
        with self._guard:
            self._fs.removedir(path)

    def unlink(self, path: str) -> None:
        """Remove a file, or a link itself."""
        with self._guard:
            self._fs.remove(path)

    def move_file(self, path: str, to: str) -> None:
        """Move a file; one that is at ``to`` is replaced."""
        with self._guard:
            if self.replaces:
                os.rename(self._fs.getsyspath(path), self._fs.getsyspath(to))
            else:
                # Never with preserve_time: MemoryFS moves, and then fails.
                self._fs.move(path, to, overwrite=True)

    def move_dir(self, path: str, to: str) -> bool:
        """Move a directory of the host's by it; ``movedir`` copies what links lead to."""
        if not self.replaces:
            return False
        with self._guard:
            os.rename(self._fs.getsyspath(path), self._fs.getsyspath(to))
        return True

    def set_times(self, path: str, atime_ns: int, mtime_ns: int) -> None:
        """Set both times; OSFS sets the other one too where only one is given."""
        times = {"accessed": atime_ns / 1e9, "modified": mtime_ns / 1e9}
        with self._guard:
            self._fs.setinfo(path, {"details": times})

    def close(self) -> None:
        """Close the filesystem, if it was opened from a URL."""
        if self._owned:
            with self._guard:
                self._fs.close()


def _info(raw: Any) -> Info:
    details = raw.get("details") or {}
    target = (raw.get("link") or {}).get("target")
    if target is not None:
        target, kind = os.fsdecode(target), _LINK
        size = len(os.fsencode(target))
    elif raw["basic"]["is_dir"]:
        kind, size = _DIRECTORY, 0
    else:
        kind, size = _KINDS.get(details.get("type", 0), _UNKNOWN), int(details.get("size") or 0)
    modified = nanoseconds(details.get("modified"))
    accessed = nanoseconds(details.get("accessed"))
    changed = nanoseconds(details.get("metadata_changed"))
    return Info(kind, max(size, 0), accessed or modified, modified, changed or modified, target)
