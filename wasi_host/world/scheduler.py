"""Waiting: for host descriptors, for a moment, and always for being stopped.

Theory of operation. A wait is a ``poll`` over the descriptors asked for and the wake descriptor.
``stop`` sets the flag first and wakes then; a wait makes the wake descriptor first and looks at
the flag then. So whichever comes first, the other sees it.

Deadlines are absolute nanoseconds of the monotonic clock and Python ints: they neither overflow
nor shorten. ``poll`` counts whole milliseconds in a C int, so a long wait is cut into pieces, and
the part below a millisecond is slept; what happens in it is seen at its end. A signal that
interrupts either is handled there by the interpreter, which then waits for what is left.
"""

from __future__ import annotations

import select
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, poll
from time import sleep

from wasi_host.errors import Stopped
from wasi_host.world.wake import Wake

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final, Literal, TypeAlias

    from wasi_host.world.clocks import Clocks

    #: A host descriptor, and what to wait for.
    Interest: TypeAlias = tuple[int, Literal["read", "write"]]

# Only Linux tells that a peer will send no more.
_NO_MORE: Final[int] = getattr(select, "POLLRDHUP", 0)

#: The events of reading and of writing.
READ: Final = POLLIN | _NO_MORE
WRITE: Final = POLLOUT
# poll reports these unasked. Each means that a read or write would not wait: it tells why.
_UNASKED: Final = POLLERR | POLLHUP | POLLNVAL
#: The events of a peer that is gone.
HANGUP: Final = _UNASKED | _NO_MORE

_MS: Final = 1_000_000
# An hour: far below what poll takes.
_LONGEST_MS: Final = 3_600_000
# How often the flag is looked at where the host has no descriptor left to wake with.
_BLIND_NS: Final = 50 * _MS


def _ready(masks: dict[int, int], events: list[tuple[int, int]]) -> dict[Interest, bool]:
    ready: dict[Interest, bool] = {}
    for fd, happened in events:
        wanted = masks.get(fd, 0)
        gone = happened & HANGUP != 0
        if wanted & POLLIN and happened & (READ | _UNASKED):
            ready[fd, "read"] = gone
        if wanted & POLLOUT and happened & (WRITE | _UNASKED):
            ready[fd, "write"] = gone
    return ready


class Scheduler:
    """Where an instance waits.

    Used by the thread that runs the instance, but for ``stop``, which any thread and any signal
    handler may call.

    Attributes:
        clocks: what deadlines are measured by.
        stopped: why the run was asked to stop, or None.
    """

    __slots__ = ("_wake", "clocks", "stopped")

    def __init__(self, clocks: Clocks) -> None:
        self.clocks = clocks
        self.stopped: str | None = None
        self._wake: Wake | None = None

    def check(self) -> None:
        """Raise ``Stopped`` if the run was asked to stop."""
        if self.stopped is not None:
            raise Stopped(self.stopped)

    def stop(self, reason: str) -> None:
        """Ask the run to stop: every wait, under way or to come, raises ``Stopped``.

        Args:
            reason: ``"timeout"``, ``"interrupt"`` or ``"killed"``; the first one stays.
        """
        if self.stopped is None:
            self.stopped = reason
        wake = self._wake
        if wake is not None:
            wake.wake()

    def reset(self) -> None:
        """Make ready for the next run; the caller has seen to it that no stop is still to come."""
        self.stopped = None
        if self._wake is not None:
            self._wake.clear()

    def close(self) -> None:
        """Give back the wake descriptor; ``stop`` is harmless afterwards."""
        if self._wake is not None:
            self._wake.close()

    def sleep(self, deadline_ns: int | None) -> None:
        """Wait until a moment of the monotonic clock, without end for None.

        Raises:
            Stopped: the run was asked to stop.
        """
        self.wait((), deadline_ns)

    def wait(
        self, interests: Collection[Interest], deadline_ns: int | None
    ) -> dict[Interest, bool]:
        """Wait until one of the interests is ready, or until the deadline.

        Args:
            interests: host descriptors and directions. One that is closed or that poll cannot
                wait for counts as ready: reading or writing it tells what is wrong.
            deadline_ns: a moment of the monotonic clock in nanoseconds, never cut short; one in
                the past: only ask; None: no deadline. A clock that skips time is not waited for.

        Returns:
            The ready ones, each with whether its peer is gone; empty: the deadline has passed.

        Raises:
            Stopped: the run was asked to stop.
        """
        self.check()
        poller = poll()
        masks: dict[int, int] = {}
        for fd, direction in interests:
            masks[fd] = masks.get(fd, 0) | (READ if direction == "read" else WRITE)
        for fd, mask in masks.items():
            poller.register(fd, mask)
        if masks:
            # Mostly something is ready, and no wake descriptor has to be made.
            ready = _ready(masks, poller.poll(0))
            if ready:
                return ready
        return self._block(poller, masks, deadline_ns)

    def _block(
        self, poller: poll, masks: dict[int, int], deadline_ns: int | None
    ) -> dict[Interest, bool]:
        monotonic = self.clocks.monotonic
        remaining = None if deadline_ns is None else deadline_ns - monotonic()
        if remaining is not None and (remaining <= 0 or self.clocks.skip(remaining)):
            return {}
        wake = self._wake
        if wake is None:
            wake = self._wake = Wake()
        wake_fd = wake.fileno()
        if wake_fd >= 0:
            poller.register(wake_fd, POLLIN)
        self.check()
        while remaining is None or remaining > 0:
            if wake_fd < 0:
                remaining = _BLIND_NS if remaining is None else min(remaining, _BLIND_NS)
            events = self._pause(poller, remaining)
            # Cleared before the flag is looked at, so that a stop in between is seen.
            if any(fd == wake_fd for fd, _ in events):
                wake.clear()
            self.check()
            ready = _ready(masks, events)
            if ready:
                return ready
            remaining = None if deadline_ns is None else deadline_ns - monotonic()
        return {}

    def _pause(self, poller: poll, remaining_ns: int | None) -> list[tuple[int, int]]:
        """Wait once, for at most this long; waiting for less than this is no fault."""
        if remaining_ns is None:
            return poller.poll(_LONGEST_MS)
        milliseconds = remaining_ns // _MS
        if milliseconds:
            return poller.poll(min(milliseconds, _LONGEST_MS))
        events = poller.poll(0)
        if events:
            return events
        sleep(remaining_ns / 1e9)
        return poller.poll(0)
