"""The four calls on sockets, by descriptor number, and sockets in ``poll_oneoff``."""

import socket

import pytest

from tests.descriptors.fakes import FakeDirectory
from tests.preview1.calls import an_instance
from wasi_host.descriptors.base import FD_READ, NONBLOCK
from wasi_host.errors import BADF, INVAL, MFILE, NOTCAPABLE, NOTCONN, NOTSOCK, SPIPE
from wasi_host.preview1 import Preview1
from wasi_host.world.sockets import Socket
from wasi_spec.enums import Eventtype, Filetype
from wasi_spec.flags import Riflags
from wasi_spec.records import SubscriptionClock, SubscriptionFd
from wasi_spec.rights import SOCKET_RIGHTS, Rights

DIRECTORY, LISTENER, CONNECTED = 3, 4, 5
READ, WRITE = int(Eventtype.FD_READ), int(Eventtype.FD_WRITE)
PEEK = int(Riflags.RECV_PEEK)
HANGUP = 1


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def peers():
    a, b = socket.socketpair()
    with a, b:
        yield a, b


@pytest.fixture
def peer(peers):
    return peers[1]


@pytest.fixture
def wasi(server, peers):
    instance = an_instance(sockets=[server, peers[0].fileno()])
    yield instance
    instance.close()
    instance.scheduler.close()


def connected(server):
    return socket.create_connection(server.getsockname())


def test_sockets_are_numbered_after_all_directories(server):
    directories = [("/a", FakeDirectory()), ("/b", FakeDirectory())]
    instance = Preview1.for_run([], directories, sockets=[server])
    assert instance.fd_fdstat_get(2)[0] == Filetype.SOCKET_STREAM
    # Where wasi-libc ends its search for directories.
    with pytest.raises(BADF):
        instance.fd_prestat_get(2)
    instance.close()


def test_rights_of_the_embedder_hold_for_sockets_and_their_connections(server):
    instance = an_instance(sockets=[server], rights=SOCKET_RIGHTS & ~FD_READ)
    assert instance.fd_fdstat_get(4)[2:] == (SOCKET_RIGHTS & ~FD_READ,) * 2
    with connected(server) as client:
        fd = instance.sock_accept(4, 0)
        client.send(b"x")
        with pytest.raises(NOTCAPABLE):
            instance.sock_recv(fd, 1, 0)
    instance.close()


def test_a_connected_socket_passes_no_rights_on(wasi):
    assert wasi.fd_fdstat_get(CONNECTED)[3] == 0


def test_a_wrong_socket_is_told_and_nothing_stays_open(server):
    directory = FakeDirectory()
    with pytest.raises(TypeError):
        Preview1.for_run([], [("/", directory)], sockets=[server, "x"])
    assert directory.calls == []


def test_where_a_directory_cannot_be_had_no_socket_stays_open(server, monkeypatch):
    closed = []
    close = Socket.close
    monkeypatch.setattr(Socket, "close", lambda node: (closed.append(node), close(node)))
    with pytest.raises(ValueError, match="NUL"):
        Preview1.for_run([], [("a\0b", FakeDirectory())], sockets=[server])
    assert len(closed) == 1


CALLS = {
    "sock_accept": (0,),
    "sock_recv": (1, 0),
    "sock_send": (b"x", 0),
    "sock_shutdown": (3,),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("fd", "error"),
    [(99, BADF), (2**32 - 1, BADF), (0, NOTSOCK), (1, NOTSOCK), (DIRECTORY, NOTSOCK)],
    ids=["not open", "never", "stdin", "stdout", "directory"],
)
def test_what_is_no_socket(wasi, name, fd, error):
    with pytest.raises(error):
        getattr(wasi, name)(fd, *CALLS[name])


def test_a_file_is_no_socket(wasi):
    fd = wasi.path_open(DIRECTORY, 0, "f", 0, FD_READ, 0, 0)
    for name, arguments in CALLS.items():
        with pytest.raises(NOTSOCK):
            getattr(wasi, name)(fd, *arguments)


def test_a_client_is_accepted_answered_and_shut_down(wasi, server):
    with connected(server) as client:
        fd = wasi.sock_accept(LISTENER, 0)
        assert fd == CONNECTED + 1
        client.send(b"hello")
        assert wasi.sock_recv(fd, 100, PEEK) == (b"hello", 0)
        assert wasi.fd_read(fd, 100) == b"hello"
        assert wasi.sock_send(fd, b"good", 0) == 4
        assert wasi.fd_write(fd, b"bye") == 3
        wasi.sock_shutdown(fd, 2)
        assert client.recv(100, socket.MSG_WAITALL) == b"goodbye"
        wasi.fd_close(fd)
        with pytest.raises(BADF):
            wasi.sock_shutdown(fd, 2)


def test_accept_gives_the_lowest_free_number(wasi, server):
    wasi.fd_close(DIRECTORY)
    with connected(server):
        assert wasi.sock_accept(LISTENER, 0) == DIRECTORY


def test_a_full_table_is_mfile_and_no_connection_is_taken(wasi, server):
    wasi.fds.limit = len(wasi.fds)
    with connected(server):
        with pytest.raises(MFILE):
            wasi.sock_accept(LISTENER, 0)
        assert wasi.fds.limit_hit
        server.settimeout(5)
        server.accept()[0].close()


def test_accept_says_what_is_wrong_before_it_says_that_the_table_is_full(wasi):
    wasi.fds.limit = len(wasi.fds)
    with pytest.raises(INVAL):
        wasi.sock_accept(CONNECTED, 0)
    with pytest.raises(INVAL):
        wasi.sock_accept(LISTENER, 1)
    with pytest.raises(NOTSOCK):
        wasi.sock_accept(1, 0)


def test_nobody_there_is_eagain_with_nonblock(wasi):
    wasi.fd_fdstat_set_flags(LISTENER, NONBLOCK)
    with pytest.raises(BlockingIOError):
        wasi.sock_accept(LISTENER, 0)
    assert wasi.fd_fdstat_get(LISTENER)[1] == NONBLOCK


def test_positions_and_listeners(wasi):
    for fd in (LISTENER, CONNECTED):
        with pytest.raises(SPIPE):
            wasi.fd_seek(fd, 0, 0)
        with pytest.raises(SPIPE):
            wasi.fd_tell(fd)
        with pytest.raises(SPIPE):
            wasi.fd_pread(fd, 1, 0)
        with pytest.raises(SPIPE):
            wasi.fd_pwrite(fd, b"x", 0)
    with pytest.raises(NOTCONN):
        wasi.sock_recv(LISTENER, 1, 0)


def test_a_socket_can_be_renumbered(wasi, peer):
    wasi.fd_renumber(CONNECTED, 1)
    wasi.fd_write(1, b"over stdout's number")
    assert peer.recv(100) == b"over stdout's number"
    with pytest.raises(BADF):
        wasi.sock_send(CONNECTED, b"x", 0)


def test_dropped_rights_stay_dropped_for_connections(wasi, server):
    left = SOCKET_RIGHTS & ~int(Rights.SOCK_SHUTDOWN)
    wasi.fd_fdstat_set_rights(LISTENER, SOCKET_RIGHTS, left)
    with connected(server):
        fd = wasi.sock_accept(LISTENER, 0)
        with pytest.raises(NOTCAPABLE):
            wasi.sock_shutdown(fd, 3)


# poll_oneoff.


def events(wasi, *subscriptions):
    return [
        (event.userdata, event.type, event.nbytes, event.flags)
        for event in wasi.poll_oneoff(list(subscriptions))
    ]


def test_poll_tells_of_a_client_of_bytes_and_of_room(wasi, server, peer):
    peer.send(b"hello")
    with connected(server):
        assert events(
            wasi,
            SubscriptionFd(1, READ, LISTENER),
            SubscriptionFd(2, READ, CONNECTED),
            SubscriptionFd(3, WRITE, CONNECTED),
        ) == [(1, READ, 1, 0), (2, READ, 5, 0), (3, WRITE, 1, 0)]


def test_poll_tells_of_a_peer_that_is_gone(wasi, peer):
    peer.close()
    assert events(wasi, SubscriptionFd(1, READ, CONNECTED)) == [(1, READ, 0, HANGUP)]


def test_poll_waits_for_sockets_no_longer_than_its_clock(wasi):
    assert events(
        wasi,
        SubscriptionFd(1, READ, LISTENER),
        SubscriptionFd(2, READ, CONNECTED),
        SubscriptionClock(3, 1, 1_000_000, 0, 0),
    ) == [(3, 0, 0, 0)]
