"""What we ask of the C library: the room of a thread, and the handlers of faults."""

from __future__ import annotations

import ctypes
import sys
from ctypes import c_size_t, c_void_p

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

#: Room for a ``struct sigaction`` of any architecture.
_SIGACTION_BYTES: Final = 256
#: SIGSEGV, SIGILL, SIGFPE, SIGBUS on Linux.
_FAULTS: Final = (11, 4, 8, 7)
#: macOS gives threads 512 KiB.
_UNTOLD_STACK: Final = 512 << 10


def thread_stack_size() -> int:
    """Return the size in bytes of the calling thread's stack.

    Where the platform does not tell, the size that a thread of this platform has by default.
    """
    if not sys.platform.startswith("linux"):
        return _UNTOLD_STACK
    attributes, size, base = ctypes.create_string_buffer(128), c_size_t(), c_void_p()
    libc = ctypes.CDLL(None)
    libc.pthread_self.restype = c_void_p
    if libc.pthread_getattr_np(c_void_p(libc.pthread_self()), attributes):
        return _UNTOLD_STACK
    libc.pthread_attr_getstack(attributes, ctypes.byref(base), ctypes.byref(size))
    libc.pthread_attr_destroy(attributes)
    return size.value


class TrapHandlers:
    """The engine's signal handlers, which turn faults in compiled code into traps.

    ``faulthandler.enable()`` after the engine was made, and ``disable()`` after both, replace
    them, and then every trap kills the process. They are compared before a guest is entered.
    """

    def __init__(self) -> None:
        self._actions: dict[int, bytes] = {}
        self._first = 0
        # With other platforms' mechanisms (Mach ports, vectored exceptions) nothing is replaced.
        self._libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
        # For the question before each run: without conversions, and with the interpreter's lock
        # held, so that one buffer does for all threads.
        self._answer = (c_size_t * (_SIGACTION_BYTES // 8))()
        self._question = c_size_t(_FAULTS[0]), None, c_void_p(ctypes.addressof(self._answer))
        self._ask = ctypes.PyDLL(None).sigaction if self._libc is not None else None

    def save(self) -> None:
        """Note the handlers as they are now, after an engine was made; the first time only."""
        if self._actions or self._libc is None:
            return
        for number in _FAULTS:
            self._actions[number] = self._read(number)
        self._first = int.from_bytes(self._actions[_FAULTS[0]][:8], sys.byteorder)

    def keep(self) -> None:
        """Put the handlers back if they were replaced."""
        if not self._first or self._ask is None or self._libc is None:
            return
        self._ask(*self._question)
        # The handler's address comes first.
        if self._answer[0] != self._first:
            for number, action in self._actions.items():
                self._libc.sigaction(number, action, None)

    def _read(self, number: int) -> bytes:
        assert self._libc is not None
        buffer = ctypes.create_string_buffer(_SIGACTION_BYTES)
        self._libc.sigaction(number, None, buffer)
        return buffer.raw


trap_handlers: Final = TrapHandlers()
