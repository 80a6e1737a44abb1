"""Signals while a guest runs on the main thread.

Theory of operation. A Python handler that raises would be lost inside the engine's callback, and
the guest would go on with a garbage errno; and while the main thread is inside a guest that
computes, no Python handler runs at all. So while a guest runs on the main thread,

* a stand-in takes the place of the handlers of SIGINT, SIGTERM and SIGALRM; it notes the signal
  and stops the guest, and the handler itself is called after the guest has ended, where its
  exception comes out of ``run()``;
* the interpreter's wakeup descriptor is a pipe that a thread of ours reads: it stops the guest
  from outside, which reaches a guest that computes too, if its module has epoch checks.

A module without them that computes can only be ended with the process: the thread does that at
the second signal (at the first, where ``insist`` was called, as the command does), after the
guest had a moment to end by itself.

Changing handlers and descriptor takes several microseconds, as long as a short guest runs. So
whoever runs many (``hold``) may leave the stand-in where it is between runs: without a guest it
just calls the handler it stands for. A handler that is set meanwhile is stood in for at the next
run; the descriptor stays only where nobody else uses it.

Guests on other threads are stopped when the interpreter ends: it ends a thread at its next touch
of Python, and within a callback of the engine's that may hang the process.
"""

from __future__ import annotations

import atexit
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
from _thread import get_ident
from collections.abc import Callable
from time import monotonic, sleep
from types import FrameType, TracebackType

from wasi_host.world.wake import above_standard

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

Stop = Callable[[str], None]
Handler = Callable[[int, FrameType | None], object]

_SIGNALS: Final = (SIGINT, SIGTERM, SIGALRM)
#: How often, and for how many seconds each, it is asked whether a guest ended by itself.
_PATIENCE: Final = (25, 0.01)
#: Written to the pipe by us, one after another: no signal has such a number. And how long the
#: reading of one may take.
_MARKS: Final = range(128, 256)
_PATIENT: Final = 1.0
#: Seconds that guests on other threads get to end when the interpreter does.
_FAREWELL: Final = 0.5
#: Seconds after which it is seen to that the wakeup descriptor is still ours.
_SURE: Final = 0.05


class _Watcher:
    """The thread that reads signals from the wakeup descriptor; one a process."""

    def __init__(self) -> None:
        self.patience = 1
        self.main_thread = threading.main_thread().ident
        self._process = 0
        self._pipe = (-1, -1)
        #: The innermost run on the main thread that a signal would stop.
        self.current: Interruptible | None = None
        #: The descriptor that was set before ours, which wants to know too.
        self.outer = -1
        #: Whether a signal was handled that the thread may not have read yet.
        self.behind = False
        self._mark = _MARKS[0]
        self._seen = _MARKS[0]
        self._caught_up = threading.Event()

    def descriptor(self) -> int:
        """Return the descriptor to be woken by; starts the thread, anew in a forked child."""
        if self._process != os.getpid():
            if self._process:
                for fd in self._pipe:
                    os.close(fd)
            reader, writer = os.pipe()
            self._pipe = above_standard(reader), above_standard(writer)
            os.set_blocking(self._pipe[1], False)
            self._process = os.getpid()
            threading.Thread(target=self._watch, name="wasi_host signals", daemon=True).start()
        return self._pipe[1]

    def _watch(self) -> None:
        reader = self._pipe[0]
        while True:
            for number in os.read(reader, 512):
                if number in _MARKS:
                    self._seen = number
                    self._caught_up.set()
                    continue
                if self.outer >= 0:
                    self._tell_outer(number)
                run = self.current
                if run is not None and number in _handlers:
                    run.count += 1
                    run.stop("interrupt")
                    if run.count >= self.patience and not _ends(run):
                        os._exit(128 + number)

    def catch_up(self) -> None:
        """Wait until the thread has read all signals so far: they must not stop the next run."""
        try:
            self.behind = False
            # A mark of its own: that of a call which a handler's exception ended is nobody's.
            self._mark = mark = _MARKS[(self._mark + 1) % len(_MARKS)]
            os.write(self.descriptor(), bytes((mark,)))
            until = monotonic() + _PATIENT
            while self._seen != mark and (left := until - monotonic()) > 0:
                self._caught_up.clear()
                if self._seen != mark:
                    self._caught_up.wait(left)
        except BlockingIOError:
            return  # full of signals: more than anyone reads in a moment
        except BaseException:  # a handler's
            self.behind = True
            raise

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


#: The handlers that the stand-in stands for, by signal; none where it is not set.
_handlers: Final[dict[int, Handler]] = {}


def _stand_in(number: int, frame: FrameType | None) -> None:
    run = _watcher.current
    _watcher.behind = True
    if run is None:
        _handlers[number](number, frame)
    else:
        run.noted.append(number)
        run.stop("interrupt")


def _ends(run: Interruptible) -> bool:
    """Give a run a moment to end; tell whether it did."""
    times, pause = _PATIENCE
    for _ in range(times):
        if run.over:
            return True
        sleep(pause)
    return run.over


class _Place:
    """Where the stand-in and the wakeup descriptor are put; used by the main thread only.

    Attributes:
        holders: how many want them left in place between runs.
    """

    def __init__(self) -> None:
        self.holders = 0
        self._armed = False
        self._armed_at = 0.0

    def take(self) -> bool:
        """Put them in place; False where no signal has a handler to stand in for."""
        for number in _SIGNALS:
            handler = getsignal(number)
            if handler is _stand_in:
                continue
            if callable(handler):
                _handlers[number] = handler
                signal(number, _stand_in)
            else:
                _handlers.pop(number, None)
        if not _handlers:
            return False
        now = monotonic()
        if not self._armed or now - self._armed_at > _SURE:
            fd = _watcher.descriptor()
            before = set_wakeup_fd(fd, warn_on_full_buffer=False)
            if before != fd:
                _watcher.outer = before
            self._armed, self._armed_at = True, now
        return True

    def forget(self) -> None:
        """Take back the wakeup descriptor in a forked child: it would wake the parent."""
        if self._armed:
            set_wakeup_fd(-1)
            self._armed = False

    def leave(self) -> None:
        """Give them back, as far as nobody wants them left."""
        if self._armed and (not self.holders or _watcher.outer >= 0):
            set_wakeup_fd(_watcher.outer, warn_on_full_buffer=False)
            self._armed = False
        if not self.holders:
            for number, handler in _handlers.items():
                if getsignal(number) is _stand_in:
                    signal(number, handler)
            _handlers.clear()


_place: Final = _Place()


class _Elsewhere:
    """The runs on other threads than the main one."""

    def __init__(self) -> None:
        self.runs: set[Interruptible] = set()
        self.leaving = False

    def end(self) -> None:
        """Stop all of them, and whatever begins later; wait a moment until they have ended."""
        self.leaving = True
        for run in list(self.runs):
            run.stop("killed")
        until = monotonic() + _FAREWELL
        while self.runs and monotonic() < until:
            sleep(0.002)


_elsewhere: Final = _Elsewhere()
atexit.register(_elsewhere.end)


def _after_fork() -> None:
    """Note the thread that forked, which is the child's main thread."""
    _watcher.main_thread = get_ident()
    _watcher.outer = -1
    _watcher.behind = False
    _elsewhere.runs.clear()
    _place.forget()


os.register_at_fork(after_in_child=_after_fork)


def hold() -> bool:
    """Leave the stand-in in place after runs, until ``release``; False but on the main thread."""
    if get_ident() != _watcher.main_thread:
        return False
    _place.holders += 1
    return True


def release() -> None:
    """Take back one ``hold``; on another thread than the main one at the next run there."""
    _place.holders -= 1
    if get_ident() == _watcher.main_thread and _watcher.current is None:
        _place.leave()


class Interruptible:
    """Context manager around a guest's run: signals call ``stop("interrupt")`` meanwhile.

    On another thread than the main one, or for a signal that is ignored or left to the system,
    nothing is changed; on another thread the end of the interpreter stops the run.

    Attributes:
        count: how many signals came.
        noted: the signals to be handled after the run.
        over: whether the run has ended.
    """

    __slots__ = ("_outer_run", "_placed", "count", "noted", "over", "stop")

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def __enter__(self) -> None:
        self._placed = get_ident() == _watcher.main_thread
        if not self._placed:
            _elsewhere.runs.add(self)
            if _elsewhere.leaving:
                self.stop("killed")
            return
        self.count = 0
        self.over = False
        self.noted: list[int] = []
        self._outer_run = _watcher.current
        if _watcher.behind and self._outer_run is None:
            _watcher.catch_up()
        # Before the stand-in is in place, so that no signal is handled inside the guest.
        _watcher.current = self
        try:
            self._placed = _place.take()
        except BaseException:  # a handler ran before it was stood in for
            self._placed = False
            raise
        finally:
            if not self._placed:
                _watcher.current = self._outer_run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._placed:
            _elsewhere.runs.discard(self)
            return
        self.over = True
        outer = _watcher.current = self._outer_run
        handlers = dict(_handlers) if self.noted else _handlers
        try:
            if outer is None:
                _place.leave()
                if _watcher.behind:
                    # It may just be stopping this run, whose binding the next one gets.
                    _watcher.catch_up()
        finally:
            for number in dict.fromkeys(self.noted) if self.noted else ():
                if outer is not None:
                    _stand_in(number, None)
                else:
                    # The default handler raises KeyboardInterrupt; another may do as it likes.
                    handlers[number](number, None)
