"""Any numbers for any of the 46 functions: every class of address, length, descriptor, flag.

A guest makes calls with numbers drawn from the edges of what they can be. Each must answer an
errno of the specification (``proc_exit`` ends the guest instead): no other exception, no number
that is no errno, nothing beside the guest's memory.
"""

import random
from collections import Counter

from tests.attacks.guest import PAGE, PAGES, ROWS, Backend
from wasi_host import ProcExit
from wasi_spec import Errno, core_signature

END = PAGE * PAGES
ADDRESSES = [0, 1, 3, 8, 4096, 65535, END - 64, END - 8, END - 4, END - 1, END, END + 1]
#: What wraps around 32 bits, or is negative as a signed number.
WRAPPING = [2**31 - 1, 2**31, 2**32 - 65536, 2**32 - 8, 2**32 - 1]
SMALL = [0, 1, 2, 3, 4, 5, 6, 7, 16, 48, 255, 256, 1024, 1025, 4096]
WIDE = [2**32, 2**48, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


def number(kind: str, chance: random.Random) -> int:
    """Return a number for a parameter of that core type."""
    pools = [ADDRESSES, WRAPPING, SMALL, SMALL] + ([WIDE, WIDE] if kind == "i64" else [])
    return chance.choice(chance.choice(pools))


def fuzz(backend: Backend, seed: int, count: int) -> Counter[tuple[str, str]]:
    """Make so many calls; return how each function answered.

    Raises:
        AssertionError: an answer that is none, or an exception.
    """
    chance = random.Random(seed)
    answers: Counter[tuple[str, str]] = Counter()
    names = [name for name in ROWS if name != "proc_exit"]
    for done in range(count):
        if done % 50 == 0:
            fill(backend, chance)
        name = chance.choice(names)
        numbers = [number(kind, chance) for kind in core_signature(ROWS[name])[0]]
        if name == "fd_close" and chance.random() < 0.9:
            continue  # or soon nothing is open
        try:
            answer = Errno(backend.call(name, *numbers))
        except Exception as error:
            raise AssertionError(f"seed {seed}, call {done}: {name}{tuple(numbers)}") from error
        answers[name, answer.name] += 1
    return answers


def fill(backend: Backend, chance: random.Random) -> None:
    """Put small numbers, addresses and names where calls look for vectors and paths."""
    memory = backend.memory()
    # Mostly zero: a random subscription to a clock would be waited for.
    memory[:] = bytes(len(memory))
    for at in (8, 4096, END - 64):
        pairs = [(chance.choice([0, 64, 4096, END - 8, END, 2**32 - 1]), chance.choice(SMALL))]
        pairs.append((chance.choice([0, 4096]), chance.choice([0, 1, 2**31])))
        for index, (address, length) in enumerate(pairs):
            place = at + 8 * index
            memory[place : place + 8] = address.to_bytes(4, "little") + length.to_bytes(4, "little")
    for at, path in ((1, b"a/../file"), (3, b"../file"), (65535, b"link"), (4, b"file")):
        if chance.random() < 0.5:
            memory[at : at + len(path)] = path


def exits(backend: Backend, code: int) -> int:
    """Call proc_exit; return the code it ended with."""
    try:
        backend.call("proc_exit", code)
    except ProcExit as end:
        return end.code
    raise AssertionError("proc_exit came back")
