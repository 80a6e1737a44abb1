"""Layers that change nothing change nothing: random calls, with and without them, and replayed."""

import io
import random

import pytest

from tests.layers.hosts import Wrapped
from tests.preview1.calls import an_instance
from wasi_host.errors import ProcExit, WasiError, errno_of
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.layers.counting import Counting
from wasi_host.layers.faults import faults
from wasi_host.layers.policy import policy
from wasi_host.layers.record import record
from wasi_host.layers.replay import replay
from wasi_host.layers.trace import Trace
from wasi_host.world.clocks import Clock
from wasi_host.world.randomness import SeededRandomness
from wasi_spec import FUNCTIONS, Errno, SubscriptionClock, SubscriptionFd
from wasi_spec.types import CIOVECS, FD, SUBSCRIPTIONS, Enum, Flags, String
from wasi_spec.values import host_params

NAMES = ["f", "d", "d/g", "new", "d/new", "link", "../x", "/x", ".", "", "a\x1b", "f/", "\u202e"]
CALLS = 150


def host():
    clock = Clock.stepping(10**18, 7).open()
    tree = MemoryFS({"f": b"hello", "d": {"g": b"x" * 5000}, "link": Link("d/g"),
                     "\u202e": b""}, clock=clock.realtime, device=1)  # fmt: skip
    return an_instance(tree.open_root(), args=[b"prog", b"a b"], environ=[b"A=\xff"],
                       clocks=clock, randomness=SeededRandomness(3))  # fmt: skip


def some(draw, param):
    kind = param.type
    if kind is FD:
        return draw.choice([0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 99])
    if kind is CIOVECS:
        return draw.randbytes(draw.choice([0, 1, 20, 30, 3000]))
    if kind is SUBSCRIPTIONS:
        return [
            draw.choice([
                SubscriptionClock(draw.getrandbits(64), draw.randrange(3), draw.getrandbits(40), 0,
                                  draw.randrange(2)),
                SubscriptionFd(draw.getrandbits(64), draw.randrange(1, 3), draw.randrange(6)),
            ])
            for _ in range(draw.randrange(1, 25))
        ]  # fmt: skip
    if isinstance(kind, String):
        return draw.choice(NAMES)
    if isinstance(kind, Enum):
        return draw.choice(list(map(int, kind.values)))
    if isinstance(kind, Flags):
        return draw.getrandbits(64) & kind.mask & draw.choice([0, kind.mask, draw.getrandbits(30)])
    return draw.choice([0, 0, 1, 5, 24, 100, 5000])


def outcomes(called, seed):
    draw = random.Random(seed)
    found = []
    for _ in range(CALLS):
        row = draw.choice(FUNCTIONS)
        given = [some(draw, param) for param in host_params(row)]
        try:
            result = getattr(called, row.name)(*given)
            found.append((row.name, list(result) if isinstance(result, tuple) else result))
        except WasiError as error:
            found.append((row.name, Errno(error.errno)))
        except OSError as error:
            found.append((row.name, Errno(errno_of(error))))
        except ProcExit as error:
            found.append((row.name, "exit", error.code))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_calls_give_the_same_with_layers_and_replayed(seed):
    file = io.BytesIO()
    lines = []
    layered = Wrapped(
        Counting(10**6), Trace(write=lines.append),
        policy(before=lambda call: None, after=lambda call, result: None),
        record(file), faults(1, errors=0, short=0), host=host(),
    )  # fmt: skip
    plain = outcomes(host(), seed)
    assert outcomes(layered, seed) == plain
    assert layered.failures() == []
    assert len(lines) == CALLS
    assert all(line.removesuffix("\n").isprintable() for line in lines)
    file.seek(0)
    again = Wrapped(replay(file), fd_write=0)
    assert outcomes(again, seed) == plain
    assert again.failures() == []
