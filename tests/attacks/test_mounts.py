"""Catalogue F 41 to 43, C 23 and G 48 where a directory of the guest lies below another one."""

import pytest

from tests.attacks.guest import CREAT, EXCL, READ, TRUNC, WRITE
from tests.attacks.places import HostPlace
from tests.attacks.sides import MTIM, SIDES, STAMP
from wasi_host import HostDir, MemoryFS
from wasi_spec import Errno, records

OUTER, INNER = 3, 4


def furnish(place):
    place.write("file", b"outer")
    place.write("ordinary", b"outer")
    place.mkdir("dir")
    place.mkdir("dir/sub")
    place.mkdir("full")
    place.write("full/file", b"below")
    place.symlink("data/inner", "into")


@pytest.fixture
def inner(tmp_path):
    """A host directory of its own."""
    root = tmp_path / "inner"
    root.mkdir()
    (root / "inner").write_bytes(b"inner")
    (root / "sub").mkdir()
    return root


@pytest.fixture
def mount(place, inner):
    """What is mounted: memory in a host directory, a host directory in memory."""
    return {"inner": b"inner", "sub": {}} if isinstance(place, HostPlace) else inner


@pytest.fixture
def guest(place, start, mount):
    """A guest with the place as ``/`` and something mounted in it at ``/data``."""
    furnish(place)
    return start(place, dirs={"/": place.source, "/data": mount})


#: What changes a name, and the answer at a mount point.
AT_A_MOUNT = {
    "remove it": (Errno.BUSY, lambda g: g.call("path_remove_directory", OUTER, "data")),
    "remove it by a slash": (Errno.BUSY, lambda g: g.call("path_remove_directory", OUTER, "data/")),
    "unlink it": (Errno.ISDIR, lambda g: g.call("path_unlink_file", OUTER, "data")),
    "rename it": (Errno.BUSY, lambda g: g.call("path_rename", OUTER, "data", OUTER, "new")),
    "rename it deeper": (
        Errno.BUSY,
        lambda g: g.call("path_rename", OUTER, "data", OUTER, "dir/new"),
    ),
    "rename it into itself": (
        Errno.BUSY,
        lambda g: g.call("path_rename", OUTER, "data", INNER, "new"),
    ),
    "replace it by a file": (
        Errno.BUSY,
        lambda g: g.call("path_rename", OUTER, "file", OUTER, "data"),
    ),
    "replace it by a directory": (
        Errno.BUSY,
        lambda g: g.call("path_rename", OUTER, "dir", OUTER, "data"),
    ),
    "replace it by dots": (
        Errno.BUSY,
        lambda g: g.call("path_rename", OUTER, "dir", OUTER, "dir/../data/"),
    ),
    "make a directory": (Errno.EXIST, lambda g: g.call("path_create_directory", OUTER, "data")),
    "make a link": (Errno.EXIST, lambda g: g.call("path_symlink", "file", OUTER, "data")),
    "link a file to it": (
        Errno.EXIST,
        lambda g: g.call("path_link", OUTER, 0, "file", OUTER, "data"),
    ),
    "link it": (Errno.PERM, lambda g: g.call("path_link", OUTER, 0, "data", OUTER, "new")),
    "create it": (Errno.ISDIR, lambda g: g.try_open("data", oflags=CREAT)),
    "create it anew": (Errno.EXIST, lambda g: g.try_open("data", oflags=CREAT | EXCL)),
    "write it": (Errno.ISDIR, lambda g: g.try_open("data", rights=WRITE)),
    "read it as a link": (
        Errno.INVAL,
        lambda g: g.call("path_readlink", OUTER, "data", g.alloc(64), 64),
    ),
}


@pytest.mark.parametrize(("errno", "call"), AT_A_MOUNT.values(), ids=AT_A_MOUNT)
def test_f41_a_mount_point_is_a_directory_that_is_busy(guest, place, errno, call):
    before = place.snapshot()
    assert call(guest) is errno
    assert place.snapshot() == before
    assert guest.names(INNER) == [b"inner", b"sub"]


@pytest.mark.parametrize("covered", ["a directory", "a file", "a link"])
def test_f43_what_a_mount_covers_stays_hidden_and_whole(place, start, covered):
    {
        "a directory": lambda: place.mkdir("data"),
        "a file": lambda: place.write("data", b"covered"),
        "a link": lambda: place.symlink("file", "data"),
    }[covered]()
    before = place.snapshot()
    guest = start(place, dirs={"/": place.source, "/data": {"inner": b"inner"}})
    assert guest.content("data/inner") == b"inner"
    assert guest.call("path_remove_directory", OUTER, "data") is Errno.BUSY
    assert guest.call("path_unlink_file", OUTER, "data") is Errno.ISDIR
    assert place.snapshot() == before


def test_f41_below_the_mount_all_is_as_by_its_own_descriptor(guest):
    guest.must("path_rename", OUTER, "data/inner", OUTER, "data/sub/moved")
    assert guest.content("sub/moved", fd=INNER) == b"inner"
    guest.must("path_rename", INNER, "sub/moved", OUTER, "data/inner")
    assert guest.content("into", follow=True) == b"inner"


@pytest.mark.parametrize("path", ["data/../file", "data/sub/../../file", "data/../data/../file"])
def test_d24_out_of_a_mount_dots_lead_into_the_outer_directory(guest, path):
    assert guest.content(path) == b"outer"


def test_d24_a_mount_is_no_way_out_of_the_outer_directory(guest):
    assert guest.try_open("data/../..") is Errno.PERM
    assert guest.try_open("data/sub/../../../file") is Errno.PERM
    assert guest.try_open("into/..", follow=True) is Errno.NOTDIR


def test_d24_nothing_leads_up_from_the_mounts_own_descriptor(guest):
    assert guest.try_open("..", fd=INNER) is Errno.PERM
    assert guest.try_open("../file", fd=INNER) is Errno.PERM


def test_g48_the_listing_of_a_mount_begins_with_its_own_inode_twice(guest):
    at = guest.alloc(256)
    data = guest.get(at, guest.must("fd_readdir", INNER, at, 256, 0))
    own = guest.must("fd_filestat_get", INNER).ino
    assert records.DIRENT.unpack_from(data, 0)[1] == own
    assert records.DIRENT.unpack_from(data, records.DIRENT.size + 1)[1] == own


# Between mounts

CROSSING = {
    "rename out": lambda g: g.call("path_rename", OUTER, "data/inner", OUTER, "new"),
    "rename in": lambda g: g.call("path_rename", OUTER, "file", OUTER, "data/new"),
    "rename over": lambda g: g.call("path_rename", OUTER, "file", OUTER, "data/inner"),
    "rename a directory": lambda g: g.call("path_rename", OUTER, "full", OUTER, "data/new"),
    "rename from descriptor to descriptor": lambda g: g.call(
        "path_rename", OUTER, "file", INNER, "new"
    ),
    "link out": lambda g: g.call("path_link", OUTER, 0, "data/inner", OUTER, "new"),
    "link in": lambda g: g.call("path_link", OUTER, 0, "file", OUTER, "data/new"),
    "link from descriptor to descriptor": lambda g: g.call(
        "path_link", INNER, 0, "inner", OUTER, "new"
    ),
}
crossing = pytest.mark.parametrize("call", CROSSING.values(), ids=CROSSING)


@crossing
def test_f41_between_different_filesystems_is_xdev(guest, place, call):
    before = place.snapshot()
    assert call(guest) is Errno.XDEV
    assert place.snapshot() == before
    assert guest.names(INNER) == [b"inner", b"sub"]


@crossing
def test_f41_between_two_trees_in_memory_is_xdev(memory_only, start, call):
    furnish(memory_only)
    other = MemoryFS({"inner": b"inner", "sub": {}})
    guest = start(memory_only, dirs={"/": memory_only.source, "/data": other})
    before = memory_only.snapshot(), other.tree()
    assert call(guest) is Errno.XDEV
    assert (memory_only.snapshot(), other.tree()) == before


@crossing
def test_f41_between_two_host_directories_on_one_device_works(host_only, start, inner, call):
    furnish(host_only)
    guest = start(host_only, dirs={"/": host_only.source, "/data": inner})
    assert call(guest) is Errno.SUCCESS


def test_f41_what_was_renamed_between_two_host_directories_is_there(host_only, start, inner):
    furnish(host_only)
    guest = start(host_only, dirs={"/": host_only.source, "/data": inner})
    guest.must("path_rename", OUTER, "full", INNER, "sub")
    assert (inner / "sub" / "file").read_bytes() == b"below"
    assert not host_only.exists("full")


def test_f41_a_directory_is_not_renamed_into_a_mount_point_in_itself(host_only, start, inner):
    """The mount lies below the directory by the guest's names, though not on the host."""
    furnish(host_only)
    guest = start(host_only, dirs={"/": host_only.source, "/dir/data": inner})
    before = host_only.snapshot()
    assert guest.call("path_rename", OUTER, "dir", OUTER, "dir/data/new") is Errno.BUSY
    assert guest.call("path_rename", OUTER, "dir", INNER, "new") is Errno.BUSY
    assert host_only.snapshot() == before
    assert guest.content("dir/data/inner") == b"inner"


# An outer directory given read-only, with a writable mount below (23)


@pytest.fixture
def guarded(place, start, mount):
    furnish(place)
    if isinstance(place, HostPlace):
        source = HostDir(place.root, readonly=True)
    else:
        source = place.source
        source.readonly = True
    return start(place, dirs={"/": source, "/data": mount})


CHANGES = {
    "create_directory": lambda g, path: g.call("path_create_directory", OUTER, path),
    "remove_directory": lambda g, path: g.call("path_remove_directory", OUTER, path),
    "unlink_file": lambda g, path: g.call("path_unlink_file", OUTER, path),
    "symlink": lambda g, path: g.call("path_symlink", "target", OUTER, path),
    "rename inside": lambda g, path: g.call("path_rename", OUTER, path, OUTER, "made"),
    "rename into the mount": lambda g, path: g.call("path_rename", OUTER, path, INNER, "made"),
    "rename out of the mount": lambda g, path: g.call("path_rename", INNER, "inner", OUTER, path),
    "link inside": lambda g, path: g.call("path_link", OUTER, 0, path, OUTER, "made"),
    "link into the mount": lambda g, path: g.call("path_link", OUTER, 0, path, INNER, "made"),
    "link out of the mount": lambda g, path: g.call("path_link", INNER, 0, "inner", OUTER, path),
    "set_times": lambda g, path: g.call("path_filestat_set_times", OUTER, 0, path, 0, STAMP, MTIM),
    "create": lambda g, path: g.try_open(path, oflags=CREAT),
    "create exclusively": lambda g, path: g.try_open(path, oflags=CREAT | EXCL),
    "truncate": lambda g, path: g.try_open(path, oflags=TRUNC, rights=READ | WRITE),
    "open to write": lambda g, path: g.try_open(path, rights=WRITE),
}
PATHS = ["file", "missing", "dir", "dir/sub", "dir/missing", "missing/x", "full/file"]


@pytest.mark.parametrize("change", CHANGES)
def test_c23_around_a_writable_mount_a_change_is_perm_whether_or_not_the_name_exists(
    guarded, place, change
):
    before = place.snapshot()
    found = {path: CHANGES[change](guarded, path) for path in PATHS}
    assert found == dict.fromkeys(PATHS, Errno.PERM)
    assert place.snapshot() == before
    assert guarded.names(INNER) == [b"inner", b"sub"]


@pytest.mark.parametrize("change", CHANGES)
def test_c23_back_out_of_a_writable_mount_a_change_is_perm(guarded, place, change):
    before = place.snapshot()
    paths = ["data/../file", "data/../missing", "data/sub/../../dir"]
    found = {path: CHANGES[change](guarded, path) for path in paths}
    assert found == dict.fromkeys(paths, Errno.PERM)
    assert place.snapshot() == before


def test_c23_a_change_in_an_opened_directory_of_the_outer_part_is_perm(guarded, place):
    fd = guarded.open("dir", rights=READ)
    before = place.snapshot()
    for path in ("sub", "missing", "missing/x"):
        assert guarded.call("path_create_directory", fd, path) is Errno.PERM
        assert guarded.call("path_unlink_file", fd, path) is Errno.PERM
        assert guarded.try_open(path, fd=fd, rights=WRITE) is Errno.PERM
    assert place.snapshot() == before


def test_c23_the_outer_directories_own_times_are_perm(guarded):
    assert guarded.call("fd_filestat_set_times", OUTER, 0, STAMP, MTIM) is Errno.PERM
    assert guarded.call("path_filestat_set_times", OUTER, 0, ".", 0, STAMP, MTIM) is Errno.PERM


def test_c23_inside_the_mount_by_the_outer_descriptor_changes_work(guarded):
    guarded.must("path_create_directory", OUTER, "data/made")
    guarded.must("path_rename", OUTER, "data/inner", OUTER, "data/made/moved")
    guarded.must("path_symlink", "made/moved", OUTER, "data/link")
    guarded.must("path_link", OUTER, 0, "data/made/moved", OUTER, "data/second")
    fd = guarded.open("data/new", oflags=CREAT, rights=READ | WRITE)
    guarded.write(fd, b"words")
    guarded.must("path_filestat_set_times", OUTER, 0, "data/new", 0, STAMP, MTIM)
    guarded.must("path_remove_directory", OUTER, "data/sub")
    guarded.must("path_unlink_file", OUTER, "data/second")
    assert guarded.names(INNER) == [b"link", b"made", b"new"]
    assert guarded.content("new", fd=INNER) == b"words"


def test_c23_inside_the_mount_a_missing_name_is_noent(guarded):
    assert guarded.try_open("data/missing", rights=WRITE) is Errno.NOENT
    assert guarded.call("path_unlink_file", OUTER, "data/missing") is Errno.NOENT


@pytest.mark.parametrize("side", sorted(SIDES.keys() & {"filestat_get", "open", "open following"}))
def test_c23_looking_at_the_outer_part_works(guarded, side):
    assert SIDES[side](guarded, OUTER, "file") is Errno.SUCCESS
    assert SIDES[side](guarded, OUTER, "missing") is Errno.NOENT
