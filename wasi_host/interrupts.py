"""Ctrl-C while a guest runs on the main thread.

A Python signal handler that raises would be lost inside the engine's callback, and the guest
would go on with a garbage errno. So a stand-in takes the handler's place while the guest runs:
it notes the signal and stops the guest, and the handler itself is called afterwards, where its
exception comes out of ``run()``.
"""

import threading

# The enum conversions of the module ``signal`` cost 7 us for each exchange, the functions below
# them 0.3 us.
from _signal import SIGINT, getsignal, signal  # type: ignore[import-not-found]
from collections.abc import Callable
from types import FrameType, TracebackType

Stop = Callable[[str], None]


class Interruptible:
    """Context manager: a SIGINT on the main thread calls ``stop("interrupt")`` meanwhile.

    On another thread, or where SIGINT is ignored or left to the system, nothing is changed.
    """

    __slots__ = ("_handler", "_noted", "_stop")

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._handler: Callable[[int, FrameType | None], object] | None = None
        self._noted = False

    def __enter__(self) -> None:
        if threading.get_ident() != threading.main_thread().ident:
            return
        handler = getsignal(SIGINT)
        if callable(handler):
            self._handler = handler
            signal(SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted = True
        self._stop("interrupt")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        handler = self._handler
        if handler is None:
            return
        signal(SIGINT, handler)
        if self._noted:
            # The default handler raises KeyboardInterrupt; another may do as it likes.
            handler(int(SIGINT), None)
