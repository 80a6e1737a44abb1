"""Random bytes: from the operating system, or made from a seed.

From the operating system, small requests are cut from a pool of the process, since asking the
kernel costs more than all else in the call. ``BytesIO.read`` takes and moves on in one step
under the interpreter lock, so no two threads get the same bytes, without a lock that a fork
could leave held.
"""

from __future__ import annotations

import os
from io import BytesIO
from os import urandom

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

_POOL_SIZE: Final = 512
#: What is not worth a pool: the pool would be used up by two or three of them.
_LARGE: Final = 128

_pool = BytesIO()


def _drop_pool() -> None:
    """Forget the pool, so that a forked child does not hand out its parent's next bytes."""
    global _pool
    _pool = BytesIO()


os.register_at_fork(after_in_child=_drop_pool)


def _refill(size: int) -> bytes:
    global _pool
    pool = BytesIO(urandom(_POOL_SIZE))
    # Taken before others can see the pool; what another thread puts there meanwhile is lost,
    # never given twice.
    data = pool.read(size)
    _pool = pool
    return data


class Randomness:
    """The host's randomness; a deterministic one is a subclass."""

    __slots__ = ()

    def read(self, size: int) -> bytes:
        """Return ``size`` fresh random bytes; callable from any thread."""
        if size > _LARGE:
            return urandom(size)
        data = _pool.read(size)
        return data if len(data) == size else _refill(size)


#: Bytes of a block of seeded randomness: what a small program asks for in all.
_BLOCK: Final = 1024
#: What makes our sequence ours: another form of it would have another version here.
_SEEDED: Final = b"wasi_host randomness 1"


class SeededRandomness(Randomness):
    """Bytes that are the same for a seed, on every platform and in every version.

    Block n (1,024 bytes, n from 0) is SHAKE-256 of a label, n in 8 bytes, and the seed as a
    signed integer (little endian, the fewest bytes that hold it). The bytes are one sequence: how
    it is cut into requests does not matter. Who knows the seed knows all: nothing here is secret.

    Args:
        seed: any integer.
    """

    __slots__ = ("_count", "_left", "_make", "_seed")

    def __init__(self, seed: int) -> None:
        from hashlib import shake_256  # 2 ms that runs without a seed need not pay

        self._make = shake_256
        self._seed = seed.to_bytes(seed.bit_length() // 8 + 1, "little", signed=True)
        self._count = 0
        self._left = b""

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes; from one thread at a time."""
        parts = [self._left]
        have = len(self._left)
        while have < size:
            number = self._count.to_bytes(8, "little")
            parts.append(self._make(_SEEDED + number + self._seed).digest(_BLOCK))
            self._count += 1
            have += _BLOCK
        data = b"".join(parts)
        self._left = data[size:]
        return data[:size]
