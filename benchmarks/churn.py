"""Whole lives of sandboxes: made, run, looked at, destroyed; on one thread, two, two processes.

A life has arguments, an environment and captured output of its own, and for one row a directory in
memory; the output of each is compared. Two guests: `hello`, the least there can be, and `libc`, a
C library's hello with its start and its buffers; where threads are compared also `compute`, which
computes for a while. Processes and threads are measured in longer samples.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, Part, Table, Target
from benchmarks.machine import GUESTS, NATIVE, NODE, PYTHON, ROOT, WASMTIME, busy, ours
from benchmarks.turns import Child, Sampler, python, started, take_turns

NAME = "churn"
#: Guest -> what it writes.
GUESTS_OUTPUT = {"hello": "hello", "libc": "hello there", "compute": "hello"}
FILES = {"hello": "hello.wasm", "libc": "hello_libc.wasm", "compute": "compute.wasm"}
POOLING, NULL = f"{WASMTIME}, pooling", f"{WASMTIME}, pooling, not kept"
MICROSECONDS = 1e6
#: Seconds of a sample. In a millisecond a process that has slept is still warming its caches:
#: a life seemed 40 % longer than in 30.
ALONE, SHARED = 5e-3, 30e-3
ONE, TWO_THREADS, TWO_PROCESSES = "one thread", "two threads", "two processes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--samples", type=int, help="of about 5 ms, for each host")
    parser.add_argument("--guest", action="append", choices=list(FILES), help="repeatable")


def words(guest: str) -> tuple[str, str]:
    return str(GUESTS / FILES[guest]), GUESTS_OUTPUT[guest]


def lives(guest: str, scratch: Path) -> dict[str, Child]:
    """Who lives the lives, by column."""
    said = words(guest)
    found = {}
    for column, native in ours().items():
        for suffix, kind in (
            ("", "pool"),
            (", with a directory", "pool-memory"),
            (", Sandbox.run", "sandbox"),
        ):
            found[column + suffix] = python("lives", kind, *said, native=native)
    for column, kind in (
        (POOLING, "wasmtime-pooling"),
        (NULL, "wasmtime-pooling-null"),
        (WASMTIME, "wasmtime"),
    ):
        found[column] = python("lives", kind, *said)
    if node := shutil.which("node"):
        found[NODE] = node_lives(node, guest, scratch)
    return found


def node_lives(node: str, guest: str, scratch: Path) -> Child:
    script = ROOT / "benchmarks" / "hosts" / "node_lives.mjs"
    output = scratch / f"node-{guest}"
    # Node's WASI crashes at times where hundreds are made (seen with 20.20).
    command = [node, "--no-warnings", str(script), *words(guest), str(output)]
    return Child(command, brittle=True)


@contextmanager
def shared(guest: str) -> Iterator[dict[str, Sampler]]:
    """The same on two threads and in two processes."""
    said = words(guest)
    children: dict[str, Child] = {}
    kinds: dict[str, tuple[str, bool | None]] = {
        column: ("pool", native) for column, native in ours().items()
    }
    kinds[POOLING] = ("wasmtime-pooling", None)
    for column, (kind, native) in kinds.items():
        children[f"{column}: {ONE}"] = python("lives", kind, *said, native=native)
        children[f"{column}: {TWO_THREADS}"] = python("lives", kind, *said, "2", native=native)
        children[f"{column}: other process"] = python("lives", kind, *said, native=native)
    with started(children):
        samplers: dict[str, Sampler] = {}
        for column in kinds:
            one, other = children[f"{column}: {ONE}"], children[f"{column}: other process"]
            samplers[f"{column}: {ONE}"] = one
            samplers[f"{column}: {TWO_THREADS}"] = children[f"{column}: {TWO_THREADS}"]
            samplers[f"{column}: {TWO_PROCESSES}"] = at_once(one, other)
        yield samplers


def at_once(one: Child, other: Child) -> Sampler:
    """Let two work at the same time; what each of their lives took then is half."""

    def sample(times: int) -> tuple[float, float]:
        for child in (one, other):
            child.ask(str(times))
        answers = [child.answer() for child in (one, other)]
        return max(float(a[0]) for a in answers) / 2, sum(float(a[1]) for a in answers) / 2

    return sample


def by_way(timings: Mapping[str, Figure]) -> dict[str, dict[str, Figure]]:
    """Turn `column: way` into rows of ways, columns of hosts."""
    rows: dict[str, dict[str, Figure]] = {}
    for name, figure in timings.items():
        column, way = name.rsplit(": ", 1)
        rows.setdefault(way, {})[column] = figure
    return rows


def measure(arguments: argparse.Namespace) -> Part:
    samples = arguments.samples or (12 if arguments.quick else 200)
    guests = arguments.guest or list(FILES)
    alone: dict[str, dict[str, Figure]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for guest in guests:
            with started(lives(guest, Path(scratch))) as children:
                timings = take_turns(children, samples, ALONE)
            alone[guest] = {name: t.figure(MICROSECONDS) for name, t in timings.items()}
    scaling: dict[str, dict[str, dict[str, Figure]]] = {}
    for guest in guests:
        with shared(guest) as samplers:
            timings = take_turns(samplers, max(samples // 5, 3), SHARED)
        scaling[guest] = by_way({name: t.figure(MICROSECONDS) for name, t in timings.items()})
    return report(alone, scaling)


def report(
    alone: dict[str, dict[str, Figure]], scaling: dict[str, dict[str, dict[str, Figure]]]
) -> Part:
    columns = {column for figures in alone.values() for column in figures}
    mine = next(column for column in (NATIVE, PYTHON) if column in columns)
    others = [name for name in (POOLING, NULL, NODE) if name in columns]
    tables = [
        Table("A whole life", "us", alone, {f"{other}/{mine}": (other, mine) for other in others})
    ]
    for guest, rows in scaling.items():
        ratio = {f"{POOLING}/{mine}": (POOLING, mine)}
        tables.append(Table(f"{guest}: time for each life, in effect", "us", rows, ratio))
    notes = [
        "ours is Pool.run; 'with a directory': each life has a directory in memory of its own; "
        "'Sandbox.run': without a pool. 'not kept': the output goes to the null device."
    ]
    if noise := busy():
        notes.append(noise)
    targets = [
        target
        for column in (NATIVE, PYTHON)
        if column in columns
        for target in column_targets(column, alone, scaling)
    ]
    return Part(NAME, "Whole lives of sandboxes", tables, targets, notes)


def column_targets(
    column: str,
    alone: dict[str, dict[str, Figure]],
    scaling: dict[str, dict[str, dict[str, Figure]]],
) -> Iterator[Target]:
    for guest, most, factor in (("hello", 12, 5), ("libc", 50, 2.3)):
        figures = alone.get(guest)
        if figures is None:
            continue
        found = figures[column].median
        yield Target(f"{column}: {guest}, at the median", most, False, found, " us")
        ratio = figures[POOLING].least / figures[column].least
        yield Target(f"{column}: {guest}, times as fast as {POOLING}", factor, True, ratio)
    for guest, way, factor in (
        ("hello", TWO_PROCESSES, 1.9),
        ("libc", TWO_PROCESSES, 1.9),
        ("compute", TWO_THREADS, 1.7),
    ):
        rows = scaling.get(guest)
        if rows is None:
            continue
        ratio = rows[ONE][column].least / rows[way][column].least
        yield Target(f"{column}: {guest}, {way}, times one", factor, True, ratio)
