"""Bytes that live instances hold: `python -m benchmarks.hosts.idle KIND COUNT MODULE`.

Makes so many instances and keeps them; KIND is `ours`, `wasmtime` or `wasmtime-pooling`. Prints
the resident bytes for each, before anything was called, and after one call of each.
"""

import os
import sys
from collections.abc import Callable
from typing import Any


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def our_instances(module: str) -> Callable[[], Any]:
    import wasi_host

    sandbox = wasi_host.Sandbox(module)
    pipe = wasi_host.PIPE
    return lambda: sandbox.instantiate(["there"], stdin=b"", stdout=pipe, stderr=pipe)


def wasmtime_instances(module_path: str, pooling: bool, count: int) -> Callable[[], Any]:
    import wasmtime

    from benchmarks.hosts.pooling import pooling_engine

    engine = pooling_engine(count) if pooling else wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, module_path)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()

    def make() -> "_Theirs":
        config = wasmtime.WasiConfig()
        config.argv = ["module", "there"]
        config.stdout_file = os.devnull
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        return _Theirs(store, linker.instantiate(store, module))

    return make


class _Theirs:
    """A store with its instance."""

    __slots__ = ("instance", "store")

    def __init__(self, store: Any, instance: Any) -> None:  # noqa: ANN401
        self.store, self.instance = store, instance

    def call(self, name: str) -> None:
        self.instance.exports(self.store)[name](self.store)


def main() -> int:
    kind, number, module = sys.argv[1:]
    count = int(number)
    warm_up = min(count, 50)
    if kind == "ours":
        make = our_instances(module)
    else:
        make = wasmtime_instances(module, kind.endswith("pooling"), count + warm_up)
    kept = [make() for _ in range(warm_up)]
    for instance in kept:
        instance.call("hello")
    before = resident()
    kept = kept + [make() for _ in range(count)]
    made = resident()
    for instance in kept:
        instance.call("hello")
    called = resident()
    print((made - before) / count, (called - before) / count, flush=True)
    # Taking so many down in order takes longer than all that was measured.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
