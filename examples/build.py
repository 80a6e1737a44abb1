"""Rebuilds the committed WebAssembly programs from their sources in C and WAT.

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

from wasmtime import wat2wasm

ZIGLANG = "0.17.1"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SOURCES = [
    HERE / "grep.c",
    HERE / "sort.c",
    HERE / "tar.c",
    HERE / "wc.c",
    *sorted((ROOT / "benchmarks" / "guests").glob("*.c")),
    ROOT / "tests" / "guests" / "echo_server.c",
]
# Built without libc, whose calls are preview 1's: one source for both import modules.
BOTH = ROOT / "tests" / "guests" / "both.c"
WASI = ["-target", "wasm32-wasi"]
NO_LIBC = [*WASI, "-nostdlib", "-fno-builtin"]
# Conformance programs make no calls but those they spell out, in the oldest instruction set.
BARE = ["-target", "wasm32-freestanding", "-mcpu=mvp", "-nostdlib", "-fno-builtin"]
BARE += ["-Wl,--no-entry", "-Wl,-z,stack-size=16384"]
CONFORMANCE = sorted((ROOT / "conformance" / "programs").glob("*.c"))
PROGRAMS = [
    *[(source, source.with_suffix(".wasm"), WASI) for source in SOURCES],
    (BOTH, BOTH.with_name("both_preview1.wasm"), NO_LIBC),
    (BOTH, BOTH.with_name("both_unstable.wasm"), [*NO_LIBC, "-DUNSTABLE"]),
    *[(source, source.with_suffix(".wasm"), BARE) for source in CONFORMANCE],
]
TEXTS = [
    *sorted((ROOT / "conformance" / "programs").glob("*.wat")),
    *sorted((ROOT / "benchmarks" / "guests").glob("*.wat")),
]
FLAGS = [
    *("-Oz", "-s", "-std=c11", "-D_GNU_SOURCE"),
    *("-Wall", "-Wextra", "-Werror"),
]
LARGEST = 60_000


def compiler_version() -> str | None:
    try:
        return importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        return None


def compiled(source: Path, flags: list[str]) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "program.wasm"
        # A relative source name: nothing of this machine's paths ends up in the program.
        command = [sys.executable, "-m", "ziglang", "cc", *flags, *FLAGS]
        command += ["-o", str(target), source.name]
        subprocess.run(command, check=True, cwd=source.parent)
        built = target.read_bytes()
    if len(built) > LARGEST:
        raise SystemExit(f"{source.name} gives {len(built)} bytes, more than {LARGEST}.")
    return built


def settle(committed: Path, built: bytes, check: bool) -> bool:
    """Return whether a program differs from the committed one, which is then replaced."""
    same = committed.exists() and committed.read_bytes() == built
    if not same:
        print(f"{committed.name}: {len(built)} bytes, {'differs' if check else 'written'}")
        if not check:
            committed.write_bytes(built)
    return not same


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
    for source, committed, flags in PROGRAMS:
        changed += settle(committed, compiled(source, flags), check)
    for source in TEXTS:
        changed += settle(source.with_suffix(".wasm"), wat2wasm(source.read_text()), check)
    print(f"{len(PROGRAMS) + len(TEXTS)} programs, {changed} changed")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
