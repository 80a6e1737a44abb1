"""Runs a guest on pywasm's own WASI: `python -m benchmarks.hosts.pywasm_wasi DIR MODULE ARG...`."""

import os
import sys

import pywasm


def main() -> int:
    directory, *args = sys.argv[1:]
    # The guest's output is not kept; pywasm knows only the process's own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    runtime = pywasm.core.Runtime()
    wasi = pywasm.wasi.Preview1(args, {"/d": directory}, {})
    wasi.bind(runtime)
    module = runtime.instance_from_file(args[0])
    return int(wasi.main(runtime, module))


if __name__ == "__main__":
    sys.exit(main())
