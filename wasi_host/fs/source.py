"""What may be given where a filesystem is wanted, and the filesystem that each stands for.

Wrappers and overlays take the same things as ``dirs=`` does; here is the one place that tells
them apart. Adapters are imported when something for them is given: most programs pay for none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.node import FileSystem

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Protocol, TypeAlias
else:
    Protocol = object

__all__ = ["Source", "filesystem_of"]


class PyFilesystemLike(Protocol):
    """What type checkers take for a ``fs.base.FS``; nothing of it is imported to say so."""

    def getmeta(self, namespace: str = ...) -> Mapping[str, object]:
        """Tell of the filesystem."""

    def validatepath(self, path: str) -> str:
        """Check a path."""


class FsspecLike(Protocol):
    """What type checkers take for an ``fsspec.AbstractFileSystem``."""

    def cat_file(self, path: Any, start: Any = ..., end: Any = ..., **options: Any) -> Any:
        """Read a file."""

    def pipe_file(self, path: Any, value: Any, **options: Any) -> Any:
        """Write a file."""


#: A path or URL, a dict of files, or a filesystem: ours, of pyfilesystem2 or of fsspec.
Source: TypeAlias = (
    str | os.PathLike[str] | Mapping[str, object] | FileSystem | PyFilesystemLike | FsspecLike
)


def filesystem_of(value: object, what: str) -> FileSystem:
    """Return the filesystem that a source stands for.

    Args:
        value: a path to a host directory, or to a file, which then is alone in a directory; a
            dict of files, of which a tree in memory is made; a filesystem, returned as it is;
            one of pyfilesystem2 or fsspec; or a str with ``://``, the URL of one.
        what: what messages call it, such as ``dirs['/data']``.

    Raises:
        TypeError: it is none of these (bytes among them).
        ValueError: a URL that nothing knows or can open, or a tree with impossible names.
        OSError: a host directory cannot be had.
    """
    if isinstance(value, FileSystem):
        return value
    if isinstance(value, Mapping):
        return MemoryFS(value)
    if is_pyfilesystem(value):
        from wasi_host.fs.pyfs import PyFilesystem

        return PyFilesystem(value)
    if is_fsspec(value):
        from wasi_host.fs.fsspec import FsspecFS

        return FsspecFS(value)
    if isinstance(value, str) and "://" in value:
        from wasi_host.fs.url import filesystem_at

        return filesystem_at(value, what)
    if isinstance(value, str | os.PathLike):
        return HostDir(value)
    given = type(value).__name__
    if isinstance(value, bytes):
        given += " (the bytes of a file go into a dict: {'name': b'...'})"
    elif isinstance(value, type):
        given = f"the class {value.__name__} itself"
    raise TypeError(
        f"{what} must be a path, a dict of files, or a filesystem such as HostDir or MemoryFS, "
        f"not {given}"
    )


# Whoever holds a foreign filesystem has imported its base: nothing is imported to find out.


def is_foreign(value: object) -> bool:
    """Tell whether a value is a filesystem of another library."""
    return is_pyfilesystem(value) or is_fsspec(value)


def is_pyfilesystem(value: object) -> bool:
    """Tell whether a value is a filesystem of pyfilesystem2, or of a fork of it."""
    base = sys.modules.get("fs.base")
    return base is not None and isinstance(value, base.FS)


def is_fsspec(value: object) -> bool:
    """Tell whether a value is a filesystem of fsspec."""
    spec = sys.modules.get("fsspec.spec")
    return spec is not None and isinstance(value, spec.AbstractFileSystem)
