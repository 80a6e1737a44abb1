"""A script that says hello on wasmtime's own WASI: `python hello_wasmtime.py COMPILED_MODULE`."""

import sys

import wasmtime

engine = wasmtime.Engine()
linker = wasmtime.Linker(engine)
linker.define_wasi()
store = wasmtime.Store(engine)
config = wasmtime.WasiConfig()
config.argv = ["hello"]
config.inherit_stdout()
store.set_wasi(config)
module = wasmtime.Module.deserialize_file(engine, sys.argv[1])
try:
    linker.instantiate(store, module).exports(store)["_start"](store)  # type: ignore[operator]
except wasmtime.ExitTrap as left:
    sys.exit(left.code)
