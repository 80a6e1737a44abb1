"""Engines, and modules compiled by them.

A process has an engine for each ``Mode`` it uses, made at first use and never freed: linkers,
thunks and function types hold their addresses. Epoch checks let a guest that computes be stopped,
and counting fuel limits what it computes; both cost compute time, so only runs that ask for them
have them. A larger stack than usual takes a further engine, and so does a pool. What one
compiled, all others with the same checks can load.
"""

from __future__ import annotations

import os
import sys
from threading import Lock

from wasi_host.errors import NotAWasiModule
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.contract import (
    Export,
    FunctionType,
    Import,
    Mode,
)
from wasi_host.runtimes.libc_capi import trap_handlers
from wasi_host.runtimes.wasmtime_declarations import ByteVec

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

#: Address space reserved for each memory: all that 32 bits reach, so a memory never moves.
MEMORY_RESERVATION: Final = 1 << 32


def new_function_type(lib: capi.Library, kind: FunctionType) -> int:
    """Return a new function type; it belongs to the first engine it is used with."""

    def vector(kinds: tuple[str, ...]) -> ByteVec:
        made = ByteVec()
        values = [lib.wasm_valtype_new(capi.KIND_NUMBERS[kind]) for kind in kinds]
        lib.wasm_valtype_vec_new(made.address, len(kinds), capi.pointers(values))
        return made

    params, results = vector(kind.params), vector(kind.results)
    pointer: int = lib.wasm_functype_new(params.address, results.address)
    return pointer


class Engine:
    """A configured engine and its function types, which belong to the engine they were used with.

    Args:
        mode: how its modules are compiled and run.
        parallel: whether it compiles on several threads.

    Attributes:
        pointer: the engine's address.
        mode: as given.
    """

    def __init__(self, mode: Mode, parallel: bool = True) -> None:
        lib = self.lib = capi.library()
        self.mode = mode
        config = lib.wasm_config_new()
        lib.config_epoch_interruption_set(config, mode.epochs)
        lib.config_consume_fuel_set(config, mode.fuel)
        # The asynchronous stack must not be smaller, or the engine refuses the configuration.
        lib.config_async_stack_size_set(config, max(2 << 20, 2 * mode.stack))
        lib.config_max_wasm_stack_set(config, mode.stack)
        lib.config_memory_reservation_set(config, MEMORY_RESERVATION)
        lib.config_memory_may_move_set(config, False)
        if not parallel:
            lib.config_parallel_compilation_set(config, False)
        lib.config_wasm_exceptions_set(config, True)
        lib.config_wasm_tail_call_set(config, True)
        if mode.pooling is not None:
            from wasi_host.runtimes.wasmtime_pooling import use_pool

            use_pool(config, mode.pooling)
        self.pointer: int = lib.wasm_engine_new_with_config(config)
        trap_handlers.save()
        self._function_types: dict[FunctionType, int] = {}
        self._lock = Lock()

    def function_type(self, kind: FunctionType) -> int:
        """Return the engine's form of a function type; kept for ever."""
        with self._lock:
            pointer = self._function_types.get(kind)
            if pointer is None:
                pointer = self._function_types[kind] = new_function_type(self.lib, kind)
            return pointer

    def increment_epoch(self) -> None:
        """Let every running guest of this engine look whether it is to stop."""
        self.lib.engine_increment_epoch(self.pointer)


_engines: dict[tuple[int, Mode], Engine] = {}
_engines_lock = Lock()
_first_process: Final = os.getpid()


def _renew_lock() -> None:
    """Forget a lock that another thread of the parent may have held."""
    global _engines_lock
    _engines_lock = Lock()


def engine(mode: Mode) -> Engine:
    """Return the process's engine for a mode; there is one for each, and none is freed.

    A forked child has none of the parent's compiling threads and would wait for them for ever,
    so it gets an engine of its own that compiles on the calling thread.
    """
    process = os.getpid()
    key = process, mode
    found = _engines.get(key)
    if found is None:
        with _engines_lock:
            found = _engines.get(key)
            if found is None:
                found = Engine(mode, process == _first_process)
                _engines[key] = found
    return found


os.register_at_fork(after_in_child=_renew_lock)


def settings(mode: Mode) -> str:
    """Return all that decides whether a compiled module fits: engine, settings, machine.

    Neither the stack's size nor the pool is part of it: compiled code asks the engine for its
    limits.
    """
    return (
        f"wasmtime {capi.version()} {os.uname().machine} {sys.platform} "
        f"epochs={mode.epochs} fuel={mode.fuel} "
        f"reservation={MEMORY_RESERVATION} exceptions tail-calls"
    )


def wat_to_wasm(source: bytes) -> bytes:
    """Translate WebAssembly text.

    Raises:
        NotAWasiModule: the text has an error; the message shows where.
    """
    lib = capi.library()
    vector = ByteVec()
    error = lib.wat2wasm(source, len(source), vector.address)
    if error:
        raise NotAWasiModule(f"the WebAssembly text is wrong: {lib.message_of_error(error)}")
    return lib.take_bytes(vector)


def validate(wasm: bytes) -> None:
    """Check a module for engines that run whatever they are given; NotAWasiModule: it is none."""
    lib = capi.library()
    error = lib.module_validate(engine(Mode()).pointer, wasm, len(wasm))
    if error:
        raise NotAWasiModule(f"not a valid module: {lib.message_of_error(error)}")


class CompiledModule:
    """A module compiled by one engine, with what it imports and exports.

    Args:
        wasm: the bytes of the module, or the path of a file made of ``serialize``.
        mode: how it is compiled and its instances are run.

    Raises:
        NotAWasiModule: the engine refuses the module; the message says why.
    """

    def __init__(self, wasm: bytes | str, mode: Mode) -> None:
        self.engine = engine(mode)
        self.mode = mode
        self.room = mode.stack
        self.lib = self.engine.lib
        module = capi.OutPointer()
        engine_pointer = self.engine.pointer
        if isinstance(wasm, str):
            path = os.fsencode(wasm)
            error = self.lib.module_deserialize_file(engine_pointer, path, module.address)
        else:
            error = self.lib.module_new(engine_pointer, wasm, len(wasm), module.address)
        if error:
            raise NotAWasiModule(f"not a valid module: {self.lib.message_of_error(error)}")
        self.pointer = module.value
        self.imports = self._read_imports()
        self.exports = self._read_exports()

    def __del__(self) -> None:
        pointer = getattr(self, "pointer", None)
        if pointer:
            self.lib.module_delete(pointer)

    def serialize(self) -> bytes:
        """Return the compiled module, for a file to be loaded by the same engine's like.

        Raises:
            RuntimeError: the engine cannot.
        """
        vector = ByteVec()
        error = self.lib.module_serialize(self.pointer, vector.address)
        if error:
            raise RuntimeError(self.lib.message_of_error(error))
        return self.lib.take_bytes(vector)

    def _read_imports(self) -> list[Import]:
        lib, vector, result = self.lib, ByteVec(), []
        lib.module_imports(self.pointer, vector.address)
        for item in capi.elements(vector):
            kind = lib.wasm_importtype_type(item)
            is_function = lib.wasm_externtype_kind(kind) == capi.TYPE_FUNC
            result.append(
                Import(
                    capi.text(lib.wasm_importtype_module(item)),
                    capi.text(lib.wasm_importtype_name(item)),
                    self._function_type(kind) if is_function else None,
                )
            )
        lib.wasm_importtype_vec_delete(vector.address)
        return result

    def _read_exports(self) -> dict[str, Export]:
        lib, vector, result = self.lib, ByteVec(), {}
        lib.module_exports(self.pointer, vector.address)
        for item in capi.elements(vector):
            name = capi.text(lib.wasm_exporttype_name(item))
            result[name] = self._export(lib.wasm_exporttype_type(item))
        lib.wasm_exporttype_vec_delete(vector.address)
        return result

    def _export(self, kind: Any) -> Export:
        lib = self.lib
        number = lib.wasm_externtype_kind(kind)
        if number == capi.TYPE_FUNC:
            return Export("function", self._function_type(kind))
        if number != capi.TYPE_MEMORY:
            return Export("other")
        memory = lib.wasm_externtype_as_memorytype_const(kind)
        if lib.memorytype_is64(memory):
            return Export("memory", flaw="has 64-bit addresses")
        if lib.memorytype_isshared(memory):
            return Export("memory", flaw="is shared between threads")
        return Export("memory")

    def _function_type(self, kind: Any) -> FunctionType:
        lib = self.lib
        function = lib.wasm_externtype_as_functype_const(kind)

        def names(vector: Any) -> tuple[str, ...]:
            return tuple(capi.value_kind(item) for item in capi.elements(vector.contents))

        return FunctionType(
            names(lib.wasm_functype_params(function)), names(lib.wasm_functype_results(function))
        )
