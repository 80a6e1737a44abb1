"""From a file to the end of its first run: `python -m benchmarks.hosts.compiling KIND MODULE`.

KIND is `cold` (compiled each time), `warm` (from the cache), or `wasmtime-cold`, `wasmtime-warm`
(deserialized from a file).
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.hosts.serving import serve


def our_way(cached: bool, path: str) -> Callable[[], object]:
    import wasi_host

    def once() -> None:
        module = wasi_host.Module(path, cache=cached)
        done = wasi_host.run([module], stdin=b"", stdout=wasi_host.PIPE, check=True)
        if done.stdout != b"hello\n":
            raise SystemExit(f"another output than wanted: {done.stdout!r}")

    return once


def wasmtimes_way(cached: bool, path: str, scratch: Path) -> Callable[[], object]:
    import wasmtime

    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    compiled = scratch / "module.cwasm"
    compiled.write_bytes(wasmtime.Module.from_file(engine, path).serialize())

    def once() -> None:
        if cached:
            module = wasmtime.Module.deserialize_file(engine, str(compiled))
        else:
            module = wasmtime.Module.from_file(engine, path)
        store = wasmtime.Store(engine)
        config = wasmtime.WasiConfig()
        config.stdout_file = str(scratch / "stdout")
        store.set_wasi(config)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        start(store)
        store.close()

    return once


def main() -> int:
    kind, path = sys.argv[1:]
    cached = kind.endswith("warm")
    with tempfile.TemporaryDirectory() as scratch:
        if kind.startswith("wasmtime"):
            once = wasmtimes_way(cached, path, Path(scratch))
        else:
            once = our_way(cached, path)
        return serve(lambda times: [once() for _ in range(times)])


if __name__ == "__main__":
    sys.exit(main())
