"""Filesystems: the protocol, the resolver, and the sources of directories.

They raise ``OSError`` with a host errno and nothing else, and know neither rights, descriptors
nor guest memory.
"""

from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.memory_tree import Link
from wasi_host.fs.node import Directory, Dirent, File, FileSystem, Node, Stream

__all__ = [
    "Directory",
    "Dirent",
    "File",
    "FileSystem",
    "HostDir",
    "Link",
    "MemoryFS",
    "Node",
    "Stream",
]
