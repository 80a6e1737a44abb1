"""`result.files`: the guest's files after its run, read by its own paths; and copied with care."""

import os
import pickle

import pytest

import wasi_host
from tests.fs.backends import open_descriptors
from tests.runtimes.guests import NOTHING, module
from tests.sandbox.test_fs_limits import fill
from wasi_host.files import Directories, GuestPath
from wasi_host.fs.memory import Link, MemoryFS

TREE = {
    "a.csv": b"1,2\n", "text": "gr\u00fc\u00df".encode(),
    "deep": {"b.csv": b"3", "er": {"c.csv": b"4"}},
    "link": Link("deep/b.csv"), "to_deep": Link("deep"), "out": Link("../../etc/passwd"),
    "absolute": Link("/etc/passwd"), "dangling": Link("nowhere"),
}  # fmt: skip


def after(dirs, **options):
    result = wasi_host.run([module(NOTHING)], dirs=dirs, **options)
    return result.files


def files_of(tree):
    return GuestPath(Directories([(b"/", MemoryFS(tree))]))


# Paths

def test_what_a_guest_wrote_into_a_fresh_tree_is_read_afterwards():
    result = wasi_host.run([fill(writes=2)], dirs={"/out": {"kept": b"x"}})
    assert sorted(path.name for path in (result.files / "out").iterdir()) == ["f", "kept"]
    assert (result.files / "out/f").stat().st_size == 2 * 65536
    assert (result.files / "out" / "kept").read_bytes() == b"x"


@pytest.mark.parametrize("key", ["/", "."])
def test_the_root_and_the_working_directory_are_one_place(key):
    files = after({key: TREE})
    for path in ("a.csv", "/a.csv", "./a.csv", "deep/../a.csv", "to_deep/../a.csv"):
        assert (files / path).read_text() == "1,2\n"


def test_several_directories_are_one_tree():
    files = after({"/out": {"x": b"1", "m": {}}, "/out/m": {"y": b"2"}, "/in/deep": {"z": b"3"}})
    assert [str(path) for path in files.iterdir()] == ["/in", "/out"]
    assert (files / "out/x").read_bytes() == b"1"
    assert (files / "out/m/y").read_bytes() == b"2"
    assert (files / "in").is_dir()
    assert (files / "in/deep/../../out/m/../x").read_bytes() == b"1"
    assert [str(path) for path in files.glob("**/?")] == [
        "/in/deep/z", "/out/m", "/out/m/y", "/out/x",
    ]  # fmt: skip


def test_without_directories_there_is_nothing():
    result = wasi_host.run([module(NOTHING)])
    assert list(result.files.iterdir()) == []
    assert not (result.files / "a").exists()


def test_a_path_is_like_a_path():
    files = files_of(TREE)
    path = files / "deep" / "er/c.csv"
    assert (str(path), path.name, path.suffix) == ("/deep/er/c.csv", "c.csv", ".csv")
    assert path.parts == ("deep", "er", "c.csv")
    assert path.parent == files.joinpath("deep", "er") == files / "./deep//er/"
    assert repr(path) == "GuestPath('/deep/er/c.csv')"
    assert files.parent == files
    assert files < path
    assert len({path, files / "deep/er/c.csv"}) == 1
    assert path.read_bytes() == b"4"
    assert (files / "text").read_text() == "gr\u00fc\u00df"
    assert (files / "text").read_text("ascii", "ignore") == "gr"


def test_kinds_and_attributes():
    files = files_of(TREE)
    assert (files / "a.csv").is_file()
    assert (files / "link").is_file()
    assert (files / "link").is_symlink()
    assert (files / "to_deep").is_dir()
    assert not (files / "deep").is_file()
    for name in ("dangling", "out", "absolute", "missing", "a.csv/x"):
        assert not (files / name).exists()
    assert (files / "link").readlink() == "deep/b.csv"
    assert (files / "link").stat().st_size == 1
    stat = (files / "link").stat(follow_symlinks=False)
    assert (stat.st_size, stat.st_mode, stat.st_nlink) == (10, 0o120000, 1)


def test_errors_are_those_of_pathlib_and_name_the_path():
    files = files_of(TREE)
    for path, error in (
        ("missing", FileNotFoundError), ("a.csv/x", NotADirectoryError),
        ("deep", IsADirectoryError), ("out", PermissionError), ("absolute", PermissionError),
        ("../x", PermissionError),
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            (files / path).read_bytes()
        assert caught.value.filename == str(files / path)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["/a.csv"]),
        ("**/*.csv", ["/a.csv", "/deep/b.csv", "/deep/er/c.csv"]),
        ("deep/*", ["/deep/b.csv", "/deep/er"]),
        ("*/*.csv", ["/deep/b.csv", "/to_deep/b.csv"]),
        ("deep/**", ["/deep", "/deep/b.csv", "/deep/er", "/deep/er/c.csv"]),
        ("de?p/[ae]r/**/c*", ["/deep/er/c.csv"]),
        ("nothing/**/x", []),
        ("a.csv/*", []),
    ],
)
def test_glob(pattern, expected):
    assert [str(path) for path in files_of(TREE).glob(pattern)] == expected


def test_glob_takes_relative_patterns_only():
    files = files_of(TREE)
    assert [path.name for path in (files / "deep").rglob("*.csv")] == ["b.csv", "c.csv"]
    for pattern in ("", "/a", "."):
        with pytest.raises(ValueError, match="no relative pattern"):
            files.glob(pattern)


def test_host_directories_and_wrappers_are_read_too(tmp_path):
    (tmp_path / "file").write_bytes(b"host")
    wrapped = wasi_host.ReadOnly({"x": b"1"})
    files = after({"/a": tmp_path, "/b": wrapped, "/d": wasi_host.Devices()})
    assert (files / "a/file").read_bytes() == b"host"
    assert (files / "b/x").read_bytes() == b"1"
    assert (files / "d/null").exists()
    with pytest.raises(OSError, match="/d/zero"):
        (files / "d/zero").read_bytes()


@pytest.mark.parametrize("outer", [{}, {"/": {"top": b"0"}}], ids=["beside", "below_another"])
def test_a_result_takes_its_directories_along_when_it_is_pickled(tmp_path, outer):
    (tmp_path / "file").write_bytes(b"host")
    dirs = {
        **outer, "/a": tmp_path, "/b": {"x": b"1"}, "/c": wasi_host.ReadOnly({"y": b"2"}),
        "/d": wasi_host.Quota(wasi_host.Overlay(tmp_path), max_bytes=100),
        "/e": wasi_host.Filter(wasi_host.Overlay({"z": b"3", "no": b""}), deny="no"),
    }  # fmt: skip
    result = wasi_host.run([module(NOTHING)], dirs=dirs)
    for _ in range(2):
        result = pickle.loads(pickle.dumps(result))
    found = {str(path): path.read_bytes() for path in result.files.rglob("*") if path.is_file()}
    assert found == {
        **({"/top": b"0"} if outer else {}),
        "/a/file": b"host", "/b/x": b"1", "/c/y": b"2", "/d/file": b"host", "/e/z": b"3",
    }  # fmt: skip


def test_a_pickled_result_opens_no_host_directory_before_it_is_asked(tmp_path):
    data = pickle.dumps(wasi_host.run([module(NOTHING)], dirs={"/a": tmp_path}))
    before = open_descriptors()
    result = pickle.loads(data)
    assert open_descriptors() == before
    assert (result.files / "a").is_dir()


def test_what_does_not_pickle_is_missing_from_a_pickled_result():
    tree = wasi_host.MemoryFS({"x": b"1"}, clock=lambda: 0)
    result = wasi_host.run([module(NOTHING)], dirs={"/a": tree, "/b": {"y": b"2"}})
    again = pickle.loads(pickle.dumps(result))
    assert [str(path) for path in again.files.iterdir()] == ["/b"]


# To the host

def tree_of(path):
    return {
        str(found.relative_to(path)): os.readlink(found) if found.is_symlink()
        else found.read_bytes() if found.is_file() else None
        for found in sorted(path.rglob("*"))
    }  # fmt: skip


SAFE = {
    "a": b"1", "d": {"e": {"f": b"2"}, "up": Link("../a"), "in": Link("e/./f")}, "l": Link("d"),
    "none": {}, "gone": Link("nowhere"),
}  # fmt: skip


def test_a_tree_is_copied_with_its_links(tmp_path):
    target = tmp_path / "made" / "here"
    assert files_of(SAFE).export_to(target) == target
    expected = {
        "a": b"1", "d": None, "d/e": None, "d/e/f": b"2", "d/in": "e/./f", "d/up": "../a",
        "gone": "nowhere", "l": "d", "none": None,
    }  # fmt: skip
    assert tree_of(target) == expected
    files_of(SAFE | {"a": b"again"}).export_to(target)
    assert tree_of(target) == expected | {"a": b"again"}


def test_a_file_is_copied_under_its_name_and_keeps_its_times_and_holes(tmp_path):
    memory = MemoryFS({"d": {"f": b"x"}})
    root = memory.open_root()
    node = root.open_at("d/f", os.O_RDWR, True)
    node.pwrite(b"end", 50_000_000)
    node.set_times(1_000_000_007, 2_000_000_009)
    files = GuestPath(Directories([(b"/", memory)]))
    made = (files / "d/f").export_to(tmp_path)
    assert made == tmp_path / "f"
    stat = made.stat()
    assert (stat.st_size, stat.st_mtime_ns) == (50_000_003, 2_000_000_009)
    assert stat.st_blocks * 512 < 10_000_000
    assert made.read_bytes()[-3:] == b"end"
    with pytest.raises(FileNotFoundError):
        (files / "missing").export_to(tmp_path)


@pytest.mark.parametrize(
    "tree",
    [
        {"l": Link("/etc/passwd")},
        {"l": Link("..")},
        {"l": Link("../outside")},
        {"d": {"l": Link("../../outside")}},
        {"z": Link("."), "l": Link("z/..")},
        {"d": {"e": {}}, "l": Link("d/e/../../..")},
    ],
    ids=["absolute", "up", "beside", "from below", "by another link", "there and back"],
)
def test_n83_a_link_that_leads_out_stops_the_copy_before_it_begins(tmp_path, tree):
    with pytest.raises(ValueError, match="leads out"):
        files_of({"first": b"x"} | tree).export_to(tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_nothing_is_written_through_links_that_are_there(tmp_path):
    outside, target = tmp_path / "outside", tmp_path / "target"
    for path in (outside, target):
        path.mkdir()
    (outside / "file").write_bytes(b"mine")
    (target / "a").symlink_to(outside / "file")
    (target / "d").symlink_to(outside)
    files = files_of({"a": b"guest's", "d": {"file": b"guest's"}})
    with pytest.raises(FileExistsError):
        files.export_to(target)
    assert (outside / "file").read_bytes() == b"mine"
    assert sorted(os.listdir(outside)) == ["file"]
    (target / "d").unlink()
    files.export_to(target)
    assert (target / "a").read_bytes() == b"guest's"
    assert not (target / "a").is_symlink()
    assert (outside / "file").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a\0b", "/etc"])
def test_a_name_that_no_file_of_the_host_can_have_is_refused(tmp_path, name):
    memory = MemoryFS({"good": b""})
    memory.root.entries[name] = memory.root.entries["good"]
    files = GuestPath(Directories([(b"/", memory)]))
    with pytest.raises(ValueError, match="is no name"):
        files.export_to(tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_devices_are_left_out(tmp_path):
    files = after({"/": {"a": b"1"}, "/dev": wasi_host.Devices()})
    files.export_to(tmp_path / "target")
    assert tree_of(tmp_path / "target") == {"a": b"1", "dev": None}
