"""Copy-on-write over any filesystem: a guest changes what it sees, and the source stays.

Theory of operation
===================

An overlay has a *lower* tree, which is only ever read, and an *index* of what differs from it.
The index is a tree of inodes like that of a filesystem in memory, except that a directory in it
may have a lower directory at its back (``overlay_index.LayeredDirectory``):

* A name is looked up in the index, and only if the index does not know it in the lower
  directory. A name that was removed is known as None: a *whiteout*. A directory that is made
  where one was removed has no lower directory, so nothing of the old one shows: it is *opaque*.
* An inode of the lower tree keeps its lower path wherever it is moved. So a renamed directory
  goes on having the lower directory of its old place at its back, whatever is now under the
  old name there: a *redirect*, by which no file is copied, and which moves on with it. The same
  for renamed files and for hard links to them.
* Inode numbers are the lower tree's, before and after a file's bytes are copied; what is new has
  numbers above 2^63. Directories list what the lower one lists, in its order, then the new names.
* Bytes are copied when they are first written, as little as can be (``overlay_data``). Times and
  the number of names become the overlay's own without any bytes; access times too are only what
  a guest sets, reading changes nothing anywhere.

The lower tree is reached only by ``overlay_lower.Lower``, which has no way to change anything.
If somebody else changes it meanwhile, names that the index does not know show the change at once;
what the index knows keeps its place, and a file of which some bytes were copied is never a mixture
of old and new ones (ESTALE). Two names of one file in the lower tree become two files when one of
them is changed: the other name keeps the old bytes.
"""

import errno
import itertools
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from wasi_host.fs.budget import Budget, unlimited
from wasi_host.fs.changes import Changes
from wasi_host.fs.host import HostDir, HostDirectory
from wasi_host.fs.memory_data import Store
from wasi_host.fs.node import File, FileSystem
from wasi_host.fs.overlay_apply import apply_differences
from wasi_host.fs.overlay_changes import changes_of
from wasi_host.fs.overlay_file import OverlayFile
from wasi_host.fs.overlay_layers import Layers, State
from wasi_host.fs.overlay_lower import Lower
from wasi_host.fs.overlay_nodes import OverlayDirectory
from wasi_host.fs.overlay_upper import TreeUpper
from wasi_host.fs.source import Source, filesystem_of
from wasi_host.fs.walk import failure

__all__ = ["Overlay", "OverlayDirectory", "OverlayFile"]

#: The size limit of a file where none is set, that of ext4.
MAX_FILE: Final = 1 << 44
#: Numbers of new inodes are above all that a host has, and apart for overlays upon overlays.
_NEW: Final = (1 << 63) + (1 << 60)
_APART: Final = 1 << 50
#: Device numbers of overlays are apart from those of hosts and of filesystems in memory.
_devices: Final = itertools.count((1 << 61) + 1)


class Overlay(FileSystem):
    """A copy-on-write view of a source, kept between runs; the source is never changed.

    Args:
        lower: what is seen at first, anything that ``dirs=`` takes.
        upper: where the files go that a guest writes; None: into memory. What is in it already
            is shown in the place of what the lower tree has. The file ``.wasi_host-overlay.json``
            in it has what else there is to know (see ``overlay_marks``), and is written whenever
            a run ends, and by ``close``: so an overlay over the same two can be opened again.
        clock: the time in nanoseconds since 1970.
        readonly: refuse guests every change.
        device: the device number; by default one that nothing else in this process has.

    Raises:
        TypeError, ValueError, OSError: ``lower`` or ``upper`` cannot be had, see
            ``source.filesystem_of``.
    """

    def __init__(
        self,
        lower: Source,
        upper: FileSystem | None = None,
        *,
        clock: Callable[[], int] = time.time_ns,
        readonly: bool = False,
        device: int | None = None,
    ) -> None:
        self.lower = filesystem_of(lower, "lower")
        self._made = self.lower is not lower
        self.readonly = readonly
        self._first_ino: int = _NEW
        if isinstance(self.lower, Overlay):
            self._first_ino = self.lower._first_ino + _APART
        store = Store(next(_devices) if device is None else device, clock, MAX_FILE)
        self.layers = Layers(Lower(self.lower.open_root()), store, self._first_ino)
        self.upper = upper
        if upper is not None:
            self.layers.upper = TreeUpper(upper, self.layers)

    def open_root(self) -> OverlayDirectory:
        """Return the root."""
        return OverlayDirectory(self.layers, self.layers.root, self.readonly)

    def limited(self, budget: Budget) -> "LimitedOverlay":
        """Return this overlay as a run sees it that may make it grow within ``budget`` only."""
        budget.covers(self.layers.store.usage)
        return LimitedOverlay(self, budget)

    def close(self) -> None:
        """Close the root of the lower tree, and the tree itself if it was given as a path."""
        self.layers.upper.save()
        self.layers.upper.close()
        self.layers.lower.close()
        if self._made:
            self.lower.close()

    @property
    def changes(self) -> Changes:
        """All that differs from the lower tree at this moment."""
        return Changes(changes_of(self.layers), self)

    def watch(self) -> Callable[[], Changes]:
        """Return what gives all changes, also those from before."""
        return lambda: self.changes

    @property
    def can_apply_changes(self) -> bool:
        """Whether the lower tree is a host directory that may be written."""
        lower = self.lower
        return isinstance(lower, HostDir) and not lower.readonly and not lower.single

    def apply_changes(self, changes: Changes) -> None:
        """Write all that differs now to the lower directory; see ``Changes.apply``."""
        root = self.lower.open_root()
        try:
            if not self.can_apply_changes or not isinstance(root, HostDirectory):
                raise ValueError(
                    f"changes cannot be applied to {self.lower!r}, which is no host directory "
                    "that may be written"
                )
            apply_differences(self.layers, root)
        finally:
            root.close()
        self.discard_changes()

    def discard_changes(self) -> None:
        """Forget all that differs. What is open goes on being what it was."""
        with self.layers.lock:
            self.layers.forget()

    def read_bytes(self, path: str) -> bytes:
        """Return the content of a file as a guest sees it; the errors of ``open``."""
        node = self.open_root().open_at(path.lstrip("/") or ".", os.O_RDONLY, True)
        try:
            if not isinstance(node, File):
                raise failure(errno.EISDIR)
            return node.pread(node.stat()[4], 0)
        finally:
            node.close()

    def __reduce__(self) -> tuple[Any, ...]:
        store = self.layers.store
        again = partial(Overlay, clock=store.clock, readonly=self.readonly, device=store.device)
        if self.upper is None:
            return again, (self.lower,), self.layers.state()
        self.layers.upper.save()
        return again, (self.lower, self.upper)

    def __setstate__(self, state: State) -> None:
        self.layers.resume(state)

    def __repr__(self) -> str:
        return f"Overlay({self.lower!r})"


class LimitedOverlay(FileSystem):
    """An overlay for a run with a budget."""

    def __init__(self, inner: Overlay, budget: Budget) -> None:
        self.inner = inner
        self.budget = budget

    def open_root(self) -> OverlayDirectory:
        """Return the root."""
        layers = self.inner.layers
        return OverlayDirectory(layers, layers.root, self.inner.readonly, self.budget)

    def __reduce__(self) -> tuple[Callable[[Overlay], Overlay], tuple[Overlay]]:
        return unlimited, (self.inner,)
