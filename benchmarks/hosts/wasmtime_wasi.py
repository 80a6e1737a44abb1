"""Runs a guest on wasmtime's own WASI: `... benchmarks.hosts.wasmtime_wasi DIR MODULE ARG...`."""

import os
import sys

import wasmtime


def main() -> int:
    directory, *args = sys.argv[1:]
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    config = wasmtime.WasiConfig()
    config.argv = args
    config.preopen_dir(directory, "/d")
    config.stdout_file = os.devnull
    config.inherit_stderr()
    store.set_wasi(config)
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, args[0]))
    start = instance.exports(store)["_start"]
    try:
        start(store)  # type: ignore[operator]
    except wasmtime.ExitTrap as left:
        return left.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
