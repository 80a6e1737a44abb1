"""The filesystems that run the contract, each made of the same tree, and how they are switched."""

import contextlib
import hashlib
import os
import stat

from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir
from wasi_host.fs.host_nodes import PROBES
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.node import File, FileSystem
from wasi_host.fs.overlay import Overlay
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


def bit_image(path):
    """All of a host tree that a change would show in: bytes, modes, numbers, times but access."""
    found = {}
    for place, directories, files in os.walk(path):
        for name in [".", *directories, *files]:
            where = os.path.join(place, name)
            st = os.lstat(where)
            content = b""
            if stat.S_ISLNK(st.st_mode):
                content = os.readlink(where)
            elif stat.S_ISREG(st.st_mode):
                with open(where, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[where] = (*st[:7], st.st_mtime_ns, st.st_ctime_ns, content)
    return found


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


class OverHost:
    """Overlays over host directories, with some of what Linux has taken away."""

    def __init__(self, *missing):
        self.host = Host(*missing)

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        with self.host(tmp_path, tree) as host:
            overlay = Overlay(host, readonly=readonly)
            before = bit_image(host.path)
            yield overlay
            assert bit_image(host.path) == before
            host.close()


class OverMemory:
    """Overlays over trees in memory."""

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        lower = MemoryFS(tree)
        before = lower.tree()
        yield Overlay(lower, readonly=readonly)
        assert lower.tree() == before


class WithUpper:
    """Overlays that write into another filesystem."""

    def __init__(self, upper):
        self.upper = upper

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        (tmp_path / "upper").mkdir()
        upper = self.upper(tmp_path / "upper")
        yield Overlay(MemoryFS(tree), upper, readonly=readonly)
        upper.close()


class OverOverlay:
    """Overlays over overlays, of which the lower one differs from what is underneath."""

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        middle = Overlay({"moved": tree, "gone": b"", "more": {}})
        root = middle.open_root()
        root.unlink_at("gone")
        root.remove_dir_at("more")
        for entry in root.open_at("moved", os.O_DIRECTORY, True).entries():
            root.rename_at(f"moved/{entry.name}", root, entry.name)
        root.remove_dir_at("moved")
        yield Overlay(middle, readonly=readonly)


HOST_WITH_OPENAT2 = Host()
HOST_BY_THE_WALK = Host("openat2")
HOST_WITHOUT_LINUX = Host("openat2", "o_path", "rwf_append", "proc")
MEMORY = Memory()
OVERLAY_OVER_HOST = OverHost()
OVERLAY_OVER_HOST_BY_THE_WALK = OverHost("openat2", "o_path", "rwf_append", "proc")
OVERLAY_OVER_MEMORY = OverMemory()
OVERLAY_OVER_OVERLAY = OverOverlay()
OVERLAY_WITH_UPPER_HOST = WithUpper(HostDir)
OVERLAY_WITH_UPPER_MEMORY = WithUpper(lambda path: MemoryFS())
