"""The time of `python -c 'import wasi_host'`, beside that of an empty program."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import ROOT, print_description

PROGRAMS = {
    "pass": "pass",
    "import wasi_spec": "import wasi_spec",
    "import wasi_host": "import wasi_host",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path, default=ROOT / "bench-results" / "imports.json")


def time_once(program: str) -> float:
    """Milliseconds of one whole process. Byte code is kept, as it is for an installed package."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=env, check=True)
    return (time.perf_counter() - start) * 1e3


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for program in PROGRAMS.values():
        time_once(program)  # writes the byte code
    for _ in range(arguments.rounds):
        for name, program in PROGRAMS.items():
            times[name].append(time_once(program))
    report = {name: {"min": min(t), "median": statistics.median(t)} for name, t in times.items()}
    for name, figures in report.items():
        print(f"{name:20} {figures['min']:8.1f} ms least, {figures['median']:8.1f} ms median")
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps({"machine": facts, "ms": report}, indent=1) + "\n")
    print(f"\nwritten: {arguments.json}")
    return 0
