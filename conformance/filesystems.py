"""The filesystems that a program is tried on: each makes its root from a directory.

A new filesystem is one line here. One that cannot hold something (links, say) has a file of
expectations with the reasons, in ``expectations/``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from wasi_host.adapters import PyFilesystem
from wasi_host.directories import Filter, Overlay, Quota
from wasi_host.sources import HostDir, MemoryFS, Source

_EXPECTATIONS: Final = Path(__file__).parent / "expectations"


class Filesystem(NamedTuple):
    """How a filesystem becomes a program's root.

    Attributes:
        open: takes a directory that is the test's own, and returns the source of ``dirs=``.
        expectations: the file that says which tests it cannot pass; None: it passes all.
    """

    open: Callable[[Path], Source]
    expectations: Path | None = None


def _foreign(url: str) -> Callable[[Path], PyFilesystem]:
    """Return what opens a fresh pyfilesystem2 filesystem and copies a directory into it."""

    def open_and_fill(root: Path) -> PyFilesystem:
        # What it lacks is known: the expectations say it test by test.
        source = PyFilesystem(url, warn=False)
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                source.filesystem.makedir(name)
            else:
                source.filesystem.writebytes(name, path.read_bytes())
        return source

    return open_and_fill


FILESYSTEMS: Final[dict[str, Filesystem]] = {
    "host": Filesystem(HostDir),
    "memory": Filesystem(MemoryFS),
    "overlay": Filesystem(Overlay),
    "quota": Filesystem(lambda root: Quota(HostDir(root), max_bytes=1 << 30, max_inodes=10_000)),
    "filter": Filesystem(lambda root: Filter(HostDir(root), deny="*.hidden")),
    "pyfs": Filesystem(_foreign("mem://"), _EXPECTATIONS / "pyfs.toml"),
}
