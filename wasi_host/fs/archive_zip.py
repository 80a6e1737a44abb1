"""The index of a zip archive, from its central directory."""

import calendar
import functools
import stat
import struct
import zipfile
from errno import EIO
from typing import Final

from wasi_host.fs.archive_data import Checkpoints, Data, Extents, Member, Packed, Reader
from wasi_host.fs.archive_file import SeekableReader
from wasi_host.fs.archive_index import Index
from wasi_host.fs.walk import MAX_TARGET, failure

__all__ = ["read_zip"]

_METHODS: Final = {zipfile.ZIP_DEFLATED: "deflate", zipfile.ZIP_BZIP2: "bzip2"}
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_LOCAL: Final = struct.Struct("<4s22xHH")
_UNIX: Final = 3
_TIMES: Final = 0x5455


def read_zip(reader: Reader, max_bytes: int) -> Index:
    """Return the index of a zip archive.

    Args:
        reader: the archive.
        max_bytes: the largest compressed member that is served, decompressed.

    Raises:
        ValueError: it is damaged, or has a member that is refused: a hostile path, an encrypted
            one, one compressed by another method than deflate or bzip2, one that is too large.
        OSError: it cannot be read.
    """
    index, checkpoints = Index(), Checkpoints()
    try:
        with zipfile.ZipFile(SeekableReader(reader)) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError) as error:
        raise ValueError(f"no zip or tar archive, or a damaged one: {error}") from None
    for number, info in enumerate(infos):
        _add(index, reader, checkpoints, number, info, max_bytes)
    return index


def _add(
    index: Index,
    reader: Reader,
    checkpoints: Checkpoints,
    number: int,
    info: zipfile.ZipInfo,
    max_bytes: int,
) -> None:
    # ``filename`` was cut at a NUL.
    path, mtime_ns = info.orig_filename, _mtime_ns(info)
    if path.endswith("/"):
        index.add_directory(path, mtime_ns)
        return
    if info.flag_bits & _ENCRYPTED:
        raise ValueError(f"the member {path!r} is encrypted")
    method = _METHODS.get(info.compress_type)
    if method is None and info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"the member {path!r} is compressed by method {info.compress_type}")
    if info.file_size > max_bytes and method is not None:
        raise ValueError(f"the member {path!r} has {info.file_size} bytes, more than {max_bytes}")
    if method is None and info.file_size != info.compress_size:
        raise ValueError(f"the member {path!r} has two sizes")
    opener = functools.partial(_open, reader, checkpoints, number, info, method)
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    if stat.S_ISLNK(mode):
        if info.file_size > MAX_TARGET:
            raise ValueError(f"the link {path!r} has a text of more than {MAX_TARGET} bytes")
        try:
            text = opener().pread(info.file_size, 0)
        except OSError as error:
            raise ValueError(f"the link {path!r} cannot be read: {error}") from None
        index.add_link(path, mtime_ns, text.decode("utf-8", "surrogateescape"))
    else:
        index.add_file(path, mtime_ns, info.file_size, opener)


def _open(
    reader: Reader,
    checkpoints: Checkpoints,
    number: int,
    info: zipfile.ZipInfo,
    method: str | None,
) -> Data:
    """Return the bytes of a member, whose local header tells where they begin."""
    header = reader.pread(_LOCAL.size, info.header_offset)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise failure(EIO)
    _, name_size, extra_size = _LOCAL.unpack(header)
    start = info.header_offset + _LOCAL.size + name_size + extra_size
    if method is None:
        return Extents(reader, info.file_size, [(0, info.file_size, start)])
    member = Member(number, start, info.compress_size, info.file_size, method, info.CRC)
    return Packed(reader, member, checkpoints)


def _mtime_ns(info: zipfile.ZipInfo) -> int:
    """Return when a member was changed: by Unix's own field, else by DOS's, taken as UTC."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _TIMES and len(field) >= 5 and field[0] & 1:
            return int.from_bytes(field[1:5], "little", signed=True) * 1_000_000_000
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0)) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0
