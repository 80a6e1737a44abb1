"""Catalogue H 55 and 56: fdflags and oflags."""

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, TRUNC, WRITE
from tests.attacks.places import DIR
from wasi_spec import Errno, Fdflags

APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = (int(flag) for flag in Fdflags)
DATA = b"0123456789"


@pytest.fixture
def furnished(place):
    place.write("file", DATA)
    place.mkdir("dir")
    place.write("dir/below", b"below")
    return place


@pytest.fixture
def guest(furnished, start):
    return start(furnished)


def flags_of(guest, fd):
    return guest.must("fd_fdstat_get", fd).fs_flags


# 55

UNDEFINED_FDFLAGS = [32, 33, 64, 1 << 15, 0xFFE0, 1 << 16, 2**32 - 1]


@pytest.mark.parametrize("path", ["file", "dir", "missing", ""])
def test_h55_undefined_fdflags_are_inval_to_open_and_create_nothing(guest, furnished, path):
    before = furnished.snapshot()
    for fdflags in UNDEFINED_FDFLAGS:
        errno = guest.try_open(path, oflags=CREAT, rights=READ | WRITE, fdflags=fdflags)
        assert errno is Errno.INVAL
    assert furnished.snapshot() == before


def test_h55_undefined_fdflags_are_inval_to_set_whatever_the_descriptor(guest):
    file = guest.open("file", fdflags=APPEND)
    for fdflags in UNDEFINED_FDFLAGS:
        for fd in (file, 0, 1, 3, 100):
            assert guest.call("fd_fdstat_set_flags", fd, fdflags) is Errno.INVAL
    assert flags_of(guest, file) == APPEND


SYNCHRONISING = [DSYNC, RSYNC, SYNC, DSYNC | RSYNC, DSYNC | RSYNC | SYNC | APPEND]


@pytest.mark.parametrize("fdflags", SYNCHRONISING)
def test_h55_a_synchronised_file_works_and_shows_its_flags(guest, furnished, fdflags):
    fd = guest.open("file", fdflags=fdflags)
    assert flags_of(guest, fd) == fdflags
    guest.write(fd, b"word")
    assert furnished.read("file") in (b"word456789", b"0123456789word")


@pytest.mark.parametrize("fdflags", SYNCHRONISING)
def test_h55_a_file_is_created_synchronised(guest, furnished, fdflags):
    fd = guest.open("new", oflags=CREAT, fdflags=fdflags)
    guest.write(fd, b"word")
    assert furnished.read("new") == b"word"


@pytest.mark.parametrize("before", [0, DSYNC, RSYNC, SYNC, APPEND | SYNC])
@pytest.mark.parametrize("change", [DSYNC, RSYNC, SYNC, DSYNC | SYNC])
def test_h55_setting_flags_changes_none_of_the_synchronising_ones(guest, before, change):
    fd = guest.open("file", fdflags=before)
    assert guest.call("fd_fdstat_set_flags", fd, before ^ change) is Errno.INVAL
    assert guest.call("fd_fdstat_set_flags", fd, before ^ change ^ NONBLOCK) is Errno.INVAL
    assert flags_of(guest, fd) == before


@pytest.mark.parametrize("kept", [0, DSYNC, SYNC | RSYNC])
@pytest.mark.parametrize("fdflags", [APPEND, NONBLOCK, APPEND | NONBLOCK, 0])
def test_h55_append_and_nonblock_are_switched_at_run_time(guest, kept, fdflags):
    fd = guest.open("file", fdflags=kept)
    guest.must("fd_fdstat_set_flags", fd, kept | fdflags)
    assert flags_of(guest, fd) == kept | fdflags
    guest.must("fd_fdstat_set_flags", fd, kept)
    assert flags_of(guest, fd) == kept


def test_h55_append_switched_on_writes_at_the_end_and_the_position_follows(guest, furnished):
    fd = guest.open("file")
    guest.read(fd, 2)
    guest.must("fd_fdstat_set_flags", fd, APPEND)
    guest.write(fd, b"word")
    assert furnished.read("file") == b"0123456789word"
    assert guest.tell(fd) == 14


def test_h55_append_switched_off_writes_at_the_position(guest, furnished):
    fd = guest.open("file", fdflags=APPEND)
    guest.write(fd, b"word")
    guest.must("fd_fdstat_set_flags", fd, 0)
    guest.must("fd_seek", fd, 1, 0)
    guest.write(fd, b"abc")
    assert furnished.read("file") == b"0abc456789word"
    assert guest.tell(fd) == 4


def test_h55_an_append_goes_to_the_end_of_the_moment(guest, furnished):
    one, other = guest.open("file", fdflags=APPEND), guest.open("file", fdflags=APPEND)
    for fd in (one, other, one):
        guest.write(fd, b"ab")
    assert furnished.read("file") == DATA + b"ababab"
    assert (guest.tell(one), guest.tell(other)) == (16, 14)


def test_h55_append_reads_from_the_position(guest):
    fd = guest.open("file", fdflags=APPEND)
    assert guest.read(fd, 3) == b"012"
    guest.write(fd, b"word")
    assert guest.read(fd) == b""


def test_h55_flags_are_the_descriptors_own(guest, furnished):
    one, other = guest.open("file", fdflags=APPEND), guest.open("file")
    assert (flags_of(guest, one), flags_of(guest, other)) == (APPEND, 0)
    guest.write(other, b"word")
    assert furnished.read("file") == b"word456789"


@pytest.mark.parametrize("fdflags", [NONBLOCK, APPEND, NONBLOCK | APPEND, SYNC])
def test_h55_a_directory_opens_with_flags(guest, fdflags):
    fd = guest.open("dir", oflags=DIRECTORY, rights=READ, fdflags=fdflags)
    assert guest.must("fd_fdstat_get", fd).fs_filetype == DIR
    assert guest.names(fd) == [b"below"]


def test_h55_a_nonblocking_file_reads_and_writes(guest, furnished):
    fd = guest.open("file", fdflags=NONBLOCK)
    assert guest.read(fd) == DATA
    guest.write(fd, b"word")
    assert furnished.read("file") == b"0123456789word"


# 56

EVERYTHING = ["file", "dir", "dir/below", "missing", "missing/x", ".", "", "..", "file/x"]


@pytest.mark.parametrize(
    "oflags",
    [DIRECTORY | CREAT, DIRECTORY | EXCL, DIRECTORY | TRUNC, DIRECTORY | CREAT | EXCL, 15],
)
def test_h56_directory_with_creat_excl_or_trunc_is_inval_whatever_is_there(
    guest, furnished, oflags
):
    before = furnished.snapshot()
    found = {path: guest.try_open(path, oflags=oflags) for path in EVERYTHING}
    assert found == dict.fromkeys(EVERYTHING, Errno.INVAL)
    assert furnished.snapshot() == before


@pytest.mark.parametrize("oflags", [16, 17, 1 << 15, 0xFFF0, 1 << 16, 2**32 - 1])
def test_h56_undefined_oflags_are_inval_whatever_is_there(guest, furnished, oflags):
    before = furnished.snapshot()
    found = {path: guest.try_open(path, oflags=oflags) for path in EVERYTHING}
    assert found == dict.fromkeys(EVERYTHING, Errno.INVAL)
    assert furnished.snapshot() == before


ANSWERS = {
    "create exclusively a file": (CREAT | EXCL, "file", Errno.EXIST),
    "create exclusively a directory": (CREAT | EXCL, "dir", Errno.EXIST),
    "create exclusively something below": (CREAT | EXCL, "dir/below", Errno.EXIST),
    "create exclusively the directory itself": (CREAT | EXCL, ".", Errno.EXIST),
    "create exclusively and cut": (CREAT | EXCL | TRUNC, "file", Errno.EXIST),
    "create a directory": (CREAT, "dir", Errno.ISDIR),
    "create the directory itself": (CREAT, ".", Errno.ISDIR),
    "cut a directory": (TRUNC, "dir", Errno.ISDIR),
    "cut the directory itself": (TRUNC, ".", Errno.ISDIR),
    "create and cut a directory": (CREAT | TRUNC, "dir", Errno.ISDIR),
    "exclusively cut a directory": (EXCL | TRUNC, "dir", Errno.ISDIR),
    "a file as a directory": (DIRECTORY, "file", Errno.NOTDIR),
    "a file below as a directory": (DIRECTORY, "dir/below", Errno.NOTDIR),
    "nothing as a directory": (DIRECTORY, "missing", Errno.NOENT),
    "nothing exclusively": (EXCL, "missing", Errno.NOENT),
    "cut nothing": (TRUNC, "missing", Errno.NOENT),
    "exclusively cut nothing": (EXCL | TRUNC, "missing", Errno.NOENT),
    "create in nothing": (CREAT, "missing/x", Errno.NOENT),
    "create in a file": (CREAT, "file/x", Errno.NOTDIR),
}


@pytest.mark.parametrize("rights", [READ, READ | WRITE], ids=["to read", "to read and write"])
@pytest.mark.parametrize(("oflags", "path", "errno"), ANSWERS.values(), ids=ANSWERS)
def test_h56_an_open_that_cannot_be_is_refused_and_changes_nothing(
    guest, furnished, oflags, path, errno, rights
):
    before = furnished.snapshot()
    assert guest.try_open(path, oflags=oflags, rights=rights) is errno
    assert furnished.snapshot() == before


def test_h56_excl_without_creat_is_ignored(guest, furnished):
    assert guest.content("file", oflags=EXCL) == DATA
    assert guest.open("dir", oflags=EXCL, rights=READ) == 4
    guest.open("file", oflags=EXCL | TRUNC, rights=READ | WRITE)
    assert furnished.read("file") == b""


@pytest.mark.parametrize("oflags", [CREAT, CREAT | EXCL, CREAT | TRUNC, CREAT | EXCL | TRUNC])
@pytest.mark.parametrize("path", ["new", "dir/new", "dir/../new"])
def test_h56_a_file_is_created_empty(guest, furnished, oflags, path):
    fd = guest.open(path, oflags=oflags)
    assert guest.must("fd_filestat_get", fd).size == 0
    assert furnished.read(path.replace("dir/../", "")) == b""


def test_h56_creating_what_is_there_opens_it(guest, furnished):
    assert guest.content("file", oflags=CREAT) == DATA
    guest.open("file", oflags=CREAT | TRUNC, rights=READ | WRITE)
    assert furnished.read("file") == b""
