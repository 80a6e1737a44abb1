"""The contract, catalogue G and H: directories, offsets, sizes and times."""

import os

import pytest

from tests.fs.actions import UPDATE, outcome
from tests.fs.lacking import (
    ALLOCATION,
    CHANGES,
    NANOSECONDS,
    SYMBOLIC_LINKS,
    TIMES,
    needs,
)

SECOND = 1_000_000_000


class Directories:
    def test_a_listing_has_every_entry_with_its_kind_and_inode(self, place):
        found = {entry.name: entry for entry in place.root.entries()}
        assert "." not in found
        assert ".." not in found
        kinds = {"file": 4, "dir": 3, "to_file": 7, "dangling": 7}
        kinds = {name: kinds[name] for name in place.paths(kinds)}
        assert {name: found[name].filetype for name in kinds} == kinds
        for name, entry in found.items():
            assert entry.ino == place.root.stat_at(name, False)[1]

    @needs(CHANGES)
    def test_a_listing_has_what_was_just_made(self, place):
        place.write("new", b"")
        assert "new" in place.names(".")

    @needs(CHANGES)
    def test_a_listing_of_many_names_is_complete(self, place):
        place.root.make_dir_at("many")
        many = place.open("many", os.O_DIRECTORY)
        names = [f"{number:0255}" for number in range(300)]
        for name in names:
            many.open_at(name, UPDATE, True).close()
        assert sorted(entry.name for entry in many.entries()) == names
        assert sorted(entry.name for entry in many.entries()) == names

    def test_two_files_have_one_device_and_two_inodes(self, place):
        one, other = place.root.stat_at("file", True), place.root.stat_at("other", True)
        assert one[0] == other[0]
        assert one[1] != other[1]

    def test_stat_of_a_name_and_of_the_open_thing_agree(self, place):
        for path in ("file", "dir", "dir/inner"):
            assert place.open(path).stat() == place.root.stat_at(path, True)
        assert place.root.stat() == place.root.stat_at(".", True)
        assert place.root.stat_at("dir/..", True) == place.root.stat()


class Files:
    def test_reading_at_and_behind_the_end(self, place):
        node = place.open("file")
        assert node.pread(100, 0) == b"content"
        assert node.pread(3, 2) == b"nte"
        assert node.pread(0, 2) == b""
        assert node.pread(10, 7) == b""
        assert node.pread(10, 1 << 40) == b""
        assert node.pread(10, 1 << 62) == b""

    def test_reading_into_buffers_fills_them_in_order(self, place):
        node = place.open("file")
        buffers = [memoryview(bytearray(n)) for n in (2, 0, 3, 5)]
        assert node.preadinto(buffers, 0) == 7
        assert b"".join(buffers) == b"content\0\0\0"
        assert node.preadinto(buffers[:1], 7) == 0
        assert node.preadinto([], 0) == 0

    @needs(CHANGES)
    def test_writing_overwrites_and_grows(self, place):
        node = place.open("file", os.O_RDWR)
        assert node.pwrite(b"CON", 0) == 3
        assert node.pwrite(memoryview(b"TENTS"), 3) == 5
        assert node.pread(100, 0) == b"CONTENTS"
        assert node.stat()[4] == 8

    @needs(CHANGES)
    def test_writing_behind_the_end_leaves_zeros(self, place):
        node = place.open("new", UPDATE)
        node.pwrite(b"x", 10)
        assert node.pread(100, 0) == bytes(10) + b"x"
        node.pwrite(b"y", 100_000)
        assert node.stat()[4] == 100_001
        assert node.pread(5, 99_998) == b"\0\0y"
        assert node.pread(5, 9) == b"\0x\0\0\0"
        node.pwrite(b"z" * 50_000, 11)
        assert node.pread(3, 50_010) == b"z\0\0"
        node.pwrite(b"z" * 49_990, 50_010)
        assert node.pread(200_000, 0) == bytes(10) + b"x" + b"z" * 99_989 + b"y"

    @needs(CHANGES)
    def test_writing_nothing_behind_the_end_grows_nothing(self, place):
        node = place.open("file", os.O_RDWR)
        assert node.pwrite(b"", 1_000) == 0
        assert node.append(b"") == 0
        assert node.stat()[4] == 7

    @needs(CHANGES)
    def test_appending_writes_at_the_end_of_the_moment(self, place):
        one, other = place.open("file", os.O_RDWR), place.open("file", os.O_RDWR)
        assert one.append(b"1") == 1
        assert other.append(memoryview(b"22")) == 2
        assert one.append(b"3") == 1
        assert one.pread(100, 7) == b"1223"
        assert one.pwrite(b"C", 0) == 1
        assert one.pread(2, 0) == b"Co"

    @needs(CHANGES)
    def test_appending_to_what_was_opened_with_append_does_not_bind_other_writes(self, place):
        node = place.open("file", os.O_RDWR | os.O_APPEND)
        node.pwrite(b"C", 0)
        node.append(b"!")
        assert node.pread(100, 0) == b"Content!"

    @needs(CHANGES)
    def test_cutting_and_extending(self, place):
        node, other = place.open("file", os.O_RDWR), place.open("file", os.O_RDWR)
        node.truncate(3)
        assert other.pread(10, 0) == b"con"
        assert other.pread(10, 7) == b""
        node.truncate(5)
        assert other.pread(10, 0) == b"con\0\0"
        other.pwrite(b"x", 7)
        assert node.pread(10, 0) == b"con\0\0\0\0x"
        node.truncate(0)
        assert node.stat()[4] == 0

    @needs(CHANGES)
    def test_what_was_cut_off_does_not_come_back(self, place):
        node = place.open("new", UPDATE)
        node.pwrite(b"a" * 20_000, 0)
        node.pwrite(b"b" * 20_000, 50_000)
        node.truncate(55_000)
        node.truncate(10_000)
        node.truncate(70_000)
        assert node.pread(70_000, 0) == b"a" * 10_000 + bytes(60_000)
        node.pwrite(b"c" * 9_000, 60_000)
        node.truncate(61_000)
        node.truncate(70_000)
        assert node.pread(70_000, 60_000) == b"c" * 1_000 + bytes(9_000)

    @needs(CHANGES)
    def test_a_size_that_the_filesystem_does_not_take_is_efbig_and_changes_nothing(self, place):
        node = place.open("file", os.O_RDWR)
        for call, *args in ((node.truncate, (1 << 63) - 1), (node.pwrite, b"x", 1 << 62)):
            if outcome(call, *args) == "ok":
                pytest.skip("this host filesystem takes any size")
            assert outcome(call, *args) == "EFBIG"
        assert node.stat()[4] == 7

    @needs(CHANGES, ALLOCATION)
    def test_allocating_grows_and_never_shrinks(self, place):
        node = place.open("file", os.O_RDWR)
        node.allocate(0, 3)
        assert node.pread(100, 0) == b"content"
        node.allocate(5, 10)
        assert node.pread(100, 0) == b"content" + bytes(8)
        assert outcome(node.allocate, (1 << 63) - 1, 5) == "EFBIG"

    @needs(CHANGES)
    def test_advice_and_sync_are_taken(self, place):
        node = place.open("file", os.O_RDWR)
        for advice in range(6):
            node.advise(0, 0, advice)
        node.advise((1 << 64) - 1, 10, 3)
        node.sync()
        node.sync(data_only=True)
        place.open("dir", os.O_DIRECTORY).sync()

    @needs(CHANGES)
    def test_a_file_is_cut_when_it_is_opened_so(self, place):
        assert place.open("file", os.O_TRUNC).stat()[4] == 0
        assert place.open("other", os.O_TRUNC | os.O_RDWR).stat()[4] == 0

    def test_closing_twice_is_harmless(self, place):
        for path in ("file", "dir"):
            node = place.open(path)
            node.close()
            node.close()

    @needs(CHANGES, TIMES, NANOSECONDS)
    @pytest.mark.parametrize("path", ["file", "dir", "dir/inner", "to_file", ".", "dir/.."])
    def test_times_are_kept_to_the_nanosecond(self, place, path):
        root = place.root
        if not place.paths([path]):
            path = "file"
        root.set_times_at(path, True, 5 * SECOND + 123_456_789, 6 * SECOND + 987_654_321)
        stat = root.stat_at(path, True)
        assert stat[5:7] == (5 * SECOND + 123_456_789, 6 * SECOND + 987_654_321)
        root.set_times_at(path, True, None, 7)
        assert root.stat_at(path, True)[5:7] == (5 * SECOND + 123_456_789, 7)
        root.set_times_at(path, True, 8, None)
        assert root.stat_at(path, True)[5:7] == (8, 7)
        root.set_times_at(path, True, None, None)
        assert root.stat_at(path, True)[5:7] == (8, 7)

    @needs(CHANGES, TIMES, SYMBOLIC_LINKS)
    @pytest.mark.parametrize("path", ["to_file", "dangling", "dir/back"])
    def test_times_of_a_link_are_its_own(self, place, path):
        root = place.root
        before = root.stat_at("file", True)
        root.set_times_at(path, False, 5, 6)
        assert root.stat_at(path, False)[5:7] == (5, 6)
        assert root.stat_at("file", True) == before

    @needs(CHANGES, TIMES, NANOSECONDS)
    def test_times_are_set_through_a_descriptor(self, place):
        for path in ("file", "dir"):
            node = place.open(path)
            node.set_times(11, 12)
            assert node.stat()[5:7] == (11, 12)
            node.set_times(None, 13)
            node.set_times(14, None)
            node.set_times(None, None)
            assert place.root.stat_at(path, True)[5:7] == (14, 13)

    @needs(CHANGES, TIMES, NANOSECONDS)
    def test_the_largest_times_are_taken(self, place):
        place.root.set_times_at("file", True, (1 << 64) - 1, (1 << 63) + 5)
        assert all(0 < time < 1 << 64 for time in place.root.stat_at("file", True)[5:7])

    @needs(CHANGES, TIMES)
    def test_changes_move_the_times_forward(self, place):
        root = place.root
        for path in ("file", "dir"):
            root.set_times_at(path, True, 1, 1)
        place.open("file", os.O_RDWR).pwrite(b"x", 0)
        place.write("dir/new", b"")
        for path in ("file", "dir"):
            assert root.stat_at(path, True)[6] > SECOND
