"""Shims that are compiled at their first call.

Theory of operation. An engine is handed the address of one Python function for good. Compiling a
shim takes 0.6 ms, and reading the table of the specification several; many guests end before,
or are served by the native part. So what the engine gets first is a stub, and at its first call
its code is replaced by the shim's, for which its globals are made ready before: from then on it
is the shim. A thread that is still in the stub's own code calls the same function again.

The native part leaves a call to Python also where an address lies in memory that the guest has
grown since (every C program's arguments do); that alone needs no shim (``Context.again``).
"""

from __future__ import annotations

from threading import Lock
from types import FunctionType

from wasi_spec.signatures import UNSTABLE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wasi_host.binding.shim import ShimCompiler

# One at a time is compiled, whatever its module and convention.
_lock = Lock()


def _first_call(ctx: Any, caller: int, a: int) -> int:
    # The globals of each stub: NAME, BECOME_SHIM, and SHIM, which is the stub itself.
    try:
        served: int | None = ctx.again(NAME, caller, a)  # type: ignore[name-defined]  # noqa: F821
        if served is not None:
            return served
        BECOME_SHIM()  # type: ignore[name-defined]  # noqa: F821
    except BaseException as error:
        trap: int = ctx.trap(error)
        return trap
    result: int = SHIM(ctx, caller, a)  # type: ignore[name-defined]  # noqa: F821
    return result


class Stubs:
    """The shims of one module and convention, by name; each is compiled when it is first called.

    Args:
        whole: the view over the address space that RAW and CHECKED shims read arguments from.
        module: ``"wasi_snapshot_preview1"`` or ``"wasi_unstable"``.
        convention: ``"raw"`` or ``"checked"``: see ``shim``.
    """

    def __init__(self, whole: memoryview, module: str, convention: str) -> None:
        self._whole = whole
        self._module = module
        self._convention = convention
        self._compiler: ShimCompiler | None = None

    def __getitem__(self, name: str) -> Callable[..., int]:
        """Return a new stub of a function, which is the caller's to keep."""
        namespace: dict[str, Any] = {}
        stub = FunctionType(_first_call.__code__, namespace, name)

        def become_shim() -> None:
            with _lock:
                if stub.__code__ is not _first_call.__code__:
                    return  # another thread was faster
                shim = self._shims()[name]
                namespace.update(shim.__globals__)
                stub.__code__ = shim.__code__

        namespace["NAME"] = name
        namespace["BECOME_SHIM"] = become_shim
        namespace["SHIM"] = stub
        return stub

    def _shims(self) -> ShimCompiler:
        if self._compiler is None:
            # What this brings with it is most of what a short run would spend on importing.
            from wasi_host.binding.shim import ShimCompiler
            from wasi_spec import functions, unstable

            rows = unstable.FUNCTIONS if self._module == UNSTABLE else functions.FUNCTIONS
            self._compiler = ShimCompiler(self._whole, rows, self._convention)
        return self._compiler
