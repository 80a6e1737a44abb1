import errno
import os
import pty
import select

import pytest

from tests.world.fakes import FakeScheduler, WouldWaitForever, errno_of, fill, is_open
from wasi_host.errors import Stopped
from wasi_host.world import streams as module
from wasi_host.world.streams import BytesInput, Capture, Closed, HostStream, Null
from wasi_spec.enums import Filetype


@pytest.fixture
def scheduler():
    scheduler = FakeScheduler()
    yield scheduler
    scheduler.close()


@pytest.fixture
def source(scheduler):
    return lambda fd, **kw: HostStream(fd, readable=True, writable=False, scheduler=scheduler, **kw)


@pytest.fixture
def sink(scheduler):
    return lambda fd, **kw: HostStream(fd, readable=False, writable=True, scheduler=scheduler, **kw)


# ---- bytes, nothing, captured output


def test_bytes_are_read_in_pieces_to_the_end():
    stream = BytesInput(b"hello")
    assert [stream.read(2) for _ in range(5)] == [b"he", b"ll", b"o", b"", b""]


def test_bytes_tell_what_is_left_and_are_gone_at_the_end():
    stream = BytesInput(b"hello")
    assert stream.readable() == (5, False)
    stream.read(4)
    assert stream.readable() == (1, False)
    stream.read(4)
    assert stream.readable() == (0, True)
    assert stream.read_ready()


def test_an_input_takes_nothing_and_an_output_gives_nothing():
    assert errno_of(BytesInput(b"").write, b"x") == errno.EBADF
    assert errno_of(Capture().read, 1) == errno.EBADF


def test_nothing_reads_as_empty_and_takes_everything():
    assert Null().read(10) == b""
    assert Null().write(b"abc") == 3
    assert Null().readable() == (0, True)


def test_a_stream_the_host_does_not_have_is_closed_to_the_guest():
    assert errno_of(Closed().read, 1) == errno.EBADF
    assert errno_of(Closed().write, b"x") == errno.EBADF


def test_captured_output_is_what_was_written():
    capture = Capture()
    assert capture.write(b"ab") == 2
    assert capture.write(memoryview(b"xcdx")[1:3]) == 2
    assert capture.getvalue() == b"abcd"
    assert not capture.truncated


def test_captured_output_keeps_no_view_of_the_guests_memory():
    memory = bytearray(b"before")
    view = memoryview(memory)
    capture = Capture()
    capture.write(view)
    memory[:] = b"after!"
    view.release()
    memory.append(0)
    assert capture.getvalue() == b"before"


def test_captured_output_over_the_limit_keeps_the_head_and_takes_the_rest():
    capture = Capture(5)
    assert [capture.write(data) for data in (b"abc", b"defg", b"h")] == [3, 4, 1]
    assert capture.getvalue() == b"abcde"
    assert capture.truncated


def test_captured_output_of_exactly_the_limit_is_whole():
    capture = Capture(5)
    capture.write(b"abcde")
    assert not capture.truncated
    capture.write(b"")
    assert not capture.truncated
    capture.write(b"f")
    assert capture.truncated


def test_many_tiny_writes_take_no_more_memory_than_their_bytes():
    capture = Capture(100_000)
    for _ in range(200_000):
        capture.write(b"x")
    assert len(capture.getvalue()) == 100_000
    assert capture.buffer.__sizeof__() < 150_000


@pytest.mark.parametrize(
    "stream",
    [Null(), BytesInput(b"abc"), Capture(), Closed()],
    ids=lambda stream: type(stream).__name__,
)
def test_attributes_are_all_zero_but_the_kind(stream):
    assert stream.stat() == (0, 0, int(Filetype.UNKNOWN), 0, 0, 0, 0, 0)


# ---- kinds of host descriptors


def test_a_terminal_is_a_character_device(source):
    ends = pty.openpty()
    try:
        stream = source(ends[1])
        assert stream.filetype == Filetype.CHARACTER_DEVICE
        assert stream.stat() == (0, 0, int(Filetype.CHARACTER_DEVICE), 0, 0, 0, 0, 0)
    finally:
        for end in ends:
            os.close(end)


def test_everything_else_is_unknown(source, pipe, sockets, tmp_path):
    null = os.open(os.devnull, os.O_RDONLY)
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    for fd in (pipe[0], sockets[0].fileno(), null, file):
        assert source(fd).filetype == Filetype.UNKNOWN
    os.close(null)
    os.close(file)


def test_a_closed_descriptor_is_refused(source, pipe):
    os.close(pipe[0])
    assert errno_of(source, pipe[0]) == errno.EBADF


def test_a_descriptor_keeps_its_own_mode(source, sink, pipe):
    source(pipe[0]).read_ready()
    sink(pipe[1]).write(b"x")
    assert os.get_blocking(pipe[0])
    assert os.get_blocking(pipe[1])


def test_a_given_descriptor_stays_open_and_an_owned_one_is_closed(source, sink, pipe):
    given, owned = source(pipe[0]), sink(pipe[1], owned=True)
    for stream in (given, owned, given, owned):
        stream.close()
    assert is_open(pipe[0])
    assert not is_open(pipe[1])


def test_a_closed_stream_never_uses_the_number_again(source, sink, pipe):
    stream, output = source(pipe[0]), sink(pipe[1], owned=True)
    stream.close()
    output.close()
    assert errno_of(stream.read, 1) == errno.EBADF
    assert errno_of(output.write, b"x") == errno.EBADF


@pytest.mark.parametrize("owned", [True, False])
def test_a_duplicate_is_closed_separately(sink, pipe, owned):
    stream = sink(pipe[1], owned=owned)
    other = stream.duplicate()
    stream.close()
    assert other.write(b"x") == 1
    assert os.read(pipe[0], 9) == b"x"
    other.close()


# ---- reading


def test_a_read_gets_what_is_there(source, pipe):
    os.write(pipe[1], b"hello")
    stream = source(pipe[0])
    assert stream.read(3) == b"hel"
    assert stream.read(100) == b"lo"


def test_a_read_of_nothing_does_not_wait(source, pipe):
    assert source(pipe[0]).read(0) == b""


def test_a_read_waits_until_there_is_something(source, scheduler, pipe):
    scheduler.on_pause = lambda _: os.write(pipe[1], b"late")
    assert source(pipe[0]).read(10) == b"late"


def test_a_read_that_would_wait_forever_waits(source, pipe):
    with pytest.raises(WouldWaitForever):
        source(pipe[0]).read(10)


def test_a_waiting_read_is_stopped(source, scheduler, pipe):
    scheduler.on_pause = lambda scheduler: scheduler.stop("timeout")
    with pytest.raises(Stopped):
        source(pipe[0]).read(10)


def test_a_read_of_a_stopped_run_takes_nothing(source, scheduler, pipe):
    os.write(pipe[1], b"x")
    scheduler.stop("timeout")
    with pytest.raises(Stopped):
        source(pipe[0]).read(10)
    assert os.read(pipe[0], 9) == b"x"


def test_a_read_without_a_writer_is_the_end(source, pipe):
    os.close(pipe[1])
    assert source(pipe[0]).read(10) == b""


def test_a_read_that_may_not_wait_is_again(source, pipe):
    stream = source(pipe[0])
    stream.nonblock = True
    assert errno_of(stream.read, 10) == errno.EAGAIN
    os.write(pipe[1], b"x")
    assert stream.read(10) == b"x"


def test_a_descriptor_others_made_nonblocking_is_waited_for_all_the_same(
    source, scheduler, pipe, monkeypatch
):
    os.set_blocking(pipe[0], False)
    os.write(pipe[1], b"x")
    stream = source(pipe[0])
    read = os.read

    def stolen(fd, size):
        # Somebody else reads between our look and our read.
        monkeypatch.setattr(module, "os_read", read)
        read(fd, size)
        return read(fd, size)

    monkeypatch.setattr(module, "os_read", stolen)
    scheduler.on_pause = lambda _: os.write(pipe[1], b"y")
    assert stream.read(10) == b"y"


def test_a_read_asks_the_host_for_bounded_memory_only(source, pipe, monkeypatch):
    asked = []

    def read(fd, size):
        asked.append(size)
        return b"x"

    monkeypatch.setattr(module, "os_read", read)
    os.write(pipe[1], b"x")
    source(pipe[0]).read(1 << 31)
    assert asked == [1 << 20]


def test_a_file_is_read_at_the_position_it_shares_with_the_embedder(source, tmp_path):
    (tmp_path / "file").write_bytes(b"hello world")
    with open(tmp_path / "file", "rb", buffering=0) as file:
        file.read(6)
        stream = source(file.fileno())
        assert stream.readable() == (5, False)
        assert stream.read(3) == b"wor"
        assert file.read() == b"ld"
        assert stream.readable() == (0, True)
        assert stream.read(3) == b""


def test_the_null_device_is_at_its_end_and_never_looked_at(source, scheduler):
    with open(os.devnull, "rb", buffering=0) as null:
        stream = source(null.fileno())
        assert stream.read_ready()
        assert stream.readable() == (0, True)
        assert stream.read(3) == b""
    assert scheduler.pauses == []


def test_a_pipe_tells_how_much_waits_in_it(source, pipe):
    stream = source(pipe[0])
    assert not stream.read_ready()
    os.write(pipe[1], b"12345")
    assert stream.read_ready()
    assert stream.readable() == (5, False)
    os.close(pipe[1])
    assert stream.readable() == (5, True)
    stream.read(5)
    assert stream.readable() == (0, True)


def test_a_socket_whose_peer_sends_no_more_is_at_its_end(source, sockets):
    stream = source(sockets[0].fileno())
    assert not stream.read_ready()
    sockets[1].shutdown(1)
    assert stream.read_ready()
    assert stream.readable() == (0, True)


# ---- writing


def test_a_write_waits_until_there_is_room(sink, scheduler, pipe):
    taken = fill(pipe[1])
    scheduler.on_pause = lambda _: os.read(pipe[0], taken)
    assert sink(pipe[1]).write(b"hello") == 5
    assert os.read(pipe[0], 100) == b"hello"


def test_a_long_write_is_written_whole_in_pieces_a_pipe_can_take(
    sink, scheduler, pipe, monkeypatch
):
    sizes = []
    write = os.write

    def measured(fd, data):
        sizes.append(len(data))
        return write(fd, data)

    monkeypatch.setattr(module, "os_write", measured)
    read = []
    scheduler.on_pause = lambda _: read.append(os.read(pipe[0], 1 << 20))
    data = bytes(range(256)) * 1024
    assert sink(pipe[1]).write(data) == len(data)
    read.append(os.read(pipe[0], 1 << 20))
    assert b"".join(read) == data
    assert max(sizes) == select.PIPE_BUF


def test_a_write_to_a_nearly_full_pipe_never_blocks_in_the_host(sink, pipe):
    # With room for one byte less than PIPE_BUF the host would block in a write of PIPE_BUF.
    fill(pipe[1])
    os.read(pipe[0], select.PIPE_BUF - 1)
    with pytest.raises(WouldWaitForever):
        sink(pipe[1]).write(b"x" * 100_000)


def test_a_waiting_write_is_stopped(sink, scheduler, pipe):
    fill(pipe[1])
    scheduler.on_pause = lambda scheduler: scheduler.stop("timeout")
    with pytest.raises(Stopped):
        sink(pipe[1]).write(b"x")


def test_a_write_that_may_not_wait_is_short_and_then_again(sink, pipe):
    stream = sink(pipe[1])
    stream.nonblock = True
    data = b"x" * (1 << 21)
    taken = stream.write(data)
    assert 0 < taken < len(data)
    assert errno_of(stream.write, data) == errno.EAGAIN
    assert not stream.write_ready()


def test_a_write_to_a_pipe_others_made_nonblocking_waits_all_the_same(sink, scheduler, pipe):
    taken = fill(pipe[1])
    os.set_blocking(pipe[1], False)
    scheduler.on_pause = lambda _: os.read(pipe[0], taken)
    assert sink(pipe[1]).write(b"x" * 10_000) == 10_000


def test_writing_without_a_reader_is_a_broken_pipe_each_time(sink, pipe):
    os.close(pipe[0])
    stream = sink(pipe[1])
    assert [errno_of(stream.write, b"x") for _ in range(3)] == [errno.EPIPE] * 3
    assert stream.write_ready()
    assert stream.writable()[1]


def test_a_reader_that_leaves_midway_leaves_a_short_write_and_then_a_broken_pipe(
    sink, scheduler, pipe
):
    scheduler.on_pause = lambda _: os.close(pipe[0])
    stream = sink(pipe[1])
    data = b"x" * (1 << 21)
    assert 0 < stream.write(data) < len(data)
    scheduler.on_pause = None
    assert errno_of(stream.write, data) == errno.EPIPE


def test_a_full_disk_is_nospc(sink):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb", buffering=0) as full:
        assert errno_of(sink(full.fileno()).write, b"x") == errno.ENOSPC


def test_a_short_write_of_the_host_is_reported_as_such(sink, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "os_write", lambda fd, data: 3)
    with open(tmp_path / "file", "wb", buffering=0) as file:
        assert sink(file.fileno()).write(b"hello") == 3


def test_a_file_is_written_at_the_position_it_shares_with_the_embedder(sink, tmp_path):
    with open(tmp_path / "file", "wb", buffering=0) as file:
        stream = sink(file.fileno())
        file.write(b"one ")
        stream.write(b"two ")
        file.write(b"three")
    assert (tmp_path / "file").read_bytes() == b"one two three"
