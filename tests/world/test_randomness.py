import os
import subprocess
import sys
import threading
from itertools import count

import pytest

from wasi_host.world import randomness as module
from wasi_host.world.randomness import Randomness


@pytest.fixture
def counted(monkeypatch):
    """Randomness that hands out the numbers 0, 1, 2, ... as 8 bytes each."""
    numbers = count()

    def urandom(size):
        return b"".join(next(numbers).to_bytes(8, "big") for _ in range(-(-size // 8)))[:size]

    monkeypatch.setattr(module, "urandom", urandom)
    monkeypatch.setattr(module, "_pool", module.BytesIO())
    return Randomness()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 128, 129, 511, 512, 513, 65536])
def test_as_many_bytes_come_as_were_asked_for(size):
    randomness = Randomness()
    assert [len(randomness.read(size)) for _ in range(20)] == [size] * 20


def test_no_bytes_are_handed_out_twice(counted):
    taken = [counted.read(8) for _ in range(1000)]
    assert len(set(taken)) == 1000


def test_small_and_large_requests_share_no_bytes(counted):
    taken = [counted.read(size) for size in (8, 1024, 24, 8, 128, 512, 8) * 30]
    words = [data[i : i + 8] for data in taken for i in range(0, len(data), 8)]
    assert len(set(words)) == len(words)


def test_no_two_threads_get_the_same_bytes(counted):
    taken = [[] for _ in range(4)]

    def read(into):
        for _ in range(2000):
            into.append(counted.read(8))

    threads = [threading.Thread(target=read, args=(into,)) for into in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words = [word for into in taken for word in into]
    assert len(set(words)) == len(words) == 8000


FORKING = """
import os, sys
from wasi_host.world.randomness import Randomness
Randomness().read(8)
read, write = os.pipe()
if os.fork() == 0:
    os.write(write, Randomness().read(16))
    os._exit(0)
os.wait()
print(os.read(read, 16) != Randomness().read(16))
"""


def test_a_forked_child_gets_other_bytes_than_its_parent():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FORKING], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
