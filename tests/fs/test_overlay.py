"""What only an overlay has: numbers, order, copying on write, and a lower tree that changes."""

import os
import tracemalloc

import pytest

from tests.fs.actions import UPDATE, outcome
from tests.fs.backends import write_out
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link
from wasi_host.fs.overlay import Overlay
from wasi_host.fs.overlay_data import CHUNK

TREE = {"a": b"one", "b": b"two", "d": {"x": b"in d", "s": {"y": b"deep"}}, "l": Link("a")}


@pytest.fixture
def host(tmp_path):
    write_out(TREE, tmp_path / "lower")
    return tmp_path / "lower"


def names(directory, path="."):
    inside = directory.open_at(path, os.O_DIRECTORY, True)
    return [entry.name for entry in inside.entries()]


def test_a_number_stays_when_a_file_is_copied_and_moved_and_new_ones_are_above_2_to_63(host):
    root = Overlay(host).open_root()
    numbers = {path: os.stat(host / path).st_ino for path in ("a", "d", "d/x")}
    assert {path: root.stat_at(path, True)[1] for path in numbers} == numbers
    node = root.open_at("a", os.O_RDWR, True)
    node.pwrite(b"X", 0)
    root.rename_at("a", root, "d/a")
    root.rename_at("d", root, "e")
    assert node.stat()[1] == root.stat_at("e/a", True)[1] == numbers["a"]
    assert root.stat_at("e", True)[1] == numbers["d"]
    assert root.stat_at("e/x", True)[1] == numbers["d/x"]
    listed = {entry.name: entry.ino for entry in root.open_at("e", os.O_DIRECTORY, True).entries()}
    assert listed["a"] == numbers["a"]
    assert listed["x"] == numbers["d/x"]
    root.make_dir_at("new")
    root.open_at("file", UPDATE, True).close()
    assert root.stat_at("file", True)[1] > root.stat_at("new", True)[1] > 1 << 63
    assert len({root.stat_at(path, True)[0] for path in (".", "e", "e/a", "e/x", "new")}) == 1
    node.close()


def test_a_listing_has_the_lower_names_in_their_order_and_then_the_new_ones():
    root = Overlay({"c": b"", "a": b"", "d": {}, "b": b""}).open_root()
    root.open_at("z", UPDATE, True).close()
    root.open_at("y", UPDATE, True).close()
    root.unlink_at("a")
    node = root.open_at("b", os.O_RDWR, True)
    node.pwrite(b"changed", 0)
    root.rename_at("c", root, "x")
    assert names(root) == ["d", "b", "z", "y", "x"]


def test_a_removed_directory_that_is_made_again_is_empty(host):
    root = Overlay(host).open_root()
    root.unlink_at("d/s/y")
    root.remove_dir_at("d/s")
    root.unlink_at("d/x")
    root.remove_dir_at("d")
    root.make_dir_at("d")
    assert names(root, "d") == []
    assert outcome(root.stat_at, "d/x", True) == "ENOENT"
    root.make_dir_at("d/s")
    assert names(root, "d/s") == []


def test_a_renamed_directory_of_a_thousand_files_copies_none_of_them():
    lower = {"big": {f"{number}": bytes(10_000) for number in range(1000)}}
    overlay = Overlay(lower)
    root = overlay.open_root()
    root.stat_at("big/0", True)
    tracemalloc.start()
    root.rename_at("big", root, "moved")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000
    assert overlay.read_bytes("moved/500") == bytes(10_000)
    assert outcome(root.stat_at, "big", True) == "ENOENT"
    root.make_dir_at("big")
    assert names(root, "big") == []


def test_a_descriptor_that_read_before_a_copy_sees_the_new_bytes_afterwards(host):
    root = Overlay(host).open_root()
    reader, writer = (root.open_at("a", mode, True) for mode in (os.O_RDONLY, os.O_RDWR))
    assert reader.pread(9, 0) == b"one"
    writer.pwrite(b"ON", 0)
    assert reader.pread(9, 0) == b"ONe"
    root.unlink_at("a")
    writer.append(b"!")
    assert reader.pread(9, 0) == b"ONe!"
    assert reader.stat() == writer.stat()
    assert reader.stat()[3:5] == (0, 4)
    assert (host / "a").read_bytes() == b"one"
    for node in (reader, writer):
        node.close()


def test_one_byte_in_a_file_of_a_gibibyte_costs_less_than_a_mebibyte(tmp_path):
    with open(tmp_path / "huge", "wb") as file:
        file.truncate((1 << 30) + 5)
    root = Overlay(tmp_path).open_root()
    tracemalloc.start()
    try:
        node = root.open_at("huge", os.O_RDWR, True)
        node.pwrite(b"x", 1 << 30)
        node.pwrite(b"y", 1 << 29)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert node.pread(9, (1 << 30) - 1) == b"\0x\0\0\0\0"
    assert node.pread(3, (1 << 29) - 1) == b"\0y\0"
    assert node.stat()[4] == (1 << 30) + 5
    node.close()


def test_a_file_that_is_opened_for_writing_or_cut_is_not_copied(host):
    (host / "big").write_bytes(b"z" * 10 * CHUNK)
    root = Overlay(host).open_root()
    tracemalloc.start()
    node = root.open_at("big", os.O_RDWR, True)
    node.set_times(1, 2)
    node.truncate(0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < CHUNK
    assert node.pread(9, 0) == b""
    node.truncate(5)
    assert node.pread(9, 0) == bytes(5)
    node.close()


def test_reading_changes_no_access_time_and_copying_none_is_set(host):
    os.utime(host / "a", ns=(11, 22))
    root = Overlay(host).open_root()
    node = root.open_at("a", os.O_RDWR, True)
    node.pwrite(b"x", 0)
    node.pread(3, 0)
    assert root.stat_at("a", True)[5] == 11
    root.set_times_at("a", True, 33, None)
    assert root.stat_at("a", True)[5] == 33
    node.close()


def test_a_chunk_is_what_is_copied_and_the_rest_still_comes_from_below(tmp_path):
    data = os.urandom(5 * CHUNK + 100)
    (tmp_path / "f").write_bytes(data)
    root = Overlay(tmp_path).open_root()
    node = root.open_at("f", os.O_RDWR, True)
    expected = bytearray(data)
    for offset, piece in (
        (CHUNK - 3, b"abcdef"), (3 * CHUNK, b"q" * CHUNK), (5 * CHUNK + 99, b"tail"),
        (len(data) + 5000, b"far"),
    ):  # fmt: skip
        node.pwrite(piece, offset)
        expected.extend(bytes(max(0, offset + len(piece) - len(expected))))
        expected[offset : offset + len(piece)] = piece
        assert node.pread(10 * CHUNK, 0) == expected
    for size in (4 * CHUNK + 7, 5 * CHUNK):
        node.truncate(size)
        expected[size:] = b""
        expected.extend(bytes(size - len(expected)))
        assert node.pread(10 * CHUNK, 0) == expected
    node.close()
    again = root.open_at("f", os.O_RDONLY, True)
    assert again.pread(10 * CHUNK, 0) == expected
    again.close()
    assert (tmp_path / "f").read_bytes() == data


def test_a_lower_file_written_meanwhile_is_never_mixed_with_what_was_copied(tmp_path):
    (tmp_path / "f").write_bytes(b"o" * 3 * CHUNK)
    root = Overlay(tmp_path).open_root()
    node = root.open_at("f", os.O_RDWR, True)
    node.pwrite(b"x", 0)
    (tmp_path / "f").write_bytes(b"n" * 3 * CHUNK)
    os.utime(tmp_path / "f", ns=(5, 5))
    assert outcome(node.pread, 10, 2 * CHUNK) == "ESTALE"
    assert outcome(node.pwrite, b"y", 2 * CHUNK) == "ESTALE"
    assert node.pread(2, 0) == b"xo"
    node.truncate(CHUNK)
    assert node.pread(5, 0) == b"xoooo"
    node.close()
    for change in ("unlink", "replace"):
        node = root.open_at("f", os.O_RDWR, True)
        node.close()
        if change == "unlink":
            (tmp_path / "f").unlink()
        else:
            (tmp_path / "f").mkdir()
        node = root.open_at("f", os.O_RDWR, True)
        assert node.pread(2, 0) == b"xo"
        node.close()


def test_a_lower_tree_that_vanishes_is_errnos_and_no_crash(host):
    root = Overlay(host).open_root()
    inside = root.open_at("d", os.O_DIRECTORY, True)
    root.open_at("d/new", UPDATE, True).close()
    root.rename_at("b", root, "moved")
    for path in ("d/x", "d/s/y", "b"):
        (host / path).unlink()
    for path in ("d/s", "d"):
        (host / path).rmdir()
    (host / "d").write_bytes(b"now a file")
    assert [entry.name for entry in inside.entries()] == ["new"]
    assert outcome(root.stat_at, "d/x", True) in ("ENOENT", "ENOTDIR")
    assert outcome(root.open_at, "d/s/y", os.O_RDONLY, True) in ("ENOENT", "ENOTDIR")
    assert outcome(root.open_at, "moved", os.O_RDONLY, True) == "ENOENT"
    assert outcome(root.make_dir_at, "d/made") == "ok"
    assert outcome(root.unlink_at, "d/new") == "ok"
    assert outcome(root.remove_dir_at, "d/made") == "ok"
    assert outcome(root.remove_dir_at, "d") == "ok"
    assert outcome(root.stat_at, "d", True) == "ENOENT"


def test_new_names_of_the_lower_tree_are_seen_where_nothing_hides_them(host):
    root = Overlay(host).open_root()
    assert names(root, "d") == names(HostDir(host).open_root(), "d")
    (host / "d" / "later").write_bytes(b"later")
    assert "later" in names(root, "d")
    assert root.stat_at("d/later", True)[4] == 5


def test_two_names_of_a_lower_file_become_two_files_when_one_is_changed(host):
    os.link(host / "a", host / "twin")
    root = Overlay(host).open_root()
    root.rename_at("a", root, "twin")
    assert outcome(root.stat_at, "a", True) == "ok"
    node = root.open_at("a", os.O_RDWR, True)
    node.pwrite(b"X", 0)
    node.close()
    other = root.open_at("twin", os.O_RDONLY, True)
    assert other.pread(9, 0) == b"one"
    other.close()


def test_a_lower_path_of_more_than_4095_bytes_works(tmp_path):
    directory = HostDir(tmp_path).open_root()
    name = "n" * 200
    for _ in range(30):
        directory.make_dir(name)
        directory = directory.open_entry(name, os.O_DIRECTORY)
    directory.open_at("deep", UPDATE, True).close()
    inside = Overlay(tmp_path).open_root()
    for _ in range(30):
        inside = inside.open_entry(name, os.O_DIRECTORY)
    assert [entry.name for entry in inside.entries()] == ["deep"]
    inside.open_at("deep", os.O_RDWR, True).close()
    assert inside.stat_at("deep", True)[4] == 0
    inside.unlink_at("deep")
    assert inside.entries() == []


def test_a_fifo_of_the_lower_tree_is_opened_without_waiting_and_a_write_to_it_passes(host):
    os.mkfifo(host / "fifo")
    root = Overlay(host).open_root()
    assert outcome(root.open_at, "fifo", os.O_WRONLY, True) == "ENXIO"
    reader = root.open_at("fifo", os.O_RDONLY, True)
    root.rename_at("fifo", root, "pipe")
    writer = root.open_at("pipe", os.O_WRONLY, True)
    assert writer.write(b"through") == 7
    assert reader.read(99) == b"through"
    for node in (reader, writer):
        node.close()


def test_an_overlay_of_one_file_takes_changes_and_new_names(tmp_path):
    (tmp_path / "only").write_bytes(b"1")
    (tmp_path / "other").write_bytes(b"2")
    overlay = Overlay(tmp_path / "only")
    root = overlay.open_root()
    assert names(root) == ["only"]
    root.open_at("new", UPDATE, True).close()
    node = root.open_at("only", os.O_RDWR, True)
    node.pwrite(b"X", 0)
    node.close()
    assert sorted(names(root)) == ["new", "only"]
    assert (tmp_path / "only").read_bytes() == b"1"
    overlay.close()


def test_reading_by_python_has_the_errors_of_open(host):
    overlay = Overlay(host)
    assert overlay.read_bytes("/d/x") == b"in d"
    with pytest.raises(IsADirectoryError):
        overlay.read_bytes("d")
    with pytest.raises(FileNotFoundError):
        overlay.read_bytes("missing")
