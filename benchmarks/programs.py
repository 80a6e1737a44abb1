"""Whole programs, on this project and on wasmtime's own WASI in turn.

Both run in this process from code compiled before, and their output is compared each time. The
least time of each counts: noise only ever adds. On a machine that others use too no run is free of
noise; there the processor time of the two runs of a round is the better measure: it stands in the
last column, the median of the ratios over all rounds.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import ROOT, print_description
from benchmarks.program_hosts import Ours, OursOnLinker, Outcome, Wasmtimes, outcome
from benchmarks.real_programs import PROGRAMS, VARIABLE, Program

#: More than this times wasmtime's time is a reason to look for the cause.
WANTED = 1.03
OURS, WASMTIME = "ours", "wasmtime"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    where = os.environ.get(VARIABLE)
    parser.add_argument(
        "--programs",
        type=Path,
        default=Path(where) if where else None,
        help=f"the directory that holds them (docs/programs.md); default: ${VARIABLE}",
    )
    parser.add_argument("--only", action="append", default=[], help="this program; repeatable")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, default=ROOT / "bench-results" / "programs.json")


def measure(program: Program, programs: Path, rounds: int) -> dict[str, list[Outcome]]:
    """Return every round's outcomes; SystemExit where the two do not agree."""
    outcomes: dict[str, list[Outcome]] = {OURS: [], WASMTIME: []}
    with tempfile.TemporaryDirectory(prefix="wasi-host-programs-") as name:
        scratch = Path(name)
        (scratch / "job").mkdir()
        job = program.prepare(programs, scratch / "job")
        compiled = programs / "compiled"
        ours = OursOnLinker(job, compiled) if job.foreign else Ours(job)
        hosts = {OURS: ours, WASMTIME: Wasmtimes(job, compiled)}
        for number in range(-1, rounds):  # round -1 warms up
            # Who goes first changes, so that what one leaves behind helps both.
            order = [OURS, WASMTIME] if number % 2 else [WASMTIME, OURS]
            said = {host: outcome(job, scratch, hosts[host].run) for host in order}
            check(program, said)
            if number >= 0:
                for host, result in said.items():
                    outcomes[host].append(result)
    return outcomes


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Milliseconds."""
    seconds = [result.seconds for result in outcomes]
    return {
        "min": min(seconds) * 1e3,
        "median": statistics.median(seconds) * 1e3,
        "cpu_min": min(result.cpu_seconds for result in outcomes) * 1e3,
    }


def check(program: Program, said: dict[str, Outcome]) -> None:
    """Refuse to compare the times of different work."""
    if not said[OURS].agrees_with(said[WASMTIME]):
        shown = "\n".join(
            f"{h}: {o.code} {o.stdout[:200]!r} {o.stderr[:800]!r}" for h, o in said.items()
        )
        raise SystemExit(f"{program.name}: the hosts do not agree\n{shown}")
    if not said[OURS].stdout and not any(said[OURS].files):
        raise SystemExit(f"{program.name}: no output; {said[OURS].stderr[:800]!r}")


def main(arguments: argparse.Namespace) -> int:
    known = [program.name for program in PROGRAMS]
    if unknown := set(arguments.only) - set(known):
        sys.exit(f"no program {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if arguments.programs is None:
        sys.exit(f"Say where the programs are: --programs DIR, or {VARIABLE}.")
    programs = arguments.programs.resolve()
    # Compiled code lies beside the programs, so that none is compiled for a second report.
    os.environ.setdefault("WASI_HOST_CACHE", str(programs / "compiled" / "wasi_host"))
    facts = print_description()
    print("milliseconds: least (median), and least of the processor\n")
    print(f"{'':20}{OURS:>28}{WASMTIME:>28}{'ours/wasmtime':>14}{'cpu':>7}")
    report = {}
    for program in PROGRAMS:
        if arguments.only and program.name not in arguments.only:
            continue
        if why := program.missing(programs):
            print(f"{program.name:20}{why}")
            continue
        outcomes = measure(program, programs, arguments.rounds)
        figures = {host: summary(results) for host, results in outcomes.items()}
        ratio = figures[OURS]["min"] / figures[WASMTIME]["min"]
        cpu_ratio = statistics.median(
            ours.cpu_seconds / theirs.cpu_seconds
            for ours, theirs in zip(outcomes[OURS], outcomes[WASMTIME], strict=True)
        )
        cells = ""
        for f in figures.values():
            shown = f"{f['min']:.1f} ({f['median']:.1f}) {f['cpu_min']:.1f}"
            cells += f"{shown:>28}"
        mark = "  !" if ratio > WANTED else ""
        print(f"{program.name:20}{cells}{ratio:>14.3f}{cpu_ratio:>7.3f}{mark}")
        sys.stdout.flush()
        report[program.name] = {"ms": figures, "ours/wasmtime": ratio, "cpu": cpu_ratio}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"machine": facts, "programs": report}, indent=1) + "\n")
    print(f"\nwritten: {arguments.json}")
    return 0
