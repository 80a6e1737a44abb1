"""The changes of an overlay, with what was in the lower tree and what is there now."""

import os
from collections.abc import Iterator

from wasi_host.fs.budget import UNLIMITED
from wasi_host.fs.change import Change
from wasi_host.fs.change_version import Version
from wasi_host.fs.memory_data import FileInode, LinkInode
from wasi_host.fs.memory_file import MemoryFile
from wasi_host.fs.node import File
from wasi_host.fs.overlay_difference import Difference, differences
from wasi_host.fs.overlay_file import OverlayFile
from wasi_host.fs.overlay_index import Entry, LayeredDirectory, LayeredFile
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.overlay_nodes import OverlayDirectory
from wasi_host.fs.walk import LINK
from wasi_spec.numbers import Filetype

__all__ = ["changes_of", "version_now"]


def changes_of(layers: Layers) -> list[Change]:
    """Return all that differs from the lower tree, but files that were written with equal bytes."""
    with layers.lock:
        found = differences(layers)
    changes = []
    for difference in found:
        before, after = _before(layers, difference), version_now(layers, difference)
        if difference.kind == "changed" and _are_equal(before, after):
            continue
        changes.append(Change(difference.kind, difference.path, before, after))
    return changes


def _are_equal(before: Version | None, after: Version | None) -> bool:
    """Tell whether both are there and hold the same bytes."""
    try:
        return before is not None and after is not None and before.same_as(after)
    except OSError:
        # One of them cannot be read (any more).
        return False


def _before(layers: Layers, difference: Difference) -> Version | None:
    """Return what was; of what is not there any more, what is known of it."""
    lower, seal = difference.lower, difference.seal
    if lower is None:
        return None
    stat = layers.lower.find(lower)
    if stat is not None:
        kind, size, mtime = stat[2], stat[4], stat[6]
    elif seal is not None:
        kind, size, mtime = seal.filetype, seal.size, seal.mtime_ns
    else:
        kind, size, mtime = Filetype.UNKNOWN, 0, 0
    target = layers.lower.read_link(lower) if stat is not None and kind == LINK else None
    opener = None
    if kind == File.filetype:
        opener = lambda: layers.lower.open_file(lower)  # noqa: E731  it belongs to one version
    return Version(lower, kind, size, mtime, target, opener)


def version_now(layers: Layers, difference: Difference) -> Version | None:
    """Return what is now at the path of a difference."""
    if difference.inode is None:
        return None
    return _now(layers, difference.path, difference.inode, difference.kind == "renamed")


def _now(layers: Layers, path: str, inode: Entry, with_all: bool) -> Version:
    stat = layers.stat(inode)
    target = inode.target if isinstance(inode, LinkInode) else None
    if isinstance(inode, FileInode | LayeredFile):
        return Version(path, stat[2], stat[4], stat[6], opener=lambda: open_inode(layers, inode))
    below = None
    if with_all and isinstance(inode, LayeredDirectory):
        below = lambda: _inside(layers, path, inode)  # noqa: E731  it belongs to one version
    return Version(path, stat[2], stat[4], stat[6], target, below=below)


def open_inode(layers: Layers, inode: FileInode | LayeredFile) -> File:
    """Open a file of the index for reading."""
    if isinstance(inode, LayeredFile):
        with layers.lock:
            if not inode.whole or inode.copy is None:
                layers.use(inode)
                return OverlayFile(layers, inode, True, os.O_RDONLY, UNLIMITED)
        inode = inode.copy
    return MemoryFile(layers.store, inode, True)


def _inside(layers: Layers, path: str, inode: LayeredDirectory) -> Iterator[Version]:
    """Return all that is in a directory, as a guest sees it."""
    directory = OverlayDirectory(layers, inode, True)
    for entry in directory.entries():
        with layers.lock:
            found = directory.present(entry.name)
        if found is not None:
            yield _now(layers, f"{path}/{entry.name}", found, True)
