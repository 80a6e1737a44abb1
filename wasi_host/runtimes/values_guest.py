"""What guests have in common on engines that call with plain integers.

An adapter for such an engine is a ``ValuesModule`` and a ``ValuesInstance``, which say how it makes
an instance, calls a function and shows the memory; all the rest is here: how a guest ends, what
its memory and its time may be, and who may call it when.

What such an engine lacks is said, not left out: counting fuel is refused, and so is what it
cannot load. Memory and tables are limited by what the module itself says is their greatest size,
which is lowered. Where an engine cannot be stopped while it computes, a warning says so.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any, ClassVar, NoReturn

from wasi_host.binding.context import StoppedHost, ValuesContext
from wasi_host.binding.shim import values_functions
from wasi_host.errors import NotAWasiModule, Stopped, Trap, foreign
from wasi_host.runtimes.contract import (
    Export,
    Import,
    Mode,
    check_arguments,
    check_imports,
)
from wasi_host.runtimes.sections import PAGE, TABLE_ENTRY, read_sections
from wasi_host.runtimes.wasmtime_engine import validate
from wasi_spec.signatures import NAMES

__all__ = ["Functions", "ValuesBinding", "ValuesInstance", "ValuesModule"]

#: By module and name: takes integers, returns the errno; what ends the guest is in the context.
Functions = dict[tuple[str, str], Callable[..., int]]


class Unwind(Exception):
    """Raised into the engine, so that it unwinds the guest; the cause is in the context."""


class GuestContext(ValuesContext):
    """The context of one instance; ``show`` returns its memory as it is now, once there is one."""

    __slots__ = ("show",)

    def __init__(self) -> None:
        super().__init__(self._look)
        self.show: Callable[[], memoryview] | None = None

    def _look(self) -> memoryview:
        return memoryview(bytearray()) if self.show is None else self.show()

    def functions(self) -> Functions:
        """Return all functions that a guest may import."""
        return {
            (module, name): self._served(function)
            for module in NAMES
            for name, function in values_functions(self, module).items()
        }

    def _served(self, function: Callable[..., int]) -> Callable[..., int]:
        def call(*arguments: int) -> int:
            try:
                return function(*arguments)
            except BaseException as error:
                if self.pending is None:
                    self.pending = error
                raise Unwind from None

        return call


class ValuesModule(ABC):
    """A module for an engine that calls with plain integers.

    Args:
        wasm: the module.
        mode: how it is to be run.

    Raises:
        NotAWasiModule: it is not valid, or the engine cannot load it.
        ValueError: the mode asks for what the engine has not.
    """

    #: The engine's name, and whether it can be stopped while it computes.
    name: ClassVar[str]
    stoppable: ClassVar[bool] = False

    def __init__(self, wasm: bytes, mode: Mode) -> None:
        if mode.fuel:
            raise ValueError(f"{self.name} counts no fuel: leave Limits.fuel out")
        if mode.pooling is not None:
            raise ValueError(f"{self.name} has no pools")
        if mode.epochs and not self.stoppable:
            warnings.warn(
                f"{self.name} cannot be stopped while it computes: a timeout, a kill or Ctrl-C "
                "ends the guest at its next call of WASI",
                RuntimeWarning,
                stacklevel=2,
            )
        validate(wasm)
        self.mode = mode
        self.room = mode.stack
        self.wasm = wasm
        self.sections = read_sections(wasm)
        self.imports: list[Import] = self.sections.imports
        self.exports: dict[str, Export] = self.sections.exports

    def bind(self) -> "ValuesBinding":
        """Check the imports; they are defined anew for each instance."""
        return ValuesBinding(self)

    def require_room(self, memory_limit: int) -> None:
        """Raise NotAWasiModule where the module starts larger than a limit of bytes."""
        for what, sizes, unit in (
            ("memory", self.sections.memories, PAGE),
            ("table", self.sections.tables, TABLE_ENTRY),
        ):
            if any(size.least * unit > memory_limit for size in sizes):
                raise NotAWasiModule(
                    f"its {what} is larger at the start than Limits.memory allows ({memory_limit})"
                )

    @abstractmethod
    def instance(self, context: GuestContext, memory_limit: int) -> "ValuesInstance":
        """Return a fresh instance."""


class ValuesBinding:
    """See ``contract.Binding``; it keeps nothing between instances."""

    def __init__(self, module: ValuesModule) -> None:
        check_imports(module.imports)
        self._module = module
        self._instance: ValuesInstance | None = None
        self.context = GuestContext()
        self.light = False
        self.fuel = self.fuel_used = self.first_size = self.memory_size = 0

    def serve(self, host: object) -> None:
        """Take the host of the next instance."""
        self.context = GuestContext()
        self.context.host = host

    def instantiate(self, memory_limit: int) -> "ValuesInstance":
        """Return a fresh instance, after its start section."""
        self._module.require_room(memory_limit)
        if isinstance(self.context.host, StoppedHost):
            raise Stopped(self.context.host.reason)
        self._instance = self._module.instance(self.context, memory_limit)
        try:
            self._instance.begin()
        except BaseException:
            self._instance.close()
            raise
        return self._instance

    def run(self, memory_limit: int) -> None:
        """Run ``_start`` in a fresh instance and free it."""
        self.memory_size = 0
        instance = self.instantiate(memory_limit)
        self.first_size = instance.memory_size
        try:
            instance.start()
        finally:
            self.memory_size = instance.memory_size
            instance.close()

    def stop(self, reason: str) -> None:
        """Make the live instance end. From any thread."""
        self.context.stop(reason)
        if self._instance is not None:
            self._instance.halt(reason)

    def lighten(self) -> None:
        """Do nothing: there is nothing that only further instances need."""

    def detach(self) -> None:
        """Forget the run that is over."""
        self.context.host = None
        self._instance = None


class ValuesInstance(ABC):
    """One live guest; see ``contract.Instance``.

    Neither engine can be entered while it is running: a host function that calls the guest again
    gets a RuntimeError.
    """

    def __init__(self, module: ValuesModule, context: GuestContext) -> None:
        self.context = context
        self._exports = module.exports
        self._busy = RLock()
        self._running = False
        self._closed = False

    # What an adapter says

    @abstractmethod
    def instantiate(self) -> None:
        """Make the engine's instance, and run the start section."""

    @abstractmethod
    def invoke(self, name: str, numbers: Sequence[int | float]) -> Sequence[int | float]:
        """Call an export; the numbers are signed, of the types it takes."""

    @abstractmethod
    def view(self) -> memoryview:
        """Return a writable view of the memory as it is now; empty where there is none."""

    def halt(self, reason: str) -> None:  # noqa: B027  most engines cannot
        """Stop the guest while it computes, where the engine can. From any thread."""

    def trap_of(self, error: Exception) -> Exception:
        """Return what an exception of the engine's means: a trap, or a module it cannot run."""
        return Trap(f"{type(error).__name__}: {error}".rstrip(": "))

    @abstractmethod
    def free(self) -> None:
        """Let go of the engine's instance."""

    # What all have

    @property
    def exports(self) -> Mapping[str, Export]:
        """What the module exports."""
        return self._exports

    @property
    def memory(self) -> memoryview:
        """A writable view of the memory; it must be gone before the guest runs again."""
        if self._closed:
            raise RuntimeError("this instance is closed")
        return self.view()

    @property
    def memory_size(self) -> int:
        """The memory's size in bytes; 0 without one."""
        if self._closed:
            return 0
        with self.view() as view:
            return len(view)

    def begin(self) -> None:
        """Make the instance; runs the start section."""
        self.context.show = self.view
        self._guarded(self.instantiate)

    def start(self) -> None:
        """Call ``_start``."""
        self.call("_start")

    def call(self, name: str, *arguments: int | float) -> Sequence[int | float]:
        """Call an exported function; see ``wasmtime.Instance.call``."""
        if self._closed:
            raise RuntimeError("this instance is closed")
        export = self._exports.get(name)
        if export is None or export.type is None:
            raise AttributeError(f"the module exports no function {name!r}")
        numbers = check_arguments(export.type, arguments)
        return self._guarded(lambda: self.invoke(name, numbers))  # type: ignore[no-any-return]

    def _guarded(self, enter: Callable[[], Any]) -> Any:
        """Enter the guest; raise what ended it."""
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread")
        failures: list[Exception] = []
        try:
            if self._running:
                raise RuntimeError("this engine cannot be called from a call of its own")
            self._running = True
            try:
                with foreign(failures.append):
                    return enter()
            except OSError as error:
                failures = failures or [error]
            finally:
                self._running = False
        finally:
            self._busy.release()
        self._raise(failures[0])

    def _raise(self, error: Exception) -> NoReturn:
        pending, self.context.pending = self.context.pending, None
        if pending is not None:
            raise pending from None
        if isinstance(error, NotAWasiModule):
            raise error
        raise self.trap_of(error) from None

    def close(self) -> None:
        """Free the guest; twice is harmless."""
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("this instance is running in another thread: it cannot be closed")
        try:
            if self._running:
                raise RuntimeError("this instance is running: it cannot be closed from inside")
            if not self._closed:
                self._closed = True
                self.context.show = None
                self.free()
        finally:
            self._busy.release()
