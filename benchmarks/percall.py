"""Times of single calls, from inside a guest, on all hosts that are there, in turn.

Each round runs the same guest (`guests/percall.wasm`) once on every host, in a child process of
its own; what the calls cost without any host a small C program tells (`hosts/raw_syscalls.c`). Of
a call's figures the least over all rounds counts, the median of medians stands beside it.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.compiler import compile_native
from benchmarks.figures import Figure, Part, Table, Target
from benchmarks.machine import (
    GUESTS,
    NATIVE,
    NODE,
    PYTHON,
    PYWASM,
    ROOT,
    WASMTIME,
    busy,
    environment,
    ours,
)

NAME = "percall"
GUEST = GUESTS / "percall.wasm"
FILE_CALLS = (
    "pread",
    "pwrite",
    "read",
    "fstat",
    "fdstat",
    "stat",
    "deep_stat",
    "enoent_stat",
    "open_close",
    "readdir",
)
OTHER_CALLS = ("seek", "tell", "clock", "random", "write")
UNDER_50_NS = ("seek", "tell", "fdstat", "clock")
#: Those between which and their system call there may be hardly anything, with the part in C.
THIN_CALLS = ("read", "write", "pread")
#: Those that are one system call on one descriptor, beside fstat.
SINGLE_CALLS = ("pread", "pwrite", "read", "seek", "tell", "write")
#: What wasmtime answers without another thread, and how many times slower we may be.
NO_HOP = {"clock": 6.5, "random": 10, "seek": 4, "tell": 10, "write": 2.2}
SYSCALL = "the kernel"
# wasmtime hands file calls to another thread, so a busy machine slows it far more than us and a
# ratio would flatter us. These bounds tell a quiet machine.
QUIET_FSTAT_NS = 20_000
QUIET_SPREAD = 2.0

Found = dict[str, dict[str, Figure]]  # host, call


@dataclass(frozen=True)
class Host:
    """How a host is started; `native` as in `machine.environment`."""

    command: list[str]
    native: bool | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--samples", type=int, help="of about 1 ms, for each call")
    parser.add_argument("--call", action="append", default=[], help="only this call; repeatable")
    parser.add_argument("--host", action="append", default=[], help="only this one; repeatable")


def host_commands(directory: Path, scratch: Path) -> dict[str, Host]:
    """How each host is started, those that are there."""
    python = [sys.executable, "-m"]
    where = str(directory)
    hosts = {}
    for column, native in ours().items():
        for suffix, kind in (("", "host"), (", memory", "memory"), (", overlay", "overlay")):
            command = [*python, "benchmarks.hosts.ours", kind, where]
            hosts[column + suffix] = Host(command, native)
    hosts[WASMTIME] = Host([*python, "benchmarks.hosts.wasmtime_wasi", where])
    if node := shutil.which("node"):
        script = ROOT / "benchmarks" / "hosts" / "node_wasi.mjs"
        hosts[NODE] = Host([node, "--no-warnings", str(script), where])
    if find_spec("pywasm") is not None:
        hosts[PYWASM] = Host([*python, "benchmarks.hosts.pywasm_wasi", where])
    binary = scratch / "raw_syscalls"
    if compile_native(ROOT / "benchmarks" / "hosts" / "raw_syscalls.c", binary):
        hosts[SYSCALL] = Host([str(binary), where])
    return hosts


def prepare(directory: Path) -> None:
    """The files the guest expects below its directory."""
    (directory / "f.bin").write_bytes(bytes(1 << 20))
    (directory / "a/b/c").mkdir(parents=True)
    (directory / "a/b/c/f.bin").write_bytes(b"deep")
    (directory / "many").mkdir()
    for number in range(1000):
        (directory / "many" / f"entry-{number:04}.txt").touch()


def run_once(name: str, host: Host, samples: int, calls: list[str]) -> dict[str, Figure]:
    """Run the guest once; a call the host has not is left out, with all that come after it."""
    done = subprocess.run(
        [*host.command, str(GUEST), str(samples), *calls],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(host.native),
        check=False,
    )
    if done.returncode != 0 and name != PYWASM:
        raise SystemExit(f"{' '.join(host.command)}\nfailed ({done.returncode}): {done.stderr}")
    rows = [line.split() for line in done.stderr.splitlines()]
    known = {*FILE_CALLS, *OTHER_CALLS}
    return {
        row[0]: Figure(float(row[1]), float(row[2]))
        for row in rows
        if len(row) == 4 and row[0] in known
    }


def combine(rounds: list[dict[str, Figure]]) -> dict[str, Figure]:
    return {
        call: Figure(
            min(figures[call].least for figures in rounds),
            statistics.median(figures[call].median for figures in rounds),
        )
        for call in rounds[0]
        if all(call in figures for figures in rounds)
    }


def why_not_comparable(figures: dict[str, Figure]) -> str | None:
    """Why wasmtime's figures are no measure today, or None where they are."""
    fstat = figures.get("fstat")
    if fstat is None:
        return "its fstat, which tells whether the machine is quiet, was not measured"
    if fstat.least > QUIET_FSTAT_NS:
        return f"its fstat took {fstat.least:,.0f} ns, more than {QUIET_FSTAT_NS:,}"
    if fstat.median > QUIET_SPREAD * fstat.least:
        return (
            f"its fstat's median, {fstat.median:,.0f} ns, is more than {QUIET_SPREAD:g} times "
            f"its minimum, {fstat.least:,.0f} ns"
        )
    return None


def measure(arguments: argparse.Namespace) -> Part:
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    samples = arguments.samples or (7 if arguments.quick else 200)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch, "tree")
        directory.mkdir()
        prepare(directory)
        hosts = host_commands(directory, Path(scratch))
        chosen = {name: hosts[name] for name in hosts if name in (arguments.host or hosts)}
        collected: dict[str, list[dict[str, Figure]]] = {name: [] for name in chosen}
        for _ in range(rounds):
            for name, host in chosen.items():
                collected[name].append(run_once(name, host, samples, arguments.call))
    return report({name: combine(found) for name, found in collected.items()})


def report(found: Found) -> Part:
    """Return what was found as tables and targets."""
    calls = list(dict.fromkeys(call for figures in found.values() for call in figures))
    calls = [call for call in (*FILE_CALLS, *OTHER_CALLS) if call in calls]
    # By the first way of ours that was measured.
    first = next((column for column in (NATIVE, PYTHON) if column in found), None)
    reason = why_not_comparable(found[WASMTIME]) if WASMTIME in found else "it was not measured"
    ratios = {}
    for other in (WASMTIME, NODE, PYWASM):
        if first and other in found and not (other == WASMTIME and reason):
            ratios[f"{other}/{first}"] = (other, first)
    rows = {
        call: {host: figures[call] for host, figures in found.items() if call in figures}
        for call in calls
    }
    table = Table("One call, from inside a guest", "ns", rows, ratios)
    notes = [f"{first}: 'memory' captures what is written, the others write to {os.devnull}."]
    if reason:
        notes.append(f"No ratios against wasmtime's file calls: {reason}.")
    if noise := busy():
        notes.append(noise)
    targets = [
        target
        for column in (NATIVE, PYTHON)
        if column in found
        for target in column_targets(table, column, quiet=reason is None)
    ]
    if NATIVE in found:
        targets += native_targets(table, quiet=reason is None)
    return Part(NAME, "Single calls", [table], targets, notes)


def least(table: Table, call: str, host: str) -> float | None:
    """The least time of a call on a host; None where it was not measured."""
    figure = table.rows.get(call, {}).get(host)
    return None if figure is None else figure.least


def compared(table: Table, call: str, other: str, column: str) -> float | None:
    """How many times as fast as another host a column is."""
    theirs, mine = least(table, call, other), least(table, call, column)
    return theirs / mine if theirs and mine else None


def compared_files(table: Table, other: str, column: str) -> float | None:
    """The same over all file calls, as a geometric mean."""
    return Table("", "ns", table.rows, {"": (other, column)}).mean_ratio("", FILE_CALLS)


def beyond_system_call(table: Table, column: str, calls: Sequence[str], most: float) -> Target:
    """What a call takes at most beside its system call."""
    pairs = [(least(table, call, column), least(table, call, SYSCALL)) for call in calls]
    more = [mine - raw for mine, raw in pairs if mine is not None and raw is not None]
    what = f"{column}: more than the system call, the worst of {', '.join(calls)}"
    return Target(what, most, False, max(more) if len(more) == len(calls) else None, " ns")


def column_targets(table: Table, column: str, quiet: bool) -> Iterator[Target]:
    """The targets of one way of ours, over a host directory and over memory."""
    for other, mean, readdir in ((WASMTIME, 5.5, 50), (NODE, 0.40, 2.5)):
        sound = quiet or other != WASMTIME
        found = compared_files(table, other, column) if sound else None
        yield Target(f"{column}: file calls, mean, times as fast as {other}", mean, True, found)
        found = compared(table, "readdir", other, column) if sound else None
        yield Target(f"{column}: readdir, times as fast as {other}", readdir, True, found)
    for calls, most in ((SINGLE_CALLS, 1300), (("fstat",), 1700)):
        yield beyond_system_call(table, column, calls, most)
    for call in ("read", "pwrite", "fstat"):
        found = least(table, call, f"{column}, memory")
        yield Target(f"{column}: {call} of a memory file", 1000, False, found, " ns")
    for call, most_times in NO_HOP.items():
        ratio = compared(table, call, WASMTIME, column)
        what = f"{column}: {call}, times slower than {WASMTIME}"
        yield Target(what, most_times, False, 1 / ratio if ratio else None)


def native_targets(table: Table, quiet: bool) -> Iterator[Target]:
    """What the part in C has to reach beyond that, over a host directory."""
    for other, mean in ((WASMTIME, 30), (NODE, 2.5)):
        sound = quiet or other != WASMTIME
        found = compared_files(table, other, NATIVE) if sound else None
        yield Target(f"{NATIVE}: file calls, mean, times as fast as {other}", mean, True, found)
        ratios = [compared(table, call, other, NATIVE) for call in table.rows] if sound else []
        slowest = min((ratio for ratio in ratios if ratio), default=None)
        what = f"{NATIVE}: the slowest call, times as fast as {other}"
        yield Target(what, 1, True, slowest)
    found = compared(table, "readdir", NODE, NATIVE)
    yield Target(f"{NATIVE}: readdir, times as fast as {NODE}", 8, True, found)
    for call in UNDER_50_NS:
        yield Target(f"{NATIVE}: {call}", 50, False, least(table, call, NATIVE), " ns")
    yield beyond_system_call(table, NATIVE, THIN_CALLS, 120)
    ratio = compared(table, "open_close", SYSCALL, NATIVE)
    what = f"{NATIVE}: open_close, times the system calls"
    yield Target(what, 1.6, False, 1 / ratio if ratio else None)
