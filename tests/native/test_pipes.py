"""Pipes as standard streams: C serves them while they do not wait, and Python waits."""

import os
import struct
import threading
from contextlib import suppress

import pytest

import wasi_host
from tests.native.machine import FALLBACK, NATIVE, PYTHON, Machine
from wasi_host.errors import Stopped
from wasi_host.native import structures
from wasi_spec import Errno, Fdflags

pytestmark = pytest.mark.usefixtures("native")

DATA, RESULT, SIZE = 4096, 256, 1 << 18
WAYS = [NATIVE, FALLBACK, PYTHON]


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):  # the test closed it
            os.close(end)


@pytest.fixture
def start():
    machines = []

    def started(**setting):
        machines.append(Machine(None, size=SIZE, **setting))
        return machines[-1]

    yield started
    for machine in machines:
        machine.close()


def moved(machine):
    return int.from_bytes(machine.peek(RESULT, 4), "little")


def write(machine, data, how):
    machine.poke(DATA, data)
    machine.poke(64, struct.pack("<II", DATA, len(data)))
    return machine.call("fd_write", 1, 64, 1, RESULT, how=how), moved(machine)


def read(machine, size, how):
    machine.poke(64, struct.pack("<II", DATA, size))
    outcome = machine.call("fd_read", 0, 64, 1, RESULT, how=how)
    return outcome, machine.peek(DATA, moved(machine)) if outcome == Errno.SUCCESS else b""


def unserved(monkeypatch):
    """Let nothing of ``fd_read`` and ``fd_write`` come to Python."""

    def fails(*_):
        pytest.fail("came to Python")

    for name in ("fd_read", "fd_readinto", "fd_write"):
        monkeypatch.setattr(wasi_host.preview1.fd.FdCalls, name, fails)


def test_a_pipe_that_is_ready_is_read_and_written_in_c(start, pipe, monkeypatch):
    unserved(monkeypatch)
    machine = start(stdin=pipe[0], stdout=pipe[1])
    for fd in (0, 1):
        assert machine.host.fds.memory.find(fd).kind == structures.HOST_PIPE
    assert write(machine, b"hello", NATIVE) == (Errno.SUCCESS, 5)
    assert read(machine, 100, NATIVE) == (Errno.SUCCESS, b"hello")


@pytest.mark.parametrize("how", WAYS)
def test_writes_of_any_size_arrive_in_their_order(start, pipe, how):
    machine = start(stdout=pipe[1])
    pieces = [bytes([n]) * size for n, size in enumerate([1, 4096, 4097, 0, 20_000, 10, 65_536])]
    arrived = []

    def drain():
        while data := os.read(pipe[0], 3000):
            arrived.append(data)

    reader = threading.Thread(target=drain)
    reader.start()
    for piece in pieces:
        assert write(machine, piece, how) == (Errno.SUCCESS, len(piece))
    os.close(pipe[1])
    reader.join(60)
    assert b"".join(arrived) == b"".join(pieces)


@pytest.mark.parametrize("how", WAYS)
def test_a_reader_that_is_gone_is_told(start, pipe, how):
    machine = start(stdout=pipe[1])
    os.close(pipe[0])
    assert write(machine, b"hello", how)[0] == Errno.PIPE


@pytest.mark.parametrize("how", WAYS)
def test_a_writer_that_is_gone_is_the_end(start, pipe, how):
    machine = start(stdin=pipe[0])
    os.write(pipe[1], b"last")
    os.close(pipe[1])
    assert read(machine, 3, how) == (Errno.SUCCESS, b"las")
    assert read(machine, 3, how) == (Errno.SUCCESS, b"t")
    assert read(machine, 3, how) == (Errno.SUCCESS, b"")


@pytest.mark.parametrize("how", WAYS)
def test_reading_or_writing_nothing_waits_for_nothing(start, pipe, how):
    machine = start(stdin=pipe[0], stdout=full(pipe[1]))
    os.read(pipe[0], 1 << 20)
    assert read(machine, 0, how) == (Errno.SUCCESS, b"")
    full(pipe[1])
    assert write(machine, b"", how) == (Errno.SUCCESS, 0)


def full(end):
    """Fill a pipe; return its end."""
    os.set_blocking(end, False)
    try:
        while os.write(end, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    os.set_blocking(end, True)
    return end


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("direction", ["read", "write"])
def test_a_guest_that_asked_not_to_wait_is_told_again(start, pipe, how, direction):
    machine = start(stdin=pipe[0], stdout=pipe[1])
    for fd in (0, 1):
        assert machine.call("fd_fdstat_set_flags", fd, Fdflags.NONBLOCK, how=how) == 0
    if direction == "read":
        assert read(machine, 10, how)[0] == Errno.AGAIN
    else:
        full(pipe[1])
        assert write(machine, b"hello", how)[0] == Errno.AGAIN


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("direction", ["read", "write"])
def test_a_pipe_that_somebody_made_nonblocking_is_waited_for_all_the_same(
    start, pipe, how, direction
):
    machine = start(stdin=pipe[0], stdout=pipe[1])
    if direction == "write":
        full(pipe[1])
    for end in pipe:
        os.set_blocking(end, False)
    late = {"read": (os.write, (pipe[1], b"late")), "write": (os.read, (pipe[0], 8192))}
    other = threading.Timer(0.05, *late[direction])
    other.start()
    if direction == "read":
        assert read(machine, 10, how) == (Errno.SUCCESS, b"late")
    else:
        assert write(machine, b"hello", how) == (Errno.SUCCESS, 5)
    other.join(60)


@pytest.mark.parametrize("direction", ["read", "write"])
def test_a_wait_for_a_pipe_can_be_stopped(start, pipe, direction):
    machine = start(stdin=pipe[0], stdout=pipe[1])
    if direction == "write":
        full(pipe[1])
    stopper = threading.Timer(0.05, machine.host.scheduler.stop, ("timeout",))
    stopper.start()
    with pytest.raises(Stopped):
        (read if direction == "read" else lambda m, _, how: write(m, b"x", how))(machine, 1, NATIVE)
    stopper.join(60)


def test_a_read_asks_for_no_more_than_python_does(start, pipe, monkeypatch):
    unserved(monkeypatch)
    machine = start(stdin=pipe[0])
    os.write(pipe[1], b"data")
    # 5 vectors over the same memory: more than a megabyte in all.
    count = (1 << 20) // (SIZE - DATA) + 1
    for n in range(count):
        machine.poke(64 + 8 * n, struct.pack("<II", DATA, SIZE - DATA))
    with pytest.raises(pytest.fail.Exception, match="came to Python"):
        machine.call("fd_read", 0, 64, count, RESULT, how=NATIVE)
    monkeypatch.undo()
    assert machine.call("fd_read", 0, 64, count, RESULT, how=NATIVE) == Errno.SUCCESS
    assert machine.peek(DATA, moved(machine)) == b"data"


def test_a_socket_as_a_stream_is_pythons(start):
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        machine = start(stdout=ours.fileno())
        assert machine.host.fds.memory.find(1).kind == structures.FOREIGN
        assert write(machine, b"hello", NATIVE) == (Errno.SUCCESS, 5)
        assert theirs.recv(100) == b"hello"
