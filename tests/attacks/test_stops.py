"""Catalogue I 64: whatever a guest waits in, its deadline ends it."""

import os
import threading

import pytest

from tests.attacks.backends import ValuesBackend
from tests.attacks.guest import ROWS, Guest
from wasi_host import TimeoutExpired, run
from wasi_host.errors import Stopped
from wasi_spec import Clockid, Eventtype, core_signature, records

NEVER = 2**64 - 1
#: In seconds: long enough that the guest is waiting by then, mostly.
DEADLINE = 0.05

SLEEP = records.SUBSCRIPTION_CLOCK.pack(
    1, int(Eventtype.CLOCK), int(Clockid.MONOTONIC), NEVER, 0, 0
)
LATE = records.SUBSCRIPTION_CLOCK.pack(1, int(Eventtype.CLOCK), int(Clockid.REALTIME), 2**63, 0, 1)
READABLE = records.SUBSCRIPTION_FD.pack(2, int(Eventtype.FD_READ), 0)
WRITABLE = records.SUBSCRIPTION_FD.pack(2, int(Eventtype.FD_WRITE), 1)
#: Buffers of 16 bytes, and of 100,000: more than a pipe takes, and than PIPE_BUF.
SMALL, LARGE = records.IOVEC.pack(4096, 16), records.IOVEC.pack(4096, 100_000)

#: What is at address 64, and the call that waits.
WAITS = {
    "a sleep": (SLEEP, "poll_oneoff", (64, 512, 1, 8)),
    "a sleep until a moment": (LATE, "poll_oneoff", (64, 512, 1, 8)),
    "a poll of an empty pipe": (READABLE, "poll_oneoff", (64, 512, 1, 8)),
    "a poll of a full pipe": (WRITABLE, "poll_oneoff", (64, 512, 1, 8)),
    "a poll of both pipes and a clock": (
        b"".join(part.ljust(48, b"\0") for part in (SLEEP, READABLE, WRITABLE)),
        "poll_oneoff",
        (64, 512, 3, 8),
    ),
    "a read of an empty pipe": (SMALL, "fd_read", (0, 64, 1, 8)),
    "a large read of an empty pipe": (LARGE, "fd_read", (0, 64, 1, 8)),
    "a write to a full pipe": (SMALL, "fd_write", (1, 64, 1, 8)),
    "a large write to a full pipe": (LARGE, "fd_write", (1, 64, 1, 8)),
}
waits = pytest.mark.parametrize(("data", "name", "numbers"), WAITS.values(), ids=WAITS)


def command(data, name, numbers):
    """Return a module that makes one call and then ends."""
    params, _ = core_signature(ROWS[name])
    signature = " ".join(f"(param {kind})" for kind in params)
    given = " ".join(
        f"({kind}.const {number})" for kind, number in zip(params, numbers, strict=True)
    )
    text = "".join(f"\\{byte:02x}" for byte in data)
    return f"""(module
        (import "wasi_snapshot_preview1" "{name}" (func $call {signature} (result i32)))
        (memory (export "memory") 4)
        (data (i32.const 64) "{text}")
        (func (export "_start") (drop (call $call {given}))))""".encode()


@pytest.fixture
def pipes():
    """The reading end of an empty pipe, and the writing end of a full one."""
    reader, other = os.pipe()
    drain, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (65536, 1):
        try:
            while True:
                os.write(writer, bytes(size))
        except BlockingIOError:
            continue
    os.set_blocking(writer, True)
    yield reader, writer
    for fd in (reader, other, drain, writer):
        os.close(fd)


@waits
def test_i64_a_deadline_ends(pipes, data, name, numbers):
    reader, writer = pipes
    with pytest.raises(TimeoutExpired):
        run([command(data, name, numbers)], stdin=reader, stdout=writer, timeout=DEADLINE)


@waits
def test_i64_a_stop_from_another_thread_ends(memory_only, pipes, data, name, numbers):
    reader, writer = pipes
    backend = ValuesBackend({"/": memory_only.source}, stdin=reader, stdout=writer)
    guest = Guest(backend)
    guest.poke(64, data)
    timer = threading.Timer(DEADLINE, backend.preview1.scheduler.stop, ("timeout",))
    timer.start()
    try:
        with pytest.raises(Stopped):
            guest.raw(name, *numbers)
    finally:
        timer.join()
        guest.close()


@waits
def test_i64_a_stop_before_the_wait_is_not_lost(memory_only, pipes, data, name, numbers):
    reader, writer = pipes
    backend = ValuesBackend({"/": memory_only.source}, stdin=reader, stdout=writer)
    guest = Guest(backend)
    guest.poke(64, data)
    backend.preview1.scheduler.stop("timeout")
    with pytest.raises(Stopped):
        guest.raw(name, *numbers)
    guest.close()


@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_i64_a_wait_in_a_fifo_of_the_directory_is_ended_too(host_only, name):
    """Opened by the guest itself: nobody at the other end, or one who takes nothing."""
    path = host_only.root / "fifo"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    if name == "fd_write":
        try:
            while True:
                os.write(held, bytes(4096))
        except BlockingIOError:
            pass
    backend = ValuesBackend({"/": str(host_only.root)})
    guest = Guest(backend)
    fd = guest.open("fifo", rights=2 if name == "fd_read" else 64)
    timer = threading.Timer(DEADLINE, backend.preview1.scheduler.stop, ("timeout",))
    timer.start()
    try:
        with pytest.raises(Stopped):
            guest.call(name, fd, guest.vector(16))
    finally:
        timer.join()
        guest.close()
        os.close(held)
