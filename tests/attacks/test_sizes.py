"""Catalogue H 52 and 53: setting sizes, allocating, advising."""

import errno
import os

import pytest

from tests.attacks.guest import READ, WRITE
from tests.attacks.places import HostPlace
from wasi_spec import Errno

LARGEST = 2**63 - 1
#: The size limit of a file in memory.
MEMORY_LIMIT = 2**44
DATA = b"0123456789"


@pytest.fixture
def guest(place, start):
    """A guest with a file of ten bytes open as 4, at position 3, and open to read only as 5."""
    place.write("file", DATA)
    guest = start(place)
    assert guest.open("file") == 4
    assert guest.open("file", rights=READ) == 5
    guest.must("fd_seek", 4, 3, 0)
    return guest


# 52


@pytest.mark.parametrize("size", [2**63, 2**63 + 1, 2**64 - 1])
def test_h52_a_size_that_is_none_is_inval(guest, place, size):
    assert guest.call("fd_filestat_set_size", 4, size) is Errno.INVAL
    assert place.read("file") == DATA


@pytest.mark.parametrize("size", [2**62, LARGEST])
def test_h52_more_than_the_filesystem_takes_is_fbig(guest, place, size):
    expected = Errno.FBIG
    if isinstance(place, HostPlace):
        fd = os.open(place.root.parent / "probe", os.O_RDWR | os.O_CREAT)
        try:
            os.ftruncate(fd, size)
            expected = Errno.SUCCESS
        except OSError as error:
            expected = Errno[errno.errorcode[error.errno or 0][1:]]
        finally:
            os.close(fd)
    assert guest.call("fd_filestat_set_size", 4, size) is expected
    if expected is not Errno.SUCCESS:
        assert place.read("file") == DATA


def test_h52_in_memory_the_limit_is_16_tib(memory_only, start):
    memory_only.write("file", DATA)
    guest = start(memory_only)
    fd = guest.open("file")
    assert guest.call("fd_filestat_set_size", fd, MEMORY_LIMIT + 1) is Errno.FBIG
    assert guest.must("fd_filestat_get", fd).size == 10
    guest.must("fd_filestat_set_size", fd, MEMORY_LIMIT)
    assert guest.must("fd_filestat_get", fd).size == MEMORY_LIMIT
    guest.must("fd_seek", fd, MEMORY_LIMIT - 4, 0)
    assert guest.read(fd) == bytes(4)


@pytest.mark.parametrize("size", [0, 1, 9, 10])
def test_h52_a_smaller_size_cuts_and_the_position_stays(guest, place, size):
    guest.must("fd_filestat_set_size", 4, size)
    assert place.read("file") == DATA[:size]
    assert guest.tell(4) == 3


@pytest.mark.parametrize("size", [11, 20_000])
def test_h52_a_larger_size_extends_with_zeros(guest, place, size):
    guest.must("fd_filestat_set_size", 4, size)
    assert place.read("file") == DATA + bytes(size - 10)


def test_h52_what_was_cut_does_not_come_back(guest, place):
    guest.must("fd_filestat_set_size", 4, 2)
    guest.must("fd_filestat_set_size", 4, 10)
    assert place.read("file") == b"01" + bytes(8)


@pytest.mark.parametrize("size", [0, 10, 2**62, 2**63])
def test_h52_a_descriptor_to_read_only_is_inval(guest, place, size):
    assert guest.call("fd_filestat_set_size", 5, size) is Errno.INVAL
    assert place.read("file") == DATA


# 53


@pytest.mark.parametrize(
    ("offset", "length", "size"),
    [
        (0, 1, 10), (0, 10, 10), (5, 5, 10), (0, 11, 11), (9, 3, 12), (10, 1, 11),
        (20_000, 5, 20_005),
    ],
)  # fmt: skip
def test_h53_allocating_grows_to_the_end_asked_for_and_never_shrinks(
    guest, place, offset, length, size
):
    guest.must("fd_allocate", 4, offset, length)
    assert place.read("file") == DATA + bytes(size - 10)
    assert guest.tell(4) == 3


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 0, Errno.INVAL), (LARGEST, 0, Errno.INVAL), (2**64 - 1, 0, Errno.INVAL),
        (2**63, 1, Errno.INVAL), (0, 2**63, Errno.INVAL), (2**64 - 1, 2**64 - 1, Errno.INVAL),
        (2**63, 2**63, Errno.INVAL), (LARGEST, 1, Errno.FBIG), (1, LARGEST, Errno.FBIG),
        (LARGEST, LARGEST, Errno.FBIG),
    ],
)  # fmt: skip
def test_h53_allocating_what_cannot_be_changes_nothing(guest, place, offset, length, expected):
    assert guest.call("fd_allocate", 4, offset, length) is expected
    assert place.read("file") == DATA


def test_h53_in_memory_allocating_ends_at_the_limit(memory_only, start):
    memory_only.write("file", DATA)
    guest = start(memory_only)
    fd = guest.open("file")
    assert guest.call("fd_allocate", fd, MEMORY_LIMIT, 1) is Errno.FBIG
    assert guest.call("fd_allocate", fd, 1, MEMORY_LIMIT) is Errno.FBIG
    assert memory_only.read("file") == DATA


@pytest.mark.parametrize("length", [0, 5, 100, 2**63])
def test_h53_allocating_by_a_descriptor_to_read_only_is_badf(guest, place, length):
    assert guest.call("fd_allocate", 5, 0, length) is Errno.BADF
    assert place.read("file") == DATA


def test_h53_a_descriptor_to_write_only_allocates(guest, place):
    guest.must("fd_allocate", guest.open("file", rights=WRITE), 0, 12)
    assert place.read("file") == DATA + bytes(2)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="nothing to stand in for")
def test_h53_where_the_filesystem_cannot_it_is_notsup(host_only, start, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    host_only.write("file", DATA)
    guest = start(host_only)
    assert guest.call("fd_allocate", guest.open("file"), 0, 100) is Errno.NOTSUP


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="nothing to take away")
def test_h53_where_the_host_has_no_such_call_it_is_notsup(host_only, start, monkeypatch):
    monkeypatch.delattr(os, "posix_fallocate")
    host_only.write("file", DATA)
    guest = start(host_only)
    assert guest.call("fd_allocate", guest.open("file"), 0, 100) is Errno.NOTSUP


@pytest.mark.parametrize("advice", range(6))
def test_h53_each_advice_is_taken(guest, place, advice):
    guest.must("fd_advise", 4, 0, 10, advice)
    guest.must("fd_advise", 5, 0, 0, advice)
    assert place.read("file") == DATA


@pytest.mark.parametrize("advice", [6, 7, 255, 256, 2**31, 2**32 - 1])
def test_h53_an_undefined_advice_is_inval_whatever_the_descriptor(guest, advice):
    for fd in (4, 1, 3, 100):
        assert guest.call("fd_advise", fd, 0, 10, advice) is Errno.INVAL


@pytest.mark.parametrize("offset", [0, 2**40, LARGEST, 2**63, 2**64 - 1])
@pytest.mark.parametrize("length", [0, 10, LARGEST])
def test_h53_advice_may_be_for_any_offset(guest, offset, length):
    guest.must("fd_advise", 4, offset, length, 1)


@pytest.mark.parametrize("length", [2**63, 2**64 - 1])
@pytest.mark.parametrize("offset", [0, 2**64 - 1])
def test_h53_advice_for_a_length_that_is_none_is_inval(guest, offset, length):
    assert guest.call("fd_advise", 4, offset, length, 1) is Errno.INVAL
