"""What is different after a run, and what may be done with it.

``Changes`` are what they were when they were asked for; the bytes are read only when somebody
wants them.
"""

from __future__ import annotations

from wasi_host.fs.change import Change, Kind
from wasi_host.fs.change_export import as_json, write_tar
from wasi_host.fs.change_version import Version

TYPE_CHECKING = False

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from typing import Protocol
else:
    Protocol = object

__all__ = ["Change", "Changes", "Conflict", "Kind", "Origin", "Version"]


class Conflict(RuntimeError):
    """The lower directory has changed since the guest saw it; nothing was written.

    Attributes:
        paths: the paths in the lower directory, sorted.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(sorted(set(paths)))
        super().__init__(f"changed meanwhile in the lower directory: {', '.join(self.paths)}")

    def __reduce__(self) -> tuple[type[Conflict], tuple[tuple[str, ...]]]:
        return type(self), (self.paths,)


class Origin(Protocol):
    """Whatever the changes were made in."""

    @property
    def can_apply_changes(self) -> bool:
        """Whether they can be written to where they were made from."""

    def apply_changes(self, changes: Changes) -> None:
        """Write them to where they were made from; ValueError where that cannot be."""

    def discard_changes(self) -> None:
        """Make everything as it was."""


class Changes:
    """All changes, in the order of their paths, a directory before what is in it."""

    def __init__(self, changes: Sequence[Change], origin: Origin | None = None) -> None:
        self._changes = tuple(changes)
        self._origin = origin

    def __reduce__(self) -> tuple[type[Changes], tuple[tuple[Change, ...]]]:
        # With their bytes, but in another process there is nothing to apply them to.
        return Changes, (self._changes,)

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def __getitem__(self, index: int) -> Change:
        return self._changes[index]

    def __len__(self) -> int:
        return len(self._changes)

    def __str__(self) -> str:
        """Return a unified diff, as ``patch -p1`` and ``git apply`` take it."""
        return "".join(map(str, self._changes))

    def __repr__(self) -> str:
        return f"<Changes: {', '.join(map(repr, self._changes)) or 'none'}>"

    @property
    def can_apply(self) -> bool:
        """Whether they were made over a host directory that may be written."""
        return self._origin is not None and self._origin.can_apply_changes

    def to_json(self) -> str:
        """Return kinds, paths, types, sizes and hashes, as a JSON text."""
        return as_json(self)

    def export_tar(self, path: str | os.PathLike[str]) -> None:
        """Write what is new to a tar file, as a layer of a container image.

        It holds what was created and changed, all of what was renamed under its new name, and
        for what is not there any more an empty file ``.wh.NAME``.
        """
        write_tar(self, path)

    def apply(self) -> None:
        """Write the changes to the lower directory.

        Directories are made first, then names are changed, files written, and what is gone
        deleted. A file is written beside its place, synchronised and put in its place by one
        rename: whenever the process ends, each file is the old one or the new one. The mode of a
        file that is replaced is kept.

        Raises:
            ValueError: they were not made over a host directory.
            Conflict: the directory has changed meanwhile; nothing was done.
            OSError: something could not be written; the exception's notes tell what was done.
                What was not done is still in the overlay, and may be applied again.
        """
        if self._origin is None:
            raise ValueError("there is no overlay here to apply the changes of")
        self._origin.apply_changes(self)

    def discard(self) -> None:
        """Forget the changes: everything is as it was before."""
        if self._origin is not None:
            self._origin.discard_changes()
