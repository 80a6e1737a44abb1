"""Whole small programs: `python -m benchmarks.hosts.tool KIND JOB`, JOB as of `benchmarks.tools`.

KIND is `host`, `memory`, `overlay` (ours, over that directory) or `wasmtime`. Opening the directory
anew and clearing away what a run wrote are not timed.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.hosts.serving import Watch, serve_watched

#: Makes ready, and returns what runs the program and returns its output.
Prepare = Callable[[], Callable[[], bytes]]


def our_way(kind: str, job: dict[str, Any]) -> Prepare:
    import wasi_host

    module, directory = wasi_host.Module(job["module"]), job["directory"]
    tree = wasi_host.MemoryFS(Path(directory) if kind == "memory" else {})
    snapshot = tree.snapshot()

    def prepare() -> Callable[[], bytes]:
        source: Any = directory
        if kind == "memory":
            tree.restore(snapshot)
            source = tree
        elif kind == "overlay":
            source = wasi_host.Overlay(directory)
        sandbox = wasi_host.Sandbox(module, dirs={"/d": source})
        return lambda: sandbox.run(job["args"], stdin=b"", stdout=wasi_host.PIPE).stdout

    return prepare


def wasmtimes_way(job: dict[str, Any], scratch: Path) -> Prepare:
    import wasmtime

    engine = wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, job["module"])
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    output = scratch / "stdout"

    def run() -> bytes:
        config = wasmtime.WasiConfig()
        config.argv = [os.path.basename(job["module"]), *job["args"]]
        config.stdout_file = str(output)
        config.inherit_stderr()
        config.preopen_dir(job["directory"], "/d")
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        start: Any = linker.instantiate(store, module).exports(store)["_start"]
        try:
            start(store)
        except wasmtime.ExitTrap as left:
            if left.code:
                raise
        store.close()
        return output.read_bytes()

    return lambda: run


def main() -> int:
    kind, text = sys.argv[1:]
    job = json.loads(text)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        prepare = wasmtimes_way(job, scratch) if kind == "wasmtime" else our_way(kind, job)

        def work(times: int, watch: Watch) -> None:
            for _ in range(times):
                run = prepare()
                with watch:
                    output = run()
                if hashlib.sha256(output).hexdigest() != job["wanted"]:
                    raise SystemExit(f"{kind}: another output than wanted: {output[:300]!r}")
                if job["empty"]:
                    shutil.rmtree(job["empty"])
                    os.mkdir(job["empty"])

        return serve_watched(work)


if __name__ == "__main__":
    sys.exit(main())
