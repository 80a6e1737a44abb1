"""Compiled modules kept on disk, so that the second start of a program compiles nothing.

Theory of operation. An entry is native code, so what is loaded must be ours: the directory and
every file in it belong to this user and nobody else may write to them, links are not followed,
and each entry has a note beside it with its size and a checksum of its beginning and end.
Whatever is not so is treated as missing, and made anew. Entries are written under another name
and renamed, so two processes, or one that is killed, leave old or new and never half.

The name of an entry is the digest of the module, the engine's version, every setting of ours and
the machine. A second index (device, inode, size and time of a file, and its path) leads to the
digest without reading the module. It is written only for files older than two seconds: one that
changes twice within the clock's grain would look the same.

A cache that cannot be read or written costs time and nothing else.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from stat import S_IMODE, S_ISDIR, S_ISREG

from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: The directory in use instead of the platform's; empty: no cache.
VARIABLE: Final = "WASI_HOST_CACHE"
#: Modules below this size that come without a settled file are compiled each time: in a process
#: that has compiled another, that takes no longer than to keep them.
SMALLEST: Final = 4096
#: The oldest entries go when the cache grows over this.
LARGEST_CACHE: Final = 2 << 30
#: Of the digests that name entries.
_DIGITS: Final = 64
_SAMPLE: Final = 1 << 16
_GRAIN_NS: Final = 2_000_000_000
_WRITABLE_BY_OTHERS: Final = 0o022
# Without waiting: a fifo in a file's place would be waited for without end.
_READ: Final = os.O_RDONLY | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK")
)


class FileIdentity(NamedTuple):
    """What tells a version of a file from any other."""

    path: str
    device: int
    inode: int
    size: int
    mtime_ns: int


def identity(path: str) -> FileIdentity:
    """Return the identity of a file as it is now. OSError: it cannot be looked at."""
    st = os.stat(path)
    return FileIdentity(os.path.abspath(path), st.st_dev, st.st_ino, st.st_size, st.st_mtime_ns)


def settled(file: FileIdentity) -> bool:
    """Tell whether a file has not changed lately, so that its times tell of the next change."""
    return time.time_ns() - file.mtime_ns >= _GRAIN_NS


def default_directory() -> str | None:
    """Return the cache directory of this user; None where the variable turns the cache off."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return chosen or None
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "wasi_host")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "wasi_host")


def digest(wasm: bytes, settings: str) -> str:
    """Return the name of the entry for a module and the engine's settings."""
    from hashlib import sha256  # 8 ms of imports that a warm start does without

    return sha256(sha256(wasm).digest() + settings.encode()).hexdigest()


class Cache:
    """The entries in one directory, which is made at the first write.

    Args:
        directory: where; None: nothing is found and nothing kept.
    """

    def __init__(self, directory: str | None) -> None:
        self.directory = directory

    def find(self, name: str) -> str | None:
        """Return the path of a whole entry of our own, or None."""
        if self.directory is None or not self._is_ours():
            return None
        path = os.path.join(self.directory, f"{name}.cwasm")
        note = self._read(f"{name}.note")
        try:
            if note is None or note != _note(path):
                return None
            os.utime(path)  # so that the oldest are those that were not used
        except OSError:
            return None
        return path

    def keep(self, name: str, artifact: bytes) -> None:
        """Keep an entry, if the directory lets us."""
        if not self._prepare():
            return
        try:
            path = self._write(f"{name}.cwasm", artifact)
            self._write(f"{name}.note", _note(path))
            self._prune()
        except OSError:
            return

    def name_for(self, file: FileIdentity, settings: str) -> str | None:
        """Return the digest noted for a file, or None."""
        if self.directory is None or not self._is_ours():
            return None
        line = self._read(_index_name(file, settings))
        name, _, path = (line or b"").partition(b" ")
        if len(name) != _DIGITS or name.strip(b"0123456789abcdef"):
            return None  # nothing that we wrote
        return name.decode() if path == os.fsencode(file.path) else None

    def note_file(self, file: FileIdentity, settings: str, name: str) -> None:
        """Note the digest of a file that has not changed lately."""
        if not settled(file) or not self._prepare():
            return
        try:
            text = name.encode() + b" " + os.fsencode(file.path)
            self._write(_index_name(file, settings), text)
        except OSError:
            return

    def _is_ours(self) -> bool:
        try:
            st = os.lstat(self.directory or "")
        except OSError:
            return False
        return S_ISDIR(st.st_mode) and _private(st)

    def _prepare(self) -> bool:
        """Make the directory; tell whether it may be used."""
        if self.directory is None:
            return False
        try:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
        except OSError:
            return False
        return self._is_ours()

    def _read(self, name: str) -> bytes | None:
        """Return a small file of ours, or None."""
        try:
            fd = os.open(os.path.join(self.directory or "", name), _READ)
        except OSError:
            return None
        try:
            st = os.fstat(fd)
            return os.read(fd, 1 << 16) if S_ISREG(st.st_mode) and _private(st) else None
        except OSError:
            return None
        finally:
            os.close(fd)

    def _write(self, name: str, data: bytes) -> str:
        """Write a file under another name and rename it; return its path."""
        path = os.path.join(self.directory or "", name)
        partial = f"{path}.{os.getpid()}.{time.monotonic_ns()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(partial, flags, 0o600)
        try:
            with open(fd, "wb", buffering=0) as file:
                rest = memoryview(data)
                while rest:
                    rest = rest[file.write(rest) :]
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
        return path

    def _prune(self) -> None:
        """Remove the entries unused for longest, until the rest fits; and old partial files."""
        entries = []
        with os.scandir(self.directory) as found:
            for entry in found:
                try:
                    st = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # renamed or removed by another process just now
                if entry.name.endswith(".part") and time.time() - st.st_mtime > 3600:
                    os.unlink(entry.path)
                elif entry.name.endswith(".cwasm"):
                    entries.append((st.st_mtime_ns, st.st_size, entry.path))
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries)[:-1]:
            if total <= LARGEST_CACHE:
                break
            os.unlink(path)
            total -= size


def _private(st: os.stat_result) -> bool:
    return st.st_uid == os.geteuid() and not S_IMODE(st.st_mode) & _WRITABLE_BY_OTHERS


def _index_name(file: FileIdentity, settings: str) -> str:
    where = "-".join(f"{part:x}" for part in file[1:])
    return f"{where}-{zlib.crc32(settings.encode()):08x}.file"


def _note(path: str) -> bytes:
    """Return what an entry's note says: its size and a checksum of both ends.

    Raises:
        OSError: it cannot be read, is a link or no file, or is not ours alone.
    """
    fd = os.open(path, _READ)
    try:
        st = os.fstat(fd)
        if not S_ISREG(st.st_mode) or not _private(st):
            raise PermissionError(f"{path} is not ours alone")
        head = os.pread(fd, _SAMPLE, 0)
        tail = os.pread(fd, _SAMPLE, max(st.st_size - _SAMPLE, 0))
        return b"%d %08x" % (st.st_size, zlib.crc32(tail, zlib.crc32(head)))
    finally:
        os.close(fd)
