"""Catalogue A 2 to 5, 10: vectors and buffers that lie, and calls that must not half happen."""

import pytest

from tests.attacks.guest import CREAT, PAGE, PAGES, READ, WRITE
from wasi_spec import Errno, records

END = PAGE * PAGES
BAD = END - 1
DIGITS = b"0123456789"


@pytest.fixture
def guest(place, start):
    place.write("file", DIGITS)
    place.symlink("file", "link")
    return start(place)


class Output:
    """A standard output that keeps what it is given, as it is given."""

    def __init__(self):
        self.chunks = []

    def __call__(self, data):
        self.chunks.append(data)

    @property
    def data(self):
        return b"".join(self.chunks)


@pytest.fixture
def piped(memory_only, start):
    """A guest with words on its standard input and an output that is watched."""
    output = Output()
    started = start(memory_only, stdin=b"words", stdout=output)
    started.output = output
    return started


# A result that has no place.


def test_a02_a_bad_result_pointer_creates_no_file(guest, place):
    path = guest.put(b"made")
    errno = guest.raw("path_open", 3, 0, path, 4, CREAT, READ | WRITE, 0, 0, BAD)
    assert errno is Errno.FAULT
    assert not place.exists("made")


def test_a02_a_bad_result_pointer_leaves_no_descriptor(guest):
    path = guest.put(b"file")
    errno = guest.raw("path_open", 3, 0, path, 4, 0, READ, 0, 0, BAD)
    assert errno is Errno.FAULT
    assert guest.open("file") == 4


def test_a02_a_bad_result_pointer_cuts_no_file(guest, place):
    path = guest.put(b"file")
    errno = guest.raw("path_open", 3, 0, path, 4, 8, READ | WRITE, 0, 0, BAD)
    assert errno is Errno.FAULT
    assert place.read("file") == DIGITS


@pytest.mark.parametrize("name", ["fd_write", "fd_pwrite"])
def test_a02_a_bad_result_pointer_writes_no_byte(guest, place, name):
    fd = guest.open("file")
    offset = [2] if name == "fd_pwrite" else []
    assert guest.raw(name, fd, *guest.vector(b"words"), *offset, BAD) is Errno.FAULT
    assert place.read("file") == DIGITS
    assert guest.tell(fd) == 0


@pytest.mark.parametrize("name", ["fd_read", "fd_pread"])
@pytest.mark.parametrize("size", [4, 10_000], ids=["by a copy", "without a copy"])
def test_a02_a_bad_result_pointer_reads_no_byte(guest, name, size):
    fd = guest.open("file")
    iovs = guest.vector(size)
    offset = [2] if name == "fd_pread" else []
    before = guest.dump()
    assert guest.raw(name, fd, *iovs, *offset, BAD) is Errno.FAULT
    assert guest.dump() == before
    assert guest.tell(fd) == 0


def test_a02_a_bad_result_pointer_moves_no_position(guest):
    fd = guest.open("file")
    assert guest.raw("fd_seek", fd, 5, 0, BAD) is Errno.FAULT
    assert guest.tell(fd) == 0


def test_a02_a_bad_result_pointer_takes_nothing_from_the_input(piped):
    assert piped.raw("fd_read", 0, *piped.vector(3), BAD) is Errno.FAULT
    assert piped.read(0) == b"words"


def test_a02_a_bad_result_pointer_writes_nothing_to_the_output(piped):
    assert piped.raw("fd_write", 1, *piped.vector(b"words"), BAD) is Errno.FAULT
    assert piped.output.data == b""


@pytest.mark.parametrize(
    ("at", "size"), [(END - 8, 9), (0, END + 1), (1, END)], ids=["the end", "all", "all but one"]
)
def test_a02_random_bytes_that_do_not_fit_are_a_fault_and_none_is_written(guest, at, size):
    before = guest.dump()
    assert guest.raw("random_get", at, size) is Errno.FAULT
    assert guest.dump() == before


# Vectors.

POSITIONS = {"alone": 0, "first of three": 0, "middle of three": 1, "last of three": 2}

OUTSIDE = {
    "one byte over": (END - 3, 4),
    "at the end": (END, 1),
    "wrapping": (0xFFFFFFFF, 1),
    "wrapping by its length": (4096, 0xFFFFFFFF),
    "beginning behind": (0x80000000, 16),
}

wrong = pytest.mark.parametrize("pair", OUTSIDE.values(), ids=OUTSIDE)
position = pytest.mark.parametrize("which", POSITIONS)


def spoiled(guest, which, pair):
    """Return vectors of which one lies; the others are good and hold something."""
    pairs = [(guest.put(b"good"), 4) for _ in range(1 if which == "alone" else 3)]
    pairs[POSITIONS[which]] = pair
    return guest.vector_at(*pairs)


@wrong
@position
@pytest.mark.parametrize("name", ["fd_write", "fd_pwrite"])
def test_a03_a_buffer_outside_memory_is_a_fault_and_nothing_is_written(
    guest, place, name, which, pair
):
    fd = guest.open("file")
    offset = [3] if name == "fd_pwrite" else []
    assert guest.call(name, fd, spoiled(guest, which, pair), *offset) is Errno.FAULT
    assert place.read("file") == DIGITS
    assert guest.tell(fd) == 0


@wrong
@position
@pytest.mark.parametrize("name", ["fd_read", "fd_pread"])
def test_a03_a_buffer_outside_memory_is_a_fault_and_nothing_is_read(guest, name, which, pair):
    fd = guest.open("file")
    iovs = spoiled(guest, which, pair)
    offset = [3] if name == "fd_pread" else []
    at = guest.alloc(4)
    before = guest.dump()
    assert guest.raw(name, fd, *iovs, *offset, at) is Errno.FAULT
    assert guest.dump() == before
    assert guest.tell(fd) == 0


@wrong
@position
def test_a03_streams_neither_take_nor_give_anything_for_a_buffer_outside(piped, which, pair):
    assert piped.call("fd_read", 0, spoiled(piped, which, pair)) is Errno.FAULT
    assert piped.call("fd_write", 1, spoiled(piped, which, pair)) is Errno.FAULT
    assert piped.read(0) == b"words"
    assert piped.output.data == b""


@pytest.mark.parametrize("count", [1, 2, 1024], ids=["one", "two", "many"])
@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_a03_a_vector_array_that_leaves_memory_is_a_fault(guest, place, name, count):
    fd = guest.open("file")
    assert guest.call(name, fd, (END - 8 * count + 1, count)) is Errno.FAULT
    assert place.read("file") == DIGITS
    assert guest.tell(fd) == 0


@pytest.mark.parametrize("name", ["fd_readdir", "path_readlink", "fd_prestat_dir_name"])
def test_a03_the_whole_declared_buffer_must_be_there_though_less_would_be_filled(guest, name):
    at, size = END - 1024, 1025
    arguments = {
        "fd_readdir": (3, at, size, 0),
        "path_readlink": (3, "link", at, size),
        "fd_prestat_dir_name": (3, at, size),
    }[name]
    assert guest.call(name, *arguments) is Errno.FAULT
    assert guest.get(at, 1024) == bytes(1024)


# Counts.

WILD = [(0xFFFFFFFF, 0), (END, 0), (0, 0)]

EMPTY = {"no vectors": [], "one empty": WILD[:1], "three empty": WILD}

empty = pytest.mark.parametrize("pairs", EMPTY.values(), ids=EMPTY)


@empty
@pytest.mark.parametrize("name", ["fd_read", "fd_pread", "fd_write", "fd_pwrite"])
def test_a04_no_vectors_or_only_empty_ones_transfer_nothing(guest, place, name, pairs):
    fd = guest.open("file")
    offset = [0] if "fd_p" in name else []
    assert guest.must(name, fd, guest.vector_at(*pairs), *offset) == 0
    assert place.read("file") == DIGITS
    assert guest.tell(fd) == 0


@empty
def test_a04_no_vectors_or_only_empty_ones_transfer_nothing_on_streams(piped, pairs):
    assert piped.must("fd_read", 0, piped.vector_at(*pairs)) == 0
    assert piped.must("fd_write", 1, piped.vector_at(*pairs)) == 0
    assert piped.must("fd_write", 2, piped.vector_at(*pairs)) == 0
    assert piped.read(0) == b"words"
    assert piped.output.data == b""


def test_a04_empty_vectors_among_others_are_passed_over(guest, place):
    fd = guest.open("file")
    good = (guest.put(b"ab"), 2)
    assert guest.must("fd_write", fd, guest.vector_at(WILD[0], good, WILD[1], good, WILD[2])) == 4
    assert place.read("file") == b"abab456789"


@pytest.mark.parametrize("count", [0xFFFFFFFF, 0x20000000, 0x20000001, 0x80000000], ids=hex)
@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_a04_a_count_whose_array_wraps_is_a_fault(guest, place, name, count):
    fd = guest.open("file")
    for at in (0, 8, guest.vector(b"x")[0]):
        assert guest.call(name, fd, (at, count)) is Errno.FAULT
    assert place.read("file") == DIGITS


def test_a04_of_more_than_1024_vectors_the_first_1024_are_written(guest, place):
    at = guest.put(b"ab")
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    iovs = guest.vector_at(*[(at, 1)] * 1024, *[(at + 1, 1)] * 1024)
    assert guest.must("fd_write", fd, iovs) == 1024
    assert place.read("new") == b"a" * 1024


def test_a04_exactly_1024_vectors_are_all_written(guest, place):
    at = guest.put(b"abc")
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    assert guest.must("fd_write", fd, guest.vector_at(*[(at, 3)] * 1024)) == 3072
    assert place.read("new") == b"abc" * 1024


def test_a04_of_more_than_1024_vectors_the_first_1024_are_filled(guest, place):
    place.write("long", bytes(range(256)) * 8)
    fd = guest.open("long", rights=READ)
    at = guest.alloc(1100)
    iovs = guest.vector_at(*[(at + index, 1) for index in range(1100)])
    assert guest.must("fd_read", fd, iovs) == 1024
    assert guest.get(at, 1100) == (bytes(range(256)) * 4) + bytes(76)
    assert guest.tell(fd) == 1024


@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
@pytest.mark.parametrize("last", [(4096, 0), (4096, 8)], ids=["all empty", "the first 1024 empty"])
def test_a04_more_than_1024_vectors_that_begin_with_1024_empty_ones_are_inval(guest, name, last):
    fd = guest.open("file")
    assert guest.call(name, fd, guest.vector_at(*[(0, 0)] * 1024, last)) is Errno.INVAL
    assert guest.tell(fd) == 0


# Sums.


@pytest.mark.parametrize("name", ["fd_read", "fd_write"])
def test_a05_a_sum_of_lengths_over_32_bits_is_inval(memory_only, start, name):
    memory_only.write("file", DIGITS)
    guest = start(memory_only, pages=64)
    fd = guest.open("file")
    assert guest.call(name, fd, guest.vector_at(*[(0, 64 * PAGE)] * 1024)) is Errno.INVAL
    assert memory_only.read("file") == DIGITS
    assert guest.tell(fd) == 0


def test_a05_vectors_over_the_same_memory_write_at_most_its_size(guest, place):
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    done = guest.must("fd_write", fd, guest.vector_at(*[(0, END)] * 100))
    assert 0 < done <= END
    assert len(place.read("new")) == done


def test_a05_vectors_over_the_same_memory_are_filled_with_at_most_its_size(guest, place):
    place.write("long", b"x" * (2 * END))
    fd = guest.open("long", rights=READ)
    iovs = guest.vector_at(*[(PAGE, PAGE)] * 1000)
    done = guest.must("fd_read", fd, iovs)
    assert 0 < done <= END
    assert guest.tell(fd) == done


def test_a05_several_vectors_transfer_at_most_16_mib(memory_only, start):
    guest = start(memory_only, pages=400, maximum=400)
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    done = guest.must("fd_write", fd, guest.vector_at((0, 12 << 20), (12 << 20, 12 << 20)))
    assert 0 < done <= 16 << 20
    assert guest.must("fd_filestat_get", fd).size == done


LARGE = 9000


@pytest.mark.parametrize("scale", [1, LARGE], ids=["by a copy", "without a copy"])
def test_a05_overlapping_buffers_are_filled_in_order(guest, place, scale):
    data = b"".join(bytes([digit]) * scale for digit in DIGITS)
    place.write("long", data)
    fd = guest.open("long", rights=READ)
    at = guest.alloc(8 * scale)
    assert (
        guest.must("fd_read", fd, guest.vector_at((at, 6 * scale), (at + 2 * scale, 6 * scale)))
        == 10 * scale
    )
    assert guest.get(at, 8 * scale) == data[: 2 * scale] + data[6 * scale :] + bytes(2 * scale)


@pytest.mark.parametrize("size", [16, LARGE], ids=["by a copy", "without a copy"])
def test_a05_vectors_are_read_before_a_buffer_overwrites_them(guest, place, size):
    place.write("long", b"x" * size + b"second")
    fd = guest.open("long", rights=READ)
    array, other = guest.alloc(size), guest.alloc(6)
    guest.poke(array, records.IOVEC.pack(array, size) + records.IOVEC.pack(other, 6))
    assert guest.must("fd_read", fd, (array, 2)) == size + 6
    assert guest.get(array, size) == b"x" * size
    assert guest.get(other, 6) == b"second"


@pytest.mark.parametrize("size", [16, LARGE], ids=["by a copy", "without a copy"])
@pytest.mark.parametrize("count", [1, 2], ids=["one vector", "two vectors"])
def test_a05_a_result_inside_a_buffer_is_stored_last(guest, place, size, count):
    place.write("long", b"x" * size)
    fd = guest.open("long", rights=READ)
    at = guest.alloc(size)
    half = size // count
    iovs = guest.vector_at(*[(at + half * index, half) for index in range(count)])
    assert guest.raw("fd_read", fd, *iovs, at + 4) is Errno.SUCCESS
    assert guest.get(at, size) == b"xxxx" + records.U32.pack(size) + b"x" * (size - 8)


def test_a05_a_stat_over_its_own_path_is_stored_whole(guest):
    at = guest.put(b"file" + bytes(60))
    expected = guest.stat("file")
    assert guest.raw("path_filestat_get", 3, 0, at, 4, at) is Errno.SUCCESS
    assert records.FILESTAT.unpack(guest.get(at, 64))[:5] == expected[:5]


# Copies.


def test_a10_an_output_function_gets_bytes_of_its_own(piped):
    at = piped.put(b"words")
    piped.must("fd_write", 1, piped.vector_at((at, 5)))
    piped.poke(at, b"XXXXX")
    assert piped.output.chunks == [b"words"]
    assert type(piped.output.chunks[0]) is bytes


def test_a10_an_output_function_gets_bytes_of_its_own_from_several_vectors(piped):
    at = piped.put(b"words")
    piped.must("fd_write", 1, piped.vector_at((at, 2), (at + 2, 3)))
    piped.poke(at, b"XXXXX")
    assert piped.output.data == b"words"
    assert {type(chunk) for chunk in piped.output.chunks} == {bytes}


def test_a10_what_was_written_does_not_change_with_the_guests_memory(guest, place):
    at = guest.put(b"words")
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    guest.must("fd_write", fd, guest.vector_at((at, 5)))
    guest.poke(at, b"XXXXX")
    assert place.read("new") == b"words"


def test_a10_what_was_written_lives_longer_than_the_guest(guest, place):
    fd = guest.open("new", oflags=CREAT, rights=WRITE)
    guest.write(fd, b"words")
    guest.close()
    assert place.read("new") == b"words"
