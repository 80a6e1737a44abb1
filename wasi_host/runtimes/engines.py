"""The engines by name: ours, and those that others add as plug-ins.

A plug-in is an entry point of the group ``wasi_host.runtimes``: its name is what ``runtime=``
takes, and it loads to a function like ``compile_module``, ``(wasm, mode) -> Compiled``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from wasi_host.runtimes.contract import Compiled, Mode
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["GROUP", "OURS", "Outer", "check_runtime", "compiler", "outer", "runtime_names"]

GROUP: Final = "wasi_host.runtimes"
OURS: Final = ("wasmtime", "pywasm", "pywasm3")

Compiler = Callable[[bytes, Mode], Compiled]


def runtime_names() -> list[str]:
    """Return the names of all engines there are, installed or not, ours first."""
    from importlib.metadata import entry_points  # 36 ms

    return [*OURS, *sorted({point.name for point in entry_points(group=GROUP)} - {*OURS})]


def check_runtime(name: str) -> None:
    """Raise ValueError unless there is an engine of the name; it says which there are."""
    if not isinstance(name, str):
        raise TypeError(f"runtime is the name of an engine, not {name!r}")
    if name not in OURS and name not in (names := runtime_names()):
        raise ValueError(f"there is no engine {name!r}; there are {', '.join(names)}")


def compiler(name: str) -> Compiler:
    """Return what compiles modules for an engine.

    Raises:
        ValueError: there is no engine of the name.
        ImportError: a plug-in cannot be imported.
    """
    check_runtime(name)
    if name == "wasmtime":
        from wasi_host.runtimes.wasmtime_choice import compile_module as wasmtime

        return wasmtime
    if name == "pywasm":
        from wasi_host.runtimes.pywasm import compile_module as pywasm

        return pywasm
    if name == "pywasm3":
        from wasi_host.runtimes.pywasm3 import compile_module as pywasm3

        return pywasm3
    from importlib.metadata import entry_points

    (point, *_) = entry_points(group=GROUP, name=name)
    found: Compiler = point.load()
    return found


class Outer(NamedTuple):
    """How an engine that an embedder set up takes host functions.

    Attributes:
        memory: returns a view of the memory of the guest that is just calling.
        shape: makes of functions, by module and name, what the engine wants.
        call: calls an exported function of an instance, without arguments.
    """

    memory: Callable[[], memoryview]
    shape: Callable[[dict[tuple[str, str], Callable[..., int]]], dict[str, dict[str, Any]]]
    call: Callable[[Any, str], object]


def outer(runtime: Any) -> Outer:
    """Return how a ``pywasm.Runtime`` or ``wasm3.Runtime`` takes host functions.

    Raises:
        TypeError: it is something else.
    """
    pywasm, wasm3 = sys.modules.get("pywasm"), sys.modules.get("wasm3")
    if pywasm is not None and isinstance(runtime, pywasm.Runtime):
        from wasi_host.runtimes import pywasm as for_pywasm

        return Outer(
            lambda: for_pywasm.callers_memory(runtime),
            lambda functions: for_pywasm.host_functions(runtime, functions),
            lambda instance, name: runtime.invocate(instance, name, []),
        )
    if wasm3 is not None and isinstance(runtime, wasm3.Runtime):
        from wasi_host.runtimes import pywasm3 as for_wasm3

        return Outer(
            lambda: for_wasm3.memory_of(runtime),
            for_wasm3.host_functions,
            lambda _instance, name: runtime.find_function(name)(),
        )
    raise TypeError(
        "imports() takes a pywasm.Runtime or a wasm3.Runtime; a wasmtime.Linker is given to "
        "add_to_linker(), and any other engine gets what functions() returns"
    )
