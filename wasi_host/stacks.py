"""Room for a guest's stack: on the calling thread where there is enough, else on one of ours.

A guest's stack lies on the thread that calls it. Where the thread has less room than the engine
lets a guest use, endless recursion is no trap but the end of the process; so the room of a
thread is asked once, and a guest that wants more runs on a thread made for it.
"""

from __future__ import annotations

import threading

from wasi_host.runtimes.libc_capi import thread_stack_size

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    T = TypeVar("T")

#: What the interpreter and the engine need beside the guest's stack.
_BESIDE: Final = 256 << 10
#: What a thread of ours has beside it: a nested run's host code, callbacks of callbacks.
_GENEROUS: Final = 8 << 20

_local = threading.local()
# threading.stack_size is one setting for the whole process.
_starting = threading.Lock()


def call_with_room(stack: int, call: Callable[[], T]) -> T:
    """Call, on a thread that has room for a guest's stack of so many bytes."""
    room = getattr(_local, "room", None)
    if room is None:
        room = _local.room = thread_stack_size() - _BESIDE
    if stack <= room:
        return call()
    return _on_own_thread(stack + _GENEROUS, call)


def _on_own_thread(size: int, call: Callable[[], T]) -> T:
    outcome: list[Any] = [None, None]
    done = threading.Event()

    def work() -> None:
        _local.room = size - _BESIDE
        try:
            outcome[0] = call()
        except BaseException as error:
            outcome[1] = error
        finally:
            done.set()

    page = 4096
    with _starting:
        before = threading.stack_size((size + page - 1) // page * page)
        try:
            thread = threading.Thread(target=work, name="wasi_host guest", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    done.wait()  # signal handlers run meanwhile, and stop the guest
    thread.join()
    if outcome[1] is not None:
        raise outcome[1]
    result: T = outcome[0]
    return result
