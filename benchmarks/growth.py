"""Many runs of a minimal module in one process: time of each, and whether anything grows."""

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import wasi_host
from benchmarks.machine import GUESTS, RESULTS, print_description

BATCH = 100
GUEST = GUESTS / "hello.wasm"


@dataclass(frozen=True)
class Footprint:
    """What a process holds; None where the system does not tell."""

    descriptors: int | None
    threads: int
    resident: int | None


def footprint() -> Footprint:
    proc = Path("/proc/self")
    if not proc.is_dir():
        return Footprint(None, threading.active_count(), None)
    resident = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    threads = len(list((proc / "task").iterdir()))
    return Footprint(len(os.listdir(proc / "fd")), threads, resident)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--warm-up", type=int, default=1_000)
    parser.add_argument("--json", type=Path, default=RESULTS / "growth.json")


def run_batch(module: str, directory: str, count: int) -> float:
    """Runs the module so many times; answers microseconds for each."""
    start = time.perf_counter()
    for _ in range(count):
        done = wasi_host.run([module], dirs={"/d": directory}, capture_output=True)
    spent = time.perf_counter() - start
    if (done.returncode, done.stdout) != (0, b"hello\n"):
        raise SystemExit(f"the module did not do its work: {done!r}")
    return spent / count * 1e6


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    with tempfile.TemporaryDirectory() as scratch:
        module = str(GUEST)
        first = run_batch(module, scratch, 1)
        run_batch(module, scratch, max(arguments.warm_up - 1, 1))
        before = footprint()
        batches = max((arguments.runs - arguments.warm_up) // BATCH, 1)
        times = [run_batch(module, scratch, BATCH) for _ in range(batches)]
        after = footprint()
    report = {
        "machine": facts,
        "first_run_us": round(first, 1),
        "run_us": {"min": round(min(times), 2), "median": round(statistics.median(times), 2)},
        "runs": arguments.warm_up + batches * BATCH,
        "before": asdict(before),
        "after": asdict(after),
    }
    print(f"first run       {first:10,.0f} us (compiling included)")
    print(f"a run           {min(times):10,.2f} us least, {statistics.median(times):,.2f} median")
    for name, unit, scale in (
        ("descriptors", "", 1),
        ("threads", "", 1),
        ("resident", " KiB", 1024),
    ):
        old, new = getattr(before, name), getattr(after, name)
        growth = "unknown" if old is None else f"{(new - old) / scale:+,.0f}{unit}"
        print(f"{name:15} {growth:>10} after the first {arguments.warm_up:,} runs")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten: {arguments.json}", file=sys.stdout)
    return 0
