"""Rebuilds the committed WebAssembly programs from their C sources.

    python examples/build.py            # writes the .wasm files
    python examples/build.py --check    # only compares them with what is committed

The compiler is pinned: the same sources then give the same bytes, and a changed .wasm file in a
commit means a changed source.
"""

import argparse
import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

ZIGLANG = "0.17.1"
HERE = Path(__file__).resolve().parent
SOURCES = [
    HERE / "grep.c",
    HERE / "sort.c",
    HERE / "tar.c",
    HERE / "wc.c",
    HERE.parent / "benchmarks" / "guests" / "percall.c",
    HERE.parent / "tests" / "guests" / "echo_server.c",
]
# Built without libc, whose calls are preview 1's: one source for both import modules.
BOTH = HERE.parent / "tests" / "guests" / "both.c"
PROGRAMS = [(source, source.with_suffix(".wasm"), []) for source in SOURCES] + [
    (BOTH, BOTH.with_name("both_preview1.wasm"), ["-nostdlib", "-fno-builtin"]),
    (BOTH, BOTH.with_name("both_unstable.wasm"), ["-nostdlib", "-fno-builtin", "-DUNSTABLE"]),
]
FLAGS = [
    *("-target", "wasm32-wasi"),
    *("-Oz", "-s", "-std=c11", "-D_GNU_SOURCE"),
    *("-Wall", "-Wextra", "-Werror"),
]
LARGEST = 60_000


def compiler_version() -> str | None:
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        return None


def compile_c(source: Path, target: Path, more: list[str]) -> None:
    # A relative source name, so that nothing of this machine's paths ends up in the program.
    command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *more, "-o", str(target), source.name]
    subprocess.run(command, check=True, cwd=source.parent)
    size = target.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{target.name} has {size} bytes, more than {LARGEST}.")


def main() -> int:
    parser = argparse.ArgumentParser(description="Rebuild the committed .wasm files.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args().check
    found = compiler_version()
    if found != ZIGLANG:
        have = f"{found} is installed" if found else "it is not installed"
        print(
            f"The programs are built with ziglang {ZIGLANG} only, and {have}.\n"
            f"Install it first: {Path(sys.executable).name} -m pip install ziglang=={ZIGLANG}",
            file=sys.stderr,
        )
        return 2
    changed = 0
    for source, committed, more in PROGRAMS:
        with tempfile.TemporaryDirectory() as scratch:
            built = Path(scratch) / committed.name
            compile_c(source, built, more)
            same = committed.exists() and committed.read_bytes() == built.read_bytes()
            changed += not same
            if not same and not check:
                committed.write_bytes(built.read_bytes())
            print(
                f"{committed.name}: {built.stat().st_size} bytes, "
                f"{'unchanged' if same else 'differs' if check else 'written'}"
            )
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
