"""Random operations, done to a plain tree, to a host directory and to overlays: the same answers.

All worlds begin with the same random tree, in which the overlays must not change a bit. It has
no hard links: a lower file with two names becomes two files when one is changed (documented).

`WASI_HOST_DIFFERENTIAL` sets the number of operations (3,000), `WASI_HOST_SEED` the seed.
"""

import random

import pytest

from tests.fs.backends import bit_image, open_descriptors, write_out
from tests.fs.test_differential import NAMES, OPERATIONS, SEED, World, run
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.overlay import Overlay


def random_tree(chance, depth=4):
    """A tree of the names that the operations use, with files of more than one chunk."""
    tree = {}
    for name in chance.sample(NAMES, chance.randrange(2, len(NAMES))):
        kind = chance.random()
        if depth and kind < 0.5:
            tree[name] = random_tree(chance, depth - 1)
        elif kind < 0.65:
            tree[name] = Link(chance.choice(["a", "../b", "c/d", ".", "/etc", "b/..", "../.."]))
        else:
            size = chance.choice([0, 1, 40, 9000, 70_000, 200_000])
            tree[name] = chance.randbytes(size)
    return tree


@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, OPERATIONS // 1000)))
def test_overlays_answer_as_the_plain_tree_and_leave_the_lower_one_alone(tmp_path, seed):
    before = open_descriptors()
    tree = random_tree(random.Random(seed))
    for name in ("plain", "lower"):
        write_out(tree, tmp_path / name)
    (tmp_path / "upper").mkdir()
    upper = HostDir(tmp_path / "upper")
    image, memory = bit_image(tmp_path / "lower"), MemoryFS(tree)
    worlds = {
        "memory": World(MemoryFS(tree)),
        "host": World(HostDir(tmp_path / "plain")),
        "overlay of host": World(Overlay(tmp_path / "lower")),
        "overlay of memory": World(Overlay(memory)),
        "overlay of overlay": World(Overlay(Overlay(memory))),
        "written to a host directory": World(Overlay(memory, upper)),
        "written to memory": World(Overlay(memory, MemoryFS())),
    }
    try:
        run(worlds, seed, min(OPERATIONS, 1000))
    finally:
        for world in worlds.values():
            world.close()
        upper.close()
    assert bit_image(tmp_path / "lower") == image
    assert memory.tree() == MemoryFS(tree).tree()
    assert open_descriptors() == before
