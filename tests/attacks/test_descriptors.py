"""Catalogue B 12 to 15: numbers that are no descriptors, closing, preopens' names, renumbering."""

import pytest

from tests.attacks.guest import CREAT, READ, ROWS
from tests.attacks.recipes import NAMES, furnish, numbers, prepare, state
from wasi_spec import Errno
from wasi_spec.types import FD

PATTERN = b"\xa5"

WITH_A_DESCRIPTOR = [
    (name, part.name) for name in NAMES for part in ROWS[name].params if part.type is FD
]


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place)


@pytest.fixture
def two(place, start):
    """A guest with two directories, 3 and 4."""
    furnish(place)
    place.mkdir("dir")
    place.write("dir/below", b"below")
    return start(place, dirs={"/first": place.source, "/second one": {"other": b"other"}})


# 12


@pytest.mark.parametrize(("name", "param"), WITH_A_DESCRIPTOR)
def test_b12_a_number_that_is_no_descriptor_is_badf_and_nothing_happens(
    memory_only, start, name, param
):
    furnish(memory_only)
    guest = start(memory_only)
    closed = guest.open("file")
    guest.must("fd_close", closed)
    slots = prepare(guest, name)
    wrong = [2**32 - 1, 2**31, 2**31 - 1, 1000, closed + 10]
    before = memory_only.snapshot(), state(guest)
    found = {fd: guest.raw(name, *numbers(slots, **{param: fd})) for fd in wrong}
    assert found == dict.fromkeys(wrong, Errno.BADF)
    assert (memory_only.snapshot(), state(guest)) == before


@pytest.mark.parametrize(("name", "param"), WITH_A_DESCRIPTOR)
def test_b12_a_descriptor_that_was_closed_is_badf(memory_only, start, name, param):
    furnish(memory_only)
    guest = start(memory_only)
    slots = prepare(guest, name)
    closed = guest.open("file")
    guest.must("fd_close", closed)
    assert guest.raw(name, *numbers(slots, **{param: closed})) is Errno.BADF


# 13


@pytest.mark.parametrize("fd", [0, 1, 2], ids=["stdin", "stdout", "stderr"])
def test_b13_a_closed_standard_stream_is_badf(memory_only, start, fd):
    guest = start(memory_only, stdin=b"words")
    guest.must("fd_close", fd)
    how = "fd_write" if fd else "fd_read"
    assert guest.call(how, fd, guest.vector(4)) is Errno.BADF
    assert guest.call("fd_close", fd) is Errno.BADF
    assert guest.call("fd_fdstat_get", fd) is Errno.BADF


def test_b13_with_all_standard_streams_closed_files_still_work(guest):
    for fd in range(3):
        guest.must("fd_close", fd)
    assert guest.content("file") == b"0123456789"


@pytest.mark.parametrize("name", ["fd_prestat_get", "fd_fdstat_get", "fd_filestat_get"])
def test_b13_a_closed_preopens_number_is_badf(two, name):
    two.must("fd_close", 3)
    assert two.call(name, 3) is Errno.BADF


def test_b13_what_was_opened_below_a_closed_preopen_stays_usable(two, place):
    file, directory = two.open("file"), two.open_dir("dir")
    two.must("fd_close", 3)
    assert two.read(file) == b"0123456789"
    assert two.content("below", fd=directory) == b"below"
    two.open("made", fd=directory, oflags=CREAT)
    assert place.exists("dir/made")


def test_b13_later_preopens_keep_their_numbers(two):
    two.must("fd_close", 3)
    assert prestat_name(two, 4) == b"/second one"
    assert two.content("other", fd=4) == b"other"


# 14


def prestat_name(guest, fd):
    """Return the name of a preopen, as a C library asks for it."""
    length = guest.must("fd_prestat_get", fd).pr_name_len
    at = guest.alloc(length)
    guest.must("fd_prestat_dir_name", fd, at, length)
    return guest.get(at, length)


@pytest.fixture
def named(memory_only, start):
    """A guest whose directory has a name of 12 bytes and 11 characters."""
    return start(memory_only, dirs={"/d\N{LATIN SMALL LETTER E WITH ACUTE}j\u00e0/vu/x": {}})


NAME = "/d\u00e9j\u00e0/vu/x".encode()


def test_b14_the_length_of_a_preopens_name_is_in_bytes(named):
    assert named.must("fd_prestat_get", 3) == (0, len(NAME))


@pytest.mark.parametrize("room", [0, 1, len(NAME) - 1])
def test_b14_a_buffer_too_short_for_a_preopens_name_is_nametoolong_and_stays(named, room):
    named.fill(PATTERN)
    assert named.call("fd_prestat_dir_name", 3, 8000, room) is Errno.NAMETOOLONG
    assert named.dump() == PATTERN * named.size


@pytest.mark.parametrize("more", [0, 1, 100])
def test_b14_a_preopens_name_has_no_terminator_and_the_rest_of_the_buffer_stays(named, more):
    named.fill(PATTERN)
    named.must("fd_prestat_dir_name", 3, 8000, len(NAME) + more)
    assert named.get(7999, len(NAME) + 102) == PATTERN + NAME + PATTERN * 101


@pytest.mark.parametrize("what", ["stdin", "stdout", "a file", "a directory"])
def test_b14_what_is_open_but_no_preopen_has_no_name(two, what):
    fd = {"stdin": 0, "stdout": 1}.get(what)
    if fd is None:
        fd = two.open("file") if what == "a file" else two.open(".", rights=READ)
    assert two.call("fd_prestat_get", fd) is Errno.BADF
    assert two.call("fd_prestat_dir_name", fd, two.alloc(64), 64) is Errno.NOTDIR


# 15


def test_b15_renumbering_what_is_not_open_is_badf_and_the_target_stays(two):
    file = two.open("file")
    assert two.call("fd_renumber", 100, file) is Errno.BADF
    assert two.read(file) == b"0123456789"


@pytest.mark.parametrize("to", [100, 2**31, 2**32 - 1])
def test_b15_renumbering_to_what_is_not_open_is_badf_and_the_source_stays(two, to):
    file = two.open("file")
    assert two.call("fd_renumber", file, to) is Errno.BADF
    assert two.read(file) == b"0123456789"


@pytest.mark.parametrize("fd", [0, 1, 3, 4])
def test_b15_renumbering_onto_itself_changes_nothing(two, fd):
    before = state(two)
    two.must("fd_renumber", fd, fd)
    assert state(two) == before


def test_b15_a_moved_file_keeps_position_rights_and_flags(two):
    one, other = two.open("file", rights=READ, fdflags=1), two.open("spare0")
    two.read(one, 4)
    stat = two.must("fd_fdstat_get", one)
    two.must("fd_renumber", one, other)
    assert two.must("fd_fdstat_get", other) == stat
    assert two.tell(other) == 4
    assert two.read(other) == b"456789"
    assert not two.is_open(one)


def test_b15_the_number_a_descriptor_left_is_the_next_to_be_used(two):
    one, other = two.open("file"), two.open("spare0")
    two.must("fd_renumber", one, other)
    assert two.open("spare1") == one


def test_b15_a_file_moved_onto_a_preopen_takes_its_place_without_its_name(two):
    file = two.open("file")
    stat = two.must("fd_fdstat_get", file)
    two.must("fd_renumber", file, 3)
    assert two.must("fd_fdstat_get", 3) == stat
    assert two.read(3) == b"0123456789"
    assert two.call("fd_prestat_get", 3) is Errno.BADF
    assert two.call("fd_prestat_dir_name", 3, two.alloc(64), 64) is Errno.NOTDIR


def test_b15_a_preopen_moved_onto_a_file_takes_its_name_along(two):
    file = two.open("file")
    stat = two.must("fd_fdstat_get", 3)
    two.must("fd_renumber", 3, file)
    assert two.must("fd_fdstat_get", file) == stat
    assert prestat_name(two, file) == b"/first"
    assert two.content("file", fd=file) == b"0123456789"
    assert two.call("fd_prestat_get", 3) is Errno.BADF


def test_b15_a_preopen_moved_onto_another_has_its_own_name(two):
    two.must("fd_renumber", 4, 3)
    assert prestat_name(two, 3) == b"/second one"
    assert two.content("other", fd=3) == b"other"
    assert not two.is_open(4)


def test_b15_a_file_moved_onto_stdout_gets_what_is_written_there(two, place):
    two.must("fd_renumber", two.open("spare0"), 1)
    two.write(1, b"words")
    assert place.read("spare0") == b"words"


def test_b15_a_file_moved_onto_stdin_is_read_there(two):
    two.must("fd_renumber", two.open("file"), 0)
    assert two.read(0) == b"0123456789"


def test_b15_stdout_moved_onto_a_file_leaves_the_file_alone(memory_only, start):
    memory_only.write("file", b"0123456789")
    taken = []
    guest = start(memory_only, stdout=lambda data: taken.append(bytes(data)))
    fd = guest.open("file")
    guest.must("fd_renumber", 1, fd)
    guest.write(fd, b"words")
    assert b"".join(taken) == b"words"
    assert memory_only.read("file") == b"0123456789"
    assert not guest.is_open(1)
