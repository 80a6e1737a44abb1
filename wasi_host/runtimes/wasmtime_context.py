"""The engine's side of one guest on wasmtime: its context, its callbacks, and how calls end."""

from __future__ import annotations

from sys import _getframe, getrecursionlimit

from wasi_host.binding.context import Context, StoppedHost
from wasi_host.errors import Stopped, Trap
from wasi_host.native.library import Library, NativeEnv
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import PoolFull, refusal
from wasi_host.runtimes.libc_capi import trap_handlers
from wasi_host.runtimes.wasmtime_calls import Address, calls
from wasi_spec.signatures import DIFFERENT, NAMES, PREVIEW1

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

#: Python frames that a host call may need, with a user's stream behind it.
_FRAMES: Final = 120
_TRAP_NAMES: Final = {
    0: "stack overflow",
    1: "memory out of bounds",
    2: "heap misaligned",
    3: "table out of bounds",
    4: "indirect call to null",
    5: "bad signature",
    6: "integer overflow",
    7: "integer division by zero",
    8: "bad conversion to integer",
    9: "unreachable",
    10: "interrupt",
}
_OUT_OF_FUEL: Final = 11


class Thunks:
    """C functions of the shims of one convention, made when first asked for and never freed.

    Linkers hold their addresses. Rows that both modules have alike share one.
    """

    def __init__(self, convention: str) -> None:
        self._stubs = {module: capi.stubs(module, convention) for module in NAMES}
        self._made: dict[tuple[str, str], Any] = {}

    def bound(self, module: str, name: str, context: WasmtimeContext) -> tuple[int, int]:
        """Return what serves a function of a module for a context: a C function, and its ``env``.

        That is the native part's function of the row where there is one, else the thunk.
        """
        thunk = self.address(module, name)
        native = context.native
        if native is not None and _home(module, name) == PREVIEW1:
            row = native.row(name, thunk)
            if row is not None:
                return row, native.address
        return thunk, id(context)

    def address(self, module: str, name: str) -> int:
        """Return the address of the thunk that serves a function of a module."""
        home = _home(module, name)
        made = self._made.get((home, name))
        if made is None:
            made = self._made.setdefault((home, name), capi.thunk(self._stubs[home][name]))
        return capi.address(made)


def _home(module: str, name: str) -> str:
    """Return the module whose row of a function serves it in another one too."""
    return module if name in DIFFERENT else PREVIEW1


class WasmtimeContext(Context):
    """The context as wasmtime's callbacks see it.

    Attributes:
        native: what the native part is handed instead of the context; None where there is none.
    """

    __slots__ = ("_lib", "_place", "native")

    def __init__(self, native: Library | None = None) -> None:
        super().__init__()
        self._lib = capi.library()
        #: The engine's names of the store and the memory, where they are known.
        self._place: tuple[Address, Address] | None = None
        self.native = None if native is None else NativeEnv(native, id(self))

    def serve(self, host: object) -> None:
        """Take the host of the next instance; from now on it can be stopped."""
        if self.native is not None:
            # Before the host, so that a stop in between is not undone. Layers have no table.
            self.native.serve(getattr(host, "native", 0))
        self.host = host

    def stop(self, reason: str) -> None:
        """Make the next host call end the guest. From any thread."""
        super().stop(reason)
        if self.native is not None:
            self.native.serve(0)

    def see(self, base: int, size: int) -> None:
        """Take the guest's memory as it is now."""
        self.mem = capi.guest_memory(base, size)
        self.size = size
        if self.native is not None:
            self.native.attach(base, size)

    def know(self, store_context: Address, memory: Address) -> None:
        """Take the memory at its present size, and remember where to ask for it again."""
        self._place = store_context, memory
        engine = calls()
        size = engine.memory_data_size(store_context, memory)
        self.see(engine.memory_data(store_context, memory), size)

    def forget_memory(self) -> None:
        """Let go of the guest's memory, which is about to be freed."""
        if self.native is not None and self.size:
            self.native.attach(0, 0)
        super().forget_memory()
        self._place = None

    def detach(self) -> None:
        """Forget the guest's memory and its host: nothing of this run is kept."""
        super().detach()
        if self.native is not None:
            self.native.serve(0)

    def refresh(self, caller: int) -> bool:
        """Look at the caller's memory; with our reservation it never moves, it only grows."""
        if self._place is not None:
            size = calls().memory_data_size(*self._place)
            if size <= self.size:
                return False
            self.see(calls().memory_data(*self._place), size)
            return True
        lib = self._lib
        extern = capi.Extern()
        if not lib.caller_export_get(caller, b"memory", 6, extern.address):
            return False
        if extern.kind != capi.EXTERN_MEMORY:
            return False
        return self.attach(lib.caller_context(caller), extern.payload)

    def again(self, name: str, caller: int, a: int) -> int | None:
        """Do as ``Context.again`` does."""
        if self.native is None or not self.native.repeats(name) or not self.refresh(caller):
            return None
        return self.native.repeat(name, caller, a)

    def attach(self, store_context: int, memory: int) -> bool:
        """Take the memory at its present size; tell whether that is more than was known."""
        lib = self._lib
        size = lib.memory_data_size(store_context, memory)
        if size <= self.size:
            return False
        self.see(lib.memory_data(store_context, memory), size)
        return True

    def trap(self, error: BaseException) -> int:
        """Keep the first error; the engine unwinds the guest."""
        if self.pending is None:
            self.pending = error
        trap: int = self._lib.trap_new_code(capi.TRAP_INTERRUPT)
        return trap


def _at_epoch(_store_context: int, context: WasmtimeContext, delta: Any, kind: Any) -> int:
    """Decide at an epoch check: end this guest, or let it go on to the next one."""
    host = context.host
    if isinstance(host, StoppedHost):
        if context.pending is None:
            context.pending = Stopped(host.reason)
        error: int = capi.library().error_new(b"stopped")
        return error
    delta[0] = 1
    kind[0] = 0
    return 0


epoch_callback: Final = capi.epoch_callback(_at_epoch)


def prepare_entry() -> None:
    """Make sure that a guest can be entered here.

    Raises:
        RecursionError: Python's recursion limit is near: a callback that fails to start at all
            would hand the guest a garbage errno.
    """
    trap_handlers.keep()
    try:
        _getframe(getrecursionlimit() - _FRAMES)
    except ValueError:
        return  # the stack of frames is not that deep
    raise RecursionError("the recursion limit is too near to run a guest")


def raise_end(
    context: Context, error: int | None, trap: int | None, starting: bool = False
) -> None:
    """Raise what ended a call: the pending exception, or the trap. Frees both.

    Args:
        context: the guest's.
        error: the error that the engine returned, or nothing.
        trap: the trap that it wrote, or nothing.
        starting: whether the guest was being made.

    Raises:
        NotAWasiModule: it cannot be made.
        PoolFull: there is no place for it just now.
        Trap: it trapped.
        Stopped: it used up its fuel.
    """
    if not error and not trap:
        return
    lib, code, message = capi.library(), None, ""
    pending, context.pending = context.pending, None
    if pending is not None:
        if trap:
            lib.wasm_trap_delete(trap)
        if error:
            lib.error_delete(error)
        raise pending
    if trap:
        message, code = lib.message_of_trap(trap)
    if error:
        message = lib.message_of_error(error)
    if starting and not trap:
        if "maximum concurrent" in message:
            raise PoolFull(message)
        raise refusal(message)
    if code == _OUT_OF_FUEL:
        raise Stopped("fuel")
    raise Trap(message, _TRAP_NAMES.get(code) if code is not None else None)
