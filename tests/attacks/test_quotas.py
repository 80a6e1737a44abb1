"""Catalogue N 80: floods of files and bytes end at a limit, inside the call that crosses it."""

import pytest

from tests.attacks.guest import CREAT, READ
from wasi_host import Limits, Quota
from wasi_spec import Errno


@pytest.fixture
def full(start, place):
    """A guest whose directory holds 100 bytes in at most 5 inodes, none over 60 bytes."""
    return start(place, dirs={"/": Quota(place.source, 100, 5, 60)})


@pytest.fixture
def frugal(start, memory_only):
    """A guest of a run whose trees in memory hold 100 bytes in at most 5 inodes."""
    dirs = {"/": memory_only.source, "/other": {"kept": b"12345"}}
    return start(memory_only, dirs=dirs, limits=Limits(fs_bytes=100, inodes=5))


def count_made(guest, make):
    made = 0
    while (errno := make(guest, f"name{made}")) is Errno.SUCCESS:
        made += 1
        assert made < 1000
    return made, errno


MAKERS = {
    "files": lambda g, path: g.try_open(path, oflags=CREAT) or g.call("fd_close", g.result),
    "directories": lambda g, path: g.call("path_create_directory", 3, path),
    "links": lambda g, path: g.call("path_symlink", "t", 3, path),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_n80_a_flood_of_names_is_dquot_at_the_limit(full, kind):
    assert count_made(full, MAKERS[kind]) == (5, Errno.DQUOT)
    assert len(full.names()) == 5


@pytest.mark.parametrize("kind", MAKERS)
def test_n80_a_flood_of_names_in_memory_is_dquot_at_the_limit_of_the_run(frugal, kind):
    assert count_made(frugal, MAKERS[kind]) == (4, Errno.DQUOT)


def test_n80_a_chain_of_directories_ends_at_the_limit(full):
    depth, path = 0, "d"
    while (errno := full.call("path_create_directory", 3, path)) is Errno.SUCCESS:
        depth, path = depth + 1, f"{path}/d"
    assert (depth, errno) == (5, Errno.DQUOT)


def test_n80_a_write_that_crosses_the_quota_is_short_then_dquot(full):
    one, two = full.open("one", oflags=CREAT), full.open("two", oflags=CREAT)
    assert full.write(one, b"x" * 50) == 50
    assert full.write(two, b"y" * 60) == 50
    assert full.call("fd_write", two, full.vector(b"y")) is Errno.DQUOT
    assert full.call("fd_pwrite", one, full.vector(b"y"), 50) is Errno.DQUOT
    assert full.tell(two) == 50
    full.must("fd_pwrite", one, full.vector(b"z" * 50), 0)
    full.must("fd_filestat_set_size", one, 10)
    assert full.write(two, b"y" * 10) == 10


def test_n80_a_file_over_its_size_limit_is_fbig_short_first(full):
    fd = full.open("file", oflags=CREAT)
    assert full.write(fd, b"x" * 70) == 60
    assert full.call("fd_write", fd, full.vector(b"x")) is Errno.FBIG
    assert full.call("fd_filestat_set_size", fd, 61) is Errno.FBIG
    assert full.call("fd_allocate", fd, 0, 61) is Errno.FBIG
    assert full.call("fd_pwrite", fd, full.vector(b"x"), 2**62) is Errno.FBIG
    assert full.stat("file").size == 60


def test_n80_in_memory_the_run_is_short_first_then_dquot(frugal):
    fd = frugal.open("file", oflags=CREAT)
    assert frugal.write(fd, b"x" * 99) == 95
    assert frugal.call("fd_write", fd, frugal.vector(b"x")) is Errno.DQUOT
    assert frugal.call("path_symlink", "t", 3, "link") is Errno.DQUOT
    frugal.must("path_unlink_file", 3, "file")
    assert frugal.call("path_symlink", "t", 3, "link") is Errno.DQUOT
    frugal.must("fd_close", fd)
    frugal.must("path_symlink", "t", 3, "link")


def test_n80_tiny_writes_end_as_one_large_one_does(full):
    fd = full.open("file", oflags=CREAT)
    vector = full.vector(b"x")
    written = 0
    while full.call("fd_write", fd, vector) is Errno.SUCCESS:
        written += 1
    assert written == 60


def test_n80_a_sparse_file_is_kept_sparse_and_copying_it_ends(start, memory_only):
    guest = start(memory_only, limits=Limits(fs_bytes=1 << 20))
    fd = guest.open("sparse", oflags=CREAT)
    guest.must("fd_pwrite", fd, guest.vector(b"x"), 2**30)
    copy = guest.open("copy", oflags=CREAT)
    block = guest.vector(bytes(65536))
    written = 0
    while guest.call("fd_write", copy, block) is Errno.SUCCESS:
        written += guest.result
    assert (1 << 20) - 8192 <= written <= 1 << 20


@pytest.mark.parametrize("size", [0, 2**30, 2**40])
def test_h52_a_hole_counts_against_no_quota_of_bytes(start, place, size):
    guest = start(place, dirs={"/": Quota(place.source, max_bytes=10)})
    fd = guest.open("file", oflags=CREAT)
    guest.must("fd_filestat_set_size", fd, size)
    assert guest.write(fd, b"x" * 10) == 10
    assert guest.stat("file").size == max(size, 10)


def test_h52_the_size_of_a_file_is_limited_holes_included(start, place):
    guest = start(place, dirs={"/": Quota(place.source, max_file_bytes=2**20)})
    fd = guest.open("file", oflags=CREAT)
    guest.must("fd_filestat_set_size", fd, 2**20)
    assert guest.call("fd_filestat_set_size", fd, 2**20 + 1) is Errno.FBIG
    assert guest.call("fd_filestat_set_size", fd, 2**63) is Errno.INVAL
    fd = guest.open("file", rights=READ)
    assert guest.call("fd_filestat_set_size", fd, 2**20 + 1) is Errno.INVAL
