"""An archive as the file object that ``zipfile`` and ``tarfile`` read their indexes from.

Of an index they read in pieces; who asks for more at once than any honest one has was sent a
hostile header, and is refused before anything is allocated.
"""

import errno
import os
from typing import Final

from wasi_host.fs.archive_data import Reader
from wasi_host.fs.walk import failure

__all__ = ["SeekableReader"]

_NO_LIMIT: Final = 1 << 63


class SeekableReader:
    """A file object, to read only, over an archive.

    Args:
        reader: the archive.
        most: how many bytes may be read at once.
    """

    def __init__(self, reader: Reader, most: int = _NO_LIMIT) -> None:
        self._reader = reader
        self._most = most
        self._position = 0

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position; EINVAL before the beginning."""
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._reader.size
        if offset < 0:
            raise failure(errno.EINVAL)
        self._position = offset
        return offset

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; ValueError for more than may be read at once."""
        left = max(0, self._reader.size - self._position)
        count = left if size is None or size == -1 else size
        if not 0 <= count <= self._most:
            raise ValueError(f"a header of {count} bytes")
        data = self._reader.pread(min(count, left), self._position)
        self._position += len(data)
        return data

    def close(self) -> None:
        """Do nothing: the archive stays open for its members."""
