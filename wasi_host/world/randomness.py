"""Random bytes from the operating system.

Small requests are cut from a pool of the process, since asking the kernel costs more than all
else in the call. ``BytesIO.read`` takes and moves on in one step under the interpreter lock, so
no two threads get the same bytes, without a lock that a fork could leave held.
"""

import os
from io import BytesIO
from os import urandom
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
