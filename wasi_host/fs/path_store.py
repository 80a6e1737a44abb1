"""What a store that knows nothing but paths must do, to stand behind our rules.

pyfilesystem2 and fsspec name everything by its path and promise little else. A ``Store`` is the
small part of them that ``path_nodes`` builds on, with every failure turned into an ``OSError``.
A path here is ``/`` for the root, or ``/a/b``: never ``.``, ``..``, an empty name or a NUL, and
no link on the way. A store need check nothing that its own calls do not need: kinds, emptiness,
subtrees and rights were looked at before.
"""

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import Final, NamedTuple, Protocol

from wasi_host.errors import foreign
from wasi_host.fs.node import unsupported
from wasi_host.fs.walk import failure

__all__ = ["FileObject", "Guard", "Info", "OpenFile", "Store", "nanoseconds"]

_END_OF_TIME: Final = (1 << 64) - 1


class Info(NamedTuple):
    """What a store tells of a path: kind (``Filetype``), size, times in nanoseconds.

    ``target`` is the text of a symbolic link.
    """

    filetype: int
    size: int
    atime: int
    mtime: int
    ctime: int
    target: str | None = None


class OpenFile(ABC):
    """An open file of a store; used by one thread at a time."""

    @abstractmethod
    def read(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; fewer only at the end."""

    @abstractmethod
    def write(self, data: bytes, offset: int) -> None:
        """Write all of ``data`` at ``offset``, which is not behind the end (unless sparse)."""

    @abstractmethod
    def size(self) -> int:
        """Return the size, with what has not reached the store yet."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Cut to ``size``, which is not behind the end (unless sparse)."""

    @abstractmethod
    def flush(self) -> None:
        """Hand to the store what it has not got yet."""

    @abstractmethod
    def close(self) -> None:
        """Flush and close."""

    def hold(self) -> None:  # noqa: B027  a default, not a duty
        """Be ready to go on without the name, which is about to go, as far as that can be."""

    def abandon(self) -> None:  # noqa: B027  a default, not a duty
        """Know that the name is gone or another file's: hand nothing to the store any more."""


class Store(ABC):
    """A tree of files that are named by their paths.

    Attributes:
        sparse: a hole costs nothing, so files may be extended as far as the host lets them.
        replaces: a move puts one file in the place of another, and never copies into that.
    """

    sparse: bool = False
    replaces: bool = False

    @abstractmethod
    def info(self, path: str) -> Info:
        """Return what there is at a path, a link itself; ENOENT without anything."""

    @abstractmethod
    def names(self, path: str) -> Iterable[tuple[str, int]]:
        """Return name and kind of each entry of a directory."""

    @abstractmethod
    def open(self, path: str, writable: bool) -> OpenFile:
        """Open an existing file for reading, or for reading and writing."""

    @abstractmethod
    def create(self, path: str) -> OpenFile:
        """Create a file and open it for reading and writing; EEXIST where there is something."""

    @abstractmethod
    def make_dir(self, path: str) -> None:
        """Create a directory."""

    @abstractmethod
    def remove_dir(self, path: str) -> None:
        """Remove an empty directory."""

    @abstractmethod
    def unlink(self, path: str) -> None:
        """Remove a file, or a link itself."""

    @abstractmethod
    def move_file(self, path: str, to: str) -> None:
        """Move a file; one that is at ``to`` is replaced."""

    def move_dir(self, path: str, to: str) -> bool:
        """Move a directory to where nothing is, in one go; False: it must be taken apart."""
        return False

    def set_times(self, path: str, atime_ns: int, mtime_ns: int) -> None:
        """Set both times, as exactly as the store can."""
        raise unsupported()

    def close(self) -> None:  # noqa: B027  a default, not a duty
        """Give back what the store holds of its own."""


class Guard(foreign):
    """Guards a call into a store: known failures get their errno, all others are kept and EIO."""

    __slots__ = ()

    def errno_of(self, error: Exception) -> int | None:
        """Return the errno that an exception means, or None where it was not expected."""
        for kind, number in _BY_CLASS:
            if isinstance(error, kind):
                return number
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception) or (isinstance(error, OSError) and error.errno):
            return
        number = self.errno_of(error)
        if number is not None:
            raise failure(number) from error
        if isinstance(error, OSError):
            self.keep(error)
            raise failure(errno.EIO) from error
        super().__exit__(kind, error, traceback)


#: Exceptions that often come without a number.
_BY_CLASS: Final = (
    (FileNotFoundError, errno.ENOENT),
    (FileExistsError, errno.EEXIST),
    (IsADirectoryError, errno.EISDIR),
    (NotADirectoryError, errno.ENOTDIR),
    (PermissionError, errno.EACCES),
    (TimeoutError, errno.ETIMEDOUT),
    (NotImplementedError, errno.ENOTSUP),
)


class Binary(Protocol):
    """What we ask of a foreign file object."""

    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def tell(self) -> int: ...
    def read(self, size: int = ..., /) -> bytes | None: ...
    def write(self, data: bytes, /) -> int | None: ...
    def truncate(self, size: int | None = ..., /) -> int: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class FileObject(OpenFile):
    """An open file that is a file object of somebody else's. It is trusted in nothing."""

    def __init__(self, file: Binary, guard: Guard) -> None:
        self._file = file
        self._guard = guard

    def read(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``, however small the pieces come."""
        pieces: list[bytes] = []
        with self._guard:
            self._file.seek(offset)
            while size > 0:
                piece = self._file.read(size)
                if not piece:
                    break
                piece = bytes(piece)[:size]
                pieces.append(piece)
                size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, data: bytes, offset: int) -> None:
        """Write all of ``data``, however little is taken at once."""
        with self._guard:
            self._file.seek(offset)
            while data:
                taken = self._file.write(data)
                # Some return nothing and mean all.
                if taken is None or taken >= len(data):
                    return
                if taken <= 0:
                    raise failure(errno.EIO)
                data = data[taken:]

    def size(self) -> int:
        """Return the size."""
        with self._guard:
            self._file.seek(0, os.SEEK_END)
            return int(self._file.tell())

    def truncate(self, size: int) -> None:
        """Cut to ``size``."""
        with self._guard:
            self._file.truncate(size)

    def flush(self) -> None:
        """Hand what is buffered to the store."""
        with self._guard:
            self._file.flush()

    def close(self) -> None:
        """Close the file object."""
        with self._guard:
            self._file.close()


def nanoseconds(seconds: object) -> int:
    """Return seconds since 1970, as foreign code gives them, in nanoseconds; 0 for nothing."""
    if isinstance(seconds, int):
        exact = seconds * 1_000_000_000
    elif isinstance(seconds, float) and -1e11 < seconds < 1e11:
        exact = round(seconds * 1e9)
    else:
        return 0
    return min(max(exact, 0), _END_OF_TIME)
