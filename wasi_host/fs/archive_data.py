"""The bytes of an archive's members, read where they are.

Theory of operation
===================

An archive is a ``Reader``: something to read at offsets, by any number of threads. A member that
is stored as it is (``Extents``) is read from there directly. A compressed one (``Packed``) is
decompressed piece by piece as it is read; a piece, ``CHUNK`` bytes, is all that is kept of it.
Reading on goes on decompressing; reading further back begins again at the last *checkpoint*
before, a copy of the decompressor's state. All files of an archive have ``CHECKPOINTS`` of these
together, so whatever is read in whatever order, memory stays bounded.

Nothing is believed: what ends too early, goes on too long or cannot be decompressed is EIO, and
so is a checksum that differs, once a member was read from its beginning to its end.
"""

import bisect
import bz2
import errno
import lzma
import os
import threading
import zlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from operator import itemgetter
from typing import Final, NamedTuple

from wasi_host.fs.walk import failure

__all__ = ["CHUNK", "Checkpoints", "Data", "Decoder", "Extents", "Packed", "Reader", "decoder"]

#: Bytes that are decompressed at once, and between two checkpoints.
CHUNK: Final = 1 << 16
_STEP: Final = 1 << 20
#: Instead of a descriptor: there is none, or it is closed.
_BYTES: Final = -2
_CLOSED: Final = -1
#: Each takes about 44 KiB.
CHECKPOINTS: Final = 64
#: What an xz decoder may allocate: enough for its highest preset.
_LZMA_MEMORY: Final = 128 << 20


class Reader:
    """Something to read at offsets: a host descriptor, which it closes, or bytes.

    Attributes:
        size: how many bytes there are.
    """

    def __init__(self, source: int | bytes) -> None:
        self._fd = _BYTES
        self._bytes = b""
        if isinstance(source, int):
            self._fd = source
            self.size = os.lseek(source, 0, os.SEEK_END)
        else:
            self._bytes = source
            self.size = len(source)

    def close(self, close: Callable[[int], None] = os.close) -> None:
        """Close the descriptor; what is read then is EBADF."""
        fd, self._fd = self._fd, _CLOSED if self._fd != _BYTES else _BYTES
        if fd >= 0:
            close(fd)

    def __del__(self) -> None:
        self.close()

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; fewer only at the end."""
        size = max(0, min(size, self.size - offset))
        if self._fd == _BYTES:
            return self._bytes[offset : offset + size]
        data = os.pread(self._fd, size, offset)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


class Decoder(ABC):
    """What decompresses; it holds back what it was given and has not used."""

    #: Whether the compressed data has come to its end.
    ended: bool

    @abstractmethod
    def decode(self, data: bytes) -> bytes:
        """Return at most ``CHUNK`` bytes more, given so much more compressed data.

        Raises:
            OSError: EIO: this is no compressed data.
        """

    @abstractmethod
    def hungry(self) -> bool:
        """Tell whether it needs more compressed data to go on."""

    @abstractmethod
    def unused(self) -> bytes:
        """Return what it was given behind the end."""

    def copy(self) -> "Decoder | None":
        """Return another one in the same state, where that can be."""
        return None


class _Zlib(Decoder):
    """Decompresses deflate, bare or in gzip's frame."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._tail = b""

    @property
    def ended(self) -> bool:  # type: ignore[override]
        return self._inner.eof

    def decode(self, data: bytes) -> bytes:
        try:
            made = self._inner.decompress(self._tail + data, CHUNK)
        except zlib.error:
            raise failure(errno.EIO) from None
        self._tail = self._inner.unconsumed_tail
        return made

    def hungry(self) -> bool:
        return not self._tail

    def unused(self) -> bytes:
        return self._inner.unused_data

    def copy(self) -> "_Zlib":
        other = _Zlib.__new__(_Zlib)
        other._inner = self._inner.copy()
        other._tail = self._tail
        return other


class _Whole(Decoder):
    """Decompresses bzip2 or xz, whose state cannot be copied."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def ended(self) -> bool:  # type: ignore[override]
        return self._inner.eof

    def decode(self, data: bytes) -> bytes:
        try:
            return self._inner.decompress(data, CHUNK)
        except (OSError, lzma.LZMAError, EOFError):
            raise failure(errno.EIO) from None

    def hungry(self) -> bool:
        return self._inner.needs_input

    def unused(self) -> bytes:
        return self._inner.unused_data


_MAKERS: Final[dict[str, Callable[[], Decoder]]] = {
    "deflate": lambda: _Zlib(-zlib.MAX_WBITS),
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "bzip2": lambda: _Whole(bz2.BZ2Decompressor()),
    "xz": lambda: _Whole(lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)),
}


def decoder(method: str) -> Decoder:
    """Return a decoder of deflate, gzip, bzip2 or xz at its beginning."""
    return _MAKERS[method]()


class Data(ABC):
    """The bytes of a member, as one open file reads them."""

    @abstractmethod
    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; EIO where they cannot be had."""


class Extents(Data):
    """Bytes that are in the archive as they are; between the extents are zeros.

    Args:
        reader: the archive.
        size: how many bytes the member has.
        extents: where each stretch begins in the member, how long it is, and where it is in the
            archive; in ascending order.
    """

    def __init__(self, reader: Reader, size: int, extents: list[tuple[int, int, int]]) -> None:
        self._reader = reader
        self._size = size
        self._extents = extents

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``; EIO where the archive is too short."""
        end = min(offset + size, self._size)
        pieces = []
        first = max(0, bisect.bisect_right(self._extents, offset, key=itemgetter(0)) - 1)
        for index in range(first, len(self._extents)):
            start, length, place = self._extents[index]
            if start + length <= offset:
                continue
            if start >= end or offset >= end:
                break
            if start > offset:
                pieces.append(bytes(start - offset))
                offset = start
            count = min(start + length, end) - offset
            piece = self._reader.pread(count, place + offset - start)
            if len(piece) < count:
                raise failure(errno.EIO)
            pieces.append(piece)
            offset += count
        pieces.append(bytes(max(0, end - offset)))
        return b"".join(pieces)


class _State(NamedTuple):
    """A decompressor between two pieces: what it has read and made until now."""

    decoder: Decoder
    read: int
    made: int


class Checkpoints:
    """The last checkpoints of an archive's members, by member and number of ``_STEP``."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], _State] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, member: int, state: _State) -> None:
        """Keep a state; the one used longest ago is dropped."""
        with self._lock:
            self._kept[member, state.made // _STEP] = state
            self._kept.move_to_end((member, state.made // _STEP))
            while len(self._kept) > CHECKPOINTS:
                self._kept.popitem(last=False)

    def has(self, member: int, made: int) -> bool:
        """Tell whether there is a state for this stretch."""
        with self._lock:
            return (member, made // _STEP) in self._kept

    def before(self, member: int, offset: int) -> _State | None:
        """Return a copy of the last state that is not behind ``offset``."""
        with self._lock:
            numbers = [
                number
                for (owner, number), state in self._kept.items()
                if owner == member and state.made <= offset
            ]
            if not numbers:
                return None
            self._kept.move_to_end((member, max(numbers)))
            state = self._kept[member, max(numbers)]
            copy = state.decoder.copy()
            return None if copy is None else state._replace(decoder=copy)


class Member(NamedTuple):
    """A compressed member: its number, where it is and how long, and what must come out."""

    number: int
    start: int
    packed: int
    size: int
    method: str
    crc: int


class Packed(Data):
    """Bytes that are decompressed as they are read."""

    def __init__(self, reader: Reader, member: Member, checkpoints: Checkpoints) -> None:
        self._reader = reader
        self._member = member
        self._checkpoints = checkpoints
        self._lock = threading.Lock()
        self._begin(None)

    def _begin(self, state: _State | None) -> None:
        """Begin at a checkpoint, or at the beginning."""
        self._decoder, self._read, self._made = state or (decoder(self._member.method), 0, 0)
        self._piece = b""
        # Only who began at the beginning can know.
        self._crc: int | None = 0 if state is None else None

    def pread(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``."""
        end = min(offset + size, self._member.size)
        pieces = []
        with self._lock:
            if offset < end:
                self._go_to(offset)
            while offset < end:
                start = self._made - len(self._piece)
                piece = self._piece[offset - start : end - start]
                pieces.append(piece)
                offset += len(piece)
                if offset < end:
                    self._go_on()
        return b"".join(pieces)

    def _go_to(self, offset: int) -> None:
        """Have the piece with the byte at ``offset``."""
        back = offset < self._made - len(self._piece)
        if back or offset >= self._made + _STEP:
            state = self._checkpoints.before(self._member.number, offset)
            if back or (state is not None and state.made > self._made):
                self._begin(state)
        while offset >= self._made:
            self._go_on()

    def _go_on(self) -> None:
        """Decompress the next piece."""
        member, inner = self._member, self._decoder
        left = member.size - self._made
        if self._made // _STEP != (self._made - len(self._piece)) // _STEP:
            self._keep()
        piece = b""
        while not piece:
            data = b""
            if inner.ended:
                raise failure(errno.EIO)
            if inner.hungry():
                data = self._reader.pread(
                    min(CHUNK, member.packed - self._read), member.start + self._read
                )
                self._read += len(data)
            piece = inner.decode(data)
            if not piece and not data and inner.hungry():
                # Nothing more to be had, and it was not the end.
                raise failure(errno.EIO)
        if len(piece) > left:
            raise failure(errno.EIO)
        self._piece = piece
        self._made += len(piece)
        if self._crc is not None:
            self._crc = zlib.crc32(piece, self._crc)
            if self._made == member.size and self._crc != member.crc:
                self._begin(None)
                raise failure(errno.EIO)

    def _keep(self) -> None:
        if not self._checkpoints.has(self._member.number, self._made):
            copy = self._decoder.copy()
            if copy is not None:
                state = _State(copy, self._read, self._made)
                self._checkpoints.put(self._member.number, state)
