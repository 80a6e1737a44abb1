"""Looks at a module without running it: what it imports, what it is, what made it."""

from typing import TYPE_CHECKING, NamedTuple

from wasi_host.binding.shim import source as shim_source_of
from wasi_host.modules import Module
from wasi_host.runtimes.contract import SIGNATURES, Export, Import
from wasi_host.runtimes.sections import PAGE, Sections, read_sections
from wasi_spec import unstable
from wasi_spec.functions import FUNCTIONS, MODULE

if TYPE_CHECKING:
    import os

__all__ = ["Inspection", "inspect", "shim_source"]


class Inspection(NamedTuple):
    """What a module is.

    Attributes:
        name: its file's.
        size: bytes.
        kind: ``"command"``, ``"reactor"``, or why it can be neither.
        imports: what it imports.
        unserved: of these, what we do not serve, each with the reason.
        exports: what it exports, by name.
        memory: bytes of its memory at the start, and at most (None: no maximum of its own).
        tables: entries of its tables at the start.
        producers: what made it: (field, name, version).
    """

    name: str
    size: int
    kind: str
    imports: list[Import]
    unserved: list[tuple[Import, str]]
    exports: dict[str, Export]
    memory: tuple[int, int | None] | None
    tables: list[int]
    producers: list[tuple[str, str, str]]


def inspect(source: "str | os.PathLike[str] | bytes | Module") -> Inspection:
    """Return what a module is; nothing is compiled.

    Args:
        source: a path, bytes, or a ``Module``.

    Raises:
        FileNotFoundError, PermissionError, IsADirectoryError: the path cannot be read.
        NotAWasiModule: it is no core module; the message says what it is instead.
        ValueError: it is precompiled.
    """
    module = source if isinstance(source, Module) else Module(source, cache=False)
    wasm = module.wasm
    found = read_sections(wasm)
    memory = found.memories[0] if found.memories else None
    return Inspection(
        module.name,
        len(wasm),
        _kind(found),
        found.imports,
        [(item, reason) for item in found.imports if (reason := _why_not(item))],
        found.exports,
        None
        if memory is None
        else (memory.least * PAGE, None if memory.most is None else memory.most * PAGE),
        [table.least for table in found.tables],
        found.producers,
    )


def _kind(found: Sections) -> str:
    memory = found.exports.get("memory")
    if memory is None or memory.kind != "memory":
        return "neither command nor reactor: it exports no memory named 'memory'"
    if memory.flaw is not None:
        return f"neither command nor reactor: its memory {memory.flaw}"
    start = found.exports.get("_start")
    if start is None:
        return "reactor"
    if start.type is None or start.type.params or start.type.results:
        return "neither command nor reactor: its _start is not () -> ()"
    return "command"


def _why_not(item: Import) -> str:
    expected = SIGNATURES.get((item.module, item.name))
    if expected is None:
        return "not a function of WASI preview 1"
    if item.type is None:
        return "imported as something that is no function"
    return "" if item.type == expected else f"imported as {item.type}, it is {expected}"


def shim_source(name: str, module: str = MODULE) -> str:
    """Return the Python source of the shim that serves a function.

    Args:
        name: such as ``"fd_read"``.
        module: ``"wasi_snapshot_preview1"`` or ``"wasi_unstable"``.

    Raises:
        ValueError: there is no such function.
    """
    rows = unstable.FUNCTIONS if module == unstable.MODULE else FUNCTIONS
    for row in rows:
        if row.name == name:
            return shim_source_of(row)
    raise ValueError(f"there is no function {name!r} in {module}")
