"""Wasmtime's C API, as far as we use it: the only raw ctypes to an engine.

The engine's shared library comes with the ``wasmtime`` package and is loaded without importing
that package (which costs more than everything of ours together). The symbols and sizes used
here were the same in the majors 47 to 50.

The library is opened twice. Bookkeeping calls go through ``PyDLL`` and keep the GIL, which is
faster; whatever may run guest code or take long (a call into the guest, instantiation with its
start section, compilation) goes through ``CDLL`` and releases it, so that other threads live.

Ownership, where it is not obvious: the engine takes over the config, value types and type
vectors; errors, traps, byte vectors and import or export lists are ours to free.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import byref, c_uint8, c_void_p
from functools import cache
from threading import Lock

from wasi_host.binding.memory import window
from wasi_host.binding.stub import Stubs
from wasi_host.runtimes.wasmtime_declarations import (
    DECLARATIONS,
    EPOCH_CALLBACK,
    FINALIZER,
    THUNK,
    ByteVec,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

#: One view over the address space. Making it touches nothing; it is the fastest way to the
#: arguments of a call, and guest memories are slices of it.
ALL: Final = memoryview((ctypes.c_char * (1 << 47)).from_address(0)).cast("B")

EXTERN_FUNC: Final = 0
EXTERN_MEMORY: Final = 3
EXTERN_SHARED_MEMORY: Final = 4
#: ``wasm_externtype_kind`` numbers types, not externs.
TYPE_FUNC: Final = 0
TYPE_MEMORY: Final = 3
TRAP_INTERRUPT: Final = 10
KIND_NUMBERS: Final = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}

SLOT_BYTES: Final = 16
INSTANCE_BYTES: Final = 16
EXTERN_BYTES: Final = 32
#: The union of an extern begins here: the address of a func or memory inside it.
EXTERN_PAYLOAD: Final = 8


class EngineNotFound(ImportError):
    """The ``wasmtime`` package, or its library for this machine, is not installed."""


@cache
def package_directory() -> str:
    """Return where the ``wasmtime`` package lies, without importing it; looked up once.

    Raises:
        EngineNotFound: it is not installed.
    """
    # What importlib.util.find_spec does for a top-level name, without its import (6 ms).
    for finder in sys.meta_path:
        spec = finder.find_spec("wasmtime", None)
        if spec is not None and spec.submodule_search_locations:
            return spec.submodule_search_locations[0]
    raise EngineNotFound("the engine is missing: install the package 'wasmtime' (47 or newer)")


@cache
def version() -> str:
    """Return the engine's version, read from the name of its ``dist-info`` directory.

    ``"unknown"`` where there is none (a source checkout). Looked up once: a package that is
    replaced later is not the one whose library was loaded.
    """
    for name in os.listdir(os.path.dirname(package_directory())):
        if name.startswith("wasmtime-") and name.endswith(".dist-info"):
            return name.removeprefix("wasmtime-").removesuffix(".dist-info")
    return "unknown"


def library_path() -> str:
    """Return the path of the engine's shared library for this machine.

    Raises:
        EngineNotFound: the package has none for this platform.
    """
    # The module ``platform`` would tell the same, and costs 4 ms to import.
    here = os.uname().machine if hasattr(os, "uname") else os.environ["PROCESSOR_ARCHITECTURE"]
    cpu = {"amd64": "x86_64", "arm64": "aarch64"}.get(here.lower(), here.lower())
    name = {"darwin": "_libwasmtime.dylib", "win32": "_wasmtime.dll"}.get(
        sys.platform, "_libwasmtime.so"
    )
    path = os.path.join(package_directory(), f"{sys.platform}-{cpu}", name)
    if not os.path.exists(path):
        raise EngineNotFound(f"the package 'wasmtime' has no library for {sys.platform}-{cpu}")
    return path


class Library:
    """The declared functions as attributes, without their ``wasmtime_`` prefix.

    Each is looked up when it is first used: a run uses a quarter of them.
    """

    def __init__(self) -> None:
        path = library_path()
        self._holding, self._releasing = ctypes.PyDLL(path), ctypes.CDLL(path)

    def __getattr__(self, name: str) -> Any:
        full = name if name in DECLARATIONS else f"wasmtime_{name}"
        if full not in DECLARATIONS:
            raise AttributeError(f"{name} is not declared in wasmtime_capi")
        result, arguments, releases = DECLARATIONS[full]
        function = getattr(self._releasing if releases else self._holding, full)
        function.restype = result
        function.argtypes = arguments
        setattr(self, name, function)
        return function

    def look_up_all(self) -> None:
        """Look up every function. AttributeError: the library lacks one."""
        for name in DECLARATIONS:
            getattr(self, name.removeprefix("wasmtime_"))

    def message_of_error(self, error: int) -> str:
        """Return the text of an error and free it."""
        vector = ByteVec()
        self.error_message(error, byref(vector))
        text = self._take_text(vector)
        self.error_delete(error)
        return text

    def message_of_trap(self, trap: int) -> tuple[str, int | None]:
        """Return the text (with the wasm backtrace) and code of a trap, and free it."""
        vector, code = ByteVec(), c_uint8()
        self.wasm_trap_message(trap, byref(vector))
        has_code = self.trap_code(trap, byref(code))
        text = self._take_text(vector).rstrip("\0")
        self.wasm_trap_delete(trap)
        return text, code.value if has_code else None

    def _take_text(self, vector: ByteVec) -> str:
        return self.take_bytes(vector).decode("utf-8", "replace")

    def take_bytes(self, vector: ByteVec) -> bytes:
        """Return the bytes of a vector that is ours, and free it."""
        data = ctypes.string_at(vector.data, vector.size) if vector.size else b""
        self.wasm_byte_vec_delete(byref(vector))
        return data


@cache
def number_types() -> dict[str, int]:
    """Return the engine's types of numbers, to compare others with; never freed."""
    lib = library()
    return {name: lib.wasm_valtype_new(number) for name, number in KIND_NUMBERS.items()}


def value_kind(kind: int) -> str:
    """Return the name of a value type: a number's, else ``"other"``."""
    lib = library()
    for name, number_type in number_types().items():
        if lib.wasm_valtype_equal(kind, number_type):
            return name
    return "other"


def text(vector: Any) -> str:
    """Return the text of a borrowed vector."""
    borrowed = vector.contents
    return ctypes.string_at(borrowed.data, borrowed.size).decode("utf-8", "replace")


def elements(vector: Any) -> list[int]:
    """Return the addresses in a vector of pointers."""
    if not vector.size:
        return []
    return list((c_void_p * vector.size).from_address(vector.data))


_library: Library | None = None
_lock = Lock()


def library() -> Library:
    """Return the engine's library, loaded at the first call.

    Raises:
        EngineNotFound: the package is not installed, or has no library for this machine.
    """
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = Library()
    return _library


def thunk(shim: Callable[..., int]) -> Any:
    """Return the C function pointer of a shim; it must be kept for ever."""
    return THUNK(shim)


def address(function: Any) -> int:
    """Return the address of a C function pointer."""
    value = ctypes.cast(function, c_void_p).value
    assert value is not None
    return value


def callback_address(function: Any) -> c_void_p:
    """Return the address of a C function pointer, for a call without conversions."""
    return c_void_p(address(function))


def finalizer(drop: Callable[[int], None]) -> Any:
    """Return the C function pointer called with ``env`` when a function is gone for good."""
    return FINALIZER(drop)


def epoch_callback(decide: Callable[..., int]) -> Any:
    """Return the C function pointer of a decision at an epoch check; to be kept for ever."""
    return EPOCH_CALLBACK(decide)


def stubs(module: str, convention: str) -> Stubs:
    """Return the shims of a module that read the engine's argument slots."""
    return Stubs(ALL, module, convention)


def guest_memory(base: int, size: int) -> memoryview:
    """Return a writable view of guest memory; it must not be used after the store is freed."""
    return window(ALL, base, size)


class Extern:
    """Room for one export.

    Attributes:
        address: where the engine writes it.
        payload: where the func or memory in it lies.
    """

    __slots__ = ("_buffer", "address", "payload")

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(EXTERN_BYTES)
        self.address = ctypes.addressof(self._buffer)
        self.payload = self.address + EXTERN_PAYLOAD

    @property
    def kind(self) -> int:
        """What the engine wrote: EXTERN_FUNC, EXTERN_MEMORY..."""
        return self._buffer.raw[0]

    @property
    def identity(self) -> bytes:
        """What tells this func or memory from any other of the process."""
        return self._buffer.raw[EXTERN_PAYLOAD:]


class Buffer:
    """Zeroed memory for the engine to write to."""

    __slots__ = ("_buffer", "address")

    def __init__(self, size: int, start: bytes = b"") -> None:
        self._buffer = ctypes.create_string_buffer(start, size)
        self.address = ctypes.addressof(self._buffer)

    def read(self, size: int) -> bytes:
        """Return the first bytes."""
        return self._buffer.raw[:size]


class OutPointer:
    """Room for a pointer that the engine returns; ``value`` is None where it is null."""

    __slots__ = ("_slot", "address")

    def __init__(self) -> None:
        self._slot = c_void_p()
        self.address = ctypes.addressof(self._slot)

    @property
    def value(self) -> int | None:
        """The pointer."""
        return self._slot.value


def pointers(values: list[int]) -> Any:
    """Return an array of pointers for the engine to read."""
    return (c_void_p * len(values))(*values)
