"""Open files of fsspec: read in ranges, and changed in a copy where the store wants it so."""

import errno
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import IO, Any, Final

from wasi_host.fs.path_store import Guard, Info, OpenFile, nanoseconds
from wasi_host.fs.walk import DIRECTORY, LINK, failure
from wasi_spec.numbers import Filetype

__all__ = ["PIECE", "RangedFile", "StagedFile", "info_of"]

_FILE: Final = Filetype.REGULAR_FILE
_UNKNOWN: Final = Filetype.UNKNOWN
#: How much is copied at once.
PIECE: Final = 4 << 20
#: How much is read ahead at most, and kept in memory of a file that is written.
_AHEAD: Final = 1 << 20
_IN_MEMORY: Final = 8 << 20
#: The largest file that is read whole so that it can be read on after it has lost its name.
_HELD: Final = 64 << 20
#: Where stores put the time of the last change.
_MODIFIED: Final = ("mtime", "modified", "LastModified", "last_modified", "updated", "created")


class RangedFile(OpenFile):
    """A file that is read in ranges."""

    def __init__(self, filesystem: Any, at: str, guard: Guard) -> None:
        self._fs = filesystem
        self.at = at
        self._guard = guard
        self._start = 0
        self._kept = b""
        self._next = 0
        self._window = 0
        self._held = False
        self._size = self.size()

    def size(self) -> int:
        """Return the size that the store tells."""
        if self._held:
            return len(self._kept)
        with self._guard:
            return info_of(self._fs.info(self.at)).size

    def read(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes, from what was read ahead where they are in it."""
        skip = offset - self._start
        if not self._held and (skip < 0 or skip + size > len(self._kept)):
            if offset + size > self._size:
                # It may have grown.
                self._size = self.size()
            end = min(offset + self._wanted(size, offset), self._size)
            self._start, self._kept, skip = offset, self._range(offset, end), 0
        piece = self._kept[skip : skip + size]
        self._next = offset + len(piece)
        return piece

    def _wanted(self, size: int, offset: int) -> int:
        """Return how much to read: more each time that reading goes on from where it was."""
        if offset and offset == self._next:
            self._window = min(max(self._window, size) * 2, _AHEAD)
        else:
            self._window = 0
        return max(size, self._window)

    def _range(self, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        with self._guard:
            return bytes(self._fs.cat_file(self.at, start=start, end=end))[: end - start]

    def write(self, data: bytes, offset: int) -> None:
        """Raise EBADF: it is for reading."""
        raise failure(errno.EBADF)

    def truncate(self, size: int) -> None:
        """Raise EBADF: it is for reading."""
        raise failure(errno.EBADF)

    def flush(self) -> None:
        """Do nothing: there is nothing to write."""

    def hold(self) -> None:
        """Read all of it, unless it is large: then nothing can be read without its name."""
        size = self.size()
        if size <= _HELD and not self._held:
            self._start, self._kept = 0, self._range(0, size)
            self._held = True

    def close(self) -> None:
        """Forget what was read ahead."""
        self._kept = b""


class StagedFile(OpenFile):
    """A file that is changed in a copy, for a store that only takes whole files."""

    def __init__(self, reader: RangedFile, put: Callable[[str, IO[bytes]], None]) -> None:
        self._reader = reader
        # Writes a file object to a path of the store, whole.
        self._put = put
        # Made at the first change.
        self._copy: IO[bytes] | None = None
        self._changed = False
        self._abandoned = False

    def read(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``."""
        if self._copy is None:
            return self._reader.read(size, offset)
        self._copy.seek(offset)
        return self._copy.read(size)

    def size(self) -> int:
        """Return the size."""
        return self._reader.size() if self._copy is None else self._copy.seek(0, os.SEEK_END)

    def write(self, data: bytes, offset: int) -> None:
        """Write to the copy."""
        copy = self._copied(None)
        copy.seek(offset)
        copy.write(data)
        self._changed = True

    def truncate(self, size: int) -> None:
        """Cut the copy."""
        self._copied(size).truncate(size)
        self._changed = True

    def _copied(self, size: int | None) -> IO[bytes]:
        """Return the copy, made of the first ``size`` bytes where there is none yet."""
        if self._copy is None:
            copy = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed by close
            at = 0
            while size is None or at < size:
                piece = self._reader.read(PIECE if size is None else min(PIECE, size - at), at)
                if not piece:
                    break
                copy.write(piece)
                at += len(piece)
            self._copy = copy
        return self._copy

    def hold(self) -> None:
        """Make the copy."""
        self._copied(None)

    def abandon(self) -> None:
        """Put nothing back any more; it is read and written in the copy alone."""
        self._abandoned = True

    def flush(self) -> None:
        """Put the whole file into the store, if anything was changed."""
        if self._changed and not self._abandoned and self._copy is not None:
            self._put(self._reader.at, self._copy)
            self._changed = False

    def close(self) -> None:
        """Put the file into the store, and remove the copy."""
        try:
            self.flush()
        finally:
            if self._copy is not None:
                self._copy.close()


def info_of(raw: Mapping[str, Any]) -> Info:
    """Return what a store tells of a path, in our terms."""
    kind = {"file": _FILE, "directory": DIRECTORY}.get(raw.get("type", ""), _UNKNOWN)
    size, target = int(raw.get("size") or 0), None
    if raw.get("islink") or raw.get("type") == "link":
        text = raw.get("destination")
        kind = _UNKNOWN if text is None else LINK
        target = None if text is None else os.fsdecode(text)
        size = len(os.fsencode(target or ""))
    time = next((raw[key] for key in _MODIFIED if raw.get(key) is not None), None)
    mtime = _time(time)
    return Info(kind, 0 if kind == DIRECTORY else max(size, 0), mtime, mtime, mtime, target)


def _time(value: object) -> int:
    """Return a time in nanoseconds, as the one or the other store tells it."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return 0
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return nanoseconds(value)
