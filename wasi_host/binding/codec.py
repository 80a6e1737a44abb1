"""How values cross the border: the lines of a shim for each type, and what they call.

``Emitter`` turns the parameters and results of a row into Python source, in the order in which
faults are answered: every pointer (FAULT), then enumerations and flags (INVAL), then the text
of paths (NAMETOOLONG, ILSEQ, INVAL). All of it precedes the call and so every side effect.
The functions below it are what the lines call; they know the packed forms, and nothing else.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final

from wasi_host.errors import FAULT, INVAL, NAMETOOLONG
from wasi_spec import records, types
from wasi_spec.enums import Clockid, Eventtype
from wasi_spec.flags import Subclockflags
from wasi_spec.functions import Function, core_signature
from wasi_spec.layout import layout, pieces, structure
from wasi_spec.types import Enum, Flags, Int, List, Pointer, String, Type

#: Longest path in bytes (PATH_MAX without its NUL).
PATH_BYTES: Final = 4095
#: Most vectors of one call (IOV_MAX), most bytes of one call with several vectors.
VECTORS: Final = 1024
GATHERED_BYTES: Final = 16 << 20
#: Most subscriptions of one poll.
SUBSCRIPTIONS: Final = 4096
#: From this size on, reads fill guest memory themselves instead of returning bytes.
DIRECT_READ: Final = 8192
#: Random bytes are asked for in pieces, so that a stop is seen between them.
RANDOM_CHUNK: Final = 1 << 16

# Python's own names, and those that every shim uses itself.
_TAKEN: Final = {"in", "len", "id", "ctx", "caller", "a", "mem", "size", "data"}
_INTO: Final = {"fd_read": "fd_readinto", "fd_pread": "fd_preadinto"}


def slot_codes(function: Function) -> list[str]:
    """Return the ``struct`` code of each argument: I, Q, or q for a signed 64-bit one."""
    codes = ["I" if kind == "i32" else "Q" for kind in core_signature(function)[0]]
    # The one signed parameter, fd_seek's offset, has no string or array before it, so its
    # place among the parameters is its place in the signature.
    for place, param in enumerate(function.params):
        if isinstance(param.type, Int) and param.type.signed:
            codes[place] = "q"
    return codes


def slot_structure(function: Function) -> struct.Struct:
    """Return what unpacks all arguments at once from the engine's slots of 16 bytes each."""
    pad = {"I": "12x", "Q": "8x", "q": "8x"}
    return struct.Struct("<" + "".join(code + pad[code] for code in slot_codes(function)))


def local(name: str) -> str:
    """Return a parameter's name as a name that hides nothing a shim uses."""
    return f"{name}_" if name in _TAKEN else name


class Emitter:
    """The source lines of one row: ``names`` of the arguments, ``checks``, ``call`` lines."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.names: list[str] = []
        self.pointers: list[str] = []
        self.values: list[str] = []
        self.texts: list[str] = []
        self.arguments: list[str] = []
        self.output: str | None = None
        self.vectors = False
        for param in function.params:
            self._param(local(param.name), param.type)
        for result in function.results:
            pointer = f"{result.name}_ptr"
            self.names.append(pointer)
            self.pointers.append(f"if {pointer} + {layout(result.type).size} > size: raise FAULT")

    def _param(self, name: str, kind: Type) -> None:
        self.names.append(name)
        if isinstance(kind, String):
            self._path(name)
        elif isinstance(kind, List):
            self._vectors(name, written=kind is types.IOVECS)
        elif isinstance(kind, Pointer):
            if kind is types.POINTER_U8:
                self.output = name
        elif self.output is not None and name == f"{self.output}_len":
            self.pointers.append(f"if {self.output} + {name} > size and {name}: raise FAULT")
            self.arguments.append(name)
        else:
            self._scalar(name, kind)
            self.arguments.append(name)

    def _scalar(self, name: str, kind: Type) -> None:
        if isinstance(kind, Enum):
            self.values.append(f"if {name} > {max(kind.values)}: raise INVAL")
        elif isinstance(kind, Flags):
            mask = sum(kind.values) if kind.values is not None else 0
            if kind.masked:
                self.values.append(f"{name} &= {mask:#x}")
            elif mask:
                self.values.append(f"if {name} & ~{mask:#x}: raise INVAL")
            else:
                self.values.append(f"if {name}: raise INVAL")

    def _path(self, name: str) -> None:
        length, text = f"{name}_len", f"{name}_text"
        self.names.append(length)
        self.pointers.append(f"if {name} + {length} > size and {length}: raise FAULT")
        self.texts += [
            f"if {length} > {PATH_BYTES}: raise NAMETOOLONG",
            f"{text} = str(mem[{name}:{name} + {length}], 'utf-8')",
            f"if '\\0' in {text}: raise INVAL",
        ]
        self.arguments.append(text)

    def _vectors(self, name: str, written: bool) -> None:
        count = f"{name}_len"
        self.names.append(count)
        self.vectors = written
        self.pointers += [
            f"if {count} == 1:",
            f"    at, want = UNPACK_IOVEC(mem, {name})",
            "    if at + want > size and want: raise FAULT",
            "    vectors = None",
            "else:",
            f"    vectors, want = gather(mem, size, {name}, {count})",
        ]
        if written:
            self.arguments.append("want")
        else:
            self.arguments.append("data")

    def _store(self, position: int, value: str) -> str:
        result = self.function.results[position]
        pointer, pack = f"{result.name}_ptr", pack_name(result.type)
        packed = records.RESULTS.get(result.type.name)
        if packed is None:
            return f"{pack}(mem, {pointer}, {value})"
        # Piece by piece: padding in a guest's memory is never written.
        fields: list[str] = []
        lines = []
        for offset, piece in pieces(packed):
            names = [f"value{len(fields) + at}" for at in range(len(piece.format) - 1)]
            fields += names
            lines.append(f"{pack}_{offset}(mem, {pointer} + {offset}, {', '.join(names)})")
        return "; ".join([f"{', '.join(fields)} = {value}", *lines])

    def checks(self) -> list[str]:
        """Return the lines that check and decode; they raise, or change nothing."""
        special = _SPECIAL.get(self.function.name)
        if special is not None:
            return [*special[0], *self.pointers, *special[1]]
        return [*self.pointers, *self.values, *self.texts]

    def call(self) -> list[str]:
        """Return the lines that call the host and store what it returned."""
        name = self.function.name
        special = _SPECIAL.get(name)
        if special is not None:
            return list(special[2])
        arguments = ", ".join(self.arguments)
        called = f"ctx.host.{name}({arguments})"
        if self.vectors:
            return self._call_reading(called)
        lines = []
        if "data" in self.arguments:
            lines.append("data = mem[at:at + want] if vectors is None else join(mem, vectors)")
        if self.output is not None:
            lines += [
                f"data = {called}",
                "done = len(data)",
                f"mem[{self.output}:{self.output} + done] = data",
            ]
            return lines + ([self._store(0, "done")] if self.function.results else [])
        if not self.function.results:
            return [*lines, called]
        if len(self.function.results) == 1:
            return [*lines, self._store(0, called)]
        targets = [f"result{at}" for at in range(len(self.function.results))]
        return [
            *lines,
            f"{', '.join(targets)} = {called}",
            *(self._store(at, target) for at, target in enumerate(targets)),
        ]

    def _call_reading(self, called: str) -> list[str]:
        lines = []
        into = _INTO.get(self.function.name)
        if into is not None:
            rest = ", ".join(["fd", "views", *self.arguments[2:]])
            lines += [
                f"if want > {DIRECT_READ}:",
                "    views = (mem[at:at + want],) if vectors is None else slices(mem, vectors)",
                f"    done = ctx.host.{into}({rest})",
                "else:",
            ]
        indent = "    " if into is not None else ""
        more = len(self.function.results) > 1
        lines += [
            f"{indent}data{', result1' if more else ''} = {called}",
            f"{indent}done = len(data)",
            f"{indent}if vectors is None: mem[at:at + done] = data",
            f"{indent}else: scatter(mem, vectors, data)",
            self._store(0, "done"),
        ]
        return lines + ([self._store(1, "result1")] if more else [])


# What the lines call -------------------------------------------------------------------------


def pack_name(kind: Type) -> str:
    """Return the name under which a shim finds the packer of a type."""
    return f"PACK_{kind.name.upper()}"


def packers() -> dict[str, Any]:
    """Return the packers of all result types, by ``pack_name``."""
    scalars = (types.SIZE, types.FILESIZE, types.TIMESTAMP, types.FD, types.ROFLAGS)
    named = {pack_name(kind): structure(kind).pack_into for kind in scalars}
    for name, packed in records.RESULTS.items():
        for offset, piece in pieces(packed):
            named[f"PACK_{name.upper()}_{offset}"] = piece.pack_into
    return named


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
    vectors = [
        vector for vector in records.IOVEC.iter_unpack(mem[iovs : iovs + 8 * taken]) if vector[1]
    ]
    for at, length in vectors:
        if at + length > size:
            raise FAULT
    total = sum(length for _, length in vectors)
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
    at = buffer
    for position, text in enumerate(strings):
        records.U32.pack_into(mem, pointers + 4 * position, at)
        at += len(text) + 1


def read_subscriptions(mem: memoryview, at: int, count: int) -> list[Any]:
    """Decode the subscriptions of a poll.

    Raises:
        INVAL: more than 4,096; an unknown tag, clock or clock flag.
    """
    if count > SUBSCRIPTIONS:
        raise INVAL
    result: list[Any] = []
    size = records.SUBSCRIPTION_CLOCK.size
    block = bytes(mem[at : at + count * size])  # copied once: events may overlap it
    for offset in range(0, count * size, size):
        tag = block[offset + records.SUBSCRIPTION_TAG_OFFSET]
        if tag == Eventtype.CLOCK:
            userdata, _, *rest = records.SUBSCRIPTION_CLOCK.unpack_from(block, offset)
            clock = records.SubscriptionClock(userdata, *rest)
            if clock.id > max(Clockid) or clock.flags & ~sum(Subclockflags):
                raise INVAL
            result.append(clock)
        elif tag <= max(Eventtype):
            result.append(
                records.SubscriptionFd(*records.SUBSCRIPTION_FD.unpack_from(block, offset))
            )
        else:
            raise INVAL
    return result


def write_events(mem: memoryview, at: int, events: Sequence[Sequence[int]]) -> int:
    """Encode the events of a poll; return how many."""
    (_, head), (after, tail) = pieces(records.EVENT)
    for event in events:
        head.pack_into(mem, at, *event[:3])
        tail.pack_into(mem, at + after, *event[3:])
        at += records.EVENT.size
    return len(events)


def fill_random(ctx: Any, mem: memoryview, at: int, length: int) -> None:
    """Fill guest memory with random bytes, piece by piece."""
    for start in range(at, at + length, RANDOM_CHUNK):
        end = min(start + RANDOM_CHUNK, at + length)
        mem[start:end] = ctx.host.random_get(end - start)


def _subscription_lines() -> tuple[str, str]:
    size_in, size_out = records.SUBSCRIPTION_CLOCK.size, records.EVENT.size
    return (
        f"if in_ + {size_in} * nsubscriptions > size: raise FAULT",
        f"if out + {size_out} * nsubscriptions > size: raise FAULT",
    )


# Rows whose shape no other has: checks before and after the pointers', then the call.
_SPECIAL: Final[dict[str, tuple[Sequence[str], Sequence[str], Sequence[str]]]] = {
    "args_get": ((), (), ("store_strings(ctx, caller, argv, argv_buf, ctx.host.args_get())",)),
    "environ_get": (
        (),
        (),
        ("store_strings(ctx, caller, environ, environ_buf, ctx.host.environ_get())",),
    ),
    "random_get": ((), (), ("fill_random(ctx, mem, buf, buf_len)",)),
    "poll_oneoff": (
        # The one call that is refused before its pointers are looked at (catalogue 58).
        ("if not nsubscriptions: raise INVAL", *_subscription_lines()),
        ("subscriptions = read_subscriptions(mem, in_, nsubscriptions)",),
        (
            "events = ctx.host.poll_oneoff(subscriptions)",
            "PACK_SIZE(mem, nevents_ptr, write_events(mem, out, events))",
        ),
    ),
}

#: Everything the lines name, but for what the convention adds.
NAMESPACE: Final[dict[str, Any]] = {
    "FAULT": FAULT,
    "INVAL": INVAL,
    "NAMETOOLONG": NAMETOOLONG,
    "UNPACK_IOVEC": records.IOVEC.unpack_from,
    "fill_random": fill_random,
    "gather": gather,
    "join": join,
    "read_subscriptions": read_subscriptions,
    "scatter": scatter,
    "slices": slices,
    "store_strings": store_strings,
    "write_events": write_events,
    **packers(),
}
