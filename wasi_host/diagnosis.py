"""What of this installation works, and what to do about what does not: ``wasi-host doctor``."""

import os
import platform
from importlib.util import find_spec
from typing import Final, NamedTuple

from wasi_host.cache import default_directory
from wasi_host.fs import openat2
from wasi_host.fs.host_nodes import PROBES
from wasi_host.native import library
from wasi_host.runtimes import wasmtime_capi, wasmtime_choice
from wasi_host.runtimes.engines import OURS, runtime_names
from wasi_host.world import wake

#: The module by which an engine's package is found.
_MODULES: Final = {"pywasm": "pywasm", "pywasm3": "wasm3"}


class Finding(NamedTuple):
    """One part: what it is, whether it is as it should be, and what was found."""

    part: str
    good: bool
    text: str


def findings() -> list[Finding]:
    """Look at versions, engines, the cache, the native part and what the kernel offers."""
    return [*_versions(), _engine(), *_other_engines(), _cache(), _native(), *_kernel()]


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # 36 ms

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _versions() -> list[Finding]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    own = _version("wasi-host") or "of a checkout that is not installed"
    others = ", ".join(
        f"{name} {number}"
        for name in ("click", "rich", "fs", "fsspec", "jinja2")
        if (number := _version(name))
    )
    return [
        Finding("wasi-host", True, own),
        Finding("python", True, f"{python} on {system}"),
        Finding("packages", True, others),
    ]


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


def _other_engines() -> list[Finding]:
    """Tell of the others; none of them is missed."""
    found = []
    for name in runtime_names():
        if name in _MODULES and find_spec(_MODULES[name]) is None:
            advice = f"not installed, and not needed: pip install 'wasi-host[{name}]'"
            found.append(Finding(name, True, advice))
        elif name in _MODULES:
            found.append(Finding(name, True, _version(name) or "of a version that is not known"))
        elif name not in OURS:
            found.append(Finding(name, True, "an engine of a plug-in"))
    return found


def _cache() -> Finding:
    directory = default_directory()
    if directory is None:
        return Finding("cache", False, "switched off: modules compile anew in each process")
    try:
        sizes = [entry.stat().st_size for entry in os.scandir(directory) if entry.is_file()]
    except FileNotFoundError:
        return Finding("cache", True, f"{directory}, not made yet")
    except OSError as error:
        return Finding("cache", False, f"{directory}: {error.strerror}")
    words = f"{directory}, {len(sizes)} files, {sum(sizes) / (1 << 20):.1f} MiB"
    if not os.access(directory, os.W_OK):
        return Finding("cache", False, f"{words}, not writable")
    return Finding("cache", True, words)


def _native() -> Finding:
    reason = library.why_not()
    if reason is not None:
        return Finding("native part", False, f"none, calls are served in Python; {reason}")
    found = library.library()
    assert found is not None
    return Finding("native part", True, f"{len(found.rows)} functions in {found.path}")


def _kernel() -> list[Finding]:
    facts = (
        ("openat2", openat2.available(), "paths in host directories are resolved by the kernel",
         "paths in host directories are walked, more slowly"),
        ("O_PATH", bool(PROBES.o_path), "directories are opened only to be walked through",
         "directories that cannot be read cannot be walked through"),
        ("RWF_APPEND", bool(PROBES.rwf_append), "appending takes one call", "it takes several"),
        ("/proc", PROBES.proc, "open files are reached by their number", "by their names only"),
        ("eventfd", wake.EVENTFD, "wakes guests that wait", "pipes wake guests that wait"),
    )  # fmt: skip
    return [
        Finding(part, there, good if there else f"not here: {instead}")
        for part, there, good, instead in facts
    ]
