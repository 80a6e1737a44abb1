"""Times of single calls, from inside a guest, on three hosts in turn.

Each round runs the same guest (`guests/percall.wasm`) once on every host, in a child process of
its own. Of a call's figures the least over all rounds counts: noise only ever adds. The medians
stand beside it to show how quiet the machine was.
"""

import argparse
import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT, print_description

GUEST = ROOT / "benchmarks" / "guests" / "percall.wasm"
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
OURS, MEMORY, WASMTIME, NODE = "ours", "ours, memory", "wasmtime", "node"
# wasmtime hands file calls to another thread, so a busy machine slows it far more than us and a
# ratio would flatter us. These bounds tell a quiet machine.
QUIET_FSTAT_NS = 20_000
QUIET_SPREAD = 2.0


@dataclass(frozen=True)
class Figure:
    """One call on one host, in nanoseconds."""

    least: float
    median: float


Table = dict[str, dict[str, Figure]]  # host, call


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=200, help="of about 1 ms, for each call")
    parser.add_argument("--call", action="append", default=[], help="only this call; repeatable")
    parser.add_argument("--json", type=Path, default=ROOT / "bench-results" / "percall.json")


def host_commands(directory: Path) -> dict[str, list[str]]:
    """How each host is started; Node only where it is there."""
    python = [sys.executable, "-m"]
    commands = {
        OURS: [*python, "benchmarks.hosts.ours", "host", str(directory)],
        MEMORY: [*python, "benchmarks.hosts.ours", "memory", str(directory)],
        WASMTIME: [*python, "benchmarks.hosts.wasmtime_wasi", str(directory)],
    }
    if node := shutil.which("node"):
        script = ROOT / "benchmarks" / "hosts" / "node_wasi.mjs"
        commands[NODE] = [node, "--no-warnings", str(script), str(directory)]
    return commands


def prepare(directory: Path) -> None:
    """The files the guest expects below its directory."""
    (directory / "f.bin").write_bytes(bytes(1 << 20))
    (directory / "a/b/c").mkdir(parents=True)
    (directory / "a/b/c/f.bin").write_bytes(b"deep")
    (directory / "many").mkdir()
    for number in range(1000):
        (directory / "many" / f"entry-{number:04}.txt").touch()


def run_once(command: list[str], samples: int, calls: list[str]) -> dict[str, Figure]:
    done = subprocess.run(
        [*command, str(GUEST), str(samples), *calls],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nfailed ({done.returncode}): {done.stderr}")
    rows = [line.split() for line in done.stderr.splitlines()]
    return {name: Figure(float(least), float(median)) for name, least, median, _ in rows}


def combine(rounds: list[dict[str, Figure]]) -> dict[str, Figure]:
    return {
        call: Figure(
            min(figures[call].least for figures in rounds),
            statistics.median(figures[call].median for figures in rounds),
        )
        for call in rounds[0]
    }


def why_not_comparable(table: Table) -> str | None:
    """Why wasmtime's figures are no measure today, or None where they are."""
    fstat = table[WASMTIME].get("fstat")
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


def ratios(table: Table, other: str) -> dict[str, float]:
    """How many times faster our host directory is than the other host, for each call."""
    return {call: table[other][call].least / ours.least for call, ours in table[OURS].items()}


def geometric_mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(math.log(value) for value in values))


def print_table(table: Table, compared: dict[str, dict[str, float]]) -> None:
    hosts = list(table)
    header = "".join(f"{host:>20}" for host in hosts)
    header += "".join(f"{other + '/ours':>16}" for other in compared)
    print(f"{'ns: least (median)':20}{header}")
    for call in table[OURS]:
        cells = [f"{table[h][call].least:,.0f} ({table[h][call].median:,.0f})" for h in hosts]
        times = [f"{by_call[call]:.2f}" for by_call in compared.values()]
        print(
            f"{call:20}" + "".join(f"{c:>20}" for c in cells) + "".join(f"{t:>16}" for t in times)
        )
    if set(FILE_CALLS) <= table[OURS].keys():
        for other, by_call in compared.items():
            mean = geometric_mean([by_call[call] for call in FILE_CALLS])
            print(
                f"\ngeometric mean over the {len(FILE_CALLS)} file calls, {other}/ours: {mean:.2f}"
            )


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch))
        commands = host_commands(Path(scratch))
        collected: dict[str, list[dict[str, Figure]]] = {host: [] for host in commands}
        for _ in range(arguments.rounds):
            for host, command in commands.items():
                collected[host].append(run_once(command, arguments.samples, arguments.call))
    table = {host: combine(rounds) for host, rounds in collected.items()}
    reason = why_not_comparable(table)
    compared = {
        other: ratios(table, other)
        for other in (WASMTIME, NODE)
        if other in table and not (other == WASMTIME and reason)
    }
    print_table(table, compared)
    if reason:
        print(f"\nNo ratios against wasmtime: {reason}. The machine is not quiet; try again.")
    write_json(arguments.json, facts, table, compared, reason)
    return 0


def write_json(
    path: Path,
    facts: dict[str, str],
    table: Table,
    compared: dict[str, dict[str, float]],
    reason: str | None,
) -> None:
    means = {
        other: geometric_mean([by_call[call] for call in FILE_CALLS])
        for other, by_call in compared.items()
        if set(FILE_CALLS) <= by_call.keys()
    }
    report = {
        "machine": facts,
        "unit": "ns",
        "figures": {
            host: {call: {"min": f.least, "median": f.median} for call, f in figures.items()}
            for host, figures in table.items()
        },
        "ratios": compared,
        "geometric_means": means,
        "no_wasmtime_ratios_because": reason,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {path}")
