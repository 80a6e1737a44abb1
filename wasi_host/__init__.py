"""Runs WASI preview1 programs in a sandbox of virtual directories.

``run`` is ``subprocess.run`` for WebAssembly programs::

    import wasi_host

    result = wasi_host.run(
        ["grep.wasm", "-rn", "hello", "/data"],
        dirs={"/data": "examples/data"},
        capture_output=True, text=True,
    )
    print(result.stdout)

The names below are imported at their first use: a program that only may run a guest does not
pay for it.
"""

# Type checkers take this name for typing's, whose import costs more than all the rest here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from wasi_host.adapters import (
        ForeignFilesystemWarning,
        FsspecFS,
        PyFilesystem,
        as_pyfilesystem,
        import_fs,
    )
    from wasi_host.asynchronous import run_async
    from wasi_host.changes import Change, Changes, Conflict
    from wasi_host.directories import Archive, Devices, Filter, Overlay, Quota, ReadOnly
    from wasi_host.instance import Instance
    from wasi_host.limits import Limits
    from wasi_host.modules import Module, NotAWasiModule
    from wasi_host.observers import Divergence, HookCall, Trace, faults, policy, record, replay
    from wasi_host.pool import Pool
    from wasi_host.process import Running, spawn
    from wasi_host.results import (
        DEVNULL,
        PIPE,
        STDOUT,
        CompletedRun,
        RunError,
        TimeoutExpired,
        Trap,
        Trapped,
        Usage,
    )
    from wasi_host.sandbox import ProcExit, Sandbox, run
    from wasi_host.sources import HostDir, MemoryFS, Source
    from wasi_host.surroundings import Clock
    from wasi_host.wasi import Wasi

__all__ = [
    "DEVNULL",
    "PIPE",
    "STDOUT",
    "Archive",
    "Change",
    "Changes",
    "Clock",
    "CompletedRun",
    "Conflict",
    "Devices",
    "Divergence",
    "Filter",
    "ForeignFilesystemWarning",
    "FsspecFS",
    "HookCall",
    "HostDir",
    "Instance",
    "Limits",
    "MemoryFS",
    "Module",
    "NotAWasiModule",
    "Overlay",
    "Pool",
    "ProcExit",
    "PyFilesystem",
    "Quota",
    "ReadOnly",
    "RunError",
    "Running",
    "Sandbox",
    "Source",
    "TimeoutExpired",
    "Trace",
    "Trap",
    "Trapped",
    "Usage",
    "Wasi",
    "as_pyfilesystem",
    "faults",
    "import_fs",
    "policy",
    "record",
    "replay",
    "run",
    "run_async",
    "spawn",
]

_HOMES = {
    "adapters": (
        "ForeignFilesystemWarning", "FsspecFS", "PyFilesystem", "as_pyfilesystem", "import_fs",
    ),
    "asynchronous": ("run_async",),
    "changes": ("Change", "Changes", "Conflict"),
    "directories": ("Archive", "Devices", "Filter", "Overlay", "Quota", "ReadOnly"),
    "instance": ("Instance",),
    "limits": ("Limits",),
    "modules": ("Module", "NotAWasiModule"),
    "observers": ("Divergence", "HookCall", "Trace", "faults", "policy", "record", "replay"),
    "pool": ("Pool",),
    "process": ("Running", "spawn"),
    "sandbox": ("ProcExit", "Sandbox", "run"),
    "sources": ("HostDir", "MemoryFS", "Source"),
    "surroundings": ("Clock",),
    "wasi": ("Wasi",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name at its first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'wasi_host' has no attribute {name!r}")
    import gc
    from importlib import import_module

    # What is imported stays; looking for garbage in it takes some milliseconds.
    collecting = gc.isenabled()
    gc.disable()
    try:
        value = getattr(import_module(f"wasi_host.{_HOME.get(name, 'results')}"), name)
    finally:
        if collecting:
            gc.enable()
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
