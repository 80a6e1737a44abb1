"""Zip and tar archives as directories, read in place.

The archive is opened once, and its index is made then: whatever is wrong with it, or meant to do
harm, is told to the embedder at once (``archive_index``). What members hold is read as a guest
reads it (``archive_data``). Links, symbolic and hard, work inside the archive; a symbolic one
that leads out is refused when it is followed, as everywhere. Nothing can be changed.
"""

import errno
import io
import os
import stat
import zlib
from typing import BinaryIO, Final

from wasi_host.fs.archive_data import Data, Reader
from wasi_host.fs.archive_index import Index, Item
from wasi_host.fs.archive_tar import compression_of, read_tar, unpacked
from wasi_host.fs.archive_zip import read_zip
from wasi_host.fs.fixed import FixedDirectory
from wasi_host.fs.node import Dirent, FileSystem, Node, Stat
from wasi_host.fs.refusing import RefusingFile
from wasi_host.fs.walk import DIRECTORY, LINK, failure

__all__ = ["Archive", "ArchiveDirectory", "ArchiveFile"]

GIB: Final = 1 << 30
#: Device numbers of archives: no host, and nothing else of ours, has these.
_DEVICES: Final = 1 << 59
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


class Archive(FileSystem):
    """A zip or tar archive (also .tar.gz, .tar.bz2, .tar.xz), to be read by guests.

    What it is, its content tells, not its name. It is read where it is; only a compressed tar
    archive is decompressed first, into a temporary file without a name.

    Args:
        source: its path, its bytes, or a file that is open for reading; the file stays yours.
        max_bytes: how large a compressed tar archive, or a compressed member of a zip archive,
            may be decompressed.

    Raises:
        ValueError: it is no such archive, damaged or cut off, too large decompressed, or has a
            member that is encrypted, compressed by an unknown method, or whose name leads out.
        TypeError: the source is none of these.
        OSError: it cannot be opened or read.
    """

    def __init__(
        self, source: "str | os.PathLike[str] | bytes | BinaryIO", *, max_bytes: int = GIB
    ) -> None:
        self._source = os.fspath(source) if isinstance(source, os.PathLike) else source
        self._max_bytes = max_bytes
        reader = _opened(self._source)
        self._index, self._reader = self._read(reader)
        named = self._source if isinstance(self._source, str) else None
        content = reader.pread(1 << 16, 0) if named is None else os.fsencode(named)
        self._device = _DEVICES | zlib.crc32(content)

    def _read(self, reader: Reader) -> tuple[Index, Reader]:
        """Return the index, and where the members are."""
        try:
            method = compression_of(reader)
            if method is not None:
                reader = unpacked(reader, method, self._max_bytes)
            elif reader.pread(4, 0) in _ZIP or not _is_tar(reader):
                # A zip archive may also have a program in front of it.
                return read_zip(reader, self._max_bytes), reader
            return read_tar(reader), reader
        except ValueError as error:
            what = repr(self._source) if isinstance(self._source, str) else "the archive"
            raise ValueError(f"{what} cannot be served: {error}") from None

    def open_root(self) -> "ArchiveDirectory":
        """Return the root."""
        return ArchiveDirectory(self._device, self._index.root)

    def close(self) -> None:
        """Close the archive; files of it that are still open are EBADF."""
        self._reader.close()

    def __reduce__(self) -> tuple[object, ...]:
        if not isinstance(self._source, str | bytes):
            raise TypeError("an Archive of an open file does not pickle; give its path")
        return _again, (self._source, self._max_bytes)

    def __repr__(self) -> str:
        return f"Archive({self._source!r})" if isinstance(self._source, str) else "Archive(...)"


def _again(source: str | bytes, max_bytes: int) -> Archive:
    return Archive(source, max_bytes=max_bytes)


def _opened(source: object) -> Reader:
    if isinstance(source, bytes | bytearray | memoryview):
        return Reader(bytes(source))
    if isinstance(source, str):
        # Never waits, should it be a fifo.
        fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return Reader(fd)
        os.close(fd)
        raise ValueError(f"{source!r} is no file")
    if isinstance(source, io.BytesIO):
        return Reader(source.getvalue())
    if hasattr(source, "fileno"):
        return Reader(os.dup(source.fileno()))
    raise TypeError(
        f"an Archive is made of a path, bytes or an open file, not of {type(source).__name__}"
    )


def _is_tar(reader: Reader) -> bool:
    """Tell whether it begins with a header of tar; one of before ``ustar`` by its checksum."""
    head = reader.pread(512, 0)
    if head[257:262] == b"ustar":
        return True
    if len(head) < 512 or not head.strip(b"\0"):
        return len(head) == 512
    try:
        wanted = int(head[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return wanted == sum(head) - sum(head[148:156]) + 8 * ord(" ")


def _stat(device: int, item: Item) -> Stat:
    time = item.mtime_ns
    return (device, item.ino, item.kind, item.nlink, item.size, time, time, time)


class ArchiveDirectory(FixedDirectory):
    """An open directory of an archive."""

    __slots__ = ("_device", "_item", "readonly")

    def __init__(self, device: int, item: Item) -> None:
        self._device = device
        self._item = item
        self.readonly = True

    def reopen(self) -> "ArchiveDirectory":
        """Return another node of this directory."""
        return ArchiveDirectory(self._device, self._item)

    def stat(self) -> Stat:
        """Return the attributes."""
        return _stat(self._device, self._item)

    def parent_ino(self) -> int | None:
        """Return the inode of the directory above; None at the root."""
        return self._item.parent

    def entries(self) -> list[Dirent]:
        """Return the entries, in the order of the archive."""
        return [Dirent(name, item.ino, item.kind) for name, item in self._item.below.items()]

    def _entry(self, name: str) -> Item:
        item = self._item.below.get(name)
        if item is None:
            raise failure(errno.ENOENT)
        return item

    def stat_entry(self, name: str) -> Stat:
        """Return the attributes of an entry; ENOENT."""
        return _stat(self._device, self._entry(name))

    def read_link(self, name: str) -> str:
        """Return a link's target; EINVAL for what is no link, ENOENT."""
        item = self._entry(name)
        if item.kind != LINK:
            raise failure(errno.EINVAL)
        return item.target

    def open_present(self, name: str, mode: int) -> Node:
        """Open an entry; ELOOP for a link, ENOTDIR for a file as a directory, EIO if damaged."""
        item = self._entry(name)
        if item.kind == DIRECTORY:
            return ArchiveDirectory(self._device, item)
        if item.kind == LINK:
            raise failure(errno.ELOOP)
        if mode & os.O_DIRECTORY:
            raise failure(errno.ENOTDIR)
        assert item.open is not None
        return ArchiveFile(self._device, item, item.open())

    def jump(self, path: str) -> "ArchiveDirectory | None":
        """Return the directory at ``path``, or None: walk."""
        item = self._item
        for name in path.split("/"):
            # Neither '' nor '.' nor '..' is an entry, and a link has none.
            below = item.below.get(name)
            if below is None or below.kind != DIRECTORY:
                return None
            item = below
        return ArchiveDirectory(self._device, item)


class ArchiveFile(RefusingFile):
    """An open file of an archive."""

    __slots__ = ("_data", "_device", "_item", "readonly")

    def __init__(self, device: int, item: Item, data: Data) -> None:
        self._device = device
        self._item = item
        self._data = data
        self.readonly = True

    def stat(self) -> Stat:
        """Return the attributes."""
        return _stat(self._device, self._item)

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; EIO where the archive is damaged."""
        return self._data.pread(size, offset)
