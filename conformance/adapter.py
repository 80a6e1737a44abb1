"""Adapter of wasi_host for the runner of WebAssembly/wasi-testsuite.

It needs nothing but the command ``wasi-host``; the variable ``WASI_HOST`` names another one, with
options for ``run`` if wanted: ``WASI_HOST="wasi-host run --strict-rights"``.
"""

import os
import shlex
import subprocess
from typing import Dict, List, Optional, Tuple  # noqa: UP035  as the other adapters upstream

# shlex.split() splits according to shell quoting rules
WASI_HOST = shlex.split(os.getenv("WASI_HOST", "wasi-host run"))


def get_name() -> str:
    """Return the runtime's name."""
    return "wasi_host"


def get_version() -> str:
    """Return the runtime's version; the command's options are left out where it is asked."""
    command = WASI_HOST[: WASI_HOST.index("run")] if "run" in WASI_HOST else WASI_HOST
    result = subprocess.run(
        [*command, "--version"], encoding="UTF-8", capture_output=True, check=True
    )
    return result.stdout.split()[-1]


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
    argv = list(WASI_HOST)
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    return [*argv, test_path, *args]
