"""Filesystems of other libraries as ours, and ours as theirs."""

from wasi_host.fs.export import as_pyfilesystem
from wasi_host.fs.fsspec import FsspecFS
from wasi_host.fs.path_fs import ForeignFilesystemWarning
from wasi_host.fs.pyfs import PyFilesystem
from wasi_host.fs.pyfs_import import import_fs

__all__ = [
    "ForeignFilesystemWarning",
    "FsspecFS",
    "PyFilesystem",
    "as_pyfilesystem",
    "import_fs",
]
