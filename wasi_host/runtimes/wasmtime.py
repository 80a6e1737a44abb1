"""Runs guests on wasmtime: bindings that are used again and again, and instances.

A ``Binding`` is a linker with all imports of one module bound to one context, and the engine's
prepared instantiation of it; making one costs as much as several instances, so whoever owns a
module keeps its free bindings. At most one live instance uses a binding at a time.

The context must outlive its linker and every store made from it: its address is the ``env``
pointer of every import. ``Instance`` holds the binding for as long as the store lives.
"""

from sys import _getframe, getrecursionlimit
from threading import RLock
from typing import Any, Final

from wasi_host.binding.context import Context, StoppedHost
from wasi_host.errors import NotAWasiModule, Stopped, Trap
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import MODULES, SIGNATURES, Export, check_imports
from wasi_host.runtimes.libc_capi import trap_handlers
from wasi_host.runtimes.wasmtime_engine import (
    CompiledModule,
    pack_arguments,
    unpack_results,
)

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
    11: "out of fuel",
}

_shims: Final = {module: capi.raw_shims(functions) for module, functions in MODULES.items()}
# Thunks are never freed: linkers hold their addresses.
_thunks: Final[dict[tuple[str, str], Any]] = {}


def _thunk_address(module: str, name: str) -> int:
    thunk = _thunks.get((module, name))
    if thunk is None:
        thunk = _thunks.setdefault((module, name), capi.thunk(_shims[module][name]))
    return capi.address(thunk)


class WasmtimeContext(Context):
    """The context as wasmtime's callbacks see it."""

    __slots__ = ("_lib",)

    def __init__(self) -> None:
        super().__init__()
        self._lib = capi.library()

    def refresh(self, caller: int) -> bool:
        """Look at the caller's memory; with our reservation it never moves, it only grows."""
        lib = self._lib
        extern = capi.Extern()
        if not lib.caller_export_get(caller, b"memory", 6, extern.address):
            return False
        if extern.kind != capi.EXTERN_MEMORY:
            return False
        return self.attach(lib.caller_context(caller), extern.payload)

    def attach(self, store_context: int, memory: int) -> bool:
        """Take the memory at its present size; tell whether that is more than was known."""
        lib = self._lib
        size = lib.memory_data_size(store_context, memory)
        if size <= self.size:
            return False
        base = lib.memory_data(store_context, memory)
        self.mem = capi.guest_memory(base, size)
        self.size = size
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


_epoch_callback: Final = capi.epoch_callback(_at_epoch)


class Binding:
    """A module's imports bound to a context, ready to be instantiated many times.

    Raises:
        NotAWasiModule: the module imports what is not in WASI preview1; all such imports are
            named.
    """

    __slots__ = ("_lib", "_linker", "_pre", "context", "module")

    def __init__(self, module: CompiledModule) -> None:
        lib = self._lib = capi.library()
        self._pre: int | None = None
        self.module = module
        self.context = WasmtimeContext()
        check_imports(module.imports)
        self._linker: int = lib.linker_new(module.engine.pointer)
        # A name defined twice is an error, and Go imports fd_write twice.
        for module_name, name in dict.fromkeys(item[:2] for item in module.imports):
            self._define(module_name, name)
        prepared = capi.OutPointer()
        error = lib.linker_instantiate_pre(self._linker, module.pointer, prepared.address)
        if error:
            raise NotAWasiModule(lib.message_of_error(error))
        self._pre = prepared.value

    def _define(self, module_name: str, name: str) -> None:
        lib, module, field = self._lib, module_name.encode(), name.encode()
        error = lib.linker_define_func_unchecked(
            self._linker,
            module,
            len(module),
            field,
            len(field),
            self.module.engine.function_type(SIGNATURES[module_name, name]),
            _thunk_address(module_name, name),
            id(self.context),
            None,
        )
        if error:
            raise RuntimeError(lib.message_of_error(error))

    def __del__(self) -> None:
        # The prepared instantiation first, then the linker; the context goes last.
        if getattr(self, "_pre", None):
            self._lib.instance_pre_delete(self._pre)
        if getattr(self, "_linker", None):
            self._lib.linker_delete(self._linker)

    def stop(self, reason: str) -> None:
        """Make the live instance end, at its next host call or epoch check. From any thread."""
        self.context.stop(reason)
        engine = self.module.engine
        if engine.epochs:
            engine.increment_epoch()

    def detach(self) -> None:
        """Forget the run that is over."""
        self.context.detach()

    def serve(self, host: object) -> None:
        """Take the host of the next instance; from now on it can be stopped.

        Args:
            host: the object whose methods are the functions of the specification.
        """
        self.context.host = host

    def instantiate(self, memory_limit: int) -> "Instance":
        """Return a fresh instance whose calls are served by the host given to ``serve``.

        Args:
            memory_limit: bytes its memories and tables may grow to.

        Raises:
            ProcExit, Trap, Stopped: as the start section ended.
            NotAWasiModule: its memory is larger than the limit from the start.
        """
        return Instance(self, memory_limit)


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


class Instance:
    """One running guest. It may be called from any thread, one call at a time.

    Nesting is allowed: a host function may call the guest again.
    """

    __slots__ = (
        "_binding",
        "_busy",
        "_depth",
        "_instance",
        "_lib",
        "_memory",
        "_store",
        "_store_context",
        "context",
    )

    def __init__(self, binding: Binding, memory_limit: int) -> None:
        self._store: int | None = None
        prepare_entry()
        lib = self._lib = capi.library()
        self._binding = binding
        context = self.context = binding.context
        engine = binding.module.engine
        self._memory: capi.Extern | None = None
        self._busy = RLock()
        self._depth = 0
        self._store = lib.store_new(engine.pointer, None, None)
        store_context = self._store_context = lib.store_context(self._store)
        lib.store_limiter(self._store, memory_limit, memory_limit // 8, -1, -1, -1)
        if engine.epochs:
            lib.store_epoch_deadline_callback(self._store, _epoch_callback, id(context), None)
            lib.context_set_epoch_deadline(store_context, 1)
        self._instance = capi.Buffer(capi.INSTANCE_BYTES)
        trap = capi.OutPointer()
        try:
            # Asked to stop before there was a deadline that could be moved.
            if isinstance(context.host, StoppedHost):
                raise Stopped(context.host.reason)
            error = lib.instance_pre_instantiate(
                binding._pre, store_context, self._instance.address, trap.address
            )
            self._raise(error, trap.value, starting=True)
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        export = self._binding.module.exports.get("memory")
        if export is None or export.kind != "memory" or export.flaw:
            return
        self._memory = self._extern(b"memory")
        self.context.attach(self._store_context, self._memory.payload)

    def _extern(self, name: bytes) -> capi.Extern:
        extern = capi.Extern()
        found = self._lib.instance_export_get(
            self._store_context, self._instance.address, name, len(name), extern.address
        )
        assert found, name
        return extern

    @property
    def exports(self) -> dict[str, Export]:
        """What the module exports."""
        return self._binding.module.exports

    @property
    def memory_size(self) -> int:
        """The memory's size in bytes; 0 without one."""
        if self._store is None or self._memory is None:
            return 0
        size: int = self._lib.memory_data_size(self._store_context, self._memory.payload)
        return size

    @property
    def memory(self) -> memoryview:
        """A writable view of the memory as it is now. It must not be used after ``close``."""
        self._require_open()
        if self._memory is not None:
            self.context.attach(self._store_context, self._memory.payload)
        view = self.context.mem
        assert isinstance(view, memoryview)
        return view

    def start(self) -> None:
        """Call ``_start``. Its type was checked when the module was loaded."""
        self._call(b"_start", b"", 0)

    def call(self, name: str, *arguments: int | float) -> list[int | float]:
        """Call an exported function.

        Raises:
            AttributeError: no such export, or it is no function.
            TypeError, OverflowError: arguments of another number or type.
            ProcExit, Trap, Stopped: as the call ended; any exception of the host's.
        """
        export = self._binding.module.exports.get(name)
        if export is None or export.type is None:
            raise AttributeError(f"the module exports no function {name!r}")
        packed = pack_arguments(export.type, arguments)
        slots = self._call(name.encode(), packed, len(export.type.results))
        return unpack_results(export.type.results, slots)

    def _call(self, name: bytes, packed: bytes, results: int) -> bytes:
        length = max(len(packed) // capi.SLOT_BYTES, results)
        slots = capi.Buffer(max(length, 1) * capi.SLOT_BYTES, packed)
        trap = capi.OutPointer()
        self._enter()
        try:
            extern = self._extern(name)
            error = self._lib.func_call_unchecked(
                self._store_context,
                extern.payload,
                slots.address,
                length,
                trap.address,
            )
            if error or trap.value:
                self._raise(error, trap.value)
        finally:
            self._depth -= 1
            self._busy.release()
        return slots.read(results * capi.SLOT_BYTES)

    def _enter(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread")
        if self._store is None:
            self._busy.release()
            raise RuntimeError("this instance is closed")
        if not self._depth:
            try:
                prepare_entry()
            except BaseException:
                self._busy.release()
                raise
        self._depth += 1

    def _raise(self, error: int | None, trap: int | None, starting: bool = False) -> None:
        """Raise what ended a call: the pending exception, or the trap. Frees both."""
        if not error and not trap:
            return
        lib, code, message = self._lib, None, ""
        if trap:
            message, code = lib.message_of_trap(trap)
        if error:
            message = lib.message_of_error(error)
        pending = self.context.pending
        if pending is not None:
            self.context.pending = None
            raise pending
        if starting and not trap:
            raise NotAWasiModule(f"cannot be instantiated: {message}")
        raise Trap(message, _TRAP_NAMES.get(code) if code is not None else None)

    def _require_open(self) -> None:
        if self._store is None:
            raise RuntimeError("this instance is closed")

    def close(self) -> None:
        """Free the guest. The binding may be used again afterwards; twice is harmless."""
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread: it cannot be closed")
        try:
            if self._depth:
                raise RuntimeError("this instance is running: it cannot be closed from inside")
            store, self._store = self._store, None
            if store is not None:
                self.context.detach()  # no view may outlive the memory
                self._memory = None
                self._lib.store_delete(store)
        finally:
            self._busy.release()

    def __del__(self) -> None:
        if getattr(self, "_store", None) is not None:
            self.close()
