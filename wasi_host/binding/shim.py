"""Compiles a row of the specification into the function an engine calls.

Theory of operation. A shim has two parts. The first unpacks the arguments and checks them all;
it changes nothing, so when a check fails it may be run again: guest memory may have grown since
the context's view was made, and the view is then refreshed once and the shim starts over. The
second part calls the host with plain values and stores what it returns. The two have separate
``try`` blocks (free since Python 3.11): a mistake of ours in the call must not look like a
guest's bad pointer.

The conventions share all but the first line and the ways out:

* RAW ``(ctx, caller, a)``: ``a`` is the address of the engine's argument slots, read and written
  through ``ALL``. The errno goes to the first slot, in full (4 bytes: it may hold a larger
  argument; success is one byte, at half the price, where that is known to be below 256); the
  result is 0, or what ``ctx.trap`` returns.
* CHECKED is RAW for engines configured by others: memory may move, and another instance may
  call, so ``ctx.look(caller)`` comes first in each call.
* VALUES ``(ctx, *ints)``: returns the errno; what is no errno is raised.
* BLOCKS is VALUES for memory that is no buffer, only read and written (``BlockMemory``).

Shims are compiled at first use, once per process, and their source can be read: tracebacks
find it through the namespace's loader, and ``source`` returns it. This is the only ``exec`` of
the project; its input is our own table.
"""

from __future__ import annotations

import struct
from threading import Lock

from wasi_host.binding.codec import NAMESPACE, Emitter, slot_codes, slot_structure
from wasi_host.binding.memory import BlockMemory, block_packer, block_unpacker
from wasi_host.errors import WasiError, errno_of
from wasi_spec import unstable
from wasi_spec.functions import FUNCTIONS, MODULE, Function
from wasi_spec.numbers import Errno
from wasi_spec.records import U32
from wasi_spec.types import FD, Enum

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from wasi_host.binding.context import ValuesContext

_RAW: Final = """\
def {name}(ctx, caller, a):
    try:
        {unpack}{look}mem = ctx.mem; size = ctx.size
        {checks}
    except (FAULT, struct_error):
        if ctx.refresh(caller): return {name}(ctx, caller, a)
        PACK_ERRNO(ALL, a, {fault}); return 0
    except WasiError as e: PACK_ERRNO(ALL, a, e.errno); return 0
    except UnicodeDecodeError: PACK_ERRNO(ALL, a, {ilseq}); return 0
    except BaseException as e: return ctx.trap(e)
    try:
        {call}
        {success}
        return 0
    except WasiError as e: PACK_ERRNO(ALL, a, e.errno); return 0
    except OSError as e: PACK_ERRNO(ALL, a, errno_of(e)); return 0
    except BaseException as e: return ctx.trap(e)
"""

_VALUES: Final = """\
def {name}(ctx{parameters}):
    caller = 0
    try:
        {unpack}mem = ctx.mem; size = ctx.size
        {checks}
    except (FAULT, struct_error): return {fault}
    except WasiError as e: return e.errno
    except UnicodeDecodeError: return {ilseq}
    try:
        {call}
        return 0
    except WasiError as e: return e.errno
    except OSError as e: return errno_of(e)
"""


def source(function: Function, convention: str = "raw") -> str:
    """Return the Python source of a shim.

    Args:
        function: a row of the specification.
        convention: ``"raw"``, ``"checked"``, ``"values"`` or ``"blocks"``.
    """
    return _source(_emitter(function, convention), convention)


def _emitter(function: Function, convention: str) -> Emitter:
    return Emitter(function, direct=convention != "blocks")


def _source(emitter: Emitter, convention: str) -> str:
    function = emitter.function
    raw = convention in ("raw", "checked")
    indent = "\n        "
    names = emitter.names
    if raw:
        unpack = f"{', '.join(names)}{',' if len(names) == 1 else ''} = UNPACK(ALL, a); "
    else:
        unpack = "".join(f"{line}; " for line in _normalise(function, names))
    return (_RAW if raw else _VALUES).format(
        name=function.name,
        parameters="".join(f", {name}" for name in names),
        unpack=unpack if names else "",
        look="ctx.look(caller); " if convention == "checked" else "",
        checks=indent.join(emitter.checks() or ["pass"]),
        call=indent.join(emitter.call()),
        success=indent.join(_success(function, names)),
        fault=Errno.FAULT,
        ilseq=Errno.ILSEQ,
    )


def _success(function: Function, names: list[str]) -> list[str]:
    """Return the lines of RAW that store errno 0 over the first argument."""
    if function.noreturn:
        return []
    whole = "PACK_ERRNO(ALL, a, 0)"
    if not function.params:
        return [whole]
    kind = function.params[0].type
    if isinstance(kind, Enum) and kind.meaning is None:
        return ["ALL[a] = 0"]  # checked: every value of an enumeration is below 256
    if kind is FD:
        return [f"if {names[0]} < 256: ALL[a] = 0", f"else: {whole}"]
    return [whole]


def _normalise(function: Function, names: list[str]) -> list[str]:
    """Return lines that make each argument what RAW would have unpacked; engines give signed."""
    lines = []
    for name, code in zip(names, slot_codes(function), strict=True):
        mask = 0xFFFFFFFF if code == "I" else 0xFFFFFFFFFFFFFFFF
        lines.append(f"{name} &= {mask:#x}")
        if code == "q":
            lines.append(f"{name} = ({name} ^ {1 << 63:#x}) - {1 << 63:#x}")
    return lines


class _Loader:
    """Shows tracebacks the source of a shim, when one is printed (importing linecache: 2 ms)."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, name: str) -> str:
        """Return the source; the name does not matter, there is one loader a shim."""
        return self._text


class ShimCompiler:
    """Makes shims of one convention, each once.

    Args:
        ALL: the view over the address space, for RAW and CHECKED; else None.
        functions: the rows they are made of.
        convention: see ``source``; RAW with ``ALL``, VALUES without, where nothing is said.
    """

    def __init__(
        self,
        ALL: memoryview | None,
        functions: Sequence[Function] = FUNCTIONS,
        convention: str | None = None,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self.convention = convention or ("values" if ALL is None else "raw")
        self._all = ALL
        self._shims: dict[str, Callable[..., int]] = {}
        self._lock = Lock()

    @property
    def names(self) -> list[str]:
        """The functions there are."""
        return list(self._functions)

    def __getitem__(self, name: str) -> Callable[..., int]:
        """Return the shim of a function of the specification.

        Raises:
            KeyError: there is no row of this name.
        """
        shim = self._shims.get(name)
        if shim is None:
            with self._lock:
                shim = self._shims.get(name) or self._compile(self._functions[name])
                self._shims[name] = shim
        return shim

    def _compile(self, function: Function) -> Callable[..., int]:
        emitter = _emitter(function, self.convention)
        text = _source(emitter, self.convention)
        filename = f"wasi_host shim, {self.convention}: {function.name}"
        namespace: dict[str, Any] = {
            **NAMESPACE,
            **emitter.namespace,
            "__name__": filename,
            "__loader__": _Loader(text),
            "ALL": self._all,
            "PACK_ERRNO": U32.pack_into,
            "UNPACK": slot_structure(function).unpack_from,
            "WasiError": WasiError,
            "errno_of": errno_of,
            "struct_error": struct.error,
        }
        if self.convention == "blocks":
            _take_blocks(namespace)
        exec(compile(text, filename, "exec", dont_inherit=True), namespace)
        shim: Callable[..., int] = namespace[function.name]
        return shim


def _take_blocks(namespace: dict[str, Any]) -> None:
    """Replace what packs into and unpacks from buffers."""
    for name, value in list(namespace.items()):
        if name.startswith("PACK_"):
            namespace[name] = block_packer(value.__self__)
        elif name == "UNPACK_IOVEC":
            namespace[name] = block_unpacker(value.__self__)


_values: Final = {
    (module, convention): ShimCompiler(None, functions, convention)
    for module, functions in ((MODULE, FUNCTIONS), (unstable.MODULE, unstable.FUNCTIONS))
    for convention in ("values", "blocks")
}


def values_functions(context: ValuesContext, module: str = MODULE) -> dict[str, Callable[..., int]]:
    """Return the functions of one instance as callables on plain integers.

    Args:
        context: the instance's; its host serves the calls.
        module: ``"wasi_snapshot_preview1"`` (46 functions) or ``"wasi_unstable"`` (45).

    Integers may come signed or unsigned. Each returns the errno; ``ProcExit`` and anything that
    is no errno is raised.
    """
    views, blocks = _values[module, "values"], _values[module, "blocks"]

    def bind(name: str) -> Callable[..., int]:
        def call(*arguments: int) -> int:
            context.enter()
            try:
                shims = blocks if type(context.mem) is BlockMemory else views
                return shims[name](context, *arguments)
            finally:
                context.leave()

        call.__name__ = name
        return call

    return {name: bind(name) for name in views.names}
