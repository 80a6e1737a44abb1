"""The cases of Lucet's benchmarks: `python -m benchmarks.hosts.lucet KIND CASE MODULE`.

KIND is `ours` or `wasmtime`; CASE is `instantiate`, `drop`, or the export that is called.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.hosts.serving import Watch, serve, serve_watched

#: How many instances live at a time while making or dropping them is measured.
ALIVE = 100
#: `many_args` in guests/idle.wat.
ARGUMENTS = [*range(16), *map(float, range(8))]

#: Makes an instance; calls an export of it; drops it.
Way = tuple[Callable[[], Any], Callable[[Any, str, list[Any]], object], Callable[[Any], object]]


def our_way(module: str) -> Way:
    import wasi_host

    sandbox, pipe = wasi_host.Sandbox(module), wasi_host.PIPE
    return (
        lambda: sandbox.instantiate(["there"], stdin=b"", stdout=wasi_host.DEVNULL, stderr=pipe),
        lambda instance, name, arguments: instance.call(name, *arguments),
        lambda instance: instance.close(),
    )


def wasmtimes_way(path: str) -> Way:
    import wasmtime

    engine = wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, path)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def make() -> tuple[wasmtime.Store, Any]:
        config = wasmtime.WasiConfig()
        config.argv = ["module", "there"]
        config.stdout_file = os.devnull
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        return store, linker.instantiate(store, module).exports(store)

    def drop(made: tuple[wasmtime.Store, Any]) -> None:
        made[0].close()

    return make, lambda made, name, arguments: made[1][name](made[0], *arguments), drop


def main() -> int:
    kind, case, module = sys.argv[1:]
    make, call, drop = (our_way if kind == "ours" else wasmtimes_way)(module)

    def make_and_drop(times: int, watch: Watch) -> None:
        making, dropping = (watch, Watch()) if case == "instantiate" else (Watch(), watch)
        for start in range(0, times, ALIVE):
            count = min(ALIVE, times - start)
            with making:
                made = [make() for _ in range(count)]
            with dropping:
                for instance in made:
                    drop(instance)
                del made

    if case in ("instantiate", "drop"):
        return serve_watched(make_and_drop)
    instance, arguments = make(), ARGUMENTS if case == "many_args" else []

    def call_often(times: int) -> None:
        for _ in range(times):
            call(instance, case, arguments)

    return serve(call_often)


if __name__ == "__main__":
    sys.exit(main())
