"""The same job on this project and on wasmtime's own WASI, in this process, with code from disk."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime

import wasi_host
from benchmarks.machine import package_version
from benchmarks.real_programs import Job

#: Modules below this compile in no time, and are not kept.
SMALL = 1 << 20
WASI_MODULES = ("wasi_snapshot_preview1", "wasi_unstable")


@dataclass(frozen=True)
class Outcome:
    """What a run gave. Two hosts agree where exit code, output and files are equal.

    `seconds` is the wall clock, `cpu_seconds` what all threads of the process used.
    """

    code: int
    stdout: bytes
    files: tuple[bytes, ...]
    seconds: float
    cpu_seconds: float
    stderr: bytes

    def agrees_with(self, other: "Outcome") -> bool:
        return (self.code, self.stdout, self.files) == (other.code, other.stdout, other.files)


def outcome(job: Job, scratch: Path, run: Callable[[Path, Path, Path], int]) -> Outcome:
    """Time a run whose streams are files, and take away what it wrote."""
    stdin, stdout, stderr = (scratch / name for name in ("stdin", "stdout", "stderr"))
    stdin.write_bytes(job.stdin)
    start, cpu_start = time.perf_counter(), time.process_time()
    code = run(stdin, stdout, stderr)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    files = tuple(path.read_bytes() if path.exists() else b"" for path in job.outputs)
    result = Outcome(code, stdout.read_bytes(), files, seconds, cpu, stderr.read_bytes())
    for path in (*job.outputs, stdin, stdout, stderr):
        path.unlink(missing_ok=True)
    return result


class Ours:
    """`wasi_host.run`, the module compiled before and taken from our cache."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.module = wasi_host.Module(job.module)

    def run(self, stdin: Path, stdout: Path, stderr: Path) -> int:
        job = self.job
        with open(stdin, "rb") as source, open(stdout, "wb") as out, open(stderr, "wb") as err:
            return wasi_host.run(
                [self.module, *job.argv[1:]],
                argv0=job.argv[0],
                dirs=job.dirs,
                env=job.env,
                stdin=source,
                stdout=out,
                stderr=err,
            ).returncode


class _OnWasmtimesPackage:
    """What is the same for both ways on wasmtime's package: engine, module, foreign imports."""

    def __init__(self, job: Job, compiled: Path) -> None:
        self.job = job
        self.engine = wasmtime.Engine()
        self.module = load(self.engine, job.module, compiled)

    def linker(self) -> wasmtime.Linker:
        """A new linker with a function for each import that is not WASI's; it answers -1."""
        linker = wasmtime.Linker(self.engine)
        for item in self.module.imports:
            if item.module not in WASI_MODULES:
                linker.define_func(item.module, item.name, item.type, lambda *_: -1)
        return linker


class OursOnLinker(_OnWasmtimesPackage):
    """`wasi_host.Wasi` on the user's own linker: for modules that import more than WASI."""

    def run(self, stdin: Path, stdout: Path, stderr: Path) -> int:
        job, linker, store = self.job, self.linker(), wasmtime.Store(self.engine)
        with wasi_host.Wasi(job.argv, job.env, job.dirs, stdin, stdout, stderr) as wasi:
            wasi.add_to_linker(linker)
            instance = linker.instantiate(store, self.module)
            if job.entry == "_start":
                return wasi.start(instance)
            wasi.initialize(instance)
            return int(instance.exports(store)[job.entry](store))  # type: ignore[operator]


class Wasmtimes(_OnWasmtimesPackage):
    """wasmtime's own WASI; its linker is made once, which costs a run nothing."""

    def __init__(self, job: Job, compiled: Path) -> None:
        super().__init__(job, compiled)
        self.bound = self.linker()
        self.bound.define_wasi()

    def run(self, stdin: Path, stdout: Path, stderr: Path) -> int:
        job, store, config = self.job, wasmtime.Store(self.engine), wasmtime.WasiConfig()
        config.argv = list(job.argv)
        config.env = list(job.env.items())
        config.stdin_file, config.stdout_file = str(stdin), str(stdout)
        config.stderr_file = str(stderr)
        for guest, path in job.dirs.items():
            config.preopen_dir(str(path), guest)
        store.set_wasi(config)
        exports: Any = self.bound.instantiate(store, self.module).exports(store)
        try:
            if job.entry != "_start":
                if "_initialize" in exports:
                    exports["_initialize"](store)
                return int(exports[job.entry](store))
            exports["_start"](store)
        except wasmtime.ExitTrap as left:
            return left.code
        return 0


def load(engine: wasmtime.Engine, path: Path, compiled: Path) -> wasmtime.Module:
    """Take a module from the directory of compiled ones, or compile it and put it there."""
    st = os.stat(path)
    if st.st_size < SMALL:
        return wasmtime.Module.from_file(engine, str(path))
    name = f"{path.parent.name}-{path.stem}-{st.st_size}-{st.st_mtime_ns}"
    kept = compiled / f"{name}-wasmtime-{package_version('wasmtime')}.cwasm"
    if kept.exists():
        return wasmtime.Module.deserialize_file(engine, str(kept))
    module = wasmtime.Module.from_file(engine, str(path))
    compiled.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(module.serialize())
    partial.replace(kept)
    return module
