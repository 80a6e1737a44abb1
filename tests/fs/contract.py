"""What every filesystem must do, whatever it is made of: a class of tests per part.

A test class derives from `FilesystemContract` and names its factory::

    class TestMine(FilesystemContract):
        factory = staticmethod(make)  # make(tmp_path, tree, readonly=False): a context manager

The factory gives a `FileSystem` with `TREE` in it. No descriptor may be left open by any test.
"""

import os

import pytest

from tests.fs.actions import UPDATE
from tests.fs.backends import open_descriptors
from tests.fs.contract_files import Directories, Files
from tests.fs.contract_names import Names
from tests.fs.contract_paths import Paths
from wasi_host.fs.memory import Link, MemoryFS

TREE = {
    "file": b"content",
    "other": b"other",
    "dir": {
        "inner": b"in",
        "sub": {"deep": b"deep"},
        "back": Link("../file"),
        "up": Link("../.."),
        "dot": Link("."),
    },
    "empty": {},
    "to_file": Link("file"),
    "to_dir": Link("dir"),
    "to_deep": Link("to_dir/./sub//deep"),
    "to_slash": Link("nowhere/"),
    "dangling": Link("nowhere"),
    "loop": Link("loop"),
    "pair": Link("riap"),
    "riap": Link("pair"),
    "dot": Link("."),
    "absolute": Link("/etc/passwd"),
    "absolute_root": Link("/"),
    "up": Link(".."),
    "out": Link("../secret"),
    "out_later": Link("dir/../../secret"),
    "via_up": Link("up/secret"),
}


class Place:
    """A root, and shorthands; what it opened it closes."""

    def __init__(self, filesystem):
        self.filesystem = filesystem
        self.root = filesystem.open_root()
        self._nodes = [self.root]

    def open(self, path, mode=os.O_RDONLY):
        self._nodes.append(self.root.open_at(path, mode, True))
        return self._nodes[-1]

    def read(self, path):
        return self.open(path).pread(1 << 20, 0)

    def write(self, path, data):
        self.open(path, UPDATE | os.O_TRUNC).pwrite(data, 0)

    def names(self, path):
        return [entry.name for entry in self.open(path, os.O_DIRECTORY).entries()]

    def close(self):
        for node in reversed(self._nodes):
            node.close()
        self.filesystem.close()


class FilesystemContract(Paths, Names, Directories, Files):
    factory = None

    def _place(self, tmp_path, **options):
        before = open_descriptors()
        with self.factory(tmp_path, TREE, **options) as filesystem:
            place = Place(filesystem)
            yield place
            place.close()
        assert open_descriptors() == before

    @pytest.fixture
    def place(self, tmp_path):
        yield from self._place(tmp_path)

    @pytest.fixture
    def readonly(self, tmp_path):
        (tmp_path / "ro").mkdir()
        yield from self._place(tmp_path / "ro", readonly=True)

    @pytest.fixture
    def elsewhere(self):
        """The root of another filesystem."""
        return MemoryFS({"there": b"elsewhere"}).open_root()
