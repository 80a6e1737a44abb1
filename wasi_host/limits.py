"""What a run may use, and the clock that ends one.

Sizes are limited by default; time only when asked for.
"""

from __future__ import annotations

import heapq
import time
from itertools import count
from threading import TIMEOUT_MAX, Condition, Thread

from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

#: The step in which memories grow.
PAGE: Final = 1 << 16
GIB: Final = 1 << 30
MIB: Final = 1 << 20
# As many cancelled alarms may lie about.
_KEPT: Final = 64


class _Limits(NamedTuple):
    memory: int = GIB
    stack: int = MIB
    output: int = 16 * MIB
    fs_bytes: int = 256 * MIB
    inodes: int = 100_000
    open_files: int = 256
    timeout: float | None = None
    fuel: int | None = None
    calls: int | None = None


#: For each limit the least and the greatest value; None: no greatest.
_RANGES: Final[dict[str, tuple[int, int | None]]] = {
    "memory": (65_536, None),
    "stack": (65_536, GIB),
    "output": (0, None),
    "fs_bytes": (0, None),
    "inodes": (0, None),
    "open_files": (3, None),
    "fuel": (0, (1 << 64) - 1),
    "calls": (0, None),
}


class Limits(_Limits):
    """Limits of one run: sizes, which are on by default, and work, when asked for.

    Args:
        memory: bytes the guest's memory may grow to, 65,536 or more; ``memory.grow`` answers -1
            beyond, and a module that starts larger is refused. A table entry counts 8 bytes.
        stack: bytes of stack the guest may use, 64 KiB to 1 GiB; recursion beyond is a trap.
            More than 1 MiB takes a thread for each run.
        output: bytes kept of each captured stream; the guest may write more, and goes on.
        fs_bytes: bytes that the directories in memory may store, all together and with what was
            there at the start; holes are not stored. A write beyond is short, the next answers
            DQUOT.
        inodes: files, directories and links in them, likewise.
        open_files: descriptors open at a time, standard streams and directories included;
            opening more answers MFILE.
        timeout: seconds after which the guest is stopped, whatever it does; the result says so,
            where ``timeout=`` of ``run`` raises.
        fuel: the engine's count of what the guest computes, about one for each instruction;
            counting takes compute time.
        calls: WASI calls the guest may make, 0 or more; the next one ends the run. Calls with
            addresses or flags that make no sense do not count.

    Raises:
        TypeError: a limit is no integer (``timeout``: no number).
        ValueError: a limit is out of range.
    """

    __slots__ = ()

    def __new__(
        cls,
        memory: int = GIB,
        stack: int = MIB,
        output: int = 16 * MIB,
        fs_bytes: int = 256 * MIB,
        inodes: int = 100_000,
        open_files: int = 256,
        timeout: float | None = None,
        fuel: int | None = None,
        calls: int | None = None,
    ) -> Limits:
        """Check the limits."""
        made = super().__new__(
            cls, memory, stack, output, fs_bytes, inodes, open_files, timeout, fuel, calls
        )
        made._check()
        return made

    def _check(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name in ("fuel", "calls"):
                continue
            if not isinstance(value, int):
                raise TypeError(f"Limits.{name} must be an integer, not {value!r}")
            if value < least:
                raise ValueError(f"Limits.{name} must be at least {least}, not {value}")
            if most is not None and value > most:
                raise ValueError(f"Limits.{name} must be at most {most}, not {value}")
        if self.timeout is not None:
            if not isinstance(self.timeout, int | float):
                raise TypeError(f"Limits.timeout must be seconds, not {self.timeout!r}")
            if not self.timeout >= 0:
                raise ValueError(f"Limits.timeout must be 0 or more seconds, not {self.timeout}")

    def _replace(self, **changes: object) -> Limits:
        """Return limits that differ in some, checked."""
        return Limits(**{**self._asdict(), **changes})


def grew_to_limit(first: int, last: int, limit: int) -> bool:
    """Tell whether a memory grew until not even a page more was to be had.

    Args:
        first: its size in bytes at the beginning.
        last: its size at the end.
        limit: how large it may be.
    """
    return first < last and last + PAGE > limit


class Alarm:
    """A call that is due at a time; cancelled, it is not made."""

    __slots__ = ("_call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Make sure that the call is not made from now on."""
        with _alarms.condition:
            self._call = None
            _alarms.forget_one()

    @property
    def cancelled(self) -> bool:
        """Whether the call is not to be made."""
        return self._call is None

    def ring(self) -> None:
        """Make the call, unless it was cancelled. The lock is held: a cancel waits for it."""
        if self._call is not None:
            self._call()


class _Alarms:
    """One thread for the deadlines of all runs; none until the first."""

    def __init__(self) -> None:
        self.condition = Condition()
        self._heap: list[tuple[float, int, Alarm]] = []
        self._numbers = count()
        self._cancelled = 0
        self._thread: Thread | None = None

    def add(self, alarm: Alarm) -> None:
        with self.condition:
            heapq.heappush(self._heap, (alarm.due, next(self._numbers), alarm))
            # In a forked child the parent's thread is not there.
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._ring, name="wasi_host deadlines", daemon=True)
                self._thread.start()
            self.condition.notify()

    def forget_one(self) -> None:
        """Drop cancelled alarms once most are; the lock is held. Most runs end early."""
        self._cancelled += 1
        if self._cancelled > _KEPT and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].cancelled]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _ring(self) -> None:
        with self.condition:
            while True:
                if not self._heap:
                    self.condition.wait()
                    continue
                wait = self._heap[0][0] - time.monotonic()
                if wait > 0:
                    self.condition.wait(min(wait, TIMEOUT_MAX))
                    continue
                heapq.heappop(self._heap)[2].ring()


_alarms: Final = _Alarms()


def call_after(seconds: float, call: Callable[[], None]) -> Alarm:
    """Arrange for a short call on the deadline thread; cancel it when it is not needed.

    Raises:
        ValueError: the time is not a number, which would never come.
    """
    if seconds != seconds:
        raise ValueError("timeout is not a number of seconds: nan")
    alarm = Alarm(time.monotonic() + seconds, call)
    _alarms.add(alarm)
    return alarm
