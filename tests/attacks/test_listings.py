"""Catalogue G 46 to 49: listing directories, in whatever pieces, while they change or are gone.

``WASI_HOST_TEST_ENTRIES`` says how large the large directory is: 20,000 entries by default.
"""

import os

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, READ, WRITE
from tests.attacks.places import DIR, FILE, LINK, HostPlace, MemoryPlace
from wasi_host.fs.host import HostDirectory
from wasi_host.fs.memory import MemoryDirectory, MemoryFS
from wasi_spec import records

ENTRIES = int(os.environ.get("WASI_HOST_TEST_ENTRIES", "20000"))
HEADER = records.DIRENT.size
PATTERN = b"\xa5"


def decoded(data):
    """Return the whole entries of a listing: cookie after, inode, name, kind."""
    found, offset = [], 0
    while offset + HEADER <= len(data):
        cookie, ino, length, kind = records.DIRENT.unpack_from(data, offset)
        name = data[offset + HEADER : offset + HEADER + length]
        if len(name) < length:
            break
        found.append((cookie, ino, name, kind))
        offset += HEADER + length
    return found


def listed(guest, fd=3, size=8192, cookie=0):
    """Return what one call gives."""
    if not hasattr(guest, "room"):
        guest.room = guest.alloc(16384)
    return guest.get(guest.room, guest.must("fd_readdir", fd, guest.room, size, cookie))


def read_all(guest, fd=3, size=8192, cookie=0, between=lambda: None):
    """Return all entries, read as a C library does with a buffer of ``size``."""
    found = []
    while True:
        data = listed(guest, fd, size, cookie)
        entries = decoded(data)
        found += entries
        if len(data) < size:
            return found
        assert entries, "the buffer holds no entry"
        cookie = entries[-1][0]
        between()


def names(entries):
    return [name for _, _, name, _ in entries]


@pytest.fixture
def furnished(place):
    place.write("a file", b"content")
    place.mkdir("directory")
    place.write("directory/below", b"")
    place.symlink("a file", "link")
    place.symlink("missing", "dangling")
    place.write("n" * 255, b"")
    return place


NAMES = {b"a file", b"directory", b"link", b"dangling", b"n" * 255}


@pytest.fixture
def guest(furnished, start):
    return start(furnished)


# 46


@pytest.mark.parametrize("size", [0, 1, HEADER - 1, HEADER, HEADER + 1, 2 * HEADER, 60, 200])
def test_g46_a_buffer_is_filled_to_its_last_byte_and_the_rest_stays(guest, size):
    whole = listed(guest)
    guest.poke(guest.room, PATTERN * 400)
    assert guest.must("fd_readdir", 3, guest.room, size, 0) == size
    assert guest.get(guest.room, 400) == whole[:size] + PATTERN * (400 - size)


@pytest.mark.parametrize("size", [HEADER, HEADER + 1, HEADER + 5])
def test_g46_an_entry_is_cut_in_its_name(guest, size):
    entries = decoded(listed(guest))
    cookie = next(entry[0] for entry in entries if entry[2] == b"..")
    third = entries[2]
    data = listed(guest, size=size, cookie=cookie)
    assert records.DIRENT.unpack_from(data, 0)[2] == len(third[2])
    assert data[HEADER:] == third[2][: size - HEADER]


def test_g46_a_buffer_of_exactly_the_listing_is_full_and_then_it_ends(guest):
    whole = listed(guest)
    assert listed(guest, size=len(whole)) == whole
    assert listed(guest, size=len(whole), cookie=decoded(whole)[-1][0]) == b""
    assert listed(guest, size=len(whole) + 1) == whole


@pytest.mark.parametrize("size", [HEADER + 255, HEADER + 256, 300, 512, 4096])
def test_g46_a_listing_in_pieces_of_any_size_has_every_entry_once(guest, size):
    found = names(read_all(guest, size=size))
    assert sorted(found) == sorted(NAMES | {b".", b".."})


def test_g46_what_is_written_does_not_depend_on_what_was_there(guest):
    found = []
    for pattern in (b"\0", b"\xff", PATTERN):
        listed(guest)
        guest.poke(guest.room, pattern * 8192)
        found.append(listed(guest))
        assert found[-1][21:HEADER] == bytes(3)  # the padding
    assert found[0] == found[1] == found[2]


# 47


def test_g47_every_cookie_resumes_behind_its_entry(guest):
    entries = decoded(listed(guest))
    for place, entry in enumerate(entries):
        assert decoded(listed(guest, cookie=entry[0])) == entries[place + 1 :]


def test_g47_cookies_can_be_used_in_any_order(guest):
    entries = decoded(listed(guest))
    for place in (5, 1, 6, 0, 3):
        assert decoded(listed(guest, cookie=entries[place][0])) == entries[place + 1 :]


@pytest.mark.parametrize("cookie", [8, 1000, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("before", [True, False], ids=["after a listing", "at first"])
def test_g47_a_cookie_that_was_never_given_is_the_end(guest, cookie, before):
    if before:
        assert len(read_all(guest)) == 7
    assert listed(guest, cookie=cookie) == b""


def test_g47_a_cookie_works_on_a_descriptor_that_listed_nothing_yet(guest):
    entries = decoded(listed(guest))
    assert decoded(listed(guest, guest.open_dir("."), cookie=entries[2][0])) == entries[3:]


def test_g47_cookie_0_starts_afresh_and_sees_what_is_new(guest, furnished):
    read_all(guest)
    guest.open("new", oflags=CREAT, rights=READ | WRITE)
    furnished.write("by the host", b"")
    guest.must("path_unlink_file", 3, "a file")
    expected = NAMES - {b"a file"} | {b"new", b"by the host", b".", b".."}
    assert sorted(names(read_all(guest))) == sorted(expected)


def test_g47_two_descriptors_of_one_directory_list_on_their_own(guest):
    other = guest.open_dir(".")
    first = decoded(listed(guest, size=300))
    assert names(read_all(guest, other)) == names(read_all(guest))
    rest = decoded(listed(guest, cookie=first[-1][0]))
    assert names(first + rest) == names(read_all(guest))


@pytest.fixture
def many(place, start):
    for number in range(60):
        place.write(f"old{number:02}", b"")
    return start(place)


def changes(guest):
    """Create, remove and rename something at each call."""
    number = iter(range(60))

    def change():
        turn = next(number)
        guest.must("fd_close", guest.open(f"new{turn:02}", oflags=CREAT, rights=READ | WRITE))
        guest.must("path_unlink_file", 3, f"old{59 - turn:02}")
        guest.must("path_rename", 3, f"old{turn:02}", 3, f"renamed{turn:02}")

    return change


@pytest.mark.parametrize("size", [100, 200, 400])
def test_g47_while_names_come_and_go_none_is_listed_twice_and_survivors_once(many, size):
    found = names(read_all(many, size=size, between=changes(many)))
    assert len(found) == len(set(found))
    assert set(many.names()) & {f"old{number:02}".encode() for number in range(60)} <= set(found)


def test_g47_removing_everything_while_listing_it_works_as_rm_does(many):
    cookie, left = 0, 60
    while True:
        data = listed(many, size=200, cookie=cookie)
        for cookie, _, name, kind in decoded(data):  # noqa: B007
            if kind == FILE:
                many.must("path_unlink_file", 3, name)
                left -= 1
        if len(data) < 200:
            break
    assert left == 0
    assert many.names() == []


# 48


def test_g48_the_two_dots_come_first_and_have_the_inodes_of_their_directories(guest):
    root, directory = guest.stat(".").ino, guest.stat("directory").ino
    fd = guest.open_dir("directory")
    assert [entry[1:] for entry in decoded(listed(guest, fd))[:2]] == [
        (directory, b".", DIR),
        (root, b"..", DIR),
    ]
    assert [entry[1:] for entry in decoded(listed(guest))[:2]] == [
        (root, b".", DIR),
        (root, b"..", DIR),
    ]


def test_g48_each_entry_has_its_kind_and_the_inode_that_stat_says(guest):
    for _, ino, name, kind in decoded(listed(guest)):
        if name != b"..":
            stat = guest.stat(name)
            assert (ino, kind) == (stat.ino, stat.filetype)


def test_g48_kinds_are_those_of_the_entries_themselves(guest):
    kinds = {name: kind for _, _, name, kind in decoded(listed(guest))}
    assert kinds[b"a file"] == FILE
    assert kinds[b"directory"] == DIR
    assert kinds[b"link"] == kinds[b"dangling"] == LINK


def test_g48_after_a_directory_was_moved_the_dots_have_the_new_inode_above(guest):
    guest.must("path_create_directory", 3, "parent")
    fd = guest.open_dir("directory")
    guest.must("path_rename", 3, "directory", 3, "parent/moved")
    assert decoded(listed(guest, fd))[1][1] == guest.stat("parent").ino


def test_g48_many_names_of_255_bytes(place, start):
    wanted = [f"{number:03}" + "\N{GREEK SMALL LETTER ALPHA}" * 126 for number in range(200)]
    assert {len(name.encode()) for name in wanted} == {255}
    for name in wanted:
        place.write(name, b"")
    found = names(read_all(start(place), size=HEADER + 255))
    assert sorted(found[2:]) == sorted(name.encode() for name in wanted)


@pytest.fixture
def counted(monkeypatch):
    """How often a directory's entries were asked for."""
    calls = []
    for kind in (HostDirectory, MemoryDirectory):

        def entries(self, real=kind.entries):
            calls.append(self)
            return real(self)

        monkeypatch.setattr(kind, "entries", entries)
    return calls


@pytest.fixture(scope="module")
def large_on_the_host(tmp_path_factory):
    """A host directory with many entries, made once: it takes most of these tests' time."""
    root = tmp_path_factory.mktemp("large")
    for number in range(ENTRIES):
        (root / f"entry{number:06}").symlink_to("x")  # cheaper than a file
    return HostPlace(root)


@pytest.fixture(scope="module")
def large_in_memory():
    return MemoryPlace(MemoryFS({f"entry{number:06}": b"" for number in range(ENTRIES)}))


@pytest.mark.parametrize("where", ["on_the_host", "in_memory"])
def test_g48_a_large_directory_is_listed_whole_and_looked_at_once(request, where, start, counted):
    guest = start(request.getfixturevalue(f"large_{where}"))
    found = names(read_all(guest, size=4096))
    assert len(found) == ENTRIES + 2
    assert set(found[2:]) == {f"entry{number:06}".encode() for number in range(ENTRIES)}
    # Looking anew for each of its pieces would take quadratic time.
    # (The native part's look is not Python's to count; it keeps what it saw in the same way.)
    assert len(counted) <= 1
    assert decoded(listed(guest, cookie=ENTRIES))[-2][0] == ENTRIES + 1


# 49


@pytest.fixture
def removed(place, start):
    """A guest with a removed directory as 4, of which nothing was listed yet."""
    place.mkdir("directory")
    guest = start(place)
    assert guest.open("directory", oflags=DIRECTORY, rights=READ) == 4
    guest.must("path_remove_directory", 3, "directory")
    return guest


@pytest.mark.parametrize("size", [2 * HEADER + 3, 4096])
def test_g49_a_removed_directory_lists_its_dots_and_then_ends(removed, size):
    assert names(read_all(removed, 4, size)) == [b".", b".."]


def test_g49_a_directory_removed_between_two_calls_lists_on(guest):
    fd = guest.open_dir("directory")
    first = decoded(listed(guest, fd, size=2 * HEADER + 3))
    guest.must("path_unlink_file", 3, "directory/below")
    guest.must("path_remove_directory", 3, "directory")
    assert names(decoded(listed(guest, fd, cookie=first[-1][0]))) == [b"below"]
    assert names(decoded(listed(guest, fd))) == [b".", b".."]
