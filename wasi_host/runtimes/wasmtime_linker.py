"""Binds a host to a linker that is the user's: the import provider's way to wasmtime.

Theory of operation. The user made the engine, the linker and the store with the ``wasmtime``
package, so we know nothing of the engine's settings: memory may move, and more than one
instance may be made from the linker. The shims of the CHECKED convention therefore look at the
caller's memory at each call (0.7 us, where the package's own host functions cost 11 to 30).

The functions' ``env`` pointer is the context, which must live as long as the linker or any
store made from it; the engine tells by a finalizer when both are gone.
"""

from threading import Lock
from typing import Any, Final

from wasi_host.binding.memory import EMPTY
from wasi_host.errors import ProcExit, Stopped
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import SIGNATURES, FunctionType
from wasi_host.runtimes.wasmtime_context import Thunks, WasmtimeContext
from wasi_host.runtimes.wasmtime_engine import new_function_type
from wasi_spec.signatures import NAMES

_thunks: Final = Thunks("checked")


class _SecondInstance(RuntimeError):
    """Another instance calls than the one that is served."""


class LinkerContext(WasmtimeContext):
    """The context of one instance on an engine of the user's."""

    __slots__ = ("_base", "_extern", "_identity")

    def __init__(self) -> None:
        super().__init__()
        self._extern = capi.Extern()
        self._identity: bytes | None = None
        self._base = 0

    def look(self, caller: int) -> None:
        """Take the caller's memory as it is now.

        Raises:
            _SecondInstance: another instance than the first one calls.
        """
        lib, extern = self._lib, self._extern
        found = lib.caller_export_get(caller, b"memory", 6, extern.address)
        if not found or extern.kind != capi.EXTERN_MEMORY:
            self.mem, self.size = EMPTY, 0
            return
        if extern.identity != self._identity:
            if self._identity is not None:
                raise _SecondInstance(
                    "this Wasi serves another instance already: make one Wasi for each instance"
                )
            self._identity = extern.identity
        store = lib.caller_context(caller)
        size, base = lib.memory_data_size(store, extern.payload), 0
        if size:
            base = lib.memory_data(store, extern.payload)
        if size != self.size or base != self._base:
            self.mem = capi.guest_memory(base, size) if size else EMPTY
            self.size, self._base = size, base

    def trap(self, error: BaseException) -> int:
        """Keep the error and end the guest; the trap itself says what it was.

        The guest may be called by hand, through the package, and then nobody takes the error
        from here; so an exit keeps no traceback, whose frames would keep the store alive.
        """
        if not isinstance(error, _SecondInstance) and self.pending is None:
            ended = isinstance(error, ProcExit | Stopped)
            self.pending = error.with_traceback(None) if ended else error
        if isinstance(error, ProcExit | Stopped):
            code: int = self._lib.trap_new_code(capi.TRAP_INTERRUPT)
            return code
        text = (str(error) or type(error).__name__).encode()
        trap: int = self._lib.trap_new(text, len(text))
        return trap

    def refresh(self, caller: int) -> bool:
        """Return False: the memory was looked at in this very call."""
        return False


class _Living:
    """The contexts that a linker or a store may still call."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[LinkerContext, int]] = {}
        self._lock = Lock()

    def hold(self, context: LinkerContext) -> None:
        with self._lock:
            count = self._counts.get(id(context), (context, 0))[1]
            self._counts[id(context)] = (context, count + 1)

    def drop(self, address: int) -> None:
        with self._lock:
            context, count = self._counts[address]
            if count > 1:
                self._counts[address] = (context, count - 1)
            else:
                del self._counts[address]

    def __len__(self) -> int:
        return len(self._counts)


living: Final = _Living()
_finalizer: Final = capi.finalizer(living.drop)


def define_all(linker: Any, context: LinkerContext) -> None:
    """Define every function of both modules in a ``wasmtime.Linker``.

    Raises:
        RuntimeError: the linker has some already.
    """
    lib = capi.library()
    pointer, finalizer = capi.address(linker.ptr()), capi.address(_finalizer)
    # A type belongs to the engine it is used with: shared by the functions of one linker only.
    kinds: dict[FunctionType, int] = {}
    try:
        for module, functions in NAMES.items():
            module_name = module.encode()
            for function in functions:
                signature = SIGNATURES[module, function]
                kind = kinds.get(signature)
                if kind is None:
                    kind = kinds[signature] = new_function_type(lib, signature)
                name = function.encode()
                living.hold(context)
                error = lib.linker_define_func_unchecked(
                    pointer,
                    module_name,
                    len(module_name),
                    name,
                    len(name),
                    kind,
                    _thunks.address(module, function),
                    id(context),
                    finalizer,
                )
                if error:
                    raise RuntimeError(f"the linker refuses: {lib.message_of_error(error)}")
    finally:
        for made in kinds.values():
            lib.wasm_functype_delete(made)
