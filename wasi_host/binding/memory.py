"""Views of guest memory.

A view of a guest's memory is a slice of one view over the whole address space (``ALL``, made by
the engine's module, since it takes ctypes to make one): a slice costs 95 ns and needs no cache.
It never outlives a call except in the context, which drops it before the store is freed: a
view used after that reads and writes whatever lies there then.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

#: What a context holds before its memory is known. Writable: a store of 0 bytes must work.
EMPTY: Final = memoryview(bytearray())


def window(ALL: memoryview, base: int, size: int) -> memoryview:
    """Return the view of ``size`` bytes at address ``base``."""
    return ALL[base : base + size]


class BlockMemory:
    """Guest memory of an engine that only reads and writes blocks.

    Args:
        memory: an object with ``read(address, size) -> bytes``, ``write(address, data)`` and
            ``size() -> int``.

    It can be sliced as a view can; the slices are copies.
    """

    __slots__ = ("_memory",)

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def __len__(self) -> int:
        size: int = self._memory.size()
        return size

    def __getitem__(self, part: slice) -> bytes:
        if part.stop <= part.start:
            return b""
        return bytes(self._memory.read(part.start, part.stop - part.start))

    def __setitem__(self, part: slice, data: bytes | memoryview) -> None:
        if len(data):
            self._memory.write(part.start, bytes(data))

    def release(self) -> None:
        """Do nothing: there is no view to let go."""


def block_unpacker(packed: struct.Struct) -> Callable[[BlockMemory, int], tuple[Any, ...]]:
    """Return what ``unpack_from`` is for views."""

    def unpack_from(memory: BlockMemory, at: int) -> tuple[Any, ...]:
        if at + packed.size > len(memory):
            raise struct.error("beyond the memory")
        return packed.unpack(memory[at : at + packed.size])

    return unpack_from


def block_packer(packed: struct.Struct) -> Callable[..., None]:
    """Return what ``pack_into`` is for views."""

    def pack_into(memory: BlockMemory, at: int, *values: int) -> None:
        memory[at : at + packed.size] = packed.pack(*values)

    return pack_into
