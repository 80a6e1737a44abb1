"""Runs guests on wasmtime: bindings, which are used again and again.

A ``Binding`` is a linker with all imports of one module bound to one context, and the engine's
prepared instantiation of it; making one costs as much as several instances, so whoever owns a
module keeps its free bindings. At most one live instance uses a binding at a time.

The context must outlive its linker and every store made from it: its address is the ``env``
pointer of every import. ``Instance`` holds the binding for as long as the store lives.

``run`` is the whole life of a guest in one place: store, instance, ``_start``, and freeing them.
It is what most guests live for, and the engine's part of it takes some microseconds; so it works
with room that the binding keeps, and nothing is made that nobody would look at.
"""

from __future__ import annotations

from wasi_host.binding.context import StoppedHost
from wasi_host.errors import NotAWasiModule, Stopped
from wasi_host.native.library import library
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import SIGNATURES, check_imports
from wasi_host.runtimes.wasmtime_calls import (
    MEMORY,
    SIX,
    START,
    Address,
    Scratch,
    Word,
    calls,
    limits,
)
from wasi_host.runtimes.wasmtime_context import (
    Thunks,
    WasmtimeContext,
    epoch_callback,
    prepare_entry,
    raise_end,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.runtimes.wasmtime_engine import CompiledModule
    from wasi_host.runtimes.wasmtime_instance import Instance

__all__ = ["Binding"]

thunks: Final = Thunks("raw")
_ONE: Final = Word(1)
_NO_ARGUMENTS: Final = Word(0)


class Binding:
    """A module's imports bound to a context, ready to be instantiated many times.

    Attributes:
        context: the guest's side of the host.
        fuel: how much the next guest may use, where its module counts it.
        fuel_used: how much the last guest of ``run`` used.
        first_size: bytes of memory that the last guest of ``run`` had at its beginning.
        memory_size: bytes of memory that it had at its end.
        module: what is bound.
        prepared: the engine's prepared instantiation.

    Raises:
        NotAWasiModule: the module imports what is not in WASI preview1; all such imports are
            named.
    """

    __slots__ = ("_counts_epochs", "_counts_fuel", "_engine", "_epoch", "_lib", "_limits",
                 "_linker", "_memory_limit", "_pool_limit", "_prepared", "_scratch", "context",
                 "first_size", "fuel", "fuel_used", "memory_size", "module",
                 "prepared")  # fmt: skip

    def __init__(self, module: CompiledModule) -> None:
        lib = self._lib = capi.library()
        self.prepared: int | None = None
        self.module = module
        self.context = WasmtimeContext(library())
        self.fuel = self.fuel_used = self.first_size = self.memory_size = 0
        check_imports(module.imports)
        self._linker: int | None = lib.linker_new(module.engine.pointer)
        # A name defined twice is an error, and Go imports fd_write twice.
        for module_name, name in dict.fromkeys(item[:2] for item in module.imports):
            self._define(module_name, name)
        prepared = capi.OutPointer()
        error = lib.linker_instantiate_pre(self._linker, module.pointer, prepared.address)
        if error:
            raise NotAWasiModule(lib.message_of_error(error))
        self.prepared = prepared.value
        self._prepared = Address(self.prepared)
        self._engine = Address(module.engine.pointer)
        self._scratch: Scratch | None = None
        self._memory_limit = -1
        self._counts_epochs, self._counts_fuel = module.mode.epochs, module.mode.fuel
        pooling = module.mode.pooling
        #: What the pool allows anyway.
        self._pool_limit = -1 if pooling is None else pooling.memory
        self._epoch = capi.callback_address(epoch_callback), Address(id(self.context)), None

    def _define(self, module_name: str, name: str) -> None:
        lib, module, field = self._lib, module_name.encode(), name.encode()
        error = lib.linker_define_func_unchecked(
            self._linker,
            module,
            len(module),
            field,
            len(field),
            self.module.engine.function_type(SIGNATURES[module_name, name]),
            *thunks.bound(module_name, name, self.context),
            None,
        )
        if error:
            raise RuntimeError(lib.message_of_error(error))

    def __del__(self) -> None:
        self.lighten()

    @property
    def light(self) -> bool:
        """Whether it was lightened."""
        return self.prepared is None

    def lighten(self) -> None:
        """Free all but what a live instance needs, 10 KB; nothing more is made of this."""
        # The prepared instantiation first, then the linker; the context goes last.
        prepared, self.prepared = getattr(self, "prepared", None), None
        if prepared:
            self._lib.instance_pre_delete(prepared)
        linker, self._linker = getattr(self, "_linker", None), None
        if linker:
            self._lib.linker_delete(linker)

    def stop(self, reason: str) -> None:
        """Make the live instance end, at its next host call or epoch check. From any thread."""
        self.context.stop(reason)
        if self.module.mode.epochs:
            self.module.engine.increment_epoch()

    def detach(self) -> None:
        """Forget the run that is over."""
        self.context.detach()

    def serve(self, host: object) -> None:
        """Take the host of the next instance; from now on it can be stopped.

        Args:
            host: the object whose methods are the functions of the specification.
        """
        self.context.serve(host)

    def instantiate(self, memory_limit: int) -> Instance:
        """Return a fresh instance whose calls are served by the host given to ``serve``.

        Args:
            memory_limit: bytes its memories and tables may grow to.

        Raises:
            ProcExit, Trap, Stopped: as the start section ended.
            NotAWasiModule: its memory is larger than the limit from the start.
        """
        # Commands are run, not instantiated.
        from wasi_host.runtimes.wasmtime_instance import Instance

        return Instance(self, memory_limit)

    def run(self, memory_limit: int) -> None:
        """Run ``_start`` in a fresh instance and free it; its type was checked before.

        Args:
            memory_limit: as in ``instantiate``.

        Raises:
            ProcExit, Trap, Stopped: as the guest ended, if it did not return.
            NotAWasiModule: its memory is larger than the limit from the start.
        """
        prepare_entry()
        engine, context = calls(), self.context
        scratch = self._scratch
        if scratch is None:
            scratch = self._scratch = Scratch()
        if memory_limit != self._memory_limit:
            self._limits, self._memory_limit = limits(memory_limit), memory_limit
        store = engine.store_new(self._engine, None, None)
        here = engine.store_context(store)
        found = False
        try:
            if memory_limit != self._pool_limit:
                engine.store_limiter(store, *self._limits)
            if self._counts_epochs:
                engine.epoch_callback(store, *self._epoch)
                engine.set_epoch_deadline(here, _ONE)
            if self._counts_fuel:
                engine.set_fuel(here, Word(self.fuel))
            # Asked to stop before there was a deadline that could be moved.
            if isinstance(context.host, StoppedHost):
                raise Stopped(context.host.reason)
            error = engine.instantiate(self._prepared, here, scratch.instance, scratch.trap)
            if error or scratch.trap_slot:
                self._raise(scratch, error, starting=True)
            found = engine.export_get(here, scratch.instance, MEMORY, SIX, scratch.memory)
            context.know(here, scratch.memory_payload)
            self.first_size = context.size
            engine.export_get(here, scratch.instance, START, SIX, scratch.start)
            error = engine.call(
                here, scratch.start_payload, scratch.slots, _NO_ARGUMENTS, scratch.trap
            )
            if error or scratch.trap_slot:
                self._raise(scratch, error)
        finally:
            self.memory_size = (
                engine.memory_data_size(here, scratch.memory_payload) if found else 0
            )
            if self._counts_fuel:
                engine.get_fuel(here, scratch.fuel)
                self.fuel_used = self.fuel - scratch.fuel_slot.value
            context.forget_memory()  # no view may outlive it
            engine.store_delete(store)

    def _raise(self, scratch: Scratch, error: int, starting: bool = False) -> None:
        """Raise what ended the call that has just ended."""
        slot = scratch.trap_slot
        trap, slot.value = slot.value, None
        raise_end(self.context, error, trap, starting)
