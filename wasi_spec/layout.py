"""Sizes, alignments and offsets in guest memory, by the rules of witx.

An integer is aligned to its size; a record places each field at the next multiple of the
field's alignment and ends at a multiple of its own; a union is its tag, then the largest case
at the strictest alignment of any case. Addresses and handles are 32 bits.
Source: WebAssembly/WASI, branch wasi-0.1, ``tools/witx/src/layout.rs``.
"""

from __future__ import annotations

import struct
from itertools import groupby

from wasi_spec.tuples import NamedTuple
from wasi_spec.types import Enum, Flags, Int, List, Record, String, Type, Union


class Layout(NamedTuple):
    """Size and alignment in bytes."""

    size: int
    align: int


def align_up(offset: int, align: int) -> int:
    """Return the next multiple of ``align`` at or above ``offset``."""
    return (offset + align - 1) // align * align


def layout(kind: Type) -> Layout:
    """Return size and alignment of one value of this type.

    Raises:
        TypeError: for strings and lists, which lie in memory only as address and length.
    """
    if isinstance(kind, Int | Enum | Flags):
        return Layout(kind.bits // 8, kind.bits // 8)
    if isinstance(kind, String | List):
        raise TypeError(f"a {kind.name} has no layout of its own")
    if isinstance(kind, Record):
        offset, align = 0, 1
        for field in kind.fields:
            part = layout(field.type)
            offset = align_up(offset, part.align) + part.size
            align = max(align, part.align)
        return Layout(align_up(offset, align), align)
    if isinstance(kind, Union):
        cases = [layout(case) for case in kind.cases]
        align = max(layout(kind.tag).align, *(case.align for case in cases))
        size = union_payload_offset(kind) + max(case.size for case in cases)
        return Layout(align_up(size, align), align)
    return Layout(4, 4)  # a handle or an address


def union_payload_offset(union: Union) -> int:
    """Return where the cases of a union begin."""
    return align_up(layout(union.tag).size, max(layout(case).align for case in union.cases))


def offsets(record: Record) -> dict[str, int]:
    """Return the offset of each field of a record."""
    result, end = {}, 0
    for field in record.fields:
        part = layout(field.type)
        result[field.name] = align_up(end, part.align)
        end = result[field.name] + part.size
    return result


def _code(kind: Type) -> str:
    if isinstance(kind, Int) and kind.signed:
        return {1: "b", 2: "h", 4: "i", 8: "q"}[kind.bits // 8]
    return {1: "B", 2: "H", 4: "I", 8: "Q"}[layout(kind).size]


def struct_format(kind: Type) -> str:
    """Return the ``struct`` format of a value with explicit padding, of exactly its size.

    Nested records are flattened in order. A union has no single format: TypeError.
    """
    return "<" + "".join(_parts(kind))


def _parts(kind: Type) -> list[str]:
    if isinstance(kind, Union):
        raise TypeError(f"{kind.name} is a union: use the format of one case")
    if not isinstance(kind, Record):
        return [_code(kind)]
    parts, end = [], 0
    for field, offset in zip(kind.fields, offsets(kind).values(), strict=True):
        parts += ["x"] * (offset - end)
        parts += _parts(field.type)
        end = offset + layout(field.type).size
    return parts + ["x"] * (layout(kind).size - end)


def structure(kind: Type) -> struct.Struct:
    """Return the compiled ``struct_format`` of a type."""
    return struct.Struct(struct_format(kind))


def pieces(packed: struct.Struct) -> tuple[tuple[int, struct.Struct], ...]:
    """Split a packed form at its padding: the offset and form of each run of fields.

    Storing the pieces leaves padding as it is in memory, where the whole would write zeros;
    and it costs no more, since ``pack_into`` clears what it is about to fill.
    """
    result, end = [], 0
    for padding, codes in groupby(packed.format.lstrip("<"), "x".__eq__):
        piece = struct.Struct(f"<{''.join(codes)}")
        if not padding:
            result.append((end, piece))
        end += piece.size
    return tuple(result)


def case_format(record: Record, union_field: str, case: int) -> str:
    """Return the format of a record whose last field is a union, with one of its cases.

    The values are the record's other fields, the tag, then the fields of the case.
    """
    union = next(f.type for f in record.fields if f.name == union_field)
    if not isinstance(union, Union):
        raise TypeError(f"{union_field} of {record.name} is no union")
    parts, end = [], 0
    for field, offset in zip(record.fields, offsets(record).values(), strict=True):
        parts += ["x"] * (offset - end)
        if field.name != union_field:
            parts += _parts(field.type)
            end = offset + layout(field.type).size
    start = offsets(record)[union_field]
    payload = union_payload_offset(union)
    parts += [_code(union.tag), *["x"] * (payload - layout(union.tag).size)]
    parts += _parts(union.cases[case])
    used = start + payload + layout(union.cases[case]).size
    return "<" + "".join(parts + ["x"] * (layout(record).size - used))
