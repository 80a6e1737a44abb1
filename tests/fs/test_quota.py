"""`Quota`: limits are checked inside the call, and what is counted is what there is."""

import os
import pickle
import random
import threading

import pytest

from tests.fs.actions import UPDATE, outcome
from tests.fs.backends import HOST_WITH_OPENAT2, MEMORY, Plain, Wrapped
from tests.fs.contract import FilesystemContract, Place
from tests.fs.test_differential import Chooser, World
from wasi_host.fs import openat2
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.quota import Quota

MIB = 1 << 20


def roomy(filesystem):
    return Quota(filesystem, 1 << 50, 1 << 30)


@pytest.mark.breadth
@pytest.mark.skipif(not openat2.available(), reason="this kernel has no openat2")
class TestHostUnderAQuota(FilesystemContract):
    factory = staticmethod(Wrapped(HOST_WITH_OPENAT2, roomy))


class TestMemoryUnderAQuota(FilesystemContract):
    factory = staticmethod(Wrapped(MEMORY, roomy))


@pytest.fixture(params=["host", "memory", "a filesystem that tells nothing"])
def source(request, tmp_path):
    """Makes a source of one kind of a tree of files and directories."""

    def make(tree):
        if request.param == "host":
            place = Place(HostDir(tmp_path), frozenset())
            for path, content in tree.items():
                place.write(path, content)
            place.close()
            return HostDir(tmp_path)
        filesystem = MemoryFS(tree)
        return filesystem if request.param == "memory" else Plain(filesystem)

    return make


@pytest.fixture
def place(source):
    """Opens a quota over a source; closes it."""
    places = []

    def make(tree, *limits, **named):
        places.append(Place(Quota(source(tree), *limits, **named), frozenset()))
        return places[-1]

    yield make
    for one in places:
        one.close()


def used(place):
    return place.filesystem.used_bytes, place.filesystem.used_inodes


def test_a_write_over_the_limit_is_short_and_the_next_one_edquot(place):
    here = place({}, max_bytes=10)
    node = here.open("a", UPDATE)
    assert node.pwrite(b"x" * 8, 0) == 8
    assert node.pwrite(b"y" * 8, 8) == 2
    assert outcome(node.pwrite, b"z", 10) == "EDQUOT"
    assert outcome(node.append, b"z") == "EDQUOT"
    assert outcome(here.open("b", UPDATE).append, b"z") == "EDQUOT"
    assert node.pread(99, 0) == b"x" * 8 + b"yy"
    assert used(here) == (10, 2)


def test_overwriting_takes_no_room_and_goes_as_far_as_there_is_some(place):
    here = place({"a": b"12345", "b": b"1"}, max_bytes=8)
    node = here.open("a", os.O_RDWR)
    assert node.pwrite(b"abcde", 0) == 5
    assert node.pwrite(b"ABCDEFGHIJ", 2) == 5
    assert node.pread(99, 0) == b"abABCDE"
    assert node.pwrite(b"QRSTU", 4) == 3
    assert outcome(node.pwrite, b"x", 7) == "EDQUOT"
    assert used(here) == (8, 2)


def test_appending_is_short_first_too(place):
    here = place({"a": b"123"}, max_bytes=5)
    node = here.open("a", os.O_RDWR)
    assert node.append(memoryview(b"45678")) == 2
    assert outcome(node.append, b"9") == "EDQUOT"
    assert node.append(b"") == 0


def test_a_file_over_its_size_limit_is_efbig_short_first(place):
    here = place({"a": b"123456"}, max_file_bytes=8)
    node = here.open("a", os.O_RDWR)
    assert node.pwrite(b"abcdef", 5) == 3
    assert outcome(node.pwrite, b"x", 8) == "EFBIG"
    assert outcome(node.append, b"x") == "EFBIG"
    assert outcome(node.truncate, 9) == "EFBIG"
    assert outcome(node.allocate, 4, 5) == "EFBIG"
    assert outcome(node.pwrite, b"x", 1 << 62) == "EFBIG"
    assert node.pread(99, 0) == b"12345abc"
    assert outcome(here.open("b", UPDATE).pwrite, b"x" * 8, 0) == "ok"


def test_a_file_that_is_larger_than_its_limit_already_may_be_cut(place):
    here = place({"a": b"1234567890"}, max_file_bytes=4)
    node = here.open("a", os.O_RDWR)
    node.truncate(6)
    assert node.pwrite(b"xy", 2) == 2
    assert outcome(node.truncate, 7) == "EFBIG"


def test_one_inode_too_many_is_edquot_and_what_exists_is_told_first(place):
    here = place({"a": b""}, max_inodes=4)
    root = here.root
    root.make_dir_at("d")
    root.symlink_at("a", "l")
    here.open("b", UPDATE)
    assert outcome(root.open_at, "c", UPDATE, True) == "EDQUOT"
    assert outcome(root.make_dir_at, "e") == "EDQUOT"
    assert outcome(root.symlink_at, "a", "m") == "EDQUOT"
    assert outcome(root.make_dir_at, "d") == "EEXIST"
    assert outcome(root.symlink_at, "a", "l") == "EEXIST"
    assert outcome(root.open_at, "b", UPDATE | os.O_EXCL, True) == "EEXIST"
    assert outcome(root.open_at, "b", UPDATE, True) == "ok"
    assert outcome(root.link_at, "b", root, "hard") == "ok"
    assert used(here)[1] == 4
    root.remove_dir_at("d")
    assert outcome(root.open_at, "c", UPDATE, True) == "ok"


def test_what_is_there_already_counts(place):
    here = place({"a": b"x" * 100}, max_bytes=50)
    assert outcome(here.open("b", UPDATE).pwrite, b"x", 0) == "EDQUOT"
    assert here.open("a", os.O_RDWR).pwrite(b"y" * 100, 0) == 100
    here.open("a", os.O_TRUNC)
    assert here.open("b", os.O_RDWR).pwrite(b"x" * 100, 0) == 50


def test_cutting_replacing_and_removing_give_room_back(place):
    here = place({"a": b"x" * 10, "b": b"y" * 10}, max_bytes=30)
    root = here.root
    node = here.open("a", os.O_RDWR)
    node.truncate(4)
    assert used(here) == (14, 2)
    here.open("b", os.O_TRUNC)
    assert used(here) == (4, 2)
    node.close()
    root.rename_at("a", root, "b")
    assert used(here) == (4, 2)  # the old b is still open
    here.close()
    assert here.filesystem.used_bytes == 4
    assert here.filesystem.used_inodes == 1


def test_the_text_of_a_link_counts(place):
    here = place({}, max_bytes=10)
    here.root.symlink_at("12345678", "l")
    assert used(here) == (8, 1)
    assert outcome(here.root.symlink_at, "123", "m") == "EDQUOT"
    here.root.unlink_at("l")
    assert used(here) == (0, 0)


def test_a_file_without_a_name_counts_until_it_is_closed(place):
    here = place({"a": b"12345"}, max_bytes=8, max_inodes=1)
    one, other = here.open("a", os.O_RDWR), here.open("a")
    here.root.unlink_at("a")
    assert one.append(b"6789") == 3
    assert outcome(here.root.open_at, "b", UPDATE, True) == "EDQUOT"
    one.close()
    one.close()
    assert used(here) == (8, 1)
    other.close()
    assert used(here) == (0, 0)


def test_two_names_of_a_file_count_once(place):
    here = place({"a": b"12345"}, max_bytes=10)
    root = here.root
    root.link_at("a", root, "b")
    assert used(here) == (5, 1)
    root.rename_at("a", root, "b")
    assert used(here) == (5, 1)
    root.unlink_at("a")
    assert used(here) == (5, 1)
    root.unlink_at("b")
    assert used(here) == (0, 0)


def test_a_hole_counts_nothing(place):
    here = place({}, max_bytes=100)
    node = here.open("a", UPDATE)
    node.truncate(1 << 30)
    assert node.pwrite(b"x", (1 << 30) - 1) == 1
    assert used(here) == (1, 1)
    assert here.open("b", UPDATE).pwrite(b"y", 1 << 33) == 1
    assert used(here) == (2, 2)
    node.truncate(0)
    assert used(here) == (1, 2)


def test_filling_a_hole_counts_never_more_than_the_size(place):
    here = place({}, max_bytes=100)
    node = here.open("a", UPDATE)
    node.truncate(50)
    for _ in range(20):
        assert node.pwrite(b"x" * 20, 0) == 20
    assert 20 <= used(here)[0] <= 50
    node.truncate(10)
    assert used(here)[0] == 10


def test_allocating_reserves_room(place):
    here = place({"a": b"12345"}, max_bytes=20)
    node = here.open("a", os.O_RDWR)
    assert outcome(node.allocate, 5, 16) == "EDQUOT"
    assert node.stat()[4] == 5
    node.allocate(5, 10)
    assert used(here)[0] == 15
    node.pwrite(b"x" * 10, 5)
    assert used(here)[0] == 15


def test_reserved_room_is_not_given_back_by_cutting_one_byte(tmp_path):
    here = Place(Quota(tmp_path, 3 * MIB), frozenset())
    node = here.open("a", UPDATE)
    node.allocate(0, 2 * MIB)
    node.truncate(2 * MIB - 1)
    assert used(here)[0] == 2 * MIB - 1
    here.close()


def test_holes_of_files_that_are_there_at_the_start_count_nothing(tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(100 * MIB)
        file.seek(50 * MIB)
        file.write(b"x" * 100)
    inside = MemoryFS()
    inside.open_root().open_at("a", UPDATE, True).pwrite(b"x", 1 << 30)
    assert Quota(tmp_path).used_bytes < MIB
    assert Quota(inside).used_bytes < MIB


def test_other_filesystems_are_no_way_round_it(place, tmp_path):
    here = place({"a": b"12345"}, max_bytes=10)
    other = Place(HostDir(tmp_path), frozenset())
    again = Place(Quota(here.filesystem.inner, max_bytes=10), frozenset())
    for there in (other.root, again.root):
        assert outcome(here.root.rename_at, "a", there, "b") == "EXDEV"
        assert outcome(here.root.link_at, "a", there, "b") == "EXDEV"
    other.close()
    again.close()


def test_a_read_only_source_is_eperm_however_full(tmp_path):
    here = Place(Quota(HostDir(tmp_path, readonly=True), 0, 0, 0), frozenset())
    assert outcome(here.root.make_dir_at, "d") == "EPERM"
    assert outcome(here.root.open_at, "f", UPDATE, True) == "EPERM"
    assert outcome(here.root.symlink_at, "f", "l") == "EPERM"
    here.close()


def test_several_threads_never_exceed_it_together(place):
    here = place({}, max_bytes=10_000, max_inodes=50)
    taken = []

    def write(number):
        root = here.filesystem.open_root()
        mine = 0
        for turn in range(200):
            try:
                node = root.open_at(f"f{(number * 7 + turn) % 70}", UPDATE, True)
            except OSError:
                continue
            try:
                mine += node.append(b"x" * (turn % 90 + 1))
            except OSError:
                pass
            finally:
                node.close()
        root.close()
        taken.append(mine)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 10_000
    assert used(here) == (10_000, 50)


@pytest.mark.parametrize("seed", range(3))
def test_after_random_operations_the_account_is_what_a_new_count_finds(place, seed):
    here = place({}, max_bytes=1 << 50)
    world, chooser = World(here.filesystem), Chooser(seed)
    for _ in range(700):
        operation = chooser.operation()
        chooser.learn(*operation, world.run(*operation))
    world.close()
    total = Quota(here.filesystem.inner)
    written = sum(len(content.replace(b"\0", b"")) for content in contents(here.root))
    assert here.filesystem.used_inodes == total.used_inodes
    assert written <= here.filesystem.used_bytes <= total.used_bytes


def contents(directory):
    """The bytes of each file, once, and the text of each link."""
    found, todo = {}, [directory]
    while todo:
        place = todo.pop()
        for entry in place.entries():
            stat = place.stat_entry(entry.name)
            if stat[2] == 7:
                found[stat[:2]] = place.read_link(entry.name).encode()
                continue
            node = place.open_entry(entry.name, os.O_RDONLY)
            if stat[2] == 3:
                todo.append(node)
            else:
                found[stat[:2]] = node.pread(1 << 20, 0)
                node.close()
        if place is not directory:
            place.close()
    return found.values()


def test_without_holes_the_account_is_exact(place):
    here = place({}, max_bytes=5_000)
    chooser = random.Random(5)
    for _ in range(400):
        name = f"f{chooser.randrange(5)}"
        node = here.open(name, UPDATE)
        size = node.stat()[4]
        outcome(node.pwrite, b"x" * chooser.randrange(900), chooser.randrange(size + 1))
        if chooser.random() < 0.3:
            node.truncate(chooser.randrange(node.stat()[4] + 1))
        if chooser.random() < 0.2:
            here.root.unlink_at(name)
        node.close()
        left = [here.root.stat_at(one, True)[4] for one in here.names(".")]
        assert used(here) == (sum(left), len(left))
        assert sum(left) <= 5_000


def test_links_in_a_tree_count_from_the_start():
    assert Quota(MemoryFS({"l": Link("12345"), "d": {"f": b"12"}})).used_bytes == 7


@pytest.mark.parametrize("wrong", [-1, "5", 1.5])
def test_a_wrong_limit_is_told(wrong):
    with pytest.raises((TypeError, ValueError), match="max_bytes must"):
        Quota({}, max_bytes=wrong)


def test_it_pickles_and_counts_anew(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    quota = Quota(tmp_path, max_bytes=7)
    again = pickle.loads(pickle.dumps(quota))
    assert again.used_bytes == 5
    here = Place(again, frozenset())
    assert here.open("file", os.O_RDWR).append(b"678") == 2
    here.close()
    assert repr(again).startswith("Quota(HostDir(")
