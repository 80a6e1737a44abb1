"""An adapter for a new engine in ten lines: any that calls Python functions with integers will do.

Here the engine is wasmtime's own Python API, of which nothing is used but that it calls functions
and lets memory be read and written:

    $ python examples/new_engine.py examples/grep.wasm -rn hello /data
"""

import sys
from typing import Any

import wasmtime

import wasi_host


def run(path: str, *words: str, **keywords: Any) -> int:  # noqa: ANN401  passed on
    """Run a program on the engine; ``keywords`` as ``wasi_host.Wasi`` has them."""
    store = wasmtime.Store()
    module, linker = wasmtime.Module.from_file(store.engine, path), wasmtime.Linker(store.engine)

    # The adapter: functions by name for the engine, its memory for the functions, and the end.
    class Memory:
        read = lambda self, at, size: memory.read(store, at, at + size)  # noqa: E731
        write = lambda self, at, data: memory.write(store, data, at)  # noqa: E731
        size = lambda self: memory.data_len(store)  # noqa: E731

    with wasi_host.Wasi([path, *words], **keywords) as wasi:
        functions = wasi.functions(Memory())
        for item in module.imports:
            linker.define_func(item.module, item.name, item.type, functions[item.name])
        exports = linker.instantiate(store, module).exports(store)
        memory = exports["memory"]
        try:
            exports["_start"](store)
        except wasi_host.ProcExit as ended:
            return ended.code
        return 0


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:], dirs={"/data": "examples/data"}))
