"""Time that passes only where something waits, and helpers for host descriptors."""

import os
import select

from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler


class FakeClocks(Clocks):
    """Clocks that stand still until told otherwise."""

    def __init__(self, monotonic=1_000, realtime=1_700_000_000_000_000_000):
        self.monotonic_now = monotonic
        self.realtime_now = realtime

    def monotonic(self):
        return self.monotonic_now

    def realtime(self):
        return self.realtime_now

    def advance(self, ns):
        self.monotonic_now += ns
        self.realtime_now += ns


class WouldWaitForever(Exception):
    pass


class FakeScheduler(Scheduler):
    """A scheduler whose waits take no time; ``on_pause`` is what happens during one."""

    __slots__ = ("on_pause", "pauses")

    def __init__(self, clocks=None, on_pause=None):
        super().__init__(clocks or FakeClocks())
        self.pauses = []
        self.on_pause = on_pause

    def _pause(self, poller, remaining_ns):
        self.pauses.append(remaining_ns)
        if self.on_pause is not None:
            self.on_pause(self)
        events = poller.poll(0)
        if not events:
            if remaining_ns is None:
                raise WouldWaitForever
            self.clocks.advance(remaining_ns)
        return events


def is_readable(fd):
    return bool(select.select([fd], [], [], 0)[0])


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def fill(fd):
    """Write to a pipe or socket until there is no room; return how much it took."""
    os.set_blocking(fd, False)
    taken = 0
    try:
        while True:
            taken += os.write(fd, b"x" * 4096)
    except BlockingIOError:
        return taken
    finally:
        os.set_blocking(fd, True)


def errno_of(call, *args):
    """Return the errno a call fails with; None if it does not fail."""
    try:
        call(*args)
    except OSError as error:
        return error.errno
    return None
