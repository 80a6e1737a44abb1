"""Directories below each other in ``dirs=``, as a guest meets them."""

import os
import pickle

import pytest

import wasi_host
from tests.attacks import backends
from tests.attacks.guest import CREAT, READ, WRITE, Guest
from wasi_host.fs.namespace import Namespace
from wasi_host.sources import Preopens
from wasi_spec import Errno

ROOT, DATA = 3, 4


@pytest.fixture(params=["engine", "values"])
def start(request):
    guests = []

    def start(dirs):
        guests.append(Guest(backends.BACKENDS[request.param](dirs)))
        return guests[-1]

    yield start
    for guest in guests:
        guest.close()


@pytest.fixture
def guest(start):
    return start({"/": {"f": b"outer", "l": b"", "data": {"old": b""}}, "/data": {"x": b"inner"}})


def placed(dirs):
    """Which filesystem is where, in one run."""
    return [filesystem for _, filesystem in Preopens(dirs).open()]


def test_both_descriptors_reach_the_same_files(guest):
    assert guest.names(ROOT) == [b"data", b"f", b"l"]
    assert guest.content("data/x") == guest.content("x", fd=DATA) == b"inner"
    guest.write(guest.open("data/new", oflags=CREAT, rights=READ | WRITE), b"written")
    assert guest.content("new", fd=DATA) == b"written"
    assert guest.stat("data") == guest.stat(".", fd=DATA)
    assert guest.content("data/../f") == b"outer"


def test_each_descriptor_is_a_sandbox_of_its_own(guest):
    inside = guest.open_dir("data")
    for fd in (DATA, inside):
        assert guest.try_open("../f", fd=fd) is Errno.PERM
        assert guest.try_open("..", fd=fd) is Errno.PERM
    assert guest.try_open("data/../..") is Errno.PERM
    guest.must("path_symlink", "../f", DATA, "up")
    assert guest.try_open("up", fd=DATA, follow=True) is Errno.PERM
    fd = guest.open("data/up", follow=True)
    assert guest.read(fd) == b"outer"


def test_the_mount_point_is_busy_for_every_call_that_would_change_it(guest):
    for fd, path, to_fd, to in (
        (ROOT, "data", ROOT, "moved"), (ROOT, "f", ROOT, "data"), (ROOT, "data", ROOT, "data"),
        (DATA, "x", ROOT, "data"), (ROOT, "data", DATA, "in"), (ROOT, "data/../data", ROOT, "m"),
    ):  # fmt: skip
        assert guest.call("path_rename", fd, path, to_fd, to) is Errno.BUSY
    assert guest.call("path_remove_directory", ROOT, "data") is Errno.BUSY
    assert guest.call("path_unlink_file", ROOT, "data") is Errno.ISDIR
    assert guest.call("path_create_directory", ROOT, "data") is Errno.EXIST
    assert guest.call("path_symlink", "f", ROOT, "data") is Errno.EXIST
    assert guest.call("path_link", ROOT, 0, "f", ROOT, "data") is Errno.EXIST
    assert guest.try_open("data", oflags=CREAT) is Errno.ISDIR
    assert guest.content("data/x") == b"inner"


def test_across_trees_in_memory_is_xdev(guest):
    for call, flags in (("path_rename", ()), ("path_link", (0,))):
        for fd, path, to_fd, to in (
            (ROOT, "f", ROOT, "data/f"), (ROOT, "f", DATA, "f"), (DATA, "x", ROOT, "x"),
            (ROOT, "data/x", ROOT, "x"),
        ):  # fmt: skip
            assert guest.call(call, fd, *flags, path, to_fd, to) is Errno.XDEV
    assert guest.call("path_rename", ROOT, "data/x", DATA, "y") is Errno.SUCCESS


def test_across_host_directories_on_one_device_works(start, tmp_path):
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    guest = start({"/": tmp_path / "outer", "/data": tmp_path / "inner"})
    guest.must("path_rename", ROOT, "outer.txt", ROOT, "data/moved")
    guest.must("path_link", DATA, 0, "inner.txt", ROOT, "linked")
    assert sorted(os.listdir(tmp_path / "inner")) == ["inner.txt", "moved"]
    assert os.path.samefile(tmp_path / "outer" / "linked", tmp_path / "inner" / "inner.txt")
    assert not (tmp_path / "outer" / "data").exists()


def test_read_only_holds_for_each_directory_by_itself(start, tmp_path):
    for name in ("outer", "inner"):
        (tmp_path / name).mkdir()
    (tmp_path / "outer" / "f").touch()
    guest = start(
        {"/": wasi_host.HostDir(tmp_path / "outer", readonly=True), "/data": tmp_path / "inner"}
    )
    assert guest.try_open("new", oflags=CREAT, rights=WRITE) is Errno.PERM
    assert guest.try_open("f", rights=WRITE) is Errno.PERM
    assert guest.call("path_create_directory", ROOT, "d") is Errno.PERM
    assert guest.call("path_unlink_file", ROOT, "f") is Errno.PERM
    assert guest.call("path_rename", ROOT, "f", DATA, "f") is Errno.PERM
    guest.open("data/new", oflags=CREAT, rights=WRITE)
    assert (tmp_path / "inner" / "new").exists()
    assert os.listdir(tmp_path / "outer") == ["f"]


def test_closing_the_outer_directory_leaves_what_was_opened_in_it(guest):
    fd, inside = guest.open("data/x"), guest.open_dir("data")
    guest.must("fd_close", ROOT)
    assert guest.read(fd) == guest.content("x", fd=inside) == b"inner"
    assert guest.content("x", fd=DATA) == b"inner"


def test_a_program_lists_one_tree():
    ran = wasi_host.run(
        ["examples/grep.wasm", "-rn", "word", "/"],
        dirs={"/a/b": {"deep": b"a word\n"}, "/": {"top": b"word\n", "a": {"mid": b"word\n"}}},
        capture_output=True,
        text=True,
    )
    assert sorted(ran.stdout.split("\n")[:-1]) == [
        "/a/b/deep:1:a word",
        "/a/mid:1:word",
        "/top:1:word",
    ]


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("/", "/data"), (".", "sub"), ("/", "sub"), (".", "/sub"), ("/a", "/a/b/c"),
        ("/a/", "a/b"), ("./a", "/a//b/./c/"), ("//", "x"), ("/a b", "/a b/c"),
    ],
)  # fmt: skip
def test_a_key_is_below_another_by_its_names(outer, inner):
    for keys in ((outer, inner), (inner, outer)):
        found = dict(zip(keys, placed({key: {"f": b""} for key in keys}), strict=True))
        assert isinstance(found[outer], Namespace)
        assert not isinstance(found[inner], Namespace)


@pytest.mark.parametrize(
    ("one", "other"),
    [("/a", "/ab"), ("/a", "/b/a"), ("/a", "/a/../b"), ("/a/..", "/b"), ("..", "/")],
)
def test_directories_that_are_not_below_each_other_stay_as_they_are(one, other):
    assert not any(isinstance(each, Namespace) for each in placed({one: {}, other: {}}))


def test_a_directory_in_a_directory_in_a_directory_is_in_both():
    outer, middle, inner = placed({"/": {"0": b""}, "/a": {"1": b""}, "/a/b/c": {"2": b""}})
    assert outer.open_root().stat_at("a/b/c/2", True)[2] == 4
    assert middle.open_root().stat_at("b/c/2", True) == inner.open_root().stat_at("2", True)
    assert outer.open_root().stat_at("a/b", True)[1] == middle.open_root().stat_at("b", True)[1]


@pytest.mark.parametrize(
    ("one", "other"), [("/", "."), ("/a", "a/"), ("/a//b", "./a/b"), ("//", "/"), ("./.", "/")]
)
def test_two_sources_for_one_place_are_refused_by_name(one, other):
    with pytest.raises(ValueError, match="the same place to a guest") as caught:
        Preopens({one: {"f": b"1"}, other: {"f": b"2"}})
    assert repr(one) in str(caught.value)
    assert repr(other) in str(caught.value)


def test_one_source_may_have_two_spellings_of_one_place():
    tree = {"f": b"1"}
    first, inner, second = placed({"/": tree, "/d": {}, ".": dict(tree)})
    assert first is second
    assert isinstance(first, Namespace)
    assert not isinstance(inner, Namespace)


def test_a_dict_is_fresh_in_each_run_for_both_descriptors(start):
    dirs = {"/": {}, "/data": {}}
    start(dirs).open("data/new", oflags=CREAT, rights=WRITE)
    assert start(dirs).names(DATA) == []


def test_a_sandbox_with_nested_directories_pickles(tmp_path):
    sandbox = wasi_host.Sandbox("examples/wc.wasm", dirs={"/": tmp_path, "/data": {"f": b"a b\n"}})
    again = pickle.loads(pickle.dumps(sandbox))
    ran = again.run(["/data/f"], capture_output=True, text=True)
    assert ran.stdout.split()[:3] == ["1", "2", "4"]
