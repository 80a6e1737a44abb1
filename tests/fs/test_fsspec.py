"""What fsspec's filesystems do in their own way, and guests never notice."""

import contextlib
import os
import pickle

import pytest

fsspec = pytest.importorskip("fsspec", reason="the extra fsspec is not installed")

from fsspec.implementations.dirfs import DirFileSystem  # noqa: E402
from fsspec.implementations.local import LocalFileSystem  # noqa: E402
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

from tests.fs.actions import UPDATE, outcome, snapshot  # noqa: E402
from tests.fs.backends import SECRET  # noqa: E402
from tests.fs.contract import FilesystemContract  # noqa: E402
from tests.fs.lacking import HARD_LINKS, SYMBOLIC_LINKS  # noqa: E402
from wasi_host import ForeignFilesystemWarning  # noqa: E402
from wasi_host.fs.fsspec import FsspecFS  # noqa: E402
from wasi_host.fs.host import HostDirectory  # noqa: E402
from wasi_host.fs.source import filesystem_of  # noqa: E402

TREE = {"file": b"content", "dir": {"sub": {"deep": b"deep"}, "inner": b"in"}, "empty": {}}

pytestmark = pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")


def memory():
    """A memory filesystem with a store of its own."""

    class Memory(MemoryFileSystem):
        store = {}  # noqa: RUF012  as the class that it derives from
        pseudo_dirs = [""]  # noqa: RUF012

    return Memory()


def objects():
    """As object stores are: no directories, whole files only. It notes what is asked of it."""

    class Objects(MemoryFileSystem):
        store = {}  # noqa: RUF012
        pseudo_dirs = [""]  # noqa: RUF012
        asked = []  # noqa: RUF012

        def mkdir(self, path, create_parents=True, **options):
            pass

        def rmdir(self, path):
            raise FileNotFoundError(path)

        def _open(self, path, mode="rb", **options):
            if mode not in ("rb", "wb"):
                raise NotImplementedError("File mode not supported")
            self.asked.append((mode, path.rpartition("/")[2]))
            return super()._open(path, mode, **options)

        def cat_file(self, path, start=None, end=None, **options):
            self.asked.append((path.rpartition("/")[2], start, end))
            return super().cat_file(path, start, end, **options)

    return Objects()


def put(filesystem, tree, at=""):
    for name, content in tree.items():
        if isinstance(content, dict):
            filesystem.mkdir(f"{at}/{name}")
            put(filesystem, content, f"{at}/{name}")
        else:
            filesystem.pipe_file(f"{at}/{name}", content)
    return filesystem


def factory(make, root=""):
    @contextlib.contextmanager
    def opened(tmp_path, tree, readonly=False):
        filesystem = FsspecFS(make(), root)
        # Through a root of ours, since a store may have no directories to put.
        made = filesystem.open_root()
        fill(made, tree)
        made.close()
        filesystem.readonly = readonly
        yield filesystem

    return staticmethod(opened)


def fill(root, tree):
    for name, content in tree.items():
        if isinstance(content, dict):
            root.make_dir(name)
            with contextlib.closing(root.open_entry(name, os.O_DIRECTORY)) as inside:
                fill(inside, content)
        else:
            with contextlib.closing(root.open_entry(name, UPDATE)) as node:
                node.pwrite(content, 0)


class WithoutLinks(FilesystemContract):
    lacks = frozenset((SYMBOLIC_LINKS, HARD_LINKS))


class TestMemory(WithoutLinks):
    factory = factory(memory)


@pytest.mark.breadth
class TestAnObjectStoreBelowAPrefix(WithoutLinks):
    factory = factory(objects, "/bucket/prefix")


@pytest.fixture
def store():
    store = objects()
    put(store, {"file": b"content", "dir": {"inner": b"in"}, "large": bytes(range(256)) * 40_000})
    store.asked.clear()
    return store


@pytest.fixture
def root(store):
    with contextlib.closing(FsspecFS(store).open_root()) as root:
        yield root


def opened(root, path, mode=os.O_RDONLY):
    return contextlib.closing(root.open_at(path, mode, True))


def test_only_the_range_that_is_wanted_is_read(root, store):
    with opened(root, "large") as node:
        assert node.pread(4, 5_000_001) == bytes([65, 66, 67, 68])
        assert node.pread(4, 9) == bytes([9, 10, 11, 12])
    assert store.asked == [("large", 5_000_001, 5_000_005), ("large", 9, 13)]


def test_reading_on_reads_ahead_so_that_few_requests_are_made(root, store):
    with opened(root, "large") as node:
        read = b"".join(node.pread(4096, at) for at in range(0, 10_240_000, 4096))
    assert read == store.store["/large"].getvalue()
    assert len(store.asked) < 30
    assert all(end - start <= 1 << 20 for _, start, end in store.asked)


def test_a_file_that_grows_is_read_to_its_new_end(root, store):
    with opened(root, "file") as node:
        assert node.pread(100, 0) == b"content"
        assert node.pread(100, 7) == b""
        store.pipe_file("/file", b"content and more")
        assert node.pread(100, 7) == b" and more"


def test_a_changed_file_reaches_the_store_whole_and_once_when_it_is_closed(root, store):
    with opened(root, "file", os.O_RDWR) as node:
        node.pwrite(b"C", 0)
        node.append(b"!")
        node.truncate(4)
        assert node.pread(100, 0) == b"Cont"
        assert node.stat()[4] == root.stat_at("file", True)[4] == 4
        assert store.store["/file"].getvalue() == b"content"
    assert store.store["/file"].getvalue() == b"Cont"
    assert store.asked == [("file", 0, 7), ("wb", "file")]


def test_a_sync_puts_it_into_the_store_and_a_close_not_again(root, store):
    with opened(root, "file", os.O_RDWR) as node:
        node.append(b"!")
        node.sync()
        assert store.store["/file"].getvalue() == b"content!"
    assert store.asked.count(("wb", "file")) == 1


def test_a_file_that_is_cut_when_it_is_opened_is_not_fetched(root, store):
    with opened(root, "large", os.O_RDWR | os.O_TRUNC) as node:
        node.pwrite(b"new", 0)
    assert store.asked == [("wb", "large")]
    assert store.store["/large"].getvalue() == b"new"


def test_a_file_that_was_removed_is_not_put_back(root, store):
    with opened(root, "file", os.O_RDWR) as node, opened(root, "large") as other:
        node.append(b"!")
        root.unlink_at("file")
        root.unlink_at("large")
        assert node.pread(100, 0) == b"content!"
        assert other.pread(2, 300) == bytes([44, 45])
        node.append(b"!")
    assert set(store.store) == {"/dir/inner"}


def test_directories_are_there_until_they_are_removed(root, store):
    root.make_dir_at("new")
    root.make_dir_at("new/below")
    assert [entry.name for entry in root.entries()] == ["new", "file", "dir", "large"]
    assert outcome(root.remove_dir_at, "new") == "ENOTEMPTY"
    root.rename_at("new", root, "renamed")
    root.unlink_at("dir/inner")
    assert snapshot(root).keys() == {"renamed", "file", "dir", "large"}
    assert snapshot(root)["renamed"] == {"below": {}}
    root.remove_dir_at("renamed/below")
    root.remove_dir_at("renamed")
    root.remove_dir_at("dir")
    assert snapshot(root).keys() == {"file", "large"}


@pytest.mark.parametrize("name", ["*", "**", "f*", "?ile", "[a-z]*", "file*"])
def test_a_name_with_signs_that_fsspec_expands_is_a_name(root, store, name):
    assert outcome(root.unlink_at, name) == "ENOENT"
    assert outcome(root.rename_at, name, root, "new") == "ENOENT"
    with opened(root, name, UPDATE) as node:
        node.pwrite(b"odd", 0)
    root.rename_at(name, root, "dir/x")
    root.rename_at("dir/x", root, name)
    root.unlink_at(name)
    assert set(store.store) == {"/file", "/dir/inner", "/large"}


def test_a_name_that_is_more_than_a_name_to_the_store_is_eilseq():
    root = FsspecFS(fsspec.filesystem("data")).open_root()
    assert outcome(root.stat_at, "data::x", True) == "EILSEQ"
    assert outcome(root.open_at, "data::x", UPDATE, True) == "EILSEQ"


def test_an_error_of_the_store_is_eio_and_kept_and_a_failed_put_is_told(root, store):
    filesystem = FsspecFS(store)
    error = RuntimeError("bug")

    def fail(*args, **options):
        raise error

    with contextlib.closing(filesystem.open_root()) as root:
        node = root.open_at("file", os.O_RDWR, True)
        node.append(b"!")
        store._open = fail
        assert outcome(node.sync) == "EIO"
        assert outcome(node.close) == "EIO"
        del store._open
    assert list(filesystem.failures) == [error, error]


def test_a_directory_filesystem_over_a_disk_lets_no_link_out(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "out").symlink_to("../secret")
    (tmp_path / "root" / "up").symlink_to("..")
    theirs = DirFileSystem(str(tmp_path / "root"), LocalFileSystem())
    root = FsspecFS(theirs).open_root()
    assert outcome(root.open_at, "out", os.O_RDONLY, True) == "EPERM"
    assert outcome(root.open_at, "up/secret", os.O_RDONLY, True) == "EPERM"
    assert root.read_link_at("out") == "../secret"
    assert {entry.name: entry.filetype for entry in root.entries()} == {"out": 7, "up": 7}


def test_a_local_filesystem_is_a_host_directory_and_must_say_which(tmp_path):
    with pytest.raises(ValueError, match="needs a root"):
        FsspecFS(LocalFileSystem())
    root = FsspecFS(f"file://{tmp_path}").open_root()
    assert isinstance(root, HostDirectory)
    root.close()


def test_what_is_no_fsspec_filesystem_is_refused():
    with pytest.raises(TypeError, match="not int"):
        FsspecFS(3)
    with pytest.raises(ValueError, match="nothing"):
        FsspecFS("nothing://x")


def test_an_fsspec_filesystem_is_a_source_and_pickles():
    filesystem = filesystem_of(MemoryFileSystem(), "dirs['/']")
    assert isinstance(filesystem, FsspecFS)
    again = pickle.loads(pickle.dumps(FsspecFS("memory://pickled/dir", readonly=True)))
    assert (again.root, again.readonly) == ("/pickled/dir", True)


def test_what_it_lacks_is_said_once():
    with pytest.warns(ForeignFilesystemWarning, match="no symbolic or hard links"):
        FsspecFS(memory())
