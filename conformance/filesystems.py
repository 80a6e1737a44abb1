"""The filesystems that a program is tried on: each makes its root from a directory.

A new filesystem is one line here. One that cannot hold something (links, say) has a file of
expectations with the reasons, in ``expectations/``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from wasi_host.directories import Quota
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


FILESYSTEMS: Final[dict[str, Filesystem]] = {
    "host": Filesystem(HostDir),
    "memory": Filesystem(MemoryFS),
    "quota": Filesystem(lambda root: Quota(HostDir(root), max_bytes=1 << 30, max_inodes=10_000)),
}
