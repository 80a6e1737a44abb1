"""``Pool``: a fresh instance for every request, in tens of microseconds.

Theory of operation
===================

A run has three parts that cost: binding the module's imports, making the instance's memory, and
making what the guest has around it. A pool does each once and puts back what a guest changed.

* **Bindings** are kept, as everywhere (``modules``).
* **Memory** comes from the engine's pooling allocator: places that are mapped once and cleaned
  after use, with the module's data shared between them until it is written to.
* **Surroundings**: guests without directories, by far most of those that serve requests, need
  only streams, arguments and environment. These are renewed (``surroundings.Renewable``). Guests
  with directories get them anew for each run.

Nothing of a run is left to the next: the memory is the engine's fresh copy, descriptors and
streams are put back or made anew, exit state and exceptions belong to the run.

Where there is no address space for a pool, where all places are taken, or where a module is too
large for a place, instances are made on demand, as in ``Sandbox.run``; the first and the last
are told by a warning.
"""

import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from os import fspath
from time import perf_counter
from typing import Any, Final

from wasi_host.command_line import Word
from wasi_host.errors import ProcExit, Stopped, Trap
from wasi_host.guest import Recipe
from wasi_host.interrupts import Interruptible, hold, release
from wasi_host.limits import GIB, grew_to_limit
from wasi_host.modules import NotAWasiModule, Variant
from wasi_host.preview1 import encode_args, encode_environ
from wasi_host.results import ENDED, PIPE, TRAPPED, CompletedRun
from wasi_host.runtimes.contract import PoolFull
from wasi_host.runtimes.wasmtime_choice import way
from wasi_host.runtimes.wasmtime_pooling import room_for
from wasi_host.sandbox import Sandbox
from wasi_host.stacks import call_with_room
from wasi_host.surroundings import Renewable

#: The engine's places come in such numbers, so that pools of like size share an engine.
_LEAST_PLACES: Final = 128
_ALL: Final = 4 * GIB


class Pool:
    """Runs a sandbox's module again and again, each time in a fresh instance. A context manager.

    It may be used by many threads at once. From the first run on the main thread until it is
    closed, the handlers of SIGINT, SIGTERM and SIGALRM are stood in for: the stand-in calls them,
    at once, or after the guest that it stopped (see ``interrupts``).

    Args:
        sandbox: what to run.
        size: how many instances at a time the pool is for, 1 or more. More are served, on
            demand and more slowly.

    Raises:
        TypeError, ValueError: as given.
        NotAWasiModule: the module is no command.
    """

    def __init__(self, sandbox: Sandbox, size: int = 16) -> None:
        if not isinstance(sandbox, Sandbox):
            raise TypeError(f"a Pool is made of a Sandbox, not of a {type(sandbox).__name__}")
        if not isinstance(size, int):
            raise TypeError(f"size is how many instances run at a time, not {size!r}")
        if size < 1:
            raise ValueError(f"size must be at least 1, not {size}")
        self.size = size
        self._closed = self._holding = False
        self._on_demand = sandbox
        self._pooled = _pooled(sandbox, size)
        recipe = self._pooled.recipe
        self._variant = _variant(recipe)
        self._variant.require_command(recipe.module.name)
        limits = recipe.setting.limits
        counted = limits.timeout is not None or limits.fuel is not None
        self._fast = Renewable.serves(recipe.setting) and not counted
        self._name = encode_args([recipe.module.name])
        self._module, self._environ = self._pooled.module, recipe.setting.environ
        self._free = [_Slot(recipe, self._variant)] if self._fast else []

    def run(
        self,
        argv: Iterable[Word] = (),
        *,
        input: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        capture_output: bool = False,
        check: bool = False,
        **others: Any,
    ) -> CompletedRun:
        """Run the module once, in a fresh instance.

        As ``Sandbox.run``, except that standard input is empty and standard output and error
        are captured, unless something else is said.

        Args:
            argv: the arguments after the program's name.
            input: its standard input.
            env: its environment; None: the sandbox's.
            capture_output: as in ``subprocess``; where no stream is given, nothing is changed.
            check: raise unless the exit code is 0.
            **others: further keywords of ``Sandbox.run``.

        Raises:
            RuntimeError: the pool is closed.
            Exception: as ``Sandbox.run``.
        """
        if self._closed:
            raise RuntimeError("this pool is closed")
        if others or not self._fast or isinstance(input, str):
            return self._run_any(
                argv, input=input, env=env, check=check, capture_output=capture_output, **others
            )
        words = [fspath(word) for word in argv]
        args = self._name + encode_args(words)
        environ = self._environ if env is None else encode_environ(env)
        if not self._holding:
            self._holding = hold()
        try:
            slot = self._free.pop()
        except IndexError:
            slot = _Slot(self._pooled.recipe, self._variant)
        try:
            result = slot.run(
                [self._module, *words], args, environ, b"" if input is None else input
            )
        except PoolFull:
            return self._on_demand.run(
                words, input=input, env=env, check=check, capture_output=True
            )
        finally:
            if len(self._free) < self.size and not self._closed:
                self._free.append(slot)
            else:
                slot.close()
        if check:
            result.check_returncode()
        return result

    def _run_any(self, argv: Iterable[Word], **options: Any) -> CompletedRun:
        if not options.get("capture_output"):
            for stream in ("stdout", "stderr"):
                if options.get(stream) is None:
                    options[stream] = PIPE
        if options.get("input") is None and options.get("stdin") is None:
            options["stdin"] = b""
        words = list(argv)
        try:
            return self._pooled.run(words, **options)
        except PoolFull:
            return self._on_demand.run(words, **options)

    def close(self) -> None:
        """Give back what is kept ready; runs under way end as they would. Twice is harmless."""
        if self._closed:
            return
        self._closed = True
        if self._holding:
            release()
        while self._free:
            self._free.pop().close()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Slot:
    """A binding, and the surroundings of one guest after the other."""

    __slots__ = ("_around", "_binding", "_enter", "_memory", "_stack", "_variant")

    def __init__(self, recipe: Recipe, variant: Variant) -> None:
        self._around = Renewable(recipe.setting, recipe.runtime)
        self._variant = variant
        self._binding = variant.take()
        self._stack = variant.compiled.room
        self._memory = min(recipe.setting.limits.memory, _ALL)
        self._enter = partial(self._binding.run, self._memory)

    def run(
        self, given: list[object], args: list[bytes], environ: list[bytes], data: bytes
    ) -> CompletedRun:
        """Run one guest.

        Args:
            given: what the result says was run.
            args: its command line, encoded.
            environ: its environment, encoded.
            data: its input.

        Raises:
            PoolFull: all places are taken; nothing was run.
        """
        began = perf_counter()
        around, binding = self._around, self._binding
        binding.serve(around.renew(args, environ, data))
        code, stopped, trap = 0, None, None
        try:
            with Interruptible(self._stop):
                try:
                    call_with_room(self._stack, self._enter)
                except ProcExit as end:
                    code = end.code
                except Trap as error:
                    code, trap = TRAPPED, error
                except Stopped as end:
                    code, stopped = ENDED, end.reason
        finally:
            binding.detach()
        out, err = around.captured()
        used = perf_counter() - began, binding.memory_size
        grew = grew_to_limit(binding.first_size, binding.memory_size, self._memory)
        if stopped is None and trap is None and not around.limited and not grew:
            return CompletedRun(given, code, out, err, used=used)
        hit = around.limits_hit
        if grew:
            hit |= {"memory"}
        return CompletedRun(
            given, code, out, err,
            stopped=stopped, limits_hit=hit, truncated=around.truncated, trap=trap,
            used=used,
        )  # fmt: skip

    def _stop(self, reason: str) -> None:
        self._around.stop(reason)
        self._binding.stop(reason)

    def close(self) -> None:
        """Give everything back."""
        self._variant.give(self._binding)
        self._around.close()


def _pooled(sandbox: Sandbox, size: int) -> Sandbox:
    """Return the sandbox with a pool of the engine, or as it is where there can be none."""
    if sandbox.recipe.runtime != "wasmtime" or way() != "raw":
        return sandbox
    places = max(_LEAST_PLACES, 1 << (size - 1).bit_length())
    memory = sandbox.recipe.setting.limits.memory
    pooling = room_for(places, GIB if memory <= GIB else _ALL)
    if pooling is None:
        _warn("there is too little address space (ulimit -v) for a pool of instances")
        return sandbox
    pooled = sandbox.pooled(pooling)
    try:
        _variant(pooled.recipe)
    except NotAWasiModule as error:
        _variant(sandbox.recipe)  # raises where the module itself is at fault
        _warn(f"the module does not fit into a pool ({error})")
        return sandbox
    return pooled


def _variant(recipe: Recipe) -> Variant:
    return recipe.module.variant(recipe.mode(stoppable=False))


def _warn(reason: str) -> None:
    warnings.warn(
        f"{reason}: instances are made on demand, which is slower", RuntimeWarning, stacklevel=4
    )
