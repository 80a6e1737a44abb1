"""Catalogue F 42 to 45: hard links, removing names, making directories and links, readlink."""

import pytest

from tests.attacks.guest import READ, WRITE
from tests.attacks.places import DIR, LINK
from wasi_spec import Errno, Lookupflags

FOLLOW = int(Lookupflags.SYMLINK_FOLLOW)
PATTERN = b"\xa5"


@pytest.fixture
def furnished(place):
    place.write("file", b"file")
    place.write("other", b"other")
    place.mkdir("empty")
    place.mkdir("full")
    place.write("full/file", b"below")
    place.symlink("file", "to-file")
    place.symlink("full", "to-full")
    place.symlink("missing", "dangling")
    return place


@pytest.fixture
def guest(furnished, start):
    return start(furnished)


NAMES = ["file", "other", "empty", "full", "to-file", "to-full", "dangling"]

# 42


@pytest.mark.parametrize("name", ["file", "to-file", "dangling"])
@pytest.mark.parametrize("to", NAMES)
def test_f42_linking_over_any_name_is_exist(guest, furnished, name, to):
    before = furnished.snapshot()
    assert guest.call("path_link", 3, 0, name, 3, to) is Errno.EXIST
    assert furnished.snapshot() == before


@pytest.mark.parametrize(("name", "errno"), [("empty", Errno.PERM), ("full", Errno.PERM)])
def test_f42_linking_a_directory_is_perm(guest, furnished, name, errno):
    before = furnished.snapshot()
    assert guest.call("path_link", 3, 0, name, 3, "new") is errno
    assert furnished.snapshot() == before


def test_f42_linking_a_directory_over_a_name_is_exist(guest):
    assert guest.call("path_link", 3, 0, "empty", 3, "file") is Errno.EXIST


@pytest.mark.parametrize("link", ["to-file", "to-full", "dangling"])
def test_f42_linking_a_link_links_the_link_itself(guest, furnished, link):
    guest.must("path_link", 3, 0, link, 3, "new")
    assert furnished.see("new") == furnished.see(link)
    assert furnished.see("new").kind == LINK
    assert furnished.see("new").nlink == 2
    assert guest.stat("new").ino == guest.stat(link).ino


@pytest.mark.parametrize("name", [*NAMES, "missing", "../x", ".", ""])
def test_f42_following_the_source_is_inval_whatever_it_is(guest, furnished, name):
    before = furnished.snapshot()
    assert guest.call("path_link", 3, FOLLOW, name, 3, "new") is Errno.INVAL
    assert furnished.snapshot() == before


def test_f42_following_the_source_is_inval_before_descriptors_are_looked_at(guest):
    assert guest.call("path_link", 100, FOLLOW, "file", 3, "new") is Errno.INVAL


@pytest.mark.parametrize(
    ("name", "to", "errno"),
    [
        ("missing", "new", Errno.NOENT),
        ("missing", "file", Errno.NOENT),
        ("file", "missing/new", Errno.NOENT),
        ("file", "other/new", Errno.NOTDIR),
        ("file/x", "new", Errno.NOTDIR),
    ],
)
def test_f42_a_link_out_of_or_into_nothing_is_refused(guest, name, to, errno):
    assert guest.call("path_link", 3, 0, name, 3, to) is errno


def test_f42_two_names_are_one_file(guest, furnished):
    guest.must("path_link", 3, 0, "file", 3, "full/second")
    guest.write(guest.open("full/second", rights=WRITE), b"FI")
    assert furnished.read("file") == b"FIle"
    assert guest.stat("file").nlink == 2
    guest.must("path_unlink_file", 3, "file")
    assert furnished.read("full/second") == b"FIle"
    assert guest.stat("full/second").nlink == 1


# 43


@pytest.mark.parametrize("path", ["empty", "full", "full/", "empty/."])
def test_f43_unlinking_a_directory_is_isdir(guest, furnished, path):
    before = furnished.snapshot()
    assert guest.call("path_unlink_file", 3, path) is Errno.ISDIR
    assert furnished.snapshot() == before


@pytest.mark.parametrize(
    ("path", "errno"),
    [
        ("file", Errno.NOTDIR), ("to-file", Errno.NOTDIR), ("to-full", Errno.NOTDIR),
        ("dangling", Errno.NOTDIR), ("full", Errno.NOTEMPTY), ("empty/.", Errno.INVAL),
        ("missing", Errno.NOENT),
    ],
)  # fmt: skip
def test_f43_removing_what_is_no_empty_directory_is_refused(guest, furnished, path, errno):
    before = furnished.snapshot()
    assert guest.call("path_remove_directory", 3, path) is errno
    assert furnished.snapshot() == before


@pytest.mark.parametrize("link", ["to-file", "to-full", "dangling"])
def test_f43_unlinking_a_link_removes_the_link_alone(guest, furnished, link):
    guest.must("path_unlink_file", 3, link)
    assert not furnished.exists(link)
    assert furnished.read("full/file") == b"below"
    assert furnished.read("file") == b"file"


@pytest.fixture
def unlinked(guest):
    """A descriptor of a file that has no name any more."""
    fd = guest.open("file", rights=READ | WRITE)
    guest.must("path_unlink_file", 3, "file")
    return fd


def test_f43_an_unlinked_file_has_no_links(guest, unlinked):
    assert guest.must("fd_filestat_get", unlinked).nlink == 0


def test_f43_an_unlinked_file_still_reads_and_writes(guest, unlinked):
    assert guest.read(unlinked) == b"file"
    guest.write(unlinked, b" and more")
    guest.must("fd_seek", unlinked, 0, 0)
    assert guest.read(unlinked) == b"file and more"


def test_f43_an_unlinked_file_can_be_cut_and_extended(guest, unlinked):
    guest.must("fd_filestat_set_size", unlinked, 2)
    guest.must("fd_filestat_set_size", unlinked, 4)
    assert guest.read(unlinked) == b"fi\0\0"
    assert guest.must("fd_filestat_get", unlinked).size == 4


def test_f43_a_new_file_of_the_same_name_is_another_one(guest, unlinked, furnished):
    furnished.write("file", b"new")
    guest.write(unlinked, b"FILE")
    assert furnished.read("file") == b"new"


# 44


@pytest.mark.parametrize("path", [*NAMES, "full/file"])
def test_f44_making_a_directory_at_any_name_is_exist(guest, furnished, path):
    before = furnished.snapshot()
    assert guest.call("path_create_directory", 3, path) is Errno.EXIST
    assert furnished.snapshot() == before


@pytest.mark.parametrize(
    ("path", "errno"),
    [("file/new", Errno.NOTDIR), ("missing/new", Errno.NOENT), ("dangling/new", Errno.NOENT)],
)
def test_f44_a_directory_below_no_directory_is_refused(guest, furnished, path, errno):
    before = furnished.snapshot()
    assert guest.call("path_create_directory", 3, path) is errno
    assert furnished.snapshot() == before


def test_f44_a_directory_is_made_behind_a_link(guest, furnished):
    guest.must("path_create_directory", 3, "to-full/new")
    assert furnished.see("full/new").kind == DIR


@pytest.mark.parametrize("path", NAMES)
def test_f44_a_symbolic_link_over_any_name_is_exist(guest, furnished, path):
    before = furnished.snapshot()
    assert guest.call("path_symlink", "target", 3, path) is Errno.EXIST
    assert furnished.snapshot() == before


def test_f44_an_empty_target_is_noent_even_over_a_name(guest):
    assert guest.call("path_symlink", "", 3, "file") is Errno.NOENT


# 45

TARGET = "target-\N{GREEK SMALL LETTER ALPHA}\N{GREEK SMALL LETTER OMEGA}"
BYTES = TARGET.encode()


@pytest.fixture
def linked(guest):
    guest.must("path_symlink", TARGET, 3, "link")
    return guest


@pytest.mark.parametrize("room", [0, 1, 7, 8, len(BYTES) - 1, len(BYTES), len(BYTES) + 40])
def test_f45_readlink_fills_what_there_is_room_for_and_the_rest_stays(linked, room):
    at = linked.alloc(200)
    linked.poke(at, PATTERN * 200)
    used = linked.must("path_readlink", 3, "link", at + 10, room)
    assert used == min(room, len(BYTES))
    expected = PATTERN * 10 + BYTES[:used] + PATTERN * (190 - used)
    assert linked.get(at, 200) == expected


@pytest.mark.parametrize("path", ["file", "full", "empty", "full/file", "."])
def test_f45_readlink_of_what_is_no_link_is_inval(guest, path):
    assert guest.call("path_readlink", 3, path, guest.alloc(64), 64) is Errno.INVAL


def test_f45_readlink_of_nothing_is_noent(guest):
    assert guest.call("path_readlink", 3, "missing", guest.alloc(64), 64) is Errno.NOENT
