"""What every report says about the machine and the interpreter that gave its figures."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def node_version() -> str | None:
    node = shutil.which("node")
    if node is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or None


def describe() -> dict[str, str]:
    """The facts without which a figure means nothing."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimised = "with PGO" if "--enable-optimizations" in options else "without PGO"
    return {
        "interpreter": f"{platform.python_implementation()} {platform.python_version()} "
        f"({optimised}; {platform.python_compiler()})",
        "wasmtime": package_version("wasmtime"),
        "node": node_version() or "not there",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.2f}",
    }


def print_description() -> dict[str, str]:
    facts = describe()
    for name, value in facts.items():
        print(f"{name:12} {value}")
    print()
    sys.stdout.flush()
    return facts
