"""What every filesystem must do, whatever it is made of: a class of tests per part.

A test class derives from `FilesystemContract` and names its factory::

    class TestMine(FilesystemContract):
        factory = staticmethod(make)  # make(tmp_path, tree, readonly=False): a context manager

The factory gives a `FileSystem` with `TREE` in it. No descriptor may be left open by any test.
What the filesystem cannot do it declares in `lacks` (see `lacking`), and is tested to refuse it.
"""

import os

import pytest

from tests.fs.actions import ACTIONS, READING, UPDATE, act, each, outcome, snapshot
from tests.fs.backends import open_descriptors
from tests.fs.contract_files import Directories, Files
from tests.fs.contract_names import Names
from tests.fs.contract_paths import Paths
from tests.fs.lacking import (
    ALLOCATION,
    CHANGES,
    EVERYTHING,
    HARD_LINKS,
    SYMBOLIC_LINKS,
    TIMES,
    answers,
)
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


def without_links(tree):
    """A tree without its symbolic links."""
    return {
        name: without_links(content) if isinstance(content, dict) else content
        for name, content in tree.items()
        if not isinstance(content, Link)
    }


def links_in(tree):
    """The names of the symbolic links anywhere in a tree."""
    found = {name for name, content in tree.items() if isinstance(content, Link)}
    return found.union(*(links_in(below) for below in tree.values() if isinstance(below, dict)))


class Place:
    """A root, and shorthands; what it opened it closes."""

    def __init__(self, filesystem, lacks):
        self.filesystem = filesystem
        self.lacks = lacks
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

    def paths(self, paths):
        """Those of the paths that the filesystem can have, be it one without symbolic links."""
        links = links_in(TREE) if SYMBOLIC_LINKS in self.lacks else set()
        return [path for path in paths if links.isdisjoint(path.split("/"))]

    def answers(self, action, expected):
        """What an action may answer where a filesystem that lacks nothing answers `expected`."""
        return answers(self.lacks, action, expected)

    def close(self):
        for node in reversed(self._nodes):
            node.close()
        self.filesystem.close()


class Refusals:
    """What a filesystem that lacks something answers."""

    def test_it_lacks_only_what_there_is_a_word_for(self):
        assert EVERYTHING.issuperset(self.lacks)

    def test_without_changes_every_change_is_eperm_whatever_the_path(self, place):
        before = snapshot(place.root)
        paths = place.paths(["file", "missing", "dir", "empty", "dangling", "loop", ".", "../x"])
        paths += ["/", "dir/inner", "dir/missing", "missing/x", "file/x", "file/"]
        paths += ["", "n" * 256]
        for action in ACTIONS if CHANGES in self.lacks else ():
            if action not in READING:
                assert each(action, place.root, paths) == dict.fromkeys(paths, "EPERM")
        assert snapshot(place.root) == before

    def test_what_it_lacks_is_refused_and_what_it_does_not_lack_works(self, place):
        def expected(what):
            return "EPERM" if CHANGES in self.lacks else "ENOTSUP" if what in self.lacks else "ok"

        assert act("create", place.root, "new") == expected(CHANGES)
        assert act("symlink", place.root, "made") == expected(SYMBOLIC_LINKS)
        assert act("link-from", place.root, "file") == expected(HARD_LINKS)
        assert act("set-times", place.root, "file") == expected(TIMES)
        node = place.open("file", os.O_RDONLY if CHANGES in self.lacks else os.O_RDWR)
        assert outcome(node.set_times, 1, 1) == expected(TIMES)
        assert outcome(node.allocate, 0, 100) == expected(ALLOCATION)
        assert act("readlink", place.root, "file") == "EINVAL"


class FilesystemContract(Paths, Names, Directories, Files, Refusals):
    factory = None
    lacks = frozenset()

    @pytest.fixture(autouse=True)
    def _left_out(self, request):
        missing = self.lacks.intersection(getattr(request.function, "needs", ()))
        if missing:
            pytest.skip(f"this filesystem declares to have no {', '.join(sorted(missing))}")

    def _place(self, tmp_path, **options):
        before = open_descriptors()
        tree = without_links(TREE) if SYMBOLIC_LINKS in self.lacks else TREE
        with self.factory(tmp_path, tree, **options) as filesystem:
            place = Place(filesystem, self.lacks)
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
