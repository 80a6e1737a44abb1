"""`python -m benchmarks percall | churn | filesystems | imports | layers | programs`."""

import argparse
import sys

from benchmarks import churn, filesystems, imports, layers, percall, programs

COMMANDS = {
    "percall": percall,
    "churn": churn,
    "filesystems": filesystems,
    "imports": imports,
    "layers": layers,
    "programs": programs,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        first_line = (module.__doc__ or "").splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=first_line, description=first_line))
    arguments = parser.parse_args()
    return COMMANDS[arguments.command].main(arguments)


if __name__ == "__main__":
    sys.exit(main())
