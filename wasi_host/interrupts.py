"""Signals while a guest runs on the main thread.

Theory of operation. A Python handler that raises would be lost inside the engine's callback, and
the guest would go on with a garbage errno; and while the main thread is inside a guest that
computes, no Python handler runs at all. So while a guest runs on the main thread,

* stand-ins take the place of the handlers of SIGINT, SIGTERM and SIGALRM; one notes its signal
  and stops the guest, and the handler itself is called after the guest has ended, where its
  exception comes out of ``run()``;
* the interpreter's wakeup descriptor is a pipe that a thread of ours reads: it stops the guest
  from outside, which reaches a guest that computes too, if its module has epoch checks.

A module without them that computes can only be ended with the process: the thread does that at
the second signal (at the first, where ``insist`` was called, as the command does), after the
guest had a moment to end by itself.
"""

import os
import threading

# The enum conversions of the module ``signal`` cost 7 us for each exchange, the functions below
# them 0.3 us.
from _signal import (  # type: ignore[import-not-found]
    SIGALRM,
    SIGINT,
    SIGTERM,
    getsignal,
    set_wakeup_fd,
    signal,
)
from _thread import allocate_lock
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final

Stop = Callable[[str], None]
Handler = Callable[[int, FrameType | None], object]

_SIGNALS: Final = (SIGINT, SIGTERM, SIGALRM)
#: Seconds a guest gets to end by itself before the process is ended.
_MOMENT: Final = 0.25


class _Watcher:
    """The thread that reads signals from the wakeup descriptor; one a process."""

    def __init__(self) -> None:
        self.patience = 1
        self._process = 0
        self._pipe = (-1, -1)
        #: The innermost run on the main thread that a signal would stop.
        self.current: Interruptible | None = None
        #: The descriptor that was set before ours, which wants to know too.
        self.outer = -1

    def descriptor(self) -> int:
        """Return the descriptor to be woken by; starts the thread, anew in a forked child."""
        if self._process != os.getpid():
            if self._process:
                for fd in self._pipe:
                    os.close(fd)
            self._pipe = os.pipe()
            os.set_blocking(self._pipe[1], False)
            self._process = os.getpid()
            threading.Thread(target=self._watch, name="wasi_host signals", daemon=True).start()
        return self._pipe[1]

    def _watch(self) -> None:
        reader = self._pipe[0]
        while True:
            for number in os.read(reader, 512):
                if self.outer >= 0:
                    self._tell_outer(number)
                run = self.current
                if run is not None and number in run.handlers:
                    run.count += 1
                    run.stop("interrupt")
                    if run.count >= self.patience and not run.running.acquire(timeout=_MOMENT):
                        os._exit(128 + number)

    def _tell_outer(self, number: int) -> None:
        try:
            os.write(self.outer, bytes((number,)))
        except OSError:
            return  # full, or closed meanwhile: the interpreter would not say either


_watcher: Final = _Watcher()
_watcher.patience = 2


def insist() -> None:
    """End the process at the first signal that a guest does not obey within a moment."""
    _watcher.patience = 1


class Interruptible:
    """Context manager around a guest's run: signals call ``stop("interrupt")`` meanwhile.

    On another thread than the main one, or for a signal that is ignored or left to the system,
    nothing is changed.

    Attributes:
        handlers: the handlers that the stand-ins replace.
        count: how many signals came.
        running: a lock held while the guest runs.
    """

    __slots__ = ("_noted", "_outer_fd", "_outer_run", "count", "handlers", "running", "stop")

    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self.handlers: dict[int, Handler] = {}
        self.count = 0

    def __enter__(self) -> None:
        if threading.get_ident() != threading.main_thread().ident:
            return
        for number in _SIGNALS:
            handler = getsignal(number)
            if callable(handler):
                self.handlers[number] = handler
        if not self.handlers:
            return
        self._noted: list[int] = []
        self.running = allocate_lock()
        self.running.acquire()
        self._outer_run, _watcher.current = _watcher.current, self
        for number in self.handlers:
            signal(number, self._note)
        self._outer_fd = set_wakeup_fd(_watcher.descriptor(), warn_on_full_buffer=False)
        if self._outer_run is None:
            _watcher.outer = self._outer_fd

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted.append(number)
        self.stop("interrupt")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.handlers:
            return
        self.running.release()
        _watcher.current = self._outer_run
        set_wakeup_fd(self._outer_fd, warn_on_full_buffer=False)
        for number, handler in self.handlers.items():
            signal(number, handler)
        for number in dict.fromkeys(self._noted):
            # The default handler raises KeyboardInterrupt; another may do as it likes.
            self.handlers[number](number, None)
