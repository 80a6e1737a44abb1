"""Random operations on filesystems of other libraries: the same answers as in our memory."""

from importlib.util import find_spec

import pytest

from tests.fs.test_differential import OPERATIONS, SEED, Chooser, World, run
from tests.fs.theirs import Copying, OtherOSFS, TheirMemoryFS
from wasi_host.fs.export import as_pyfilesystem
from wasi_host.fs.fsspec import FsspecFS
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.pyfs import PyFilesystem

LINKS = ("symlink", "plant", "link")


class WithoutLinks(Chooser):
    """Chooses nothing that makes a link."""

    def operation(self):
        while True:
            operation, arguments = super().operation()
            if operation not in LINKS:
                return operation, arguments


def memory_of_fsspec():
    from fsspec.implementations.memory import MemoryFileSystem

    class Memory(MemoryFileSystem):
        store = {}  # noqa: RUF012  as the class that it derives from
        pseudo_dirs = [""]  # noqa: RUF012

    return Memory()


@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, OPERATIONS // 1000)))
def test_random_operations_have_the_same_outcome_as_in_memory(tmp_path, seed):
    worlds = {
        "ours": World(MemoryFS()),
        "theirs": World(PyFilesystem(TheirMemoryFS(), warn=False)),
        "copying": World(PyFilesystem(Copying(), warn=False)),
        "disk": World(PyFilesystem(OtherOSFS(str(tmp_path)), warn=False)),
        "exported": World(PyFilesystem(as_pyfilesystem(MemoryFS()), warn=False)),
    }
    if find_spec("fsspec"):
        worlds["fsspec"] = World(FsspecFS(memory_of_fsspec(), warn=False))
    try:
        run(worlds, seed, min(OPERATIONS, 1000), WithoutLinks)
    finally:
        for world in worlds.values():
            world.close()
