"""Adapter of node:wasi, the WASI of Node.js; the variable ``NODE`` names another command.

It works with the official runner of WebAssembly/wasi-testsuite too.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: UP035  as the adapters upstream

NODE = shlex.split(os.getenv("NODE", "node"))
RUN = Path(__file__).with_name("run_node_wasi.mjs")


def get_name() -> str:
    """Return the runtime's name."""
    return "node-wasi"


def get_version() -> str:
    """Return the runtime's version."""
    result = subprocess.run([*NODE, "--version"], encoding="UTF-8", capture_output=True, check=True)
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
    world = {"args": list(args), "env": dict(env), "root": str(root) if root else None}
    return [*NODE, "--no-warnings", str(RUN), test_path, json.dumps(world)]
