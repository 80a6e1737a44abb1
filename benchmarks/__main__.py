"""`python -m benchmarks [PART]`: all parts that are compared with others, or one."""

import argparse
import sys

from benchmarks import command, everything, filesystems, growth, imports, layers, programs

#: Those that are no part of the whole: they need more than what is here, or look at one thing.
OTHERS = {
    "filesystems": filesystems,
    "growth": growth,
    "imports": imports,
    "layers": layers,
    "programs": programs,
}


def first_line(module: object) -> str:
    return (module.__doc__ or "").splitlines()[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    everything.add_arguments(parser)
    commands = parser.add_subparsers(dest="command", title="parts")
    for name, part in everything.PARTS.items():
        own = commands.add_parser(name, help=first_line(part), description=first_line(part))
        command.add_arguments(own, name)
        part.add_arguments(own)
    for name, module in OTHERS.items():
        own = commands.add_parser(name, help=first_line(module), description=first_line(module))
        module.add_arguments(own)
    arguments = parser.parse_args()
    if arguments.command is None:
        return everything.main(arguments)
    if arguments.command in OTHERS:
        return OTHERS[arguments.command].main(arguments)
    return command.run(everything.PARTS[arguments.command], arguments)


if __name__ == "__main__":
    sys.exit(main())
