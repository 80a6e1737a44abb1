"""A filesystem over a store of paths, with what all of them have in common for an embedder."""

import warnings
from collections import deque
from typing import TypeAlias

from wasi_host.fs.node import Directory, FileSystem
from wasi_host.fs.path_nodes import PathDirectory
from wasi_host.fs.path_store import Store
from wasi_host.fs.path_tree import Tree

__all__ = ["Failures", "ForeignFilesystemWarning", "PathFS", "failures", "warn_once"]

#: Exceptions of a store that were not expected, the oldest first.
Failures: TypeAlias = deque[Exception]


class ForeignFilesystemWarning(UserWarning):
    """A filesystem of another library was given: what it cannot do, programs are told so."""


class PathFS(FileSystem):
    """A filesystem over a store of paths.

    Attributes:
        failures: the last 100 exceptions of the store that were not expected; the guest was told
            EIO.
    """

    def __init__(self, store: Store, readonly: bool, failures: Failures) -> None:
        self.readonly = readonly
        self.failures = failures
        self._tree = Tree(store)

    def open_root(self) -> Directory:
        """Return the root."""
        return PathDirectory(self._tree, self._tree.enter("/"), self.readonly)

    def close(self) -> None:
        """Give back what was opened for this filesystem alone."""
        self._tree.store.close()


def failures() -> Failures:
    """Return a place for the exceptions of a store; its ``append`` is what ``Guard`` keeps by."""
    return deque(maxlen=100)


_warned: set[type] = set()


def warn_once(kind: type) -> None:
    """Say once for each kind of foreign filesystem what it lacks."""
    if kind not in _warned:
        _warned.add(kind)
        warnings.warn(
            f"{kind.__module__}.{kind.__qualname__} makes no symbolic or hard links, and keeps no "
            "inode numbers and exact times: guests are told ENOTSUP, and what wasi_host makes up",
            ForeignFilesystemWarning,
            stacklevel=3,
        )
