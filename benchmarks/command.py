"""What all parts have in common as commands: options, the printed tables, the file of figures."""

import argparse
import json
from pathlib import Path
from typing import Protocol

from benchmarks.figures import Part, as_text
from benchmarks.machine import RESULTS, print_description


class Measuring(Protocol):
    """A module that is a part of the benchmarks."""

    NAME: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def measure(self, arguments: argparse.Namespace) -> Part: ...


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--quick", action="store_true", help="few samples: seconds, not minutes")
    parser.add_argument("--json", type=Path, default=RESULTS / f"{name}.json")


def run(module: Measuring, arguments: argparse.Namespace) -> int:
    """Measure one part, print it and write its figures."""
    facts = print_description()
    part = module.measure(arguments)
    print(as_text(part))
    write(arguments.json, {"machine": facts, **part.to_json()})
    return 0


def write(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n")
    print(f"written: {path}")
