"""``poll_oneoff``: catalogue 57 to 64 with a clock that passes only where something waits."""

import os

import pytest

from tests.descriptors.fakes import FakeDirectory, FakeFile
from tests.world.fakes import FakeClocks, FakeScheduler, WouldWaitForever
from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.descriptors.file import FileDescriptor
from wasi_host.descriptors.stream import StreamDescriptor, standard_stream
from wasi_host.descriptors.table import DescriptorTable
from wasi_host.errors import BADF, INVAL, NOTCAPABLE, Stopped
from wasi_host.fs.node import Stream
from wasi_host.preview1.poll import PollCalls
from wasi_host.world.randomness import Randomness
from wasi_host.world.streams import BytesInput, Capture, HostStream
from wasi_spec.enums import Clockid, Eventtype, Filetype
from wasi_spec.flags import Eventrwflags, Subclockflags
from wasi_spec.records import Event, SubscriptionClock, SubscriptionFd
from wasi_spec.rights import ALL_RIGHTS, FILE_RIGHTS, STREAM_RIGHTS, Rights

REALTIME, MONOTONIC = int(Clockid.REALTIME), int(Clockid.MONOTONIC)
READ, WRITE = int(Eventtype.FD_READ), int(Eventtype.FD_WRITE)
ABSTIME = int(Subclockflags.SUBSCRIPTION_CLOCK_ABSTIME)
HANGUP = int(Eventrwflags.FD_READWRITE_HANGUP)
SECOND = 1_000_000_000


class World(PollCalls):
    """An instance's calls, with fakes around them."""

    __slots__ = ("owned",)

    def __init__(self):
        clocks = FakeClocks()
        super().__init__(DescriptorTable(), [], [], clocks, FakeScheduler(clocks), Randomness())
        self.owned = []

    def add(self, descriptor):
        return self.fds.insert(descriptor)

    def pipe(self):
        """Return the guest's numbers of a pipe's two ends."""
        numbers = []
        for number, fd in enumerate(os.pipe()):
            node = HostStream(
                fd,
                readable=not number,
                writable=bool(number),
                scheduler=self.scheduler,
                owned=True,
            )
            self.owned.append(node)
            numbers.append(self.add(standard_stream(node, number)))
        return numbers

    def host(self, fd):
        return self.fds[fd].fileno()

    def during_the_wait(self, action):
        self.scheduler.on_pause = lambda _: action()


@pytest.fixture
def world():
    world = World()
    yield world
    world.fds.close_all()
    for node in world.owned:
        node.close()
    world.scheduler.close()


def clock(timeout, id=MONOTONIC, flags=0, userdata=7, precision=0):
    return SubscriptionClock(userdata, id, timeout, precision, flags)


def on(fd, type=READ, userdata=9):
    return SubscriptionFd(userdata, type, fd)


def due(userdata=7):
    return Event(userdata, 0, int(Eventtype.CLOCK), 0, 0)


# ---- what fails the whole call


def test_no_subscriptions_are_invalid(world):
    with pytest.raises(INVAL):
        world.poll_oneoff([])


@pytest.mark.parametrize("id", [2, 3, 4, 2**32 - 1])
def test_a_clock_that_cannot_be_waited_for_is_invalid(world, id):
    with pytest.raises(INVAL):
        world.poll_oneoff([clock(0), clock(0, id=id)])
    assert world.scheduler.pauses == []


def test_an_unknown_clock_flag_is_invalid(world):
    with pytest.raises(INVAL):
        world.poll_oneoff([clock(0, flags=2)])


def directory(world):
    return world.add(DirectoryDescriptor(FakeDirectory({}), ALL_RIGHTS, ALL_RIGHTS, None, 0))


BAD = {
    "a number that is not open": lambda world: on(99),
    "the largest number": lambda world: on(2**32 - 1),
    "a directory to read": lambda world: on(directory(world)),
    "a directory to write": lambda world: on(directory(world), WRITE),
    "an output to read": lambda world: on(world.add(standard_stream(Capture(), 1))),
    "an input to write": lambda world: on(world.add(standard_stream(BytesInput(b"x"), 0)), WRITE),
    "a pipe's other end": lambda world: on(world.pipe()[1]),
    "a write-only file to read": lambda world: on(
        world.add(FileDescriptor(FakeFile(bytearray()), FILE_RIGHTS & ~2, ALL_RIGHTS))
    ),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_badf_fails_the_whole_call_at_once(world, make):
    bad = make(world)
    for subscriptions in ([bad], [clock(0), bad], [bad, clock(SECOND)]):
        with pytest.raises(BADF):
            world.poll_oneoff(subscriptions)
    assert world.scheduler.pauses == []


@pytest.mark.parametrize("dropped", [Rights.POLL_FD_READWRITE, Rights.FD_READ], ids=repr)
def test_a_missing_right_to_read_fails_the_whole_call(world, dropped):
    fd = world.add(standard_stream(BytesInput(b"x"), 0, ALL_RIGHTS & ~int(dropped)))
    with pytest.raises(NOTCAPABLE):
        world.poll_oneoff([clock(0), on(fd)])


@pytest.mark.parametrize("dropped", [Rights.POLL_FD_READWRITE, Rights.FD_WRITE], ids=repr)
def test_a_missing_right_to_write_fails_the_whole_call(world, dropped):
    fd = world.add(standard_stream(Capture(), 1, ALL_RIGHTS & ~int(dropped)))
    with pytest.raises(NOTCAPABLE):
        world.poll_oneoff([on(fd, WRITE), clock(0)])


def test_of_several_faults_inval_goes_before_badf_before_notcapable(world):
    withheld = on(world.add(standard_stream(BytesInput(b"x"), 0, 0)))
    with pytest.raises(NOTCAPABLE):
        world.poll_oneoff([withheld])
    with pytest.raises(BADF):
        world.poll_oneoff([withheld, on(99)])
    with pytest.raises(INVAL):
        world.poll_oneoff([withheld, on(99), clock(0, id=3)])


# ---- clocks


@pytest.mark.parametrize("id", [REALTIME, MONOTONIC], ids=["realtime", "monotonic"])
@pytest.mark.parametrize("timeout", [0, 1, 999_999, SECOND, 2**63, 2**64 - 1])
def test_a_relative_timeout_is_waited_for_exactly(world, id, timeout):
    before = world.clocks.monotonic()
    assert world.poll_oneoff([clock(timeout, id=id, precision=2**64 - 1)]) == [due()]
    assert world.clocks.monotonic() == before + timeout


@pytest.mark.parametrize("ahead", [1, SECOND, 2**64 - 1 - 1_000])
def test_an_absolute_monotonic_time_is_waited_for_exactly(world, ahead):
    moment = world.clocks.monotonic() + ahead
    assert world.poll_oneoff([clock(moment, flags=ABSTIME)]) == [due()]
    assert world.clocks.monotonic() == moment


@pytest.mark.parametrize("ahead", [1, SECOND, 90 * SECOND + 1])
def test_an_absolute_realtime_time_is_waited_for_exactly(world, ahead):
    moment = world.clocks.realtime() + ahead
    assert world.poll_oneoff([clock(moment, id=REALTIME, flags=ABSTIME)]) == [due()]
    assert world.clocks.realtime() == moment


@pytest.mark.parametrize("id", [REALTIME, MONOTONIC], ids=["realtime", "monotonic"])
@pytest.mark.parametrize("behind", [0, 1, 900])
def test_an_absolute_time_in_the_past_is_due_at_once(world, id, behind):
    moment = world.clocks.realtime() if id == REALTIME else world.clocks.monotonic()
    assert world.poll_oneoff([clock(moment - behind, id=id, flags=ABSTIME)]) == [due()]
    assert world.scheduler.pauses == []


def test_the_earliest_of_many_is_waited_for(world):
    before = world.clocks.monotonic()
    subscriptions = [
        clock(3 * SECOND, userdata=3),
        clock(before + SECOND, userdata=1, flags=ABSTIME),
        clock(2 * SECOND, userdata=2, id=REALTIME),
    ]
    assert world.poll_oneoff(subscriptions) == [due(1)]
    assert world.clocks.monotonic() == before + SECOND


def test_equal_times_are_all_due_whichever_way_they_were_given(world):
    subscriptions = [
        clock(5, userdata=1),
        clock(5, userdata=2, id=REALTIME),
        clock(world.clocks.monotonic() + 5, userdata=3, flags=ABSTIME),
        clock(world.clocks.realtime() + 5, userdata=4, id=REALTIME, flags=ABSTIME),
        clock(6, userdata=5),
    ]
    assert world.poll_oneoff(subscriptions) == [due(1), due(2), due(3), due(4)]


def test_setting_the_realtime_clock_ahead_ends_an_absolute_wait(world):
    def set_ahead():
        world.clocks.realtime_now += 3600 * SECOND

    world.during_the_wait(set_ahead)
    before = world.clocks.monotonic()
    moment = world.clocks.realtime() + 3600 * SECOND
    assert world.poll_oneoff([clock(moment, id=REALTIME, flags=ABSTIME)]) == [due()]
    assert world.clocks.monotonic() <= before + SECOND


def test_setting_the_realtime_clock_back_prolongs_an_absolute_wait(world):
    def set_back_once():
        if len(world.scheduler.pauses) == 1:
            world.clocks.realtime_now -= 10 * SECOND

    world.during_the_wait(set_back_once)
    before = world.clocks.monotonic()
    moment = world.clocks.realtime() + SECOND
    assert world.poll_oneoff([clock(moment, id=REALTIME, flags=ABSTIME)]) == [due()]
    assert world.clocks.monotonic() == before + 11 * SECOND


def test_setting_the_realtime_clock_does_not_change_how_long_a_relative_wait_is(world):
    def set_ahead():
        world.clocks.realtime_now += 3600 * SECOND

    world.during_the_wait(set_ahead)
    before = world.clocks.monotonic()
    assert world.poll_oneoff([clock(5 * SECOND, id=REALTIME)]) == [due()]
    assert world.clocks.monotonic() == before + 5 * SECOND


# ---- descriptors


def test_a_regular_file_is_ready_with_what_is_left_and_hung_up_at_its_end(world):
    fd = world.add(FileDescriptor(FakeFile(bytearray(b"hello")), FILE_RIGHTS, ALL_RIGHTS))
    assert world.poll_oneoff([on(fd)]) == [Event(9, 0, READ, 5, 0)]
    world.fds[fd].read(4)
    assert world.poll_oneoff([on(fd)]) == [Event(9, 0, READ, 1, 0)]
    world.fds[fd].read(4)
    assert world.poll_oneoff([on(fd)]) == [Event(9, 0, READ, 0, HANGUP)]


def test_a_redirected_file_is_ready_with_what_is_left(world, tmp_path):
    (tmp_path / "in").write_bytes(b"hello")
    host = os.open(tmp_path / "in", os.O_RDONLY)
    node = HostStream(host, readable=True, writable=False, scheduler=world.scheduler, owned=True)
    fd = world.add(standard_stream(node, 0))
    assert world.poll_oneoff([on(fd), clock(SECOND)]) == [Event(9, 0, READ, 5, 0)]
    os.lseek(host, 0, os.SEEK_END)
    assert world.poll_oneoff([on(fd)]) == [Event(9, 0, READ, 0, HANGUP)]


def test_outputs_are_writable_at_once(world):
    fds = [world.add(standard_stream(Capture(), 1)), world.pipe()[1]]
    events = world.poll_oneoff([on(fd, WRITE, userdata=fd) for fd in fds])
    assert [(event.userdata, event.type, event.flags) for event in events] == [
        (fds[0], WRITE, 0),
        (fds[1], WRITE, 0),
    ]
    assert all(event.nbytes >= 1 for event in events)


def test_an_empty_input_is_ready_and_at_its_end(world):
    fd = world.add(standard_stream(BytesInput(b""), 0))
    assert world.poll_oneoff([on(fd), clock(SECOND)]) == [Event(9, 0, READ, 0, HANGUP)]


def test_a_pipe_is_waited_for_and_tells_how_much_there_is(world):
    read, write = world.pipe()
    world.during_the_wait(lambda: os.write(world.host(write), b"abc"))
    assert world.poll_oneoff([on(read), clock(SECOND)]) == [Event(9, 0, READ, 3, 0)]


def test_a_pipe_without_a_writer_is_hung_up(world):
    read, write = world.pipe()
    world.during_the_wait(world.fds[write].close)
    assert world.poll_oneoff([on(read)]) == [Event(9, 0, READ, 0, HANGUP)]


def test_a_pipe_without_a_reader_is_writable_and_hung_up(world):
    read, write = world.pipe()
    world.fds[read].close()
    (event,) = world.poll_oneoff([on(write, WRITE)])
    assert (event.error, event.type, event.flags) == (0, WRITE, HANGUP)


def test_a_silent_pipe_leaves_the_clock(world):
    read, _ = world.pipe()
    before = world.clocks.monotonic()
    assert world.poll_oneoff([on(read), clock(SECOND)]) == [due()]
    assert world.clocks.monotonic() == before + SECOND


def test_a_pipe_alone_is_waited_for_without_end(world):
    read, _ = world.pipe()
    with pytest.raises(WouldWaitForever):
        world.poll_oneoff([on(read)])


def test_what_is_ready_at_once_does_not_hide_what_else_is_ready_or_due(world):
    read, write = world.pipe()
    silent, _ = world.pipe()
    os.write(world.host(write), b"abc")
    memory = world.add(standard_stream(BytesInput(b"hello"), 0))
    subscriptions = [
        on(silent, userdata=1),
        clock(0, userdata=2),
        on(read, userdata=3),
        clock(SECOND, userdata=4),
        on(memory, userdata=5),
    ]
    events = world.poll_oneoff(subscriptions)
    assert events == [due(2), Event(3, 0, READ, 3, 0), Event(5, 0, READ, 5, 0)]
    assert world.scheduler.pauses == []


def test_one_userdata_given_twice_makes_two_events(world):
    memory = world.add(standard_stream(BytesInput(b"x"), 0))
    assert world.poll_oneoff([on(memory), on(memory)]) == [Event(9, 0, READ, 1, 0)] * 2
    assert world.poll_oneoff([clock(1), clock(1)]) == [due(), due()]


def test_one_pipe_subscribed_to_twice_makes_two_events(world):
    read, write = world.pipe()
    world.during_the_wait(lambda: os.write(world.host(write), b"abc"))
    assert world.poll_oneoff([on(read), on(read)]) == [Event(9, 0, READ, 3, 0)] * 2


def test_one_descriptor_can_be_waited_for_in_both_directions(world, tmp_path):
    fd = world.add(FileDescriptor(FakeFile(bytearray(b"hello")), FILE_RIGHTS, ALL_RIGHTS))
    events = world.poll_oneoff([on(fd, READ), on(fd, WRITE)])
    assert [event.type for event in events] == [READ, WRITE]


def test_userdata_comes_back_unchanged(world):
    assert world.poll_oneoff([clock(0, userdata=2**64 - 1)]) == [due(2**64 - 1)]


class OnlyByWaiting(Stream):
    """A foreign stream that leaves the question of readiness to its descriptor."""

    filetype = int(Filetype.UNKNOWN)
    readonly = False

    def __init__(self, fd):
        self.fd = fd

    def stat(self):
        return (0, 0, 0, 0, 0, 0, 0, 0)

    def read(self, size):
        return os.read(self.fd, size)

    def write(self, data):
        return os.write(self.fd, data)

    def read_ready(self):
        return None

    def fileno(self):
        return self.fd


def test_a_stream_that_only_knows_by_waiting_is_ready_when_its_descriptor_is(world):
    read, write = world.pipe()
    node = OnlyByWaiting(world.host(read))
    fd = world.add(StreamDescriptor(node, STREAM_RIGHTS, ALL_RIGHTS))
    assert world.poll_oneoff([on(fd), clock(SECOND)]) == [due()]
    os.write(world.host(write), b"abc")
    assert world.poll_oneoff([on(fd), clock(SECOND)]) == [Event(9, 0, READ, 1, 0)]
    world.fds[write].close()
    assert world.poll_oneoff([on(fd), clock(SECOND)]) == [Event(9, 0, READ, 1, HANGUP)]


# ---- being stopped


def test_a_poll_is_stopped_while_it_waits(world):
    read, _ = world.pipe()
    world.during_the_wait(lambda: world.scheduler.stop("timeout"))
    with pytest.raises(Stopped):
        world.poll_oneoff([on(read), clock(2**64 - 1)])


@pytest.mark.parametrize("timeout", [0, SECOND])
def test_a_poll_of_a_stopped_run_stops_even_where_nothing_is_waited_for(world, timeout):
    world.scheduler.stop("timeout")
    with pytest.raises(Stopped):
        world.poll_oneoff([clock(timeout)])


def test_no_more_events_than_subscriptions_and_at_least_one(world):
    memory = world.add(standard_stream(BytesInput(b"x"), 0))
    for count in (1, 2, 50):
        subscriptions = [on(memory), clock(0)] * count
        assert len(world.poll_oneoff(subscriptions)) == 2 * count
