import pytest

from tests.descriptors.fakes import FakeDirectory
from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.errors import BADF, NOTDIR, PERM
from wasi_spec.enums import Filetype
from wasi_spec.records import DIRENT
from wasi_spec.rights import ALL_RIGHTS

DIRECTORY, FILE = Filetype.DIRECTORY, Filetype.REGULAR_FILE


def listing_of(*names):
    node = FakeDirectory({name: bytearray() for name in names})
    return node, DirectoryDescriptor(node, ALL_RIGHTS, ALL_RIGHTS)


def decoded(data):
    """The whole entries in ``data``, as (next cookie, inode, kind, name)."""
    entries = []
    while len(data) >= DIRENT.size:
        cookie, ino, length, kind = DIRENT.unpack_from(data)
        name = data[DIRENT.size : DIRENT.size + length]
        if len(name) < length:
            break
        entries.append((cookie, ino, kind, name))
        data = data[DIRENT.size + length :]
    return entries


def names_from(descriptor, cookie, size=1 << 16):
    return [entry[3] for entry in decoded(descriptor.readdir(size, cookie))]


def test_a_listing_begins_with_the_directory_itself_and_the_one_above():
    _, directory = listing_of("a")
    assert decoded(directory.readdir(1000, 0)) == [
        (1, 5, DIRECTORY, b"."),
        (2, 5, DIRECTORY, b".."),
        (3, 100, FILE, b"a"),
    ]


def test_the_directory_above_has_its_own_inode_where_it_is_known():
    node, directory = listing_of()
    node.parent_ino = lambda: 99
    assert [entry[1] for entry in decoded(directory.readdir(1000, 0))] == [5, 99]


@pytest.mark.parametrize("size", [0, 1, 23, 24, 25, 26, 49, 51, 52, 74])
def test_a_listing_fills_the_buffer_to_the_last_byte_and_cuts_the_entry_there(size):
    _, directory = listing_of("a")
    whole = directory.readdir(1000, 0)
    assert len(whole) == 3 * DIRENT.size + 1 + 2 + 1
    assert directory.readdir(size, 0) == whole[:size]


@pytest.mark.parametrize("size", [30, 51, 60, 100, 1000])
def test_reading_on_from_the_last_whole_entry_shows_each_entry_once(size):
    names = [f"n{index}" for index in range(50)]
    _, directory = listing_of(*names)
    cookie, seen = 0, []
    while True:
        data = directory.readdir(size, cookie)
        entries = decoded(data)
        seen += [entry[3].decode() for entry in entries]
        if len(data) < size:
            break
        cookie = entries[-1][0]
    assert seen == [".", "..", *names]


@pytest.mark.parametrize("cookie", [4, 5, 1000, 2**63, 2**64 - 1])
def test_a_cookie_past_the_end_gives_nothing(cookie):
    _, directory = listing_of("a", "b")
    directory.readdir(1000, 0)
    assert directory.readdir(1000, cookie) == b""


def test_a_cookie_before_any_listing_takes_one():
    _, directory = listing_of("a", "b")
    assert names_from(directory, 3) == [b"b"]


def test_only_cookie_0_sees_new_entries_and_no_change_repeats_or_hides_one():
    node, directory = listing_of("a", "b", "c")
    assert names_from(directory, 0, 3 * DIRENT.size + 4) == [b".", b"..", b"a"]
    del node.tree["a"]
    node.tree["d"] = bytearray()
    assert names_from(directory, 3) == [b"b", b"c"]
    assert names_from(directory, 0) == [b".", b"..", b"b", b"c", b"d"]


def test_a_host_name_that_is_no_utf8_is_listed_as_its_bytes():
    _, directory = listing_of(b"\xff\xfe".decode("utf-8", "surrogateescape"), "ü")
    assert names_from(directory, 2) == [b"\xff\xfe", "ü".encode()]


def test_a_listing_of_100_000_entries_can_be_read_in_small_parts():
    _, directory = listing_of(*(f"{index:06}" for index in range(100_000)))
    cookie, count = 0, 0
    while True:
        data = directory.readdir(4096, cookie)
        entries = decoded(data)
        count += len(entries)
        if len(data) < 4096:
            break
        cookie = entries[-1][0]
    assert count == 100_002


def test_a_directory_is_no_file():
    _, directory = listing_of()
    for call, arguments in {
        "read": (1,), "write": (b"",), "pread": (1, 0), "pwrite": (b"", 0), "seek": (0, 0),
        "tell": (), "advise": (0, 0, 0), "allocate": (0, 1), "sync": (), "datasync": (),
        "set_size": (0,), "set_flags": (0,), "poll_read": (), "poll_write": (), "fileno": (),
        "readinto": ((),), "preadinto": ((), 0),
    }.items():  # fmt: skip
        with pytest.raises(BADF):
            getattr(directory, call)(*arguments)


def test_a_preopen_tells_its_name_and_others_that_they_are_none():
    preopen = DirectoryDescriptor(FakeDirectory(), 0, 0, b"/data")
    assert (preopen.prestat(), preopen.prestat_dir_name()) == (5, b"/data")
    other = DirectoryDescriptor(FakeDirectory(), 0, 0)
    with pytest.raises(BADF):
        other.prestat()
    with pytest.raises(NOTDIR):
        other.prestat_dir_name()


def test_the_times_of_a_read_only_directory_stay():
    node = FakeDirectory(readonly=True)
    with pytest.raises(PERM):
        DirectoryDescriptor(node, ALL_RIGHTS, 0).set_times(1, 2)
    assert node.calls == []


def test_closing_closes_the_node_and_forgets_the_listing():
    node, directory = listing_of("a")
    directory.readdir(10, 0)
    directory.close()
    assert node.closed == 1
    assert directory.blob is None
