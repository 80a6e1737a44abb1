"""What memory filesystems count, and how a run's budget binds them."""

import os
import pickle
import random
import tracemalloc

import pytest

from tests.fs.actions import UPDATE, outcome
from tests.fs.contract import Place
from wasi_host.fs.budget import Budget
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.memory_data import PAGE
from wasi_host.fs.namespace import Namespace
from wasi_host.fs.overlay import Overlay
from wasi_host.fs.quota import Quota
from wasi_host.fs.readonly import ReadOnly

GIB = 1 << 30


def limited(tree=None, max_bytes=GIB, max_inodes=1000):
    """A place over a tree in memory, its filesystem and its budget."""
    memory, budget = MemoryFS(tree), Budget(max_bytes, max_inodes)
    return Place(memory.limited(budget), frozenset()), memory, budget


def test_what_is_made_and_removed_is_counted():
    memory = MemoryFS({"a": b"12345", "d": {"l": Link("abc")}})
    assert memory.stored == (8, 3)
    root = memory.open_root()
    root.make_dir_at("e")
    root.symlink_at("xy", "m")
    root.link_at("a", root, "b")
    memory.write_bytes("c", b"123")
    assert memory.stored == (13, 6)
    root.rename_at("c", root, "m")
    root.unlink_at("a")
    assert memory.stored == (11, 5)
    root.unlink_at("b")
    root.remove_dir_at("e")
    root.unlink_at("d/l")
    assert memory.stored == (3, 2)


def test_a_file_without_a_name_counts_while_it_is_open():
    memory = MemoryFS({"a": b"12345"})
    root = memory.open_root()
    node = root.open_at("a", os.O_RDWR, True)
    root.unlink_at("a")
    node.append(b"678")
    assert memory.stored == (8, 1)
    del node
    assert memory.stored == (0, 0)


def test_after_random_writes_and_cuts_the_count_is_what_is_stored():
    chooser = random.Random(7)
    memory = MemoryFS()
    root = memory.open_root()
    node = root.open_at("f", UPDATE, True)
    for _ in range(3000):
        if chooser.random() < 0.2:
            node.truncate(chooser.randrange(200_000))
        else:
            size = chooser.choice((1, 10, 5000, 20_000))
            node.pwrite(b"x" * chooser.randrange(1, size + 1), chooser.randrange(200_000))
        assert memory.stored == (node.inode.stored, 1)
    root.unlink_at("f")
    assert memory.stored == (node.inode.stored, 1)
    del node
    assert memory.stored == (0, 0)


def test_a_write_over_the_budget_is_short_and_the_next_one_edquot():
    here, memory, budget = limited({"a": b"12345"}, max_bytes=10)
    node = here.open("b", UPDATE)
    assert node.pwrite(b"x" * 4, 0) == 4
    assert budget.hit == set()
    assert node.append(b"y" * 4) == 1
    assert budget.hit == {"fs_bytes"}
    assert outcome(node.append, b"z") == "EDQUOT"
    assert outcome(node.pwrite, b"z", 5) == "EDQUOT"
    assert node.pwrite(b"overw", 0) == 5
    assert memory.read_bytes("b") == b"overw"
    assert outcome(here.root.symlink_at, "z", "l") == "EDQUOT"
    node.truncate(0)
    assert node.pwrite(b"x" * 9, 0) == 5


def test_an_inode_over_the_budget_is_edquot():
    here, memory, budget = limited({"a": b""}, max_inodes=2)
    here.root.make_dir_at("d")
    for call, *args in (
        (here.root.make_dir_at, "e"), (here.root.symlink_at, "x", "l"),
        (here.root.open_at, "f", UPDATE, True), (here.root.open_at, "d/f", UPDATE, True),
    ):  # fmt: skip
        assert outcome(call, *args) == "EDQUOT"
    assert budget.hit == {"inodes"}
    assert outcome(here.root.make_dir_at, "d") == "EEXIST"
    assert outcome(here.root.link_at, "a", here.root, "b") == "ok"
    here.root.remove_dir_at("d")
    assert outcome(here.root.open_at, "f", UPDATE, True) == "ok"
    assert memory.stored == (0, 2)


def test_one_byte_at_one_gib_takes_less_than_one_mib():
    here, memory, budget = limited(max_bytes=256 << 20)
    node = here.open("a", UPDATE)
    tracemalloc.start()
    assert node.pwrite(b"x", GIB) == 1
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert memory.stored[0] <= PAGE
    assert not budget.hit
    assert node.stat()[4] == GIB + 1


def test_scattered_writes_are_cut_at_the_page_that_has_no_room():
    here, memory, _ = limited(max_bytes=3 * PAGE)
    node = here.open("a", UPDATE)
    assert node.pwrite(b"x" * (5 * PAGE), GIB + 100) == 3 * PAGE - 100
    assert outcome(node.pwrite, b"x", GIB * 2) == "EDQUOT"
    assert node.pwrite(b"y" * 50, GIB) == 50
    assert memory.stored[0] == 3 * PAGE


def test_a_hole_counts_nothing():
    here, memory, _ = limited(max_bytes=10)
    node = here.open("a", UPDATE)
    node.truncate(GIB)
    node.allocate(0, 2 * GIB)
    assert memory.stored == (0, 1)
    assert node.pread(5, GIB) == bytes(5)


def test_no_sequence_of_writes_passes_the_budget():
    chooser = random.Random(3)
    here, memory, _ = limited(max_bytes=50_000)
    nodes = [here.open(name, UPDATE) for name in "abc"]
    for _ in range(3000):
        node = chooser.choice(nodes)
        if chooser.random() < 0.1:
            node.truncate(chooser.randrange(40_000))
        data = b"x" * chooser.randrange(1, 9_000)
        outcome(node.pwrite, data, chooser.randrange(60_000))
        outcome(node.append, data)
        assert memory.stored[0] <= 50_000


def test_all_trees_of_a_run_count_together_and_each_once():
    one, other, budget = MemoryFS({"a": b"123"}), MemoryFS(), Budget(10, 3)
    places = [Place(each.limited(budget), frozenset()) for each in (one, other, one)]
    assert places[1].open("b", UPDATE).append(b"x" * 9) == 7
    assert outcome(places[0].open("a", os.O_RDWR).append, b"x") == "EDQUOT"
    places[2].open("c", UPDATE)
    assert outcome(places[1].root.make_dir_at, "d") == "EDQUOT"
    assert budget.hit == {"fs_bytes", "inodes"}


def test_a_budget_reaches_through_wrappers_and_mounts():
    memory = MemoryFS({"file": b""})
    for wrap in (
        lambda inner: Quota(inner, max_bytes=1000),
        lambda inner: Quota(ReadOnly(inner)),
        lambda inner: Namespace(MemoryFS(), {"x/y": inner}),
        lambda inner: Namespace(inner, {"x/y": MemoryFS()}),
    ):
        budget = Budget(5)
        here = Place(wrap(memory).limited(budget), frozenset())
        if here.root.readonly:
            continue
        path = next(path for path in ("file", "x/y/file") if outcome(here.open, path) == "ok")
        node = here.open(path, os.O_RDWR | os.O_TRUNC)
        assert node.append(b"x" * 9) == 5
        assert budget.hit == {"fs_bytes"}


def test_two_runs_over_one_kept_tree_each_have_their_own_limit():
    memory, small, large = MemoryFS(), Budget(4), Budget(8)
    one = Place(memory.limited(small), frozenset())
    other = Place(memory.limited(large), frozenset())
    assert other.open("a", UPDATE).append(b"x" * 9) == 8
    assert outcome(one.open("b", UPDATE).append, b"x") == "EDQUOT"
    assert (small.hit, large.hit) == ({"fs_bytes"}, {"fs_bytes"})
    memory.write_bytes("c", b"x" * 100)


def test_a_quota_keeps_its_account_from_run_to_run():
    quota = Quota({}, max_bytes=10)
    for name, taken in (("a", 6), ("b", 4)):
        here = Place(quota.limited(Budget()), frozenset())
        assert here.open(name, UPDATE).append(b"x" * 6) == taken
    assert quota.used_bytes == 10


def test_the_count_pickles():
    memory = MemoryFS({"a": b"12345"})
    memory.open_root().unlink_at("a")
    memory.write_bytes("b", b"123")
    again = pickle.loads(pickle.dumps(memory))
    assert again.stored == memory.stored == (3, 1)
    again.open_root().unlink_at("b")
    assert again.stored == (0, 0)


@pytest.mark.parametrize("count", [10, 2000])
def test_many_files_made_and_removed_leave_nothing_behind(count):
    here, memory, _ = limited(max_inodes=5)
    for _ in range(count):
        node = here.root.open_at("f", UPDATE, True)
        node.append(b"data")
        here.root.unlink_at("f")
    del node
    assert memory.stored == (0, 0)
    assert len(memory.store.usage.gone) == 0


def overlaid(lower, **limits):
    """A place over an overlay in memory, its usage and its budget."""
    overlay, budget = Overlay(MemoryFS(lower)), Budget(**limits)
    place = Place(overlay.limited(budget), frozenset())
    return place, overlay.layers.store.usage, budget


def settled(usage):
    usage.settle()
    return usage.bytes, usage.inodes


def test_an_overlay_counts_what_it_stores_above_its_lower_tree():
    here, usage, _ = overlaid({"a": b"12345", "d": {"e": b""}, "l": Link("a")})
    root = here.root
    assert here.read("a") == b"12345"
    assert settled(usage) == (0, 0)
    here.open("new", UPDATE).append(b"123")
    root.make_dir_at("n")
    root.symlink_at("xyz", "m")
    assert settled(usage) == (6, 3)
    here.open("a", os.O_RDWR).append(b"6")
    assert settled(usage) == (12, 4)
    for path in ("m", "l"):
        root.unlink_at(path)
    root.remove_dir_at("n")
    root.unlink_at("d/e")
    root.remove_dir_at("d")
    assert settled(usage)[0] == 9


def test_an_overlay_is_bound_by_the_budget_of_the_run():
    here, usage, budget = overlaid({"a": b"12345"}, max_bytes=10, max_inodes=3)
    assert here.open("b", UPDATE).append(b"x" * 4) == 4
    node = here.open("a", os.O_RDWR)
    assert node.append(b"y" * 4) == 1
    assert outcome(node.append, b"z") == "EDQUOT"
    assert here.read("a") == b"12345y"
    assert budget.hit == {"fs_bytes"}
    here.root.make_dir_at("d")
    assert outcome(here.root.make_dir_at, "e") == "EDQUOT"
    assert outcome(here.root.symlink_at, "", "e") != "ok"
    assert outcome(here.root.open_at, "c", UPDATE, True) == "EDQUOT"
    assert outcome(Overlay.open_root, here.filesystem.inner) == "ok"
    assert budget.hit == {"fs_bytes", "inodes"}
    assert settled(usage)[0] == 10
