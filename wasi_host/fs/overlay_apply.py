"""Writing what differs in an overlay to the host directory underneath.

Theory of operation
===================

First everything is compared with what the overlay remembers of the lower tree (the *seals*); if
anything is another than it was, nothing is done (``Conflict``). What already is as it shall be
is no conflict, so changes that were applied in part may be applied again. Then, in this order:

1. Directories are made and names moved, those above before those below. What stands in the way
   is itself to be moved, which then comes first; or it is to be deleted. Where two names wait for
   each other (``a`` becomes ``b`` and ``b`` becomes ``a``), one is set aside under a name of ours.
2. Files and links are written beside their place, files synchronised, and renamed over it. The
   mode and, where we may, the owner of what was there are kept.
3. What is gone is deleted, from below upwards.

Each step is one call of the kernel, so whenever the process ends, every file is the old one or
the new one. What may be left then are files whose names begin with ``.wasi_host-``.

Paths are resolved by ``HostDirectory`` one after another, so whoever swaps a directory for a link
meanwhile does not lead anything out of the lower directory.
"""

import contextlib
import os
import secrets
import stat as modes
from collections.abc import Iterator
from typing import Final

from wasi_host.fs.changes import Conflict
from wasi_host.fs.host import HostDirectory
from wasi_host.fs.memory_data import FileInode
from wasi_host.fs.overlay_changes import version_now
from wasi_host.fs.overlay_data import Seal, seal_of
from wasi_host.fs.overlay_difference import Difference, differences
from wasi_host.fs.overlay_index import LayeredFile, lower_of
from wasi_host.fs.overlay_layers import Layers
from wasi_host.fs.walk import DIRECTORY, LINK

__all__ = ["apply_differences"]

#: What temporary names begin with.
OURS: Final = ".wasi_host-"


def apply_differences(layers: Layers, root: HostDirectory) -> None:
    """Write all that differs to the directory ``root``, which is the lower tree.

    Raises:
        Conflict: it has changed meanwhile; nothing was done.
        OSError: with a note of what was done.
    """
    with layers.lock:
        found = differences(layers)
    _check(layers, found)
    work = _Work(layers, root, found)
    try:
        work.place()
        work.write()
        work.delete()
        work.sync()
    except OSError as error:
        done = ", ".join(work.done) or "nothing"
        error.add_note(f"while changes were applied; done so far: {done}")
        raise


def _check(layers: Layers, found: list[Difference]) -> None:
    """Raise Conflict where the lower tree is not what the overlay was made over."""
    conflicts = []
    for one in found:
        if one.lower is not None:
            stat = layers.lower.find(one.lower)
            if stat is None:
                if one.kind != "deleted":
                    conflicts.append(one.lower)
            elif not _is_sealed(seal_of(stat), one.seal) and not _is_there(layers, one, one.lower):
                conflicts.append(one.lower)
        if one.free is not None and one.free not in layers.lower.moved.values():
            above = one.free.rpartition("/")[0]
            if above and layers.lower.find(above) is None:
                conflicts.append(above)
            there = layers.lower.find(one.free) is not None
            if there and not _is_there(layers, one, one.free):
                conflicts.append(one.free)
    if conflicts:
        raise Conflict(conflicts)


def _is_sealed(now: Seal, seal: Seal | None) -> bool:
    """Tell whether something is what it was; a directory's size and time say nothing."""
    if seal is None:
        return now.filetype == DIRECTORY
    if DIRECTORY in (now.filetype, seal.filetype):
        return now[:2] == seal[:2]
    return now == seal


def _is_there(layers: Layers, one: Difference, lower: str) -> bool:
    """Tell whether the lower tree has at a path what it is to have there."""
    if one.inode is None or one.kind == "renamed":
        return False
    after = version_now(layers, one)
    stat = layers.lower.find(lower)
    if after is None or stat is None or stat[2] != one.inode.filetype:
        return False
    if stat[2] == LINK:
        return layers.lower.read_link(lower) == after.target
    if stat[2] == DIRECTORY:
        return True
    if stat[4] != after.size:
        return False
    file = layers.lower.open_file(lower)
    try:
        offset = 0
        for piece in after.pieces():
            if file.pread(len(piece), offset) != piece:
                return False
            offset += len(piece)
        return True
    finally:
        file.close()


class _Work:
    """The steps that make the lower directory what the overlay shows.

    ``done`` tells of each in words.
    """

    def __init__(self, layers: Layers, root: HostDirectory, found: list[Difference]) -> None:
        self._layers = layers
        self._lower = layers.lower
        self._root = root
        self._found = found
        self._doomed = {one.lower: one for one in found if one.kind == "deleted"}
        self._touched: set[str] = set()
        # Where each file that is written now is, should it have a second name.
        self._written: dict[int, str] = {}
        self._token = secrets.token_hex(4)
        self._number = 0
        self.done: list[str] = []

    # First: directories and names

    def place(self) -> None:
        """Make directories, and move what is to be moved."""
        pending = {one.path: one for one in self._found if _is_placed(one)}
        while pending:
            ready = [one for path, one in pending.items() if not _above(path, pending)]
            sources = {one.lower for one in pending.values() if one.lower is not None}
            free = [one for one in ready if self._occupant(one) not in sources]
            for one in free:
                self._place(one)
                del pending[one.path]
            if not free:
                self._set_aside(ready[0].path)

    def _occupant(self, one: Difference) -> str | None:
        """Return what stands where something is to be placed, by its path at first."""
        if self._stat(one.path) is None:
            return None
        at = self._at_first(one.path)
        return None if at == one.lower else at

    def _at_first(self, path: str) -> str:
        """Return where in the lower tree something was at first that is at a path now."""
        best = ("", "")
        for lower, now in self._lower.moved.items():
            if (path == now or path.startswith(f"{now}/")) and len(now) > len(best[1]):
                best = lower, now
        return f"{best[0]}{path[len(best[1]) :]}" if best[1] else path

    def _place(self, one: Difference) -> None:
        there = self._stat(one.path)
        directory = one.inode is not None and one.inode.filetype == DIRECTORY
        if there is not None and self._at_first(one.path) != one.lower:
            if one.kind == "created" and modes.S_ISDIR(there.st_mode) and directory:
                doomed = self._doomed.get(self._at_first(one.path))
                if doomed is None:
                    return
            if self._at_first(one.path) not in self._doomed:
                raise FileExistsError(17, os.strerror(17), one.path)
            if directory or modes.S_ISDIR(there.st_mode):
                self._set_aside(one.path)
            else:
                del self._doomed[self._at_first(one.path)]
        if one.kind == "created":
            with self._parent(one.path) as (fd, name):
                os.mkdir(name, dir_fd=fd)
            self._did(one.path, f"made {one.path}/")
        elif one.lower is not None and self._lower.now(one.lower) != one.path:
            self._move(one.lower, one.path)
            self._did(one.path, f"moved {one.lower} to {one.path}")

    def _set_aside(self, path: str) -> None:
        """Move what is in the way to a name of ours."""
        self._number += 1
        self._move(self._at_first(path), f"{OURS}{self._token}-{self._number}")

    def _move(self, lower: str, path: str) -> None:
        now = self._lower.now(lower)
        with self._parent(now) as (fd, name), self._parent(path) as (to_fd, to_name):
            os.rename(name, to_name, src_dir_fd=fd, dst_dir_fd=to_fd)
        self._lower.moved[lower] = path
        self._touched.update((_dirname(now), _dirname(path)))

    # Second: files and links

    def write(self) -> None:
        """Write what is new in files, and links."""
        for one in self._found:
            inode = one.inode
            if inode is None or inode.filetype == DIRECTORY:
                continue
            lower = lower_of(inode)
            if isinstance(inode, FileInode) or (isinstance(inode, LayeredFile) and inode.copied):
                if one.lower is None or not _is_there(self._layers, one, one.lower):
                    self._clear(one)
                    self._write(one, inode)
            elif one.kind != "renamed" and lower is not None:
                self._clear(one)
                self._link(self._lower.now(lower), one.path)
            elif one.kind != "renamed":
                self._clear(one)
                self._symlink(one)

    def _clear(self, one: Difference) -> None:
        """Set a directory aside that is where a file is to be, and is gone in the overlay."""
        there = self._stat(one.path)
        if there is not None and modes.S_ISDIR(there.st_mode):
            self._set_aside(one.path)
        elif there is not None:
            self._doomed.pop(self._at_first(one.path), None)

    def _write(self, one: Difference, inode: FileInode | LayeredFile) -> None:
        again = self._written.get(id(inode))
        if again is not None:
            self._link(again, one.path)
            return
        after = version_now(self._layers, one)
        if after is None:
            return
        there = self._stat(one.path)
        with self._parent(one.path) as (parent, name):
            made = f"{OURS}{self._token}-new"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
            fd = os.open(made, flags, 0o666, dir_fd=parent)
            try:
                try:
                    for piece in after.pieces():
                        _write_all(fd, piece)
                    if there is not None and modes.S_ISREG(there.st_mode):
                        _keep(fd, there)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                os.rename(made, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(made, dir_fd=parent)
                raise
        self._written[id(inode)] = one.path
        self._did(one.path, f"wrote {one.path}")

    def _link(self, path: str, new: str) -> None:
        """Give a file another name."""
        made = f"{OURS}{self._token}-new"
        with self._parent(path) as (fd, name), self._parent(new) as (to, to_name):
            os.link(name, made, src_dir_fd=fd, dst_dir_fd=to, follow_symlinks=False)
            os.rename(made, to_name, src_dir_fd=to, dst_dir_fd=to)
            # Between two names of one file a rename does nothing.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(made, dir_fd=to)
        self._did(new, f"linked {new}")

    def _symlink(self, one: Difference) -> None:
        after = version_now(self._layers, one)
        if after is None or after.target is None:
            return
        made = f"{OURS}{self._token}-new"
        with self._parent(one.path) as (fd, name):
            os.symlink(after.target, made, dir_fd=fd)
            os.rename(made, name, src_dir_fd=fd, dst_dir_fd=fd)
        self._did(one.path, f"linked {one.path}")

    # Third: what is gone

    def delete(self) -> None:
        """Delete what is gone, from below upwards."""
        for one in reversed(self._found):
            if one.lower is None or one.lower not in self._doomed:
                continue
            now = self._lower.now(one.lower)
            with contextlib.suppress(FileNotFoundError), self._parent(now) as (fd, name):
                if one.seal is not None and one.seal.filetype == DIRECTORY:
                    os.rmdir(name, dir_fd=fd)
                else:
                    os.unlink(name, dir_fd=fd)
                self._did(now, f"deleted {one.lower}")

    def sync(self) -> None:
        """Synchronise the directories in which a name was changed."""
        for path in self._touched:
            with contextlib.suppress(FileNotFoundError), self._parent(f"{path}/.") as (fd, _):
                os.fsync(fd)

    def _did(self, path: str, what: str) -> None:
        self._touched.add(_dirname(path))
        self.done.append(what)

    def _stat(self, path: str) -> os.stat_result | None:
        try:
            with self._parent(path) as (fd, name):
                return os.stat(name, dir_fd=fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the directory of a path; give its descriptor and the last name."""
        above, _, name = path.rpartition("/")
        node = self._root.open_at(above or ".", os.O_RDONLY | os.O_DIRECTORY, False)
        try:
            if not isinstance(node, HostDirectory):
                raise NotADirectoryError(20, os.strerror(20), above)
            yield node.fd, name
        finally:
            node.close()


def _is_placed(one: Difference) -> bool:
    """Tell whether something is a directory to be made, or to be moved."""
    if one.kind == "renamed":
        return True
    return one.kind == "created" and one.inode is not None and one.inode.filetype == DIRECTORY


def _above(path: str, pending: dict[str, Difference]) -> bool:
    """Tell whether a directory above still waits for its place."""
    while path := _dirname(path):
        if path in pending:
            return True
    return False


def _dirname(path: str) -> str:
    return path.rpartition("/")[0]


def _keep(fd: int, there: os.stat_result) -> None:
    """Give a new file the mode and, where we may, the owner of the old one."""
    with contextlib.suppress(PermissionError):
        if (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(fd, there.st_uid, there.st_gid)
    os.fchmod(fd, there.st_mode & 0o777)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while len(view):
        view = view[os.write(fd, view) :]
