"""`ReadOnly`: whatever is inside, nothing of it changes, and it reads as it reads without."""

import os
import pickle

import pytest

from tests.fs.actions import ACTIONS, READING, act, outcome, snapshot
from tests.fs.backends import HOST_BY_THE_WALK, HOST_WITH_OPENAT2, MEMORY, Plain, Wrapped
from tests.fs.contract import TREE, FilesystemContract, Place
from tests.fs.lacking import CHANGES
from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir, HostDirectory, HostFile
from wasi_host.fs.memory import MemoryDirectory, MemoryFile, MemoryFS
from wasi_host.fs.namespace import Namespace
from wasi_host.fs.readonly import ReadOnly, ReadOnlyDirectory


def plain(filesystem):
    return ReadOnly(Plain(filesystem))


@pytest.mark.breadth
@pytest.mark.skipif(not openat2.available(), reason="this kernel has no openat2")
class TestReadOnlyHost(FilesystemContract):
    factory = staticmethod(Wrapped(HOST_WITH_OPENAT2, ReadOnly))
    lacks = frozenset({CHANGES})


class TestReadOnlyMemory(FilesystemContract):
    factory = staticmethod(Wrapped(MEMORY, ReadOnly))
    lacks = frozenset({CHANGES})


@pytest.mark.breadth
class TestReadOnlyAnything(FilesystemContract):
    factory = staticmethod(Wrapped(MEMORY, plain))
    lacks = frozenset({CHANGES})


@pytest.mark.breadth
class TestReadOnlyAnythingOnAHost(FilesystemContract):
    factory = staticmethod(Wrapped(HOST_BY_THE_WALK, plain))
    lacks = frozenset({CHANGES})


def test_host_and_memory_are_read_by_their_own_nodes(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    for source, directory, file in (
        (tmp_path, HostDirectory, HostFile),
        ({"file": b"x"}, MemoryDirectory, MemoryFile),
    ):
        place = Place(ReadOnly(source), frozenset())
        assert type(place.root) is directory
        assert type(place.open("file")) is file
        assert outcome(place.open("file").truncate, 0) == "EPERM"
        place.close()


def test_the_source_itself_stays_writable():
    inside = MemoryFS({"file": b"old"})
    root = ReadOnly(inside).open_root()
    inside.write_bytes("file", b"new")
    node = root.open_at("file", os.O_RDONLY, True)
    assert node.pread(9, 0) == b"new"
    assert outcome(root.open_at, "file", os.O_RDWR, True) == "EPERM"


def test_what_is_already_read_only_is_left_as_it_is(tmp_path):
    place = Place(ReadOnly(HostDir(tmp_path, readonly=True)), frozenset())
    assert type(place.root) is HostDirectory
    place.close()


def test_a_writable_mount_inside_is_read_only_too():
    mounted = MemoryFS({"file": b"x"})
    root = ReadOnly(Namespace(MemoryFS(TREE), {"mount": mounted, "a/b": mounted})).open_root()
    assert isinstance(root, ReadOnlyDirectory)
    before = snapshot(root)
    for path in ("mount", "mount/file", "mount/new", "a", "a/b/file", "a/new", "file"):
        for action in ACTIONS:
            if action not in READING:
                assert act(action, root, path) == "EPERM"
    assert snapshot(root) == before
    inside = root.open_at("mount", os.O_DIRECTORY, True)
    assert inside.readonly
    assert outcome(inside.open_at, "new", os.O_CREAT | os.O_RDWR, True) == "EPERM"


def test_it_takes_what_dirs_takes_and_pickles(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    for source in (str(tmp_path), tmp_path, {"file": b"x"}, HostDir(tmp_path)):
        again = pickle.loads(pickle.dumps(ReadOnly(source)))
        root = again.open_root()
        assert snapshot(root) == {"file": (b"x", 1)}
        root.close()
    with pytest.raises(TypeError, match="the source of ReadOnly"):
        ReadOnly(b"bytes")
