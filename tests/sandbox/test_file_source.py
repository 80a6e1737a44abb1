"""A regular host file in ``dirs=``: a directory with that one file in it."""

import gc
import os
import pickle
from pathlib import Path

import pytest

import wasi_host
from tests.attacks import backends
from tests.attacks.guest import CREAT, EXCL, READ, TRUNC, WRITE, Guest
from tests.fs.actions import ACTIONS, CHANGING, UPDATE, act, outcome
from tests.fs.backends import open_descriptors, without
from wasi_host import HostDir
from wasi_host.fs.host import HostFile
from wasi_host.fs.single import SingleDirectory
from wasi_spec import Errno

PROBES = [(), ("openat2", "o_path", "rwf_append", "proc")]


@pytest.fixture(
    params=PROBES, ids=["with all of Linux", "without what only Linux has"], autouse=True
)
def way(request):
    with without(*request.param):
        yield


@pytest.fixture
def file(tmp_path):
    (tmp_path / "data.csv").write_bytes(b"1,2\n")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "sub").mkdir()
    return tmp_path / "data.csv"


@pytest.fixture
def make(file):
    """Makes the root of the file's directory; nothing stays open."""
    gc.collect()  # of what guests before this test were given
    before, made = open_descriptors(), []

    def make(path=file, readonly=False):
        made.append(HostDir(path, readonly=readonly))
        made.append(made[-1].open_root())
        return made[-1]

    yield make
    for one in reversed(made):
        one.close()
    assert open_descriptors() == before


def read(root, path="data.csv"):
    node = root.open_at(path, os.O_RDONLY, True)
    try:
        assert type(node) is HostFile
        return node.pread(100, 0)
    finally:
        node.close()


def test_it_is_listed_and_read_and_written(make, file):
    root = make()
    (entry,) = root.entries()
    assert entry == ("data.csv", file.stat().st_ino, 4)
    assert read(root) == read(root, "./data.csv") == b"1,2\n"
    for mode in (os.O_RDWR, UPDATE, UPDATE | os.O_TRUNC):
        node = root.open_at("data.csv", mode, True)
        node.pwrite(b"3", 0)
        node.close()
    assert file.read_bytes() == b"3"
    root.set_times_at("data.csv", True, 5, 6)
    assert file.stat().st_mtime_ns == 6
    assert root.stat_at("data.csv", True)[4:7] == (1, 5, 6)


def test_the_directory_is_one_of_its_own(make, file):
    root = make()
    stat = root.stat()
    assert stat[2:4] == (3, 2)
    assert stat[1] not in (file.stat().st_ino, file.parent.stat().st_ino)
    assert stat[5:7] == root.stat_at("data.csv", True)[5:7]
    assert stat == root.stat_at(".", True) == make().stat()
    again = root.open_at(".", os.O_DIRECTORY, True)
    root.close()
    assert read(again) == b"1,2\n"
    assert again.parent_ino() is None
    again.sync()
    again.close()


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_else_is_there(make, file, action):
    root = make()
    for path in ("secret", "sub", "sub/x", "data.csv/x", "DATA.CSV.", "new"):
        assert act(action, root, path) != "ok"
    for path in ("..", "../secret", "./../data.csv", str(file), "/"):
        assert act(action, root, path) == "EPERM"
    assert sorted(os.listdir(file.parent)) == ["data.csv", "secret", "sub"]
    assert (file.parent / "secret").read_bytes() == b"secret"


NAMES = ["mkdir", "rmdir", "unlink", "symlink"]


@pytest.mark.parametrize("path", ["data.csv", "secret", "missing", "sub/x", "", "."])
def test_names_are_never_made_removed_or_moved(make, tmp_path, path):
    root, other = make(), make(tmp_path / "sub")
    other.open_at("f", UPDATE, True).close()
    for action in NAMES:
        assert act(action, root, path) == "EPERM"
    for call in (root.rename_at, root.link_at):
        assert outcome(call, path, root, "new") == "EPERM"
        assert outcome(call, path, other, "new") == "EPERM"
    for call in (other.rename_at, other.link_at):
        if path == "data.csv":
            assert outcome(call, "f", root, path) == "EPERM"
    assert outcome(root.set_times_at, ".", True, 1, 1) == "EPERM"
    for action in ("create", "create-exclusive"):
        if path in ("secret", "missing"):
            assert act(action, root, path) == "EPERM"
    assert act("create-exclusive", root, "data.csv") == "EEXIST"


@pytest.mark.parametrize("action", CHANGING)
def test_read_only_it_is_only_read(make, file, action):
    root = make(readonly=True)
    assert root.readonly
    for path in ("data.csv", "missing", "../x"):
        assert act(action, root, path) == "EPERM"
    node = root.open_at("data.csv", os.O_RDONLY, True)
    assert outcome(node.pwrite, b"x", 0) == "EPERM"
    node.close()
    assert file.read_bytes() == b"1,2\n"


def replace_by_link(file):
    file.unlink()
    file.symlink_to("secret")


def replace_by_absolute_link(file):
    file.unlink()
    file.symlink_to(file.parent / "secret")


def replace_by_directory(file):
    file.unlink()
    file.mkdir()
    (file / "secret").touch()


def replace_by_fifo(file):
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    "replace",
    [Path.unlink, replace_by_link, replace_by_absolute_link, replace_by_directory, replace_by_fifo],
)
def test_what_replaces_it_and_is_no_file_is_not_there(make, file, replace):
    root = make()
    node = root.open_at("data.csv", os.O_RDONLY, True)
    replace(file)
    assert list(root.entries()) == []
    for action in ("open", "open-nofollow", "open-write", "open-truncate", "open-directory", "stat",
                   "lstat", "set-times", "set-link-times", "readlink"):  # fmt: skip
        assert act(action, root, "data.csv") == "ENOENT"
        assert act(action, root, "data.csv/secret") == "ENOENT"
    for action in ("create", "create-exclusive"):
        assert act(action, root, "data.csv") == "EPERM"
    assert root.stat()[5:] == (0, 0, 0)
    assert node.pread(9, 0) == b"1,2\n"
    node.close()
    assert (file.parent / "secret").read_bytes() == b"secret"


@pytest.mark.parametrize("replace", [Path.unlink, replace_by_directory, replace_by_fifo])
def test_what_replaces_it_between_the_look_and_the_opening_is_not_opened(
    make, file, monkeypatch, replace
):
    root = make()
    seen = root.stat_entry("data.csv")
    replace(file)
    before = snapshot_of(file.parent)
    monkeypatch.setattr(SingleDirectory, "stat_entry", lambda *_: seen)
    for mode in (os.O_RDONLY, os.O_CREAT):
        assert outcome(root.open_entry, "data.csv", mode) in ("ENOENT", "EISDIR")
    assert snapshot_of(file.parent) == before


def snapshot_of(directory):
    return sorted(os.fspath(path) for path in directory.rglob("*"))


def test_a_file_that_is_renamed_over_it_is_the_file(make, file):
    root = make()
    (file.parent / "secret").replace(file)
    assert read(root) == b"secret"


def test_a_link_is_followed_once_and_its_name_kept(make, file, tmp_path):
    link = tmp_path / "sub" / "latest"
    link.symlink_to("../data.csv")
    root = make(link)
    link.unlink()
    link.symlink_to("../secret")
    assert [entry.name for entry in root.entries()] == ["latest"]
    assert read(root, "latest") == b"1,2\n"
    assert outcome(root.stat_at, "data.csv", True) == "ENOENT"


def test_what_is_neither_file_nor_directory_is_refused(file, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in ("fifo", "data.csv/", "data.csv/x"):
        with pytest.raises(NotADirectoryError, match="nor a regular file"):
            HostDir(f"{tmp_path}/{path}")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="loop"):
        HostDir(tmp_path / "loop")


def test_it_pickles(file):
    again = pickle.loads(pickle.dumps(HostDir(file)))
    assert read(again.open_root()) == b"1,2\n"


@pytest.mark.parametrize("kind", ["engine", "values"])
def test_a_guest_reads_and_writes_it_and_nothing_else(file, kind):
    guest = Guest(backends.BACKENDS[kind]({"/in": str(file), "/ro": HostDir(file, readonly=True)}))
    assert guest.names(3) == guest.names(4) == [b"data.csv"]
    guest.write(guest.open("data.csv", oflags=CREAT | TRUNC, rights=READ | WRITE), b"new")
    assert guest.content("data.csv") == guest.content("data.csv", fd=4) == b"new"
    assert guest.try_open("data.csv", oflags=CREAT | EXCL, rights=WRITE) is Errno.EXIST
    assert guest.try_open("other", oflags=CREAT, rights=WRITE) is Errno.PERM
    assert guest.try_open("secret") is Errno.NOENT
    assert guest.try_open("../secret") is Errno.PERM
    assert guest.try_open("data.csv", fd=4, rights=WRITE) is Errno.PERM
    assert guest.call("path_rename", 3, "data.csv", 3, "other") is Errno.PERM
    assert guest.call("path_unlink_file", 3, "data.csv") is Errno.PERM
    guest.close()


def test_a_program_is_given_one_file(file):
    ran = wasi_host.run(
        ["examples/grep.wasm", "-rn", "2", "/in"], dirs={"/in": file}, capture_output=True
    )
    assert ran.stdout == b"/in/data.csv:1:1,2\n"


def test_it_may_be_inside_another_directory_or_hold_one(file):
    ran = wasi_host.run(
        ["examples/grep.wasm", "-rn", "2", "/"],
        dirs={"/": {}, "/in": file, "/in/more": {"f": b"2\n"}},
        capture_output=True,
        text=True,
    )
    assert sorted(ran.stdout.splitlines()) == ["/in/data.csv:1:1,2", "/in/more/f:1:2"]
