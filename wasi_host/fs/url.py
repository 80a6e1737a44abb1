"""A filesystem from its URL: whatever is installed that knows the scheme.

In this order: plug-ins (the entry points ``wasi_host.filesystems``, scheme -> ``factory(url)``),
pyfilesystem2's openers, fsspec. Looking for plug-ins costs some 36 ms of imports, which only who
gives a URL pays.
"""

import re
from importlib.util import find_spec
from typing import Any, Final

from wasi_host.fs.fsspec import FsspecFS
from wasi_host.fs.node import FileSystem
from wasi_host.fs.pyfs import PyFilesystem
from wasi_host.fs.pyfs_import import import_fs

__all__ = ["GROUP", "filesystem_at"]

#: The entry points of plug-ins.
GROUP: Final = "wasi_host.filesystems"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")


def filesystem_at(url: str, what: str) -> FileSystem:
    """Return the filesystem at a URL.

    Args:
        url: such as ``"zip://data.zip"``, ``"mem://"``, ``"s3://bucket/prefix"``. One with ``::``
            in it is a chain of fsspec's.
        what: what messages call it.

    Raises:
        ValueError: nobody knows the scheme (the text says which are known), or what it names
            cannot be opened.
        TypeError: a plug-in returned something else than a filesystem.
    """
    scheme = url.partition("://")[0]
    if not _SCHEME.fullmatch(scheme):
        raise ValueError(f"{what}: {url!r} is no URL: {scheme!r} is no scheme")
    plugins = _plugins()
    if scheme in plugins:
        made = plugins[scheme].load()(url)
        if isinstance(made, FileSystem):
            return made
        raise TypeError(
            f"{what}: the plug-in {plugins[scheme].value!r} made a {type(made).__name__} of "
            f"{url!r}, not a wasi_host.fs.FileSystem"
        )
    theirs, fsspecs = _pyfilesystem_schemes(), _fsspec_schemes()
    if scheme in theirs and "::" not in url:
        return PyFilesystem(url)
    if scheme in fsspecs:
        return FsspecFS(url)
    known = ", ".join(sorted({*plugins, *theirs}))
    more = f", and {len(fsspecs)} of fsspec" if fsspecs else "; fsspec, not installed, has more"
    raise ValueError(f"{what}: nothing knows the scheme of {url!r}; known are {known}{more}")


def _plugins() -> dict[str, Any]:
    from importlib.metadata import entry_points

    return {found.name: found for found in entry_points(group=GROUP)}


def _pyfilesystem_schemes() -> frozenset[str]:
    # Not installed is as good as knowing nothing: it asks for so little that some leave it out.
    if find_spec("fs") is None:
        return frozenset()
    module: Any = import_fs()
    return frozenset(module.opener.registry.protocols)


def _fsspec_schemes() -> frozenset[str]:
    if find_spec("fsspec") is None:
        return frozenset()
    import fsspec

    return frozenset(fsspec.available_protocols())
