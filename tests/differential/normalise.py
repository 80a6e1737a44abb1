"""What of an outcome can be compared, field by field; what differs by nature is left out.

Left out everywhere: numbers of devices, inodes and descriptors, what clocks and random bytes
are, times that nobody set, sizes and link counts of directories, cookies. Everything else that
is in the arena afterwards is compared to the byte, padding and room behind results included.
"""

from collections.abc import Iterator
from typing import Any

from tests.differential.machine import Outcome
from tests.differential.steps import ARENA, Area, Step
from wasi_spec import Filetype, records
from wasi_spec.layout import layout, offsets
from wasi_spec.types import EVENT, FDSTAT, FILESTAT, Record

Fields = dict[str, Any]
DIRECTORY = int(Filetype.DIRECTORY)
#: A time before this one was set by a step, and none after it.
SET = 1_500_000_000 * 10**9
#: Functions whose results, or buffers, nobody can foretell.
UNKNOWN = {"clock_time_get", "clock_res_get", "random_get"}


def fields(step: Step, outcome: Outcome, *, same_kind: bool = True) -> Fields:
    """Return what can be compared, by name.

    Args:
        step: the call.
        outcome: what came of it.
        same_kind: whether both sides are host directories, which list in one order and move
            access times alike.
    """
    found: Fields = {"answer": outcome.answer}
    arena = bytearray(outcome.arena)
    if outcome.answer == "SUCCESS" and not step.overrides:
        for name, value in _results(step, outcome, arena, same_kind):
            found[name] = value
    elif outcome.answer == "SUCCESS":
        return found  # an address was moved: what is where is not known here
    found["memory"] = bytes(arena)
    return found


def differing(ours: Fields, theirs: Fields) -> list[str]:
    """Return the names of the fields that are not equal."""
    return sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    )


def _results(
    step: Step, outcome: Outcome, arena: bytearray, same_kind: bool
) -> Iterator[tuple[str, Any]]:
    areas = {area.name: area for area in outcome.laid.areas}
    for name, area in areas.items():
        data = _take(arena, area, clear=False)
        if name == "stat" and step.name == "fd_fdstat_get":
            yield from _fdstat(arena, area, data)
        elif name == "stat":
            yield from _filestat(arena, area, data, same_kind)
        elif step.name in UNKNOWN or name in {"opened_fd", "connection"}:
            _take(arena, area)
        elif step.name == "fd_readdir" and name == "buf":
            used = _number(outcome.arena, areas["bufused"])
            yield from _listing(step, arena, area, data[:used], same_kind)
        elif step.name == "fd_readdir" and name == "bufused":
            _take(arena, area)
            if same_kind or step.arguments[3] == 0:
                yield name, int.from_bytes(data, "little")
        elif step.name in {"args_get", "environ_get"} or name == "out":
            yield from _opaque(step, arena, area, data)
        elif name != "buffer" and name != "buf":
            yield name, int.from_bytes(data, "little")


def _take(arena: bytearray, area: Area, *, clear: bool = True) -> bytes:
    at = area.at - ARENA.start
    data = bytes(arena[at : at + area.size])
    if clear:
        arena[at : at + area.size] = bytes(area.size)
    return data


def _number(arena: bytes, area: Area) -> int:
    at = area.at - ARENA.start
    return int.from_bytes(arena[at : at + area.size], "little")


def _clear_fields(arena: bytearray, at: int, record: Record) -> None:
    """Clear what a record's fields hold; the padding between them stays to be compared."""
    places = offsets(record)
    for field in record.fields:
        begin = at - ARENA.start + places[field.name]
        arena[begin : begin + layout(field.type).size] = bytes(layout(field.type).size)


def _fdstat(arena: bytearray, area: Area, data: bytes) -> Iterator[tuple[str, Any]]:
    filetype, flags, base, inheriting = records.FDSTAT.unpack(data)
    _clear_fields(arena, area.at, FDSTAT)
    yield "fdstat.filetype", filetype
    yield "fdstat.flags", flags
    yield "fdstat.base", base
    yield "fdstat.inheriting", inheriting


def _filestat(
    arena: bytearray, area: Area, data: bytes, same_kind: bool
) -> Iterator[tuple[str, Any]]:
    _, _, filetype, nlink, size, atim, mtim, _ = records.FILESTAT.unpack(data)
    _clear_fields(arena, area.at, FILESTAT)
    yield "filestat.filetype", filetype
    if filetype != DIRECTORY:
        yield "filestat.nlink", nlink
        yield "filestat.size", size
    yield "filestat.mtim", mtim if mtim < SET else "now"
    if same_kind:
        yield "filestat.atim", atim if atim < SET else "now"


def _listing(
    step: Step, arena: bytearray, area: Area, data: bytes, same_kind: bool
) -> Iterator[tuple[str, Any]]:
    begin = area.at - ARENA.start
    arena[begin : begin + len(data)] = bytes(len(data))
    whole = len(data) < step.arguments[2] and step.arguments[3] == 0
    entries, at = [], 0
    while at + 24 <= len(data):
        _, _, length, kind = records.DIRENT.unpack_from(data, at)
        entries.append((data[at + 24 : at + 24 + length], length, kind))
        at += 24 + length
    if whole:
        yield "entries", sorted(entries)
    if same_kind:
        yield "order", entries
    elif not whole:
        arena[begin : begin + area.size] = bytes(area.size)


def _opaque(step: Step, arena: bytearray, area: Area, data: bytes) -> Iterator[tuple[str, Any]]:
    """Addresses are the same everywhere; of events the rest of the room was not written."""
    if area.name == "out":
        at = area.at - ARENA.start
        for offset in range(0, area.size - records.EVENT.size + 1, records.EVENT.size):
            record = data[offset : offset + records.EVENT.size]
            if set(record) == {0xA5}:
                break
            yield f"event {offset // 32}", records.EVENT.unpack(record)
            _clear_fields(arena, at + ARENA.start + offset, EVENT)
            # The two of a descriptor's readiness stand in a record of their own.
            begin = at + offset + 16
            arena[begin : begin + 16] = bytes(16)
