"""What of this installation works, and what to do about what does not: ``wasi-host doctor``."""

from typing import NamedTuple

from wasi_host.fs import openat2
from wasi_host.native import library
from wasi_host.runtimes import wasmtime_capi, wasmtime_choice


class Finding(NamedTuple):
    """One part: what it is, whether it is as it should be, and what was found."""

    part: str
    good: bool
    text: str


def findings() -> list[Finding]:
    """Look at the engine, the native part and what the kernel offers."""
    return [_engine(), _native(), _kernel()]


def _engine() -> Finding:
    try:
        version = wasmtime_capi.version()
        wasmtime_capi.library()
        way = wasmtime_choice.way()
    except wasmtime_capi.EngineNotFound as error:
        return Finding("engine", False, str(error))
    if way != "raw":
        return Finding("engine", False, f"wasmtime {version}, through its slower public API")
    return Finding("engine", True, f"wasmtime {version}")


def _native() -> Finding:
    reason = library.why_not()
    if reason is not None:
        return Finding("native part", False, f"none, calls are served in Python; {reason}")
    found = library.library()
    assert found is not None
    return Finding("native part", True, f"{len(found.rows)} functions in {found.path}")


def _kernel() -> Finding:
    if openat2.available():
        return Finding("openat2", True, "paths in host directories are resolved by the kernel")
    return Finding("openat2", False, "not here: paths in host directories are walked, more slowly")
