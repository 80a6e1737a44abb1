"""Whole small programs: a tree walk, a line scanner, an untar, a sort.

`walk` looks at 2,000 files in 41 directories and reads them; `grep` counts lines of 4 MB; `tar`
extracts 300 files; `sort` puts 40,000 lines in order. Timed from instantiation to the last byte of
output, with code compiled before; every output is compared.
"""

import argparse
import hashlib
import io
import json
import os
import random
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Figure, Part, Table, Target
from benchmarks.machine import GUESTS, NATIVE, NODE, PYTHON, ROOT, WASMTIME, busy, ours
from benchmarks.turns import Child, python, started, take_turns

NAME = "tools"
EXAMPLES = ROOT / "examples"
DIRECTORIES, FILES = 40, 2000
#: Node's WASI crashes every fifth run of some of the programs.
LIVES = 40
MILLISECONDS = 1e3

Job = dict[str, object]


def job(
    module: Path, args: list[str], directory: Path, output: bytes, empty: Path | None = None
) -> Job:
    """What the hosts are told: the program, its directory `/d`, and the output wanted.

    Args:
        module: the program.
        args: its arguments.
        directory: what it has as `/d`.
        output: what it must write to standard output.
        empty: a directory that is emptied after each run.
    """
    return {
        "module": str(module),
        "args": args,
        "directory": str(directory),
        "wanted": hashlib.sha256(output).hexdigest(),
        "empty": None if empty is None else str(empty),
    }


def walk_job(directory: Path) -> Job:
    chosen, total = random.Random(1), 0
    for number in range(DIRECTORIES):
        (directory / f"dir{number:02}").mkdir()
    for number in range(FILES):
        content = bytes(chosen.randrange(6700))
        total += len(content)
        (directory / f"dir{number % DIRECTORIES:02}" / f"file{number:04}.txt").write_bytes(content)
    said = f"{FILES} files, {DIRECTORIES + 1} directories, {total} bytes\n"
    return job(GUESTS / "walk.wasm", ["/d"], directory, said.encode())


def lines(count: int) -> list[bytes]:
    chosen = random.Random(2)
    return [b"%08x needle %d\n" % (chosen.getrandbits(32), n) for n in range(count)]


def grep_job(directory: Path) -> Job:
    text = lines(165_000)
    (directory / "lines.txt").write_bytes(b"".join(text))
    wanted = b"%d\n" % sum(b"needle 7" in line for line in text)
    return job(EXAMPLES / "grep.wasm", ["-c", "needle 7", "/d/lines.txt"], directory, wanted)


def tar_job(directory: Path) -> Job:
    names = [f"dir{n % 10}/file{n:03}.txt" for n in range(300)]
    with tarfile.open(directory / "archive.tar", "w") as archive:
        for number, name in enumerate(names):
            entry = tarfile.TarInfo(name)
            entry.size = 100 * number
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    out = directory / "out"
    out.mkdir()
    wanted = "".join(f"{name}\n" for name in names).encode()
    args = ["-xvf", "/d/archive.tar", "-C", "/d/out"]
    return job(EXAMPLES / "tar.wasm", args, directory, wanted, out)


def sort_job(directory: Path) -> Job:
    text = lines(40_000)
    (directory / "lines.txt").write_bytes(b"".join(text))
    return job(EXAMPLES / "sort.wasm", ["/d/lines.txt"], directory, b"".join(sorted(text)))


JOBS: dict[str, Callable[[Path], Job]] = {
    "walk": walk_job,
    "grep": grep_job,
    "tar": tar_job,
    "sort": sort_job,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, help="runs of each program on each host")
    parser.add_argument("--only", action="append", choices=list(JOBS), help="repeatable")


def scratch_place() -> str | None:
    """Return where the programs' files lie: in memory, where there is such a place, or in TMPDIR.

    To make a file where many were just removed, a disk's filesystem may look for a millisecond
    (ext4 passes over the inodes that were freed last): far longer than any host takes.
    """
    memory = "/dev/shm"
    has = "TMPDIR" not in os.environ and os.path.isdir(memory) and os.access(memory, os.W_OK)
    return memory if has else None


def hosts(told: str, scratch: Path) -> dict[str, Child]:
    """Who runs it, by column; `told` is the job."""
    found = {}
    for column, native in ours().items():
        for suffix, kind in (("", "host"), (", memory", "memory"), (", overlay", "overlay")):
            found[column + suffix] = python("tool", kind, told, native=native)
    found[WASMTIME] = python("tool", "wasmtime", told)
    if node := shutil.which("node"):
        script = ROOT / "benchmarks" / "hosts" / "node_tool.mjs"
        command = [node, "--no-warnings", str(script), told, str(scratch / "node-stdout")]
        found[NODE] = Child(command, brittle=True, lives=LIVES)
    return found


def measure(arguments: argparse.Namespace) -> Part:
    rounds = arguments.rounds or (4 if arguments.quick else 40)
    rows: dict[str, dict[str, Figure]] = {}
    for name in arguments.only or JOBS:
        with tempfile.TemporaryDirectory(dir=scratch_place()) as scratch:
            directory = Path(scratch, "d")
            directory.mkdir()
            told = json.dumps(JOBS[name](directory))
            with started(hosts(told, Path(scratch))) as children:
                # One has read the whole directory before any other changes it.
                for child in children.values():
                    if not child.brittle:
                        child(0)
                timings = take_turns(children, rounds)
            rows[name] = {column: t.figure(MILLISECONDS) for column, t in timings.items()}
    return report(rows)


def report(rows: dict[str, dict[str, Figure]]) -> Part:
    any_row = next(iter(rows.values()))
    columns = [column for column in (NATIVE, PYTHON) if column in any_row]
    ratios = {f"{other}/{columns[0]}": (other, columns[0]) for other in (WASMTIME, NODE)}
    table = Table("A whole program", "ms", rows, ratios)
    notes = ["'memory': a tree in memory; 'overlay': nothing is written to the directory."]
    noise = busy()
    if noise:
        notes.append(f"{noise} The targets are of processor times, those beside wasmtime left out.")

    def took(figure: Figure) -> float:
        return figure.cpu if noise and figure.cpu else figure.least

    targets = []
    walk = rows.get("walk", {})
    wanted = {
        NATIVE: ((WASMTIME, 8, True), (NODE, 1.7, True)),
        PYTHON: ((WASMTIME, 3, True), (NODE, 1.8, False)),
    }
    for column in columns:
        for other, factor, at_least in wanted[column]:
            found = None
            if other in walk and not (noise and other == WASMTIME):
                found = took(walk[other]) / took(walk[column])
            if not at_least and found is not None:
                found = 1 / found
            said = f"times as fast as {other}" if at_least else f"times {other}'s time"
            targets.append(Target(f"{column}: walk, {said}", factor, at_least, found))
    if NATIVE in columns:
        for other in (WASMTIME, NODE):
            ratios_found = [
                took(row[other]) / took(row[NATIVE])
                for row in rows.values()
                if other in row and not (noise and other == WASMTIME)
            ]
            slowest = min(ratios_found, default=None)
            what = f"{NATIVE}: the slowest program, times as fast as {other}"
            targets.append(Target(what, 0.97, True, slowest))
    return Part(NAME, "Whole programs", [table], targets, notes)
