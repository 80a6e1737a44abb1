"""Guests on pywasm, an interpreter written in Python: slow, and everywhere Python is.

Its own limits: 64 MiB of memory, tables that grow to 1,024 entries, calls 1,024 deep. It has no way
to be stopped, but looks at its stack before each instruction: one that raises stops the guest.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

from wasi_host.errors import NotAWasiModule, Stopped, Trap
from wasi_host.runtimes.contract import SIGNATURES, Mode
from wasi_host.runtimes.sections import PAGE, TABLE_ENTRY
from wasi_host.runtimes.values_guest import GuestContext, ValuesInstance, ValuesModule

__all__ = ["compile_module", "host_functions"]

_KINDS = {"i32": 0x7F, "i64": 0x7E, "f32": 0x7D, "f64": 0x7C}
#: How deep calls may be.
_FRAMES = 1024


def compile_module(wasm: bytes, mode: Mode) -> "PywasmModule":
    """Load a module.

    Raises:
        ImportError: pywasm is not installed.
        NotAWasiModule: it is not valid, or uses what pywasm does not know.
        ValueError: fuel is to be counted.
    """
    return PywasmModule(wasm, mode)


def host_functions(
    runtime: Any, functions: dict[tuple[str, str], Callable[..., int]]
) -> dict[str, dict[str, Any]]:
    """Return functions as pywasm wants them: ``runtime.imports.update(...)``."""
    import pywasm

    found: dict[str, dict[str, Any]] = {}
    for (module, name), function in functions.items():
        signature = SIGNATURES[module, name]
        kind = pywasm.FuncType(
            [pywasm.ValType(_KINDS[item]) for item in signature.params],
            [pywasm.ValType(_KINDS[item]) for item in signature.results],
        )
        extern = runtime.allocate_func_host(kind, _served(function))
        found.setdefault(module, {})[name] = extern
    return found


def _served(function: Callable[..., int]) -> Callable[[Any, list[int]], list[int]]:
    def call(_machine: Any, arguments: list[int]) -> list[int]:
        return [function(*arguments)]

    return call


def callers_memory(runtime: Any) -> memoryview:
    """Return a view of the memory of the guest that is just calling."""
    machine = runtime.machine
    addresses = machine.stack.frame[-1].module.mems
    return memoryview(machine.store.mems[addresses[0]].data if addresses else bytearray())


class PywasmModule(ValuesModule):
    """A module as pywasm reads it."""

    name = "pywasm"
    stoppable = True

    def __init__(self, wasm: bytes, mode: Mode) -> None:
        try:
            import pywasm
        except ImportError:
            raise ImportError(
                "the engine pywasm is not installed: pip install 'wasi-host[pywasm]'"
            ) from None
        super().__init__(wasm, mode)
        self.pywasm = pywasm
        self._unused: list[Any] = [self._read()]

    def _read(self) -> Any:
        try:
            return self.pywasm.ModuleDesc.from_reader(io.BytesIO(self.wasm))
        except (AssertionError, KeyError, IndexError, TypeError, ValueError) as error:
            raise NotAWasiModule(f"pywasm cannot load it: {error!r}") from None

    def instance(self, context: GuestContext, memory_limit: int) -> "PywasmInstance":
        """Return a fresh instance."""
        return PywasmInstance(self, context, self._capped(memory_limit))

    def _capped(self, memory_limit: int) -> Any:
        """Return the description with memories and tables that end at the limit."""
        # Running changes what was read (constants, for one): each instance reads anew.
        core = self.pywasm.core
        description = self._unused.pop() if self._unused else self._read()
        pages, entries = memory_limit // PAGE, memory_limit // TABLE_ENTRY
        description.mems = [
            core.MemType(core.Limits(kind.limits.n, _least(kind.limits.m, max(pages, 1))))
            for kind in description.mems
        ]
        description.tabl = [
            core.TableType(kind.type, core.Limits(kind.limits.n, _least(kind.limits.m, entries)))
            for kind in description.tabl
        ]
        return description


def _least(own: int, limit: int) -> int:
    """Return the smaller maximum; pywasm writes 0 for none."""
    return min(own, limit) if own else limit


class _Halted:
    """Stands in for the stack of a guest that is to stop."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        raise Stopped(self._reason)


class PywasmInstance(ValuesInstance):
    """One guest, with a runtime of its own."""

    def __init__(self, module: PywasmModule, context: GuestContext, description: Any) -> None:
        super().__init__(module, context)
        self._pywasm = module.pywasm
        self._description = description
        runtime = self._runtime = module.pywasm.Runtime()
        runtime.imports.update(host_functions(runtime, context.functions()))
        self._instance: Any = None
        self._deep = False

    def instantiate(self) -> None:
        """Make the instance; the start section runs within."""
        self._instance = self._runtime.instance(self._description)

    def invoke(self, name: str, numbers: Sequence[int | float]) -> Sequence[int | float]:
        """Call an export."""
        try:
            result: list[int | float] = self._runtime.invocate(self._instance, name, list(numbers))
            return result
        except BaseException:
            machine = self._runtime.machine
            if not isinstance(machine.stack, _Halted):
                self._deep = len(machine.stack.frame) >= _FRAMES
            machine.stack = self._pywasm.core.Stack()
            raise

    def view(self) -> memoryview:
        """Return a view; a live one makes growing the memory fail."""
        memories = self._runtime.machine.store.mems
        return memoryview(memories[0].data) if memories else memoryview(bytearray())

    def halt(self, reason: str) -> None:
        """Stop the guest at its next instruction."""
        if self._running:
            self._runtime.machine.stack = _Halted(reason)

    def trap_of(self, error: Exception) -> Exception:
        """Return the trap; pywasm asserts, and tells no causes."""
        if self._deep:
            return Trap("stack overflow (pywasm)", "stack overflow")
        return Trap(f"pywasm: {type(error).__name__} {error}".rstrip())

    def free(self) -> None:
        """Let go of everything."""
        self._runtime = self._instance = self._description = None
