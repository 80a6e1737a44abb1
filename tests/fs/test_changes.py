"""Changes of an overlay: their kinds, the diff, JSON, tar, and when they are refused."""

import gc
import hashlib
import json
import os
import subprocess
import tarfile

import pytest

from tests.fs.actions import UPDATE
from tests.fs.backends import bit_image, write_out
from tests.fs.test_overlay_apply import contents_of
from wasi_host.fs.changes import Conflict
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.overlay import Overlay

TREE = {
    "a.txt": "one\ntwo\nthree\n", "b.txt": "same\n", "c.bin": b"\0\xff" * 100, "gone": "old\n",
    "d": {"x": "in d\n", "s": {"y": "deep\n"}}, "l": Link("a.txt"), "no end": "line",
}  # fmt: skip


@pytest.fixture
def lower(tmp_path):
    write_out(MemoryFS(TREE).tree(), tmp_path / "lower")
    return tmp_path / "lower"


@pytest.fixture
def overlay(lower):
    overlay = Overlay(lower)
    yield overlay
    overlay.close()


def write(overlay, path, data, mode=UPDATE | os.O_TRUNC):
    node = overlay.open_root().open_at(path, mode, True)
    node.pwrite(data, 0)
    node.close()


def kinds(changes):
    return [
        (change.kind, change.path, change.before and change.before.path)
        if change.kind == "renamed"
        else (change.kind, change.path)
        for change in changes
    ]


def scribble(overlay):
    root = overlay.open_root()
    write(overlay, "a.txt", b"one\n2\nthree\n")
    write(overlay, "b.txt", b"same\n")
    write(overlay, "c.bin", b"\1", os.O_WRONLY)
    write(overlay, "no end", b"other")
    root.unlink_at("gone")
    root.rename_at("d", root, "e")
    root.make_dir_at("new")
    root.symlink_at("../a.txt", "new/link")
    write(overlay, "new/file", b"fresh\n")
    write(overlay, "e/x", b"more\n", os.O_WRONLY)


def test_each_kind_of_change_is_told_and_what_is_the_same_is_none(overlay):
    scribble(overlay)
    assert kinds(overlay.changes) == [
        ("changed", "a.txt"), ("changed", "c.bin"), ("renamed", "e", "d"), ("changed", "e/x"),
        ("deleted", "gone"), ("created", "new"), ("created", "new/file"), ("created", "new/link"),
        ("changed", "no end"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("rename_at", "a.txt", "z")], [("renamed", "z", "a.txt")]),
        ([("rename_at", "a.txt", "z"), ("rename_at", "z", "a.txt")], []),
        ([("unlink_at", "l"), ("symlink_at", "a.txt", "l")], []),
        ([("unlink_at", "l"), ("symlink_at", "b.txt", "l")], [("changed", "l")]),
        (
            [("unlink_at", "l"), ("make_dir_at", "l")],
            [("deleted", "l"), ("created", "l")],
        ),
        (
            [("rename_at", "a.txt", "b.txt")],
            [("deleted", "b.txt"), ("renamed", "b.txt", "a.txt")],
        ),
        (
            [("unlink_at", "d/s/y"), ("remove_dir_at", "d/s")],
            [("deleted", "d/s"), ("deleted", "d/s/y")],
        ),
        (
            [("unlink_at", "d/s/y"), ("remove_dir_at", "d/s"), ("make_dir_at", "d/s")],
            [("deleted", "d/s/y")],
        ),
        (
            [("rename_at", "d/s", "t"), ("rename_at", "d", "t/d")],
            [("renamed", "t", "d/s"), ("renamed", "t/d", "d")],
        ),
        (
            [("rename_at", "a.txt", "t"), ("rename_at", "b.txt", "a.txt"),
             ("rename_at", "t", "b.txt")],
            [("renamed", "a.txt", "b.txt"), ("renamed", "b.txt", "a.txt")],
        ),
        ([("link_at", "a.txt", "twin")], [("created", "twin")]),
        ([("set_times_at", "a.txt", True, 1, 2)], []),
        ([("make_dir_at", "n"), ("remove_dir_at", "n")], []),
    ],
    ids=lambda value: " ".join(step[0] for step in value) if value and len(value[0]) else "none",
)  # fmt: skip
def test_what_was_done_is_told_by_how_it_ended(overlay, lower, steps, expected):
    root = overlay.open_root()
    for call, path, *more in steps:
        two = call in ("rename_at", "link_at")
        getattr(root, call)(path, *((root, *more) if two else more))
    assert kinds(overlay.changes) == expected
    shown = contents_of(overlay)
    overlay.changes.apply()
    assert contents_of(HostDir(lower)) == contents_of(overlay) == shown
    assert len(overlay.changes) == 0


def test_before_and_after_have_size_bytes_and_hash(overlay):
    scribble(overlay)
    told = {change.path: change for change in overlay.changes}
    one = told["a.txt"]
    assert (one.before.bytes, one.before.size) == (b"one\ntwo\nthree\n", 14)
    assert (one.after.bytes, one.after.size) == (b"one\n2\nthree\n", 12)
    assert one.after.sha256 == hashlib.sha256(one.after.bytes).hexdigest()
    assert told["gone"].after is None
    assert told["new/file"].before is None
    assert told["new/link"].after.target == "../a.txt"
    assert told["e"].after.type == "directory"
    assert told["e"].after.sha256 is None
    assert told["e/x"].before.path == "d/x"


def test_the_diff_is_what_git_applies(overlay, lower, tmp_path):
    scribble(overlay)
    root = overlay.open_root()
    root.rename_at("e/s/y", root, "caf\u00e9 \"quoted\"\n")
    write(overlay, "empty", b"")
    write(overlay, "unended", b"a\nb")
    write(overlay, "c.bin", bytes(TREE["c.bin"]))
    copy = tmp_path / "copy"
    write_out(MemoryFS(lower).tree(), copy)
    done = subprocess.run(["git", "apply", "-"], input=str(overlay.changes).encode(), cwd=copy)
    assert done.returncode == 0
    plain, shown = contents_of(HostDir(copy)), contents_of(overlay)
    # A directory is told in one line, which is not for git.
    assert plain.pop("d", {}) == {}
    assert shown["e"].pop("s") == {}
    assert plain == shown


def test_a_diff_tells_of_binary_files_and_directories_in_a_line(overlay):
    scribble(overlay)
    text = str(overlay.changes)
    assert "Binary files a/c.bin and b/c.bin differ\n" in text
    assert "directory renamed: d -> e\n" in text
    assert "directory created: new\n" in text
    assert "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n" in text
    assert "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-old\n" in text
    assert "-line\n\\ No newline at end of file\n+other\n\\ No newline at end of file\n" in text


def test_a_long_text_with_a_small_change_is_diffed_with_its_line_numbers(overlay, lower, tmp_path):
    lines = [f"line {number}\n" for number in range(60_000)]
    (lower / "long").write_text("".join(lines))
    lines[30_000] = "changed\n"
    write(overlay, "long", "".join(lines).encode())
    text = str(overlay.changes)
    assert "@@ -29998,7 +29998,7 @@\n line 29997\n" in text
    assert text.count("\n") == 3 + 1 + 8


def test_json_has_kinds_paths_sizes_and_hashes(overlay):
    scribble(overlay)
    told = {one["path"]: one for one in json.loads(overlay.changes.to_json())}
    assert told["e"]["kind"] == "renamed"
    assert told["e"]["before"] == {"path": "d", "type": "directory", "size": 0}
    assert told["new/file"] == {
        "kind": "created", "path": "new/file", "before": None,
        "after": {"path": "new/file", "type": "file", "size": 6,
                  "sha256": hashlib.sha256(b"fresh\n").hexdigest()},
    }  # fmt: skip


def test_the_tar_file_is_an_image_layer(overlay, tmp_path):
    scribble(overlay)
    overlay.changes.export_tar(tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as tar:
        found = {member.name: member for member in tar.getmembers()}
        data = {
            name: tar.extractfile(member).read()
            for name, member in found.items()
            if member.isreg() and member.size
        }
    assert set(found) == {
        ".wh.d", ".wh.gone", "a.txt", "c.bin", "e", "e/x", "e/s", "e/s/y", "new", "new/file",
        "new/link", "no end",
    }  # fmt: skip
    assert data["e/s/y"] == b"deep\n"
    assert data["a.txt"] == b"one\n2\nthree\n"
    assert found["new/link"].linkname == "../a.txt"
    assert found["e/s"].isdir()


def test_modes_are_kept_and_new_files_have_the_usual_one(overlay, lower):
    (lower / "a.txt").chmod(0o750)
    write(overlay, "a.txt", b"#!")
    write(overlay, "new", b"")
    overlay.changes.apply()
    assert (lower / "a.txt").stat().st_mode & 0o7777 == 0o750
    usual = os.umask(0o22)
    os.umask(usual)
    assert (lower / "new").stat().st_mode & 0o7777 == 0o666 & ~usual


@pytest.mark.parametrize(
    ("path", "meanwhile"),
    [
        ("a.txt", lambda lower: (lower / "a.txt").write_text("mine\n")),
        ("a.txt", lambda lower: (lower / "a.txt").unlink()),
        ("gone", lambda lower: (lower / "gone").write_text("mine\n")),
        ("new", lambda lower: (lower / "new").write_text("mine\n")),
        ("d", lambda lower: (lower / "d").rename(lower / "f")),
        ("e", lambda lower: (lower / "e").mkdir()),
        ("d/x", lambda lower: (lower / "d" / "x").write_text("mine\n")),
    ],
)
def test_what_changed_meanwhile_below_is_named_and_nothing_is_written(
    overlay, lower, path, meanwhile
):
    scribble(overlay)
    meanwhile(lower)
    before = bit_image(lower)
    with pytest.raises(Conflict) as caught:
        overlay.changes.apply()
    assert path in caught.value.paths
    assert path in str(caught.value)
    assert bit_image(lower) == before
    assert overlay.read_bytes("new/file") == b"fresh\n"


def test_a_new_file_in_a_removed_directory_is_a_conflict(overlay, lower):
    root = overlay.open_root()
    for path in ("d/x", "d/s/y"):
        root.unlink_at(path)
    for path in ("d/s", "d"):
        root.remove_dir_at(path)
    (lower / "d" / "s" / "later").write_text("mine\n")
    with pytest.raises(Conflict) as caught:
        overlay.changes.apply()
    assert caught.value.paths == ("d/s/later",)


def test_changes_that_others_do_elsewhere_are_no_conflict(overlay, lower):
    scribble(overlay)
    (lower / "l").unlink()
    (lower / "d" / "later").write_text("mine\n")
    overlay.changes.apply()
    assert not os.path.lexists(lower / "l")
    assert (lower / "e" / "later").read_text() == "mine\n"


def test_discarding_shows_the_lower_tree_again(overlay, lower):
    before = bit_image(lower)
    scribble(overlay)
    overlay.changes.discard()
    assert contents_of(overlay) == contents_of(HostDir(lower))
    assert len(overlay.changes) == 0
    assert bit_image(lower) == before
    gc.collect()
    usage = overlay.layers.store.usage
    usage.settle()
    assert (usage.bytes, usage.inodes) == (0, 0)


@pytest.mark.parametrize("below", ["memory", "readonly", "overlay", "file"])
def test_where_there_is_no_host_directory_to_write_to_apply_is_a_value_error(lower, below):
    source = {
        "memory": lambda: MemoryFS({"a": b""}), "readonly": lambda: HostDir(lower, readonly=True),
        "overlay": lambda: Overlay(lower), "file": lambda: lower / "a.txt",
    }[below]()  # fmt: skip
    overlay = Overlay(source)
    write(overlay, "new", b"1")
    with pytest.raises(ValueError, match="cannot be applied"):
        overlay.changes.apply()
    assert overlay.read_bytes("new") == b"1"
    overlay.close()
