"""Overlays that write into a filesystem that was given, and are opened again over it."""

import os
import random

import pytest

from tests.fs.actions import UPDATE, outcome
from tests.fs.backends import open_descriptors, write_out
from tests.fs.test_overlay_apply import contents_of, scribble
from tests.fs.test_overlay_differential import random_tree
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.overlay import Overlay

TREE = {"a": b"one", "b": b"two", "d": {"x": b"in d", "s": {"y": b"deep"}}, "l": Link("a")}
MARKS = ".wasi_host-overlay.json"


def write(overlay, path, data):
    node = overlay.open_root().open_at(path, UPDATE, True)
    node.pwrite(data, 0)
    node.close()


def test_what_is_written_is_whole_in_the_upper_tree_under_its_name():
    upper = MemoryFS()
    overlay = Overlay(TREE, upper)
    write(overlay, "d/s/new", b"new")
    write(overlay, "a", b"ON")
    root = overlay.open_root()
    root.rename_at("d/s", root, "t")
    root.unlink_at("b")
    assert upper.tree() == {"d": {}, "t": {"new": b"new"}, "a": b"ONe"}
    root.close()
    assert MARKS in upper.tree()
    assert MARKS not in [entry.name for entry in overlay.open_root().entries()]


def test_what_is_in_the_upper_tree_at_first_is_shown():
    overlay = Overlay(TREE, MemoryFS({"a": b"other", "d": {"z": b"z"}, "l": {"in": b""}}))
    assert contents_of(overlay) == {
        "a": b"other", "b": b"two", "d": {"x": b"in d", "s": {"y": b"deep"}, "z": b"z"},
        "l": {"in": b""},
    }  # fmt: skip
    assert [(one.kind, one.path) for one in overlay.changes] == [
        ("changed", "a"), ("created", "d/z"), ("deleted", "l"), ("created", "l"),
        ("created", "l/in"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_an_overlay_that_is_opened_again_shows_and_applies_the_same(tmp_path, seed):
    before = open_descriptors()
    write_out(random_tree(random.Random(seed)), tmp_path / "lower")
    (tmp_path / "upper").mkdir()
    for turn in range(2):
        upper = HostDir(tmp_path / "upper")
        overlay = Overlay(tmp_path / "lower", upper)
        scribble(overlay, seed + 100 * turn, 120)
        expected, changes = contents_of(overlay), repr(overlay.changes)
        overlay.close()
        again = Overlay(tmp_path / "lower", upper)
        assert contents_of(again) == expected
        assert repr(again.changes) == changes
        if turn:
            again.changes.apply()
            assert contents_of(HostDir(tmp_path / "lower")) == expected
            assert os.listdir(tmp_path / "upper") in ([], [MARKS])
        again.close()
        upper.close()
    assert open_descriptors() == before


def test_the_name_of_the_marks_is_refused_to_guests(tmp_path):
    root = Overlay(TREE, MemoryFS()).open_root()
    assert outcome(root.open_at, MARKS, UPDATE, True) == "EPERM"
    assert outcome(root.make_dir_at, MARKS) == "EPERM"
    assert outcome(root.rename_at, "a", root, MARKS) == "EPERM"
    assert outcome(root.open_at, f"d/{MARKS}", UPDATE, True) == "ok"


def test_discarding_empties_the_upper_tree():
    upper = MemoryFS()
    overlay = Overlay(TREE, upper)
    write(overlay, "d/s/new", b"new")
    overlay.open_root().close()
    overlay.changes.discard()
    assert upper.tree() == {}
    assert contents_of(overlay) == contents_of(MemoryFS(TREE))


def test_a_file_without_a_name_is_still_written(tmp_path):
    upper = HostDir(tmp_path)
    overlay = Overlay(TREE, upper)
    root = overlay.open_root()
    node = root.open_at("a", os.O_RDWR, True)
    root.unlink_at("a")
    node.append(b"!")
    assert node.pread(9, 0) == b"one!"
    assert os.listdir(tmp_path) == []
    node.close()


def test_marks_that_are_none_are_a_value_error():
    with pytest.raises(ValueError, match="marks"):
        Overlay(TREE, MemoryFS({MARKS: b'[{"path": 1}]'}))
