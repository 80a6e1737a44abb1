"""What the lines of a shim call: vectors, strings, subscriptions and events in guest memory.

Each is given the view of guest memory and numbers of the guest; each checks what it is given,
or is called after the check that its docstring names.
"""

from __future__ import annotations

import struct

from wasi_host.errors import FAULT, INVAL
from wasi_spec import records
from wasi_spec.enums import Clockid
from wasi_spec.flags import Subclockflags
from wasi_spec.layout import case_format, pieces
from wasi_spec.numbers import Eventtype
from wasi_spec.tuples import NamedTuple
from wasi_spec.types import SUBSCRIPTION_CLOCK, Record

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

#: Most vectors of one call (IOV_MAX), most bytes of one call with several vectors.
VECTORS: Final = 1024
GATHERED_BYTES: Final = 16 << 20
#: Most subscriptions of one poll.
SUBSCRIPTIONS: Final = 4096
#: Random bytes are asked for in pieces, so that a stop is seen between them.
RANDOM_CHUNK: Final = 1 << 16

_CLOCK_IDS: Final = max(Clockid)
_CLOCK_FLAGS: Final = sum(Subclockflags)
_EVENT_PIECES: Final = pieces(records.EVENT)


def gather(mem: memoryview, size: int, iovs: int, count: int) -> tuple[list[tuple[int, int]], int]:
    """Read an array of vectors; return those of the transfer as (address, length), and the sum.

    Empty ones are left out. At most 1,024 are looked at. A sum above the smaller of 16 MiB and
    the guest's memory is cut there: overlapping vectors can ask for far more than there is.

    Raises:
        FAULT: the array, or a buffer that is not empty, is not inside memory.
        INVAL: the sum is over 2^32-1, or more than 1,024 vectors begin with 1,024 empty ones.
    """
    if iovs + 8 * count > size and count:
        raise FAULT
    taken = min(count, VECTORS)
    vectors = []
    total = 0
    for vector in records.IOVEC.iter_unpack(mem[iovs : iovs + 8 * taken]):
        at, length = vector
        if length:
            if at + length > size:
                raise FAULT
            vectors.append(vector)
            total += length
    if total > 0xFFFFFFFF or (count > VECTORS and not total):
        raise INVAL
    room = min(GATHERED_BYTES, size)
    if total > room and len(vectors) > 1:
        vectors = _cut(vectors, room)
        total = room
    return vectors, total


def _cut(vectors: list[tuple[int, int]], room: int) -> list[tuple[int, int]]:
    kept = []
    for at, length in vectors:
        if room <= 0:
            break
        kept.append((at, min(length, room)))
        room -= length
    return kept


def slices(mem: memoryview, vectors: Sequence[tuple[int, int]]) -> tuple[memoryview, ...]:
    """Return the views of the vectors."""
    return tuple(mem[at : at + length] for at, length in vectors)


def join(mem: memoryview, vectors: Sequence[tuple[int, int]]) -> bytes:
    """Return the bytes of the vectors, one after another."""
    return b"".join([mem[at : at + length] for at, length in vectors])


def scatter(mem: memoryview, vectors: Sequence[tuple[int, int]], data: bytes) -> None:
    """Fill the vectors in order with ``data``, which is not longer than they are."""
    start, end = 0, len(data)
    for at, length in vectors:
        if start >= end:
            break
        part = data[start : start + length]
        mem[at : at + len(part)] = part
        start += length


def store_strings(
    ctx: Any, caller: int, pointers: int, buffer: int, strings: Sequence[bytes]
) -> None:
    """Store the strings with a NUL each at ``buffer``, their addresses at ``pointers``.

    Raises:
        FAULT: one of the two does not fit in memory; nothing was written.
    """
    blob = b"".join([text + b"\0" for text in strings])
    array = 4 * len(strings)
    while (pointers + array > ctx.size and array) or (buffer + len(blob) > ctx.size and blob):
        if not ctx.refresh(caller):
            raise FAULT
    mem = ctx.mem
    mem[buffer : buffer + len(blob)] = blob
    addresses = []
    for text in strings:
        addresses.append(buffer)
        buffer += len(text) + 1
    mem[pointers : pointers + array] = struct.pack(f"<{len(strings)}I", *addresses)


class SubscriptionLayout(NamedTuple):
    """How a module's subscriptions lie in memory."""

    size: int
    clock: struct.Struct
    fd: struct.Struct
    skipped: int

    @classmethod
    def of(cls, subscription: Record) -> SubscriptionLayout:
        """Return the layout of a record type; ``skipped`` fields come before a clock's own."""
        clock = struct.Struct(case_format(subscription, "u", Eventtype.CLOCK))
        fd = struct.Struct(case_format(subscription, "u", Eventtype.FD_READ))
        fields = len(clock.unpack(bytes(clock.size)))
        return cls(clock.size, clock, fd, fields - 2 - len(SUBSCRIPTION_CLOCK.fields))


def read_subscriptions(
    mem: memoryview, at: int, count: int, layout: SubscriptionLayout
) -> list[Any]:
    """Decode the subscriptions of a poll; they were checked to lie inside memory.

    Raises:
        INVAL: more than 4,096; an unknown tag, clock or clock flag.
    """
    if count > SUBSCRIPTIONS:
        raise INVAL
    result: list[Any] = []
    size = layout.size
    block = bytes(mem[at : at + count * size])  # copied once: events may overlap it
    for offset in range(0, count * size, size):
        tag = block[offset + records.SUBSCRIPTION_TAG_OFFSET]
        if tag == Eventtype.CLOCK:
            userdata, _, *rest = layout.clock.unpack_from(block, offset)
            clock = records.SubscriptionClock(userdata, *rest[layout.skipped :])
            if clock.id > _CLOCK_IDS or clock.flags & ~_CLOCK_FLAGS:
                raise INVAL
            result.append(clock)
        elif tag <= Eventtype.FD_WRITE:
            result.append(records.SubscriptionFd(*layout.fd.unpack_from(block, offset)))
        else:
            raise INVAL
    return result


def write_events(mem: memoryview, at: int, events: Sequence[Sequence[int]]) -> int:
    """Encode the events of a poll; return how many."""
    (_, head), (after, tail) = _EVENT_PIECES
    for event in events:
        mem[at : at + head.size] = head.pack(*event[:3])
        mem[at + after : at + after + tail.size] = tail.pack(*event[3:])
        at += records.EVENT.size
    return len(events)


def fill_random(ctx: Any, mem: memoryview, at: int, length: int) -> None:
    """Fill guest memory with random bytes, piece by piece."""
    for start in range(at, at + length, RANDOM_CHUNK):
        end = min(start + RANDOM_CHUNK, at + length)
        mem[start:end] = ctx.host.random_get(end - start)
