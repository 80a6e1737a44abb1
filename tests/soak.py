"""``python -m tests.soak``: very many sandboxes in one process, and very many at once.

Programs of several kinds (that write, read files, exit, trap, are ended) run on several threads;
descriptors, threads and memory are counted all along and must not grow. Then as many instances
as asked for are alive at once. ``tests/test_soak.py`` runs a little of it.
"""

import argparse
import gc
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.fs.backends import open_descriptors
from tests.runtimes.guests import command, writes
from wasi_host import Limits, MemoryFS, Module, Overlay, Sandbox

_HELLO, _DATA = writes("hello")
_SPIN = "(loop (br 0))"
_OPEN = """(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 600) (i32.const 4)
  (i32.const 1) (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 620)))"""
_NAME = '(data (i32.const 600) "file")'
WASI = ["fd_write", "path_open", "proc_exit"]
MIB = 1 << 20


class Counted(NamedTuple):
    """What a process holds."""

    runs: int
    descriptors: int
    threads: int
    resident: int


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def count(runs: int) -> Counted:
    """Return what this process holds now."""
    gc.collect()
    return Counted(runs, open_descriptors(), threading.active_count(), resident())


def kinds(directory: str) -> list[tuple[str, Callable[[], str]]]:
    """Return the kinds of runs: what each has to end as, and how it is run."""

    def runner(body: str, data: str = "", **setting: object) -> Callable[[], str]:
        module = Module(command(body, data, wasi=WASI))
        sandbox = Sandbox(module, **setting)  # type: ignore[arg-type]

        def run() -> str:
            result = sandbox.run(capture_output=True)
            return f"{result.returncode} {result.stdout.decode()} {result.stopped}"

        return run

    lower = MemoryFS({"file": b"below"})
    return [
        ("0 hello None", runner(_HELLO, _DATA)),
        ("7  None", runner("(call $proc_exit (i32.const 7))")),
        ("-6  None", runner("unreachable")),
        ("0 hello None", runner(_HELLO + _OPEN, _DATA + _NAME, dirs={"/": {"file": b"x"}})),
        ("0  None", runner(_OPEN, _NAME, dirs={"/": directory})),
        ("0  None", runner(_OPEN, _NAME, dirs={"/": Overlay(lower)})),
        ("-9  fuel", runner(_SPIN, limits=Limits(fuel=1000))),
    ]


def many(runs: int, threads: int, directory: str, samples: int = 10) -> list[Counted]:
    """Run so many sandboxes; return what was held, first after a tenth of them.

    Raises:
        AssertionError: a run ended otherwise than it has to.
    """
    chosen = kinds(directory)
    share = max(1, runs // threads // samples)
    wrong: Counter[str] = Counter()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(share):
            expected, run = chance.choice(chosen)
            found = run()
            if found != expected:
                wrong[f"{found!r} and not {expected!r}"] += 1

    counted = []
    for sample in range(samples):
        workers = [
            threading.Thread(target=work, args=(sample * threads + number,))
            for number in range(threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        counted.append(count((sample + 1) * share * threads))
    assert not wrong, wrong
    return counted


def live(instances: int) -> tuple[int, int, int]:
    """Keep so many instances alive; return bytes, descriptors each took, and what stayed open."""
    module = b"""(module (memory (export "memory") 1) (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))"""
    sandbox = Sandbox(module)
    before, descriptors = resident(), open_descriptors()
    alive = [sandbox.instantiate() for _ in range(instances)]
    for round_ in (1, 2):
        assert all(instance.call("next") == round_ for instance in alive)
    held = (resident() - before) // instances, open_descriptors() - descriptors
    for instance in alive:
        instance.close()
    del alive, instance
    gc.collect()
    return (*held, open_descriptors() - descriptors)


def grown(counted: Sequence[Counted]) -> list[str]:
    """Return what grew between the first count and the last."""
    first, last = counted[0], counted[-1]
    found = []
    if last.descriptors > first.descriptors:
        found.append(f"descriptors {first.descriptors} -> {last.descriptors}")
    if last.threads > first.threads:
        found.append(f"threads {first.threads} -> {last.threads}")
    if last.resident > first.resident + 32 * MIB:
        found.append(f"memory {first.resident // MIB} -> {last.resident // MIB} MiB")
    return found


def main() -> int:
    """Soak as the words say; the exit status is 1 where something grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--live", type=int, default=10_000)
    given = parser.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wasi-host-soak-") as directory:
        counted = many(given.runs, given.threads, directory)
    for one in counted:
        print(
            f"{one.runs:8,} runs: {one.descriptors} descriptors, {one.threads} threads, "
            f"{one.resident / MIB:.1f} MiB"
        )
    print(f"{time.monotonic() - begin:.0f} s")
    live(1)
    size, more, left = live(given.live)
    print(f"{given.live:,} live: {size:,} bytes each, {more} descriptors in all, {left} left open")
    found = grown(counted)
    print("\n".join(found) or "nothing grew")
    return 1 if found or left else 0


if __name__ == "__main__":
    sys.exit(main())
