"""The filesystems that run the contract, each made of the same tree, and how they are switched."""

import contextlib
import os

from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir
from wasi_host.fs.host_nodes import PROBES
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.node import File, FileSystem
from wasi_host.fs.wrapped import WrappedDirectory, WrappedFile

SECRET = b"what nobody inside may read"


@contextlib.contextmanager
def without(*what):
    """Acts as if the host had no `openat2`, `o_path`, `rwf_append`, `proc`."""
    probes = {name: getattr(PROBES, name) for name in what if name != "openat2"}
    forced = openat2.force_off(True) if "openat2" in what else None
    for name in probes:
        setattr(PROBES, name, 0)
    try:
        yield
    finally:
        for name, value in probes.items():
            setattr(PROBES, name, value)
        if forced is not None:
            openat2.force_off(forced)


def write_out(tree, path):
    """Makes a tree of a memory filesystem on the host."""
    path.mkdir(exist_ok=True)
    for name, content in tree.items():
        target = path / name
        if isinstance(content, dict):
            write_out(content, target)
        elif isinstance(content, Link):
            os.symlink(content.target, target)
        else:
            target.write_bytes(content)


def open_descriptors():
    """How many descriptors this process has open; None where it cannot be told."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None


class Host:
    """Host directories, with some of what Linux has taken away."""

    def __init__(self, *missing):
        self.missing = missing

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        (tmp_path / "secret").write_bytes(SECRET)
        write_out(tree, tmp_path / "root")
        write_out({"inside": SECRET}, tmp_path / "root-sibling")
        with without(*self.missing):
            yield HostDir(tmp_path / "root", readonly=readonly)


class Memory:
    """Memory filesystems."""

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        yield MemoryFS(tree, readonly=readonly)


class Wrapped:
    """A filesystem in a wrapper; made read-only outside the wrapper, or inside it."""

    def __init__(self, factory, wrap):
        self.factory = factory
        self.wrap = wrap

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        with self.factory(tmp_path, tree, readonly) as filesystem:
            yield self.wrap(filesystem)
            filesystem.close()


class Plain(FileSystem):
    """A filesystem of types that nobody knows, over one that is well known."""

    def __init__(self, inner):
        self.inner = inner

    def open_root(self):
        return PlainDirectory(self.inner.open_root())


class PlainDirectory(WrappedDirectory):
    __slots__ = ()

    def enter(self, under):
        return PlainDirectory(under)

    def adopt(self, node):
        return WrappedFile(node) if isinstance(node, File) else node


HOST_WITH_OPENAT2 = Host()
HOST_BY_THE_WALK = Host("openat2")
HOST_WITHOUT_LINUX = Host("openat2", "o_path", "rwf_append", "proc")
MEMORY = Memory()
