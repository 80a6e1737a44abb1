"""Catalogue I 57: clocks."""

import pytest

from wasi_spec import Clockid, Errno

CLOCKS = {clock.name.lower(): int(clock) for clock in Clockid}
UNKNOWN = [4, 5, 255, 256, 257, 2**31, 2**32 - 1]
PATTERN = b"\xa5" * 8


@pytest.fixture
def guest(memory_only, start):
    return start(memory_only)


every_clock = pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)


@pytest.mark.parametrize("clock", UNKNOWN)
def test_i57_an_unknown_clock_is_inval_and_nothing_is_written(guest, clock):
    at = guest.put(PATTERN)
    assert guest.raw("clock_res_get", clock, at) is Errno.INVAL
    assert guest.raw("clock_time_get", clock, 0, at) is Errno.INVAL
    assert guest.get(at, 8) == PATTERN


@every_clock
def test_i57_a_resolution_is_at_least_a_nanosecond_and_at_most_a_second(guest, clock):
    assert 1 <= guest.must("clock_res_get", clock) <= 10**9


@every_clock
@pytest.mark.parametrize("precision", [0, 1, 10**9, 2**63, 2**64 - 1])
def test_i57_any_precision_will_do(guest, clock, precision):
    assert guest.must("clock_time_get", clock, precision) > 0


@pytest.mark.parametrize("name", ["monotonic", "process_cputime_id", "thread_cputime_id"])
def test_i57_a_clock_grows_and_never_goes_back(guest, name):
    at = guest.alloc(8)

    def now():
        assert guest.raw("clock_time_get", CLOCKS[name], 0, at) is Errno.SUCCESS
        return int.from_bytes(guest.get(at, 8), "little")

    first = last = now()
    for _ in range(100_000):
        before, last = last, now()
        assert last >= before
        if last > first:
            break
    assert last > first
