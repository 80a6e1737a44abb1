"""Compiles ``host.c`` into the shared object beside it: ``python -m wasi_host.native.build``.

The build hook of the wheel loads this file by its path, so it imports nothing of ours.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("host.c")
#: Where the loader looks.
TARGET: Final = Path(__file__).with_name("_host.so")

FLAGS: Final = ("-std=c11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden")
#: Without -Werror: a newer compiler may warn of what this one does not.
WARNINGS: Final = ("-Wall", "-Wextra", "-Wconversion")
SANITIZERS: Final = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                     "-fno-omit-frame-pointer")  # fmt: skip


class NoCompiler(RuntimeError):
    """There is nothing to compile with."""


def compiler() -> list[str]:
    """Return the command of a C compiler: ``CC``, else ``cc``, else that of ``ziglang``.

    Raises:
        NoCompiler: there is none of them.
    """
    given = shlex.split(os.environ.get("CC", ""))
    if given:
        return given
    if found := shutil.which("cc"):
        return [found]
    if find_spec("ziglang") is not None:
        return zig()
    raise NoCompiler(
        "no C compiler: install one as 'cc', name it in the variable CC, or install the package "
        "'ziglang'"
    )


def zig() -> list[str]:
    """Return the command of the compiler in the package ``ziglang``."""
    return [sys.executable, "-m", "ziglang", "cc"]


def compile_to(target: Path, command: Sequence[str], *extra: str) -> None:
    """Compile into a file, which is there whole or not at all.

    Raises:
        RuntimeError: the compiler failed; the message is its own.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        done = subprocess.run(
            [*command, *FLAGS, *WARNINGS, *extra, "-o", str(made), str(SOURCE)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not made.exists():
            raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stdout}")
        os.replace(made, target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wasi_host.native.build", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    parser.add_argument("--sanitize", action="store_true", help="with -fsanitize, for tests")
    options = parser.parse_args(arguments)
    try:
        command = compiler()
        compile_to(options.output, command, *(SANITIZERS if options.sanitize else ()))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output}: made by {shlex.join(command)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
