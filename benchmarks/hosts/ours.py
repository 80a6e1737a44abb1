"""Runs a guest on this project: `python -m benchmarks.hosts.ours KIND DIR MODULE ARG...`.

KIND is `host`, `memory` or `overlay`: what the directory is to the guest.
"""

import subprocess
import sys
from pathlib import Path

import wasi_host
from wasi_host.sources import Source


def directory(kind: str, path: str) -> Source:
    """Return the directory as this kind of source."""
    if kind == "memory":
        return wasi_host.MemoryFS(Path(path))
    return wasi_host.Overlay(path) if kind == "overlay" else path


def main() -> int:
    kind, path, *args = sys.argv[1:]
    # Over memory the output is captured too, elsewhere it goes to the null device: each kind's
    # own way of not keeping it.
    stdout = subprocess.PIPE if kind == "memory" else subprocess.DEVNULL
    return wasi_host.run(args, dirs={"/d": directory(kind, path)}, stdout=stdout).returncode


if __name__ == "__main__":
    sys.exit(main())
