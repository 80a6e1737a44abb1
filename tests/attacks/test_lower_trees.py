"""Catalogue E 40: the lower tree of an overlay changes while a guest works above it."""

import os

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from tests.attacks.places import HostPlace
from wasi_host import Overlay
from wasi_spec import Errno

#: Larger than one chunk of those that are copied.
LARGE = 300_000


@pytest.fixture
def lower(tmp_path):
    root = tmp_path / "lower"
    (root / "dir").mkdir(parents=True)
    (root / "file").write_bytes(b"o" * LARGE)
    (root / "dir" / "inner").write_bytes(b"inner")
    return root


@pytest.fixture
def guest(start, lower):
    return start(HostPlace(lower), dirs={"/": Overlay(lower)})


def read_all(guest, path):
    """Read a file to its end; return its bytes, or the errno that ended it."""
    errno = guest.try_open(path)
    if errno is not Errno.SUCCESS:
        return errno
    fd, parts = guest.result, []
    at = guest.alloc(65536)
    while True:
        errno = guest.call("fd_read", fd, guest.vector_at((at, 65536)))
        if errno is not Errno.SUCCESS or not guest.result:
            return errno if errno is not Errno.SUCCESS else b"".join(parts)
        parts.append(guest.get(at, guest.result))


def test_e40_a_file_that_is_half_copied_when_it_changes_below_is_never_a_mixture(guest, lower):
    fd = guest.open("file", rights=READ | WRITE)
    guest.write(fd, b"guest")
    (lower / "file").write_bytes(b"n" * LARGE)
    found = read_all(guest, "file")
    assert found in {Errno.STALE, Errno.IO} or not {b"o"[0], b"n"[0]} <= set(found)


def test_e40_a_name_removed_below_answers_and_does_no_harm(guest, lower):
    assert guest.names() == [b"dir", b"file"]
    (lower / "file").unlink()
    assert read_all(guest, "file") in {Errno.NOENT, Errno.STALE, Errno.IO}
    assert guest.try_open("new", oflags=CREAT, rights=READ | WRITE) is Errno.SUCCESS


def test_e40_a_directory_replaced_by_a_link_out_below_leads_nowhere(guest, lower, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "inner").write_bytes(b"secret")
    guest.stat("dir")
    os.rename(lower / "dir", tmp_path / "aside")
    os.symlink(tmp_path / "outside", lower / "dir")
    assert read_all(guest, "dir/inner") not in {b"secret"}


def test_e40_a_file_that_becomes_a_directory_below_answers(guest, lower):
    guest.stat("file")
    (lower / "file").unlink()
    (lower / "file").mkdir()
    found = read_all(guest, "file")
    assert isinstance(found, Errno)
    assert guest.content("dir/inner") == b"inner"


@pytest.mark.parametrize("change", ["grow", "cut"])
def test_e40_a_file_cut_or_grown_below_is_read_to_an_end(guest, lower, change):
    guest.stat("file")
    with open(lower / "file", "r+b") as file:
        file.truncate(10 if change == "cut" else 2 * LARGE)
    found = read_all(guest, "file")
    assert isinstance(found, Errno) or len(found) <= 2 * LARGE
