"""Catalogue E 38: a directory that is moved or removed while it is open."""

import os

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, WRITE
from tests.attacks.places import DIR, FILE
from tests.attacks.sides import MAKING, SIDES, answers
from wasi_spec import Errno

CREATING = {"oflags": CREAT, "rights": READ | WRITE}


def furnish(place):
    place.mkdir("dir")
    place.mkdir("dir/e")
    place.mkdir("dir/e/a")
    place.write("dir/ordinary", b"inside")
    place.write("dir/e/ordinary", b"deeper")
    place.mkdir("elsewhere")


@pytest.fixture
def moved(host_only, start):
    """A guest with ``dir`` open as 4 and ``dir/e`` as 5; then the host moves ``dir`` outside."""
    furnish(host_only)
    guest = start(host_only)
    assert [guest.open_dir("dir"), guest.open_dir("dir/e")] == [4, 5]
    outer = host_only.root.parent
    (outer / "ordinary").write_bytes(b"secret")
    (host_only.root / "dir").rename(outer / "moved")
    return guest


UP = ["..", "e/../..", "./..", "../root", "../ordinary", "e/../../ordinary", "e/a/../../.."]


@pytest.mark.parametrize("side", SIDES)
def test_e38_nothing_leads_up_from_a_directory_that_was_moved_out(moved, host_only, side):
    outer = sorted(os.listdir(host_only.root.parent))
    assert answers(SIDES[side], moved, 4, UP) == dict.fromkeys(UP, Errno.PERM)
    assert sorted(os.listdir(host_only.root.parent)) == outer


def test_e38_links_do_not_lead_up_from_it_either(moved):
    moved.must("path_symlink", "../ordinary", 4, "out")
    moved.must("path_symlink", "e/../..", 4, "up")
    assert moved.try_open("out", fd=4, follow=True) is Errno.PERM
    assert moved.try_open("up/ordinary", fd=4, follow=True) is Errno.PERM


def test_e38_nothing_leads_up_from_a_directory_below_it(moved):
    for path in ("..", "../ordinary", "../..", "a/../.."):
        assert moved.try_open(path, fd=5) is Errno.PERM


def test_e38_names_below_it_still_work(moved, host_only):
    assert moved.content("ordinary", fd=4) == b"inside"
    assert moved.content("e/../e/ordinary", fd=4) == b"deeper"
    assert moved.content("ordinary", fd=5) == b"deeper"
    moved.write(moved.open("e/new", fd=4, **CREATING), b"made")
    assert (host_only.root.parent / "moved" / "e" / "new").read_bytes() == b"made"
    assert moved.names(4) == [b"e", b"ordinary"]


def test_e38_its_old_name_is_gone_from_the_root(moved):
    assert moved.try_open("dir") is Errno.NOENT
    assert moved.try_open("dir/ordinary") is Errno.NOENT


def test_e38_what_is_in_it_can_be_renamed_into_the_root(moved, host_only):
    moved.must("path_rename", 4, "ordinary", 3, "back")
    assert host_only.read("back") == b"inside"


def test_e38_the_directory_above_is_not_told(moved, host_only):
    """Nothing outside is told of, not even an inode number."""
    at = moved.alloc(256)
    data = moved.get(at, moved.must("fd_readdir", 4, at, 256, 0))
    own = moved.must("fd_filestat_get", 4).ino
    assert int.from_bytes(data[8:16], "little") == own
    assert int.from_bytes(data[33:41], "little") == own


def test_e38_a_moved_files_descriptor_still_works(host_only, start):
    host_only.write("file", b"0123456789")
    guest = start(host_only)
    fd = guest.open("file")
    (host_only.root / "file").rename(host_only.root.parent / "taken")
    assert guest.read(fd) == b"0123456789"


def test_e38_a_directory_moved_inside_by_the_guest_has_no_way_up_either(place, start):
    furnish(place)
    guest = start(place)
    fd = guest.open_dir("dir/e")
    guest.must("path_rename", 3, "dir/e", 3, "elsewhere/e")
    assert guest.try_open("..", fd=fd) is Errno.PERM
    assert guest.try_open("a/../..", fd=fd) is Errno.PERM
    assert guest.content("ordinary", fd=fd) == b"deeper"


# Removed


@pytest.fixture(params=["by the guest", "by the host"])
def removed(request, place, start):
    """A guest with ``dir`` open as 4, which is then removed."""
    place.mkdir("dir")
    place.write("ordinary", b"inside")
    guest = start(place)
    assert guest.open_dir("dir") == 4
    if request.param == "by the guest":
        guest.must("path_remove_directory", 3, "dir")
    elif isinstance(place.root, os.PathLike):
        (place.root / "dir").rmdir()
    else:
        place.root.remove_dir("dir")
    return guest


@pytest.mark.parametrize("path", [".", "./", "./."])
def test_e38_a_removed_directory_can_be_looked_at(removed, path):
    assert removed.stat(path, fd=4).filetype == DIR
    assert removed.must("fd_filestat_get", 4).filetype == DIR


def test_e38_a_removed_directory_opens_again(removed):
    fd = removed.open(".", fd=4, rights=READ, oflags=DIRECTORY)
    assert removed.must("fd_fdstat_get", fd).fs_filetype == DIR


def test_e38_a_removed_directory_has_no_names_left(removed):
    assert removed.must("fd_filestat_get", 4).nlink == 0


@pytest.mark.parametrize("side", sorted(MAKING - {"link to", "rename to"}))
def test_e38_nothing_is_made_in_a_removed_directory(removed, side):
    assert SIDES[side](removed, 4, "made") is Errno.NOENT


@pytest.mark.parametrize("name", ["path_link", "path_rename"])
def test_e38_nothing_is_linked_or_renamed_into_a_removed_directory(removed, place, name):
    flags = (0,) if name == "path_link" else ()
    assert removed.call(name, 3, *flags, "ordinary", 4, "made") is Errno.NOENT
    assert place.read("ordinary") == b"inside"


def test_e38_nothing_is_found_in_a_removed_directory(removed):
    for path in ("ordinary", "x/y", "x/.."):
        assert removed.try_open(path, fd=4) is Errno.NOENT
        assert removed.call("path_filestat_get", 4, 0, path) is Errno.NOENT


def test_e38_a_removed_directory_has_no_way_up(removed):
    assert removed.try_open("..", fd=4) is Errno.PERM
    assert removed.try_open("../ordinary", fd=4) is Errno.PERM


def test_e38_a_new_directory_of_the_same_name_is_another_one(removed, place):
    removed.must("path_create_directory", 3, "dir")
    removed.open("dir/file", oflags=CREAT | EXCL, rights=READ | WRITE)
    assert removed.try_open("file", fd=4) is Errno.NOENT
    assert place.see("dir/file").kind == FILE
