"""``poll_oneoff`` on clocks that do not wait."""

import os

import pytest

from wasi_host.descriptors.stream import standard_stream
from wasi_host.preview1 import Preview1
from wasi_host.world.clocks import Clock
from wasi_host.world.scheduler import Scheduler
from wasi_host.world.streams import BytesInput, Capture, HostStream
from wasi_spec import Clockid, SubscriptionClock, SubscriptionFd

START, SECOND, DAY = 1_700_000_000_000_000_000, 1_000_000_000, 86_400_000_000_000
LATEST = 2**64 - 1
REALTIME, MONOTONIC = int(Clockid.REALTIME), int(Clockid.MONOTONIC)
JUMPING = {"stepping": Clock.stepping(START, 1), "virtual": Clock.virtual(START)}
ALL = {"fixed": Clock.fixed(START), **JUMPING}


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for fd in ends:
        os.close(fd)


def instance(clock, pipe=None):
    """An instance whose descriptor 0 is a pipe's reading end, if there is one."""
    clocks = clock.open()
    scheduler = Scheduler(clocks)
    stdin = BytesInput(b"")
    if pipe is not None:
        stdin = HostStream(pipe[0], readable=True, writable=False, scheduler=scheduler)
    stdio = [standard_stream(stdin, 0), standard_stream(Capture(), 1)]
    return Preview1.for_run(stdio, clocks=clocks, scheduler=scheduler)


def clock_in(userdata, ns, clock=MONOTONIC, absolute=0):
    return SubscriptionClock(userdata, clock, ns, 0, absolute)


def happened(wasi, *subscriptions):
    return [event.userdata for event in wasi.poll_oneoff(list(subscriptions))]


@pytest.mark.parametrize("kind", JUMPING)
@pytest.mark.parametrize("subscription", [
    clock_in(1, DAY), clock_in(1, DAY, REALTIME), clock_in(1, START + DAY, REALTIME, 1),
    clock_in(1, SECOND + DAY, MONOTONIC, 1),
], ids=["relative", "relative realtime", "absolute realtime", "absolute"])  # fmt: skip
def test_a_sleep_jumps_to_its_end(kind, subscription):
    wasi = instance(JUMPING[kind])
    assert happened(wasi, subscription) == [1]
    assert wasi.clocks.realtime() == START + DAY


@pytest.mark.parametrize("subscription", [
    clock_in(1, DAY), clock_in(1, START + DAY, REALTIME, 1), clock_in(1, DAY, MONOTONIC, 1),
], ids=["relative", "absolute realtime", "absolute"])  # fmt: skip
def test_a_sleep_on_a_fixed_clock_returns_at_once_and_no_time_has_passed(subscription):
    wasi = instance(ALL["fixed"])
    assert happened(wasi, subscription) == [1]
    assert wasi.clocks.realtime() == START


@pytest.mark.parametrize("clock", ALL.values(), ids=ALL)
def test_of_several_moments_only_the_first_comes(clock):
    wasi = instance(clock)
    later, first = clock_in(1, 2 * DAY), clock_in(2, START + DAY, REALTIME, 1)
    assert happened(wasi, later, first, clock_in(3, LATEST)) == [2]


@pytest.mark.parametrize("clock", ALL.values(), ids=ALL)
def test_a_descriptor_that_is_ready_comes_before_any_jump(clock, pipe):
    os.write(pipe[1], b"x")
    wasi = instance(clock, pipe)
    assert happened(wasi, clock_in(1, DAY), SubscriptionFd(2, 1, 0)) == [2]
    assert wasi.clocks.realtime() == START


@pytest.mark.parametrize("clock", ALL.values(), ids=ALL)
def test_a_descriptor_that_is_not_ready_is_not_waited_for_beside_a_clock(clock, pipe):
    wasi = instance(clock, pipe)
    assert happened(wasi, clock_in(1, DAY), SubscriptionFd(2, 1, 0)) == [1]


@pytest.mark.parametrize("clock", ALL.values(), ids=ALL)
@pytest.mark.parametrize("subscription", [
    clock_in(1, LATEST), clock_in(1, LATEST, REALTIME, 1), clock_in(1, LATEST, MONOTONIC, 1),
], ids=["relative", "absolute realtime", "absolute"])  # fmt: skip
def test_the_longest_sleeps_end_and_end_again(clock, subscription):
    wasi = instance(clock)
    for _ in range(3):
        assert happened(wasi, subscription) == [1]
        assert wasi.clock_time_get(REALTIME, 0) < 2**64
