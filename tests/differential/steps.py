"""One call of a random sequence, free of any machine's numbers, and how it is laid out in memory.

A step names descriptors by *handles*: 0 to 3 are the numbers themselves (standard streams and
the preopened directory), larger ones are given when something is opened and mean, on each
machine, the number which that machine gave. So two machines may number differently and still
run the same sequence; a handle that is not open means a number that never is.

The memory of a step is laid out afresh: the arena is filled with a pattern, what the call reads
is put into it, and room is left for what it writes. The same step gives the same bytes and the
same addresses on every machine.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.attacks.guest import PAGE, ROWS
from wasi_spec import records
from wasi_spec.functions import Param
from wasi_spec.layout import layout
from wasi_spec.types import CIOVECS, FD, IOVECS, Pointer, String

#: Where the arena lies, and what it is filled with.
ARENA = range(4096, PAGE)
PATTERN = 0xA5
#: No descriptor has such a number.
NEVER = 1 << 20
#: Room for what is not asked for by a length: strings of the environment, events.
ROOM = 512


class Step(NamedTuple):
    """A call.

    Attributes:
        name: the function.
        arguments: one value for each parameter of the row: a handle, a number, the bytes of a
            path, a tuple of sizes (iovecs) or of bytes (ciovecs), bytes or None for a pointer.
        opens: the handle for a descriptor that it opens.
        overrides: core numbers that take the place of those laid out, by position.
        shift: how far every address is moved, to have unaligned ones.
    """

    name: str
    arguments: tuple[Any, ...]
    opens: int = 0
    overrides: tuple[tuple[int, int], ...] = ()
    shift: int = 0


class Area(NamedTuple):
    """Room in memory for one thing that a call writes."""

    name: str
    at: int
    size: int


class Laid(NamedTuple):
    """A step in memory: the core numbers, the arena's bytes, and where results will be."""

    numbers: list[int]
    image: bytearray
    areas: list[Area]


class _Layout:
    def __init__(self, shift: int) -> None:
        self.image = bytearray([PATTERN]) * len(ARENA)
        self.shift = shift
        self.next = ARENA.start
        self.areas: list[Area] = []

    def room(self, size: int) -> int:
        """Return the address of new room; some of the pattern stays on either side."""
        at = self.next + self.shift
        self.next = at - self.shift + (size + 23) // 8 * 8
        assert self.next < ARENA.stop, "a step does not fit into the arena"
        return at

    def put(self, data: bytes) -> int:
        at = self.room(len(data))
        self.image[at - ARENA.start : at - ARENA.start + len(data)] = data
        return at

    def area(self, name: str, size: int) -> int:
        at = self.room(size)
        self.areas.append(Area(name, at, size))
        return at


def lay_out(step: Step, numbers_of: Mapping[int, int]) -> Laid:
    """Lay a step out for the machine whose descriptors ``numbers_of`` tells by handle."""
    row = ROWS[step.name]
    laid = _Layout(step.shift)
    numbers: list[int] = []
    lengths = {
        part.name.removesuffix("_len"): value
        for part, value in zip(row.params, step.arguments, strict=True)
        if part.name.endswith("_len")
    }
    for part, value in zip(row.params, step.arguments, strict=True):
        numbers += _words(laid, part, value, lengths, numbers_of)
    for result in row.results:
        numbers.append(laid.area(result.name, layout(result.type).size))
    for position, number in step.overrides:
        numbers[position] = number
    return Laid(numbers, laid.image, laid.areas)


def _words(
    laid: _Layout,
    part: Param,
    value: Any,
    lengths: Mapping[str, int],
    numbers_of: Mapping[int, int],
) -> Iterator[int]:
    if part.type is FD:
        yield numbers_of.get(value, NEVER + value)
    elif isinstance(part.type, String):
        yield laid.put(value)
        yield len(value)
    elif part.type in (IOVECS, CIOVECS):
        pairs = []
        for item in value:
            reads = part.type is IOVECS
            at = laid.area("buffer", item) if reads else laid.put(item)
            pairs.append((at, item if reads else len(item)))
        yield laid.put(b"".join(records.IOVEC.pack(*pair) for pair in pairs))
        yield len(pairs)
    elif isinstance(part.type, Pointer):
        if isinstance(value, bytes):
            yield laid.put(value)
        else:
            yield laid.area(part.name, min(lengths.get(part.name, ROOM), 16384))
    else:
        yield value
