import errno
import os

import pytest

from wasi_host.descriptors.base import FD_FDSTAT_SET_FLAGS, FD_FILESTAT_GET, FD_READ, FD_WRITE
from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor, standard_stream
from wasi_host.errors import BADF, INVAL, NOTCAPABLE, NOTDIR, NOTSOCK, SPIPE
from wasi_host.fs.node import Stream
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_host.world.streams import BytesInput, Capture, HostStream, Null
from wasi_spec.enums import Filetype
from wasi_spec.flags import Eventrwflags, Fdflags
from wasi_spec.rights import ALL_RIGHTS, STREAM_RIGHTS, Rights

HANGUP = int(Eventrwflags.FD_READWRITE_HANGUP)


@pytest.fixture
def stdin():
    return standard_stream(BytesInput(b"hello"), 0)


def captured():
    return standard_stream(Capture(), 1)


def other_output():
    return standard_stream(Null(), 1)


@pytest.fixture(params=[captured, other_output])
def stdout(request):
    return request.param()


@pytest.fixture
def host_pipe():
    ends = os.pipe()
    scheduler = Scheduler(Clocks())
    nodes = [
        HostStream(ends[0], readable=True, writable=False, scheduler=scheduler, owned=True),
        HostStream(ends[1], readable=False, writable=True, scheduler=scheduler, owned=True),
    ]
    yield [standard_stream(node, number) for number, node in enumerate(nodes)]
    for node in nodes:
        node.close()


def test_an_input_is_read(stdin):
    assert [stdin.read(3), stdin.read(0), stdin.read(3), stdin.read(3)] == [b"hel", b"", b"lo", b""]


def test_captured_output_goes_straight_into_the_capture():
    capture = Capture(4)
    stdout = standard_stream(capture, 1)
    assert type(stdout) is CapturedOutput
    assert [stdout.write(data) for data in (b"ab", b"", memoryview(b"cde"), b"f")] == [2, 0, 3, 1]
    assert capture.getvalue() == b"abcd"
    assert capture.truncated


WRONG_FOR_ALL = {
    "seek": (lambda d: d.seek(0, 0), SPIPE),
    "tell": (lambda d: d.tell(), SPIPE),
    "advise": (lambda d: d.advise(0, 0, 0), BADF),
    "allocate": (lambda d: d.allocate(0, 1), BADF),
    "sync": (lambda d: d.sync(), BADF),
    "datasync": (lambda d: d.datasync(), BADF),
    "set_size": (lambda d: d.set_size(0), BADF),
    "set_times": (lambda d: d.set_times(0, 0), BADF),
    "readdir": (lambda d: d.readdir(100, 0), BADF),
    "a path below it": (lambda d: d.directory(0), BADF),
    "opening below it": (lambda d: d.directory_to_open_in(0), BADF),
    "prestat": (lambda d: d.prestat(), BADF),
    "prestat_dir_name": (lambda d: d.prestat_dir_name(), NOTDIR),
    "accept": (lambda d: d.accept(0), NOTSOCK),
    "recv": (lambda d: d.recv(1, 0), NOTSOCK),
    "send": (lambda d: d.send(b"x", 0), NOTSOCK),
    "shutdown": (lambda d: d.shutdown(1), NOTSOCK),
}


@pytest.mark.parametrize(("call", "error"), WRONG_FOR_ALL.values(), ids=WRONG_FOR_ALL)
def test_a_stream_is_the_wrong_kind_for(call, error, stdin, stdout):
    for descriptor in (stdin, stdout):
        with pytest.raises(error):
            call(descriptor)


WRONG_DIRECTION = {
    "reading an output": (1, lambda d: d.read(1), BADF),
    "reading nothing from an output": (1, lambda d: d.read(0), BADF),
    "writing an input": (0, lambda d: d.write(b"x"), BADF),
    "writing nothing to an input": (0, lambda d: d.write(b""), BADF),
    "reading an input at an offset": (0, lambda d: d.pread(1, 0), SPIPE),
    "reading an output at an offset": (1, lambda d: d.pread(1, 0), BADF),
    "writing an output at an offset": (1, lambda d: d.pwrite(b"x", 0), SPIPE),
    "writing an input at an offset": (0, lambda d: d.pwrite(b"x", 0), BADF),
    "waiting to read an output": (1, lambda d: d.poll_read(), BADF),
    "waiting to write an input": (0, lambda d: d.poll_write(), BADF),
}


@pytest.mark.parametrize(("number", "call", "error"), WRONG_DIRECTION.values(), ids=WRONG_DIRECTION)
def test_the_direction_matters_for(number, call, error, stdin, stdout):
    with pytest.raises(error):
        call(stdout if number else stdin)


def test_the_rights_are_those_of_the_direction(stdin, stdout):
    common = Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_FILESTAT_GET | Rights.POLL_FD_READWRITE
    assert stdin.fdstat() == (Filetype.UNKNOWN, 0, common | Rights.FD_READ, 0)
    assert stdout.fdstat() == (Filetype.UNKNOWN, 0, common | Rights.FD_WRITE, 0)


RIGHTS = {
    "reading": (0, Rights.FD_READ, lambda d: d.read(1)),
    "reading nothing": (0, Rights.FD_READ, lambda d: d.read(0)),
    "writing": (1, Rights.FD_WRITE, lambda d: d.write(b"x")),
    "attributes": (1, Rights.FD_FILESTAT_GET, lambda d: d.filestat()),
    "flags": (1, Rights.FD_FDSTAT_SET_FLAGS, lambda d: d.set_flags(0)),
    "waiting to read": (0, Rights.POLL_FD_READWRITE, lambda d: d.poll_read()),
    "waiting to read, without reading": (0, Rights.FD_READ, lambda d: d.poll_read()),
    "waiting to write": (1, Rights.POLL_FD_READWRITE, lambda d: d.poll_write()),
    "waiting to write, without writing": (1, Rights.FD_WRITE, lambda d: d.poll_write()),
}


@pytest.mark.parametrize("make", [captured, other_output])
@pytest.mark.parametrize("how", ["withheld", "dropped"])
@pytest.mark.parametrize(("number", "right", "call"), RIGHTS.values(), ids=RIGHTS)
def test_a_missing_right_is_notcapable(number, right, call, how, make):
    rest = ALL_RIGHTS & ~int(right)
    node = make().node if number else BytesInput(b"hello")
    descriptor = standard_stream(node, number, rest if how == "withheld" else ALL_RIGHTS)
    if how == "dropped":
        call(descriptor)
        descriptor.set_rights(descriptor.rights_base & rest, 0)
    with pytest.raises(NOTCAPABLE):
        call(descriptor)


def test_attributes_are_all_zero_but_the_kind(stdin, stdout):
    for descriptor in (stdin, stdout):
        assert descriptor.filestat() == (0, 0, Filetype.UNKNOWN, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("flags", [0, Fdflags.NONBLOCK, Fdflags.APPEND, 5], ids=repr)
def test_append_and_nonblock_can_be_set_and_show(stdin, stdout, flags):
    for descriptor in (stdin, stdout):
        descriptor.set_flags(int(flags))
        assert descriptor.fdstat()[1] == flags


@pytest.mark.parametrize("flag", [Fdflags.DSYNC, Fdflags.RSYNC, Fdflags.SYNC], ids=repr)
def test_the_sync_flags_cannot_change(stdout, flag):
    with pytest.raises(INVAL):
        stdout.set_flags(int(flag))
    assert stdout.fdflags == 0


def test_nonblock_reaches_the_host_descriptor_and_goes_away_again(host_pipe):
    source, _ = host_pipe
    source.set_flags(int(Fdflags.NONBLOCK))
    with pytest.raises(BlockingIOError) as caught:
        source.read(1)
    assert caught.value.errno == errno.EAGAIN
    source.set_flags(0)
    assert not source.node.nonblock


def test_a_stream_opened_with_nonblock_never_waits(host_pipe):
    node = host_pipe[0].node
    opened = StreamDescriptor(node, STREAM_RIGHTS, STREAM_RIGHTS, 0, int(Fdflags.NONBLOCK))
    with pytest.raises(BlockingIOError):
        opened.read(1)


def test_an_input_in_memory_is_ready_with_what_is_left_and_hung_up_at_the_end(stdin):
    assert stdin.poll_read() == (5, 0)
    stdin.read(5)
    assert stdin.poll_read() == (0, HANGUP)


def test_an_output_in_memory_is_ready(stdout):
    nbytes, flags = stdout.poll_write()
    assert nbytes >= 1
    assert flags == 0


def test_a_pipe_that_is_not_ready_gives_its_descriptor_to_wait_on(host_pipe):
    source, sink = host_pipe
    assert source.poll_read() is None
    assert source.fileno() == source.node.fileno()
    sink.write(b"abc")
    assert source.poll_read() == (3, 0)
    sink.close()
    assert source.poll_read() == (3, HANGUP)
    source.read(3)
    assert source.poll_read() == (0, HANGUP)


class Silent(Stream):
    """A foreign stream that only says it is not ready."""

    filetype = int(Filetype.UNKNOWN)
    readonly = False

    def stat(self):
        return (0, 0, 0, 0, 0, 0, 0, 0)

    def read(self, size):
        return b""

    def write(self, data):
        return 0

    def read_ready(self):
        return False

    def write_ready(self):
        return None


def test_a_stream_with_nothing_to_wait_on_counts_as_ready():
    descriptor = StreamDescriptor(Silent(), STREAM_RIGHTS, STREAM_RIGHTS)
    assert descriptor.poll_read() == (1, 0)
    assert descriptor.poll_write() == (1, 0)


def test_a_stream_for_both_directions_is_read_and_written():
    descriptor = StreamDescriptor(Null(), STREAM_RIGHTS, ALL_RIGHTS)
    assert descriptor.read(3) == b""
    assert descriptor.write(b"abc") == 3
    assert descriptor.rights_base & (FD_READ | FD_WRITE) == FD_READ | FD_WRITE


def test_close_closes_the_stream_and_twice_is_harmless(host_pipe):
    for descriptor in host_pipe:
        fd = descriptor.fileno()
        descriptor.close()
        descriptor.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_the_embedders_grant_masks_the_rights():
    descriptor = standard_stream(Capture(), 1, FD_WRITE)
    assert descriptor.rights_base == FD_WRITE
    assert not descriptor.rights_base & (FD_FILESTAT_GET | FD_FDSTAT_SET_FLAGS)
