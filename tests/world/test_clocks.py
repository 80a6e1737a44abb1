import errno
import time

import pytest

from tests.world.fakes import errno_of
from wasi_host.world import clocks as module
from wasi_host.world.clocks import Clocks
from wasi_spec.enums import Clockid

HOST_CLOCK = {
    Clockid.REALTIME: time.time_ns,
    Clockid.MONOTONIC: time.monotonic_ns,
    Clockid.PROCESS_CPUTIME_ID: time.process_time_ns,
    Clockid.THREAD_CPUTIME_ID: time.thread_time_ns,
}


@pytest.mark.parametrize("clock", Clockid, ids=lambda clock: clock.name.lower())
def test_a_clock_shows_the_hosts_time_and_grows(clock):
    before = HOST_CLOCK[clock]()
    now = Clocks().time(int(clock))
    while (later := Clocks().time(int(clock))) == now:
        pass
    assert before <= now < later <= HOST_CLOCK[clock]()


@pytest.mark.parametrize("clock", Clockid, ids=lambda clock: clock.name.lower())
def test_a_resolution_is_at_least_one_nanosecond(clock):
    assert Clocks().resolution(int(clock)) >= 1


def test_a_resolution_that_rounds_to_nothing_is_one_nanosecond(monkeypatch):
    monkeypatch.setattr(module, "clock_getres", lambda clock: 0.0)
    assert Clocks().resolution(0) == 1


@pytest.mark.parametrize("clock", [4, 2**31, 2**32 - 1])
@pytest.mark.parametrize("call", ["time", "resolution"])
def test_an_unknown_clock_is_invalid(call, clock):
    assert errno_of(getattr(Clocks(), call), clock) == errno.EINVAL


def test_a_host_clock_before_1970_reads_as_zero(monkeypatch):
    monkeypatch.setattr(module, "time_ns", lambda: -5)
    assert Clocks().realtime() == Clocks().time(0) == 0
