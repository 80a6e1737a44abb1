"""``Wasi``: the import provider, for programs that have an engine of their own.

It is a run without the engine: streams, directories, arguments and environment in, the
functions of WASI out, in the shape that an engine wants. One ``Wasi`` serves one instance.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from wasi_host.binding.context import Context, ValuesContext
from wasi_host.binding.memory import BlockMemory
from wasi_host.binding.shim import values_functions
from wasi_host.changes import Changes, changes_of_run
from wasi_host.errors import ProcExit, Stopped, Trap, foreign
from wasi_host.interrupts import Interruptible
from wasi_host.limits import Limits
from wasi_host.runtimes.engines import Outer, outer
from wasi_host.runtimes.wasmtime_choice import way
from wasi_host.runtimes.wasmtime_context import prepare_entry
from wasi_host.runtimes.wasmtime_linker import LinkerContext, define_all
from wasi_host.runtimes.wasmtime_public import PublicContext, define_public, trap_of
from wasi_host.sources import Source
from wasi_host.streams import Spec
from wasi_host.surroundings import DEFAULT_LIMITS, Surroundings, checked_setting
from wasi_host.world.clocks import Clock
from wasi_host.world.stdio import StreamSource
from wasi_spec.signatures import NAMES, PREVIEW1

if TYPE_CHECKING:
    from wasi_host.layers.layer import Layer, PerRun
    from wasi_host.layers.trace import Trace
    from wasi_host.world.sockets import SocketSource

__all__ = ["ProcExit", "Wasi"]


class Wasi:
    """The functions of WASI preview 1 for one instance on an engine of yours.

    Args:
        args: the whole command line, ``args[0]`` included, as in wasmtime-py.
        env: the environment; empty by default.
        dirs: guest path -> source, as in ``wasi_host.run``.
        stdin: bytes or str (the input itself), a file object, a descriptor, a path object, a
            function, ``PIPE``, ``DEVNULL``; None inherits. Empty by default.
        stdout: a file object, a descriptor, a path, a function, ``DEVNULL``, ``PIPE`` (collected
            in ``stdout``); None inherits.
        stderr: as ``stdout``; also ``STDOUT``.
        limits: ``open_files`` counts; the memory is your engine's matter.
        rights: as in ``Sandbox``.
        sockets: listening or connected sockets the guest may use, as in ``Sandbox``.
        tty: whether the guest is told that its standard streams are terminals; None: as they are.
        clock, seed: as in ``Sandbox``; the clock begins as this is made.
        trace, layers: as in ``wasi_host.run``.

    Raises:
        TypeError, ValueError: an argument of the wrong kind, or out of range.
        FileNotFoundError, NotADirectoryError: a directory is missing.
    """

    def __init__(
        self,
        args: Iterable[str | bytes | os.PathLike[str]] = (),
        env: Mapping[str, str] | None = None,
        dirs: Mapping[str, Source] | None = None,
        stdin: StreamSource = b"",
        stdout: StreamSource = None,
        stderr: StreamSource = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        rights: str | int = "grant",
        sockets: "Iterable[SocketSource]" = (),
        tty: bool | None = None,
        clock: Clock | None = None,
        seed: int | None = None,
        trace: "bool | Trace" = False,
        layers: "Iterable[Layer | PerRun]" = (),
    ) -> None:
        if isinstance(args, str | bytes):
            raise TypeError("args is a list of words, the program's name first")
        setting = checked_setting(
            dirs=dirs, env=env, limits=limits, rights=rights, sockets=sockets, clock=clock,
            seed=seed,
        )  # fmt: skip
        words = [os.fspath(word) for word in args]
        self._closed = False
        self._context: Context | None = None
        self._outer: Outer | None = None
        self._stores: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        spec = Spec(stdin, stdout, stderr, None, None, tty)
        self._around = Surroundings(setting, words, spec, trace=trace, layers=layers)
        self._streams = self._around.streams
        self._exit_code: int | None = None

    # Giving the functions to an engine

    def add_to_linker(self, linker: Any) -> None:
        """Define all functions of ``wasi_snapshot_preview1`` and ``wasi_unstable``.

        Args:
            linker: a ``wasmtime.Linker``; call this before ``linker.instantiate``.

        Raises:
            RuntimeError: this ``Wasi`` is in use already, or the linker has such functions.
        """
        if way() == "raw":
            raw = self._use(LinkerContext())
            define_all(linker, raw)
        else:
            define_public(linker, self._use(PublicContext()))
        # An instance does not know its store, and ``start`` needs it.
        instantiate = linker.instantiate

        def remembering(store: Any, module: Any) -> Any:
            instance = instantiate(store, module)
            self._stores[instance] = store
            return instance

        linker.instantiate = remembering

    def functions(self, memory: Any, module: str = PREVIEW1) -> dict[str, Callable[..., int]]:
        """Return the functions as callables on plain integers, for any engine.

        Args:
            memory: an object with ``view() -> memoryview`` (writable), or with
                ``read(address, size) -> bytes``, ``write(address, data)`` and ``size()``; or a
                function that returns one of these, asked at the first call; None: not yet.
            module: ``"wasi_snapshot_preview1"`` or ``"wasi_unstable"``.

        Returns:
            By name: takes the integers of the core signature, signed or not, and returns the
            errno. ``ProcExit`` leaves ``proc_exit``; a mistake of a host object leaves as it is.
        """
        context = self._use(ValuesContext(_Memory(memory).look))
        return values_functions(context, module)

    def imports(self, runtime: Any) -> dict[str, dict[str, Any]]:
        """Return the functions of both modules in the shape of an engine.

        Args:
            runtime: a ``pywasm.Runtime``; the values are what its ``imports`` holds,
                ``runtime.imports.update(wasi.imports(runtime))``. Or a ``wasm3.Runtime``; the
                values are the last arguments of ``link_function``,
                ``module.link_function(name, field, *wasi.imports(runtime)[name][field])``.

        Returns:
            Module name -> function name -> host function. ``ProcExit`` leaves them on
            ``proc_exit``; ``start`` makes the exit code of it.

        Raises:
            TypeError: another engine's object.
            RuntimeError: this ``Wasi`` is in use already.
        """
        found = outer(runtime)
        context = self._use(ValuesContext(found.memory))
        self._outer = found
        return found.shape(
            {
                (module, name): function
                for module in NAMES
                for name, function in values_functions(context, module).items()
            }
        )

    def _use(self, context: Any) -> Any:
        if self._closed:
            raise RuntimeError("this Wasi is closed")
        if self._context is not None:
            raise RuntimeError("one Wasi serves one instance: make another Wasi for another one")
        context.host = self._around.served
        self._context = context
        return context

    # Running the guest

    def start(self, instance: Any, store: Any = None) -> int:
        """Run ``_start`` of an instance and return the exit code.

        Args:
            instance: a ``wasmtime.Instance`` made from the linker given to ``add_to_linker``; a
                ``pywasm.ModuleInst``; with wasm3 the module that was loaded.
            store: its store; needed only where another way than ``linker.instantiate`` was used.

        Raises:
            ValueError: no ``_start``, or not ``() -> ()``; the store is not known.
            Trap: the guest trapped.
            KeyboardInterrupt: Ctrl-C, after the guest was stopped.
            Exception: what a stream or hook of the user's raised; the guest saw an errno.
            Divergence: a replay whose recording goes on.
        """
        if self._exit_code is not None:
            raise RuntimeError("this instance has ended: _start runs once")
        code = 0
        try:
            self._call(instance, store, "_start")
        except ProcExit as end:
            code = end.code
        self._exit_code = code
        self._around.finish()
        failure = self._around.take_failure()
        if failure is not None:
            raise failure
        return code

    def initialize(self, instance: Any, store: Any = None) -> None:
        """Run ``_initialize`` of a reactor, if it has one; calling its exports needs no more."""
        store = self._store_of(instance, store)
        if instance.exports(store).get("_initialize") is not None:
            self._call(instance, store, "_initialize")

    def _store_of(self, instance: Any, store: Any) -> Any:
        store = store if store is not None else self._stores.get(instance)
        if store is None:
            raise ValueError("the instance's store is not known: give it, start(instance, store)")
        return store

    def _call(self, instance: Any, store: Any, name: str) -> None:
        if self._outer is not None:
            self._call_outer(self._outer, instance, name)
            return
        store = self._store_of(instance, store)
        context = self._context
        if context is None:
            raise RuntimeError("call add_to_linker before the instance is made")
        function = instance.exports(store).get(name)
        kind = function.type(store) if hasattr(function, "type") else None
        if kind is None or not hasattr(kind, "params") or kind.params or kind.results:
            raise ValueError(f"the instance exports no function {name!r} of type () -> ()")
        prepare_entry()
        with Interruptible(self.stop):
            try:
                function(store)
            except Exception as error:
                self._settle(context, error)

    def _call_outer(self, engine: Outer, instance: Any, name: str) -> None:
        failures: list[Exception] = []
        with Interruptible(self.stop):
            try:
                with foreign(failures.append):
                    engine.call(instance, name)
            except OSError as error:
                raise Trap(str(failures[0]) if failures else str(error)) from error
            except Stopped as end:
                if end.reason != "interrupt":  # else the signal's handler raises
                    raise

    def _settle(self, context: Context, error: Exception) -> None:
        """Raise what ended the guest instead of what the package made of it."""
        pending, context.pending = context.pending, None
        if isinstance(pending, Stopped) and pending.reason == "interrupt":
            return  # the signal's handler raises
        if pending is not None:
            raise pending from None
        raise trap_of(error) from None

    def stop(self, reason: str = "killed") -> None:
        """End the guest at its next call, or the wait it is in. From any thread."""
        if self._context is not None:
            self._context.stop(reason)
        self._around.stop(reason)

    # What came of it

    @property
    def exit_code(self) -> int | None:
        """The exit code, once the guest has ended; also after calls of its exports by hand."""
        pending = self._context.pending if self._context is not None else None
        if self._exit_code is None and isinstance(pending, ProcExit):
            return pending.code
        return self._exit_code

    @property
    def stdout(self) -> bytes | str | None:
        """What was collected, with ``stdout=PIPE``."""
        return self._streams.captured(1)

    @property
    def stderr(self) -> bytes | str | None:
        """What was collected, with ``stderr=PIPE``."""
        return self._streams.captured(2)

    @property
    def changes(self) -> Changes:
        """What is different by now in overlays and trees in memory, at guest paths."""
        return changes_of_run(self._around.watched)

    @property
    def trace(self) -> "Trace | None":
        """The calls so far, with ``trace=``."""
        observers = self._around.observers
        return None if observers is None else observers.trace

    def close(self) -> None:
        """Close streams and directories; the guest's later calls end it. Twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._around.finished = self.exit_code is not None
        self.stop("closed")
        if self._context is not None:
            self._context.pending = None
        self._around.close()

    def __enter__(self) -> "Wasi":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Memory:
    """What an embedder gave as memory, in the form that a context asks for."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self._blocks: BlockMemory | None = None

    def look(self) -> memoryview | BlockMemory:
        if self._blocks is not None:
            return self._blocks
        given = self._given
        if callable(given) and not hasattr(given, "view") and not hasattr(given, "read"):
            given = given()
            if given is None:
                raise RuntimeError(
                    "the guest's memory cannot be seen yet: its start section calls WASI, and "
                    "this engine shows the memory afterwards"
                )
            self._given = given
        if hasattr(given, "view"):
            return memoryview(given.view()).cast("B")
        if all(hasattr(given, name) for name in ("read", "write", "size")):
            self._blocks = BlockMemory(given)
            return self._blocks
        raise TypeError(
            "memory has view() -> memoryview, or read(address, size), write(address, data) and "
            f"size(); {type(given).__name__} has neither"
        )
