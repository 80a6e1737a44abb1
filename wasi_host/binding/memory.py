"""Views of guest memory.

A view of a guest's memory is a slice of one view over the whole address space (``ALL``, made by
the engine's module, since it takes ctypes to make one): a slice costs 95 ns and needs no cache.
It never outlives a call except in the context, which drops it before the store is freed: a
view used after that reads and writes whatever lies there then.
"""

from typing import Final

#: What a context holds before its memory is known. Writable: a store of 0 bytes must work.
EMPTY: Final = memoryview(bytearray())


def window(ALL: memoryview, base: int, size: int) -> memoryview:
    """Return the view of ``size`` bytes at address ``base``."""
    return ALL[base : base + size]
