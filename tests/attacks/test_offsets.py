"""Catalogue H 50 and 51: seeking, and reading and writing at offsets."""

import errno
import os

import pytest

from tests.attacks.guest import WRITE
from tests.attacks.places import HostPlace
from wasi_spec import Errno, Fdflags, Whence

SET, CUR, END = int(Whence.SET), int(Whence.CUR), int(Whence.END)
APPEND = int(Fdflags.APPEND)
LARGEST = 2**63 - 1
PATTERN = b"\xa5"


@pytest.fixture
def guest(place, start):
    """A guest with a file of ten bytes open as 4, at position 3."""
    place.write("file", b"0123456789")
    guest = start(place)
    assert guest.open("file") == 4
    guest.must("fd_seek", 4, 3, SET)
    return guest


# 50


@pytest.mark.parametrize(
    ("offset", "whence", "position"),
    [
        (0, SET, 0), (7, SET, 7), (LARGEST, SET, LARGEST), (0, CUR, 3), (-3, CUR, 0),
        (LARGEST - 3, CUR, LARGEST), (0, END, 10), (-10, END, 0), (LARGEST - 10, END, LARGEST),
    ],
)  # fmt: skip
def test_h50_a_seek_answers_the_new_position(guest, offset, whence, position):
    assert guest.must("fd_seek", 4, offset, whence) == position
    assert guest.tell(4) == position


@pytest.mark.parametrize(
    ("offset", "whence"),
    [
        (-1, SET), (-(2**63), SET), (-4, CUR), (-(2**63), CUR), (-11, END), (-(2**63), END),
        (LARGEST - 2, CUR), (LARGEST, CUR), (LARGEST - 9, END), (LARGEST, END),
    ],
)  # fmt: skip
def test_h50_a_seek_to_before_the_start_or_beyond_the_largest_is_inval(guest, offset, whence):
    assert guest.call("fd_seek", 4, offset, whence) is Errno.INVAL
    assert guest.tell(4) == 3


@pytest.mark.parametrize("whence", [3, 4, 255, 256, 257, 2**31, 2**32 - 1])
@pytest.mark.parametrize("fd", [4, 1, 3, 100], ids=["file", "stream", "directory", "none"])
def test_h50_an_undefined_whence_is_inval_whatever_the_descriptor(guest, whence, fd):
    assert guest.call("fd_seek", fd, 0, whence) is Errno.INVAL
    assert guest.tell(4) == 3


def test_h50_a_write_past_the_end_leaves_zeros(guest, place):
    guest.must("fd_seek", 4, 5, END)
    guest.write(4, b"word")
    assert place.read("file") == b"0123456789" + bytes(5) + b"word"


def test_h50_a_hole_reads_as_zeros_through_the_guest(guest):
    guest.must("fd_seek", 4, 20_000, SET)
    guest.write(4, b"word")
    guest.must("fd_seek", 4, 0, SET)
    assert guest.read(4, 30_000) == b"0123456789" + bytes(19_990) + b"word"


@pytest.mark.parametrize("far", [2**31, 2**32 + 5, 2**40])
def test_h50_a_hole_takes_no_room(guest, far):
    guest.must("fd_seek", 4, far, SET)
    guest.write(4, b"word")
    assert guest.must("fd_filestat_get", 4).size == far + 4
    guest.must("fd_seek", 4, far - 4, SET)
    assert guest.read(4) == bytes(4) + b"word"
    guest.must("fd_seek", 4, far // 2, SET)
    assert guest.read(4, 16) == bytes(16)


@pytest.mark.parametrize("parts", [(), (0,), (0, 0)], ids=["no buffer", "an empty one", "two"])
@pytest.mark.parametrize("far", [15, 2**40, LARGEST])
def test_h50_a_write_of_nothing_past_the_end_grows_nothing(guest, place, parts, far):
    guest.must("fd_seek", 4, far, SET)
    assert guest.must("fd_write", 4, guest.vector(*parts)) == 0
    assert place.read("file") == b"0123456789"
    assert guest.tell(4) == far


@pytest.mark.parametrize("far", [10, 11, 2**40, LARGEST - 256])
def test_h50_a_read_past_the_end_is_empty_and_moves_nothing(guest, far):
    guest.must("fd_seek", 4, far, SET)
    assert guest.read(4) == b""
    assert guest.tell(4) == far


# 51

AT = {
    "fd_pread": lambda g, size, at: g.call("fd_pread", 4, g.vector(size), at),
    "fd_pwrite": lambda g, size, at: g.call("fd_pwrite", 4, g.vector(b"w" * size), at),
}
at_offsets = pytest.mark.parametrize("call", AT.values(), ids=AT)


@at_offsets
@pytest.mark.parametrize("size", [1, 20_000], ids=["one byte", "20,000 bytes"])
@pytest.mark.parametrize("offset", [2**63, 2**63 + 5, 2**64 - 1, LARGEST])
def test_h51_at_or_across_the_largest_offset_is_inval(guest, place, call, size, offset):
    assert call(guest, size, offset) is Errno.INVAL
    assert place.read("file") == b"0123456789"
    assert guest.tell(4) == 3


@at_offsets
@pytest.mark.parametrize("offset", [2**63, 2**64 - 1])
def test_h51_no_bytes_at_an_offset_that_is_none_are_inval_too(guest, call, offset):
    assert call(guest, 0, offset) is Errno.INVAL


def host_answer(place, act):
    """Return the errno that the host itself has for a call on a file beside the guest's."""
    fd = os.open(place.root.parent / "probe", os.O_RDWR | os.O_CREAT)
    try:
        act(fd)
    except OSError as error:
        return Errno[errno.errorcode[error.errno or 0][1:]]
    finally:
        os.close(fd)
    return Errno.SUCCESS


@pytest.mark.parametrize("offset", [2**62, LARGEST - 1])
def test_h51_a_write_where_the_filesystem_ends_before_is_fbig(guest, place, offset):
    expected = Errno.FBIG
    if isinstance(place, HostPlace):
        expected = host_answer(place, lambda fd: os.pwrite(fd, b"w", offset))
    assert AT["fd_pwrite"](guest, 1, offset) is expected
    if expected is not Errno.SUCCESS:
        assert place.read("file") == b"0123456789"
    assert guest.tell(4) == 3


@pytest.mark.parametrize("offset", [2**62, LARGEST - 20_000])
@pytest.mark.parametrize("size", [1, 20_000], ids=["one byte", "20,000 bytes"])
def test_h51_a_read_there_is_empty(guest, offset, size):
    buffer = guest.put(PATTERN * size)
    assert guest.must("fd_pread", 4, guest.vector_at((buffer, size)), offset) == 0
    assert guest.get(buffer, size) == PATTERN * size
    assert guest.tell(4) == 3


def test_h51_reading_and_writing_at_an_offset_leave_the_position(guest, place):
    vector = guest.vector(4)
    assert guest.must("fd_pread", 4, vector, 6) == 4
    assert guest.must("fd_pwrite", 4, guest.vector(b"word"), 8) == 4
    assert place.read("file") == b"01234567word"
    assert guest.tell(4) == 3


def test_h51_with_append_a_write_at_an_offset_goes_to_the_end_and_the_position_stays(place, start):
    place.write("file", b"0123456789")
    guest = start(place)
    fd = guest.open("file", fdflags=APPEND)
    guest.must("fd_seek", fd, 3, SET)
    assert guest.must("fd_pwrite", fd, guest.vector(b"word"), 1) == 4
    assert place.read("file") == b"0123456789word"
    assert guest.tell(fd) == 3


def test_h51_with_append_an_offset_that_is_none_is_inval_still(place, start):
    place.write("file", b"0123456789")
    guest = start(place)
    fd = guest.open("file", fdflags=APPEND, rights=WRITE)
    assert guest.call("fd_pwrite", fd, guest.vector(b"word"), 2**63) is Errno.INVAL
    assert guest.call("fd_pwrite", fd, guest.vector(b"word"), LARGEST - 1) is Errno.INVAL
    assert place.read("file") == b"0123456789"
