"""Files in memory that are read often: C reads their bytes where they lie, as long as it may."""

import gc
import os
import pickle
import struct
import threading

import pytest

from tests.native.machine import NATIVE, PYTHON, Machine
from wasi_host.descriptors.slotted_files import NativeMemoryFile
from wasi_host.fs.memory import MemoryFS
from wasi_spec import Errno, Oflags, Rights
from wasi_spec.rights import FILE_RIGHTS

pytestmark = pytest.mark.usefixtures("native")

PATH, VECTOR, DATA, RESULT = 512, 600, 4096, 256
READING = int(Rights.FD_READ | Rights.FD_SEEK | Rights.FD_TELL | Rights.FD_FILESTAT_GET)
TEXT = b"the quick brown fox"


@pytest.fixture
def fs():
    return MemoryFS({"f": TEXT, "empty": b"", "other": b"of another length"})


@pytest.fixture
def machine(fs):
    made = Machine(fs)
    yield made
    made.close()


def opened(machine, path, *, rights=READING, oflags=0):
    machine.poke(PATH, path)
    numbers = (3, 0, PATH, len(path), oflags, rights, 0, 0, RESULT)
    assert machine.call("path_open", *numbers) == Errno.SUCCESS
    return int.from_bytes(machine.peek(RESULT, 4), "little")


def read(machine, fd, size=100, *, offset=None, how=NATIVE):
    """Return what is read, at the position or an offset."""
    machine.poke(DATA, b"\xaa" * size)
    machine.poke(VECTOR, struct.pack("<II", DATA, size))
    name, more = ("fd_read", ()) if offset is None else ("fd_pread", (offset,))
    assert machine.call(name, fd, VECTOR, 1, *more, RESULT, how=how) == Errno.SUCCESS
    return machine.peek(DATA, int.from_bytes(machine.peek(RESULT, 4), "little"))


def pinned(machine, path=b"f"):
    """Open a file and read it until C reads it; the position is 0 again."""
    fd = opened(machine, path)
    for _ in range(5):
        read(machine, fd, offset=0)
    assert isinstance(machine.host.fds[fd], NativeMemoryFile)
    return fd


def without_python(machine, monkeypatch):
    """Let every call that comes to Python fail."""

    def fails(*_):
        raise AssertionError("this came to Python")

    for name in ("fd_read", "fd_pread", "fd_seek", "fd_tell", "fd_fdstat_get"):
        monkeypatch.setattr(type(machine.host), name, fails)


def test_a_file_that_is_read_often_is_read_without_python(machine, monkeypatch):
    fd = pinned(machine)
    without_python(machine, monkeypatch)
    assert read(machine, fd, 9) == TEXT[:9]
    assert read(machine, fd) == TEXT[9:]
    assert read(machine, fd) == b""
    assert read(machine, fd, 5, offset=4) == TEXT[4:9]
    assert read(machine, fd, offset=1 << 40) == b""
    assert machine.call("fd_seek", fd, -3, 1, RESULT, how=NATIVE) == Errno.SUCCESS
    assert machine.call("fd_tell", fd, RESULT, how=NATIVE) == Errno.SUCCESS
    assert machine.peek(RESULT, 8) == (len(TEXT) - 3).to_bytes(8, "little")
    assert machine.call("fd_fdstat_get", fd, RESULT, how=NATIVE) == Errno.SUCCESS


def test_the_position_is_one_whoever_reads(machine):
    fd = opened(machine, b"f")
    hows = [NATIVE, PYTHON, NATIVE, PYTHON, NATIVE, NATIVE, PYTHON]
    assert b"".join(read(machine, fd, 2, how=how) for how in hows) == TEXT[:14]


def test_vectors_are_filled_in_order_up_to_the_end(machine, monkeypatch):
    fd = pinned(machine)
    without_python(machine, monkeypatch)
    machine.poke(VECTOR, struct.pack("<IIIIII", DATA + 50, 4, DATA, 0, DATA, 100))
    assert machine.call("fd_read", fd, VECTOR, 3, RESULT, how=NATIVE) == Errno.SUCCESS
    assert machine.peek(DATA + 50, 4) == TEXT[:4]
    assert machine.peek(DATA, len(TEXT) - 4) == TEXT[4:]


def test_what_is_overwritten_is_read(machine):
    fd = pinned(machine)
    writer = opened(machine, b"f", rights=FILE_RIGHTS)
    machine.poke(DATA, b"THE")
    machine.poke(VECTOR, struct.pack("<II", DATA, 3))
    assert machine.call("fd_pwrite", writer, VECTOR, 1, 0, RESULT) == Errno.SUCCESS
    assert read(machine, fd) == b"THE" + TEXT[3:]


@pytest.mark.parametrize("how", [NATIVE, PYTHON])
@pytest.mark.parametrize("offset", [len(TEXT), len(TEXT) - 1, len(TEXT) + 9, 50_000])
def test_what_is_appended_is_read(machine, offset, how):
    fd = pinned(machine)
    writer = opened(machine, b"f", rights=FILE_RIGHTS)
    machine.poke(DATA, b"more")
    machine.poke(VECTOR, struct.pack("<II", DATA, 4))
    assert machine.call("fd_pwrite", writer, VECTOR, 1, offset, RESULT) == Errno.SUCCESS
    expected = (TEXT.ljust(offset, b"\0")[:offset] + b"more")[:100]
    assert read(machine, fd, how=how) == expected
    assert read(machine, fd, offset=offset, how=how) == b"more"


@pytest.mark.parametrize("size", [0, 5, 30])
def test_a_file_that_is_cut_or_extended_ends_there(machine, size):
    fd = pinned(machine)
    writer = opened(machine, b"f", rights=FILE_RIGHTS)
    assert machine.call("fd_filestat_set_size", writer, size) == Errno.SUCCESS
    assert read(machine, fd) == TEXT[:size].ljust(size, b"\0")


def test_a_file_that_is_opened_anew_and_emptied_is_empty(machine):
    fd = pinned(machine)
    opened(machine, b"f", rights=FILE_RIGHTS, oflags=int(Oflags.TRUNC))
    assert read(machine, fd) == b""


def test_after_a_change_it_is_pinned_again_when_it_is_opened_again(machine, monkeypatch):
    fd = pinned(machine)
    writer = opened(machine, b"f", rights=FILE_RIGHTS)
    assert machine.call("fd_filestat_set_size", writer, 5) == Errno.SUCCESS
    again = pinned(machine)
    assert read(machine, fd) == TEXT[:5]
    without_python(machine, monkeypatch)
    assert read(machine, again) == TEXT[:5]


def test_going_back_to_a_snapshot_is_seen(fs, machine):
    snapshot = fs.snapshot()
    writer = opened(machine, b"f", rights=FILE_RIGHTS)
    assert machine.call("fd_filestat_set_size", writer, 5) == Errno.SUCCESS
    fd = pinned(machine)
    assert read(machine, fd) == TEXT[:5]
    fs.restore(snapshot)
    assert read(machine, fd, offset=0) == TEXT


def test_a_file_that_is_gone_is_read_to_its_end(machine):
    fd = pinned(machine)
    machine.poke(PATH, b"f")
    assert machine.call("path_unlink_file", 3, PATH, 1) == Errno.SUCCESS
    gc.collect()
    assert read(machine, fd) == TEXT


def test_its_attributes_are_those_of_the_file(machine):
    fd = pinned(machine)
    seen = []
    for how in (NATIVE, PYTHON):
        machine.poke(DATA, bytes(64))
        assert machine.call("fd_filestat_get", fd, DATA, how=how) == Errno.SUCCESS
        seen.append(machine.peek(DATA, 64))
    assert seen[0] == seen[1]
    assert struct.unpack_from("<Q", seen[0], 32) == (len(TEXT),)


def test_rights_and_the_largest_offset_count(machine):
    fd = pinned(machine)
    machine.poke(VECTOR, struct.pack("<II", DATA, 5))
    far = (fd, VECTOR, 1, 2**63 - 2, RESULT)
    assert machine.call("fd_pread", *far, how=NATIVE) == Errno.INVAL
    assert machine.call("fd_seek", fd, -1, 0, RESULT, how=NATIVE) == Errno.INVAL
    assert machine.call("fd_write", fd, VECTOR, 1, RESULT, how=NATIVE) == Errno.BADF
    rights = int(Rights.FD_TELL)
    assert machine.call("fd_fdstat_set_rights", fd, rights, 0) == Errno.SUCCESS
    for name, more in (("fd_read", ()), ("fd_pread", (0,))):
        errno = machine.call(name, fd, VECTOR, 1, *more, RESULT, how=NATIVE)
        assert errno == Errno.NOTCAPABLE


def test_a_number_that_is_closed_or_moved_is_served_no_more(machine):
    fd, other = pinned(machine), pinned(machine, b"other")
    assert machine.call("fd_renumber", fd, other) == Errno.SUCCESS
    assert read(machine, other) == TEXT
    machine.poke(VECTOR, struct.pack("<II", DATA, 5))
    assert machine.call("fd_read", fd, VECTOR, 1, RESULT, how=NATIVE) == Errno.BADF
    assert machine.call("fd_close", other, how=NATIVE) == Errno.SUCCESS
    assert machine.call("fd_read", other, VECTOR, 1, RESULT, how=NATIVE) == Errno.BADF


def test_an_empty_file_and_one_with_a_hole_are_read_in_python(machine):
    for path in (b"empty", b"f"):
        writer = opened(machine, path, rights=FILE_RIGHTS)
        assert machine.call("fd_filestat_set_size", writer, 10_000) == Errno.SUCCESS
        fd = opened(machine, path)
        for _ in range(6):
            assert read(machine, fd, offset=9_990) == bytes(10)
        assert not isinstance(machine.host.fds[fd], NativeMemoryFile)


def test_nothing_keeps_a_file_from_growing_in_place_once_it_is_closed(fs, machine):
    fd = pinned(machine)
    inode = machine.host.fds[fd].node.inode
    data = inode.data
    assert machine.call("fd_close", fd) == Errno.SUCCESS
    gc.collect()
    data += b"!"  # a BufferError where it still were pinned
    assert inode.pin is None or inode.pin() is None


def test_a_filesystem_whose_files_are_read_can_be_pickled(fs, machine):
    pinned(machine)
    copy = pickle.loads(pickle.dumps(fs))
    other = Machine(copy)
    assert read(other, pinned(other)) == TEXT
    other.close()


def test_two_guests_share_the_pin_and_each_has_its_position(fs, machine):
    other = Machine(fs)
    one, two = pinned(machine), pinned(other)
    assert machine.host.fds[one].pin is other.host.fds[two].pin
    assert read(machine, one, 4) == TEXT[:4]
    assert read(other, two) == TEXT
    other.close()
    assert read(machine, one) == TEXT[4:]


def test_a_file_that_another_thread_changes_is_never_read_beyond(fs, machine):
    stop = threading.Event()
    root = fs.open_root()
    file = root.open_at("f", os.O_RDWR, True)

    def change():
        number = 0
        while not stop.is_set():
            number += 1
            file.truncate(number % 60)
            file.pwrite(b"x" * (number % 50), 0)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(300):
            fd = opened(machine, b"f")
            for _ in range(8):
                assert set(read(machine, fd, offset=0)) <= {*b"x\0", *TEXT}
            assert machine.call("fd_close", fd) == Errno.SUCCESS
    finally:
        stop.set()
        thread.join()
