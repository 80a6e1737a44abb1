"""The four clocks. Times are integer nanoseconds.

A deterministic clock is a subclass that answers ``realtime`` and ``monotonic`` itself.
"""

import errno
import os
from time import (
    CLOCK_MONOTONIC,
    CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_REALTIME,
    CLOCK_THREAD_CPUTIME_ID,
    clock_getres,
    monotonic_ns,
    process_time_ns,
    thread_time_ns,
    time_ns,
)

from wasi_spec.enums import Clockid

# Plain ints: a comparison with an IntEnum member costs three times as much.
_REALTIME = int(Clockid.REALTIME)
_MONOTONIC = int(Clockid.MONOTONIC)
_PROCESS = int(Clockid.PROCESS_CPUTIME_ID)
_THREAD = int(Clockid.THREAD_CPUTIME_ID)

_HOST_CLOCKS = {
    _REALTIME: CLOCK_REALTIME,
    _MONOTONIC: CLOCK_MONOTONIC,
    _PROCESS: CLOCK_PROCESS_CPUTIME_ID,
    _THREAD: CLOCK_THREAD_CPUTIME_ID,
}


def _unknown() -> OSError:
    return OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class Clocks:
    """The host's clocks."""

    __slots__ = ()

    def realtime(self) -> int:
        """Return nanoseconds since 1970; 0 where the host's clock stands before that."""
        now = time_ns()
        return now if now > 0 else 0

    def monotonic(self) -> int:
        """Return nanoseconds since some fixed moment; never goes back."""
        return monotonic_ns()

    def time(self, id: int) -> int:
        """Return a clock's time in nanoseconds.

        Args:
            id: a ``wasi_spec.enums.Clockid``; the CPU times are those of the host process and
                of the calling thread.

        Raises:
            OSError: EINVAL: no such clock.
        """
        if id == _MONOTONIC:
            return monotonic_ns()
        if id == _REALTIME:
            now = time_ns()
            return now if now > 0 else 0
        if id == _PROCESS:
            return process_time_ns()
        if id == _THREAD:
            return thread_time_ns()
        raise _unknown()

    def resolution(self, id: int) -> int:
        """Return the smallest step of a clock in nanoseconds, at least 1.

        Raises:
            OSError: EINVAL: no such clock.
        """
        if id not in _HOST_CLOCKS:
            raise _unknown()
        return max(1, round(clock_getres(_HOST_CLOCKS[id]) * 1e9))
