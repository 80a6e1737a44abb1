"""How values cross the border: the lines of a shim for each type.

``Emitter`` turns the parameters and results of a row into Python source, in the order in which
faults are answered: every pointer (FAULT), then enumerations and flags (INVAL), then the text
of paths (NAMETOOLONG, ILSEQ, INVAL). All of it precedes the call and so every side effect.
What the lines call is in ``transfer``; what packs results comes from the types themselves.
"""

from __future__ import annotations

import struct

from wasi_host.binding import transfer
from wasi_host.binding.transfer import SubscriptionLayout
from wasi_host.errors import FAULT, INVAL, NAMETOOLONG
from wasi_spec import records, types
from wasi_spec.functions import Function, core_signature
from wasi_spec.layout import layout, pieces, structure
from wasi_spec.types import Enum, Flags, Int, List, Pointer, Record, String, Type, Union

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

#: Longest path in bytes (PATH_MAX without its NUL).
PATH_BYTES: Final = 4095
#: From this size on, reads fill guest memory themselves instead of returning bytes.
DIRECT_READ: Final = 8192

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

    def __init__(self, function: Function, direct: bool = True) -> None:
        self.function = function
        #: Whether a large read may fill guest memory itself.
        self._into = _INTO.get(function.name) if direct else None
        self.names: list[str] = []
        self.pointers: list[str] = []
        self.values: list[str] = []
        self.texts: list[str] = []
        self.arguments: list[str] = []
        self.output: str | None = None
        self.vectors = False
        #: What the lines name beyond ``NAMESPACE``, filled as they are made.
        self.namespace: dict[str, Any] = {}
        for param in function.params:
            self._param(local(param.name), param.type)
        checks = []
        for result in function.results:
            pointer = f"{result.name}_ptr"
            self.names.append(pointer)
            checks.append(f"if {pointer} + {layout(result.type).size} > size: raise FAULT")
        # First, since the lines for vectors answer INVAL too.
        self.pointers[:0] = checks

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
            if kind.meaning is not None:
                self.values.append(f"{name} = {kind.meaning}[{name}]")
        elif isinstance(kind, Flags):
            mask = kind.mask
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
        kind, pointer = result.type, f"{result.name}_ptr"
        pack = f"PACK_{result.name.upper()}"
        if not isinstance(kind, Record | Union):
            self.namespace[pack] = structure(kind).pack_into
            return f"{pack}(mem, {pointer}, {value})"
        packed = structure(kind) if isinstance(kind, Record) else records.PRESTAT
        # Piece by piece: padding in a guest's memory is never written.
        fields: list[str] = []
        lines = []
        for offset, piece in pieces(packed):
            names = [f"value{len(fields) + at}" for at in range(len(piece.format) - 1)]
            fields += names
            self.namespace[f"{pack}_{offset}"] = piece.pack_into
            lines.append(f"{pack}_{offset}(mem, {pointer} + {offset}, {', '.join(names)})")
        return "; ".join([f"{', '.join(fields)} = {value}", *_narrowed(kind, fields), *lines])

    def checks(self) -> list[str]:
        """Return the lines that check and decode; they raise, or change nothing."""
        if self.function.name == "poll_oneoff":
            return self._poll_checks()
        if self.function.name in _CALLS:
            return list(self.pointers)
        return [*self.pointers, *self.values, *self.texts]

    def _poll_checks(self) -> list[str]:
        subscriptions = self.function.params[0].type
        assert isinstance(subscriptions, Pointer)
        assert isinstance(subscriptions.to, Record)
        shape = SubscriptionLayout.of(subscriptions.to)
        self.namespace["LAYOUT"] = shape
        return [
            # The one call that is refused before its pointers are looked at (catalogue 58).
            "if not nsubscriptions: raise INVAL",
            f"if in_ + {shape.size} * nsubscriptions > size: raise FAULT",
            f"if out + {records.EVENT.size} * nsubscriptions > size: raise FAULT",
            *self.pointers,
            "subscriptions = read_subscriptions(mem, in_, nsubscriptions, LAYOUT)",
        ]

    def call(self) -> list[str]:
        """Return the lines that call the host and store what it returned."""
        name = self.function.name
        if name in _CALLS:
            return list(_CALLS[name])
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
        into = self._into
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


def _narrowed(kind: Record | Union, names: Sequence[str]) -> list[str]:
    """Return lines that cut integers to the 32 bits of their field (snapshot 0's link count)."""
    if not isinstance(kind, Record):
        return []
    return [
        f"{name} = min({name}, 0xFFFFFFFF)"
        for name, field in zip(names, kind.fields, strict=True)
        if isinstance(field.type, Int) and field.type.bits == 32
    ]


# The calls of rows whose shape no other has.
_CALLS: Final[dict[str, Sequence[str]]] = {
    "args_get": ("store_strings(ctx, caller, argv, argv_buf, ctx.host.args_get())",),
    "environ_get": ("store_strings(ctx, caller, environ, environ_buf, ctx.host.environ_get())",),
    "random_get": (
        f"if buf_len > {transfer.RANDOM_CHUNK}: fill_random(ctx, mem, buf, buf_len)",
        "elif buf_len: mem[buf:buf + buf_len] = ctx.host.random_get(buf_len)",
    ),
    "poll_oneoff": (
        "events = ctx.host.poll_oneoff(subscriptions)",
        "PACK_SIZE(mem, nevents_ptr, write_events(mem, out, events))",
    ),
}

#: What the lines name, but for each row's own and for what the convention adds.
NAMESPACE: Final[dict[str, Any]] = {
    "FAULT": FAULT,
    "INVAL": INVAL,
    "NAMETOOLONG": NAMETOOLONG,
    "PACK_SIZE": structure(types.SIZE).pack_into,
    "UNPACK_IOVEC": records.IOVEC.unpack_from,
    "fill_random": transfer.fill_random,
    "gather": transfer.gather,
    "join": transfer.join,
    "read_subscriptions": transfer.read_subscriptions,
    "scatter": transfer.scatter,
    "slices": transfer.slices,
    "store_strings": transfer.store_strings,
    "write_events": transfer.write_events,
}
