"""Runs WASI preview1 programs in a sandbox of virtual directories.

``run`` is ``subprocess.run`` for WebAssembly programs::

    import wasi_host

    result = wasi_host.run(
        ["grep.wasm", "-rn", "hello", "/data"],
        dirs={"/data": "examples/data"},
        capture_output=True, text=True,
    )
    print(result.stdout)
"""

from subprocess import DEVNULL, PIPE, STDOUT

from wasi_host.errors import NotAWasiModule, ProcExit, Trap
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.limits import Limits
from wasi_host.modules import Module
from wasi_host.results import CompletedRun, RunError, TimeoutExpired, Trapped, Usage
from wasi_host.sandbox import Instance, Sandbox, run

__all__ = [
    "DEVNULL",
    "PIPE",
    "STDOUT",
    "CompletedRun",
    "HostDir",
    "Instance",
    "Limits",
    "MemoryFS",
    "Module",
    "NotAWasiModule",
    "ProcExit",
    "RunError",
    "Sandbox",
    "TimeoutExpired",
    "Trap",
    "Trapped",
    "Usage",
    "run",
]
