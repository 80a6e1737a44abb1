"""Machines that carry out steps: wasmtime's own WASI, and ours over one filesystem or another."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import wasmtime

from tests.attacks import guest
from tests.attacks.backends import BACKENDS
from tests.differential.steps import ARENA, Laid, Step, lay_out
from wasi_spec import Errno

ARGS = ("guest.wasm", "one", "two words")
ENV = {"NAME": "value", "OTHER": "words of it"}
INPUT = b"what standard input holds\n" * 20


class Outcome(NamedTuple):
    """What came of a step: an errno's name, or TRAP, or RAISED and the exception; the arena."""

    answer: str
    laid: Laid
    arena: bytes


class Engine(Protocol):
    """What makes calls on a guest's memory."""

    def call(self, name: str, *numbers: int) -> int: ...
    def memory(self) -> memoryview: ...
    def close(self) -> None: ...


class Machine:
    """A guest and its descriptors by handle."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.numbers = {number: number for number in range(4)}

    def run(self, step: Step) -> Outcome:
        """Carry out a step."""
        laid = lay_out(step, self.numbers)
        memory = self.engine.memory()
        if step.overrides:  # it may read, or have written before, what is beside the arena
            memory[:] = bytes(len(memory))
        memory[ARENA.start : ARENA.stop] = laid.image
        try:
            errno = self.engine.call(step.name, *laid.numbers)
            answer = Errno(errno).name
        except (wasmtime.Trap, wasmtime.WasmtimeError):
            answer = "TRAP"
        except Exception as error:
            answer = f"RAISED {error!r}"
        arena = bytes(self.engine.memory()[ARENA.start : ARENA.stop])
        if answer == "SUCCESS":
            self._follow(step, laid, arena)
        return Outcome(answer, laid, arena)

    def _follow(self, step: Step, laid: Laid, arena: bytes) -> None:
        """Keep the handles right."""
        if step.opens and not step.overrides:
            at = laid.areas[-1].at - ARENA.start
            self.numbers[step.opens] = int.from_bytes(arena[at : at + 4], "little")
        elif step.name in {"fd_close", "fd_renumber"} and len({*step.arguments}) == len(
            step.arguments
        ):
            self.numbers.pop(step.arguments[0], None)

    def close(self) -> None:
        self.engine.close()


class Theirs:
    """The module on wasmtime with wasmtime's own WASI."""

    _engine: Any = None

    def __init__(self, root: Path, streams: Path) -> None:
        if Theirs._engine is None:
            Theirs._engine = wasmtime.Engine()
            Theirs._module = wasmtime.Module(Theirs._engine, guest.module())
            Theirs._linker = wasmtime.Linker(Theirs._engine)
            Theirs._linker.define_wasi()
        config = wasmtime.WasiConfig()
        config.argv = list(ARGS)
        config.env = list(ENV.items())
        config.stdin_file = os.fspath(streams / "in")
        config.stdout_file = os.fspath(streams / "out")
        config.stderr_file = os.fspath(streams / "err")
        config.preopen_dir(os.fspath(root), "/")
        self.store = wasmtime.Store(Theirs._engine)
        self.store.set_wasi(config)
        instance = Theirs._linker.instantiate(self.store, Theirs._module)
        self.exports: Any = instance.exports(self.store)
        self._memory: Any = self.exports["memory"]

    def call(self, name: str, *numbers: int) -> int:
        result: int = self.exports[name](self.store, *numbers)
        return result

    def memory(self) -> memoryview:
        return memoryview(self._memory.get_buffer_ptr(self.store)).cast("B")

    def close(self) -> None:
        self.store.close()


def theirs(root: Path, streams: Path) -> Machine:
    """Return wasmtime's own WASI over a host directory; ``streams`` has the standard streams."""
    write_streams(streams)
    return Machine("wasmtime-wasi", Theirs(root, streams))


def ours(name: str, source: Any, streams: Path, backend: str = "engine", **setting: Any) -> Machine:
    """Return ours over a source of ``dirs=``."""
    write_streams(streams)
    engine = BACKENDS[backend](
        {"/": source},
        args=ARGS[1:],
        env=ENV,
        stdin=streams / "in",
        stdout=streams / "out",
        stderr=streams / "err",
        **setting,
    )
    return Machine(name, engine)


def write_streams(streams: Path) -> None:
    """Make the files behind the standard streams."""
    streams.mkdir(exist_ok=True)
    (streams / "in").write_bytes(INPUT)
    for name in ("out", "err"):
        (streams / name).touch()


def close_all(machines: Sequence[Machine]) -> None:
    """End the guests."""
    for machine in machines:
        machine.close()
