"""Overlays that go to another process: with all that differs, over the same lower tree."""

import os
import pickle
import random

import pytest

from tests.fs.actions import UPDATE
from tests.fs.backends import write_out
from tests.fs.test_overlay_apply import contents_of, scribble
from tests.fs.test_overlay_differential import random_tree
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.fs.overlay import Overlay
from wasi_host.fs.overlay_data import CHUNK


def copy_of(overlay):
    return pickle.loads(pickle.dumps(overlay))


def write(overlay, path, data, offset=0):
    node = overlay.open_root().open_at(path, UPDATE & ~os.O_TRUNC, True)
    node.pwrite(data, offset)
    node.close()


@pytest.mark.parametrize("upper", [False, True], ids=["in_memory", "upper"])
@pytest.mark.parametrize("seed", range(8))
def test_a_pickled_overlay_shows_and_tells_the_same_and_goes_on(tmp_path, seed, upper):
    write_out(random_tree(random.Random(seed)), tmp_path)
    overlay = Overlay(tmp_path, MemoryFS() if upper else None)
    scribble(overlay, seed, 120)
    again = copy_of(overlay)
    assert contents_of(again) == contents_of(overlay)
    assert str(again.changes) == str(overlay.changes)
    for one in (overlay, again):
        scribble(one, seed + 100, 60)
    expected = contents_of(overlay)
    assert contents_of(again) == expected
    again.changes.apply()
    assert contents_of(HostDir(tmp_path)) == expected


def test_of_a_large_file_only_what_is_written_is_pickled(tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 40 * CHUNK)
    overlay = Overlay(tmp_path)
    write(overlay, "large", b"Y", 20 * CHUNK)
    assert len(pickle.dumps(overlay)) < 30 * CHUNK
    again = copy_of(overlay)
    write(again, "large", b"Z", 30 * CHUNK)
    data = again.read_bytes("large")
    assert (data[0], data[20 * CHUNK], data[30 * CHUNK]) == tuple(b"xYZ")
    assert overlay.read_bytes("large")[30 * CHUNK] == ord("x")


def test_what_is_open_is_not_open_in_the_copy(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    overlay = Overlay(tmp_path)
    node = overlay.open_root().open_at("file", os.O_RDWR, True)
    node.pwrite(b"new", 0)
    again = copy_of(overlay)
    node.pwrite(b"NEW", 0)
    node.close()
    assert again.read_bytes("file") == b"new"
    assert overlay.read_bytes("file") == b"NEW"
    write(again, "file", b"N")
    assert again.read_bytes("file") == b"New"
