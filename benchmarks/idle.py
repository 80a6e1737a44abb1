"""Memory of live instances that wait to be called: 1,000 and 10,000 of them.

Resident bytes of the process, for each instance, of a module with fifteen imports and one page of
memory (`guests/idle.wat`); then again after each was called once, which touches its memory.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, Part, Table, Target
from benchmarks.machine import GUESTS, NATIVE, NODE, PYTHON, ROOT, WASMTIME, environment, ours

NAME = "idle"
GUEST = GUESTS / "idle.wasm"
COUNTS = (1_000, 10_000)
NODES_MOST = 1_000
FRESH, CALLED = "never called", "after a call"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", type=int, action="append", default=[], help="repeatable")


def ask(command: Sequence[str], native: bool | None) -> list[float] | None:
    """Return KiB for each instance, fresh and called; None where the host gave up."""
    done = subprocess.run(
        list(command),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(native),
        check=False,
    )
    figures = done.stdout.split()
    if done.returncode or len(figures) != 2:
        print(f"{' '.join(command)}: {done.stderr[-400:]}", file=sys.stderr)
        return None
    return [float(figure) / 1024 for figure in figures]


def commands(count: int) -> dict[str, tuple[list[str], bool | None]]:
    python = [sys.executable, "-m", "benchmarks.hosts.idle"]
    found: dict[str, tuple[list[str], bool | None]] = {}
    for column, native in ours().items():
        found[column] = [*python, "ours", str(count), str(GUEST)], native
    found[WASMTIME] = [*python, "wasmtime", str(count), str(GUEST)], None
    found[f"{WASMTIME}, pooling"] = [*python, "wasmtime-pooling", str(count), str(GUEST)], None
    # Node takes a minute for more.
    if (node := shutil.which("node")) and count <= NODES_MOST:
        script = ROOT / "benchmarks" / "hosts" / "node_idle.mjs"
        flags = ["--no-warnings", "--expose-gc"]
        found[NODE] = [node, *flags, str(script), str(count), str(GUEST)], None
    return found


def measure(arguments: argparse.Namespace) -> Part:
    rows: dict[str, dict[str, Figure]] = {}
    notes = ["Nothing is timed here: how quiet the machine is does not matter."]
    if not Path("/proc/self/statm").exists():
        return Part(NAME, "Live instances", [], (), ["There is no /proc/self/statm here."])
    for count in arguments.count or COUNTS:
        for column, (command, native) in commands(count).items():
            found = ask(command, native)
            if found is None:
                notes.append(f"{column} did not get to {count:,} instances.")
                continue
            for state, size in zip((FRESH, CALLED), found, strict=True):
                rows.setdefault(f"{count:,}, {state}", {})[column] = Figure(size, size)
    row = f"{COUNTS[-1]:,}, {FRESH}"
    targets = [
        Target(f"{column}: each of {COUNTS[-1]:,} instances", 18, False, figure.least, " KiB")
        for column in (NATIVE, PYTHON)
        if (figure := rows.get(row, {}).get(column)) is not None
    ]
    table = Table("Resident memory of each instance", "KiB", rows)
    return Part(NAME, "Live instances", [table], targets, notes)
