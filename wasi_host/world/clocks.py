"""The four clocks: the host's, and deterministic ones. Times are integer nanoseconds.

``Clock`` says which clocks a run gets; ``Clocks`` and its subclasses are those of one run.
A deterministic clock never waits: where a guest sleeps, the moment it sleeps until comes at once.
"""

from __future__ import annotations

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

from wasi_spec.numbers import Clockid

TYPE_CHECKING = False

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

# Plain ints: a comparison with an IntEnum member costs three times as much.
_REALTIME = Clockid.REALTIME
_MONOTONIC = Clockid.MONOTONIC
_PROCESS = Clockid.PROCESS_CPUTIME_ID
_THREAD = Clockid.THREAD_CPUTIME_ID

_HOST_CLOCKS = {
    _REALTIME: CLOCK_REALTIME,
    _MONOTONIC: CLOCK_MONOTONIC,
    _PROCESS: CLOCK_PROCESS_CPUTIME_ID,
    _THREAD: CLOCK_THREAD_CPUTIME_ID,
}


def _unknown() -> OSError:
    return OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class Clocks:
    """The host's clocks.

    Attributes:
        settable: whether the realtime clock may be set while a guest waits for a moment of it.
        standing: whether time does not even pass where a guest sleeps.
    """

    __slots__ = ()

    settable = True
    standing = False

    def skip(self, ns: int) -> bool:
        """Let time pass instead of waiting for it; False: it must be waited for, as here."""
        return False

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


#: What deterministic clocks show at most: a guest's times have 64 bits.
_LATEST: Final = (1 << 64) - 1
#: Where monotonic clocks begin that are not the host's: not at 0, which programs take for unset.
_MONOTONIC_START: Final = 1_000_000_000


class FixedClocks(Clocks):
    """Clocks that stand still. A sleep returns at once, and no time has passed.

    Args:
        start_ns: the realtime clock, nanoseconds since 1970. The monotonic clock shows one
            second, the clocks of CPU time 0.
    """

    __slots__ = ("_cpu", "_passed", "_start")

    settable = False
    standing = True

    def __init__(self, start_ns: int) -> None:
        self._start = start_ns
        self._passed = 0
        self._cpu = 0

    def realtime(self) -> int:
        """Return nanoseconds since 1970."""
        return min(self._start + self._passed, _LATEST)

    def monotonic(self) -> int:
        """Return nanoseconds since one second before the start; may exceed 64 bits."""
        return _MONOTONIC_START + self._passed

    def skip(self, ns: int) -> bool:
        """Return True: nothing waits."""
        return True

    def time(self, id: int) -> int:
        """Return a clock's time in nanoseconds, as the guest reads it.

        Raises:
            OSError: EINVAL: no such clock.
        """
        if id == _REALTIME:
            return self.realtime()
        if id == _MONOTONIC:
            return min(self.monotonic(), _LATEST)
        if id in (_PROCESS, _THREAD):
            return min(self._cpu, _LATEST)
        raise _unknown()

    def resolution(self, id: int) -> int:
        """Return 1 nanosecond.

        Raises:
            OSError: EINVAL: no such clock.
        """
        if id not in _HOST_CLOCKS:
            raise _unknown()
        return 1


class VirtualClocks(FixedClocks):
    """Clocks that stand still while the guest works, and jump over its sleeps."""

    __slots__ = ()

    standing = False

    def skip(self, ns: int) -> bool:
        """Jump, and return True: nothing waits."""
        self._passed += ns
        return True


class SteppingClocks(VirtualClocks):
    """Clocks that go on by a step each time the guest reads one, and jump over its sleeps.

    Only ``time`` steps: what the host itself asks for (the time of a file, a deadline, a
    duration in a trace) changes nothing. CPU time is the sum of the steps.
    """

    __slots__ = ("_step",)

    def __init__(self, start_ns: int, step_ns: int) -> None:
        super().__init__(start_ns)
        self._step = step_ns

    def time(self, id: int) -> int:
        """Return a clock's time in nanoseconds; the next one read is a step later.

        Raises:
            OSError: EINVAL: no such clock.
        """
        now = super().time(id)
        self._passed += self._step
        self._cpu += self._step
        return now

    def resolution(self, id: int) -> int:
        """Return the step in nanoseconds.

        Raises:
            OSError: EINVAL: no such clock.
        """
        return super().resolution(id) * self._step


class Clock:
    """Which clocks a run gets; made by ``fixed``, ``stepping`` and ``virtual``.

    Each run begins at the same moment anew. With a clock and a seed, runs with the same input
    are the same, byte for byte. A guest that spins until a moment comes does so for ever on a
    clock that stands still: give it ``stepping``.
    """

    __slots__ = ("_kind", "_start", "_step")

    def __init__(self, kind: str, start_ns: int, step_ns: int = 0) -> None:
        self._kind = kind
        self._start = start_ns
        self._step = step_ns

    @classmethod
    def fixed(cls, t: int | datetime) -> Clock:
        """Return clocks that stand still; a sleep returns at once.

        Args:
            t: the time: an aware datetime, or nanoseconds since 1970 (0 to 2^64 - 1).

        Raises:
            TypeError, ValueError: another kind of value; a naive datetime; out of range.
        """
        return cls("fixed", _nanoseconds(t))

    @classmethod
    def stepping(cls, t: int | datetime, step_ns: int) -> Clock:
        """Return clocks that go on by a step (1 ns or more) each time the guest reads one.

        They jump over sleeps; ``t`` and the errors are those of ``fixed``.
        """
        if not isinstance(step_ns, int):
            raise TypeError(f"step_ns is a number of nanoseconds, not {step_ns!r}")
        if not 0 < step_ns <= _LATEST:
            raise ValueError(f"step_ns must be from 1 to 2^64 - 1, not {step_ns}")
        return cls("stepping", _nanoseconds(t), step_ns)

    @classmethod
    def virtual(cls, t: int | datetime) -> Clock:
        """Return clocks that jump over sleeps, and else stand still; as ``fixed`` else."""
        return cls("virtual", _nanoseconds(t))

    def open(self) -> Clocks:
        """Return the clocks of one run."""
        if self._kind == "stepping":
            return SteppingClocks(self._start, self._step)
        return (VirtualClocks if self._kind == "virtual" else FixedClocks)(self._start)

    def __repr__(self) -> str:
        step = f", {self._step}" if self._step else ""
        return f"Clock.{self._kind}({self._start}{step})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clock) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())

    def __reduce__(self) -> tuple[type[Clock], tuple[str, int, int]]:
        return Clock, (self._kind, self._start, self._step)


def _nanoseconds(t: int | datetime) -> int:
    if isinstance(t, int):
        ns = t
    elif hasattr(t, "utcoffset") and hasattr(t, "year"):
        offset = t.utcoffset()
        if offset is None:
            raise ValueError(f"{t!r} is naive: give it a time zone, such as datetime.timezone.utc")
        # Exact, which ``timestamp()``, a float, is not; and without importing datetime.
        since = (t - offset).replace(tzinfo=None) - type(t)(1970, 1, 1)
        ns = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
    else:
        raise TypeError(f"a time is an aware datetime or nanoseconds since 1970, not {t!r}")
    if not 0 <= ns <= _LATEST:
        raise ValueError(f"{t!r} is not between 1970 and 2^64 - 1 nanoseconds later")
    return ns
