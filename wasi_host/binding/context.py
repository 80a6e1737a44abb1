"""One instance's state on the engine's side.

The engine hands the context to every shim, so shims are plain functions, compiled once per
process. ``host`` is what serves the calls (a ``Preview1``, or layers around it); to stop a guest
at its next host call, another thread replaces it by ``StoppedHost``, which costs a running
guest nothing.
"""

from __future__ import annotations

from wasi_host.binding.memory import EMPTY, BlockMemory
from wasi_host.errors import Stopped

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


class Context:
    """Base of the engines' contexts.

    Attributes:
        mem: writable view of the guest's memory; maybe too short after growth, never wrong.
        size: its length in bytes.
        host: the object whose methods are the 46 functions.
        pending: the exception that ends the run, to be raised again by whoever started it.
    """

    __slots__ = ("host", "mem", "pending", "size")

    def __init__(self) -> None:
        self.mem: memoryview | BlockMemory = EMPTY
        self.size = 0
        self.host: Any = None
        self.pending: BaseException | None = None

    def refresh(self, caller: int) -> bool:
        """Look at the guest's memory again; tell whether the view got longer.

        Called when a check failed: the memory may have grown, or not be attached yet.
        """
        raise NotImplementedError

    def again(self, name: str, caller: int, a: int) -> int | None:
        """Let the native part serve a call that it left, if the guest's memory has grown since.

        Returns:
            What its function returned; None: Python is to serve it.
        """
        return None

    def trap(self, error: BaseException) -> int:
        """Keep ``error`` and return what makes the engine unwind the guest."""
        raise NotImplementedError

    def stop(self, reason: str) -> None:
        """Make the next host call end the guest. From any thread."""
        self.host = StoppedHost(reason)

    def forget_memory(self) -> None:
        """Let go of the guest's memory, which is about to be freed."""
        self.mem = EMPTY
        self.size = 0

    def detach(self) -> None:
        """Forget the guest's memory and its host: nothing of this run is kept."""
        self.forget_memory()
        self.host = None
        self.pending = None


class StoppedHost:
    """Stands in for the host of a run that was asked to stop: every call raises ``Stopped``."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return self._stop

    def _stop(self, *arguments: object) -> NoReturn:
        raise Stopped(self.reason)


class ValuesContext(Context):
    """Context for engines that call with plain integers and show memory as a buffer.

    Args:
        memory: returns a writable view of the guest's memory as it is now, or a
            ``BlockMemory``. It is asked at the start of each call and the view is released at
            its end (a live view makes ``memory.grow`` fail on some engines).
    """

    __slots__ = ("_memory", "_outer")

    def __init__(self, memory: Callable[[], memoryview | BlockMemory]) -> None:
        super().__init__()
        self._memory = memory
        self._outer: list[memoryview | BlockMemory] = []

    def enter(self) -> None:
        """Attach the memory for one call; calls nest where a host function runs the guest."""
        memory = self._memory()
        self._outer.append(self.mem)
        self.mem = memory
        self.size = len(self.mem)

    def leave(self) -> None:
        """Release the view of the innermost call."""
        self.mem.release()
        self.mem = self._outer.pop()
        self.size = len(self.mem)

    def refresh(self, caller: int) -> bool:
        """Return False: the view was taken for this very call."""
        return False
