"""What an engine's adapter provides to whoever runs guests on it.

``compile_module`` of an adapter gives a ``Compiled``; ``bind`` makes a ``Binding`` of it, which
is instantiated as often as wanted, one live ``Instance`` at a time.
"""

from __future__ import annotations

import struct

from wasi_host.errors import NotAWasiModule
from wasi_spec.signatures import NAMES, NORETURN, PARAMETERS, PREVIEW1
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Final, Protocol

    from wasi_host.binding.context import Context
else:
    Protocol = object


class PoolFull(RuntimeError):
    """All places of the engine's pool are taken."""


#: Bytes of stack that a guest may use where nothing else is said.
WASM_STACK: Final = 1 << 20


class Pooling(NamedTuple):
    """The size of a pool of the engine's.

    Attributes:
        places: how many instances it has room for at a time.
        memory: bytes of memory an instance may have.
    """

    places: int
    memory: int


class Mode(NamedTuple):
    """How a module is compiled and its guests are run.

    Attributes:
        epochs: whether its guests can be stopped while they compute.
        fuel: whether what they compute is counted.
        stack: bytes of stack a guest may use.
        pooling: the pool in which its instances are made; None: made on demand.
        runtime: the engine, by the name that ``runtime=`` takes.
    """

    epochs: bool = False
    fuel: bool = False
    stack: int = WASM_STACK
    pooling: Pooling | None = None
    runtime: str = "wasmtime"


class FunctionType(NamedTuple):
    """Parameter and result types of a function: ``"i32"``, ``"i64"``, ``"f32"``, ``"f64"``..."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.params)}) -> ({', '.join(self.results)})"


class Import(NamedTuple):
    """One import of a module; ``type`` is None for what is no function."""

    module: str
    name: str
    type: FunctionType | None


class Export(NamedTuple):
    """One export: ``kind`` is "function", "memory" or "other"; ``flaw`` says what is wrong."""

    kind: str
    type: FunctionType | None = None
    flaw: str | None = None


_LETTERS: Final = {"i": "i32", "I": "i64"}
_TYPES: Final = {
    name: FunctionType(
        tuple([_LETTERS[letter] for letter in letters]), () if name in NORETURN else ("i32",)
    )
    for name, letters in PARAMETERS.items()
}
#: The type of each function we serve, by module and name.
SIGNATURES: Final = {(module, name): _TYPES[name] for module in NAMES for name in NAMES[module]}


class Compiled(Protocol):
    """A compiled module.

    Attributes:
        imports: in their order.
        exports: by name.
        mode: as it was compiled.
        room: bytes of a thread's stack that its guests may take.
    """

    imports: list[Import]
    exports: dict[str, Export]
    mode: Mode
    room: int

    def bind(self) -> Binding:
        """Bind its imports; NotAWasiModule where one is not served."""


class Binding(Protocol):
    """A module's imports bound to one context.

    Attributes:
        fuel: how much the next guest may use, where its module counts it.
        fuel_used: how much the last guest of ``run`` used.
        first_size: bytes of memory that the last guest of ``run`` had at its beginning.
        memory_size: bytes of memory that it had at its end.
    """

    fuel: int
    fuel_used: int
    first_size: int
    memory_size: int

    @property
    def light(self) -> bool:
        """Whether it was lightened."""

    def lighten(self) -> None:
        """Free what only further instances would need; nothing more is made of this."""

    def serve(self, host: object) -> None:
        """Take the host of the next instance; from now on it can be stopped."""

    def instantiate(self, memory_limit: int) -> Instance:
        """Return a fresh instance, after its start section."""

    def run(self, memory_limit: int) -> None:
        """Run ``_start`` in a fresh instance and free it."""

    def stop(self, reason: str) -> None:
        """Make the live instance end, at its next host call or epoch check."""

    def detach(self) -> None:
        """Forget the run that is over."""


class Instance(Protocol):
    """One live guest."""

    @property
    def context(self) -> Context:
        """Its state on the engine's side."""

    @property
    def exports(self) -> Mapping[str, Export]:
        """What the module exports."""

    @property
    def memory(self) -> memoryview:
        """A writable view of its memory as it is now."""

    @property
    def memory_size(self) -> int:
        """The memory's size in bytes."""

    def start(self) -> None:
        """Call ``_start``."""

    def call(self, name: str, *arguments: int | float) -> Sequence[int | float]:
        """Call an exported function."""

    def close(self) -> None:
        """Free it."""


def check_imports(imports: Sequence[Import]) -> None:
    """Raise NotAWasiModule with every import that is not served, or has another type."""
    flaws = []
    for item in imports:
        expected = SIGNATURES.get((item.module, item.name))
        label = f"{item.module}.{item.name}"
        if expected is None and item.module in NAMES:
            flaws.append(f"{label}: {item.module} has no such function")
        elif expected is None:
            flaws.append(f"{label}: not a function of {PREVIEW1}")
        elif item.type is None:
            flaws.append(f"{label}: imported as something that is no function")
        elif item.type != expected:
            flaws.append(f"{label}: imported as {item.type}, it is {expected}")
    if flaws:
        raise NotAWasiModule("imports that cannot be served:\n  " + "\n  ".join(flaws))


def refusal(message: str) -> NotAWasiModule:
    """Return the error for a module that an engine will not instantiate; names a limit of ours."""
    what = message.partition(" ")[0]
    if what not in ("memory", "table") or "minimum size" not in message:
        return NotAWasiModule(f"cannot be instantiated: {message}")
    counts = "" if what == "memory" else " (a table entry counts 8 bytes)"
    return NotAWasiModule(
        f"its {what} is larger at the start than Limits.memory allows{counts}: {message}"
    )


#: For each integer type: the least and the end of what fits, signed or unsigned.
_INTEGERS: Final = {"i32": (-(1 << 31), 1 << 32), "i64": (-(1 << 63), 1 << 64)}


def check_arguments(kind: FunctionType, arguments: Sequence[int | float]) -> list[int | float]:
    """Return the arguments of a call as the signed numbers of their types.

    Raises:
        TypeError: another number of arguments, or a parameter or result that is no number.
        OverflowError: an integer that fits neither signed nor unsigned.
    """
    kinds = kind.params
    for result in kind.results:
        if result not in CODES:
            raise TypeError(f"a function {kind} cannot be called from here: no number comes back")
    if len(kinds) != len(arguments):
        raise TypeError(f"takes {len(kinds)} arguments, {len(arguments)} were given")
    checked: list[int | float] = []
    for wanted, value in zip(kinds, arguments, strict=True):
        if wanted in _INTEGERS:
            least, end = _INTEGERS[wanted]
            if not isinstance(value, int):
                raise TypeError(f"{value!r} is no integer, where an {wanted} is wanted")
            if not least <= value < end:
                raise OverflowError(f"{value} does not fit an {wanted}")
            checked.append(value - end if value >= -least else value)
        elif wanted in CODES:
            checked.append(float(value))
        else:
            raise TypeError("a parameter that is no number cannot be given from here")
    return checked


CODES: Final = {"i32": "<i", "i64": "<q", "f32": "<f", "f64": "<d"}


def pack(kind: str, value: int | float) -> bytes:
    """Return the bytes of a number of a WebAssembly type."""
    return struct.pack(CODES[kind], value)
