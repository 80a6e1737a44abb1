"""Which way to wasmtime: its C API where we know it, its Python package where we do not.

The symbols we use were the same in the majors listed here. Another version is tried once, in a
child process, since what is wrong about a C API shows as a crash: it compiles, binds and runs a
small guest and looks at every byte. If that fails the package's public API serves, which is
some twenty times slower and otherwise the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from threading import Lock

from wasi_host.errors import NotAWasiModule
from wasi_host.native.library import Library, library
from wasi_host.runtimes import wasmtime_capi as capi
from wasi_host.runtimes.wasmtime import Binding
from wasi_host.runtimes.wasmtime_engine import CompiledModule

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

    from wasi_host.runtimes.contract import Compiled, Mode

#: The majors on which our tests ran.
KNOWN_MAJORS: Final = frozenset((47, 48, 49, 50))
#: ``"raw"`` or ``"public"`` in this variable chooses for the process, for tests.
VARIABLE: Final = "WASI_HOST_WASMTIME"
#: Seconds the child process may take.
CHECK_TIMEOUT: Final = 60.0

_choice: str | None = None
_lock = Lock()


class RawModule(CompiledModule):
    """A module compiled through the C API."""

    def bind(self) -> Binding:
        """Bind its imports."""
        return Binding(self)


def compile_module(wasm: bytes, mode: Mode) -> Compiled:
    """Compile a module on the way chosen for this process; the public API knows no pools.

    Raises:
        NotAWasiModule: the engine refuses it.
        EngineNotFound: there is no engine.
    """
    if way() == "raw":
        return RawModule(wasm, mode)
    # Loaded where it is needed: most processes know their engine.
    from wasi_host.runtimes.wasmtime_public import PublicModule

    return PublicModule(wasm, mode)


def load_compiled(path: str, mode: Mode) -> Compiled:
    """Load a file that the engine made; native code, so it must come from a trusted place.

    Raises:
        NotAWasiModule: it was made by another version or with other settings, or the public
            API serves, which we do not use for this.
    """
    if way() != "raw":
        raise NotAWasiModule("precompiled modules need the engine's C API")
    return RawModule(path, mode)


def way() -> str:
    """Return ``"raw"`` or ``"public"``; decided at the first call."""
    global _choice
    if _choice is None:
        with _lock:
            if _choice is None:
                _choice = _decide(capi.version(), os.environ.get(VARIABLE))
    return _choice


def native_part(runtime: str) -> Library | None:
    """Return the native part where it serves an engine's guests: through the C API alone."""
    return library() if runtime == "wasmtime" and way() == "raw" else None


def _decide(version: str, forced: str | None) -> str:
    if forced in ("raw", "public"):
        return forced
    if forced:
        raise ValueError(f"{VARIABLE} is 'raw' or 'public', not {forced!r}")
    major = version.partition(".")[0]
    if major.isdecimal() and int(major) in KNOWN_MAJORS:
        return "raw"
    if checked_in_child():
        return "raw"
    warnings.warn(
        f"wasmtime {version} is not known to wasi_host and its C API differs: guests run through "
        "the slower public API",
        RuntimeWarning,
        stacklevel=2,
    )
    return "public"


def checked_in_child() -> bool:
    """Run the self-check in a child process; tell whether all was as expected."""
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from wasi_host.runtimes.wasmtime_check import main; main()"
    )
    environment = {**os.environ, VARIABLE: "raw"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=CHECK_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == b"as expected"
