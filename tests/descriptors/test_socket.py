import socket

import pytest

from tests.world.fakes import FakeScheduler, errno_of
from wasi_host.descriptors.base import (
    APPEND,
    FD_FDSTAT_SET_FLAGS,
    FD_FILESTAT_GET,
    FD_READ,
    FD_WRITE,
    NONBLOCK,
    POLL_FD_READWRITE,
)
from wasi_host.descriptors.socket import SOCK_ACCEPT, SOCK_SHUTDOWN, SocketDescriptor
from wasi_host.errors import BADF, INVAL, NOTCAPABLE, NOTCONN, NOTDIR, SPIPE
from wasi_host.world.sockets import open_socket
from wasi_spec.enums import Filetype
from wasi_spec.flags import Fdflags, Riflags, Roflags
from wasi_spec.rights import ALL_RIGHTS, SOCKET_RIGHTS

PEEK, WAITALL = int(Riflags.RECV_PEEK), int(Riflags.RECV_WAITALL)
RD, WR, BOTH = 1, 2, 3
HANGUP = 1


@pytest.fixture
def made():
    """Makes descriptors; closed at the end."""
    scheduler = FakeScheduler()
    descriptors = []

    def make(source, rights=ALL_RIGHTS, inheriting=SOCKET_RIGHTS):
        descriptors.append(SocketDescriptor(open_socket(source, scheduler), rights, inheriting))
        return descriptors[-1]

    yield make
    for descriptor in descriptors:
        descriptor.close()
    scheduler.close()


@pytest.fixture
def pair(made):
    """A connected socket as a descriptor, and its peer."""
    a, b = socket.socketpair()
    with a, b:
        yield made(a), b


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def listener(made, server):
    return made(server)


def test_the_fdstat_of_a_stream_socket(pair, listener):
    expected = (Filetype.SOCKET_STREAM, 0, SOCKET_RIGHTS, SOCKET_RIGHTS)
    assert pair[0].fdstat() == expected
    assert listener.fdstat() == expected


def test_the_filestat_is_all_zero_but_the_kind(pair):
    assert pair[0].filestat() == (0, 0, Filetype.SOCKET_STREAM, 0, 0, 0, 0, 0)


def test_a_connected_socket_is_read_and_written(pair):
    mine, peer = pair
    assert mine.write(b"ping") == 4
    assert peer.recv(10) == b"ping"
    peer.send(b"pong")
    assert mine.read(10) == b"pong"
    buffers = [memoryview(bytearray(2)), memoryview(bytearray(5))]
    peer.send(b"pong")
    assert mine.readinto(buffers) == 4
    assert [bytes(buffer) for buffer in buffers] == [b"po", b"ng\0\0\0"]


def test_no_bytes_are_read_and_written_at_once(pair):
    assert pair[0].read(0) == b""
    assert pair[0].write(b"") == 0
    assert pair[0].recv(0, 0) == (b"", 0)


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("seek", (0, 0), SPIPE),
        ("tell", (), SPIPE),
        ("pread", (1, 0), SPIPE),
        ("pwrite", (b"x", 0), SPIPE),
        ("sync", (), BADF),
        ("datasync", (), BADF),
        ("advise", (0, 0, 0), BADF),
        ("allocate", (0, 1), BADF),
        ("set_size", (0,), BADF),
        ("set_times", (0, 0), BADF),
        ("readdir", (100, 0), BADF),
        ("directory", (0,), BADF),
        ("prestat", (), BADF),
        ("prestat_dir_name", (), NOTDIR),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_no_socket_can(pair, listener, name, arguments, error):
    for descriptor in (pair[0], listener):
        with pytest.raises(error):
            getattr(descriptor, name)(*arguments)


@pytest.mark.parametrize(
    ("right", "call"),
    [
        (FD_READ, lambda d: d.read(1)),
        (FD_READ, lambda d: d.recv(1, 0)),
        (FD_WRITE, lambda d: d.write(b"x")),
        (FD_WRITE, lambda d: d.send(b"x", 0)),
        (SOCK_SHUTDOWN, lambda d: d.shutdown(BOTH)),
        (POLL_FD_READWRITE, lambda d: d.poll_read()),
        (FD_READ, lambda d: d.poll_read()),
        (POLL_FD_READWRITE, lambda d: d.poll_write()),
        (FD_WRITE, lambda d: d.poll_write()),
        (FD_FDSTAT_SET_FLAGS, lambda d: d.set_flags(NONBLOCK)),
        (FD_FILESTAT_GET, lambda d: d.filestat()),
    ],
    ids=[
        *("read", "recv", "write", "send", "shutdown", "poll read", "poll read without FD_READ"),
        *("poll write", "poll write without FD_WRITE", "set flags", "filestat"),
    ],
)
def test_without_its_right_a_call_is_notcapable_and_does_nothing(pair, right, call):
    mine, peer = pair
    peer.send(b"there")
    mine.set_rights(SOCKET_RIGHTS & ~right, 0)
    with pytest.raises(NOTCAPABLE):
        call(mine)
    mine.rights_base = SOCKET_RIGHTS
    assert mine.read(10) == b"there"
    assert mine.fdflags == 0
    mine.write(b"still open")
    assert peer.recv(20) == b"still open"


def test_accepting_without_its_right_is_notcapable(listener):
    listener.set_rights(SOCKET_RIGHTS & ~SOCK_ACCEPT, SOCKET_RIGHTS)
    with pytest.raises(NOTCAPABLE):
        listener.check_accept(0)
    with pytest.raises(NOTCAPABLE):
        listener.accept(0)


# Accepting.


def test_an_accepted_connection_has_the_inheriting_rights_and_works(made, server):
    listener = made(server, inheriting=SOCKET_RIGHTS & ~SOCK_SHUTDOWN)
    with socket.create_connection(server.getsockname()) as client:
        connection = listener.accept(0)
        assert connection.fdstat() == (
            Filetype.SOCKET_STREAM,
            0,
            SOCKET_RIGHTS & ~SOCK_SHUTDOWN,
            0,
        )
        connection.write(b"hello")
        assert client.recv(10) == b"hello"
        connection.close()
        assert client.recv(10) == b""


def test_the_flag_of_accept_is_the_connections(listener, server):
    with socket.create_connection(server.getsockname()):
        connection = listener.accept(NONBLOCK)
        assert connection.fdflags == NONBLOCK
        assert connection.node.nonblock
        assert not listener.node.nonblock
        connection.close()


@pytest.mark.parametrize(
    "flags", [APPEND, int(Fdflags.DSYNC), int(Fdflags.RSYNC), int(Fdflags.SYNC), NONBLOCK | APPEND]
)
def test_accepting_with_another_flag_is_inval(listener, flags):
    with pytest.raises(INVAL):
        listener.check_accept(flags)


def test_accepting_on_a_connected_socket_is_inval(pair):
    with pytest.raises(INVAL):
        pair[0].check_accept(0)


def test_accepting_with_nobody_there_and_nonblock_set_is_eagain(listener):
    listener.set_flags(NONBLOCK)
    assert isinstance(_failure(listener.accept, 0), BlockingIOError)


def _failure(call, *arguments):
    with pytest.raises(OSError) as caught:  # noqa: PT011  its kind is what is returned
        call(*arguments)
    return caught.value


# Receiving and sending.


def test_recv_peeks_and_waits_for_all(pair):
    mine, peer = pair
    peer.send(b"hello")
    assert mine.recv(3, PEEK) == (b"hel", 0)
    assert mine.recv(5, WAITALL) == (b"hello", 0)


def test_recv_of_a_cut_datagram_says_so(made):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        mine = made(a)
        assert mine.fdstat()[0] == Filetype.SOCKET_DGRAM
        b.send(b"0123456789")
        assert mine.recv(4, PEEK) == (b"0123", Roflags.RECV_DATA_TRUNCATED)
        assert mine.recv(4, 0) == (b"0123", Roflags.RECV_DATA_TRUNCATED)
        assert mine.send(b"back", 0) == 4
        assert b.recv(10) == b"back"


@pytest.mark.parametrize("flags", [4, PEEK | 8, 1 << 15])
def test_recv_with_an_undefined_flag_is_inval(pair, flags):
    pair[1].send(b"x")
    with pytest.raises(INVAL):
        pair[0].recv(1, flags)


@pytest.mark.parametrize("flags", [1, 2, 1 << 15])
def test_send_with_any_flag_is_inval(pair, flags):
    with pytest.raises(INVAL):
        pair[0].send(b"x", flags)


def test_a_listener_is_not_connected(listener):
    with pytest.raises(NOTCONN):
        listener.recv(1, 0)
    with pytest.raises(NOTCONN):
        listener.shutdown(BOTH)
    assert errno_of(listener.read, 1) is not None


def test_nonblock_can_be_set_and_taken_back(pair):
    mine, peer = pair
    mine.set_flags(NONBLOCK)
    assert mine.fdstat()[1] == NONBLOCK
    assert isinstance(_failure(mine.recv, 1, 0), BlockingIOError)
    mine.set_flags(0)
    mine.node._scheduler.on_pause = lambda _: peer.send(b"late")
    assert mine.recv(10, 0) == (b"late", 0)


# Shutting down.


@pytest.mark.parametrize("how", [0, 4, 7, 255])
def test_shutting_down_no_or_an_undefined_direction_is_inval(pair, how):
    with pytest.raises(INVAL):
        pair[0].shutdown(how)


@pytest.mark.parametrize("how", [RD, WR, BOTH])
def test_shutting_down_twice_is_harmless(pair, how):
    pair[0].shutdown(how)
    pair[0].shutdown(how)


def test_the_peer_sees_the_end(pair):
    mine, peer = pair
    mine.shutdown(WR)
    assert peer.recv(1) == b""
    assert isinstance(_failure(mine.send, b"x", 0), BrokenPipeError)


# Readiness.


def test_a_socket_is_ready_to_be_written_and_not_to_be_read(pair):
    assert pair[0].poll_read() is None
    assert pair[0].poll_write() == (1, 0)
    assert pair[0].fileno() >= 0


def test_what_waits_is_counted(pair):
    pair[1].send(b"hello")
    assert pair[0].poll_read() == (5, 0)


def test_a_peer_that_is_gone_is_a_hangup(pair):
    pair[1].close()
    assert pair[0].poll_read() == (0, HANGUP)
    assert pair[0].poll_write() == (1, HANGUP)


def test_a_listener_is_ready_once_somebody_is_there(listener, server):
    assert listener.poll_read() is None
    assert listener.poll_write() is None
    with socket.create_connection(server.getsockname()):
        assert listener.poll_read() == (1, 0)


def test_closing_twice_is_harmless_and_leaves_the_embedders_open(made):
    a, b = socket.socketpair()
    with a, b:
        mine = made(a)
        mine.close()
        mine.close()
        a.send(b"mine")
        assert b.recv(10) == b"mine"
