"""Catalogue K 70: sockets, with all that a guest can ask of them and all that a peer can do."""

import os
import socket
import struct
from contextlib import ExitStack

import pytest

from tests.attacks.guest import ROWS
from wasi_spec import Errno, Fdflags, Filetype, Riflags, Roflags, Sdflags
from wasi_spec.rights import SOCKET_RIGHTS

NONBLOCK = int(Fdflags.NONBLOCK)
PEEK, WAITALL = int(Riflags.RECV_PEEK), int(Riflags.RECV_WAITALL)
TRUNCATED = int(Roflags.RECV_DATA_TRUNCATED)
RD, WR = int(Sdflags.RD), int(Sdflags.WR)
CONNECTED, LISTENER = 4, 5
STREAMS_AND_FILE = [0, 1, 2, 3, 6]


@pytest.fixture(params=["tcp", "unix"])
def server(request, tmp_path):
    if request.param == "tcp":
        listening = socket.create_server(("127.0.0.1", 0))
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(os.fspath(tmp_path / "socket"))
        listening.listen()
    with listening:
        yield listening


@pytest.fixture
def clients(server):
    """Connects clients to the listener."""
    with ExitStack() as opened:

        def connect():
            client = opened.enter_context(socket.socket(server.family))
            client.settimeout(20)
            client.connect(server.getsockname())
            return client

        yield connect


@pytest.fixture
def peer(server, clients):
    """The other side of the guest's connected socket; the guest's own is ``peer.mine``."""
    client = clients()
    accepted, _ = server.accept()
    with accepted:
        yield client, accepted


@pytest.fixture
def guest(memory_only, start, server, peer):
    """A guest with a connected socket 4, a listener 5 and a file 6."""
    memory_only.write("file", b"words")
    guest = start(memory_only, sockets=[peer[1], server])
    assert guest.open("file") == 6
    return guest


def recv(guest, fd, size, flags=0):
    """Receive; return the bytes and the flags of the answer, or the errno."""
    at = guest.alloc(size)
    errno = guest.call("sock_recv", fd, guest.vector_at((at, size)), flags)
    if errno is not Errno.SUCCESS:
        return errno
    count, answer = guest.results
    return guest.get(at, count), answer


def accept(guest, fd=LISTENER, flags=0):
    return guest.call("sock_accept", fd, flags)


CALLS = {
    "sock_accept": lambda guest, fd: guest.call("sock_accept", fd, 0),
    "sock_recv": lambda guest, fd: guest.call("sock_recv", fd, guest.vector(8), 0),
    "sock_send": lambda guest, fd: guest.call("sock_send", fd, guest.vector(b"x"), 0),
    "sock_shutdown": lambda guest, fd: guest.call("sock_shutdown", fd, RD | WR),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def test_k70_every_call_on_sockets_is_tested_here():
    assert set(CALLS) == {name for name in ROWS if name.startswith("sock_")}


@calls
@pytest.mark.parametrize("fd", [7, 99, 2**31, 2**32 - 1])
def test_k70_what_is_not_open_is_badf(guest, call, fd):
    assert call(guest, fd) is Errno.BADF


@calls
def test_k70_what_was_closed_is_badf(guest, call):
    for fd in (CONNECTED, LISTENER):
        guest.must("fd_close", fd)
        assert call(guest, fd) is Errno.BADF


@calls
@pytest.mark.parametrize("fd", STREAMS_AND_FILE)
def test_k70_what_is_no_socket_is_notsock(guest, call, fd):
    assert call(guest, fd) is Errno.NOTSOCK


# Accepting.


def test_k70_accepting_on_a_connected_socket_is_inval(guest):
    assert accept(guest, CONNECTED) is Errno.INVAL


@pytest.mark.parametrize(
    "flags", [int(flag) for flag in Fdflags if flag != NONBLOCK] + [NONBLOCK | 1, 32, 0xFFFF]
)
def test_k70_accepting_with_a_flag_but_nonblock_is_inval_and_takes_nobody(guest, clients, flags):
    clients()
    assert accept(guest, flags=flags) is Errno.INVAL
    assert accept(guest) is Errno.SUCCESS


def test_k70_nobody_there_with_nonblock_is_again(guest, clients):
    guest.must("fd_fdstat_set_flags", LISTENER, NONBLOCK)
    assert accept(guest) is Errno.AGAIN
    assert accept(guest, flags=NONBLOCK) is Errno.AGAIN
    clients()
    assert accept(guest) is Errno.SUCCESS


def test_k70_an_accepted_connection_works_and_has_its_rights(guest, clients):
    client = clients()
    assert accept(guest) is Errno.SUCCESS
    fd = guest.result
    assert fd == 7
    stat = guest.must("fd_fdstat_get", fd)
    assert stat.fs_filetype == Filetype.SOCKET_STREAM
    assert stat.fs_rights_base == guest.must("fd_fdstat_get", LISTENER).fs_rights_inheriting
    assert stat.fs_rights_base == SOCKET_RIGHTS
    client.sendall(b"ping")
    assert recv(guest, fd, 4, WAITALL) == (b"ping", 0)
    assert guest.must("sock_send", fd, guest.vector(b"po", b"ng"), 0) == 4
    assert client.recv(4, socket.MSG_WAITALL) == b"pong"
    guest.must("sock_shutdown", fd, WR)
    assert client.recv(1) == b""
    guest.must("fd_close", fd)


def test_k70_the_flag_of_accepting_is_the_connections(guest, clients):
    clients()
    assert accept(guest, flags=NONBLOCK) is Errno.SUCCESS
    assert guest.must("fd_fdstat_get", guest.result).fs_flags == NONBLOCK
    assert recv(guest, 7, 4) is Errno.AGAIN
    assert guest.must("fd_fdstat_get", LISTENER).fs_flags == 0


# Receiving.


def test_k70_receiving_peeks(guest, peer):
    peer[0].sendall(b"words")
    assert recv(guest, CONNECTED, 5, PEEK | WAITALL) == (b"words", 0)
    assert recv(guest, CONNECTED, 2, PEEK) == (b"wo", 0)
    assert recv(guest, CONNECTED, 5) == (b"words", 0)


def test_k70_receiving_waits_for_all_until_the_end(guest, peer):
    peer[0].sendall(b"words")
    peer[0].shutdown(socket.SHUT_WR)
    assert recv(guest, CONNECTED, 9, WAITALL) == (b"words", 0)
    assert recv(guest, CONNECTED, 9, WAITALL) == (b"", 0)


def test_k70_a_cut_datagram_is_told_and_the_rest_is_gone(memory_only, start):
    mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with mine, other:
        guest = start(memory_only, sockets=[mine])
        other.send(b"0123456789")
        other.send(b"next")
        assert recv(guest, 4, 4, PEEK) == (b"0123", TRUNCATED)
        assert recv(guest, 4, 4) == (b"0123", TRUNCATED)
        assert recv(guest, 4, 4) == (b"next", 0)
        guest.close()


def test_k70_receiving_from_a_listener_is_notconn(guest):
    assert recv(guest, LISTENER, 4) is Errno.NOTCONN


@pytest.mark.parametrize("flags", [4, 8, PEEK | 4, 0x8000, 0xFFFF])
def test_k70_receiving_with_an_undefined_flag_is_inval_and_takes_nothing(guest, peer, flags):
    peer[0].sendall(b"words")
    assert recv(guest, CONNECTED, 5, flags) is Errno.INVAL
    assert recv(guest, CONNECTED, 5, WAITALL) == (b"words", 0)


# Sending.


@pytest.mark.parametrize("flags", [1, 2, 0x4000, 0xFFFF])
def test_k70_sending_with_any_flag_is_inval_and_sends_nothing(guest, peer, flags):
    assert guest.call("sock_send", CONNECTED, guest.vector(b"not"), flags) is Errno.INVAL
    guest.must("sock_send", CONNECTED, guest.vector(b"words"), 0)
    assert peer[0].recv(10) == b"words"


def test_k70_sending_to_a_closed_peer_is_pipe_each_time(memory_only, start):
    mine, other = socket.socketpair()
    with mine:
        other.close()
        guest = start(memory_only, sockets=[mine])
        for name, rest in (("sock_send", [0]), ("fd_write", [])):
            for _ in range(2):
                assert guest.call(name, 4, guest.vector(b"x"), *rest) is Errno.PIPE
        guest.close()


def test_k70_sending_after_ones_own_shutdown_is_pipe(guest):
    guest.must("sock_shutdown", CONNECTED, WR)
    assert guest.call("sock_send", CONNECTED, guest.vector(b"x"), 0) is Errno.PIPE


# Shutting down.


@pytest.mark.parametrize("how", [0, 4, 7, 128, 255])
def test_k70_shutting_down_no_or_an_undefined_direction_is_inval(guest, peer, how):
    assert guest.call("sock_shutdown", CONNECTED, how) is Errno.INVAL
    guest.must("sock_send", CONNECTED, guest.vector(b"open"), 0)
    assert peer[0].recv(10) == b"open"


@pytest.mark.parametrize("how", [RD, WR, RD | WR])
def test_k70_shutting_down_twice_is_a_success(guest, how):
    guest.must("sock_shutdown", CONNECTED, how)
    guest.must("sock_shutdown", CONNECTED, how)


# A peer that goes.


@pytest.mark.parametrize("name", ["sock_recv", "fd_read"])
def test_k70_a_peer_that_resets_is_connreset_once_and_then_the_end(memory_only, start, name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        with accepted:
            guest = start(memory_only, sockets=[accepted])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            rest = [0] if name == "sock_recv" else []
            assert guest.call(name, 4, guest.vector(8), *rest) is Errno.CONNRESET
            assert guest.call(name, 4, guest.vector(8), *rest) is Errno.SUCCESS
            assert guest.results[0] == 0
            assert guest.call("sock_send", 4, guest.vector(b"x"), 0) is Errno.PIPE
            guest.close()


def test_k70_a_peer_that_ends_is_0_bytes_each_time(guest, peer):
    peer[0].close()
    assert [recv(guest, CONNECTED, 4) for _ in range(2)] == [(b"", 0)] * 2


# What there is.


def test_k70_nothing_but_the_granted_sockets_is_reachable(guest, peer, server):
    hosts = {fd for end in (*peer, server) if (fd := end.fileno()) > 6}
    for fd in sorted(hosts | set(range(7, 40))):
        assert guest.call("fd_fdstat_get", fd) is Errno.BADF
        assert [call(guest, fd) for call in CALLS.values()] == [Errno.BADF] * len(CALLS)


def test_k70_without_grants_there_is_no_socket(memory_only, start, peer):
    guest = start(memory_only)
    for fd in range(peer[0].fileno() + 2):
        expected = Errno.NOTSOCK if fd < 4 else Errno.BADF
        assert [call(guest, fd) for call in CALLS.values()] == [expected] * len(CALLS)
