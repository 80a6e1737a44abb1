"""Runs a program on wasmtime's own WASI: ``[--env NAME=VALUE]... [--dir DIR] MODULE [ARGS]...``.

The directory becomes the guest's ``/``. The exit status is the program's, 134 after a trap.
"""

import sys
from typing import Any

TRAPPED = 134


def main(words: list[str]) -> int:
    """Run what the words say; return the exit status."""
    import wasmtime

    config = wasmtime.WasiConfig()
    env: list[tuple[str, str]] = []
    while words[0] in ("--env", "--dir"):
        option, value, *words = words
        if option == "--env":
            name, _, text = value.partition("=")
            env.append((name, text))
        else:
            config.preopen_dir(value, "/")
    module, *args = words
    config.argv = [module, *args]
    config.env = env
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    try:
        instance = linker.instantiate(store, wasmtime.Module.from_file(engine, module))
        start: Any = instance.exports(store)["_start"]
        start(store)
    except wasmtime.ExitTrap as end:
        return end.code
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        print(error, file=sys.stderr)
        return TRAPPED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
