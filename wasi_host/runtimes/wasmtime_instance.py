"""A live guest on wasmtime, whose exports are called as often as wanted."""

from __future__ import annotations

from threading import RLock

from wasi_host.binding.context import StoppedHost
from wasi_host.errors import Stopped
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import Export, FunctionType, check_arguments
from wasi_host.runtimes.wasmtime_calls import Address, ExportedFunction, TrapSlot, calls
from wasi_host.runtimes.wasmtime_context import (
    WasmtimeContext,
    epoch_callback,
    prepare_entry,
    raise_end,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol

    from wasi_host.runtimes.wasmtime_engine import CompiledModule
else:
    Protocol = object


class BoundModule(Protocol):
    """What an instance is made of: a ``wasmtime.Binding``."""

    module: CompiledModule
    context: WasmtimeContext
    prepared: int | None
    fuel: int


class Instance:
    """One running guest. It may be called from any thread, one call at a time.

    Nesting is allowed: a host function may call the guest again.
    """

    __slots__ = (
        "_binding",
        "_busy",
        "_depth",
        "_functions",
        "_here",
        "_instance",
        "_lib",
        "_memory",
        "_module",
        "_store",
        "_store_context",
        "_trap",
        "context",
    )

    def __init__(self, binding: BoundModule, memory_limit: int) -> None:
        self._store: int | None = None
        prepare_entry()
        lib = self._lib = capi.library()
        self._module = binding.module
        # The context must outlive the store, and what is prepared for it too.
        self._binding = binding
        context = self.context = binding.context
        engine = binding.module.engine
        self._memory: capi.Extern | None = None
        self._functions: dict[str, ExportedFunction] = {}
        self._trap = TrapSlot()
        self._busy = RLock()
        self._depth = 0
        self._store = lib.store_new(engine.pointer, None, None)
        store_context = self._store_context = lib.store_context(self._store)
        self._here = Address(store_context)
        lib.store_limiter(self._store, memory_limit, memory_limit // 8, -1, -1, -1)
        if engine.mode.epochs:
            lib.store_epoch_deadline_callback(self._store, epoch_callback, id(context), None)
            lib.context_set_epoch_deadline(store_context, 1)
        if engine.mode.fuel:
            lib.context_set_fuel(store_context, binding.fuel)
        self._instance = capi.Buffer(capi.INSTANCE_BYTES)
        trap = capi.OutPointer()
        try:
            # Asked to stop before there was a deadline that could be moved.
            if isinstance(context.host, StoppedHost):
                raise Stopped(context.host.reason)
            error = lib.instance_pre_instantiate(
                binding.prepared, store_context, self._instance.address, trap.address
            )
            raise_end(context, error, trap.value, starting=True)
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        export = self._module.exports.get("memory")
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
        return self._module.exports

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
        self.call("_start")

    def call(self, name: str, *arguments: int | float) -> list[int | float]:
        """Call an exported function.

        Returns:
            Its results; integers signed, as WebAssembly's own tools show them.

        Raises:
            AttributeError: no such export, or it is no function.
            TypeError, OverflowError: arguments of another number or type.
            ProcExit, Trap, Stopped: as the call ended; any exception of the host's.
        """
        function = self._functions.get(name)
        kind = self._type_of(name) if function is None else function.kind
        numbers = check_arguments(kind, arguments)
        self._enter()
        try:
            if function is None:
                extern = self._extern(name.encode())
                function = self._functions[name] = ExportedFunction(kind, extern)
            room, slots = function.room(numbers)
            trap = self._trap
            error = calls().call(self._here, function.payload, slots, function.words, trap.address)
            # The trap of a call within this one was taken before that returned.
            if error or trap.slot:
                found, trap.slot.value = trap.slot.value, None
                raise_end(self.context, error, found)
        finally:
            self._depth -= 1
            self._busy.release()
        return list(function.results(room))

    def _type_of(self, name: str) -> FunctionType:
        export = self._module.exports.get(name)
        if export is None or export.type is None:
            raise AttributeError(f"the module exports no function {name!r}")
        return export.type

    def _enter(self) -> None:
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread")
        if self._store is None:
            self._busy.release()
            raise RuntimeError("this instance is closed")
        try:
            prepare_entry()
        except BaseException:
            self._busy.release()
            raise
        self._depth += 1

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
