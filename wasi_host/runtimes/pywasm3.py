"""Guests on pywasm3, the interpreter wasm3: small, quick to start, modules of the MVP only.

It runs with Python's lock held, and cannot be stopped while it computes. It does not validate
what it is given, so that is done before; but it nests in C as the guest's loops do, and a guest
made for that overruns the thread's stack: give it only programs you trust not to. On a trap it
writes a backtrace to standard error.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from wasi_host.errors import NotAWasiModule, Trap
from wasi_host.runtimes.contract import SIGNATURES, FunctionType, Mode
from wasi_host.runtimes.sections import capped
from wasi_host.runtimes.values_guest import GuestContext, ValuesInstance, ValuesModule

__all__ = ["compile_module", "host_functions"]

_LETTERS: Final = {"i32": "i", "i64": "I", "f32": "f", "f64": "F"}
#: Each call takes 8 bytes of wasm3's own stack at least, and up to 250 of the thread's (measured).
#: So it gets a share of what the guest may have, and the thread must have more.
_SHARE: Final = 16
_NATIVE: Final = 64
_LEAST_STACK: Final = 64 << 10
_TRAP: Final = "[trap] "
_CAUSES: Final = {
    "unreachable executed": "unreachable",
    "out of bounds memory access": "memory out of bounds",
    "undefined element": "table out of bounds",
    "integer divide by zero": "integer division by zero",
    "invalid conversion to integer": "bad conversion to integer",
    "indirect call type mismatch": "bad signature",
}


def compile_module(wasm: bytes, mode: Mode) -> "Pywasm3Module":
    """Load a module.

    Raises:
        ImportError: pywasm3 is not installed.
        NotAWasiModule: it is not valid, or uses more than the MVP of WebAssembly.
        ValueError: fuel is to be counted.
    """
    return Pywasm3Module(wasm, mode)


def host_functions(
    functions: dict[tuple[str, str], Callable[..., int]],
) -> dict[str, dict[str, tuple[str, Callable[..., int]]]]:
    """Return functions as wasm3 wants them: ``module.link_function(name, field, *item)``."""
    found: dict[str, dict[str, tuple[str, Callable[..., int]]]] = {}
    for (module, name), function in functions.items():
        found.setdefault(module, {})[name] = _letters(SIGNATURES[module, name]), function
    return found


def _letters(kind: FunctionType) -> str:
    results = "".join(_LETTERS[item] for item in kind.results) or "v"
    return f"{results}({''.join(_LETTERS[item] for item in kind.params)})"


def memory_of(runtime: Any) -> memoryview:
    """Return a view of a runtime's memory as it is now; growth leaves it dangling."""
    view: memoryview | None = runtime.get_memory(0)
    return memoryview(bytearray()) if view is None else view.cast("B")


class Pywasm3Module(ValuesModule):
    """A module that wasm3 can parse."""

    name = "pywasm3"

    def __init__(self, wasm: bytes, mode: Mode) -> None:
        try:
            import wasm3
        except ImportError:
            raise ImportError(
                "the engine pywasm3 is not installed: pip install 'wasi-host[pywasm3]'"
            ) from None
        super().__init__(wasm, mode)
        self.stack = max(mode.stack // _SHARE, _LEAST_STACK)
        self.room = self.stack * _NATIVE
        self.wasm3 = wasm3
        self._capped: tuple[int, bytes] | None = None
        try:
            wasm3.Environment().parse_module(wasm)
        except RuntimeError as error:
            raise NotAWasiModule(_cannot(error)) from None

    def instance(self, context: GuestContext, memory_limit: int) -> "Pywasm3Instance":
        """Return a fresh instance."""
        if self._capped is None or self._capped[0] != memory_limit:
            self._capped = memory_limit, capped(self.wasm, memory_limit)
        return Pywasm3Instance(self, context, self._capped[1])


def _cannot(error: Exception) -> str:
    return f"pywasm3 runs modules of the MVP only (build with -mcpu=mvp): {error}"


class Pywasm3Instance(ValuesInstance):
    """One guest, with an environment and a runtime of its own."""

    def __init__(self, module: Pywasm3Module, context: GuestContext, wasm: bytes) -> None:
        super().__init__(module, context)
        self._imports = dict.fromkeys(item[:2] for item in module.imports)
        self._wasm = wasm
        self._environment = module.wasm3.Environment()
        self._runtime: Any = self._environment.new_runtime(module.stack)
        self._module: Any = None

    def instantiate(self) -> None:
        """Parse, load and link; looking for a function runs the start section."""
        self._module = self._environment.parse_module(self._wasm)
        self._runtime.load(self._module)
        functions = self.context.functions()
        wanted = {key: functions[key] for key in self._imports}
        for module, items in host_functions(wanted).items():
            for name, item in items.items():
                self._module.link_function(module, name, *item)
        for name, export in self._exports.items():
            if export.type is not None:
                self._runtime.find_function(name)
                break

    def invoke(self, name: str, numbers: Sequence[int | float]) -> Sequence[int | float]:
        """Call an export."""
        result = self._runtime.find_function(name)(*numbers)
        if result is None:
            return ()
        return result if isinstance(result, tuple) else (result,)

    def view(self) -> memoryview:
        """Return a view of the memory."""
        return memory_of(self._runtime)

    def trap_of(self, error: Exception) -> Exception:
        """Return the trap, or what wasm3 found that it cannot run."""
        text = str(error)
        if not text.startswith(_TRAP):
            return NotAWasiModule(_cannot(error))
        cause = text[len(_TRAP) :].partition(" (")[0]
        return Trap(f"pywasm3: {cause}", _CAUSES.get(cause, cause))

    def free(self) -> None:
        """Let go of everything."""
        self._module = self._runtime = None
