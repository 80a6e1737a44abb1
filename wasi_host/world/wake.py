"""The wake descriptor: what ends a wait from another thread or from a signal handler."""

from __future__ import annotations

import os
from contextlib import suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from threading import RLock

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: Whether the host has eventfd; tests set it to False to get the pipe.
EVENTFD = hasattr(os, "eventfd")

# Eight bytes: what an eventfd takes, in either byte order, and as good as any for a pipe.
_WORD: Final = b"\x01\0\0\0\0\0\0\0"
_DRAIN_SIZE: Final = 4096
_LAST_STANDARD: Final = 2


def above_standard(fd: int) -> int:
    """Move a descriptor of ours away from the numbers of the standard streams.

    Where the host process has closed one of these, its number goes to what is opened next, and
    a guest that inherits standard streams would write into it.

    Raises:
        OSError: there is no other number left; the descriptor is closed.
    """
    if fd > _LAST_STANDARD:
        return fd
    try:
        return fcntl(fd, F_DUPFD_CLOEXEC, _LAST_STANDARD + 1)
    finally:
        os.close(fd)


def _make() -> tuple[int, int]:
    """Return the descriptors to wait on and to write to; (-1, -1) where the host has none left."""
    if EVENTFD:
        try:
            fd = above_standard(os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
        except OSError:
            # Also a sandboxed host process that may not (EPERM, ENOSYS): a pipe does as well.
            pass
        else:
            return fd, fd
    try:
        read, write = map(above_standard, os.pipe())
    except OSError:
        return -1, -1
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


class Wake:
    """A descriptor that becomes readable when ``wake`` is called, until ``clear``.

    Made when first asked for. ``wake`` may be called from any thread and from a signal handler,
    also while another thread closes: a lock keeps it from writing to a number that by then is
    another file. The lock is reentrant because a signal handler interrupts its holder.
    """

    __slots__ = ("_lock", "_pid", "_read", "_write")

    def __init__(self) -> None:
        self._lock = RLock()
        self._read = self._write = -1
        self._pid = 0

    def fileno(self) -> int:
        """Return the descriptor to wait on, made if need be; -1 where the host has none left."""
        with self._lock:
            pid = os.getpid()
            if self._pid != pid:
                # A forked child must not eat what wakes its parent.
                self.close()
            if self._read < 0:
                self._read, self._write = _make()
                self._pid = pid
            return self._read

    def wake(self) -> None:
        """Make the descriptor readable; nothing to do where it was not made yet."""
        with self._lock:
            if self._write < 0 or self._pid != os.getpid():
                return
            # Full: it is readable already.
            with suppress(BlockingIOError):
                os.write(self._write, _WORD)

    def clear(self) -> None:
        """Make the descriptor unreadable again."""
        with self._lock:
            if self._read < 0 or self._pid != os.getpid():
                return
            with suppress(BlockingIOError):
                while len(os.read(self._read, _DRAIN_SIZE)) == _DRAIN_SIZE:
                    pass

    def close(self) -> None:
        """Give the descriptor back; ``fileno`` makes a new one."""
        with self._lock:
            read, write = self._read, self._write
            self._read = self._write = -1
            if read >= 0:
                os.close(read)
            if write >= 0 and write != read:
                os.close(write)

    def __del__(self) -> None:
        self.close()
