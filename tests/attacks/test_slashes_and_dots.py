"""Catalogue D 31 and 32: trailing slashes, the empty path, and paths that end in dots."""

import pytest

from tests.attacks.guest import CREAT, READ, WRITE
from tests.attacks.places import DIR
from tests.attacks.sides import SIDES, answers
from wasi_spec import Errno

#: Side -> path -> answer. ``new`` does not exist, ``full`` is a directory with something in it.
SLASHES = {
    "open": {"file/": "NOTDIR", "new/": "NOENT"},
    "filestat_get": {"file/": "NOTDIR", "new/": "NOENT"},
    "filestat_set_times": {"file/": "NOTDIR", "new/": "NOENT"},
    "readlink": {"file/": "NOTDIR", "new/": "NOENT"},
    "open creating": {
        "new/": "ISDIR", "file/": "ISDIR", "dir/": "ISDIR", "dirlink/": "ISDIR",
        "dangling/": "ISDIR",
    },
    "open exclusively": {"new/": "ISDIR"},
    "create_directory": {
        "dir/": "EXIST", "file/": "EXIST", "dirlink/": "EXIST", "filelink/": "EXIST",
        "dangling/": "EXIST",
    },
    "remove_directory": {
        "full/": "NOTEMPTY", "file/": "NOTDIR", "dirlink/": "NOTDIR", "new/": "NOENT",
    },
    "unlink_file": {
        "dir/": "ISDIR", "file/": "NOTDIR", "dirlink/": "ISDIR", "dangling/": "NOENT",
        "new/": "NOENT",
    },
    "rename from": {"file/": "NOTDIR", "dirlink/": "NOTDIR", "new/": "NOENT"},
    "rename to": {
        "new/": "NOTDIR", "dir/": "NOTDIR", "full/": "NOTDIR", "file/": "NOTDIR",
        "dirlink/": "NOTDIR",
    },
    "symlink at": {"new/": "NOENT", "dir/": "EXIST", "file/": "NOTDIR"},
    "link to": {"new/": "NOENT", "dir/": "EXIST", "file/": "NOTDIR"},
    "link from": {"file/": "NOTDIR", "dir/": "PERM", "new/": "NOENT"},
}  # fmt: skip

CASES = [(side, path, SLASHES[side][path]) for side in SLASHES for path in SLASHES[side]]


@pytest.fixture
def guest(place, start):
    place.write("file", b"inside")
    place.write("ordinary", b"ordinary")
    for path in ("dir", "full", "full/sub", "a", "a/b"):
        place.mkdir(path)
    place.symlink("dir", "dirlink")
    place.symlink("file", "filelink")
    place.symlink("missing", "dangling")
    return start(place)


@pytest.mark.parametrize(("side", "path", "errno"), CASES, ids=[" ".join(case) for case in CASES])
def test_d31_a_trailing_slash_that_cannot_be_changes_nothing(guest, place, side, path, errno):
    before = place.snapshot()
    found = [SIDES[side](guest, 3, path + more).name for more in ("", "/", "//")]
    assert found == [errno] * 3
    assert place.snapshot() == before


@pytest.mark.parametrize("path", ["dir/", "dir//", "full/sub/"])
def test_d31_opening_and_stating_a_directory_with_a_slash_works(guest, path):
    assert guest.stat(path).filetype == DIR
    fd = guest.open(path, rights=READ)
    assert guest.must("fd_fdstat_get", fd).fs_filetype == DIR


@pytest.mark.parametrize("path", ["made/", "made//", "dir/made/"])
def test_d31_a_directory_is_made_with_a_slash_behind_its_name(guest, place, path):
    guest.must("path_create_directory", 3, path)
    assert place.see(path.rstrip("/")).kind == DIR


@pytest.mark.parametrize("path", ["dir/", "dir//", "full/sub/"])
def test_d31_a_directory_is_removed_with_a_slash_behind_its_name(guest, place, path):
    guest.must("path_remove_directory", 3, path)
    assert not place.exists(path.rstrip("/"))


@pytest.mark.parametrize("source", ["full", "full/"], ids=["from full", "from full with a slash"])
@pytest.mark.parametrize("target", ["made", "made/", "dir", "dir/", "dir//"])
def test_d31_a_directory_is_renamed_with_slashes_on_either_side(guest, place, source, target):
    guest.must("path_rename", 3, source, 3, target)
    assert place.names(target.rstrip("/")) == ["sub"]
    assert not place.exists("full")


def test_d31_a_link_to_a_directory_with_a_slash_is_no_target_for_a_directory(guest, place):
    before = place.snapshot()
    assert guest.call("path_rename", 3, "full", 3, "dirlink/") is Errno.NOTDIR
    assert place.snapshot() == before


# Dots.


@pytest.mark.parametrize("side", SIDES)
def test_d32_the_empty_path_is_noent(guest, place, side):
    before = place.snapshot()
    assert SIDES[side](guest, 3, "") is Errno.NOENT
    assert place.snapshot() == before


def test_d32_both_paths_of_rename_empty_are_noent(guest):
    assert guest.call("path_rename", 3, "", 3, "") is Errno.NOENT


def test_d32_a_link_with_an_empty_target_is_noent(guest, place):
    assert guest.call("path_symlink", "", 3, "made") is Errno.NOENT
    assert not place.exists("made")


DOTS = [".", "./", "./.", ".//", "a/.", "a/./", "a/..", "a/../", "a/b/..", "a/b/../.", "a/b/../.."]

dots = pytest.mark.parametrize("path", DOTS)

#: What each side answers for a path that ends in dots.
ANSWERS = {
    "filestat_get": "SUCCESS",
    "filestat_get following": "SUCCESS",
    "filestat_set_times": "SUCCESS",
    "filestat_set_times following": "SUCCESS",
    "open": "SUCCESS",
    "open following": "SUCCESS",
    "open a directory": "SUCCESS",
    "open creating": "ISDIR",
    "open creating and following": "ISDIR",
    "open exclusively": "EXIST",
    "create_directory": "EXIST",
    "symlink at": "EXIST",
    "link to": "EXIST",
    "link from": "PERM",
    "remove_directory": "INVAL",
    "readlink": "INVAL",
    "unlink_file": "ISDIR",
    "rename from": "BUSY",
    "rename to": "BUSY",
}


def test_d32_every_side_has_an_answer_for_dots():
    assert set(ANSWERS) == set(SIDES)


def kinds(place):
    return {path: seen.kind for path, seen in place.snapshot().items()}


@pytest.mark.parametrize("side", ANSWERS)
def test_d32_a_path_that_ends_in_dots_has_one_answer_per_call(guest, place, side):
    before = kinds(place)
    found = answers(SIDES[side], guest, 3, DOTS)
    assert found == dict.fromkeys(DOTS, Errno[ANSWERS[side]])
    assert kinds(place) == before


@dots
def test_d32_renaming_dots_is_busy_even_if_the_other_name_is_missing(guest, path):
    assert guest.call("path_rename", 3, path, 3, "missing") is Errno.BUSY
    assert guest.call("path_rename", 3, "missing", 3, path) is Errno.BUSY


@pytest.mark.parametrize("side", ANSWERS)
def test_d32_an_opened_directory_answers_for_dots_as_the_root_does(guest, place, side):
    place.write("a/ordinary", b"")
    for made in ("a/a", "a/a/b"):
        place.mkdir(made)
    found = answers(SIDES[side], guest, guest.open_dir("a"), DOTS)
    assert found == dict.fromkeys(DOTS, Errno[ANSWERS[side]])


def test_d32_a_dot_is_the_directory_itself(guest):
    assert guest.stat(".").ino == guest.must("fd_filestat_get", 3).ino
    assert guest.stat("a/.").ino == guest.stat("a").ino
    assert guest.stat("a/..").ino == guest.stat(".").ino


@pytest.mark.parametrize("name", ["...", "..a", ".a", "a..", "a.", "...."])
def test_d32_a_name_that_only_begins_or_ends_with_dots_is_a_name(guest, place, name):
    guest.open(name, oflags=CREAT, rights=READ | WRITE)
    assert place.exists(name)
