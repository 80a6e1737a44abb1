"""Any fsspec filesystem as a source, behind our own rules.

It is a source of data, never a sandbox: a ``DirFileSystem`` follows links out of its directory,
and the memory filesystem is one store for the whole process. What a path may be is ours to say
(``path_nodes``); what a name may mean is looked after here: only those functions are called that
take a path for what it is. ``mv``, ``cp`` and ``rm`` expand ``*``, which is a name like any other
to a guest.

*Reading* asks for the bytes wanted, never for the whole file, and ahead of them where it goes on
from where it was. *Writing* goes straight to the file where the store can open one for update
(memory, a disk). Object stores cannot: there the file is copied into a temporary file of the host
at the first change, and put back whole by ``fd_sync`` and by the last close.

Object stores have no directories either, only names with slashes in them. A directory that was
made, or became empty, is remembered here, so that it is there for as long as this object lives.
"""

import errno
import sys
from typing import IO, Any

from wasi_host.fs.fsspec_files import PIECE, RangedFile, StagedFile, info_of
from wasi_host.fs.host import HostDir
from wasi_host.fs.node import Directory
from wasi_host.fs.path_fs import Failures, PathFS, failures, warn_once
from wasi_host.fs.path_store import FileObject, Guard, Info, OpenFile, Store
from wasi_host.fs.walk import DIRECTORY, failure

__all__ = ["FsspecFS"]


class FsspecFS(PathFS):
    """An fsspec filesystem, or a directory of one.

    Programs find no links to make (ENOTSUP), inode numbers made from paths, and times that are
    exact while this object lives. On an object store a file that is changed passes through a
    temporary file of the host, and reaches the store when the program syncs or closes it; an
    error of the store is told then. A plain ``LocalFileSystem`` is used as a host directory.

    Args:
        source: an fsspec filesystem, or a URL such as ``"s3://bucket/prefix"``.
        root: the directory that guests get, "" for all (the URL has its own).
        readonly: refuse every change.
        warn: say what it lacks, once for each class of filesystem (ForeignFilesystemWarning).

    Attributes:
        filesystem: the fsspec object.
        root: the directory in it.
        failures: the last 100 exceptions of it that were not expected; the guest was told EIO.

    Raises:
        TypeError: neither an fsspec filesystem nor a str.
        ValueError: fsspec knows no such URL; a local filesystem without a directory.
        ModuleNotFoundError: fsspec, or what the URL needs beside it, is not installed.
    """

    def __init__(
        self, source: Any, root: str = "", readonly: bool = False, *, warn: bool = True
    ) -> None:
        if isinstance(source, str):
            import fsspec.core

            source, found = fsspec.core.url_to_fs(source)
            root = f"{found.rstrip('/')}/{root}" if root else found
        spec = sys.modules.get("fsspec.spec")
        if spec is None or not isinstance(source, spec.AbstractFileSystem):
            raise TypeError(f"FsspecFS takes an fsspec filesystem, not {type(source).__name__}")
        self.filesystem: Any = source
        self.root = root
        kept = failures()
        self._host = None
        if type(source).__module__ == "fsspec.implementations.local":
            if not root:
                raise ValueError("a local filesystem needs a root: give the directory")
            self._host = HostDir(root, readonly=readonly)
        elif warn:
            warn_once(type(source))
        super().__init__(_FsspecStore(source, root, kept), readonly, kept)

    def open_root(self) -> Directory:
        """Return the root."""
        return super().open_root() if self._host is None else self._host.open_root()

    def close(self) -> None:
        """Close what was opened for this object."""
        if self._host is not None:
            self._host.close()
        super().close()

    def __reduce__(self) -> tuple[Any, ...]:
        return FsspecFS, (self.filesystem, self.root, self.readonly)


class _FsspecStore(Store):
    """An fsspec filesystem as a store of paths."""

    def __init__(self, filesystem: Any, root: str, kept: Failures) -> None:
        self._fs = filesystem
        self._guard = Guard(kept.append)
        stripped = filesystem._strip_protocol(root) if root else ""
        self._root = stripped.rstrip("/")
        self._made: set[str] = set()

    def _at(self, path: str) -> str:
        """Return the store's own path; EILSEQ for a name that means something else to it."""
        if path == "/":
            return self._root or str(self._fs.root_marker)
        at = self._root + path if self._root else str(self._fs.root_marker) + path[1:]
        with self._guard:
            same = self._fs._strip_protocol(at) == at
        if not same:
            raise failure(errno.EILSEQ)
        return at

    def info(self, path: str) -> Info:
        """Return what there is at a path; the root is always there."""
        if path == "/":
            return Info(DIRECTORY, 0, 0, 0, 0)
        at = self._at(path)
        try:
            with self._guard:
                return info_of(self._fs.info(at))
        except FileNotFoundError:
            if path in self._made:
                return Info(DIRECTORY, 0, 0, 0, 0)
            raise

    def names(self, path: str) -> list[tuple[str, int]]:
        """Return name and kind of each entry of a directory."""
        at = self._at(path)
        inside = path if path == "/" else f"{path}/"
        found = {
            made[len(inside) :]: DIRECTORY
            for made in self._made
            if made.startswith(inside) and "/" not in made[len(inside) :]
        }
        try:
            with self._guard:
                for entry in self._fs.ls(at, detail=True):
                    name = str(entry["name"]).strip("/")
                    # Some list the directory's own marker in it.
                    if name != at.strip("/"):
                        found[name.rpartition("/")[2]] = info_of(entry).filetype
        except FileNotFoundError:
            if path != "/" and path not in self._made:
                raise
        return list(found.items())

    def open(self, path: str, writable: bool) -> OpenFile:
        """Open an existing file: for reading in ranges, for writing in place or by a copy."""
        at = self._at(path)
        reader = RangedFile(self._fs, at, self._guard)
        if not writable:
            return reader
        file = self._open_in_place(at)
        return StagedFile(reader, self.put) if file is None else FileObject(file, self._guard)

    def _open_in_place(self, at: str) -> Any:
        """Return the file open for update, or None where the store writes whole files only."""
        with self._guard:
            try:
                file = self._fs.open(at, "r+b")
            except (NotImplementedError, ValueError):
                return None
            if isinstance(file, sys.modules["fsspec.spec"].AbstractBufferedFile):
                file.close()
                return None
            return file if file.writable() and file.seekable() else None

    def put(self, at: str, file: IO[bytes]) -> None:
        """Write a whole file, from a file object of ours."""
        with self._guard, self._fs.open(at, "wb") as target:
            file.seek(0)
            while piece := file.read(PIECE):
                target.write(piece)

    def create(self, path: str) -> OpenFile:
        """Create an empty file; the caller has seen that there is nothing."""
        at = self._at(path)
        with self._guard:
            self._fs.pipe_file(at, b"")
        return self.open(path, True)

    def make_dir(self, path: str) -> None:
        """Create a directory; remembered where the store has none."""
        at = self._at(path)
        with self._guard:
            self._fs.mkdir(at, create_parents=False)
        self._remember(path)

    def remove_dir(self, path: str) -> None:
        """Remove an empty directory."""
        at = self._at(path)
        self._made.discard(path)
        with self._guard:
            if self._fs.exists(at):
                self._fs.rmdir(at)
        self._remember(_parent(path))

    def unlink(self, path: str) -> None:
        """Remove a file."""
        at = self._at(path)
        with self._guard:
            self._fs.rm_file(at)
        self._remember(_parent(path))

    def move_file(self, path: str, to: str) -> None:
        """Copy a file within the store, and remove the old one."""
        source, target = self._at(path), self._at(to)
        with self._guard:
            self._fs.cp_file(source, target)
        self.unlink(path)

    def _remember(self, path: str) -> None:
        """Keep a directory that the store would not show, since nothing is in it."""
        if path != "/":
            with self._guard:
                if self._fs.exists(self._at(path)):
                    self._made.discard(path)
                else:
                    self._made.add(path)


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"
