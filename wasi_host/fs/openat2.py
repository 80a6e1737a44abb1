"""The system call ``openat2``: Linux resolves a whole path that stays beneath a directory.

Python has no function for it, nor glibc before 2.43, so it is called by number. What it answers
is what ``resolve.Walk`` answers (tests compare them); it is only faster. Where it is missing,
before Linux 5.6 or behind a seccomp filter, ``available()`` is false and everything is walked.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

#: The number is one of those shared by every architecture but alpha.
_NUMBER: Final = ctypes.c_long(437)
_MACHINES: Final = ("x86_64", "aarch64")

# linux/openat2.h: struct open_how { u64 flags, mode, resolve }, and its RESOLVE_* bits.
_HOW: Final = struct.Struct("=QQQ")
_HOW_SIZE: Final = ctypes.c_size_t(_HOW.size)
_RESOLVE_NO_MAGICLINKS: Final = 0x02
_RESOLVE_BENEATH: Final = 0x08

#: EAGAIN says that something was renamed while ``..`` was resolved; met for 1 call in 1,000
#: against a process that does nothing but rename.
_ATTEMPTS: Final = 1_000

_TRANSLATED: Final = {errno.EXDEV: errno.EPERM}

# Packed arguments by (flags, mode). The kernel only reads them, so threads share them, and they
# are kept for good: there are as many as open modes.
_packed: dict[tuple[int, int], ctypes.Array[ctypes.c_char]] = {}


def _missing(*arguments: object) -> int:
    """Stand in for the system call on other platforms."""
    ctypes.set_errno(errno.ENOSYS)
    return -1


_syscall: Callable[..., int] = (
    ctypes.CDLL(None, use_errno=True).syscall
    if sys.platform == "linux" and os.uname().machine in _MACHINES
    else _missing
)
_works: bool | None = None
_forced_off = False


def available() -> bool:
    """Tell whether ``open_beneath`` can be used; asks the kernel the first time."""
    global _works
    if _works is None:
        _works = _probe()
    return _works and not _forced_off


def force_off(off: bool) -> bool:
    """Act as if the call were missing, for tests; return whether it was forced off before."""
    global _forced_off
    before, _forced_off = _forced_off, off
    return before


def _probe() -> bool:
    try:
        root = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.close(open_beneath(root, ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError:
        # ENOSYS from an old kernel, EPERM from a seccomp filter; whatever else it is, the walk
        # serves.
        return False
    finally:
        os.close(root)
    return True


def open_beneath(directory: int, path: str, flags: int, mode: int = 0) -> int:
    """Open ``path`` below the descriptor ``directory``, never leaving it.

    Args:
        directory: a host descriptor.
        path: relative; undecodable bytes as lone surrogates.
        flags: ``os.O_*`` bits that openat2 knows; it refuses others.
        mode: permission bits where O_CREAT is among the flags, else 0.

    Returns:
        A new host descriptor.

    Raises:
        OSError: EPERM for a path that leaves, ELOOP for a link of /proc that jumps, EAGAIN
            where others rename without end; else as openat.
    """
    if "\0" in path:
        # ctypes passes a C string: what follows would be cut.
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    name = path.encode("utf-8", "surrogateescape")
    try:
        how = _packed[flags, mode]
    except KeyError:
        how = _pack(flags, mode)
    fd: int = _syscall(_NUMBER, directory, name, how, _HOW_SIZE)
    if fd >= 0:
        return fd
    return _try_again(directory, name, how)


def _try_again(directory: int, name: bytes, how: ctypes.Array[ctypes.c_char]) -> int:
    """Repeat what just failed as often as it makes sense; translate the errno."""
    for _ in range(_ATTEMPTS):
        number = ctypes.get_errno()
        if number != errno.EAGAIN and number != errno.EINTR:
            break
        fd: int = _syscall(_NUMBER, directory, name, how, _HOW_SIZE)
        if fd >= 0:
            return fd
    number = _TRANSLATED.get(number, number)
    raise OSError(number, os.strerror(number))


def _pack(flags: int, mode: int) -> ctypes.Array[ctypes.c_char]:
    fields = _HOW.pack(flags, mode, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
    return _packed.setdefault((flags, mode), ctypes.create_string_buffer(fields, len(fields)))
