"""The index of a tar archive, and the spool of a compressed one.

A tar archive is read from its beginning to its end once, header by header; what a member holds is
then read from where it is. In a compressed one nothing can be found without decompressing all
that is before it. So it is decompressed once, as it is opened, into a temporary file on disk that
has no name, and is read from there: never more than ``max_bytes``.
"""

import functools
import tarfile
import tempfile
from collections.abc import Iterator
from os import dup
from typing import Final, cast

from wasi_host.fs.archive_data import CHUNK, Data, Extents, Reader, decoder
from wasi_host.fs.archive_file import SeekableReader
from wasi_host.fs.archive_index import Index

__all__ = ["compression_of", "read_tar", "unpacked"]

#: How compressed archives begin.
_MAGIC: Final = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_BLOCK: Final = 512
#: The largest header: names and links of a few KiB are the longest that honest archives have.
_HEADER: Final = 1 << 20
_GIGA: Final = 1_000_000_000


def compression_of(reader: Reader) -> str | None:
    """Return how an archive is compressed as a whole, or None."""
    head = reader.pread(6, 0)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def unpacked(reader: Reader, method: str, max_bytes: int) -> Reader:
    """Decompress an archive into a temporary file.

    Raises:
        ValueError: it is damaged, cut off, or has more than ``max_bytes``.
        OSError: the temporary file cannot be written.
    """
    with tempfile.TemporaryFile() as spool:
        total = 0
        for piece in _pieces(reader, method):
            total += len(piece)
            if total > max_bytes:
                raise ValueError(f"an archive of more than {max_bytes} bytes, decompressed")
            spool.write(piece)
        spool.flush()
        return Reader(dup(spool.fileno()))


def _pieces(reader: Reader, method: str) -> Iterator[bytes]:
    """Decompress one stream after the other; zeros behind the last are padding."""
    inner, position, waiting = decoder(method), 0, b""
    while True:
        if inner.hungry() and not inner.ended:
            data = waiting or reader.pread(CHUNK, position)
            position += 0 if waiting else len(data)
            waiting = b""
            fed = bool(data)
        else:
            data, fed = b"", True
        try:
            piece = inner.decode(data)
        except OSError:
            raise ValueError(f"a damaged {method} archive") from None
        if piece:
            yield piece
        elif not fed:
            raise ValueError(f"a {method} archive that is cut off")
        if inner.ended:
            waiting = inner.unused()
            while not waiting.strip(b"\0") and position < reader.size:
                waiting = reader.pread(CHUNK, position)
                position += len(waiting)
            waiting = waiting.lstrip(b"\0")
            if not waiting:
                return
            inner = decoder(method)


def read_tar(reader: Reader) -> Index:
    """Return the index of a tar archive that is not compressed.

    What is no file, directory or link, a device for example, is left out.

    Raises:
        ValueError: it is damaged or cut off, or has a member that is refused.
        OSError: it cannot be read.
    """
    index = Index()
    file = SeekableReader(reader, _HEADER)
    try:
        with tarfile.TarFile(
            fileobj=file, encoding="utf-8", errors="surrogateescape"  # type: ignore[arg-type]
        ) as archive:
            last = -1
            for member in archive:
                if member.offset <= last:
                    raise ValueError(f"the member {member.name!r} is where another one is")
                last = member.offset
                _add(index, reader, member)
            end = archive.offset
    except (tarfile.TarError, UnicodeError, OverflowError, RecursionError) as error:
        raise ValueError(f"a damaged tar archive: {error}") from None
    if reader.pread(_BLOCK, end).strip(b"\0"):
        raise ValueError("a damaged tar archive: something that is no member")
    return index


def _add(index: Index, reader: Reader, member: tarfile.TarInfo) -> None:
    path, mtime_ns = member.name, _mtime_ns(member)
    if member.isdir():
        index.add_directory(path or ".", mtime_ns)
    elif member.issym():
        index.add_link(path, mtime_ns, member.linkname)
    elif member.islnk():
        index.add_name(path, member.linkname)
    elif member.isreg():
        opener = functools.partial(_open, reader, member.size, _extents(reader, member))
        index.add_file(path, mtime_ns, member.size, opener)


def _open(reader: Reader, size: int, extents: list[tuple[int, int, int]]) -> Data:
    return Extents(reader, size, extents)


def _extents(reader: Reader, member: tarfile.TarInfo) -> list[tuple[int, int, int]]:
    """Return where the bytes of a file are: in one stretch, or in those between its holes."""
    start = member.offset_data
    holes = cast("list[tuple[int, int]] | None", member.sparse)
    if holes is None:
        extents = [(0, member.size, start)]
    else:
        extents, at = [], 0
        for offset, length in holes:
            if length < 0 or offset < at:
                raise ValueError(f"the member {member.name!r} has a map that makes no sense")
            extents.append((offset, length, start))
            start, at = start + length, offset + length
    if any(place + length > reader.size for _, length, place in extents):
        raise ValueError(f"the member {member.name!r} is cut off")
    return extents


def _mtime_ns(member: tarfile.TarInfo) -> int:
    """Return when a member was changed, exactly where the archive says so."""
    whole, _, fraction = member.pax_headers.get("mtime", "").partition(".")
    if whole.isdecimal() and len(whole) < 20:
        digits = fraction[:9].ljust(9, "0")
        return int(whole) * _GIGA + (int(digits) if digits.isdecimal() else 0)
    return int(member.mtime) * _GIGA
