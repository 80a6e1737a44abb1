import errno
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.world.fakes import errno_of
from wasi_host.errors import Stopped
from wasi_host.world.clocks import Clock
from wasi_host.world.scheduler import Scheduler
from wasi_spec import Clockid

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
KINDS = {
    "fixed": Clock.fixed(START),
    "stepping": Clock.stepping(START, 10),
    "virtual": Clock.virtual(START),
}
each_kind = pytest.mark.parametrize("clock", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize(("t", "ns"), [
    (0, 0), (2**64 - 1, 2**64 - 1),
    (datetime(1970, 1, 1, tzinfo=UTC), 0),
    (datetime(2033, 5, 18, 3, 33, 20, 123_457, tzinfo=UTC), 2_000_000_000_123_457_000),
    (datetime(1970, 1, 1, 2, 0, 1, tzinfo=timezone(timedelta(hours=2))), SECOND),
], ids=str)  # fmt: skip
def test_a_time_is_nanoseconds_or_an_aware_datetime(t, ns):
    assert Clock.fixed(t).open().realtime() == ns


def test_a_naive_datetime_is_refused_with_a_word():
    with pytest.raises(ValueError, match="is naive: give it a time zone"):
        Clock.virtual(datetime(2024, 1, 1))


@pytest.mark.parametrize("t", [-1, 2**64, datetime(1969, 12, 31, tzinfo=UTC)], ids=str)
def test_a_time_out_of_range_is_refused(t):
    with pytest.raises(ValueError, match="is not between 1970"):
        Clock.fixed(t)


@pytest.mark.parametrize("t", ["2024-01-01", 1.5, None], ids=repr)
def test_what_is_no_time_is_refused(t):
    with pytest.raises(TypeError, match="a time is"):
        Clock.fixed(t)


@pytest.mark.parametrize(("step", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_a_step_is_a_positive_number_of_nanoseconds(step, error):
    with pytest.raises(error):
        Clock.stepping(START, step)


@each_kind
def test_a_clock_pickles_and_equals_its_copy(clock):
    assert pickle.loads(pickle.dumps(clock)) == clock
    assert hash(pickle.loads(pickle.dumps(clock))) == hash(clock)
    assert repr(clock).startswith("Clock.")
    assert len(set(KINDS.values())) == 3


@each_kind
def test_each_run_begins_at_the_same_moment(clock):
    first = clock.open()
    times = [first.time(n) for n in (0, 1, 2, 3, 0)]
    first.skip(SECOND)
    second = clock.open()
    assert [second.time(n) for n in (0, 1, 2, 3, 0)] == times


def test_fixed_and_virtual_clocks_stand_still_while_they_are_read():
    for clock in (Clock.fixed(START), Clock.virtual(START)):
        clocks = clock.open()
        assert {clocks.time(Clockid.REALTIME) for _ in range(9)} == {START}
        assert {clocks.time(Clockid.MONOTONIC) for _ in range(9)} == {SECOND}
        assert clocks.time(Clockid.PROCESS_CPUTIME_ID) == 0


def test_a_stepping_clock_goes_on_at_each_reading_of_any_clock():
    clocks = Clock.stepping(START, 10).open()
    assert [clocks.time(0), clocks.time(0), clocks.time(1), clocks.time(2), clocks.time(0)] == [
        START, START + 10, SECOND + 20, 30, START + 40,
    ]  # fmt: skip
    assert clocks.realtime() == clocks.realtime() == START + 50


@pytest.mark.parametrize("kind", ["stepping", "virtual"])
def test_a_sleep_jumps(kind):
    clocks = KINDS[kind].open()
    Scheduler(clocks).sleep(clocks.monotonic() + 3600 * SECOND)
    assert clocks.realtime() == START + 3600 * SECOND
    assert clocks.monotonic() == 3601 * SECOND


def test_a_sleep_on_a_fixed_clock_returns_and_no_time_has_passed():
    clocks = Clock.fixed(START).open()
    Scheduler(clocks).sleep(clocks.monotonic() + 3600 * SECOND)
    assert (clocks.realtime(), clocks.monotonic()) == (START, SECOND)


@each_kind
def test_a_run_that_was_asked_to_stop_does_not_sleep(clock):
    clocks = clock.open()
    scheduler = Scheduler(clocks)
    scheduler.stop("killed")
    with pytest.raises(Stopped):
        scheduler.sleep(clocks.monotonic() + SECOND)
    assert clocks.realtime() == START


@each_kind
def test_no_clock_shows_more_than_64_bits(clock):
    clocks = clock.open()
    clocks.skip(2**65)
    for number in range(4):
        assert clocks.time(number) < 2**64
    assert clocks.realtime() < 2**64


@each_kind
def test_an_unknown_clock_is_invalid(clock):
    clocks = clock.open()
    assert errno_of(clocks.time, 4) == errno.EINVAL
    assert errno_of(clocks.resolution, 4) == errno.EINVAL


def test_resolutions():
    assert [clock.open().resolution(0) for clock in KINDS.values()] == [1, 10, 1]
