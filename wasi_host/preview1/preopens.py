"""The directories that a guest has from the start."""

from __future__ import annotations

from wasi_host.descriptors.directory import DirectoryDescriptor
from wasi_host.descriptors.native_files import NativeFileTable
from wasi_host.fs import openat2
from wasi_host.fs.node import Directory, FileSystem
from wasi_host.native import structures
from wasi_host.preview1.state import guest_bytes
from wasi_spec.numbers import DIRECTORY_RIGHTS, FILE_RIGHTS

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wasi_host.descriptors.table import DescriptorTable
    from wasi_host.native.library import Library

_INHERITING: Final = DIRECTORY_RIGHTS | FILE_RIGHTS


def native_table(lib: Library, limit: int, serves: int) -> NativeFileTable:
    """Return a table for a guest with directories; see ``NativeTable``."""
    if openat2.available():
        serves |= structures.SERVES_BENEATH
    return NativeFileTable(lib, limit, serves)


def open_preopens(
    fds: DescriptorTable,
    preopens: Sequence[tuple[str | bytes, Directory | FileSystem]],
    rights: int,
) -> None:
    """Open directories at the next numbers; see ``Preview1.for_run``.

    Raises:
        ValueError: a guest name holds a NUL or a lone surrogate.
        OSError: a filesystem's root cannot be opened; what was opened here is closed.
    """
    base, inheriting = DIRECTORY_RIGHTS & rights, _INHERITING & rights
    opened: list[Directory] = []
    try:
        for name, source in preopens:
            if isinstance(name, str):
                name = guest_bytes(name, "the guest name of a directory")
            if isinstance(source, FileSystem):
                source = source.open_root()
                opened.append(source)
            fds.insert(DirectoryDescriptor(source, base, inheriting, name))
    except BaseException:
        for directory in opened:
            directory.close()
        raise
