"""Our filesystems as pyfilesystem2's: its own suite of tests, and what that does not ask."""

import os
import tempfile
import unittest

import pytest

from tests.fs.theirs import FS, FSTestCases, TheirMemoryFS, copy_fs, errors, put
from wasi_host.fs.export import as_pyfilesystem
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.pyfs import PyFilesystem

TREE = {"file": b"content", "dir": {"inner": b"in"}, "link": Link("dir/inner"), "out": Link("..")}


class TheirSuite(FSTestCases):
    """Their tests, which ask for a name that Python 3.12 no longer has."""

    assertRaisesRegexp = unittest.TestCase.assertRaisesRegex


class TestTheirSuiteOnMemory(TheirSuite, unittest.TestCase):
    def make_fs(self):
        return as_pyfilesystem(MemoryFS())


class TestTheirSuiteOnAHostDirectory(TheirSuite, unittest.TestCase):
    def make_fs(self):
        self.directory = tempfile.TemporaryDirectory()
        return as_pyfilesystem(HostDir(self.directory.name))

    def destroy_fs(self, fs):
        fs.close()
        self.directory.cleanup()


@pytest.mark.filterwarnings("ignore::wasi_host.ForeignFilesystemWarning")
class TestTheirSuiteOnTheirsBehindOurRules(TheirSuite, unittest.TestCase):
    def make_fs(self):
        return as_pyfilesystem(PyFilesystem(TheirMemoryFS()))


def test_it_is_one_of_theirs():
    exported = as_pyfilesystem(MemoryFS(TREE))
    assert isinstance(exported, FS)
    assert type(exported) is type(as_pyfilesystem({"file": b""}))
    copied = TheirMemoryFS()
    copy_fs(as_pyfilesystem({"a": {"b": b"c"}}), copied)
    assert copied.readbytes("a/b") == b"c"


def test_links_are_followed_inside_and_never_out():
    exported = as_pyfilesystem(MemoryFS(TREE))
    assert exported.readbytes("link") == b"in"
    assert exported.islink("link")
    assert exported.getinfo("link", ["link"]).target == "dir/inner"
    with pytest.raises(errors.PermissionDenied):
        exported.listdir("out")
    with pytest.raises(errors.PermissionDenied):
        exported.getinfo("out")
    assert "out" in exported.listdir("/")
    assert "out" not in [info.name for info in exported.scandir("/")]


@pytest.mark.parametrize("make", [lambda: as_pyfilesystem(MemoryFS(TREE), readonly=True),
                                  lambda: as_pyfilesystem(MemoryFS(TREE, readonly=True))],
                         ids=["asked for", "its own"])  # fmt: skip
def test_what_is_read_only_refuses_changes_in_their_words(make):
    exported = make()
    assert exported.getmeta()["read_only"] is True
    for change in (
        lambda: exported.remove("file"), lambda: exported.makedir("new"),
        lambda: exported.openbin("file", "r+"), lambda: exported.writebytes("file", b""),
        lambda: exported.move("file", "new"), lambda: exported.movedir("dir", "new", create=True),
        lambda: exported.settimes("file"), lambda: exported.removedir("dir"),
    ):  # fmt: skip
        with pytest.raises(errors.ResourceReadOnly):
            change()
    assert exported.readbytes("file") == b"content"


def test_a_directory_is_moved_in_one_go_and_keeps_its_links():
    filesystem = MemoryFS({"dir": TREE})
    exported = as_pyfilesystem(filesystem)
    exported.movedir("dir", "new", create=True)
    assert filesystem.tree() == {"new": TREE}


def test_times_are_there_to_the_nanosecond():
    filesystem = MemoryFS({"file": b""})
    filesystem.open_root().set_times_at("file", True, 5, 1_700_000_000_123_456_789)
    raw = as_pyfilesystem(filesystem).getinfo("file", ["stat", "details"]).raw
    assert raw["stat"]["st_mtime_ns"] == 1_700_000_000_123_456_789
    assert raw["details"]["accessed"] == 5e-9


def test_closing_it_leaves_the_filesystem_open(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    filesystem = HostDir(tmp_path)
    for _ in range(2):
        exported = as_pyfilesystem(filesystem)
        assert exported.listdir("/") == ["file"]
        exported.close()
        exported.close()
        with pytest.raises(errors.FilesystemClosed):
            exported.listdir("/")
    filesystem.close()


def test_a_closed_file_and_one_for_the_other_direction_say_so():
    exported = as_pyfilesystem(put_into({"file": b"content"}))
    with exported.openbin("file") as file:
        assert file.seek(-3, os.SEEK_END) == 4
        assert file.read() == b"ent"
        with pytest.raises(OSError, match="write"):
            file.write(b"x")
        with pytest.raises(OSError, match="write"):
            file.truncate(0)
        with pytest.raises(ValueError, match="negative"):
            file.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        file.read()


def put_into(tree):
    filesystem = MemoryFS()
    put(as_pyfilesystem(filesystem), tree)
    return filesystem
