"""Operations on files: our filesystems against pyfilesystem2's own, microseconds for each.

Each operation is what it costs from Python: ours by the calls that a guest's calls become, theirs
by the methods of ``fs.base.FS``. Both give the same: the content, all attributes, names with
their kinds. The adapters stand between: theirs behind our rules, ours as one of theirs.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, cast

from benchmarks.machine import ROOT, print_description
from wasi_host.fs.export import as_pyfilesystem
from wasi_host.fs.fsspec import FsspecFS
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.node import Directory, File, FileSystem
from wasi_host.fs.pyfs import PyFilesystem
from wasi_host.fs.pyfs_import import import_fs

SMALL = bytes(4096)
MANY = 1000
#: How much is in the trees, and where.
TREE: dict[str, Any] = {
    "dir": {"file": SMALL, "other": SMALL},
    "many": {f"{number:04}": b"" for number in range(MANY)},
}
CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC

Operation = Callable[[], object]


class Operations(NamedTuple):
    """What is measured; ``rename`` is two of them."""

    read: Operation
    stat: Operation
    write: Operation
    rename: Operation
    make_remove: Operation
    list_many: Operation


#: How often each is done in one measurement.
COUNTS = {name: 20 if name == "list_many" else 1000 for name in Operations._fields}
WORDS = {
    "read": "open, read 4 KiB, close",
    "stat": "attributes",
    "write": "create or cut, write 4 KiB, close",
    "rename": "rename a file there and back",
    "make_remove": "make and remove a directory",
    "list_many": "list 1,000 names with kinds",
}


def ours(root: Directory) -> Operations:
    """The operations by the calls that a guest's calls become."""

    def read() -> bytes:
        node = root.open_at("dir/file", os.O_RDONLY, True)
        data = cast("File", node).pread(len(SMALL), 0)
        node.close()
        return data

    def write() -> None:
        node = root.open_at("dir/new", CREATE, True)
        cast("File", node).pwrite(SMALL, 0)
        node.close()

    def rename() -> None:
        root.rename_at("dir/other", root, "dir/moved")
        root.rename_at("dir/moved", root, "dir/other")

    def make_remove() -> None:
        root.make_dir_at("dir/made")
        root.remove_dir_at("dir/made")

    def list_many() -> int:
        node = root.open_at("many", os.O_DIRECTORY, True)
        names = list(cast("Directory", node).entries())
        node.close()
        return len(names)

    def stat() -> object:
        return root.stat_at("dir/file", True)

    return Operations(read, stat, write, rename, make_remove, list_many)


def theirs(filesystem: Any) -> Operations:  # noqa: ANN401
    """The operations by pyfilesystem2's methods."""

    def read() -> bytes:
        with filesystem.openbin("dir/file") as file:
            return bytes(file.read())

    def write() -> None:
        with filesystem.openbin("dir/new", "w") as file:
            file.write(SMALL)

    def rename() -> None:
        filesystem.move("dir/other", "dir/moved")
        filesystem.move("dir/moved", "dir/other")

    def make_remove() -> None:
        filesystem.makedir("dir/made")
        filesystem.removedir("dir/made")

    return Operations(
        read,
        lambda: filesystem.getinfo("dir/file", ["details"]),
        write,
        rename,
        make_remove,
        lambda: len(list(filesystem.scandir("many"))),
    )


def fill(filesystem: Any, tree: dict[str, Any], at: str = "") -> Any:  # noqa: ANN401
    """Make the tree in a pyfilesystem2 filesystem, and return it."""
    for name, content in tree.items():
        if isinstance(content, dict):
            filesystem.makedir(at + name)
            fill(filesystem, content, f"{at}{name}/")
        else:
            filesystem.writebytes(at + name, content)
    return filesystem


@contextmanager
def contestants() -> Iterator[dict[str, Operations]]:
    """All that are measured, by name; theirs are the measure of the others."""
    import_fs()
    from fs.memoryfs import MemoryFS as TheirMemoryFS
    from fs.osfs import OSFS

    class OtherOSFS(OSFS):  # type: ignore[misc]
        """One that is not taken for the host directory that it is."""

    with ExitStack() as stack:

        def directory() -> str:
            return stack.enter_context(tempfile.TemporaryDirectory())

        def opened(filesystem: FileSystem) -> Operations:
            root = filesystem.open_root()
            stack.callback(root.close)
            return ours(root)

        disk = fill(OSFS(directory()), TREE)
        made = {
            "their MemoryFS": theirs(fill(TheirMemoryFS(), TREE)),
            "their OSFS": theirs(disk),
            "MemoryFS": opened(MemoryFS(TREE)),
            "HostDir": opened(HostDir(disk.getsyspath("/"))),
            "as_pyfilesystem(MemoryFS)": theirs(as_pyfilesystem(MemoryFS(TREE))),
            "PyFilesystem(their MemoryFS)": opened(
                PyFilesystem(fill(TheirMemoryFS(), TREE), warn=False)
            ),
            "PyFilesystem(an OSFS)": opened(
                PyFilesystem(fill(OtherOSFS(directory()), TREE), warn=False)
            ),
        }
        if find_spec("fsspec") is not None:
            foreign = FsspecFS("memory://benchmark", warn=False)
            fill(as_pyfilesystem(foreign), TREE)
            made["FsspecFS(memory)"] = opened(foreign)
        yield made


def measure(operation: Operation, count: int) -> float:
    """Microseconds for one of ``count`` operations in a row."""
    start = time.perf_counter()
    for _ in range(count):
        operation()
    return (time.perf_counter() - start) / count * 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="the least of so many is told")
    parser.add_argument("--json", type=Path, default=ROOT / "bench-results" / "filesystems.json")


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    with contestants() as made:
        times = {name: dict.fromkeys(Operations._fields, float("inf")) for name in made}
        for _ in range(arguments.rounds):
            for name, operations in made.items():
                for what, operation in operations._asdict().items():
                    spent = measure(operation, COUNTS[what])
                    times[name][what] = min(times[name][what], spent)
    for what, words in WORDS.items():
        print(f"\n{words}, us")
        for name in made:
            spent, least = times[name][what], times["their MemoryFS"][what]
            print(
                f"  {name:30} {spent:10,.2f}   {least / spent:6.2f} x as fast as theirs in memory"
            )
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"machine": facts, "us": times}, indent=1) + "\n")
    print(f"\nwritten: {arguments.json}")
    return 0
