"""pyfilesystem2's filesystems, loaded as we load them, and ones that misbehave."""

import os

from wasi_host.fs.memory import Link
from wasi_host.fs.pyfs_import import import_fs

import_fs()

from fs import errors  # noqa: E402
from fs.base import FS  # noqa: E402
from fs.copy import copy_fs  # noqa: E402
from fs.memoryfs import MemoryFS as TheirMemoryFS  # noqa: E402
from fs.mountfs import MountFS  # noqa: E402
from fs.multifs import MultiFS  # noqa: E402
from fs.osfs import OSFS  # noqa: E402
from fs.tempfs import TempFS  # noqa: E402
from fs.test import FSTestCases  # noqa: E402
from fs.wrap import read_only  # noqa: E402
from fs.wrapfs import WrapFS  # noqa: E402
from fs.zipfs import ZipFS  # noqa: E402

__all__ = [
    "FS", "OSFS", "Copying", "FSTestCases", "Failing", "MountFS", "MultiFS", "OtherOSFS", "TempFS",
    "TheirMemoryFS", "WrapFS", "ZipFS", "copy_fs", "errors", "put", "read_only",
]  # fmt: skip


class OtherOSFS(OSFS):
    """A disk that is not plainly one: its links are for us to look after."""


class Copying(WrapFS):
    """A memory filesystem that moves by copying, as remote ones do, and so loses times."""

    def __init__(self):
        super().__init__(TheirMemoryFS())

    def move(self, *args, **options):
        return FS.move(self, *args, **options)


class Failing(TheirMemoryFS):
    """Raises what it is told to, whatever it is asked."""

    error = None

    def getinfo(self, path, namespaces=None):
        if self.error is not None and path != "/":
            raise self.error
        return super().getinfo(path, namespaces)


def put(filesystem, tree, at="/"):
    """Makes a tree of bytes and dicts; links only on a disk."""
    for name, content in tree.items():
        path = f"{at}{name}"
        if isinstance(content, dict):
            filesystem.makedir(path)
            put(filesystem, content, f"{path}/")
        elif isinstance(content, Link):
            os.symlink(content.target, filesystem.getsyspath(path))
        else:
            filesystem.writebytes(path, content)
    return filesystem
