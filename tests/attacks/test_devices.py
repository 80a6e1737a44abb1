"""`Devices`: what programs expect in /dev; and that nothing of it can be changed or left open."""

import os
import pickle
import pty
import subprocess

import pytest

from tests.attacks.guest import CREAT, READ, TRUNC, WRITE
from wasi_host import Devices, ReadOnly
from wasi_host.streams import Spec, Streams
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_spec import Errno, Filetype

ALWAYS = [b"full", b"null", b"urandom", b"zero"]


@pytest.fixture
def guest(start, memory_only):
    return start(memory_only, dirs={"/": memory_only.source, "/dev": Devices()}, stdin=b"input")


def test_they_are_listed_as_character_devices_with_the_standard_streams(guest):
    assert sorted(guest.names(4)) == sorted([*ALWAYS, b"stderr", b"stdin", b"stdout"])
    for name in ALWAYS:
        assert guest.stat(name, fd=4).filetype == Filetype.CHARACTER_DEVICE
        fd = guest.open(name, fd=4, rights=READ)
        assert guest.must("fd_fdstat_get", fd).fs_filetype == Filetype.CHARACTER_DEVICE
        assert guest.must("fd_filestat_get", fd).ino == guest.stat(name, fd=4).ino
    assert guest.names(3) == [b"dev"]
    assert guest.content("dev/null") == b""


def test_null_reads_as_empty_and_takes_everything(guest):
    fd = guest.open("null", fd=4, oflags=CREAT | TRUNC, rights=READ | WRITE)
    assert guest.read(fd) == b""
    assert guest.write(fd, b"x" * 10_000) == 10_000
    assert guest.read(fd) == b""
    assert guest.call("fd_seek", fd, 0, 0) is Errno.SPIPE


def test_zero_and_urandom_have_no_end_and_take_everything(guest):
    zero, random = guest.open("zero", fd=4), guest.open("urandom", fd=4)
    at = guest.alloc(60_000)
    for fd in (zero, random):
        for _ in range(3):
            assert guest.must("fd_read", fd, guest.vector_at((at, 60_000))) == 60_000
        assert guest.write(fd, b"x" * 100) == 100
    assert guest.read(zero, 20) == bytes(20)
    assert guest.read(random, 20) != guest.read(random, 20)


def test_full_reads_as_zeros_and_has_no_room(guest):
    fd = guest.open("full", fd=4)
    assert guest.read(fd, 5) == bytes(5)
    assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.NOSPC


def test_the_standard_streams_are_those_of_the_run_and_outlive_their_borrower(start, memory_only):
    outputs = {"stdout": [], "stderr": []}
    guest = start(
        memory_only, dirs={"/dev": Devices()}, stdin=b"input", stdout=outputs["stdout"].append,
        stderr=outputs["stderr"].append,
    )  # fmt: skip
    for _ in range(2):
        fd = guest.open("stdin", fd=3, rights=READ)
        assert guest.read(fd, 2) in (b"in", b"pu")
        assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.BADF
        guest.must("fd_close", fd)
    assert guest.read(0) == b"t"
    for number, name in ((1, "stdout"), (2, "stderr")):
        for _ in range(2):
            fd = guest.open(name, fd=3, oflags=TRUNC, rights=WRITE)
            assert guest.write(fd, b"borrowed ") == 9
            guest.must("fd_close", fd)
        guest.write(number, b"own")
        assert b"".join(outputs[name]) == b"borrowed borrowed own"
        fd = guest.open(name, fd=3, rights=READ | WRITE)
        at = guest.alloc(8)
        assert guest.call("fd_read", fd, guest.vector_at((at, 8))) is Errno.BADF


def test_without_a_terminal_there_is_no_tty_and_in_a_wrapper_no_standard_stream(start, memory_only):
    guest = start(memory_only, dirs={"/dev": ReadOnly(Devices())})
    assert sorted(guest.names(3)) == ALWAYS
    assert guest.try_open("tty") is Errno.NOENT
    assert guest.try_open("null", rights=WRITE) is Errno.PERM
    assert guest.content("zero")[:3] == bytes(3)


def test_no_name_can_be_made_removed_or_moved(guest):
    for call in (
        ("path_unlink_file", 4, "null"), ("path_create_directory", 4, "new"),
        ("path_remove_directory", 4, "null"), ("path_symlink", "null", 4, "new"),
        ("path_rename", 4, "null", 4, "new"), ("path_rename", 4, "null", 3, "new"),
        ("path_link", 4, 0, "null", 4, "new"), ("path_filestat_set_times", 4, 0, "null", 0, 0, 1),
    ):  # fmt: skip
        assert guest.call(*call) is Errno.PERM
    assert guest.try_open("new", fd=4, oflags=CREAT) is Errno.PERM
    assert guest.try_open("null", fd=4, oflags=CREAT | 4) is Errno.EXIST
    assert guest.try_open("new", fd=4) is Errno.NOENT
    assert guest.try_open("null/x", fd=4) is Errno.NOTDIR
    assert guest.call("path_readlink", 4, "null", (guest.alloc(8), 8)) is Errno.INVAL
    guest.must("path_create_directory", 3, "d")
    assert guest.call("path_rename", 3, "d", 4, "d") is Errno.PERM


def test_polling_a_device_is_ready(guest):
    fd = guest.open("zero", fd=4, rights=READ)
    subscription = (7).to_bytes(8, "little") + bytes([1]) + bytes(7) + fd.to_bytes(4, "little")
    events = guest.alloc(32)
    at = guest.put(subscription.ljust(48, b"\0"))
    guest.must("poll_oneoff", at, events, 1)
    assert guest.get(events, 8) == (7).to_bytes(8, "little")


@pytest.mark.parametrize("tty", [True, False])
def test_a_run_with_terminals_has_a_tty(tmp_path, tty):
    above, below = pty.openpty()
    try:
        scheduler = Scheduler(Clocks())
        stream = below if tty else subprocess.DEVNULL
        streams = Streams(Spec(stream, stream, subprocess.DEVNULL, None, None), scheduler)
        root = Devices().of_run(streams.nodes, os.urandom).open_root()
        assert ("tty" in [entry.name for entry in root.entries()]) == tty
        if tty:
            node = root.open_at("tty", os.O_RDWR, True)
            assert node.write(b"shown") == 5
            assert os.read(above, 10) == b"shown"
            os.write(above, b"typed\n")
            assert node.read(10) == b"typed\n"
            assert node.fileno() >= 0
            node.close()
        streams.close()
        scheduler.close()
    finally:
        os.close(above)
        os.close(below)


def test_it_pickles():
    assert repr(pickle.loads(pickle.dumps(Devices()))) == "Devices()"
