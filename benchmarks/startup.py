"""Start-up: whole processes from their start to a line of output, and compiling beside loading.

The guest of the processes is a C library's hello; code compiled before lies in the cache of each,
byte code is written, and an empty program of the interpreter stands beside. The large module has
3,000 functions, half a megabyte.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import wasmtime

from benchmarks.figures import Figure, Part, Table, Target
from benchmarks.machine import GUESTS, NODE, PYTHON, ROOT, WASMTIME, busy, environment
from benchmarks.turns import Sampler, python, started, take_turns

NAME = "startup"
HELLO = GUESTS / "hello_libc.wasm"
FUNCTIONS = 3000
MILLISECONDS = 1e3
EMPTY, IMPORT, SCRIPT, COMMAND = "empty program", "import", "script: hello", "command: hello"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--functions", type=int, default=FUNCTIONS, help="of the large module")


class Process:
    """A contestant that is a whole process, from its start to its end."""

    def __init__(self, command: Sequence[str], env: dict[str, str], wanted: bytes) -> None:
        self._command, self._env, self._wanted = list(command), env, wanted

    def __call__(self, times: int) -> tuple[float, float]:
        wall = cpu = 0.0
        for _ in range(times):
            cpu -= children_seconds()
            start = time.perf_counter()
            done = subprocess.run(
                self._command, cwd=ROOT, env=self._env, stdout=subprocess.PIPE, check=True
            )
            wall += time.perf_counter() - start
            cpu += children_seconds()
            if done.stdout != self._wanted:
                raise SystemExit(f"{self._command}: {done.stdout!r}, not {self._wanted!r}")
        return wall, cpu


def children_seconds() -> float:
    """Return the processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processes(scratch: Path) -> dict[str, Sampler]:
    """The processes, as `row: column`."""
    env = environment(None)
    # Byte code is kept, as it is for an installed package, and so is compiled code.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env |= {"WASI_HOST_CACHE": str(scratch / "cache"), "PYTHONPATH": str(ROOT)}
    engine = wasmtime.Engine()
    compiled = scratch / "hello.cwasm"
    compiled.write_bytes(wasmtime.Module.from_file(engine, str(HELLO)).serialize())
    hosts = ROOT / "benchmarks" / "hosts"
    commands = {
        f"{EMPTY}: {PYTHON}": [sys.executable, "-c", "pass"],
        f"{IMPORT}: {PYTHON}": [sys.executable, "-c", "import wasi_host"],
        f"{IMPORT}: {WASMTIME}": [sys.executable, "-c", "import wasmtime"],
        f"{SCRIPT}: {PYTHON}": [sys.executable, str(hosts / "hello_ours.py"), str(HELLO)],
        f"{SCRIPT}: {WASMTIME}": [
            *(sys.executable, str(hosts / "hello_wasmtime.py"), str(compiled)),
        ],
        f"{COMMAND}: {PYTHON}": [sys.executable, "-m", "wasi_host", "run", str(HELLO)],
    }
    if node := shutil.which("node"):
        commands[f"{EMPTY}: {NODE}"] = [node, "-e", "0"]
        script = str(hosts / "node_hello.mjs")
        commands[f"{SCRIPT}: {NODE}"] = [node, "--no-warnings", script, str(HELLO)]
    return {
        name: Process(command, env, b"hello world\n" if "hello" in name else b"")
        for name, command in commands.items()
    }


def large_module(functions: int) -> bytes:
    """Return a module that says hello and has so many functions more, none like another."""
    body = "".join(
        f"(func $f{n} (param i32 i64) (result i64) (local i64) "
        + "(local.set 2 (i64.add (local.get 1) (i64.extend_i32_u (local.get 0)))) "
        + "".join(
            f"(if (i32.and (local.get 0) (i32.const {k + n % 7})) (then (local.set 2 (i64.xor "
            f"(i64.mul (local.get 2) (i64.const {n * 1000003 + k})) (i64.load (i32.const {n})))))) "
            for k in range(8)
        )
        + "(local.get 2))"
        for n in range(functions)
    )
    hello = (GUESTS / "hello.wat").read_text().rstrip().removesuffix(")")
    return bytes(wasmtime.wat2wasm(hello + body + ")"))


def by_row(names: dict[str, Figure]) -> dict[str, dict[str, Figure]]:
    rows: dict[str, dict[str, Figure]] = {}
    for name, figure in names.items():
        row, column = name.rsplit(": ", 1)
        rows.setdefault(row, {})[column] = figure
    return rows


def measure(arguments: argparse.Namespace) -> Part:
    rounds = arguments.rounds or (5 if arguments.quick else 40)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        timings = take_turns(processes(scratch), rounds)
        whole = by_row({name: t.figure(MILLISECONDS) for name, t in timings.items()})
        large = scratch / "large.wasm"
        large.write_bytes(large_module(arguments.functions))
        os.environ["WASI_HOST_CACHE"] = str(scratch / "cache")
        children = {
            f"{way}: {column}": python("compiling", prefix + way, str(large))
            for way in ("cold", "warm")
            for column, prefix in ((PYTHON, ""), (WASMTIME, "wasmtime-"))
        }
        with started(children):
            timings = take_turns(children, max(rounds // 4, 3))
        loading = by_row({name: t.figure(MILLISECONDS) for name, t in timings.items()})
        size = large.stat().st_size
    return report(whole, loading, size)


def report(
    whole: dict[str, dict[str, Figure]], loading: dict[str, dict[str, Figure]], size: int
) -> Part:
    ratio = {f"{WASMTIME}/{PYTHON}": (WASMTIME, PYTHON)}
    tables = [
        Table("A whole process", "ms", whole, ratio),
        Table(f"A file of {size:,} bytes to the end of its first run", "ms", loading, ratio),
    ]
    targets = [
        Target(f"process start to hello, {row}", most, False, whole[row][PYTHON].least, " ms")
        for row, most in ((SCRIPT, 60), (COMMAND, 75))
    ]
    notes = ["cold: compiled; warm: from our cache, by wasmtime deserialized from a file."]
    if noise := busy():
        notes.append(noise)
    return Part(NAME, "Start-up", tables, targets, notes)
