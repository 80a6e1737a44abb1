"""What pyfilesystem2's filesystems do wrong or not at all, and guests never notice."""

import contextlib
import os
import pickle
import warnings

import pytest

from tests.fs.actions import UPDATE, act, outcome, snapshot
from tests.fs.backends import SECRET
from tests.fs.theirs import (
    OSFS,
    Copying,
    Failing,
    MountFS,
    MultiFS,
    OtherOSFS,
    TempFS,
    TheirMemoryFS,
    ZipFS,
    errors,
    put,
    read_only,
)
from wasi_host.fs.host import HostDirectory
from wasi_host.fs.path_fs import ForeignFilesystemWarning
from wasi_host.fs.path_nodes import MAX_HOLE, PathDirectory
from wasi_host.fs.pyfs import PyFilesystem
from wasi_host.fs.source import filesystem_of

TREE = {"file": b"content", "dir": {"sub": {"deep": b"deep"}, "inner": b"in"}, "empty": {}}

pytestmark = pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")


def mounted():
    filesystem = MountFS()
    filesystem.mount("m", put(TheirMemoryFS(), TREE))
    return filesystem.opendir("m")


def layered():
    filesystem = MultiFS()
    filesystem.add_fs("one", put(TheirMemoryFS(), TREE), write=True)
    return filesystem


FILESYSTEMS = {
    "memory": lambda: put(TheirMemoryFS(), TREE),
    "mounts": mounted,
    "layers": layered,
    "copying": lambda: put(Copying(), TREE),
    "subdirectory": lambda: put(TheirMemoryFS().makedir("here"), TREE),
}


@pytest.fixture(params=FILESYSTEMS.values(), ids=FILESYSTEMS)
def theirs(request):
    with request.param() as filesystem:
        yield filesystem


@pytest.fixture
def root(theirs):
    with contextlib.closing(PyFilesystem(theirs).open_root()) as root:
        yield root


def opened(root, path, mode=os.O_RDONLY):
    return contextlib.closing(root.open_at(path, mode, True))


@pytest.mark.parametrize(
    ("path", "to", "expected"),
    [
        ("dir", "dir/sub/new", "EINVAL"),
        ("dir", "dir/new", "EINVAL"),
        ("dir", "dir/sub", "EINVAL"),
        ("dir", "dir", "ok"),
        ("empty", "dir", "ENOTEMPTY"),
        ("dir/sub", "dir", "ENOTEMPTY"),
        ("file", "dir", "EISDIR"),
        ("file", "empty", "EISDIR"),
        ("dir", "file", "ENOTDIR"),
        ("file", "file", "ok"),
    ],
)
def test_a_rename_that_they_would_lose_data_by_or_never_end_changes_nothing(
    root, path, to, expected
):
    before = snapshot(root)
    assert outcome(root.rename_at, path, root, to) == expected
    assert snapshot(root) == before


def test_a_directory_is_renamed_with_all_that_is_in_it(root):
    before = snapshot(root)
    root.rename_at("dir", root, "empty")
    root.rename_at("empty", root, "new")
    after = snapshot(root)
    assert after == {"file": before["file"], "new": before["dir"]}


def test_what_is_open_is_still_itself_when_it_is_renamed_with_its_directory(root):
    with opened(root, "dir/sub/deep", os.O_RDWR) as node, opened(root, "dir/sub") as directory:
        numbers = node.stat()[1], directory.stat()[1]
        node.pwrite(b"D", 0)
        root.rename_at("dir", root, "new")
        node.append(b"!")
        assert node.pread(10, 0) == b"Deep!"
        assert (node.stat()[1], directory.stat()[1]) == numbers
        assert [entry.name for entry in directory.entries()] == ["deep"]
    with opened(root, "new/sub/deep") as again:
        assert again.pread(10, 0) == b"Deep!"
        assert again.stat()[1] == numbers[0]


def test_a_file_that_is_moved_and_then_removed_while_it_is_open_still_works(root):
    with opened(root, "file", os.O_RDWR) as node, opened(root, "dir/inner") as other:
        root.rename_at("file", root, "moved")
        root.rename_at("dir/inner", root, "file")
        root.unlink_at("moved")
        root.rename_at("dir/sub/deep", root, "file")
        node.append(b"!")
        assert node.pread(10, 0) == b"content!"
        assert other.pread(10, 0) == b"in"


def test_a_new_file_of_an_old_name_has_another_inode(root):
    number = root.stat_at("file", True)[1]
    root.rename_at("file", root, "moved")
    root.open_at("file", UPDATE, True).close()
    assert root.stat_at("moved", True)[1] == number
    assert root.stat_at("file", True)[1] != number
    entries = {entry.name: entry.ino for entry in root.entries()}
    assert entries["file"] == root.stat_at("file", True)[1]


def test_appends_of_two_nodes_are_each_at_the_end(root):
    with opened(root, "file", os.O_RDWR) as one, opened(root, "file", os.O_WRONLY) as other:
        for text in (b"1", b"22", b"3"):
            one.append(text)
            other.append(text.lower())
        assert one.pread(100, 0) == b"content11222233"
    with opened(root, "file") as node:
        assert node.stat()[4] == 15


def test_a_file_opened_for_reading_is_never_cut_or_written(root, theirs):
    with opened(root, "file") as node:
        assert outcome(node.truncate, 0) == "EINVAL"
        assert outcome(node.pwrite, b"x", 0) == "EBADF"
        assert outcome(node.append, b"x") == "EBADF"
        assert outcome(node.allocate, 0, 100) == "EBADF"
    assert theirs.readbytes("file") == b"content"


def test_a_hole_is_zeros_and_one_that_would_cost_a_gibibyte_is_refused(root, theirs):
    with opened(root, "file", os.O_RDWR) as node:
        for call, *args in (
            (node.pwrite, b"x", 1 << 30), (node.truncate, 1 << 30), (node.allocate, 0, 1 << 30),
            (node.pwrite, b"x", 7 + MAX_HOLE + 1), (node.truncate, 1 << 62),
        ):  # fmt: skip
            assert outcome(call, *args) == "EFBIG"
        assert node.stat()[4] == 7
        node.pwrite(b"x", 10)
        node.truncate(12)
    assert theirs.readbytes("file") == b"content\0\0\0x\0"


def test_times_are_kept_to_the_nanosecond_and_through_a_rename(root):
    exact = 1_700_000_000_123_456_789, 1_600_000_000_987_654_321
    for path in ("file", "dir", "dir/sub/deep", "."):
        root.set_times_at(path, True, *exact)
    root.rename_at("file", root, "empty/file")
    root.rename_at("dir", root, "new")
    for path in ("empty/file", "new", "new/sub/deep"):
        assert root.stat_at(path, True)[5:7] == exact
    root.set_times_at("empty/file", True, None, 5)
    assert root.stat_at("empty/file", True)[5:7] == (exact[0], 5)


def test_looking_at_an_open_file_does_not_change_its_access_time(root):
    with opened(root, "file", os.O_RDWR) as node:
        before = node.stat()[5]
        node.append(b"!")
        node.pread(3, 0)
        assert node.stat()[5] == root.stat_at("file", True)[5] == before
        node.set_times(None, 5)
        assert node.stat()[5:7] == (before, 5)
        node.set_times(6, None)
        assert node.stat()[5:7] == (6, 5)


def test_a_time_that_was_set_is_the_past_once_the_file_is_changed(root, theirs):
    root.set_times_at("file", True, 1, 1)
    with opened(root, "file", os.O_RDWR) as node:
        node.pwrite(b"x", 0)
        assert node.stat()[6] > 10**18
    root.set_times_at("file", True, 1, 1)
    theirs.writebytes("file", b"by somebody else")
    assert root.stat_at("file", True)[6] > 10**18


def test_links_are_enotsup(root):
    assert outcome(root.symlink_at, "file", "new") == "ENOTSUP"
    assert outcome(root.link_at, "file", root, "new") == "ENOTSUP"
    assert outcome(root.symlink_at, "file", "dir") == "EEXIST"
    assert outcome(root.link_at, "dir", root, "new") == "EPERM"
    assert "new" not in snapshot(root)


def test_what_they_say_is_read_only_refuses_everything(tmp_path):
    theirs = read_only(put(TheirMemoryFS(), TREE))
    before = snapshot(PyFilesystem(theirs).open_root())
    root = PyFilesystem(theirs).open_root()
    assert root.readonly
    assert outcome(root.rename_at, "dir", root, "new") == "EPERM"
    assert outcome(root.open_at, "file", os.O_TRUNC, True) == "EPERM"
    assert snapshot(root) == before
    with ZipFS(str(tmp_path / "a.zip"), write=True) as archive:
        put(archive, TREE)
    archive = PyFilesystem(f"zip://{tmp_path}/a.zip", readonly=True)
    assert snapshot(archive.open_root()) == before
    assert outcome(archive.open_root().unlink_at, "file") == "EPERM"
    archive.close()


@pytest.fixture(params=[OSFS, OtherOSFS], ids=["plain", "other"])
def disk(request, tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "root").mkdir()
    filesystem = put(request.param(str(tmp_path / "root")), TREE)
    for name, target in (("out", "../secret"), ("up", ".."), ("ok", "dir/inner"),
                         ("l", "loop"), ("loop", "l"), ("dangling", "nowhere"),
                         ("abs", str(tmp_path))):  # fmt: skip
        os.symlink(target, tmp_path / "root" / name)
    os.symlink("../../secret", tmp_path / "root" / "dir" / "out")
    return filesystem


def test_no_link_leads_out_of_a_disk(disk):
    for theirs in (disk, disk.opendir("/")):
        root = PyFilesystem(theirs).open_root()
        assert outcome(root.open_at, "out", os.O_RDONLY, True) == "EPERM"
        assert outcome(root.open_at, "up/secret", os.O_RDONLY, True) == "EPERM"
        assert outcome(root.open_at, "abs/secret", os.O_RDONLY, True) == "EPERM"
        assert outcome(root.open_at, "out", os.O_RDWR, False) == "ELOOP"
        assert act("create-exclusive", root, "dangling") == "EEXIST"
        assert root.read_link_at("out") == "../secret"
        with opened(root, "ok") as node:
            assert node.pread(10, 0) == b"in"
        names = {entry.name for entry in root.entries()}
        assert names == {*TREE, "out", "up", "ok", "l", "loop", "dangling", "abs"}
        root.close()


def test_renaming_and_removing_on_a_disk_never_copies_what_a_link_leads_to(disk, tmp_path):
    root = PyFilesystem(disk).open_root()
    root.rename_at("dir", root, "new")
    assert os.readlink(tmp_path / "root/new/out") == "../../secret"
    assert outcome(root.rename_at, "file", root, "out") == "ok"
    assert (tmp_path / "secret").read_bytes() == SECRET
    assert (tmp_path / "root/out").read_bytes() == b"content"
    root.unlink_at("up")
    assert (tmp_path / "root").is_dir()
    root.close()


def test_a_plain_disk_is_a_host_directory(tmp_path):
    inside = OSFS(str(tmp_path)).makedir("inside")
    with TempFS() as temporary:
        for theirs in (OSFS(str(tmp_path)), temporary, inside):
            root = PyFilesystem(theirs).open_root()
            assert isinstance(root, HostDirectory)
            assert not root.readonly
            assert outcome(root.symlink_at, "file", "link") == "ok"
            root.close()
    root = PyFilesystem(read_only(inside)).open_root()
    assert isinstance(root, HostDirectory)
    assert root.readonly
    root.close()
    assert (tmp_path / "inside" / "link").is_symlink()
    root = PyFilesystem(OtherOSFS(str(tmp_path))).open_root()
    assert isinstance(root, PathDirectory)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ResourceNotFound("x"), "ENOENT"),
        (errors.DirectoryExpected("x"), "ENOTDIR"),
        (errors.FileExpected("x"), "EISDIR"),
        (errors.DirectoryNotEmpty("x"), "ENOTEMPTY"),
        (errors.DestinationExists("x"), "EEXIST"),
        (errors.ResourceReadOnly("x"), "EROFS"),
        (errors.PermissionDenied("x"), "EACCES"),
        (errors.InsufficientStorage("x"), "ENOSPC"),
        (errors.InvalidCharsInPath("x"), "EILSEQ"),
        (errors.IllegalBackReference("x"), "EPERM"),
        (errors.Unsupported("x"), "ENOTSUP"),
        (errors.OperationFailed("x", exc=OSError(40, "loop")), "ELOOP"),
        (errors.ResourceNotFound("x", exc=OSError(20, "no directory")), "ENOTDIR"),
        (FileNotFoundError("x"), "ENOENT"),
        (OSError(28, "full"), "ENOSPC"),
    ],
    ids=repr,
)
def test_their_errors_have_errnos(error, expected):
    theirs = put(Failing(), TREE)
    filesystem = PyFilesystem(theirs)
    root = filesystem.open_root()
    theirs.error = error
    assert outcome(root.stat_at, "file", True) == expected
    assert not filesystem.failures


@pytest.mark.parametrize("error", [RuntimeError("bug"), AssertionError(), errors.FilesystemClosed(),
                                   OSError("no number"), KeyError("x")], ids=repr)  # fmt: skip
def test_what_nobody_expected_is_eio_and_kept(error):
    theirs = put(Failing(), TREE)
    filesystem = PyFilesystem(theirs)
    root = filesystem.open_root()
    theirs.error = error
    assert outcome(root.stat_at, "file", True) == "EIO"
    assert outcome(root.open_at, "new", UPDATE, True) == "EIO"
    assert list(filesystem.failures) == [error, error]


def test_names_that_nobody_could_use_are_not_listed():
    theirs = put(TheirMemoryFS(), TREE)
    for name in ("..", ".", "", "a/b", "a\0b"):
        theirs.root._dir[name] = theirs.root._dir["file"]
        theirs.root._dir[name].name = name
    theirs.listdir = lambda path: list(theirs.root._dir)
    theirs.scandir = None
    names = [entry.name for entry in PyFilesystem(theirs).open_root().entries()]
    assert names == ["file", "dir", "empty"]


def test_what_it_lacks_is_said_once():
    class Another(TheirMemoryFS):
        pass

    with pytest.warns(ForeignFilesystemWarning, match="no symbolic or hard links"):
        PyFilesystem(Another())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PyFilesystem(Another())


def test_one_from_a_url_pickles_and_one_of_an_object_does_not():
    again = pickle.loads(pickle.dumps(PyFilesystem("mem://", readonly=True)))
    assert again.readonly
    assert isinstance(again.filesystem, TheirMemoryFS)
    with pytest.raises(TypeError, match="give a URL"):
        pickle.dumps(PyFilesystem(TheirMemoryFS()))


def test_what_is_no_pyfilesystem_is_refused():
    with pytest.raises(TypeError, match="not int"):
        PyFilesystem(3)
    with pytest.raises(ValueError, match="nothing://"):
        PyFilesystem("nothing://x")
    with pytest.raises(ValueError, match="missing"):
        PyFilesystem("zip:///missing/x.zip")


def test_a_pyfilesystem_is_a_source():
    theirs = put(TheirMemoryFS(), TREE)
    assert filesystem_of(theirs, "dirs['/']").filesystem is theirs
