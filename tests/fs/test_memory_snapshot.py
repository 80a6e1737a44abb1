"""Snapshots of a memory filesystem: whatever was done since, it is undone, and nothing else."""

import gc
import os
import random
import tracemalloc

import pytest

from tests.fs.actions import UPDATE, outcome, snapshot
from tests.fs.test_differential import Chooser, World
from tests.fs.test_overlay_differential import random_tree
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.memory_snapshot import CHUNK


def scribble(fs, chooser, count):
    world = World(fs)
    for _ in range(count):
        operation = chooser.operation()
        chooser.learn(*operation, world.run(*operation))
    chooser.directories = {0}
    chooser.readable, chooser.writable = set(), set()


def everything(fs):
    """Names, kinds, bytes, times and numbers, in their order."""

    def below(directory):
        return [
            (
                *entry,
                directory.stat_entry(entry.name),
                below(directory.open_entry(entry.name, 0)) if entry.filetype == 3 else None,
            )
            for entry in directory.entries()
        ]

    root = fs.open_root()
    return root.stat(), below(root), fs.tree()


@pytest.mark.parametrize("seed", range(8))
def test_random_changes_are_undone_to_the_nanosecond(seed):
    chooser = Chooser(seed)
    fs = MemoryFS(random_tree(random.Random(seed)))
    scribble(fs, chooser, 100)
    gc.collect()
    states = []
    for _ in range(3):
        gc.collect()
        states.append((fs.snapshot(), everything(fs), fs.stored[1]))
        scribble(fs, chooser, 150)
    if seed % 3 == 0:
        fs.forget(states.pop(1)[0])
    for kept, state, inodes in reversed(states):
        for _ in range(2):
            fs.restore(kept)
            assert everything(fs) == state
            gc.collect()
            assert fs.stored[1] == inodes
            scribble(fs, chooser, 60)
    fs.restore(states[0][0])
    assert everything(fs) == states[0][1]


def test_what_it_keeps_is_by_what_changed_not_by_what_there_is():
    fs = MemoryFS({f"d{n}": {f"f{m}": b"x" * 100 for m in range(20)} for n in range(50)})
    fs.write_bytes("big", bytes(64 << 20))
    node = fs.open_root().open_at("big", os.O_RDWR, True)
    tracemalloc.start()
    try:
        kept = fs.snapshot()
        node.pwrite(b"x", 32 << 20)
        fs.write_bytes("d5/f5", b"other")
        fs.restore(kept)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * CHUNK
    assert fs.read_bytes("d5/f5") == b"x" * 100
    assert node.pread(1, 32 << 20) == b"\0"


def test_one_byte_costs_one_chunk_and_what_is_appended_nothing():
    fs = MemoryFS({"f": bytes(10 * CHUNK)})
    kept = fs.snapshot()
    node = fs.open_root().open_at("f", os.O_RDWR, True)
    node.append(bytes(5 * CHUNK))
    assert not kept.noted[node.inode].chunks
    node.pwrite(b"x", 3 * CHUNK)
    assert set(kept.noted[node.inode].chunks) == {3}


def test_a_cut_sparse_file_is_sparse_again():
    fs = MemoryFS()
    node = fs.open_root().open_at("f", UPDATE, True)
    node.truncate(1 << 40)
    node.pwrite(b"far", 1 << 39)
    stored = node.stored()
    kept = fs.snapshot()
    node.truncate(0)
    node.pwrite(b"other", 10)
    fs.restore(kept)
    assert node.stat()[4] == 1 << 40
    assert node.pread(3, 1 << 39) == b"far"
    assert node.pread(20, 0) == bytes(20)
    assert node.stored() <= stored + 2 * CHUNK


def test_what_was_removed_while_open_has_its_name_again():
    fs = MemoryFS({"a": b"1", "d": {"l": Link("x")}})
    kept = fs.snapshot()
    root = fs.open_root()
    node, inside = root.open_at("a", os.O_RDWR, True), root.open_at("d", os.O_DIRECTORY, True)
    root.unlink_at("a")
    root.unlink_at("d/l")
    root.remove_dir_at("d")
    root.make_dir_at("new")
    made = root.open_at("new", os.O_DIRECTORY, True)
    fs.restore(kept)
    assert snapshot(root) == {"a": (b"1", 1), "d": {"l": ("link", "x")}}
    assert node.stat()[3] == 1
    assert outcome(inside.make_dir_at, "e") == "ok"
    assert outcome(made.make_dir_at, "e") == "ENOENT"


def test_a_snapshot_that_is_over_is_refused():
    fs = MemoryFS()
    first, second = fs.snapshot(), fs.snapshot()
    fs.restore(first)
    with pytest.raises(ValueError, match="is over"):
        fs.restore(second)
    fs.forget(first)
    for call in (fs.restore, fs.forget, MemoryFS().restore):
        with pytest.raises(ValueError, match="is over"):
            call(first)
    assert fs.store.journal is None


def test_what_changed_since_a_snapshot_is_told_with_the_bytes_of_then_and_now():
    fs = MemoryFS({"a": b"one", "b": b"two", "d": {"x": b"x", "y": b"y"}, "l": Link("a"), "e": {}})
    kept = fs.snapshot()
    root = fs.open_root()
    fs.write_bytes("a", b"ONE!")
    fs.write_bytes("new/file", b"new")
    root.unlink_at("b")
    root.rename_at("d", root, "e/d")
    fs.write_bytes("e/d/x", b"X")
    fs.write_bytes("same", b"")
    root.unlink_at("same")
    changes = fs.changes_since(kept)
    assert [(one.kind, one.path) for one in changes] == [
        ("changed", "a"), ("deleted", "b"), ("renamed", "e/d"), ("changed", "e/d/x"),
        ("created", "new"), ("created", "new/file"),
    ]  # fmt: skip
    assert [(one.before.bytes, one.after.bytes) for one in changes if one.kind == "changed"] == [
        (b"one", b"ONE!"), (b"x", b"X"),
    ]  # fmt: skip
    assert changes[1].before.bytes == b"two"
    assert changes[2].before.path == "d"
    with pytest.raises(ValueError, match="no overlay"):
        changes.apply()
    fs.restore(kept)
    assert len(fs.changes_since(kept)) == 0


@pytest.mark.parametrize("seed", range(10))
def test_all_that_is_told_of_random_changes_is_true(seed):
    fs = MemoryFS(random_tree(random.Random(seed)))
    kept, before = fs.snapshot(), fs.tree()
    scribble(fs, Chooser(seed), 100)
    told = fs.changes_since(kept)
    assert (len(told) == 0) == (fs.tree() == before)
    for change in told:
        if change.after is not None and change.after.type == "file":
            assert change.after.bytes == fs.read_bytes(change.after.path)
        if change.before is not None and change.before.type == "file":
            place = before
            for name in change.before.path.split("/"):
                place = place[name]
            assert change.before.bytes == place
