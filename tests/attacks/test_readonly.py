"""Catalogue C 23: a directory given read-only refuses every change, whether or not names exist."""

import pytest

from tests.attacks.guest import CREAT, EXCL, READ, TRUNC, WRITE
from tests.attacks.places import HostPlace
from tests.attacks.sides import MTIM, STAMP
from wasi_host import HostDir
from wasi_spec import Errno, Fstflags


@pytest.fixture
def furnished(place):
    place.write("file", b"0123456789")
    place.mkdir("dir")
    place.mkdir("dir/sub")
    place.write("dir/file", b"below")
    place.symlink("file", "link")
    place.symlink("missing", "dangling")
    return place


@pytest.fixture
def guest(furnished, start):
    """A guest with the place read-only as 3, and a writable tree in memory as 4."""
    if isinstance(furnished, HostPlace):
        source = HostDir(furnished.root, readonly=True)
    else:
        source = furnished.source
        source.readonly = True
    return start(furnished, dirs={"/place": source, "/other": {"file": b"other", "dir": {}}})


CHANGES = {
    "create_directory": lambda g, fd, path: g.call("path_create_directory", fd, path),
    "remove_directory": lambda g, fd, path: g.call("path_remove_directory", fd, path),
    "unlink_file": lambda g, fd, path: g.call("path_unlink_file", fd, path),
    "symlink": lambda g, fd, path: g.call("path_symlink", "target", fd, path),
    "rename out": lambda g, fd, path: g.call("path_rename", fd, path, 4, "made"),
    "rename in": lambda g, fd, path: g.call("path_rename", 4, "file", fd, path),
    "rename inside": lambda g, fd, path: g.call("path_rename", fd, path, fd, "made"),
    "link out": lambda g, fd, path: g.call("path_link", fd, 0, path, 4, "made"),
    "link in": lambda g, fd, path: g.call("path_link", 4, 0, "file", fd, path),
    "link inside": lambda g, fd, path: g.call("path_link", fd, 0, path, fd, "made"),
    "set_times": lambda g, fd, path: g.call("path_filestat_set_times", fd, 0, path, 0, STAMP, MTIM),
    "set_times following": lambda g, fd, path: g.call(
        "path_filestat_set_times", fd, 1, path, 0, 0, int(Fstflags.ATIM_NOW)
    ),
    "create": lambda g, fd, path: g.try_open(path, fd=fd, oflags=CREAT),
    "create exclusively": lambda g, fd, path: g.try_open(path, fd=fd, oflags=CREAT | EXCL),
    "truncate to read": lambda g, fd, path: g.try_open(path, fd=fd, oflags=TRUNC),
    "truncate to write": lambda g, fd, path: g.try_open(
        path, fd=fd, oflags=TRUNC, rights=READ | WRITE
    ),
    "open to write": lambda g, fd, path: g.try_open(path, fd=fd, rights=WRITE),
    "open to read and write": lambda g, fd, path: g.try_open(path, fd=fd, rights=READ | WRITE),
}

PATHS = ["file", "missing", "dir", "dir/sub", "link", "dangling", "missing/x", ".", "dir/../file"]


@pytest.mark.parametrize("change", CHANGES)
def test_c23_a_change_is_perm_whether_or_not_the_name_exists(guest, furnished, change):
    before = furnished.snapshot()
    found = {path: CHANGES[change](guest, 3, path) for path in PATHS}
    assert found == dict.fromkeys(PATHS, Errno.PERM)
    assert furnished.snapshot() == before
    assert guest.names(4) == [b"dir", b"file"]


@pytest.mark.parametrize("change", CHANGES)
def test_c23_a_change_in_an_opened_directory_below_is_perm_too(guest, furnished, change):
    fd = guest.open_dir("dir", rights=READ)
    before = furnished.snapshot()
    found = {path: CHANGES[change](guest, fd, path) for path in ("file", "sub", "missing")}
    assert found == dict.fromkeys(found, Errno.PERM)
    assert furnished.snapshot() == before


@pytest.mark.parametrize("path", ["file", "dir"])
def test_c23_setting_times_of_something_open_is_perm(guest, furnished, path):
    fd = guest.open(path, rights=READ)
    before = furnished.snapshot()
    assert guest.call("fd_filestat_set_times", fd, 0, STAMP, MTIM) is Errno.PERM
    assert furnished.snapshot() == before


def test_c23_setting_times_of_the_directory_itself_is_perm(guest):
    before = guest.must("fd_filestat_get", 3)
    assert guest.call("fd_filestat_set_times", 3, 0, STAMP, MTIM) is Errno.PERM
    assert guest.must("fd_filestat_get", 3).mtim == before.mtim


@pytest.mark.parametrize("size", [0, 10, 100])
def test_c23_setting_the_size_is_perm(guest, furnished, size):
    fd = guest.open("file", rights=READ)
    assert guest.call("fd_filestat_set_size", fd, size) is Errno.PERM
    assert furnished.read("file") == b"0123456789"


def test_c23_writing_is_badf(guest, furnished):
    fd = guest.open("file", rights=READ)
    assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.BADF
    assert guest.call("fd_pwrite", fd, guest.vector(b"x"), 0) is Errno.BADF
    assert guest.call("fd_allocate", fd, 0, 100) is Errno.BADF
    assert furnished.read("file") == b"0123456789"


def test_c23_reading_syncing_and_advising_work(guest):
    fd = guest.open("file", rights=READ)
    assert guest.read(fd) == b"0123456789"
    for name, *more in (("fd_sync",), ("fd_datasync",), ("fd_advise", 0, 5, 1)):
        guest.must(name, fd, *more)
    assert guest.names() == [b"dangling", b"dir", b"file", b"link"]
    assert guest.readlink("link") == b"file"
    assert guest.stat("link", follow=True).size == 10


def test_c23_its_fdstat_shows_the_rights_of_a_writable_one(guest):
    assert guest.must("fd_fdstat_get", 3)[2:] == guest.must("fd_fdstat_get", 4)[2:]


def test_c23_a_missing_right_is_told_before(guest):
    guest.must("fd_fdstat_set_rights", 3, 0, 0)
    assert guest.call("path_create_directory", 3, "made") is Errno.NOTCAPABLE


def test_c23_an_escape_from_it_is_perm_as_well(guest):
    assert guest.try_open("../x") is Errno.PERM
    assert guest.call("path_filestat_get", 3, 0, "..") is Errno.PERM
