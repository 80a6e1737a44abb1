"""``Instance``: a live guest whose exported functions are called."""

from __future__ import annotations

from wasi_host.interrupts import Interruptible

TYPE_CHECKING = False

if TYPE_CHECKING:
    from wasi_host.guest import Guest
    from wasi_host.layers.trace import Trace

__all__ = ["Instance"]


class Instance:
    """A live reactor: call its functions, as often as wanted. A context manager.

    It may be used from any thread, by one at a time. Closing it frees its memory; views of that
    must not be used afterwards. Made by ``Sandbox.instantiate``.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._closed = False
        self._started = False
        try:
            self._instance = guest.enter(guest.instantiate)
            if "_initialize" in self._instance.exports:
                self.call("_initialize")
        except BaseException:
            self.close()
            raise

    @property
    def memory(self) -> memoryview:
        """The guest's memory as it is now; after growth ask again."""
        return self._instance.memory

    @property
    def exports(self) -> list[str]:
        """The names of the exported functions."""
        return [name for name, export in self._instance.exports.items() if export.type is not None]

    @property
    def stdout(self) -> bytes | str | None:
        """What was captured of standard output so far, with ``stdout=PIPE``."""
        return self._guest.streams.captured(1)

    @property
    def stderr(self) -> bytes | str | None:
        """What was captured of standard error so far, with ``stderr=PIPE``."""
        return self._guest.streams.captured(2)

    @property
    def trace(self) -> Trace | None:
        """The calls so far, with ``trace=``."""
        observers = self._guest.around.observers
        return None if observers is None else observers.trace

    def call(self, name: str, *arguments: float) -> int | float | tuple[int | float, ...] | None:
        """Call an exported function.

        Returns:
            Its result; a tuple of several, None of none. Integers come back signed.

        Raises:
            AttributeError: no such function.
            TypeError, OverflowError: arguments of another number, type or range.
            ProcExit: the guest called ``proc_exit``.
            Trap: it trapped.
            RuntimeError: the instance is closed, or runs in another thread; ``_start`` again.
            Exception: what a stream or hook of the embedder's raised; the guest saw an errno.
        """
        if name == "_start" and name in self._instance.exports:
            if self._started:
                raise RuntimeError("this instance has ended: _start runs once")
            self._started = True
        with Interruptible(self._guest.stop):
            values = self._guest.enter(lambda: self._instance.call(name, *arguments))
        failure = self._guest.around.take_failure()
        if failure is not None:
            raise failure
        return values[0] if len(values) == 1 else tuple(values) or None

    def close(self) -> None:
        """Free the instance; twice is harmless."""
        if not self._closed:
            if self._guest.instance is not None:
                self._guest.instance.close()  # refused while it runs: then all stays as it is
            self._closed = self._guest.around.finished = True
            self._guest.close()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
