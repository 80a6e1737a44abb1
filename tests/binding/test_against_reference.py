"""Compiled shims do what an interpreter of the table does, to the byte."""

import errno
import struct

import pytest

from tests.binding import reference
from tests.binding.fakes import (
    CHECKED,
    RAW,
    ROWS,
    SLOTS,
    TRAP,
    CheckedContext,
    Host,
    RawContext,
    raw_call,
    rng,
    values_call,
)
from wasi_host.errors import BADF, NOTCAPABLE, ProcExit
from wasi_spec import Errno, core_signature
from wasi_spec.types import Enum, Flags, Int, List, Pointer, String

SIZE = 20_011  # larger than a path, than what is read directly, and no multiple of anything
CASES = 120
ALPHABET = (b"abcdefgh/." * 26)[:251] + "äß".encode() + b"\0"  # for translate
TEXTS = [b"name", b"dir/name", "nämé".encode(), b"", b"a\0b", b"\xff\xfe", b"\xc3", b"/" * 4095]
PLAIN_HOST_ERRORS = [errno.ENOENT, errno.ENOTEMPTY, errno.E2BIG, errno.EXDEV, errno.ESTALE]


def pointer(r, size, room=SIZE):
    """0, the last valid address, the first invalid one, wrapping ones, unaligned, any."""
    return r.choice([
        0, room - size, room - size + 1, room, 0xFFFFFFFF, 2**32 - max(size, 1),
        2 * r.randrange(room // 2) + 1, *[r.randrange(max(room - size, 1)) for _ in range(20)],
    ]) % 2**32  # fmt: skip


def length(r, at):
    rest = max(SIZE - at, 0)
    return r.choice([0, 1, 5, 5000, 9000, rest, rest + 1, 0xFFFFFFFF, *[r.randrange(300)] * 8])


def write(memory, at, data):
    if at + len(data) <= len(memory):
        memory[at : at + len(data)] = data


def numbers_for(row, r, memory):
    numbers = []
    for param in row.params:
        kind = param.type
        if isinstance(kind, String):
            text = r.choice([*TEXTS, *TEXTS[:3] * 5, b"x" * 4096])
            numbers += [pointer(r, len(text)), len(text)]
            write(memory, numbers[-2], text)
        elif isinstance(kind, List):
            numbers += vectors_for(r, memory)
        elif isinstance(kind, Pointer):
            numbers.append(pointer(r, 4))
        elif param.name.endswith("_len") and numbers:
            numbers.append(length(r, numbers[-1]))
        elif param.name == "nsubscriptions":
            numbers[0], count = subscriptions_for(r, memory)
            numbers.append(count)
        else:
            numbers.append(int(scalar(r, kind)))
    return numbers + [pointer(r, reference.SIZES.get(res.type.name, 4)) for res in row.results]


def scalar(r, kind):
    if isinstance(kind, Enum):
        return r.choice([*kind.values, *kind.values, len(kind.values), 0xFFFFFFFF, 256])
    if isinstance(kind, Flags):
        known = sum(map(int, kind.values or ()))
        return r.choice([0, known, known & r.getrandbits(64), known & r.getrandbits(64), known + 1,
                         2**kind.bits - 1])  # fmt: skip
    bits = kind.bits if isinstance(kind, Int) else 32
    return r.choice([0, 1, 2 ** (bits - 1), 2**bits - 1, r.getrandbits(bits)])


def vectors_for(r, memory):
    count = r.choice([0, 1, 1, 1, 2, 3, 5, 1024, 1030, 0xFFFFFFFF, 0x20000000])
    at = pointer(r, 8 * count)
    if count < 2000:
        wide = count < 100
        data = b""
        for _ in range(count):
            size = r.choice([0, 3, 700, 3000, 9000]) if wide else r.choice([0, 0, 0, 64])
            where = pointer(r, size) if r.random() < 0.3 / count else r.randrange(SIZE - size)
            data += struct.pack("<II", where, size)
        write(memory, at, data)
    return [at, count]


def subscriptions_for(r, memory):
    count = r.choice([0, 1, 2, 3, 20, 400, 4097, 0xFFFFFFFF])
    at = pointer(r, 48 * count)
    for place in range(count if count < 500 else 0):
        bad = 8 if r.random() < 0.2 / count else 0
        data = bytearray(r.randbytes(48))
        data[8] = r.randrange(3) if not bad else r.randrange(3, 256)
        data[16:20] = struct.pack("<I", r.randrange(4) + r.choice([0, bad]))
        data[40:42] = struct.pack("<H", r.randrange(2) + r.choice([0, bad]))
        write(memory, at + 48 * place, data)
    return at, count


def answer(row, r, arguments):
    """What a host may answer; a class or an exception is raised."""
    if r.random() < 0.15:
        return r.choice([BADF, NOTCAPABLE, OSError(r.choice(PLAIN_HOST_ERRORS), "made up"),
                         OSError("without a number"), ValueError("a bug")])  # fmt: skip
    if row.name == "proc_exit":
        return ProcExit(*arguments)
    if row.name in ("args_get", "environ_get"):
        return [r.randbytes(r.randrange(9)) for _ in range(r.choice([0, 1, 2, 7]))]
    if row.name == "poll_oneoff":
        return [record("event", r) for _ in range(r.randrange(len(arguments[0]) + 1))]
    if row.name == "random_get":
        return r.randbytes(arguments[0])
    kinds = {type(param.type) for param in row.params}
    reads = any(getattr(param.type, "name", "") == "iovec_array" for param in row.params)
    if Pointer in kinds or reads:
        size = arguments[2 if row.name == "path_readlink" else 1]
        data = r.randbytes(r.choice([size, r.randrange(size + 1), 0]))
        return (data, r.randrange(2)) if row.name == "sock_recv" else data
    values = [
        record(res.type.name, r)
        if res.type.name in reference.RECORDS
        else r.getrandbits(getattr(res.type, "bits", 32))
        for res in row.results
    ]
    return values[0] if len(values) == 1 else tuple(values) if values else None


def record(name, r):
    width = {"B": 8, "H": 16, "I": 32, "Q": 64}
    return tuple(r.getrandbits(width[code]) for _, code in reference.RECORDS[name])


def outcome(make):
    """Return the errno of a call, or the exception it ended by."""
    try:
        return make()
    except (ProcExit, ValueError) as error:
        return type(error), error.args


def case(row, seed):
    """Return the arguments and memory of a case, and the host to make it with."""
    r = rng(row.name, seed)
    memory = bytearray(r.randbytes(SIZE).translate(ALPHABET))
    numbers = numbers_for(row, r, memory)
    answers = r.random()

    def host():
        again = rng(row.name, seed, answers)
        return Host(lambda name, arguments: answer(row, again, arguments))

    expected_memory, expected_host = bytearray(memory), host()
    expected = outcome(lambda: reference.call(row, expected_memory, numbers, expected_host))
    return memory, numbers, host(), expected, expected_memory, expected_host.calls


@pytest.mark.parametrize("shims", [RAW, CHECKED], ids=["raw", "checked"])
@pytest.mark.parametrize("name", ROWS)
def test_a_raw_shim_answers_calls_and_writes_as_the_reference(name, shims):
    for seed in range(CASES if shims is RAW else CASES // 6):
        memory, numbers, host, expected, expected_memory, expected_calls = case(ROWS[name], seed)
        context = (RawContext if shims is RAW else CheckedContext)(memory, host)
        returned, before, after = raw_call(name, context, numbers, shims)
        assert host.calls == expected_calls, (seed, numbers)
        assert memory == expected_memory, (seed, numbers)
        if isinstance(expected, tuple):
            assert (type(context.pending), context.pending.args) == expected
            assert (returned, after) == (TRAP, before)
        else:
            stored = struct.pack("<I", expected)
            assert returned == 0
            assert after == before[:SLOTS] + stored + before[SLOTS + 4 :], (seed, numbers)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("name", ROWS)
def test_a_function_on_values_answers_calls_and_writes_as_the_reference(name, signed):
    kinds = core_signature(ROWS[name])[0]
    for seed in range(CASES):
        memory, numbers, host, expected, expected_memory, expected_calls = case(ROWS[name], seed)
        if signed:
            halves = [1 << (int(kind[1:]) - 1) for kind in kinds]
            numbers = [
                (n + half) % (2 * half) - half for n, half in zip(numbers, halves, strict=True)
            ]
        got = outcome(lambda: values_call(name, memory, host, numbers))  # noqa: B023  called here
        assert host.calls == expected_calls, (seed, numbers)
        assert memory == expected_memory, (seed, numbers)
        assert got == expected, (seed, numbers)


@pytest.mark.parametrize("name", ROWS)
def test_a_function_on_blocks_answers_calls_and_writes_as_the_reference(name):
    for seed in range(CASES // 6):
        memory, numbers, host, expected, expected_memory, expected_calls = case(ROWS[name], seed)
        got = outcome(lambda: values_call(name, memory, host, numbers, True))  # noqa: B023
        assert host.calls == expected_calls, (seed, numbers)
        assert memory == expected_memory, (seed, numbers)
        assert got == expected, (seed, numbers)


def test_the_cases_see_successes_faults_and_host_errors_of_every_function():
    errors = {Errno[name] for name in ("BADF", "NOTCAPABLE", "NOENT", "NOTEMPTY", "XDEV", "IO")}
    for name, row in ROWS.items():
        seen = {case(row, seed)[3] for seed in range(CASES)}
        addresses = [p for p in row.params if isinstance(p.type, Pointer | String | List)]
        assert Errno.SUCCESS in seen or name == "proc_exit", name
        assert (Errno.FAULT in seen) == bool(addresses or row.results), name
        assert errors & seen, name
