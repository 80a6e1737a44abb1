"""Catalogue Q 91 to 93: what a guest is told about its descriptors."""

import os

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from wasi_spec import Fdflags, Filetype, Fstflags, Rights
from wasi_spec.rights import ALL_RIGHTS, DIRECTORY_RIGHTS, FILE_RIGHTS

UNKNOWN = int(Filetype.UNKNOWN)
CHARACTER_DEVICE = int(Filetype.CHARACTER_DEVICE)

#: The rights that the official suite expects of a directory.
SUITE = int(
    Rights.PATH_CREATE_DIRECTORY
    | Rights.PATH_CREATE_FILE
    | Rights.PATH_LINK_SOURCE
    | Rights.PATH_LINK_TARGET
    | Rights.PATH_OPEN
    | Rights.FD_READDIR
    | Rights.PATH_READLINK
    | Rights.PATH_RENAME_SOURCE
    | Rights.PATH_RENAME_TARGET
    | Rights.PATH_SYMLINK
    | Rights.PATH_REMOVE_DIRECTORY
    | Rights.PATH_UNLINK_FILE
    | Rights.PATH_FILESTAT_GET
    | Rights.PATH_FILESTAT_SET_TIMES
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_TIMES
)

modes = pytest.mark.parametrize("mode", ["grant", "strict"])


@pytest.fixture
def guest(place, start):
    place.write("file", b"0123456789")
    place.mkdir("dir")
    return start(place)


def fdstat(guest, fd):
    return guest.must("fd_fdstat_get", fd)


# Directories.


@modes
def test_q91_a_preopen_is_a_directory_without_flags(place, start, mode):
    stat = fdstat(start(place, rights=mode), 3)
    assert stat.fs_filetype == Filetype.DIRECTORY
    assert stat.fs_flags == 0


@modes
def test_q91_a_preopen_has_the_rights_of_the_suite_and_that_to_truncate(place, start, mode):
    base = fdstat(start(place, rights=mode), 3).fs_rights_base
    assert bin(SUITE).count("1") == 16
    assert base & SUITE == SUITE
    assert base & Rights.PATH_FILESTAT_SET_SIZE


NEVER = int(Rights.FD_WRITE | Rights.FD_SEEK | Rights.FD_FILESTAT_SET_SIZE)


@modes
def test_q91_a_preopen_never_has_the_rights_of_a_file_to_be_written(place, start, mode):
    assert fdstat(start(place, rights=mode), 3).fs_rights_base & NEVER == 0


def test_q91_an_opened_directory_cannot_seek_or_be_cut(guest):
    fd = guest.open_dir("dir", rights=ALL_RIGHTS & ~WRITE)
    assert fdstat(guest, fd).fs_rights_base & NEVER == 0


@modes
def test_q91_a_preopen_passes_on_all_it_has_and_all_rights_of_files(place, start, mode):
    stat = fdstat(start(place, rights=mode), 3)
    assert stat.fs_rights_inheriting & stat.fs_rights_base == stat.fs_rights_base
    assert stat.fs_rights_inheriting & FILE_RIGHTS == FILE_RIGHTS


@pytest.mark.parametrize("asked", ["its own", "none", "to read"])
@modes
def test_q91_the_dot_opens_again(place, start, asked, mode):
    guest = start(place, rights=mode)
    stat = fdstat(guest, 3)
    rights = {"its own": stat.fs_rights_base, "none": 0, "to read": READ}[asked]
    inheriting = stat.fs_rights_inheriting if asked == "its own" else 0
    fd = guest.open(".", rights=rights, inheriting=inheriting)
    again = fdstat(guest, fd)
    assert again.fs_filetype == Filetype.DIRECTORY
    if asked == "its own":
        assert again == stat
    assert guest.must("fd_filestat_get", 3).ino == guest.stat(".").ino


def test_q91_an_opened_directory_can_what_the_preopen_can(guest):
    assert fdstat(guest, guest.open("dir", rights=READ)) == fdstat(guest, 3)


def test_q91_the_embedders_grant_is_shown(place, start):
    granted = int(Rights.PATH_OPEN | Rights.FD_READ | Rights.FD_READDIR)
    stat = fdstat(start(place, rights=granted), 3)
    assert stat.fs_rights_base == granted
    assert stat.fs_rights_inheriting == granted & (DIRECTORY_RIGHTS | FILE_RIGHTS)


# Files.

REQUESTS = {
    "to read": (READ, WRITE),
    "to write": (WRITE, READ | int(Rights.FD_READDIR)),
    "both": (READ | WRITE, 0),
}


@pytest.mark.parametrize(("asked", "missing"), REQUESTS.values(), ids=REQUESTS)
def test_q92_a_file_does_not_show_rights_its_open_mode_lacks(guest, asked, missing):
    base = fdstat(guest, guest.open("file", rights=asked)).fs_rights_base
    assert base & missing == 0
    assert base & asked == asked


def test_q92_a_file_shows_its_flags(guest):
    flags = int(Fdflags.APPEND | Fdflags.NONBLOCK)
    fd = guest.open("file", fdflags=flags)
    assert fdstat(guest, fd).fs_flags == flags
    assert fdstat(guest, fd).fs_filetype == Filetype.REGULAR_FILE


def test_q92_strict_rights_are_shown_to_the_letter(place, start):
    place.write("file", b"")
    guest = start(place, rights="strict")
    fd = guest.open("file", rights=READ | int(Rights.FD_SEEK), inheriting=int(Rights.FD_SEEK))
    stat = fdstat(guest, fd)
    assert stat.fs_rights_base == READ | Rights.FD_SEEK
    assert stat.fs_rights_inheriting == Rights.FD_SEEK


# Standard streams.

STDIO = pytest.mark.parametrize("fd", [0, 1, 2], ids=["stdin", "stdout", "stderr"])


@STDIO
@modes
def test_q92_a_standard_streams_attributes_are_all_zero_but_the_type(memory_only, start, fd, mode):
    guest = start(memory_only, rights=mode)
    stat = guest.must("fd_filestat_get", fd)
    assert stat._replace(filetype=0) == (0,) * 8
    assert stat.filetype == fdstat(guest, fd).fs_filetype


@STDIO
def test_q92_a_standard_stream_that_is_no_terminal_is_unknown(memory_only, start, fd):
    guest = start(memory_only)
    assert fdstat(guest, fd).fs_filetype == UNKNOWN


@STDIO
def test_q92_a_standard_stream_can_neither_seek_nor_tell(memory_only, start, fd):
    base = fdstat(start(memory_only), fd).fs_rights_base
    assert base & (Rights.FD_SEEK | Rights.FD_TELL) == 0


@STDIO
@modes
def test_q92_a_standard_stream_has_the_rights_to_its_direction_and_to_be_polled(
    memory_only, start, fd, mode
):
    base = fdstat(start(memory_only, rights=mode), fd).fs_rights_base
    due = Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_FILESTAT_GET | Rights.POLL_FD_READWRITE
    assert base & due == due
    assert base & (READ | WRITE) == (WRITE if fd else READ)


@pytest.fixture
def terminal():
    controller, terminal = os.openpty()
    yield terminal
    os.close(controller)
    os.close(terminal)


def test_q92_a_terminal_is_a_character_device(memory_only, start, terminal):
    guest = start(memory_only, stdin=terminal)
    assert fdstat(guest, 0).fs_filetype == CHARACTER_DEVICE
    assert guest.must("fd_filestat_get", 0).filetype == CHARACTER_DEVICE


def test_q92_a_pipe_is_unknown(memory_only, start):
    reader, writer = os.pipe()
    try:
        guest = start(memory_only, stdin=reader)
        assert fdstat(guest, 0).fs_filetype == UNKNOWN
    finally:
        os.close(reader)
        os.close(writer)


def test_q92_a_character_device_that_is_no_terminal_is_unknown(memory_only, start):
    device = os.open("/dev/null", os.O_RDONLY)
    try:
        guest = start(memory_only, stdin=device)
        assert fdstat(guest, 0).fs_filetype == UNKNOWN
    finally:
        os.close(device)


def test_q92_a_file_as_standard_stream_is_unknown_and_all_zero(memory_only, start, tmp_path):
    (tmp_path / "input").write_bytes(b"words")
    with open(tmp_path / "input", "rb") as file:
        guest = start(memory_only, stdin=file)
        assert fdstat(guest, 0).fs_filetype == UNKNOWN
        assert guest.must("fd_filestat_get", 0) == (0,) * 8
        assert guest.read(0) == b"words"


# Two descriptors.


@pytest.fixture
def pair(guest):
    """Two descriptors of one file, each for reading and writing."""
    return guest, guest.open("file"), guest.open("file")


def test_q93_two_descriptors_have_positions_of_their_own(pair):
    guest, one, other = pair
    assert guest.read(one, 4) == b"0123"
    assert guest.read(other, 2) == b"01"
    assert (guest.tell(one), guest.tell(other)) == (4, 2)


def test_q93_what_one_writes_the_other_reads_at_once(pair):
    guest, one, other = pair
    guest.read(other, 2)
    guest.write(one, b"abcdef")
    assert guest.read(other) == b"cdef6789"


def test_q93_what_one_appends_the_other_sees(guest):
    one = guest.open("file", fdflags=int(Fdflags.APPEND))
    other = guest.open("file")
    guest.write(one, b"more")
    assert guest.must("fd_filestat_get", other).size == 14
    assert guest.read(other) == b"0123456789more"


def test_q93_cut_by_one_the_other_reads_nothing_at_its_old_position(pair):
    guest, one, other = pair
    guest.read(other, 8)
    guest.must("fd_filestat_set_size", one, 3)
    assert guest.read(other) == b""
    assert guest.tell(other) == 8


def test_q93_cut_by_one_the_others_write_leaves_a_hole(pair, place):
    guest, one, other = pair
    guest.read(other, 8)
    guest.must("fd_filestat_set_size", one, 3)
    guest.write(other, b"ab")
    assert place.read("file") == b"012\0\0\0\0\0ab"
    assert guest.read(one) == b"012\0\0\0\0\0ab"


def test_q93_a_closed_descriptor_leaves_the_other_alone(pair):
    guest, one, other = pair
    guest.must("fd_close", one)
    assert guest.read(other) == b"0123456789"


def test_q93_two_files_of_a_directory_have_one_device_and_inodes_of_their_own(guest):
    guest.open("second", oflags=CREAT, rights=WRITE)
    one, other = guest.stat("file"), guest.stat("second")
    assert one.dev == other.dev == guest.must("fd_filestat_get", 3).dev
    assert one.ino != other.ino


def test_q93_two_names_of_one_file_have_one_inode(guest):
    guest.must("path_link", 3, 0, "file", 3, "again")
    one, other = guest.stat("file"), guest.stat("again")
    assert one == other
    assert one.nlink == 2


def test_q93_times_set_by_one_are_seen_by_the_other(pair):
    guest, one, other = pair
    guest.must("fd_filestat_set_times", one, 0, 1_000_000_007, int(Fstflags.MTIM))
    assert guest.must("fd_filestat_get", other).mtim == 1_000_000_007
