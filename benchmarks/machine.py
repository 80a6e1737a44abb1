"""What every report says about the machine and the interpreter that gave its figures."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GUESTS = ROOT / "benchmarks" / "guests"
RESULTS = ROOT / "bench-results"
NATIVE_VARIABLE = "WASI_HOST_NATIVE"
#: The columns: this project with its part in C, or all in Python; and the others.
NATIVE, PYTHON, WASMTIME, NODE, PYWASM = "ours, C", "ours", "wasmtime", "node", "pywasm"


def package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@cache
def node_version() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or None


@cache
def has_native() -> bool:
    """Tell whether this project's part in C is there and can be used."""
    if find_spec("wasi_host.native") is None:
        return False
    question = "from wasi_host.native.library import library; exit(library() is None)"
    asked = [sys.executable, "-c", question]
    return subprocess.run(asked, cwd=ROOT, env=environment(True), check=False).returncode == 0


def environment(native: bool | None) -> dict[str, str]:
    """Return the environment of a child process; `native`: whether the part in C is allowed."""
    env = dict(os.environ)
    if native is not None:
        env.pop(NATIVE_VARIABLE, None)
        if not native:
            env[NATIVE_VARIABLE] = "0"
    return env


def ours() -> dict[str, bool]:
    """Return the columns of this project, and whether each may use the part in C."""
    return {NATIVE: True, PYTHON: False} if has_native() else {PYTHON: False}


def describe() -> dict[str, str]:
    """The facts without which a figure means nothing."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimised = "with PGO" if "--enable-optimizations" in options else "without PGO"
    return {
        "interpreter": f"{platform.python_implementation()} {platform.python_version()} "
        f"({optimised}; {platform.python_compiler()})",
        "wasmtime": package_version("wasmtime"),
        "node": node_version() or "not there",
        "pywasm": package_version("pywasm"),
        "our part in C": "there" if has_native() else "not there",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def busy() -> str | None:
    """Say that others use the machine, or None where it seems quiet."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    # What measures is one process that runs, and one that waits for it.
    if load <= 1.3:
        return None
    return (
        f"the machine is not quiet: load {load:.1f} on {cores} cores. Wall times are too high, "
        "those of wasmtime's file calls, which hop threads, most of all; processor times (cpu) "
        "are disturbed less."
    )


def print_description() -> dict[str, str]:
    facts = describe()
    for name, value in facts.items():
        print(f"{name:14} {value}")
    print()
    sys.stdout.flush()
    return facts
