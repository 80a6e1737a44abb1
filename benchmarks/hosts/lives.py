"""Whole lives of sandboxes: `python -m benchmarks.hosts.lives KIND MODULE WANTED [THREADS]`.

Each life has arguments, an environment and captured output of its own; WANTED is that output,
without which a life does not count. KIND:

- `pool`, `sandbox`: ours, warm or with an instance on demand;
- `pool-memory`, `sandbox-memory`: with a directory in memory of its own too;
- `wasmtime-pooling`, `wasmtime`: wasmtime's package with its WasiConfig, the output taken by a
  function; `wasmtime-pooling-null`: thrown away.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from benchmarks.hosts.serving import serve

WORD, ENV = "there", {"NAME": "nobody"}

Life = Callable[[], bytes]


def our_life(kind: str, module: str) -> Life:
    import wasi_host

    directories = {"/d": {"in.txt": b"0123456789"}} if kind.endswith("-memory") else None
    sandbox = wasi_host.Sandbox(module, dirs=directories)
    if kind.startswith("pool"):
        pool = wasi_host.Pool(sandbox)
        return lambda: pool.run([WORD], env=ENV).stdout
    return lambda: sandbox.run([WORD], env=ENV, stdin=b"", capture_output=True).stdout


def wasmtime_life(kind: str, path: str) -> Life:
    import wasmtime

    from benchmarks.hosts.pooling import pooling_engine

    engine = pooling_engine() if kind.startswith("wasmtime-pooling") else wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, path)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def life() -> bytes:
        written: list[bytes] = []
        config = wasmtime.WasiConfig()
        config.argv = ["module", WORD]
        config.env = list(ENV.items())
        if kind.endswith("-null"):
            config.stdout_file = os.devnull
        else:
            config.stdout_custom = written.append
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        with suppress(wasmtime.ExitTrap):  # a C library's exit(0)
            start(store)
        store.close()
        return b"".join(written)

    return life


def main() -> int:
    kind, module, wanted, *more = sys.argv[1:]
    threads = int(more[0]) if more else 1
    life = (wasmtime_life if kind.startswith("wasmtime") else our_life)(kind, module)
    expected = b"" if kind.endswith("-null") else wanted.encode() + b"\n"

    def live(times: int) -> None:
        for _ in range(times):
            if life() != expected:
                raise SystemExit(f"{kind}: {life()!r}, not {expected!r}")

    if threads == 1:
        return serve(live)
    with ThreadPoolExecutor(threads) as executor:
        return serve(lambda times: list(executor.map(live, [times] * threads)), threads)


if __name__ == "__main__":
    sys.exit(main())
