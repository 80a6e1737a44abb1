"""Runs a guest on this project: `python -m benchmarks.hosts.ours host|memory DIR MODULE ARG...`."""

import subprocess
import sys
from pathlib import Path

import wasi_host


def main() -> int:
    kind, directory, *args = sys.argv[1:]
    # Over memory the output is captured too, over the host directory it goes to the null device:
    # each kind's own way of not keeping it.
    in_memory = kind == "memory"
    source = wasi_host.MemoryFS(Path(directory)) if in_memory else directory
    stdout = subprocess.PIPE if in_memory else subprocess.DEVNULL
    return wasi_host.run(args, dirs={"/d": source}, stdout=stdout).returncode


if __name__ == "__main__":
    sys.exit(main())
