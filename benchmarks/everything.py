"""All parts, one after the other: tables, `results.json`, and `results.html` with plots."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks import churn, idle, lucet, percall, startup, tools
from benchmarks.command import Measuring, write
from benchmarks.figures import Part, as_markdown, as_text
from benchmarks.machine import RESULTS, ROOT, busy, print_description
from benchmarks.page import to_html

PARTS: dict[str, Measuring] = {
    part.NAME: part for part in (percall, churn, idle, tools, startup, lucet)
}
MARKDOWN = ROOT / "benchmarks" / "RESULTS.md"
_OPENING = """\
# Results

Written by `python -m benchmarks --results`, from the project's directory; `--quick` takes fewer
samples. All that is compared was measured side by side in one run. A figure is the least of many
samples, with the median in brackets, then, where there is a third, the least processor time. Ratios
are of least times: above 1, the second one is faster. Beside each target stands what was found;
`not measured` where something to compare with was not there, or the machine was not quiet.

"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="few samples: less than a minute")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="repeatable")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the files are written")
    parser.add_argument(
        "--results", action="store_true", help=f"write {MARKDOWN.relative_to(ROOT)} too"
    )


def measure(names: list[str], quick: bool) -> list[Part]:
    """Measure these parts with their own choice of samples, printing each."""
    parts = []
    for name in names:
        own = argparse.ArgumentParser()
        PARTS[name].add_arguments(own)
        arguments = own.parse_args([], argparse.Namespace(quick=quick))
        began = time.perf_counter()
        part = PARTS[name].measure(arguments)
        print(as_text(part))
        print(f"({time.perf_counter() - began:.0f} s)\n")
        sys.stdout.flush()
        parts.append(part)
    return parts


def main(arguments: argparse.Namespace) -> int:
    facts = print_description()
    if noise := busy():
        print(f"Note: {noise}\n")
    parts = measure(arguments.only or list(PARTS), arguments.quick)
    write(
        arguments.out / "results.json",
        {"machine": facts, "quick": arguments.quick, "parts": [part.to_json() for part in parts]},
    )
    page = arguments.out / "results.html"
    page.write_text(to_html(parts, facts))
    print(f"written: {page}")
    if arguments.results:
        MARKDOWN.write_text(as_document(parts, facts))
        print(f"written: {MARKDOWN}")
    return 0


def as_document(parts: list[Part], facts: dict[str, str]) -> str:
    """Return the whole of RESULTS.md."""
    machine = "".join(f"- {name}: {fact}\n" for name, fact in facts.items())
    return _OPENING + machine + "\n" + "\n".join(as_markdown(part) for part in parts)
