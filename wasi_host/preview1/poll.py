"""Waiting for the first of several events.

Theory of operation. Every subscription is checked before anything is waited for: that all clocks
can be waited for, that all descriptors can, then the rights; one fault fails the whole call. A
descriptor says whether it is ready now, or gives the host descriptor to wait on. A clock becomes a
moment, kept in the clock's own time. A relative one is a moment of the monotonic clock, whichever
clock it names: setting the realtime clock does not change how long a sleep is. An absolute one of
the realtime clock is looked up again each second, since that clock can be set. On a clock that
stands still the first moment is taken to have come once no descriptor is ready.
"""

from __future__ import annotations

from wasi_host.errors import INVAL, NOTCAPABLE
from wasi_host.preview1.state import State
from wasi_spec.numbers import Clockid, Eventrwflags, Eventtype, Subclockflags
from wasi_spec.records import Event, SubscriptionClock

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final, TypeAlias

    from wasi_host.descriptors.base import Descriptor
    from wasi_host.world.scheduler import Interest
    from wasi_spec.records import SubscriptionFd

    Subscription: TypeAlias = SubscriptionClock | SubscriptionFd
    #: By a subscription's place: the moment in nanoseconds at which a clock is due.
    _Moments: TypeAlias = dict[int, int]
    #: By a subscription's place: nbytes and eventrwflags of what is ready.
    _Answers: TypeAlias = dict[int, tuple[int, int]]
    #: By a subscription's place: a descriptor that was not ready, and what to wait for.
    _Waiting: TypeAlias = dict[int, tuple[Descriptor, Interest]]

_REALTIME: Final = Clockid.REALTIME
_MONOTONIC: Final = Clockid.MONOTONIC
_CLOCK: Final = Eventtype.CLOCK
_FD_READ: Final = Eventtype.FD_READ
_ABSTIME: Final = Subclockflags.SUBSCRIPTION_CLOCK_ABSTIME
_HANGUP: Final = Eventrwflags.FD_READWRITE_HANGUP
#: How often a wait for a moment of the realtime clock looks whether that clock was set.
_SETTABLE_NS: Final = 1_000_000_000
#: A deadline that has passed: only ask.
_NOW: Final = 0


class PollCalls(State):
    """``poll_oneoff``."""

    __slots__ = ()

    def poll_oneoff(self, subscriptions: Sequence[Subscription]) -> list[Event]:
        """Wait until at least one event has happened, like POSIX poll.

        Args:
            subscriptions: clocks, relative or absolute, in nanoseconds of the realtime or
                monotonic clock, and descriptors to read or write; precision is ignored.

        Returns:
            What has happened: at least one event, at most one for each subscription, in their
            order. A regular file is ready at once.

        Raises:
            INVAL: no subscriptions, or a clock that cannot be waited for.
            BADF: a descriptor is not open, a directory, or not open in this direction.
            NOTCAPABLE: POLL_FD_READWRITE, or FD_READ or FD_WRITE, is missing.
            Stopped: the run was asked to stop.
        """
        if not subscriptions:
            raise INVAL
        monotonic, realtime = self._moments(subscriptions)
        answers, waiting = self._ask(subscriptions)
        interests = {interest for _, interest in waiting.values()}
        while True:
            deadline_ns = _NOW if answers else self._deadline(monotonic, realtime)
            ready = self.scheduler.wait(interests, deadline_ns)
            for index, (descriptor, interest) in waiting.items():
                if interest in ready:
                    answers[index] = _answer(descriptor, interest, ready[interest])
            _add_due(answers, monotonic, self.clocks.monotonic)
            _add_due(answers, realtime, self.clocks.realtime)
            if not answers and self.clocks.standing:
                self._add_first(answers, monotonic, realtime)
            if answers:
                return [_event(subscriptions[index], *answers[index]) for index in sorted(answers)]

    def _moments(self, subscriptions: Sequence[Subscription]) -> tuple[_Moments, _Moments]:
        """Return the moments of the monotonic clock, and those of the realtime clock."""
        monotonic: _Moments = {}
        realtime: _Moments = {}
        now = self.clocks.monotonic()
        for index, subscription in enumerate(subscriptions):
            if not isinstance(subscription, SubscriptionClock):
                continue
            clock = subscription.id
            if clock not in (_REALTIME, _MONOTONIC) or subscription.flags & ~_ABSTIME:
                raise INVAL
            if not subscription.flags:
                monotonic[index] = now + subscription.timeout
            elif clock == _MONOTONIC:
                monotonic[index] = subscription.timeout
            else:
                realtime[index] = subscription.timeout
        return monotonic, realtime

    def _ask(self, subscriptions: Sequence[Subscription]) -> tuple[_Answers, _Waiting]:
        """Ask each descriptor whether it is ready."""
        answers: _Answers = {}
        waiting: _Waiting = {}
        withheld = False
        for index, subscription in enumerate(subscriptions):
            if isinstance(subscription, SubscriptionClock):
                continue
            descriptor = self.fds[subscription.file_descriptor]
            reading = subscription.type == _FD_READ
            try:
                answer = descriptor.poll_read() if reading else descriptor.poll_write()
            except NOTCAPABLE:
                # BADF of a later subscription goes before this.
                withheld = True
                continue
            if answer is None:
                interest: Interest = (descriptor.fileno(), "read" if reading else "write")
                waiting[index] = (descriptor, interest)
            else:
                answers[index] = answer
        if withheld:
            raise NOTCAPABLE
        return answers, waiting

    def _add_first(self, answers: _Answers, monotonic: _Moments, realtime: _Moments) -> None:
        """Let the first moments come, on clocks that stand still even while a guest sleeps."""
        left = {index: moment - self.clocks.monotonic() for index, moment in monotonic.items()}
        left |= {index: moment - self.clocks.realtime() for index, moment in realtime.items()}
        first = min(left.values(), default=0)
        for index, ns in left.items():
            if ns == first:
                answers[index] = (0, 0)

    def _deadline(self, monotonic: _Moments, realtime: _Moments) -> int | None:
        """Return until when to wait, in monotonic time; None: no clock is subscribed to."""
        deadline_ns = min(monotonic.values(), default=None)
        if realtime:
            left = min(realtime.values()) - self.clocks.realtime()
            look = max(left, 0)
            if self.clocks.settable:
                look = min(look, _SETTABLE_NS)
            look += self.clocks.monotonic()
            deadline_ns = look if deadline_ns is None else min(deadline_ns, look)
        return deadline_ns


def _answer(descriptor: Descriptor, interest: Interest, gone: bool) -> tuple[int, int]:
    answer = descriptor.poll_read() if interest[1] == "read" else descriptor.poll_write()
    # Not ready after all: somebody else was faster, or this stream only knows by waiting.
    return answer or (1, _HANGUP if gone else 0)


def _add_due(answers: _Answers, moments: _Moments, clock: Callable[[], int]) -> None:
    if moments:
        now = clock()
        for index, moment in moments.items():
            if moment <= now:
                answers[index] = (0, 0)


def _event(subscription: Subscription, nbytes: int, flags: int) -> Event:
    kind = _CLOCK if isinstance(subscription, SubscriptionClock) else subscription.type
    return Event(subscription.userdata, 0, kind, nbytes, flags)
