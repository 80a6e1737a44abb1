"""Catalogue C 20 to 22: what path_open may be asked for, and dropping rights."""

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, READ, TRUNC, WRITE
from tests.attacks.places import DIR, FILE
from tests.attacks.recipes import furnish, keep
from wasi_spec import Errno, Fdflags, Lookupflags, Rights
from wasi_spec.rights import ALL_RIGHTS, DIRECTORY_RIGHTS, FILE_RIGHTS

modes = pytest.mark.parametrize("mode", ["grant", "strict"])


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place)


#: Each right of a file or directory, but those that choose the open mode.
OTHERS = [right for right in Rights if (FILE_RIGHTS | DIRECTORY_RIGHTS) & right & ~(READ | WRITE)]


@pytest.mark.parametrize("right", OTHERS, ids=lambda right: right.name)
def test_c20_asking_for_more_than_the_directory_gives_is_notcapable_where_strict(
    memory_only, start, right
):
    furnish(memory_only)
    guest = start(memory_only, rights="strict")
    fd = guest.open_dir(".")
    keep(guest, fd, ALL_RIGHTS, ~int(right))
    asked = FILE_RIGHTS & ~WRITE
    assert guest.try_open("file", fd=fd, rights=asked | right) is Errno.NOTCAPABLE
    assert guest.try_open("file", fd=fd, inheriting=int(right)) is Errno.NOTCAPABLE
    assert guest.try_open("file", fd=fd, rights=asked & ~int(right)) is Errno.SUCCESS


@pytest.mark.parametrize("right", OTHERS, ids=lambda right: right.name)
def test_c20_asking_for_more_than_the_directory_gives_is_masked_where_granted(
    memory_only, start, right
):
    furnish(memory_only)
    guest = start(memory_only)
    fd = guest.open_dir(".")
    keep(guest, fd, ALL_RIGHTS, ~int(right))
    opened = guest.open("file", fd=fd, rights=FILE_RIGHTS | right, inheriting=int(right))
    stat = guest.must("fd_fdstat_get", opened)
    assert (stat.fs_rights_base | stat.fs_rights_inheriting) & right == 0


@pytest.mark.parametrize("right", [READ, WRITE], ids=["read", "write"])
@modes
def test_c20_asking_to_read_or_write_what_the_directory_cannot_give_is_notcapable(
    place, start, right, mode
):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir(".")
    keep(guest, fd, ALL_RIGHTS, ~right)
    files = place.snapshot()
    for asked in (right, READ | WRITE):
        assert guest.try_open("file", fd=fd, rights=asked) is Errno.NOTCAPABLE
        errno = guest.try_open("made", fd=fd, rights=asked, oflags=CREAT)
        assert errno is Errno.NOTCAPABLE
    assert place.snapshot() == files


def test_c20_a_file_that_the_embedder_lets_nobody_write_cannot_be_opened_for_it(place, start):
    furnish(place)
    guest = start(place, rights=ALL_RIGHTS & ~WRITE)
    assert guest.try_open("file", rights=READ | WRITE) is Errno.NOTCAPABLE
    assert guest.try_open("file", rights=WRITE) is Errno.NOTCAPABLE
    assert guest.content("file") == b"0123456789"


OPEN_MODES = {
    "nothing": (0, True, False),
    "to read": (READ, True, False),
    "to write": (WRITE, False, True),
    "both": (READ | WRITE, True, True),
    "to seek": (int(Rights.FD_SEEK), True, False),
}


@pytest.mark.parametrize(("asked", "reads", "writes"), OPEN_MODES.values(), ids=OPEN_MODES)
@pytest.mark.parametrize("oflags", [0, CREAT, TRUNC, CREAT | TRUNC], ids=["", "C", "T", "CT"])
def test_c20_what_is_asked_for_decides_the_open_mode_and_oflags_do_not(
    guest, asked, reads, writes, oflags
):
    fd = guest.open("file", rights=asked, oflags=oflags)
    can = (Errno.BADF, Errno.SUCCESS)
    assert guest.call("fd_read", fd, guest.vector(1)) is can[reads]
    assert guest.call("fd_write", fd, guest.vector(b"x")) is can[writes]
    stat = guest.must("fd_fdstat_get", fd)
    assert bool(stat.fs_rights_base & READ) is reads
    assert bool(stat.fs_rights_base & WRITE) is writes


@modes
def test_c20_undefined_rights_are_masked(place, start, mode):
    furnish(place)
    guest = start(place, rights=mode)
    beyond = ~ALL_RIGHTS & (2**64 - 1)
    fd = guest.open("file", rights=READ | beyond, inheriting=beyond)
    stat = guest.must("fd_fdstat_get", fd)
    assert stat.fs_rights_base & READ
    assert stat.fs_rights_base & beyond == 0
    assert stat.fs_rights_inheriting & beyond == 0


def test_c20_all_ones_ask_for_all_there_is_where_rights_are_granted(guest):
    fd = guest.open("file", rights=2**64 - 1, inheriting=2**64 - 1)
    assert guest.must("fd_fdstat_get", fd).fs_rights_base == FILE_RIGHTS


@pytest.mark.parametrize("oflags", [0, DIRECTORY], ids=["any kind", "a directory asked for"])
@modes
def test_c20_a_directory_opened_to_be_written_is_isdir(place, start, oflags, mode):
    furnish(place)
    guest = start(place, rights=mode)
    assert guest.try_open("empty0", rights=READ | WRITE, oflags=oflags) is Errno.ISDIR
    assert guest.open("file") == 4


# Dropping rights.


@pytest.mark.parametrize("path", ["file", "empty0"], ids=["a file", "a directory"])
@modes
def test_c21_setting_the_same_rights_changes_nothing(place, start, path, mode):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open(path) if path == "file" else guest.open_dir(path)
    before = guest.must("fd_fdstat_get", fd)
    keep(guest, fd, ALL_RIGHTS)
    assert guest.must("fd_fdstat_get", fd) == before


@modes
def test_c21_fewer_rights_are_shown_by_fdstat(place, start, mode):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir("empty0")
    base, inheriting = int(Rights.PATH_OPEN | Rights.FD_READDIR), READ
    guest.must("fd_fdstat_set_rights", fd, base, inheriting)
    stat = guest.must("fd_fdstat_get", fd)
    assert (stat.fs_rights_base, stat.fs_rights_inheriting) == (base, inheriting)


def test_c21_what_is_opened_later_inherits_the_smaller_set(guest):
    fd = guest.open_dir(".")
    guest.must("fd_fdstat_set_rights", fd, int(Rights.PATH_OPEN), READ | int(Rights.FD_SEEK))
    stat = guest.must("fd_fdstat_get", guest.open("file", fd=fd, rights=READ))
    assert stat.fs_rights_base == READ | Rights.FD_SEEK
    below = guest.must("fd_fdstat_get", guest.open("empty0", fd=fd, rights=READ))
    assert below.fs_rights_base == READ
    assert below.fs_rights_inheriting == READ | Rights.FD_SEEK


def test_c21_what_was_opened_before_keeps_its_rights(guest):
    fd = guest.open_dir(".")
    opened = guest.open("file", fd=fd)
    before = guest.must("fd_fdstat_get", opened)
    guest.must("fd_fdstat_set_rights", fd, 0, 0)
    assert guest.must("fd_fdstat_get", opened) == before
    assert guest.read(opened) == b"0123456789"


@pytest.mark.parametrize("which", [0, 1], ids=["base", "inheriting"])
@modes
def test_c21_a_right_that_is_not_there_is_notcapable_and_nothing_is_changed(
    place, start, which, mode
):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir("empty0")
    keep(guest, fd, ~int(Rights.PATH_OPEN), ~int(Rights.FD_SEEK))
    before = guest.must("fd_fdstat_get", fd)
    asked = [0, 0]
    asked[which] = int((Rights.PATH_OPEN, Rights.FD_SEEK)[which])
    assert guest.call("fd_fdstat_set_rights", fd, *asked) is Errno.NOTCAPABLE
    assert guest.must("fd_fdstat_get", fd) == before


def test_c21_rights_once_dropped_do_not_come_back(guest):
    fd = guest.open("file")
    whole = guest.must("fd_fdstat_get", fd)
    guest.must("fd_fdstat_set_rights", fd, 0, 0)
    errno = guest.call("fd_fdstat_set_rights", fd, whole.fs_rights_base, 0)
    assert errno is Errno.NOTCAPABLE
    assert guest.must("fd_fdstat_get", fd).fs_rights_base == 0


def test_c21_undefined_rights_are_masked(guest):
    fd = guest.open("file")
    guest.must("fd_fdstat_set_rights", fd, READ | 1 << 63 | 1 << 30, 1 << 40)
    stat = guest.must("fd_fdstat_get", fd)
    assert (stat.fs_rights_base, stat.fs_rights_inheriting) == (READ, 0)


def test_c21_dropped_rights_of_an_output_bind(guest):
    guest.must("fd_fdstat_set_rights", 1, int(Rights.FD_FDSTAT_SET_FLAGS), 0)
    assert guest.call("fd_write", 1, guest.vector(b"words")) is Errno.NOTCAPABLE


def test_c21_dropped_rights_of_a_preopen_bind(guest, place):
    keep(guest, 3, ~int(Rights.PATH_CREATE_DIRECTORY))
    assert guest.call("path_create_directory", 3, "made") is Errno.NOTCAPABLE
    assert not place.exists("made")


# What the flags of path_open need.

SYNCS = {
    "DSYNC": (Fdflags.DSYNC, Rights.FD_DATASYNC),
    "SYNC": (Fdflags.SYNC, Rights.FD_SYNC),
    "RSYNC": (Fdflags.RSYNC, Rights.FD_SYNC),
}

FLAGS = {
    "TRUNC": (TRUNC, 0, Rights.PATH_FILESTAT_SET_SIZE, 0),
    "CREAT": (CREAT, 0, Rights.PATH_CREATE_FILE, 0),
    **{name: (0, int(flag), 0, right) for name, (flag, right) in SYNCS.items()},
}

flags = pytest.mark.parametrize(
    ("oflags", "fdflags", "base", "inheriting"), FLAGS.values(), ids=FLAGS
)


@flags
@pytest.mark.parametrize("path", ["file", "made"], ids=["there", "missing"])
@modes
def test_c22_a_flag_without_the_directorys_right_is_notcapable_and_nothing_is_done(
    place, start, path, oflags, fdflags, base, inheriting, mode
):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir(".")
    keep(guest, fd, ~int(base), ~int(inheriting))
    files = place.snapshot()
    errno = guest.try_open(path, fd=fd, oflags=oflags, fdflags=fdflags)
    assert errno is Errno.NOTCAPABLE
    assert place.snapshot() == files
    assert guest.open("file") == fd + 1


@flags
@modes
def test_c22_a_flag_needs_no_other_right_of_the_directory(
    place, start, oflags, fdflags, base, inheriting, mode
):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir(".")
    keep(guest, fd, int(Rights.PATH_OPEN | base), READ | int(inheriting))
    opened = guest.open("file", fd=fd, oflags=oflags, fdflags=fdflags, rights=READ)
    assert guest.must("fd_fdstat_get", opened).fs_flags == fdflags


@modes
def test_c22_append_needs_no_right(place, start, mode):
    furnish(place)
    guest = start(place, rights=mode)
    fd = guest.open_dir(".")
    keep(guest, fd, int(Rights.PATH_OPEN), READ | WRITE)
    opened = guest.open("file", fd=fd, fdflags=int(Fdflags.APPEND), rights=READ | WRITE)
    guest.write(opened, b"ab")
    assert place.read("file") == b"0123456789ab"


def test_c22_truncating_works_with_no_rights_asked_for(guest, place):
    fd = guest.open("file", rights=0, oflags=TRUNC)
    assert place.read("file") == b""
    assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.BADF


def test_c22_creating_works_with_no_rights_asked_for(guest, place):
    guest.open("made", rights=0, oflags=CREAT)
    assert place.see("made").kind == FILE


@pytest.mark.parametrize("follow", [0, int(Lookupflags.SYMLINK_FOLLOW)], ids=["not", "following"])
def test_c22_a_directory_whose_right_to_open_was_dropped_opens_nothing(guest, follow):
    keep(guest, 3, ~int(Rights.PATH_OPEN))
    assert guest.try_open("link", follow=bool(follow)) is Errno.NOTCAPABLE
    assert guest.must("fd_fdstat_get", 3).fs_filetype == DIR
