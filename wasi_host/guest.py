"""One guest with its world, from the opening of its streams to the giving back of everything.

A run is: open the streams and directories, make the host (``Preview1``) of them, take a free
binding of the module, instantiate, start; then give back everything in reverse. To stop a run,
from whichever thread, means three things: its next host call raises, a wait is woken, and a
guest that computes is told at its next epoch check.
"""

from __future__ import annotations

from time import perf_counter

from wasi_host.errors import ProcExit, Stopped, Trap
from wasi_host.interrupts import Interruptible
from wasi_host.limits import call_after, grew_to_limit
from wasi_host.results import ENDED, TRAPPED, CompletedRun
from wasi_host.runtimes.contract import Instance, Mode, Pooling
from wasi_host.runtimes.wasmtime_choice import native_part
from wasi_host.stacks import call_with_room
from wasi_host.surroundings import Setting, Surroundings
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Final, TypeVar

    from wasi_host.layers.layer import Layer, PerRun
    from wasi_host.layers.trace import Trace
    from wasi_host.modules import Module
    from wasi_host.streams import Spec
    from wasi_host.world.sockets import SocketSource

    T = TypeVar("T")

# Engines count in signed 64 bits.
_ALL_MEMORY: Final = (1 << 63) - 1


class Recipe(NamedTuple):
    """What all runs of a sandbox share."""

    module: Module
    setting: Setting
    pooling: Pooling | None = None
    runtime: str = "wasmtime"

    def mode(self, stoppable: bool) -> Mode:
        """Return how the module is compiled and run.

        Args:
            stoppable: whether it must be possible to stop a guest while it computes.
        """
        limits = self.setting.limits
        epochs = stoppable or limits.timeout is not None
        return Mode(epochs, limits.fuel is not None, limits.stack, self.pooling, self.runtime)


class Guest:
    """One instance of a module with its surroundings; used once.

    Args:
        recipe: what is shared.
        words: the arguments after the program's name.
        spec: its standard streams.
        argv0: the program's name; None: the module's.
        env: its environment; None: the recipe's.
        stoppable: whether it must be possible to stop it while it computes.
        sockets: its sockets; None: the recipe's.
        trace: whether its calls are traced, or the trace to be filled.
        layers: wrappers around its calls, outermost first.

    Attributes:
        on_stop: called with the reason as the guest is stopped, to end waits it knows nothing of.

    Raises:
        ValueError, OSError: as ``Surroundings``.
    """

    __slots__ = (
        "_binding", "_limits", "_variant", "around", "instance", "on_stop", "streams", "words"
    )  # fmt: skip

    def __init__(
        self,
        recipe: Recipe,
        words: Sequence[str | bytes],
        spec: Spec,
        argv0: str | None,
        env: Mapping[str, str] | None,
        stoppable: bool,
        sockets: tuple[SocketSource, ...] | None = None,
        trace: bool | Trace = False,
        layers: Iterable[Layer | PerRun] = (),
    ) -> None:
        module, setting = recipe.module, recipe.setting
        name = module.name if argv0 is None else argv0
        self.words = words
        self._limits = setting.limits
        self._variant = module.variant(recipe.mode(stoppable))
        self.instance: Instance | None = None
        self.on_stop: Callable[[str], None] | None = None
        self.around = Surroundings(
            setting, [name, *words], spec, env, sockets, trace, layers,
            native_part(recipe.runtime),
        )
        self.streams = self.around.streams
        self._binding = self._variant.take()
        self._binding.fuel = self._limits.fuel or 0
        self._binding.serve(self.around.served)

    def stop(self, reason: str) -> None:
        """Stop the guest, whatever it is doing. From any thread or a signal handler."""
        self.around.stop(reason)
        self._binding.stop(reason)
        if self.on_stop is not None:
            self.on_stop(reason)

    def enter(self, call: Callable[[], T]) -> T:
        """Call what runs the guest, where there is room for its stack."""
        return call_with_room(self._variant.compiled.room, call)

    def instantiate(self) -> Instance:
        """Make the engine's instance; runs the start section."""
        self.instance = self._binding.instantiate(min(self._limits.memory, _ALL_MEMORY))
        self._binding.first_size = self.instance.memory_size
        self._variant.spare(self._binding)
        return self.instance

    def _run(self) -> None:
        self._binding.run(min(self._limits.memory, _ALL_MEMORY))

    def run(
        self, args: Sequence[object], invoke: str | None = None, timeout: float | None = None
    ) -> CompletedRun:
        """Run to the end, and give everything back.

        Args:
            args: what the result says was run.
            invoke: the function to call instead of ``_start``, with the words as numbers.
            timeout: seconds after which the guest is stopped, if its limits do not say fewer.
        """
        times = [limit for limit in (timeout, self._limits.timeout) if limit is not None]
        began = perf_counter()
        code, memory = 0, 0
        stopped: str | None = None
        trap: Trap | None = None
        values: tuple[int | float, ...] = ()
        alarm = None
        try:
            with Interruptible(self.stop):
                try:
                    if times:
                        alarm = call_after(min(times), lambda: self.stop("timeout"))
                    if invoke is None:
                        self.enter(self._run)
                    else:
                        values = self.enter(lambda: _invoke(self.instantiate(), invoke, self.words))
                except ProcExit as end:
                    code = end.code
                except Trap as error:
                    code, trap = TRAPPED, error
                except Stopped as end:
                    code, stopped = ENDED, end.reason
                finally:
                    if alarm is not None:
                        alarm.cancel()
            self.around.finished = stopped is None
            memory = self._binding.memory_size
            if self.instance is not None:
                memory = self.instance.memory_size
        finally:
            self.close()
        return self._result(args, code, stopped, trap, values, perf_counter() - began, memory)

    def _result(
        self,
        args: Sequence[object],
        code: int,
        stopped: str | None,
        trap: Trap | None,
        values: tuple[int | float, ...],
        seconds: float,
        memory: int,
    ) -> CompletedRun:
        around = self.around
        observers = around.observers
        hit = around.limits_hit
        if grew_to_limit(self._binding.first_size, memory, self._limits.memory):
            hit |= {"memory"}
        fuel = None if self._limits.fuel is None else self._binding.fuel_used
        return CompletedRun(
            args,
            code,
            self.streams.captured(1),
            self.streams.captured(2),
            stopped=stopped,
            limits_hit=hit,
            trap=trap,
            truncated=self.streams.truncated,
            directories=around.directories,
            used=(seconds, memory, observers.calls if observers else None, fuel),
            values=values,
            trace=observers.trace if observers else None,
            watched=around.watched,
        )

    def close(self) -> None:
        """Free the instance, close descriptors and streams, give the binding back."""
        if self.instance is not None:
            self.instance.close()
        self._binding.detach()
        self._variant.give(self._binding)
        self.around.close()


def _invoke(
    instance: Instance, invoke: str, words: Sequence[str | bytes]
) -> tuple[int | float, ...]:
    """Call the function named; return what it returned.

    Raises:
        AttributeError: there is no such function.
        TypeError: there are fewer words than it takes arguments.
        ValueError: a word is no number of the parameter's type.
    """
    export = instance.exports.get(invoke)
    if export is None or export.type is None:
        names = [name for name, item in instance.exports.items() if item.type is not None]
        raise AttributeError(f"there is no exported function {invoke!r}; there are {names}")
    params = export.type.params
    if len(words) < len(params):
        raise TypeError(f"{invoke} takes {len(params)} arguments, {len(words)} were given")
    numbers: list[int | float] = []
    for word, kind in zip(words, params, strict=False):
        text = word.decode() if isinstance(word, bytes) else word
        numbers.append(float(text) if kind.startswith("f") else int(text, 0))
    if "_initialize" in instance.exports and invoke != "_initialize":
        instance.call("_initialize")
    return tuple(instance.call(invoke, *numbers))
