"""Hostile modules: real ones with bytes changed, cut, repeated, or put together anew.

``python -m tests.fuzz --modules 20000 --seed 1`` runs many; each batch in a child process, so that
a crash is seen and its seed printed. A module must be refused with an exception that says why,
or run to an end that ``CompletedRun`` tells; nothing else, and no longer than its deadline.
"""

import random
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import wasmtime

import wasi_host
from tests.attacks import guest
from tests.runtimes.guests import command, writes
from wasi_host import Limits

PROJECT = Path(__file__).resolve().parents[2]
#: How many bytes of a seed module may be: each try compiles it.
LARGEST = 20_000
LIMITS = Limits(memory=64 << 20, stack=1 << 18, output=1 << 16, fs_bytes=1 << 20, fuel=200_000)
#: Numbers that sections, counts, and limits are made of, LEB128.
NUMBERS = [b"\0", b"\1", b"\x7f", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08", b"\x80\x01"]


@cache
def seeds() -> tuple[bytes, ...]:
    """Return the modules that others are made of."""
    body, data = writes("hello")
    texts = [
        command(body, data, wasi=["fd_write"]),
        command("unreachable"),
        b'(module (memory (export "memory") 1) (start 0) (func unreachable))',
        b'(module (memory (export "memory") i64 1) (func (export "_start")))',
        b'(module (memory (export "memory") 1 2 shared) (func (export "_start")))',
        b'(module (import "env" "memory" (memory 1)) (func (export "_start")))',
        b'(module (memory (export "memory") 65536) (func (export "_start")))',
        b'(module (memory (export "memory") 1) (table 10000000 funcref) (func (export "_start")))',
        b'(module (func (export "_start")))',
        b'(module (memory (export "memory") 1) (global (export "_start") i32 (i32.const 1)))',
        b'(module (memory (export "memory") 1) (func (export "_start") (param i32)))',
        b'(module (import "wasi_snapshot_preview1" "fd_write" (func (param i64)))'
        b' (memory (export "memory") 1) (func (export "_start")))',
        b'(module (import "wasi_snapshot_preview1" "fd_write" (global i32))'
        b' (memory (export "memory") 1) (func (export "_start")))',
    ]
    modules = [bytes(wasmtime.wat2wasm(text.decode())) for text in texts]
    modules.append(guest.module())
    for path in sorted((PROJECT / "conformance" / "programs").glob("*.wasm"))[::20]:
        data_ = path.read_bytes()
        if len(data_) <= LARGEST:
            modules.append(data_)
    return tuple(modules)


def mutated(chance: random.Random) -> bytes:
    """Return a module with some of its bytes changed."""
    data = bytearray(chance.choice(seeds()))
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3, 8])):
        at = chance.randrange(8, len(data)) if len(data) > 9 else 0
        how = chance.randrange(7)
        if how == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif how == 1:
            data[at : at + 1] = bytes([data[at] ^ (1 << chance.randrange(8))]) if data else b""
        elif how == 2:
            data[at : at + 1] = chance.choice(NUMBERS)
        elif how == 3:
            del data[at:]
        elif how == 4:
            del data[at : at + chance.randrange(1, 9)]
        elif how == 5:
            data[at:at] = data[at : at + chance.randrange(1, 30)]
        else:
            other = chance.choice(seeds())
            data[at:] = other[chance.randrange(8, len(other)) :]
    return bytes(data)


def outcome(data: bytes) -> str:
    """Run a module and return how it ended, in a word.

    Raises:
        Exception: what a module must not lead to.
    """
    try:
        result = wasi_host.run(
            [data, "word"], dirs={"/": {"file": b"x"}}, limits=LIMITS, timeout=20,
            capture_output=True, stdin=b"input",
        )  # fmt: skip
    except wasi_host.NotAWasiModule:
        return "refused"
    return "trapped" if result.trap else result.stopped or "ended"


def batch(seed: int, count: int) -> Counter[str]:
    """Run so many modules; return how they ended."""
    chance = random.Random(seed)
    ended: Counter[str] = Counter()
    for number in range(count):
        data = mutated(chance)
        try:
            ended[outcome(data)] += 1
        except BaseException as error:
            text = f"seed {seed}, module {number}: {error!r}\n{data.hex()}"
            raise AssertionError(text) from error
    return ended


def in_child(seed: int, count: int) -> Counter[str]:
    """Run a batch in a process of its own.

    Raises:
        AssertionError: the process died, or a module led to what it must not.
    """
    script = f"""
from tests.fuzz.modules import batch
for word, number in batch({seed}, {count}).items(): print(word, number)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"seed {seed}: {done.returncode}\n{done.stderr[-3000:]}"
    words = [line.split() for line in done.stdout.splitlines()]
    return Counter({word: int(number) for word, number in words})
