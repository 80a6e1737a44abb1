"""Changes for other programs: a JSON text, and a tar file as container images have it.

What takes long to import is imported where it is used: most runs export nothing.
"""

from __future__ import annotations

import io

TYPE_CHECKING = False

if TYPE_CHECKING:
    import os
    import tarfile
    from collections.abc import Iterable, Iterator
    from typing import Final

    from wasi_host.fs.change import Change
    from wasi_host.fs.change_version import Version

__all__ = ["as_json", "write_tar"]

#: The prefix of a name that is gone, as image layers have it.
_WHITEOUT: Final = ".wh."
#: As tar has them.
_DIRECTORY: Final = b"5"
_LINK: Final = b"2"


def as_json(changes: Iterable[Change]) -> str:
    """Return kinds, paths, types, sizes and hashes; undecodable names as lone surrogates."""
    import json

    told = [
        {
            "kind": change.kind,
            "path": change.path,
            "before": None if change.before is None else change.before.describe(),
            "after": None if change.after is None else change.after.describe(),
        }
        for change in changes
    ]
    return json.dumps(told, indent=2)


def write_tar(changes: Iterable[Change], path: str | os.PathLike[str]) -> None:
    """Write a tar file: whiteouts of what is gone, and all that is new."""
    import tarfile

    changes = list(changes)
    written: set[str] = set()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for change in changes:
            if change.before is not None and change.kind in ("deleted", "renamed"):
                above, _, name = change.before.path.rpartition("/")
                tar.addfile(tarfile.TarInfo(f"{above}/{_WHITEOUT}{name}".lstrip("/")))
        for change in changes:
            if change.after is not None:
                for version in change.after.tree():
                    if version.path not in written:
                        written.add(version.path)
                        _add(tar, version)


def _add(tar: tarfile.TarFile, version: Version) -> None:
    info = tar.tarinfo(version.path)
    info.mtime = version.mtime_ns // 1_000_000_000
    if version.type == "directory":
        info.type, info.mode = _DIRECTORY, 0o755
        tar.addfile(info)
    elif version.type == "link":
        info.type, info.linkname = _LINK, version.target or ""
        tar.addfile(info)
    elif version.type == "file":
        info.size = version.size
        tar.addfile(info, _Pieces(version.pieces()))


class _Pieces(io.RawIOBase):
    """A file object over pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        while len(self._left) < size and (piece := next(self._pieces, b"")):
            self._left += piece
        data, self._left = self._left[:size], self._left[size:]
        return data
