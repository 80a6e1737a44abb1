"""Lucet's own list of benchmarks: instances made and dropped, functions called, host calls.

Through the public API of each: `Sandbox.instantiate` and `Instance.call` here, `Linker.instantiate`
and exports of wasmtime's package there. `dense heap` has 4 MiB of data, `sparse heap` as much
memory with data on every eighth page; `run host calls` makes a thousand calls in the guest.
"""

import argparse
import tempfile
from pathlib import Path

from wasmtime import wat2wasm

from benchmarks.figures import Figure, Part, Table
from benchmarks.machine import GUESTS, NATIVE, PYTHON, WASMTIME, busy, ours
from benchmarks.turns import python, started, take_turns

NAME = "lucet"
HELLO = GUESTS / "idle.wasm"
PAGE, PAGES = 4096, 1024
MICROSECONDS = 1e6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, help="of about 1 ms, for each host")
    parser.add_argument("--row", action="append", default=[], help="only this row; repeatable")


def heap_module(every: int) -> bytes:
    """Return a module with 4 MiB of memory, and a page of data on every so many of them."""
    data = "".join(
        f'(data (i32.const {page * PAGE}) "{"x" * PAGE}")' for page in range(0, PAGES, every)
    )
    memory = PAGES * PAGE >> 16
    return bytes(wat2wasm(f'(module (memory (export "memory") {memory}) {data})'))


def cases(scratch: Path) -> dict[str, tuple[str, Path]]:
    """Row -> what is done, and the module."""
    dense, sparse = scratch / "dense.wasm", scratch / "sparse.wasm"
    dense.write_bytes(heap_module(1))
    sparse.write_bytes(heap_module(8))
    return {
        "instantiate hello": ("instantiate", HELLO),
        "instantiate dense heap": ("instantiate", dense),
        "instantiate sparse heap": ("instantiate", sparse),
        "drop hello": ("drop", HELLO),
        "drop dense heap": ("drop", dense),
        "drop sparse heap": ("drop", sparse),
        "run null": ("null", HELLO),
        "run hello": ("hello", HELLO),
        "run many args": ("many_args", HELLO),
        "run host calls": ("host_calls", HELLO),
    }


def measure(arguments: argparse.Namespace) -> Part:
    samples = arguments.samples or (10 if arguments.quick else 200)
    rows: dict[str, dict[str, Figure]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for row, (case, module) in cases(Path(scratch)).items():
            if arguments.row and row not in arguments.row:
                continue
            children = {
                column: python("lucet", "ours", case, str(module), native=native)
                for column, native in ours().items()
            }
            children[WASMTIME] = python("lucet", "wasmtime", case, str(module))
            with started(children):
                timings = take_turns(children, samples)
            rows[row] = {column: t.figure(MICROSECONDS) for column, t in timings.items()}
    mine = next(column for column in (NATIVE, PYTHON) if column in next(iter(rows.values())))
    table = Table("Once", "us", rows, {f"{WASMTIME}/{mine}": (WASMTIME, mine)})
    notes = ["Standard output goes to the null device on both."]
    if noise := busy():
        notes.append(noise)
    return Part(NAME, "Lucet's list", [table], (), notes)
