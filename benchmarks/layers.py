"""What each layer costs a call, from inside a guest: `clock`, `pread`, `write`, `stat` and others.

The guest is `guests/percall.wasm` over a tree in memory, its output goes nowhere. Each round runs
it once without layers and once with each; of a call's figures the least over all rounds counts.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, print_description
from benchmarks.percall import FILE_CALLS, GUEST, OTHER_CALLS, prepare
from wasi_host import DEVNULL, PIPE, Limits, MemoryFS, Module, Trace, policy, record, run

CALLS = ("clock", "pread", "pwrite", "fstat", "stat", "write", "open_close")


def kinds(scratch: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    """The keywords of `run` for each layer; made anew for each run."""
    return {
        "none": dict,
        "passing": lambda: {"layers": [lambda row, call: lambda *a: call(*a)]},
        "counting": lambda: {"limits": Limits(calls=1 << 60)},
        "policy": lambda: {"layers": [policy(before=lambda call: None)]},
        "record": lambda: {"layers": [record(scratch / "run.rec")]},
        "trace": lambda: {"trace": Trace(keep=False)},
        "trace, kept": lambda: {"trace": True},
        "trace, written": lambda: {"trace": Trace(write=len, keep=False)},
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5, help="of about 1 ms, for each call")
    parser.add_argument(
        "--call", action="append", default=[], choices=[*FILE_CALLS, *OTHER_CALLS],
        help=f"only this call; repeatable; by default {', '.join(CALLS)}",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, default=ROOT / "bench-results" / "layers.json")


def measure(
    module: Module, tree: MemoryFS, words: list[str], keywords: dict[str, Any]
) -> dict[str, float]:
    """Run the guest; return the least nanoseconds of each call."""
    result = run(
        [module, *words], dirs={"/d": tree}, stdout=DEVNULL, stderr=PIPE, text=True, **keywords
    )
    if result.returncode:
        raise SystemExit(f"{keywords}: the guest failed: {result.stderr}")
    return {row.split()[0]: float(row.split()[1]) for row in result.stderr.splitlines()}


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    calls = arguments.call or list(CALLS)
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        (scratch / "tree").mkdir()
        prepare(scratch / "tree")
        module, tree = Module(GUEST), MemoryFS(scratch / "tree")
        layers = kinds(scratch)
        found: dict[str, dict[str, list[float]]] = {k: {c: [] for c in calls} for k in layers}
        for _ in range(arguments.rounds):
            for kind, keywords in layers.items():
                figures = measure(module, tree, [str(arguments.samples), *calls], keywords())
                for call in calls:
                    found[kind][call].append(figures[call])
    least = {kind: {call: min(ns) for call, ns in by.items()} for kind, by in found.items()}
    print(f"{'ns a call':18}" + "".join(f"{call:>12}" for call in calls) + f"{'more, median':>18}")
    for kind, by_call in least.items():
        more = statistics.median(by_call[call] - least["none"][call] for call in calls)
        print(f"{kind:18}" + "".join(f"{by_call[c]:12,.0f}" for c in calls) + f"{more:18,.0f}")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"machine": facts, "ns": least}, indent=1) + "\n")
    print(f"\nwritten: {arguments.json}")
    return 0
