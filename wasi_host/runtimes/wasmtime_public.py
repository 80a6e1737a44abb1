"""The slow, correct way to wasmtime: through the public API of its Python package.

For versions whose C API we do not know. The package hands a host function plain integers and
keeps what it raises in one variable for the whole process, where threads mix it up; so an
exception is kept in the instance's own context, and what the package raises only tells that
there is one.
"""

from collections.abc import Callable, Collection
from threading import RLock
from typing import Any, Final

from wasi_host.binding.context import StoppedHost, ValuesContext
from wasi_host.binding.shim import values_functions
from wasi_host.errors import NotAWasiModule, Stopped, Trap
from wasi_host.runtimes.contract import (
    SIGNATURES,
    Export,
    FunctionType,
    Import,
    Mode,
    check_arguments,
    check_imports,
    refusal,
)
from wasi_host.runtimes.wasmtime_engine import MEMORY_RESERVATION
from wasi_spec.signatures import NAMES

# The package keeps host functions in a table of its own that takes no two threads at once: it is
# written when one is defined, and when the store that used it goes.
_package: Final = RLock()


class _Unwind(Exception):
    """Raised into the engine, so that it unwinds the guest; the cause is in the context."""


def trap_of(error: Exception) -> Trap:
    """Return what the package raised, a trap or an error, as our trap."""
    code = getattr(error, "trap_code", None)
    return Trap(str(error), code.name.lower().replace("_", " ") if code is not None else None)


class PublicContext(ValuesContext):
    """The context of one instance; ``caller`` is who made the call that is under way."""

    __slots__ = ("caller",)

    def __init__(self) -> None:
        super().__init__(self._look)
        self.caller: Any = None

    def _look(self) -> memoryview:
        """Return the caller's memory as it is now."""
        try:
            memory = self.caller["memory"]
            if memory.data_len(self.caller):
                return memoryview(memory.get_buffer_ptr(self.caller)).cast("B")
        except (AttributeError, KeyError, TypeError):
            pass  # no memory, or something else of that name: every pointer is a fault
        return memoryview(bytearray())


class PublicModule:
    """A module compiled through the package; see ``wasmtime_engine.CompiledModule``.

    Each instance that can be stopped while it computes has an engine of its own: advancing an
    engine's epoch interrupts all its guests, and this API cannot let the others go on.
    """

    def __init__(self, wasm: bytes, mode: Mode) -> None:
        import wasmtime

        self.mode = mode
        self.room = mode.stack
        self._wasmtime = wasmtime
        self.engine = self.new_engine()
        try:
            self.module = wasmtime.Module(self.engine, wasm)
        except wasmtime.WasmtimeError as error:
            raise NotAWasiModule(f"not a valid module: {error}") from None
        self._serialized = self.module.serialize() if mode.epochs else None
        self.imports = [
            Import(item.module, item.name or "", _function_type(item.type))
            for item in self.module.imports
        ]
        self.exports = {item.name: _export(item.type) for item in self.module.exports}

    def new_engine(self) -> Any:
        """Return an engine configured as the fast path's are."""
        config = self._wasmtime.Config()
        config.epoch_interruption = self.mode.epochs
        config.consume_fuel = self.mode.fuel
        config.max_wasm_stack = self.mode.stack
        config.memory_reservation = MEMORY_RESERVATION
        return self._wasmtime.Engine(config)

    def for_instance(self) -> tuple[Any, Any]:
        """Return engine and module for one instance."""
        if self._serialized is None:
            return self.engine, self.module
        engine = self.new_engine()
        return engine, self._wasmtime.Module.deserialize(engine, self._serialized)

    def bind(self) -> "PublicBinding":
        """Check the imports; they are defined anew for each instance."""
        return PublicBinding(self)


def _function_type(kind: Any) -> FunctionType | None:
    if not hasattr(kind, "params"):
        return None
    return FunctionType(
        tuple(str(item) for item in kind.params), tuple(str(item) for item in kind.results)
    )


def _export(kind: Any) -> Export:
    if hasattr(kind, "params"):
        return Export("function", _function_type(kind))
    if not hasattr(kind, "is_64"):
        return Export("other")
    if kind.is_64:
        return Export("memory", flaw="has 64-bit addresses")
    if getattr(kind, "is_shared", False):
        return Export("memory", flaw="is shared between threads")
    return Export("memory")


class PublicBinding:
    """What ``wasmtime.Binding`` is; it keeps nothing between instances."""

    def __init__(self, compiled: PublicModule) -> None:
        check_imports(compiled.imports)
        self._compiled = compiled
        self._engine: Any = None
        self.context = PublicContext()
        self.light = False
        self.fuel = self.fuel_used = 0
        self.first_size = self.memory_size = 0

    def serve(self, host: object) -> None:
        """Take the host of the next instance; see ``wasmtime.Binding.serve``."""
        self.context = PublicContext()
        self.context.host = host

    def instantiate(self, memory_limit: int) -> "PublicInstance":
        """Return a fresh instance; see ``wasmtime.Binding.instantiate``."""
        self._engine, module = self._compiled.for_instance()
        return PublicInstance(
            self._compiled, self._engine, module, self.context, memory_limit, self.fuel
        )

    def run(self, memory_limit: int) -> None:
        """Run ``_start`` in a fresh instance and free it; see ``wasmtime.Binding.run``."""
        self.memory_size = 0
        instance = self.instantiate(memory_limit)
        self.first_size = instance.memory_size
        try:
            instance.start()
        finally:
            self.memory_size = instance.memory_size
            self.fuel_used = self.fuel - instance.fuel_left
            instance.close()

    def stop(self, reason: str) -> None:
        """Make the live instance end. From any thread."""
        self.context.stop(reason)
        if self._compiled.mode.epochs and self._engine is not None:
            self._engine.increment_epoch()

    def lighten(self) -> None:
        """Do nothing: there is nothing that only further instances need."""

    def detach(self) -> None:
        """Forget the run that is over."""
        self.context.host = None
        self._engine = None


class PublicInstance:
    """One running guest; see ``wasmtime.Instance``."""

    def __init__(
        self,
        compiled: PublicModule,
        engine: Any,
        module: Any,
        context: PublicContext,
        memory_limit: int,
        fuel: int,
    ) -> None:
        import wasmtime

        self._wasmtime = wasmtime
        self.context = context
        self.exports = compiled.exports
        self._compiled_mode = compiled.mode
        self._busy = RLock()
        self._depth = 0
        self._store: Any = wasmtime.Store(engine)
        self._store.set_limits(memory_size=memory_limit, table_elements=memory_limit // 8)
        if compiled.mode.fuel:
            self._store.set_fuel(fuel)
        if compiled.mode.epochs:
            self._store.set_epoch_deadline(1)
        # Asked to stop before there was a deadline that could be moved.
        if isinstance(context.host, StoppedHost):
            raise Stopped(context.host.reason)
        linker = wasmtime.Linker(engine)
        define_public(linker, context, {item[:2] for item in compiled.imports})
        self._instance: Any = None
        self._guarded(lambda: self._instantiate(linker, module))

    def _instantiate(self, linker: Any, module: Any) -> None:
        self._instance = linker.instantiate(self._store, module)

    @property
    def memory_size(self) -> int:
        """The memory's size in bytes; 0 without one."""
        memory = self._memory()
        return memory.data_len(self._store) if memory is not None else 0

    @property
    def fuel_left(self) -> int:
        """What is left of the fuel, where it is counted."""
        if not self._compiled_mode.fuel or self._store is None:
            return 0
        left: int = self._store.get_fuel()
        return left

    @property
    def memory(self) -> memoryview:
        """A writable view of the memory as it is now. It must not be used after ``close``."""
        if self._store is None:
            raise RuntimeError("this instance is closed")
        memory = self._memory()
        if memory is None or not memory.data_len(self._store):
            return memoryview(bytearray())
        return memoryview(memory.get_buffer_ptr(self._store)).cast("B")

    def _memory(self) -> Any:
        if self._store is None or self._instance is None:
            return None
        memory = self._instance.exports(self._store).get("memory")
        return memory if isinstance(memory, self._wasmtime.Memory) else None

    def start(self) -> None:
        """Call ``_start``."""
        self.call("_start")

    def call(self, name: str, *arguments: int | float) -> list[int | float]:
        """Call an exported function; see ``wasmtime.Instance.call``."""
        if self._store is None:
            raise RuntimeError("this instance is closed")
        export = self.exports.get(name)
        if export is None or export.type is None:
            raise AttributeError(f"the module exports no function {name!r}")
        numbers = check_arguments(export.type, arguments)
        function = self._instance.exports(self._store)[name]
        result = self._guarded(lambda: function(self._store, *numbers))
        if not export.type.results:
            return []
        return list(result) if len(export.type.results) > 1 else [result]

    def _guarded(self, enter: Callable[[], Any]) -> Any:
        """Enter the guest; raise what ended it."""
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread")
        self._depth += 1
        try:
            return enter()
        except (self._wasmtime.Trap, self._wasmtime.WasmtimeError, _Unwind) as error:
            self._raise(error)
        finally:
            self._depth -= 1
            self._busy.release()

    def _raise(self, error: Exception) -> None:
        pending, self.context.pending = self.context.pending, None
        if pending is not None:
            raise pending from None
        host = self.context.host
        code = getattr(error, "trap_code", None)
        if isinstance(host, StoppedHost) and code == self._wasmtime.TrapCode.INTERRUPT:
            raise Stopped(host.reason) from None
        if code == self._wasmtime.TrapCode.OUT_OF_FUEL:
            raise Stopped("fuel") from None
        if self._instance is None and code is None:
            raise refusal(str(error)) from None
        raise trap_of(error) from None

    def close(self) -> None:
        """Free the guest; twice is harmless."""
        if self._depth:
            raise RuntimeError("this instance is running: it cannot be closed from inside")
        with _package:
            self._store = self._instance = None


def define_public(
    linker: Any, context: PublicContext, wanted: Collection[tuple[str, str]] | None = None
) -> None:
    """Define functions in a ``wasmtime.Linker``.

    Args:
        linker: the linker.
        context: the instance's.
        wanted: module and name of those to define; None: all.
    """
    import wasmtime

    types = {kind: getattr(wasmtime.ValType, kind)() for kind in ("i32", "i64")}
    for module in NAMES:
        for name, function in values_functions(context, module).items():
            if wanted is None or (module, name) in wanted:
                signature = SIGNATURES[module, name]
                kind = wasmtime.FuncType(
                    [types[item] for item in signature.params],
                    [types[item] for item in signature.results],
                )
                with _package:
                    linker.define_func(module, name, kind, _served(context, function), True)


def _served(context: PublicContext, function: Callable[..., int]) -> Callable[..., int | None]:
    def call(caller: Any, *arguments: int) -> int | None:
        outer, context.caller = context.caller, caller
        try:
            return function(*arguments)
        except BaseException as error:
            if context.pending is None:
                context.pending = error
            raise _Unwind from None
        finally:
            context.caller = outer

    return call
