"""What was or is at a path, with bytes that are read only when somebody wants them."""

from __future__ import annotations

from wasi_spec.numbers import Filetype

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Final, TypeAlias

    from wasi_host.fs.node import File

__all__ = ["Version"]

# The class has a property of that name.
_Bytes: TypeAlias = bytes

#: Bytes that are read at once.
PIECE: Final = 1 << 18

_NAMES: Final = {
    Filetype.REGULAR_FILE: "file",
    Filetype.DIRECTORY: "directory",
    Filetype.SYMBOLIC_LINK: "link",
}


class Version:
    """What was, or is, at a path.

    Attributes:
        path: the path.
        type: ``"file"``, ``"directory"``, ``"link"``, or ``"other"`` (a fifo, a device).
        size: bytes of a file or of a link's text, 0 of all else.
        mtime_ns: the modification time in nanoseconds since 1970.
        target: the text of a link, else None.
    """

    __slots__ = (
        "_below", "_kept", "_open", "_sha256", "mtime_ns", "path", "size", "target", "type",
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        filetype: int,
        size: int,
        mtime_ns: int,
        target: str | None = None,
        opener: Callable[[], File] | None = None,
        below: Callable[[], Iterable[Version]] | None = None,
    ) -> None:
        self.path = path
        self.type = _NAMES.get(filetype, "other")
        self.size = size if self.type in ("file", "link") else 0
        self.mtime_ns = mtime_ns
        self.target = target
        self._open = opener
        self._below = below
        # The bytes, where they have been through pickle.
        self._kept: _Bytes | None = None
        self._sha256: str | None = None

    def pieces(self) -> Iterator[bytes]:
        """Return the bytes of a file, or a link's text, piece by piece; none of all else.

        Raises:
            OSError: the file is not there any more, or cannot be read.
        """
        if self.target is not None:
            yield self.target.encode("utf-8", "surrogateescape")
        if self._kept is not None:
            yield self._kept
        if self._open is None:
            return
        file = self._open()
        try:
            offset = 0
            while data := file.pread(PIECE, offset):
                yield data
                offset += len(data)
        finally:
            file.close()

    @property
    def bytes(self) -> bytes:
        """The bytes of a file, or a link's text; read each time."""
        return b"".join(self.pieces())

    @property
    def sha256(self) -> str | None:
        """The hash of the bytes in hexadecimal; None for what has none. Read at the first use."""
        if self._sha256 is None and self.type in ("file", "link"):
            import hashlib

            digest = hashlib.sha256()
            for piece in self.pieces():
                digest.update(piece)
            self._sha256 = digest.hexdigest()
        return self._sha256

    def tree(self) -> Iterator[Version]:
        """Return this, and all that is in a directory which was renamed with what is in it."""
        yield self
        if self._below is not None:
            for version in self._below():
                yield from version.tree()

    def within(self, prefix: str) -> Version:
        """Return the same version at ``prefix`` and its path."""
        moved = Version(self.path, 0, 0, self.mtime_ns, self.target, self._open)
        moved.type, moved.size = self.type, self.size
        moved._kept, moved._sha256 = self._kept, self._sha256
        moved.path = f"{prefix}{self.path}"
        below = self._below
        if below is not None:
            moved._below = lambda: (version.within(prefix) for version in below())
        return moved

    def __reduce__(self) -> tuple[object, ...]:
        kept = self.bytes if self.type == "file" else None
        return _restored, (self.path, self.type, self.size, self.mtime_ns, self.target, kept)

    def same_as(self, other: Version) -> bool:
        """Tell whether two versions are of one type and hold the same bytes."""
        if (self.type, self.size, self.target) != (other.type, other.size, other.target):
            return False
        if self.type != "file":
            return True
        mine, others = self.pieces(), other.pieces()
        return all(one == next(others, None) for one in mine) and next(others, None) is None

    def describe(self) -> dict[str, Any]:
        """Return what JSON says of it."""
        told: dict[str, Any] = {"path": self.path, "type": self.type, "size": self.size}
        if self.target is not None:
            told["target"] = self.target
        if self.sha256 is not None:
            told["sha256"] = self.sha256
        return told

    def __repr__(self) -> str:
        return f"<{self.type} {self.path!r}, {self.size} bytes>"


def _restored(
    path: str, kind: str, size: int, mtime_ns: int, target: str | None, kept: _Bytes | None
) -> Version:
    """Return a version from its pickled parts."""
    version = Version(path, 0, size, mtime_ns, target)
    version.type = kind
    version.size = size
    version._kept = kept
    return version
