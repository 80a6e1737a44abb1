"""From what a user names (a path, bytes, text) to a module ready to run.

A ``Module`` keeps the free bindings of each way it was compiled (with and without epoch
checks), so that the second run binds nothing. ``load`` keeps the last 16 modules by path, size,
times and inode, so that running a path again neither reads nor compiles.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from threading import Lock

from wasi_host.cache import (
    SMALLEST,
    Cache,
    FileIdentity,
    default_directory,
    digest,
    identity,
    settled,
)
from wasi_host.errors import NotAWasiModule
from wasi_host.runtimes.contract import Binding, Compiled, FunctionType, Mode
from wasi_host.runtimes.engines import check_runtime, compiler
from wasi_host.runtimes.wasmtime_choice import compile_module, load_compiled, way
from wasi_host.runtimes.wasmtime_engine import (
    CompiledModule,
    settings,
    wat_to_wasm,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

__all__ = ["Mode", "Module", "NotAWasiModule", "check_runtime", "load"]

#: How many modules are kept, and how many free bindings of each.
KEPT_MODULES: Final = 16
KEPT_BINDINGS: Final = 32

_CORE: Final = b"\0asm\x01\0\0\0"
_START: Final = FunctionType((), ())


class Module:
    """A WASI program or reactor; compiled when it is first used, or taken from the cache.

    Args:
        source: a path to a ``.wasm``, ``.wat`` or ``.cwasm`` file, or the bytes of one of the
            first two. A ``.cwasm`` is native code: give only one you trust.
        name: what messages call it, and the guest's ``argv[0]`` by default.
        cache: whether compiled code is kept in, and taken from, the cache directory
            (``~/.cache/wasi_host``, or what the variable WASI_HOST_CACHE says).

    Raises:
        FileNotFoundError, PermissionError, IsADirectoryError: the path cannot be read.
        NotAWasiModule: it is something else; the message says what, and what to do.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        name: str | None = None,
        *,
        cache: bool = True,
    ) -> None:
        self._cache = Cache(default_directory() if cache else None)
        self._file: FileIdentity | None = None
        self._wasm: bytes | None = None
        self._variants: dict[Mode, Variant] = {}
        self._lock = Lock()
        if isinstance(source, bytes | bytearray | memoryview):
            self.name = name or "module"
            self._wasm = recognise(bytes(source), self.name)
            return
        path = os.fspath(source)
        self.name = name or os.path.basename(path)
        self._file = identity(path)
        if not self.precompiled and not self._noted():
            self._read()

    @property
    def wasm(self) -> bytes:
        """The module itself.

        Raises:
            ValueError: it is precompiled.
        """
        if self.precompiled:
            raise ValueError(f"{self.name} is precompiled: it belongs to this machine")
        return self._read()

    @property
    def precompiled(self) -> bool:
        """Whether it is a ``.cwasm`` file."""
        return self._file is not None and self._file.path.endswith(".cwasm")

    def _noted(self) -> bool:
        """Tell whether the cache knows this file, so that it need not be read."""
        return self._file is not None and any(
            self._cache.name_for(self._file, settings(Mode(epochs))) for epochs in (False, True)
        )

    def _settled(self) -> bool:
        return self._file is not None and settled(self._file)

    def _read(self) -> bytes:
        if self._wasm is None:
            assert self._file is not None
            with open(self._file.path, "rb") as file:
                self._wasm = recognise(file.read(), self.name)
        return self._wasm

    def __reduce__(self) -> tuple[type[Module], tuple[str | bytes, str]]:
        if self.precompiled and self._file is not None:
            return Module, (self._file.path, self.name)
        return Module, (self._read(), self.name)

    def __repr__(self) -> str:
        return f"Module({self.name!r})"

    def variant(self, mode: Mode) -> Variant:
        """Return the module compiled for a mode; compiled at the first call.

        Raises:
            NotAWasiModule: the engine refuses it, or it imports what is not in WASI preview1.
        """
        variant = self._variants.get(mode)
        if variant is None:
            with self._lock:
                variant = self._variants.get(mode)
                if variant is None:
                    variant = self._variants[mode] = self._prepare(mode)
        return variant

    def _prepare(self, mode: Mode) -> Variant:
        try:
            compiled = self._compiled(mode)
        except NotAWasiModule as error:
            raise NotAWasiModule(f"{self.name}: {error}") from None
        try:
            variant = Variant(compiled)
        except NotAWasiModule as error:
            raise NotAWasiModule(f"{self.name}: {error}\n{_advice(compiled)}") from None
        _check_memory(compiled, self.name)
        return variant

    def _compiled(self, mode: Mode) -> Compiled:
        if self.precompiled and self._file is not None:
            if mode.runtime != "wasmtime":
                raise NotAWasiModule(f"precompiled for wasmtime: {mode.runtime} cannot load it")
            return load_compiled(self._file.path, mode)
        if mode.runtime != "wasmtime":
            return compiler(mode.runtime)(self._read(), mode)
        if self._cache.directory is None or way() != "raw":
            return compile_module(self._read(), mode)
        wanted = settings(mode)
        name = self._cache.name_for(self._file, wanted) if self._file is not None else None
        if name is None and len(self._read()) < SMALLEST and not self._settled():
            return compile_module(self._read(), mode)
        if name is None:
            name = digest(self._read(), wanted)
            if self._file is not None:
                self._cache.note_file(self._file, wanted, name)
        found = self._cache.find(name)
        if found is not None:
            try:
                return load_compiled(found, mode)
            except NotAWasiModule:
                pass  # of another engine, or damaged: made anew
        compiled = compile_module(self._read(), mode)
        if isinstance(compiled, CompiledModule):
            self._cache.keep(name, compiled.serialize())
        return compiled


class Variant:
    """A module compiled one way, and its free bindings.

    ``list.pop`` and ``append`` are atomic: no lock, and no binding belongs to a thread.
    """

    __slots__ = ("_out", "compiled", "free")

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.free = [compiled.bind()]
        self._out: set[int] = set()

    def take(self) -> Binding:
        """Return a binding for one instance; give it back with ``give``."""
        try:
            binding = self.free.pop()
        except IndexError:
            binding = self.compiled.bind()
        self._out.add(id(binding))
        return binding

    def spare(self, binding: Binding) -> None:
        """Free what a live instance does not need, where more live than bindings are kept."""
        if len(self._out) > KEPT_BINDINGS:
            binding.lighten()

    def give(self, binding: Binding) -> None:
        """Keep a binding whose instance is closed."""
        self._out.discard(id(binding))
        if len(self.free) < KEPT_BINDINGS and not binding.light:
            self.free.append(binding)

    def require_command(self, name: str) -> None:
        """Raise NotAWasiModule unless the module has a proper ``_start``."""
        start = self.compiled.exports.get("_start")
        if start is None:
            raise NotAWasiModule(
                f"{name}: exports no _start, so it is no command; a reactor's functions are "
                "called with Sandbox(...).instantiate(), or with --invoke"
            )
        if start.type != _START:
            what = f"a function {start.type}" if start.type is not None else "no function"
            raise NotAWasiModule(f"{name}: its _start is {what}, it must be () -> ()")


def _check_memory(module: Compiled, name: str) -> None:
    memory = module.exports.get("memory")
    if memory is None or memory.kind != "memory":
        others = [key for key, export in module.exports.items() if export.kind == "memory"]
        instead = f" (it exports one as {others[0]!r})" if others else ""
        raise NotAWasiModule(
            f"{name}: a WASI module exports its memory as 'memory', this one does not{instead}"
        )
    if memory.flaw is not None:
        raise NotAWasiModule(f"{name}: its memory {memory.flaw}, which preview1 does not support")


def _advice(module: Compiled) -> str:
    """Say what a module with foreign imports probably is."""
    modules = {item.module for item in module.imports}
    if any(name.startswith(("wasi:", "cm32p2")) for name in modules):
        return "It is made for WASI 0.2: build it for wasm32-wasip1 (preview 1)."
    if any(name.startswith("wasix") for name in modules):
        return "It is made for WASIX: build it for wasm32-wasip1 (preview 1)."
    if modules & {"env", "a"} or any("emscripten" in item.name for item in module.imports):
        return (
            "It looks like Emscripten's output for JavaScript: build it with -sSTANDALONE_WASM, "
            "or for wasm32-wasip1."
        )
    if "gojs" in modules or "go" in modules:
        return "It is Go's output for JavaScript: build it with GOOS=wasip1."
    return "Only functions of WASI preview 1 are served."


def recognise(data: bytes, name: str) -> bytes:
    """Return the bytes of a core module, translated where they are text.

    Raises:
        NotAWasiModule: they are something else, which the message names.
    """
    if data.startswith(_CORE):
        return data
    if data.startswith(b"\0asm"):
        if len(data) < 8:
            raise NotAWasiModule(f"{name}: a WebAssembly file cut off within its header")
        if data[6:8] == b"\x01\0":
            raise NotAWasiModule(
                f"{name}: a WebAssembly component (WASI 0.2 or newer); this is a host for "
                "preview 1: build it for wasm32-wasip1"
            )
        number = int.from_bytes(data[4:6], "little")
        raise NotAWasiModule(f"{name}: WebAssembly version {number}; known is version 1")
    if not data:
        raise NotAWasiModule(f"{name}: the file is empty")
    start = data[:4096].lstrip()
    if start.startswith((b"(", b";;")):
        try:
            return wat_to_wasm(data)
        except NotAWasiModule as error:
            raise NotAWasiModule(f"{name}: {error}") from None
    if data.startswith(b"\x7fELF"):
        raise NotAWasiModule(
            f"{name}: a native program, or a precompiled module (whose name must end in .cwasm)"
        )
    raise NotAWasiModule(f"{name}: not WebAssembly (it begins with {data[:4]!r})")


class _Cache:
    """The last modules, by what identifies them."""

    def __init__(self) -> None:
        self._modules: OrderedDict[tuple[object, ...], Module] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> Module | None:
        with self._lock:
            module = self._modules.get(key)
            if module is not None:
                self._modules.move_to_end(key)
            return module

    def put(self, key: tuple[object, ...], module: Module) -> None:
        with self._lock:
            self._modules[key] = module
            if len(self._modules) > KEPT_MODULES:
                self._modules.popitem(last=False)


_cache: Final = _Cache()


def load(source: str | os.PathLike[str] | bytes | Module) -> Module:
    """Return the module of a source, from the last 16 where it is among them.

    Raises:
        TypeError: the source is none of path, bytes, ``Module``.
        FileNotFoundError, PermissionError, IsADirectoryError: the path cannot be read.
        NotAWasiModule: it is something else.
    """
    if isinstance(source, Module):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return _remember((data,), data)
    if not isinstance(source, str | os.PathLike):
        raise TypeError(
            f"a module is a path, bytes or a wasi_host.Module, not {type(source).__name__}"
        )
    path = os.fspath(source)
    return _remember(identity(path), path)


def _remember(key: tuple[object, ...], source: str | bytes) -> Module:
    module = _cache.get(key)
    if module is None:
        module = Module(source)
        _cache.put(key, module)
    return module
