"""Reads what a WebAssembly module says of itself, without an engine.

For engines that do not tell what a module imports and exports, and for looking at a module
without compiling it. Only the sections that describe are decoded; code is skipped. The bytes may
be anything: whatever does not hold together raises NotAWasiModule.
"""

from typing import Final, NamedTuple

from wasi_host.errors import NotAWasiModule
from wasi_host.runtimes.contract import Export, FunctionType, Import

__all__ = ["PAGE", "TABLE_ENTRY", "Range", "Sections", "capped", "read_sections"]

PAGE: Final = 65_536
#: Bytes of memory that an entry of a table counts for.
TABLE_ENTRY: Final = 8

_MAGIC: Final = b"\0asm\1\0\0\0"
_CUSTOM, _TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _EXPORT, _START = 0, 1, 2, 3, 4, 5, 7, 8
_FUNC_KIND, _TABLE_KIND, _MEMORY_KIND, _GLOBAL_KIND, _TAG_KIND = range(5)
_KINDS: Final = {
    0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64", 0x7B: "v128",
    0x70: "funcref", 0x6F: "externref",
}  # fmt: skip
#: Begins a table whose entries are not null at first.
_WITH_VALUE: Final = 0x40
_MAXIMUM, _SHARED, _WIDE = 1, 2, 4


class Range(NamedTuple):
    """The size of a memory (in pages) or table (in entries): least, most (None: any), its flags."""

    least: int
    most: int | None
    flags: int

    @property
    def flaw(self) -> str | None:
        """What preview 1 does not support about it."""
        if self.flags & _WIDE:
            return "has 64-bit addresses"
        return "is shared between threads" if self.flags & _SHARED else None


class Sections(NamedTuple):
    """What a module says of itself.

    Attributes:
        imports: in their order.
        exports: by name.
        memories: of its own.
        tables: of its own.
        start: whether it has a start section.
        producers: what made it: (field, name, version), such as ("processed-by", "clang", "17").
    """

    imports: list[Import]
    exports: dict[str, Export]
    memories: list[Range]
    tables: list[Range]
    start: bool
    producers: list[tuple[str, str, str]]


class _Reader:
    """Decodes numbers and names from bytes, and nothing beyond their end."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data, self.at = data, at
        self.end = len(data) if end is None else end

    def take(self, size: int) -> bytes:
        if size > self.end - self.at:
            raise NotAWasiModule("not a valid module: a section is cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """Decode an unsigned LEB128 number of up to 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise NotAWasiModule("not a valid module: a number is too long")

    def name(self) -> str:
        return self.take(self.number()).decode("utf-8", "replace")

    def range(self) -> Range:
        flags = self.byte()
        least = self.number()
        return Range(least, self.number() if flags & _MAXIMUM else None, flags)

    def table(self) -> Range:
        if self.byte() == _WITH_VALUE:
            raise NotAWasiModule("a table with an initial value, which is beyond what is known")
        return self.range()

    def function_type(self) -> FunctionType | None:
        """Decode a type; None: a type of a newer kind, which no function of ours has."""
        if self.byte() != 0x60:
            return None
        params = tuple(self._kind() for _ in range(self.number()))
        return FunctionType(params, tuple(self._kind() for _ in range(self.number())))

    def _kind(self) -> str:
        byte = self.byte()
        return _KINDS.get(byte, f"type {byte:#x}")


def _sections(wasm: bytes) -> list[tuple[int, int, int]]:
    """Return number, begin and end of each section."""
    if not wasm.startswith(_MAGIC):
        raise NotAWasiModule("not a core WebAssembly module")
    reader, found = _Reader(wasm, len(_MAGIC)), []
    while reader.at < reader.end:
        number, size = reader.byte(), reader.number()
        found.append((number, reader.at, reader.at + size))
        reader.take(size)
    return found


def read_sections(wasm: bytes) -> Sections:
    """Return what a module says of itself.

    Raises:
        NotAWasiModule: it does not hold together.
    """
    types: list[FunctionType | None] = []
    functions: list[int] = []
    memories: list[Range] = []
    outer_memories = 0
    found = Sections([], {}, [], [], any(n == _START for n, _, _ in _sections(wasm)), [])
    for number, begin, end in _sections(wasm):
        reader = _Reader(wasm, begin, end)
        if number == _CUSTOM and reader.name() == "producers":
            _read_producers(reader, found.producers)
        if number not in (_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _EXPORT):
            continue
        for _ in range(reader.number()):
            if number == _TYPE:
                kind = reader.function_type()
                types.append(kind)
                if kind is None:
                    break  # what follows cannot be skipped over
            elif number == _IMPORT:
                kind_number = _read_import(reader, types, functions, memories, found)
                outer_memories += kind_number == _MEMORY_KIND
            elif number == _FUNCTION:
                functions.append(reader.number())
            elif number == _TABLE:
                found.tables.append(reader.table())
            elif number == _MEMORY:
                memories.append(reader.range())
            else:
                name, kind_number, index = reader.name(), reader.byte(), reader.number()
                found.exports[name] = _export(kind_number, index, types, functions, memories)
    found.memories.extend(memories[outer_memories:])
    return found


def _read_import(
    reader: _Reader,
    types: list[FunctionType | None],
    functions: list[int],
    memories: list[Range],
    found: Sections,
) -> int:
    module, name, kind_number = reader.name(), reader.name(), reader.byte()
    kind = None
    if kind_number == _FUNC_KIND:
        functions.append(reader.number())
        kind = _type_at(types, functions[-1])
    elif kind_number == _TABLE_KIND:
        reader.table()
    elif kind_number == _MEMORY_KIND:
        memories.append(reader.range())
    elif kind_number == _GLOBAL_KIND:
        reader.take(2)
    elif kind_number == _TAG_KIND:
        reader.byte()
        reader.number()
    else:
        raise NotAWasiModule(f"not a valid module: an import of the kind {kind_number}")
    found.imports.append(Import(module, name, kind))
    return kind_number


def _type_at(types: list[FunctionType | None], index: int) -> FunctionType | None:
    return types[index] if index < len(types) else None


def _export(
    kind_number: int,
    index: int,
    types: list[FunctionType | None],
    functions: list[int],
    memories: list[Range],
) -> Export:
    if kind_number == _FUNC_KIND and index < len(functions):
        return Export("function", _type_at(types, functions[index]))
    if kind_number == _MEMORY_KIND and index < len(memories):
        return Export("memory", flaw=memories[index].flaw)
    return Export("other")


def _read_producers(reader: _Reader, producers: list[tuple[str, str, str]]) -> None:
    found = []
    try:
        for _ in range(reader.number()):
            field = reader.name()
            found += [(field, reader.name(), reader.name()) for _ in range(reader.number())]
    except NotAWasiModule:
        return  # custom sections may hold anything
    producers.extend(found)


def capped(wasm: bytes, memory_limit: int) -> bytes:
    """Return the module with memories and tables that cannot grow beyond a limit.

    For engines that have no such limit themselves.

    Args:
        wasm: the module, a valid one.
        memory_limit: bytes; an entry of a table counts 8.
    """
    parts, kept = [wasm[: len(_MAGIC)]], len(_MAGIC)
    for number, begin, end in _sections(wasm):
        header = wasm[kept:begin]
        kept = end
        if number not in (_TABLE, _MEMORY):
            parts.append(header + wasm[begin:end])
            continue
        reader = _Reader(wasm, begin, end)
        count = reader.number()
        body = [_leb128(count)]
        most = memory_limit // (PAGE if number == _MEMORY else TABLE_ENTRY)
        for _ in range(count):
            if number == _TABLE:
                body.append(wasm[reader.at : reader.at + 1])
            size = reader.table() if number == _TABLE else reader.range()
            most_now = most if size.most is None else min(size.most, most)
            flags = bytes((size.flags | _MAXIMUM,))
            body += [flags, _leb128(size.least), _leb128(max(most_now, size.least))]
        data = b"".join(body)
        parts.append(bytes((number,)) + _leb128(len(data)) + data)
    return b"".join(parts)


def _leb128(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
