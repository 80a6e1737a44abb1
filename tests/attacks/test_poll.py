"""Catalogue I 58 to 63: polling, with all the numbers a guest can give."""

import os

import pytest

from tests.attacks.guest import READ, WRITE
from wasi_spec import Clockid, Errno, Event, Eventrwflags, Eventtype, Subclockflags, records

CLOCK, FD_READ, FD_WRITE = (int(kind) for kind in Eventtype)
REALTIME, MONOTONIC, PROCESS, THREAD = (int(clock) for clock in Clockid)
ABSOLUTE = int(Subclockflags.SUBSCRIPTION_CLOCK_ABSTIME)
HANGUP = int(Eventrwflags.FD_READWRITE_HANGUP)
NEVER = 2**64 - 1
IN, OUT = records.SUBSCRIPTION_CLOCK.size, records.EVENT.size
PATTERN = b"\xa5"


def clock(timeout=0, *, userdata=7, clock=MONOTONIC, flags=0):
    return records.SUBSCRIPTION_CLOCK.pack(userdata, CLOCK, clock, timeout, 0, flags)


def ready(fd, *, to=FD_READ, userdata=7):
    return records.SUBSCRIPTION_FD.pack(userdata, to, fd)


def padded(subscription):
    return subscription.ljust(IN, b"\0")


def poll(guest, *subscriptions):
    """Poll; return the errno, and the events."""
    data = b"".join(map(padded, subscriptions))
    at, out = guest.put(data), guest.put(PATTERN * OUT * (len(subscriptions) + 1))
    errno = guest.call("poll_oneoff", at, out, len(subscriptions))
    count = guest.result if errno is Errno.SUCCESS else 0
    area = guest.get(out, OUT * (len(subscriptions) + 1))
    assert area[OUT * count :] == PATTERN * (len(area) - OUT * count)
    return errno, [Event(*records.EVENT.unpack_from(area, OUT * number)) for number in range(count)]


def events(guest, *subscriptions):
    errno, found = poll(guest, *subscriptions)
    assert errno is Errno.SUCCESS
    assert 1 <= len(found) <= len(subscriptions)
    return found


@pytest.fixture
def guest(memory_only, start):
    """A guest with a file of ten bytes open as 4, and open to write only as 5."""
    memory_only.write("file", b"0123456789")
    guest = start(memory_only, stdin=b"words")
    assert guest.open("file") == 4
    assert guest.open("file", rights=WRITE) == 5
    return guest


# 58


@pytest.mark.parametrize("address", [0, 2**32 - 1, 2**31])
def test_i58_no_subscriptions_are_inval_whatever_the_pointers(guest, address):
    assert guest.raw("poll_oneoff", address, address, 0, address) is Errno.INVAL


@pytest.mark.parametrize(
    "count",
    [2**32 - 1, 2**31, 2**32 // IN + 1, 2**32 // OUT, 2**32 // OUT + 1, 2**28, 10_000],
)
@pytest.mark.parametrize("address", [0, 4096])
def test_i58_subscriptions_or_events_that_leave_memory_are_a_fault(guest, count, address):
    before = guest.dump()
    assert guest.raw("poll_oneoff", address, address, count, 8) is Errno.FAULT
    assert guest.dump() == before


@pytest.mark.parametrize("count", [1, 2, 4097])
def test_i58_the_last_byte_of_both_areas_decides(guest, count):
    end = guest.size
    result = guest.alloc(4)
    assert guest.raw("poll_oneoff", end - IN * count + 1, 0, count, result) is Errno.FAULT
    assert guest.raw("poll_oneoff", 0, end - OUT * count + 1, count, result) is Errno.FAULT


@pytest.mark.parametrize("count", [4097, 5000])
def test_i58_over_4096_subscriptions_inside_memory_are_inval(guest, count):
    guest.poke(4096, padded(clock()) * count)
    before = guest.dump()
    assert guest.raw("poll_oneoff", 4096, 4096, count, 8) is Errno.INVAL
    assert guest.dump() == before


def test_i58_exactly_4096_subscriptions_are_served(guest):
    guest.poke(4096, padded(clock()) * 4096)
    assert guest.raw("poll_oneoff", 4096, 4096, 4096, 8) is Errno.SUCCESS
    assert int.from_bytes(guest.get(8, 4), "little") == 4096


# 59


def tagged(tag):
    return clock()[:8] + bytes([tag]) + clock()[9:]


INVALID = {
    "tag 3": tagged(3),
    "tag 255": tagged(255),
    "clock 4": clock(clock=4),
    "clock 2^32 - 1": clock(clock=2**32 - 1),
    "the process's CPU time": clock(clock=PROCESS),
    "the thread's CPU time": clock(clock=THREAD),
    "flag 2": clock(flags=2),
    "flag 3": clock(flags=3),
    "flag 2^15": clock(flags=1 << 15),
}


@pytest.mark.parametrize("wrong", INVALID.values(), ids=INVALID)
def test_i59_one_invalid_subscription_is_inval_for_the_whole_call(guest, wrong):
    assert poll(guest, wrong) == (Errno.INVAL, [])
    assert poll(guest, clock(), wrong) == (Errno.INVAL, [])
    assert poll(guest, wrong, ready(1, to=FD_WRITE)) == (Errno.INVAL, [])
    assert poll(guest, ready(100), wrong) == (Errno.INVAL, [])


BAD = {
    "a number that is not open": ready(100),
    "2^32 - 1": ready(2**32 - 1),
    "a directory to read": ready(3),
    "a directory to write": ready(3, to=FD_WRITE),
    "stdout to read": ready(1),
    "stdin to write": ready(0, to=FD_WRITE),
    "a file to write only, to read": ready(5),
}


@pytest.mark.parametrize("wrong", BAD.values(), ids=BAD)
def test_i59_one_bad_descriptor_is_badf_for_the_whole_call_at_once(guest, wrong):
    assert poll(guest, wrong) == (Errno.BADF, [])
    assert poll(guest, wrong, clock()) == (Errno.BADF, [])
    assert poll(guest, ready(4), wrong) == (Errno.BADF, [])


def test_i59_a_closed_descriptor_is_badf(guest):
    guest.must("fd_close", 4)
    assert poll(guest, ready(4), clock()) == (Errno.BADF, [])


# 60

BOTH_CLOCKS = pytest.mark.parametrize("which", [REALTIME, MONOTONIC], ids=["real", "monotonic"])


@BOTH_CLOCKS
@pytest.mark.parametrize("timeout", [0, 1, 1000])
def test_i60_a_short_timeout_is_one_event(guest, which, timeout):
    found = events(guest, clock(timeout, clock=which, userdata=2**64 - 1))
    assert found == [Event(2**64 - 1, 0, CLOCK, 0, 0)]


@BOTH_CLOCKS
@pytest.mark.parametrize("timeout", [2**62, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("flags", [0, ABSOLUTE], ids=["relative", "absolute"])
def test_i60_a_timeout_far_ahead_is_not_due_and_does_not_overflow(guest, which, timeout, flags):
    found = events(
        guest,
        clock(timeout, clock=which, flags=flags, userdata=1),
        ready(1, to=FD_WRITE, userdata=2),
    )
    assert [event.userdata for event in found] == [2]


@BOTH_CLOCKS
def test_i60_an_absolute_moment_is_not_met_too_early(guest, which):
    moment = guest.must("clock_time_get", which, 0) + 2_000_000
    assert len(events(guest, clock(moment, clock=which, flags=ABSOLUTE))) == 1
    assert guest.must("clock_time_get", which, 0) >= moment


def test_i60_a_relative_timeout_is_not_shorter_than_asked_for(guest):
    before = guest.must("clock_time_get", MONOTONIC, 0)
    events(guest, clock(1_500_001))
    assert guest.must("clock_time_get", MONOTONIC, 0) >= before + 1_500_001


@BOTH_CLOCKS
@pytest.mark.parametrize("moment", [0, 1, 10**9])
def test_i60_a_moment_in_the_past_is_due_at_once(guest, which, moment):
    assert len(events(guest, clock(moment, clock=which, flags=ABSOLUTE))) == 1


def test_i60_of_many_timeouts_the_earliest_ends_the_wait(guest):
    timeouts = [2**64 - 1, 10**15, 1, 10**13, 2**63]
    found = events(guest, *(clock(ns, userdata=ns) for ns in timeouts))
    assert [event.userdata for event in found] == [1]


def test_i60_equal_moments_are_all_due(guest):
    moment = guest.must("clock_time_get", MONOTONIC, 0) + 1_000_000
    same = [clock(moment, flags=ABSOLUTE, userdata=number) for number in range(5)]
    found = events(guest, *same, clock(NEVER, userdata=99))
    assert [event.userdata for event in found] == list(range(5))


# 61


def test_i61_one_userdata_twice_is_two_events(guest):
    assert events(guest, clock(), clock()) == [Event(7, 0, CLOCK, 0, 0)] * 2
    assert [event[:3] for event in events(guest, ready(4), ready(4))] == [(7, 0, FD_READ)] * 2


def test_i61_one_descriptor_to_read_and_to_write_is_both(guest):
    found = events(guest, ready(4, userdata=1), ready(4, to=FD_WRITE, userdata=2))
    assert [event[:3] for event in found] == [(1, 0, FD_READ), (2, 0, FD_WRITE)]


@pytest.fixture
def over(place, start):
    """A guest with a file of ten bytes of any filesystem open as 4."""
    place.write("file", b"0123456789")
    guest = start(place)
    assert guest.open("file", rights=READ) == 4
    return guest


@pytest.mark.parametrize("position", [0, 1, 9])
def test_i61_a_file_is_ready_with_what_is_left(over, position):
    over.must("fd_seek", 4, position, 0)
    assert events(over, ready(4), clock(NEVER)) == [Event(7, 0, FD_READ, 10 - position, 0)]


@pytest.mark.parametrize("position", [10, 11, 2**40])
def test_i61_a_file_at_its_end_is_ready_with_the_hangup_flag(over, position):
    over.must("fd_seek", 4, position, 0)
    assert events(over, ready(4), clock(NEVER)) == [Event(7, 0, FD_READ, 0, HANGUP)]


def test_i61_an_input_is_ready_with_what_is_left_and_at_its_end_with_hangup(guest):
    assert events(guest, ready(0), clock(NEVER)) == [Event(7, 0, FD_READ, 5, 0)]
    guest.read(0)
    assert events(guest, ready(0), clock(NEVER)) == [Event(7, 0, FD_READ, 0, HANGUP)]


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for fd in ends:
        if fd is not None:
            os.close(fd)


def test_i61_a_pipe_with_something_in_it_is_ready(memory_only, start, pipe):
    guest = start(memory_only, stdin=pipe[0])
    os.write(pipe[1], b"words")
    assert events(guest, ready(0), clock(NEVER)) == [Event(7, 0, FD_READ, 5, 0)]


def test_i61_an_empty_pipe_leaves_the_clock(memory_only, start, pipe):
    guest = start(memory_only, stdin=pipe[0])
    assert events(guest, ready(0, userdata=1), clock(1000, userdata=2)) == [
        Event(2, 0, CLOCK, 0, 0)
    ]


def test_i61_a_pipe_whose_writer_is_gone_is_ready_with_hangup(memory_only, start, pipe):
    guest = start(memory_only, stdin=pipe[0])
    os.close(pipe[1])
    pipe[1] = None
    assert events(guest, ready(0), clock(NEVER)) == [Event(7, 0, FD_READ, 0, HANGUP)]
    assert guest.read(0) == b""


def test_i61_a_pipe_whose_writer_is_gone_still_has_what_was_written(memory_only, start, pipe):
    guest = start(memory_only, stdin=pipe[0])
    os.write(pipe[1], b"words")
    os.close(pipe[1])
    pipe[1] = None
    (event,) = events(guest, ready(0), clock(NEVER))
    assert event.nbytes == 5
    assert guest.read(0) == b"words"


def test_i61_a_pipe_whose_reader_is_gone_is_ready_with_hangup(memory_only, start, pipe):
    guest = start(memory_only, stdout=pipe[1])
    os.close(pipe[0])
    pipe[0] = None
    (event,) = events(guest, ready(1, to=FD_WRITE), clock(NEVER))
    assert (event.type, event.flags) == (FD_WRITE, HANGUP)


# 62


@pytest.mark.parametrize("shift", [0, 1, 16, 32, -16, IN, -32])
def test_i62_the_input_is_read_wholly_before_events_are_written_over_it(guest, shift):
    wanted = [clock(userdata=number + 1) for number in range(6)]
    at = guest.alloc(1024) + 256
    guest.poke(at, b"".join(map(padded, wanted)))
    assert guest.call("poll_oneoff", at, at + shift, 6) is Errno.SUCCESS
    found = [
        Event(*records.EVENT.unpack_from(guest.get(at + shift, OUT * 6), OUT * number))
        for number in range(guest.result)
    ]
    assert found == [Event(number + 1, 0, CLOCK, 0, 0) for number in range(6)]


def test_i62_the_count_may_lie_over_the_input(guest):
    at = guest.put(padded(clock()))
    assert guest.raw("poll_oneoff", at, guest.alloc(OUT), 1, at) is Errno.SUCCESS
    assert guest.get(at, 4) == b"\1\0\0\0"


# 63


@pytest.mark.parametrize("fd", [1, 2], ids=["stdout", "stderr"])
def test_i63_outputs_are_writable_at_once(guest, fd):
    (event,) = events(guest, ready(fd, to=FD_WRITE), clock(NEVER))
    assert (event.error, event.type, event.flags) == (0, FD_WRITE, 0)
    assert event.nbytes > 0


@pytest.mark.parametrize("wrong", [clock(clock=9), ready(100)], ids=["INVAL", "BADF"])
def test_i63_the_count_is_written_on_success_alone(guest, wrong):
    at, count = guest.put(padded(wrong)), guest.put(PATTERN * 4)
    assert guest.raw("poll_oneoff", at, guest.alloc(OUT), 1, count) is not Errno.SUCCESS
    assert guest.get(count, 4) == PATTERN * 4
