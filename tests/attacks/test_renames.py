"""Catalogue F 41: renaming onto what is there, into itself, and what stays open meanwhile."""

import pytest

from tests.attacks.guest import READ
from tests.attacks.places import LINK
from wasi_spec import Errno

OK = Errno.SUCCESS


@pytest.fixture
def furnished(place):
    place.write("file", b"file")
    place.write("other", b"other")
    place.mkdir("empty")
    place.mkdir("empty2")
    place.mkdir("full")
    place.mkdir("full/sub")
    place.mkdir("full/sub/deep")
    place.write("full/sub/file", b"below")
    place.symlink("file", "to-file")
    place.symlink("full", "to-full")
    place.symlink("missing", "dangling")
    return place


@pytest.fixture
def guest(furnished, start):
    return start(furnished)


REFUSED = {
    "a file over an empty directory": ("file", "empty", Errno.ISDIR),
    "a file over a full directory": ("file", "full", Errno.ISDIR),
    "a link over a directory": ("to-full", "empty", Errno.ISDIR),
    "a directory over a file": ("empty", "file", Errno.NOTDIR),
    "a directory over a link to a file": ("empty", "to-file", Errno.NOTDIR),
    "a directory over a link to a directory": ("empty", "to-full", Errno.NOTDIR),
    "a directory over a dangling link": ("empty", "dangling", Errno.NOTDIR),
    "a directory over a full one": ("empty", "full", Errno.NOTEMPTY),
    "a full directory over a full one": ("full/sub", "full", Errno.NOTEMPTY),
    "a directory over the one above": ("full/sub/deep", "full/sub", Errno.NOTEMPTY),
    "a directory over an ancestor": ("full/sub/deep", "full", Errno.NOTEMPTY),
    "a file over the directory it is in": ("full/sub/file", "full/sub", Errno.NOTEMPTY),
    "a directory into itself": ("full", "full/new", Errno.INVAL),
    "a directory onto a name in itself": ("full", "full/sub", Errno.INVAL),
    "a directory deep into itself": ("full", "full/sub/deep/new", Errno.INVAL),
    "a directory into itself by dots": ("full", "empty/../full/new", Errno.INVAL),
    "a directory into itself by a link": ("full", "to-full/new", Errno.INVAL),
    "nothing onto nothing": ("missing", "new", Errno.NOENT),
    "nothing onto itself": ("missing", "missing", Errno.NOENT),
    "nothing onto a file": ("missing", "file", Errno.NOENT),
    "nothing onto a directory": ("missing", "full", Errno.NOENT),
    "out of nothing": ("missing/x", "new", Errno.NOENT),
    "into nothing": ("file", "missing/new", Errno.NOENT),
    "out of a file": ("file/x", "new", Errno.NOTDIR),
    "into a file": ("file", "other/new", Errno.NOTDIR),
}


@pytest.mark.parametrize(("name", "to", "errno"), REFUSED.values(), ids=REFUSED)
def test_f41_a_rename_that_cannot_be_is_refused_and_loses_nothing(
    guest, furnished, name, to, errno
):
    before = furnished.snapshot()
    assert guest.call("path_rename", 3, name, 3, to) is errno
    assert furnished.snapshot() == before


def test_f41_a_directory_into_itself_by_its_own_descriptor_is_inval(guest, furnished):
    fd = guest.open_dir("full/sub/deep")
    before = furnished.snapshot()
    assert guest.call("path_rename", 3, "full", fd, "new") is Errno.INVAL
    assert furnished.snapshot() == before


SAME = {
    "a file": "file",
    "an empty directory": "empty",
    "a full directory": "full",
    "a link": "to-file",
    "a dangling link": "dangling",
    "a file below": "full/sub/file",
}


@pytest.mark.parametrize("path", SAME.values(), ids=SAME)
@pytest.mark.parametrize("spelling", ["{}", "./{}", "empty/../{}"])
def test_f41_renaming_onto_itself_changes_nothing(guest, furnished, path, spelling):
    before = furnished.snapshot()
    guest.must("path_rename", 3, path, 3, spelling.format(path))
    assert furnished.snapshot() == before


@pytest.mark.parametrize("path", ["file", "to-file"])
def test_f41_renaming_onto_another_hard_link_leaves_both_names(guest, furnished, path):
    guest.must("path_link", 3, 0, path, 3, "full/second")
    before = furnished.snapshot()
    guest.must("path_rename", 3, path, 3, "full/second")
    assert furnished.snapshot() == before
    assert furnished.see(path).nlink == 2


def test_f41_a_file_replaces_a_file(guest, furnished):
    guest.must("path_rename", 3, "file", 3, "other")
    assert furnished.read("other") == b"file"
    assert not furnished.exists("file")


@pytest.mark.parametrize("to", ["empty2", "full/sub/deep"])
def test_f41_a_directory_replaces_an_empty_one(guest, furnished, to):
    guest.must("path_rename", 3, "empty", 3, to)
    assert not furnished.exists("empty")
    assert furnished.names(to) == []


def test_f41_a_full_directory_moves_with_all_that_is_in_it(guest, furnished):
    guest.must("path_rename", 3, "full/sub", 3, "empty")
    assert furnished.names("empty") == ["deep", "file"]
    assert furnished.names("full") == []


def test_f41_a_link_in_last_place_is_moved_itself(guest, furnished):
    guest.must("path_rename", 3, "to-full", 3, "empty/moved")
    assert furnished.see("empty/moved")[:2] == (LINK, "full")
    assert furnished.names("full") == ["sub"]


@pytest.mark.parametrize("link", ["to-file", "to-full", "dangling"])
def test_f41_a_link_in_last_place_is_replaced_itself(guest, furnished, link):
    guest.must("path_rename", 3, "other", 3, link)
    assert furnished.read(link) == b"other"
    assert furnished.read("file") == b"file"
    assert furnished.names("full") == ["sub"]
    assert not furnished.exists("missing")


def test_f41_a_renamed_file_stays_open(guest, furnished):
    fd = guest.open("file")
    guest.must("path_rename", 3, "file", 3, "full/moved")
    assert guest.read(fd) == b"file"
    guest.write(fd, b" goes on")
    assert furnished.read("full/moved") == b"file goes on"


def test_f41_a_replaced_file_stays_open(guest, furnished):
    fd = guest.open("other")
    guest.must("path_rename", 3, "file", 3, "other")
    assert guest.read(fd) == b"other"
    guest.write(fd, b" goes on")
    assert furnished.read("other") == b"file"
    assert guest.must("fd_filestat_get", fd).nlink == 0


def test_f41_a_renamed_directory_stays_open(guest, furnished):
    fd = guest.open_dir("full/sub")
    guest.must("path_rename", 3, "full", 3, "empty/full")
    assert guest.content("file", fd=fd) == b"below"
    guest.must("path_create_directory", fd, "made")
    assert furnished.exists("empty/full/sub/made")


def test_f41_a_replaced_directory_stays_open_but_takes_nothing(guest):
    fd = guest.open_dir("empty2")
    guest.must("path_rename", 3, "empty", 3, "empty2")
    assert guest.call("path_create_directory", fd, "made") is Errno.NOENT
    assert guest.names(fd) == []


def test_f41_between_two_descriptors_of_one_directory(guest, furnished):
    one, other = guest.open_dir("full"), guest.open_dir("full/sub")
    guest.must("path_rename", other, "file", one, "up")
    assert furnished.names("full") == ["sub", "up"]
    assert guest.call("path_rename", one, "sub", other, "x") is Errno.INVAL


def test_f41_renaming_moves_the_directories_link_counts(guest):
    before = guest.stat("full").nlink, guest.stat("empty").nlink
    guest.must("path_rename", 3, "full/sub", 3, "empty/sub")
    after = guest.stat("full").nlink, guest.stat("empty").nlink
    # Some filesystems do not count directories: then nothing moves.
    assert after in ((before[0] - 1, before[1] + 1), before)
    assert guest.open("empty/sub/..", rights=READ) == 4
