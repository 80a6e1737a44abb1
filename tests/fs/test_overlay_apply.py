"""Changes of an overlay, written to the lower directory: whatever was done, it ends the same."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.fs.backends import bit_image, open_descriptors, write_out
from tests.fs.test_differential import OPERATIONS, SEED, Chooser, World
from tests.fs.test_overlay_differential import random_tree
from wasi_host.fs.changes import Conflict
from wasi_host.fs.host import HostDir
from wasi_host.fs.overlay import Overlay


def contents(directory):
    """Everything below: names to bytes, link texts and more of the same."""
    found = {}
    for entry in directory.entries():
        if entry.filetype == 3:
            child = directory.open_entry(entry.name, os.O_DIRECTORY)
            found[entry.name] = contents(child)
            child.close()
        elif entry.filetype == 7:
            found[entry.name] = ("link", directory.read_link(entry.name))
        else:
            node = directory.open_entry(entry.name, os.O_RDONLY)
            found[entry.name] = node.pread(node.stat()[4] + 1, 0)
            node.close()
    return found


def contents_of(filesystem):
    return contents(filesystem.open_root())


def scribble(overlay, seed, count):
    """Does random operations in an overlay; returns how many succeeded."""
    chooser, world, done = Chooser(seed), World(overlay), 0
    for _ in range(count):
        operation = chooser.operation()
        if operation[0] == "open" and operation[1][4] == 0:
            operation = ("open", (*operation[1][:4], 4))
        result = world.run(*operation)
        chooser.learn(*operation, result)
        done += not isinstance(result, str)
    for node in [*world.files.values(), *world.directories.values()]:
        node.close()
    return done


@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, OPERATIONS // 60)))
def test_whatever_was_done_in_an_overlay_is_in_the_lower_directory_after_apply(tmp_path, seed):
    before = open_descriptors()
    write_out(random_tree(random.Random(seed)), tmp_path / "lower")
    overlay = Overlay(tmp_path / "lower")
    for turn in range(2):
        scribble(overlay, seed + 1000 * turn, random.Random(seed).choice([3, 10, 40, 200]))
        expected = contents_of(overlay)
        text = str(overlay.changes)
        overlay.changes.apply()
        assert contents_of(HostDir(tmp_path / "lower")) == expected, text
        assert contents_of(overlay) == expected
        assert len(overlay.changes) == 0
    overlay.close()
    assert open_descriptors() == before


KILLED = """
import sys
from wasi_host.fs.overlay import Overlay
from tests.fs.test_overlay_apply import make_changes
overlay = Overlay(sys.argv[1])
make_changes(overlay)
print("ready", flush=True)
sys.stdin.readline()
overlay.changes.apply()
"""
BEFORE, AFTER = b"before" * 20_000, b"after!" * 20_000
FILES = 12


def make_changes(overlay):
    """Changes, moves, makes and deletes files; each has all bytes of one kind."""
    root = overlay.open_root()
    root.make_dir_at("made")
    for number in range(FILES):
        node = root.open_at(f"changed{number}", os.O_RDWR, True)
        node.pwrite(AFTER, 0)
        node.close()
        node = root.open_at(f"made/{number}", os.O_RDWR | os.O_CREAT, True)
        node.pwrite(AFTER, 0)
        node.close()
        root.rename_at(f"moved{number}", root, f"made/moved{number}")
        root.unlink_at(f"gone{number}")
    root.rename_at("tree", root, "wood")


def state(lower):
    """What is in the lower directory, with temporary files left out."""
    found = {}
    for place, _, files in os.walk(lower):
        for name in files:
            path = os.path.join(place, name)
            if not name.startswith(".wasi_host-"):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, lower)] = file.read()
    return found


def make_lower(lower):
    tree = {f"{kind}{n}": BEFORE for kind in ("changed", "moved", "gone") for n in range(FILES)}
    write_out({**tree, "tree": {"leaf": BEFORE}}, lower)


@pytest.mark.parametrize("turn", range(int(os.environ.get("WASI_HOST_KILLS", "6"))))
def test_killed_at_any_point_every_file_is_the_old_or_the_new_one(tmp_path, turn):
    lower = tmp_path / "lower"
    make_lower(lower)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(lower)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        child.stdin.write(b"\n")
        child.stdin.flush()
        time.sleep(random.Random(turn).random() * 0.06)
        child.send_signal(signal.SIGKILL)
        child.wait()
    found = state(lower)
    for number in range(FILES):
        assert found[f"changed{number}"] in (BEFORE, AFTER)
        assert found.get(f"made/{number}", AFTER) == AFTER
        moved = [f"moved{number}", f"made/moved{number}"]
        assert [found[path] for path in moved if path in found] == [BEFORE]
        assert found.get(f"gone{number}", BEFORE) == BEFORE
    assert [found[path] for path in ("tree/leaf", "wood/leaf") if path in found] == [BEFORE]


@pytest.mark.parametrize("step", ["write", "rename", "fsync", "unlink", "mkdir", "link"])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_what_could_not_be_written_is_told_and_may_be_applied_again(
    tmp_path, monkeypatch, step, after
):
    lower = tmp_path / "lower"
    make_lower(lower)
    overlay = Overlay(lower)
    make_changes(overlay)
    overlay.open_root().link_at("wood/leaf", overlay.open_root(), "twin")
    expected, real, left = contents_of(overlay), getattr(os, step), [after]

    def full(*args, **kwargs):
        left[0] -= 1
        if left[0] == -1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **kwargs)

    monkeypatch.setattr(os, step, full)
    failed = None
    try:
        overlay.changes.apply()
    except OSError as error:
        failed = error
    if failed is not None:
        assert failed.errno == errno.ENOSPC
        assert "done so far" in failed.__notes__[0]
        assert contents_of(overlay) == expected
        monkeypatch.undo()
        overlay.changes.apply()
    assert contents_of(HostDir(lower)) == contents_of(overlay) == expected
    assert not [name for name in os.listdir(lower) if name.startswith(".wasi_host-")]
    overlay.close()


def test_two_names_of_one_file_stay_two_names(tmp_path):
    write_out({"a": b"1", "d": {}}, tmp_path / "lower")
    overlay = Overlay(tmp_path / "lower")
    root = overlay.open_root()
    root.open_at("new", os.O_CREAT, True).close()
    root.link_at("new", root, "d/new")
    root.link_at("a", root, "d/a")
    overlay.changes.apply()
    for one, other in (("new", "d/new"), ("a", "d/a")):
        assert (tmp_path / "lower" / one).samefile(tmp_path / "lower" / other)
    overlay.close()


def test_a_link_that_another_puts_in_a_directorys_place_leads_nothing_out(tmp_path):
    write_out({"d": {"x": b"1"}}, tmp_path / "lower")
    (tmp_path / "outside").mkdir()
    overlay = Overlay(tmp_path / "lower")
    root = overlay.open_root()
    root.open_at("d/new", os.O_CREAT, True).close()
    (tmp_path / "lower" / "d").rename(tmp_path / "lower" / "e")
    (tmp_path / "lower" / "d").symlink_to(tmp_path / "outside")
    before = bit_image(tmp_path)
    with pytest.raises((OSError, Conflict)):
        overlay.changes.apply()
    assert os.listdir(tmp_path / "outside") == []
    assert bit_image(tmp_path) == before
    overlay.close()
