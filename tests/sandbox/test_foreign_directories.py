"""Guests in filesystems of other libraries, alone, below and above others."""

import contextlib
import os
import pickle

import pytest

import wasi_host
from tests.fs.actions import outcome, snapshot
from tests.fs.theirs import OSFS, Failing, OtherOSFS, TheirMemoryFS, put
from tests.runtimes.guests import command
from tests.sandbox.programs import CREATE, OPEN
from wasi_host import MemoryFS, Sandbox, Wasi
from wasi_host.sources import Preopens
from wasi_spec import Errno

pytestmark = pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")

LINKS = {
    "symlink": command(
        "(call $proc_exit (call $path_symlink (i32.const 100) (i32.const 4)"
        " (i32.const 3) (i32.const 104) (i32.const 4)))",
        '(data (i32.const 100) "filelink")',
        wasi=["path_symlink", "proc_exit"],
    ),
    "link": command(
        "(call $proc_exit (call $path_link (i32.const 3) (i32.const 0) (i32.const 100)"
        " (i32.const 4) (i32.const 3) (i32.const 104) (i32.const 4)))",
        '(data (i32.const 100) "filelink")',
        wasi=["path_link", "proc_exit"],
    ),
}


def test_a_guest_makes_and_opens_a_file_in_a_filesystem_of_theirs():
    theirs = TheirMemoryFS()
    assert wasi_host.run([CREATE], dirs={"/": theirs}).returncode == 0
    assert theirs.isfile("file")
    assert wasi_host.run([OPEN], dirs={"/": theirs}).returncode == 0
    assert not theirs.isclosed()


@pytest.mark.parametrize("program", LINKS.values(), ids=LINKS)
def test_a_link_is_notsup_to_the_guest(program):
    theirs = put(TheirMemoryFS(), {"file": b""})
    assert wasi_host.run([program], dirs={"/": theirs}).returncode == Errno.NOTSUP


def test_an_exception_of_theirs_is_io_to_the_guest_and_never_leaves_the_run():
    theirs = put(Failing(), {"file": b""})
    theirs.error = RuntimeError("bug")
    filesystem = wasi_host.PyFilesystem(theirs)
    assert wasi_host.run([OPEN], dirs={"/": filesystem}).returncode == Errno.IO
    assert list(filesystem.failures) == [theirs.error]


def test_a_sandbox_with_a_url_pickles():
    sandbox = pickle.loads(pickle.dumps(Sandbox(CREATE, dirs={"/": "mem://"})))
    assert sandbox.run().returncode == 0


def test_a_filesystem_that_is_a_host_directory_pickles_and_any_other_says_what_to_do(tmp_path):
    theirs = OSFS(str(tmp_path))
    sandbox = pickle.loads(pickle.dumps(Sandbox(CREATE, dirs={"/": theirs})))
    assert sandbox.run().returncode == 0
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(TypeError, match="give a URL"):
        pickle.dumps(Sandbox(CREATE, dirs={"/": TheirMemoryFS()}))


def fsspec_memory(tree):
    fsspec = pytest.importorskip("fsspec", reason="the extra fsspec is not installed")
    filesystem = fsspec.filesystem("memory", skip_instance_cache=True)
    filesystem.store, filesystem.pseudo_dirs = {}, [""]
    for name, content in tree.items():
        if content == {}:
            filesystem.mkdir(f"/{name}")
        else:
            filesystem.pipe_file(f"/{name}", content)
    return filesystem


SOURCES = {
    "ours": lambda tmp_path, tree: MemoryFS(tree),
    "dict": lambda tmp_path, tree: dict(tree),
    "pyfilesystem2": lambda tmp_path, tree: put(TheirMemoryFS(), tree),
    "pyfilesystem2 disk": lambda tmp_path, tree: put(OtherOSFS(str(tmp_path)), tree),
    "fsspec": lambda tmp_path, tree: fsspec_memory(tree),
    "exported": lambda tmp_path, tree: wasi_host.as_pyfilesystem(MemoryFS(tree)),
}
FOREIGN = [name for name in SOURCES if name not in ("ours", "dict")]
PAIRS = [(outer, inner) for outer in SOURCES for inner in SOURCES if {outer, inner} & {*FOREIGN}]


@pytest.fixture
def nested(request, tmp_path):
    outer, inner = request.param
    (tmp_path / "outer").mkdir()
    (tmp_path / "inner").mkdir()
    dirs = {
        "/": SOURCES[outer](tmp_path / "outer", {"file": b"outer", "x": b"x", "data": {}}),
        "/data/deep": SOURCES[inner](tmp_path / "inner", {"file": b"inner"}),
    }
    [(_, filesystem), (_, below)] = Preopens(dirs).open()
    with (
        contextlib.closing(filesystem.open_root()) as root,
        contextlib.closing(below.open_root()) as inside,
    ):
        yield root, inside


def read(root, path):
    with contextlib.closing(root.open_at(path, os.O_RDONLY, True)) as node:
        return node.pread(100, 0)


@pytest.mark.parametrize("nested", PAIRS, ids=" in ".join, indirect=True)
def test_one_below_another_is_a_part_of_its_tree_and_changes_are_seen_by_both_ways(nested):
    root, inside = nested
    assert read(root, "data/deep/file") == b"inner"
    assert read(root, "data/deep/../../file") == b"outer"
    assert set(snapshot(root)) == {"file", "x", "data"}
    with contextlib.closing(root.open_at("data/deep/new", os.O_RDWR | os.O_CREAT, True)) as node:
        node.pwrite(b"new", 0)
        assert read(inside, "new") == b"new"
    root.rename_at("data/deep/new", root, "data/deep/file")
    assert read(inside, "file") == b"new"
    assert outcome(root.rename_at, "x", root, "data/deep/x") == "EXDEV"
    assert outcome(root.rename_at, "data/deep/file", root, "x") == "EXDEV"
    assert outcome(root.rename_at, "data", root, "moved") == "EBUSY"
    assert outcome(root.remove_dir_at, "data/deep") == "EBUSY"
    assert outcome(inside.stat_at, "../file", True) == "EPERM"


@pytest.mark.parametrize("name", FOREIGN)
def test_wrappers_take_them_as_they_take_all_others(name, tmp_path):
    tree = {"file": b"content", "other": b"x"}
    theirs = SOURCES[name](tmp_path, tree)
    with contextlib.closing(wasi_host.ReadOnly(theirs).open_root()) as root:
        assert outcome(root.unlink_at, "file") == "EPERM"
        assert read(root, "file") == b"content"
    with contextlib.closing(wasi_host.Filter(theirs, deny="other").open_root()) as root:
        assert set(snapshot(root)) == {"file"}
    with contextlib.closing(wasi_host.Overlay(theirs).open_root()) as root:
        root.rename_at("file", root, "moved")
        node = root.open_at("other", os.O_RDWR, True)
        node.append(b"y")
        node.close()
        assert read(root, "other") == b"xy"
        assert set(snapshot(root)) == {"moved", "other"}
    with contextlib.closing(wasi_host.Quota(theirs, max_bytes=20).open_root()) as root:
        node = root.open_at("other", os.O_RDWR, True)
        assert node.append(bytes(100)) == 12
        assert outcome(node.append, b"y") == "EDQUOT"
        node.close()
        assert len(read(root, "other")) == 13
        assert read(root, "file") == b"content"


def test_the_import_provider_takes_them_too():
    theirs = put(TheirMemoryFS(), {"file": b"content"})
    with Wasi(dirs={"/": theirs}) as wasi:
        assert wasi is not None
