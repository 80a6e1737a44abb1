from hashlib import sha256

import pytest

from wasi_host.world.randomness import SeededRandomness


def test_the_bytes_of_a_seed_stay_what_they_are():
    assert SeededRandomness(0).read(16).hex() == "2d51163d925dd471e886de482b938d99"
    assert sha256(SeededRandomness(-(2**70)).read(5000)).hexdigest()[:16] == "99145bfd5e71acc5"


@pytest.mark.parametrize("sizes", [[5000], [1] * 5000, [1023, 2, 1024, 1025, 0, 1926]], ids=str)
def test_how_the_sequence_is_cut_does_not_matter(sizes):
    randomness = SeededRandomness(42)
    parts = [randomness.read(size) for size in sizes]
    assert [len(part) for part in parts] == sizes
    assert b"".join(parts) == SeededRandomness(42).read(5000)


def test_seeds_that_differ_give_other_bytes():
    seeds = [0, 1, -1, 127, 128, 255, 256, -128, -129, 2**64, 2**64 + 1]
    assert len({SeededRandomness(seed).read(8) for seed in seeds}) == len(seeds)


def test_the_bytes_look_random():
    data = SeededRandomness(1).read(1 << 16)
    ones = sum(byte.bit_count() for byte in data)
    assert abs(ones - len(data) * 4) < 1500
    assert len({data[n : n + 8] for n in range(0, len(data), 8)}) == len(data) // 8
