"""The file format of recordings: all calls of a run, with what went in and what came out.

A header (magic, version, SHA-256 of the module or zeros), then one frame for each call: its length
in 4 bytes, then the row's number in the table, the arguments, and how it ended. The last frame has
length 0: the run was over. A file without it was cut short, wherever the run was at that moment;
a frame that is not whole does not count.

Values are tagged: an integer is a zigzag varint, bytes and texts have their length first, a list
its count. Bytes to be written are recorded by length and digest when they are long: a replay
needs to know that they are the same, not what they are.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

from wasi_spec.functions import FUNCTIONS, Function
from wasi_spec.records import U32
from wasi_spec.types import CIOVECS
from wasi_spec.values import host_params

MAGIC: Final = b"wasi_host calls\0"
VERSION: Final = 1
MODULE_BYTES: Final = 32
HEADER_BYTES: Final = len(MAGIC) + 1 + MODULE_BYTES
#: Longer data to be written is recorded by its digest.
PLAIN_BYTES: Final = 24
_DIGEST_BYTES: Final = 16

#: How a call ended.
RETURNED, FAILED, EXITED, STOPPED = range(4)

_NUMBERS: Final = {function.name: number for number, function in enumerate(FUNCTIONS)}
_INT, _BYTES, _TEXT, _LIST, _NONE = range(5)


class Broken(ValueError):
    """This is no recording, or one of another version."""


class Digest(NamedTuple):
    """What is known of data that was written: how much, and its digest."""

    length: int
    digest: bytes


class Frame(NamedTuple):
    """One recorded call.

    Attributes:
        function: its row.
        arguments: as encoded by ``encode_arguments``.
        ended: RETURNED, FAILED, EXITED or STOPPED.
        outcome: the value returned, the errno, the exit code, or the word that it was stopped by.
    """

    function: Function
    arguments: bytes
    ended: int
    outcome: object


def header(module: bytes | None) -> bytes:
    """Return the start of a file; ``module``: the 32 bytes of its SHA-256, if they are known."""
    return MAGIC + bytes((VERSION,)) + (module or bytes(MODULE_BYTES))


def end() -> bytes:
    """Return the end of a file that is whole."""
    return U32.pack(0)


def encode_arguments(function: Function, arguments: Sequence[object]) -> bytes:
    """Return the arguments of a call; equal bytes mean equal arguments."""
    out = bytearray()
    for param, value in zip(host_params(function), arguments, strict=True):
        if param.type is CIOVECS and isinstance(value, bytes) and len(value) > PLAIN_BYTES:
            value = digest(value)
        _encode(out, value)
    return bytes(out)


def digest(data: bytes) -> Digest:
    """Return what is recorded of long data."""
    from hashlib import blake2b  # 8 ms that runs without a recording need not pay

    return Digest(len(data), blake2b(data, digest_size=_DIGEST_BYTES).digest())


def decode_arguments(encoded: bytes) -> list[object]:
    """Return the arguments, tuples for records and for digests."""
    values, at = [], 0
    while at < len(encoded):
        value, at = _decode(encoded, at)
        values.append(value)
    return values


def encode_frame(function: Function, arguments: bytes, ended: int, outcome: object) -> bytes:
    """Return one frame with its length."""
    out = bytearray(4)
    out.append(_NUMBERS[function.name])
    _varint(out, len(arguments))
    out += arguments
    out.append(ended)
    _encode(out, outcome)
    U32.pack_into(out, 0, len(out) - 4)
    return bytes(out)


def read_header(file: BinaryIO) -> bytes:
    """Return the module's digest, zeros where it was not known.

    Raises:
        Broken: this is no recording, or one of another version.
    """
    head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        raise Broken("this is no recording")
    if head[len(MAGIC)] != VERSION:
        raise Broken(f"a recording of version {head[len(MAGIC)]}; this is {VERSION}")
    return head[-MODULE_BYTES:]


def frames(file: BinaryIO) -> Iterator[Frame | None]:
    """Yield the frames; at last None where the file says that the run was over.

    Without that None the recording was cut short.

    Raises:
        Broken: a frame that makes no sense.
    """
    while True:
        head = file.read(4)
        if len(head) < 4:
            return
        length = U32.unpack(head)[0]
        if not length:
            yield None
            return
        # Read in pieces: a wrong length must not allocate what the file does not hold.
        body = bytearray()
        while len(body) < length:
            piece = file.read(min(length - len(body), 1 << 20))
            if not piece:
                return
            body += piece
        try:
            yield _frame(bytes(body))
        except (IndexError, RecursionError, UnicodeDecodeError, ValueError) as error:
            raise Broken(f"a frame makes no sense: {error}") from None


def _frame(body: bytes) -> Frame:
    function = FUNCTIONS[body[0]]
    length, at = _read_varint(body, 1)
    arguments = body[at : at + length]
    at += length
    ended = body[at]
    outcome, at = _decode(body, at + 1)
    if ended > STOPPED or at != len(body):
        raise ValueError(f"{len(body)} bytes for {function.name}")
    return Frame(function, arguments, ended, outcome)


def _varint(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 70:
            raise ValueError("an integer of more than 64 bits")


def _encode(out: bytearray, value: object) -> None:
    if value is None:
        out.append(_NONE)
    elif isinstance(value, int):
        out.append(_INT)
        _varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif isinstance(value, bytes | bytearray | memoryview):
        out.append(_BYTES)
        _varint(out, len(value))
        out += value
    elif isinstance(value, str):
        text = value.encode("utf-8", "surrogatepass")
        out.append(_TEXT)
        _varint(out, len(text))
        out += text
    elif isinstance(value, list | tuple):
        out.append(_LIST)
        _varint(out, len(value))
        for item in value:
            _encode(out, item)
    else:
        raise TypeError(f"{value!r} cannot be recorded")


def _decode(data: bytes, at: int) -> tuple[object, int]:
    tag = data[at]
    if tag == _NONE:
        return None, at + 1
    number, at = _read_varint(data, at + 1)
    if tag == _INT:
        return (-(number + 1) >> 1 if number & 1 else number >> 1), at
    if tag == _LIST:
        items = []
        for _ in range(number):
            item, at = _decode(data, at)
            items.append(item)
        return tuple(items), at
    if tag not in (_BYTES, _TEXT):
        raise ValueError(f"no value begins with {tag}")
    found = data[at : at + number]
    if len(found) < number:
        raise ValueError("a value is longer than its frame")
    at += number
    return (found if tag == _BYTES else found.decode("utf-8", "surrogatepass")), at
