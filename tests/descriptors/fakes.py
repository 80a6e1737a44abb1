"""A filesystem small enough to be seen through, which counts what is open."""

import errno
import os

from wasi_host.fs.node import Directory, Dirent, File, Node, Stat
from wasi_spec.enums import Filetype


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


class FakeFile(File):
    """A file over a bytearray shared by all nodes of the same entry; ``calls`` notes each call."""

    def __init__(self, data: bytearray, readonly: bool = False, ino: int = 7) -> None:
        self.data = data
        self.readonly = readonly
        self.ino = ino
        self.calls: list[object] = []
        self.closed = 0

    def stat(self) -> Stat:
        return (1, self.ino, int(Filetype.REGULAR_FILE), 1, len(self.data), 0, 0, 0)

    def pread(self, size: int, offset: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def pwrite(self, data: bytes | memoryview, offset: int) -> int:
        if len(data):
            self.data.extend(bytes(max(0, offset - len(self.data))))
            self.data[offset : offset + len(data)] = data
        return len(data)

    def append(self, data: bytes | memoryview) -> int:
        return self.pwrite(data, len(self.data))

    def truncate(self, size: int) -> None:
        self.calls.append(("truncate", size))

    def allocate(self, offset: int, length: int) -> None:
        self.calls.append(("allocate", offset, length))

    def advise(self, offset: int, length: int, advice: int) -> None:
        self.calls.append(("advise", offset, length, advice))

    def sync(self, data_only: bool = False) -> None:
        self.calls.append(("sync", data_only))

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        self.calls.append(("set_times", atime_ns, mtime_ns))

    def close(self) -> None:
        self.closed += 1


class FakeDirectory(Directory):
    """A directory whose paths are single names; ``calls`` notes what was asked and ``nodes``
    keeps what was opened."""

    def __init__(
        self, tree: dict[str, "bytearray | FakeDirectory"] | None = None, readonly: bool = False
    ) -> None:
        self.tree = tree or {}
        self.readonly = readonly
        self.calls: list[tuple[object, ...]] = []
        self.nodes: list[Node] = []
        self.closed = 0

    @property
    def open_nodes(self) -> int:
        return sum(1 for node in self.nodes if not node.closed)

    def stat(self) -> Stat:
        return (1, 5, int(Filetype.DIRECTORY), 1, 0, 0, 0, 0)

    def open_entry(self, name: str, mode: int) -> Node:
        return self.open_at(name, mode, False)

    def stat_entry(self, name: str) -> Stat:
        return self.stat_at(name, False)

    def entries(self) -> list[Dirent]:
        return [
            Dirent(name, index, int(Filetype.REGULAR_FILE))
            for index, name in enumerate(self.tree, 100)
        ]

    def set_times(self, atime_ns: int | None, mtime_ns: int | None) -> None:
        self.calls.append(("set_times", atime_ns, mtime_ns))

    def open_at(self, path: str, mode: int, follow: bool) -> Node:
        self.calls.append(("open", path, mode, follow))
        if path not in self.tree:
            if not mode & os.O_CREAT:
                raise failure(errno.ENOENT)
            self.tree[path] = bytearray()
        entry = self.tree[path]
        node = FakeDirectory(entry.tree) if isinstance(entry, FakeDirectory) else FakeFile(entry)
        self.nodes.append(node)
        return node

    def stat_at(self, path: str, follow: bool) -> Stat:
        self.calls.append(("stat", path, follow))
        return (1, 7, int(Filetype.REGULAR_FILE), 1, 0, 0, 0, 0)

    def set_times_at(
        self, path: str, follow: bool, atime_ns: int | None, mtime_ns: int | None
    ) -> None:
        self.calls.append(("set_times", path, follow, atime_ns, mtime_ns))

    def make_dir_at(self, path: str) -> None:
        self.calls.append(("mkdir", path))

    def remove_dir_at(self, path: str) -> None:
        self.calls.append(("rmdir", path))

    def unlink_at(self, path: str) -> None:
        self.calls.append(("unlink", path))

    def symlink_at(self, target: str, path: str) -> None:
        self.calls.append(("symlink", target, path))

    def read_link_at(self, path: str) -> str:
        self.calls.append(("readlink", path))
        return "target"

    def rename_at(self, path: str, to: Directory, to_path: str) -> None:
        self.calls.append(("rename", path, to, to_path))

    def link_at(self, path: str, to: Directory, to_path: str) -> None:
        self.calls.append(("link", path, to, to_path))

    def close(self) -> None:
        self.closed += 1
