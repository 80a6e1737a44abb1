import errno
import os
import signal
import socket
import struct
import threading
import time

import pytest

from tests.world.fakes import FakeScheduler, WouldWaitForever, errno_of, fill, is_open
from wasi_host.errors import Stopped
from wasi_host.world import sockets as module
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_host.world.sockets import open_socket, open_sockets
from wasi_spec.enums import Filetype

RD, WR, BOTH = 1, 2, 3


@pytest.fixture
def scheduler():
    made = FakeScheduler()
    yield made
    made.close()


@pytest.fixture
def opened(scheduler):
    """Opens a source; closed at the end."""
    nodes = []

    def do(source):
        nodes.append(open_socket(source, scheduler))
        return nodes[-1]

    yield do
    for node in nodes:
        node.close()


@pytest.fixture(params=["tcp", "unix"])
def listener(request, tmp_path):
    if request.param == "tcp":
        made = socket.create_server(("127.0.0.1", 0))
    else:
        made = socket.socket(socket.AF_UNIX)
        made.bind(os.fspath(tmp_path / "s"))
        made.listen()
    with made:
        yield made


def client_of(listener):
    client = socket.socket(listener.family)
    client.connect(listener.getsockname())
    return client


@pytest.fixture
def tcp_pair():
    """Two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        a = client_of(server)
        b, _ = server.accept()
    with a, b:
        yield a, b


def reset(sock):
    """Close a TCP connection so that its peer gets a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# What may be given.


@pytest.mark.parametrize("as_number", [False, True], ids=["object", "descriptor"])
def test_a_listener_is_a_stream_socket_that_listens(opened, listener, as_number):
    node = opened(listener.fileno() if as_number else listener)
    assert node.listening
    assert node.filetype == Filetype.SOCKET_STREAM
    assert node.stat() == (0, 0, Filetype.SOCKET_STREAM, 0, 0, 0, 0, 0)


def test_a_connected_socket_does_not_listen(opened, sockets):
    node = opened(sockets[0])
    assert not node.listening
    assert node.filetype == Filetype.SOCKET_STREAM


def test_a_connected_datagram_socket_has_its_own_filetype(opened):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        assert opened(a).filetype == Filetype.SOCKET_DGRAM


@pytest.mark.parametrize("source", [True, "127.0.0.1:80", None, 1.5, b""], ids=repr)
def test_other_things_are_a_type_error(scheduler, source):
    with pytest.raises(TypeError, match="sockets: give sockets or their descriptors"):
        open_socket(source, scheduler)


def test_what_cannot_be_used_is_a_value_error_that_says_why(scheduler, pipe):
    closed = socket.socket()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        open_socket(closed, scheduler)
    with pytest.raises(ValueError, match="no open descriptor"):
        open_socket(-1, scheduler)
    with pytest.raises(ValueError, match="no open descriptor"):
        open_socket(closed.fileno(), scheduler)
    with pytest.raises(ValueError, match="is no socket"):
        open_socket(pipe[0], scheduler)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["stream", "dgram"])
def test_a_socket_neither_listening_nor_connected_is_a_value_error(scheduler, kind):
    with (
        socket.socket(type=kind) as made,
        pytest.raises(ValueError, match="neither listening nor connected"),
    ):
        open_socket(made, scheduler)


def test_a_socket_of_another_kind_is_a_value_error(scheduler):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with a, b, pytest.raises(ValueError, match="neither a stream nor a datagram"):
        open_socket(a, scheduler)


def test_a_tls_socket_is_refused(scheduler, sockets):
    class Wrapped(socket.socket):
        def unwrap(self):
            raise NotImplementedError

    with (
        Wrapped(fileno=os.dup(sockets[0].fileno())) as wrapped,
        pytest.raises(ValueError, match="TLS"),
    ):
        open_socket(wrapped, scheduler)


def test_after_a_wrong_one_none_is_left_open(scheduler, sockets):
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    with pytest.raises(TypeError):
        open_sockets([*sockets, "x"], scheduler)
    if before is not None:
        assert set(os.listdir("/proc/self/fd")) == before


# Borrowed, and left as they are.


@pytest.mark.parametrize("timeout", [None, 5.0], ids=["blocking", "with a timeout"])
def test_the_embedders_socket_stays_open_and_as_blocking_as_it_was(
    scheduler, sockets, monkeypatch, timeout
):
    a, b = sockets
    a.settimeout(timeout)
    before = os.get_blocking(a.fileno())
    socket.setdefaulttimeout(3)
    try:
        node = open_socket(a, scheduler)
    finally:
        socket.setdefaulttimeout(None)
    node.write(b"x")
    with pytest.raises(WouldWaitForever):
        node.read(1)
    assert os.get_blocking(a.fileno()) == before
    node.close()
    node.close()
    assert is_open(a.fileno())
    assert b.recv(10) == b"x"
    b.send(b"y")
    assert a.recv(1) == b"y"


def test_closing_a_borrowed_listener_leaves_it_listening(scheduler, listener):
    open_socket(listener, scheduler).close()
    with client_of(listener):
        listener.accept()[0].close()


# Receiving.


def test_receiving_returns_what_is_there_and_nothing_at_the_end(opened, sockets):
    a, b = sockets
    node = opened(a)
    b.send(b"hello")
    assert node.receive(3) == (b"hel", False)
    assert node.read(100) == b"lo"
    b.close()
    assert node.receive(5) == (b"", False)


def test_receiving_waits_while_there_is_nothing(opened, sockets, scheduler):
    node = opened(sockets[0])
    scheduler.on_pause = lambda _: sockets[1].send(b"late")
    assert node.read(10) == b"late"
    assert scheduler.pauses == [None]


def test_receiving_no_bytes_never_waits(opened, sockets):
    assert opened(sockets[0]).receive(0) == (b"", False)


def test_with_nonblock_nothing_there_is_eagain(opened, sockets):
    node = opened(sockets[0])
    node.nonblock = True
    assert errno_of(node.read, 5) == errno.EAGAIN


def test_peeked_bytes_stay_there(opened, sockets):
    node = opened(sockets[0])
    sockets[1].send(b"hello")
    assert node.receive(3, peek=True) == (b"hel", False)
    assert node.read(10) == b"hello"


def test_peeking_at_the_whole_gives_what_is_there(opened, sockets):
    node = opened(sockets[0])
    sockets[1].send(b"hello")
    assert node.receive(30, peek=True, whole=True) == (b"hello", False)


def test_receiving_the_whole_waits_for_all_of_it(opened, sockets, scheduler):
    node = opened(sockets[0])
    parts = [b"lo", b", world"]
    scheduler.on_pause = lambda _: sockets[1].send(parts.pop(0))
    sockets[1].send(b"hel")
    assert node.receive(10, whole=True) == (b"hello, wor", False)
    assert node.read(10) == b"ld"


def test_receiving_the_whole_ends_with_the_stream(opened, sockets, scheduler):
    node = opened(sockets[0])
    scheduler.on_pause = lambda _: sockets[1].close()
    sockets[1].send(b"hel")
    assert node.receive(10, whole=True) == (b"hel", False)


def test_receiving_the_whole_with_nonblock_gives_what_is_there(opened, sockets):
    node = opened(sockets[0])
    node.nonblock = True
    assert errno_of(node.receive, 10, False, True) == errno.EAGAIN
    sockets[1].send(b"hel")
    assert node.receive(10, whole=True) == (b"hel", False)
    assert errno_of(node.receive, 10, False, True) == errno.EAGAIN


def test_a_reset_while_receiving_the_whole_is_the_next_calls_error(opened, tcp_pair, scheduler):
    a, b = tcp_pair
    node = opened(a)
    b.send(b"hel")
    scheduler.on_pause = lambda _: reset(b)
    assert node.receive(10, whole=True) == (b"hel", False)
    assert node.read_ready()
    assert node.readable()[1]
    assert errno_of(node.read, 1) == errno.ECONNRESET


def test_a_reset_peer_is_econnreset(opened, tcp_pair):
    a, b = tcp_pair
    node = opened(a)
    reset(b)
    assert errno_of(node.read, 10) == errno.ECONNRESET


def test_a_datagram_longer_than_the_buffer_is_truncated_and_says_so(opened):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        node = opened(a)
        b.send(b"0123456789")
        b.send(b"next")
        assert node.receive(4) == (b"0123", True)
        assert node.receive(100, whole=True) == (b"next", False)


def test_udp_shut_down_for_reading_ends_instead_of_spinning(opened):
    with (
        socket.socket(type=socket.SOCK_DGRAM) as a,
        socket.socket(type=socket.SOCK_DGRAM) as b,
    ):
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        a.connect(b.getsockname())
        node = opened(a)
        node.shutdown(RD)
        assert node.read(10) == b""


def test_receiving_on_a_listener_is_enotconn(opened, listener):
    node = opened(listener)
    assert errno_of(node.read, 1) == errno.ENOTCONN


# Sending.


def test_sending_takes_all_however_much_it_is(opened, sockets, scheduler):
    a, b = sockets
    node = opened(a)
    got = bytearray()
    scheduler.on_pause = lambda _: got.extend(b.recv(1 << 22))
    data = os.urandom(1 << 20)
    assert node.write(data) == len(data)
    b.setblocking(False)
    while len(got) < len(data):
        got += b.recv(1 << 20)
    assert got == data


def test_with_nonblock_sending_takes_what_there_is_room_for_then_eagain(opened, sockets):
    a, b = sockets
    node = opened(a)
    node.nonblock = True
    assert 0 < node.write(bytes(1 << 22)) < 1 << 22
    while errno_of(node.write, b"x") is None:
        pass
    assert errno_of(node.write, b"x") == errno.EAGAIN
    assert not node.write_ready()
    while b.recv(1 << 22, socket.MSG_DONTWAIT) and not node.write_ready():
        pass
    assert node.write_ready()
    assert node.writable() == (1, False)


def test_sending_to_a_closed_peer_is_epipe_without_a_signal(opened, sockets):
    node = opened(sockets[0])
    sockets[1].close()
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        assert errno_of(node.write, b"x") == errno.EPIPE
        assert errno_of(node.write, b"x") == errno.EPIPE
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert node.writable() == (1, True)


def test_what_was_sent_before_an_error_counts(opened, sockets, scheduler):
    node = opened(sockets[0])
    scheduler.on_pause = lambda _: sockets[1].close()
    assert 0 < node.write(bytes(1 << 22)) < 1 << 22
    assert node.write_ready()
    assert errno_of(node.write, b"x") in (errno.EPIPE, errno.ECONNRESET)


def test_an_empty_datagram_is_sent(opened):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        assert opened(a).write(b"") == 0
        assert b.recv(10, socket.MSG_DONTWAIT) == b""


# Accepting.


def test_accepting_gives_a_working_connection_that_is_ours(opened, listener):
    node = opened(listener)
    with client_of(listener) as client:
        connection = node.accept()
        fd = connection.fileno()
        assert not os.get_inheritable(fd)
        client.send(b"ping")
        assert connection.read(10) == b"ping"
        connection.write(b"pong")
        assert client.recv(10) == b"pong"
        connection.close()
        assert client.recv(10) == b""
    assert not connection.listening


def test_accepting_waits_until_somebody_is_there(opened, listener, scheduler):
    clients = []
    scheduler.on_pause = lambda _: clients.append(client_of(listener))
    opened(listener).accept().close()
    assert scheduler.pauses == [None]
    clients[0].close()


@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_accepting_with_nonblock_and_nobody_there_is_eagain(opened, listener, blocking):
    listener.setblocking(blocking)
    node = opened(listener)
    node.nonblock = True
    assert errno_of(node.accept) == errno.EAGAIN


def test_accepting_on_a_nonblocking_listener_waits_all_the_same(opened, listener):
    listener.setblocking(False)
    with pytest.raises(WouldWaitForever):
        opened(listener).accept()


def test_runs_that_share_a_blocking_listener_never_block_each_other(listener):
    """Many wait, few connections come: all the others can still be stopped."""
    waiting = [Scheduler(Clocks()) for _ in range(6)]
    ends = []

    def serve(scheduler):
        node = open_socket(listener, scheduler)
        try:
            while True:
                node.accept().close()
                ends.append("served")
        except Stopped:
            ends.append("stopped")
        finally:
            node.close()
            scheduler.close()

    threads = [threading.Thread(target=serve, args=[scheduler]) for scheduler in waiting]
    for thread in threads:
        thread.start()
    for _ in range(60):
        with client_of(listener) as client:
            assert client.recv(1) == b""
    for scheduler in waiting:
        scheduler.stop("killed")
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
    assert ends.count("served") == 60
    assert ends.count("stopped") == 6


def test_a_run_that_does_not_get_its_turn_can_be_stopped(opened, listener, scheduler):
    node = opened(listener)
    with client_of(listener), module._turns[node._turn]:
        threading.Timer(0.05, scheduler.stop, ["timeout"]).start()
        with pytest.raises(Stopped):
            node.accept()


# Being stopped, with real waits.


@pytest.mark.parametrize("call", ["accept", "read", "whole", "write"])
def test_what_waits_is_ended_by_a_stop(call, listener, sockets):
    scheduler = Scheduler(Clocks())
    node = open_socket(listener if call == "accept" else sockets[0], scheduler)
    if call == "write":
        fill(sockets[0].fileno())
    sockets[1].send(b"some")
    calls = {
        "accept": node.accept,
        "read": lambda: (node.read(4), node.read(4)),
        "whole": lambda: node.receive(100, whole=True),
        "write": lambda: node.write(b"x" * 100_000),
    }
    threading.Timer(0.05, scheduler.stop, ["timeout"]).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        calls[call]()
    assert time.monotonic() - began < 5
    node.close()
    scheduler.close()


def test_a_stop_is_seen_even_where_nothing_has_to_wait(opened, sockets, scheduler):
    node = opened(sockets[0])
    sockets[1].send(b"there")
    scheduler.stop("timeout")
    with pytest.raises(Stopped):
        node.read(5)
    with pytest.raises(Stopped):
        node.write(b"x")


# Readiness.


def test_a_stream_tells_how_much_there_is_and_its_end(opened, sockets):
    a, b = sockets
    node = opened(a)
    assert not node.read_ready()
    b.send(b"hello")
    assert node.read_ready()
    assert node.readable() == (5, False)
    node.read(5)
    b.close()
    assert node.read_ready()
    assert node.readable() == (0, True)


def test_a_listener_is_ready_when_somebody_is_there(opened, listener):
    node = opened(listener)
    assert not node.read_ready()
    with client_of(listener):
        assert node.read_ready()
        assert node.readable() == (1, False)


def test_an_empty_datagram_is_no_hangup(opened):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with a, b:
        node = opened(a)
        b.send(b"")
        assert node.read_ready()
        assert node.readable() == (0, False)


# Shutting down.


def test_shutting_down_one_direction_leaves_the_other(opened, sockets):
    a, b = sockets
    node = opened(a)
    node.shutdown(WR)
    assert b.recv(10) == b""
    b.send(b"still")
    assert node.read(10) == b"still"
    assert errno_of(node.write, b"x") == errno.EPIPE


def test_shutting_down_twice_is_harmless_even_after_the_peer_has_gone(opened, tcp_pair):
    a, b = tcp_pair
    node = opened(a)
    b.close()
    assert node.read(1) == b""
    node.shutdown(RD)
    node.shutdown(BOTH)
    node.shutdown(BOTH)
    node.shutdown(WR)


def test_a_listener_cannot_be_shut_down(opened, listener):
    node = opened(listener)
    for how in (RD, WR, BOTH):
        assert errno_of(node.shutdown, how) == errno.ENOTCONN
    with client_of(listener):
        node.accept().close()
