"""wasmtime-py with wasi_host in place of its own WASI: the two lines marked replace WasiConfig.

Run it in the project's directory:  python examples/provider.py
"""

import wasmtime

import wasi_host

engine = wasmtime.Engine()
store = wasmtime.Store(engine)
linker = wasmtime.Linker(engine)
module = wasmtime.Module.from_file(engine, "examples/grep.wasm")

# before: config = wasmtime.WasiConfig(); config.argv = [...]; config.preopen_dir(...)
#         store.set_wasi(config); linker.define_wasi()
wasi = wasi_host.Wasi(["grep", "-rn", "hello", "/data"], dirs={"/data": "examples/data"})  # (1)
wasi.add_to_linker(linker)  # (2)

instance = linker.instantiate(store, module)
code = wasi.start(instance)  # the exit code: no ExitTrap to catch
print("exit code", code)
