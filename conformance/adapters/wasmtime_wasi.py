"""Adapter of wasmtime's own WASI, through its Python package; ``WASMTIME_PYTHON`` has it.

It works with the official runner of WebAssembly/wasi-testsuite too.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: UP035  as the adapters upstream

PYTHON = shlex.split(os.getenv("WASMTIME_PYTHON", shlex.quote(sys.executable)))
RUN = Path(__file__).with_name("run_wasmtime_wasi.py")


def get_name() -> str:
    """Return the runtime's name."""
    return "wasmtime-wasi"


def get_version() -> str:
    """Return the runtime's version."""
    script = "from importlib.metadata import version; print(version('wasmtime'))"
    result = subprocess.run(
        [*PYTHON, "-c", script], encoding="UTF-8", capture_output=True, check=True
    )
    return result.stdout.strip()


def get_wasi_versions() -> List[str]:  # noqa: UP006
    """Return the versions of WASI that it has."""
    return ["wasm32-wasip1"]


def get_wasi_worlds() -> List[str]:  # noqa: UP006
    """Return the worlds that it has."""
    return ["wasi:cli/command"]


def compute_argv(
    test_path: str,
    args_env_root: Tuple[List[str], Dict[str, str], Optional[str]],  # noqa: UP006, UP045
    proposals: List[str],  # noqa: UP006
    wasi_world: str,
    wasi_version: str,
) -> List[str]:  # noqa: UP006
    """Return the command that runs a test."""
    args, env, root = args_env_root
    argv = [*PYTHON, str(RUN)]
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", str(root)]
    return [*argv, test_path, *args]
