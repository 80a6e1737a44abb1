"""The contract, catalogue F: changing names; and directories that were removed meanwhile."""

import os

import pytest

from tests.fs.actions import act, outcome, snapshot, table
from tests.fs.lacking import (
    CHANGES,
    HARD_LINKS,
    OPEN_DIRECTORIES_WITHOUT_A_NAME,
    OPEN_FILES_WITHOUT_A_NAME,
    SYMBOLIC_LINKS,
    needs,
)

# What is where: file other dir (full) dir2 (full) empty empty2 to_file to_dir
RENAMES = """
    file      missing       ok
    file      other         ok
    file      file          ok
    file      dir           EISDIR
    file      empty         EISDIR
    file      to_dir        ok
    file      dangling      ok
    dir       missing       ok
    dir       dir           ok
    dir       empty         ok
    dir       file          ENOTDIR
    dir       to_dir        ENOTDIR
    dir       to_file       ENOTDIR
    dir       dangling      ENOTDIR
    empty     dir           ENOTEMPTY
    dir       dir/new       EINVAL
    dir       dir/sub       EINVAL
    dir       dir/inner     EINVAL
    dir       dir/sub/new   EINVAL
    dir/sub   dir           ENOTEMPTY
    dir/sub/deep  dir       ENOTEMPTY
    dir/inner dir           ENOTEMPTY
    dir/sub   missing       ok
    to_dir    missing       ok
    to_dir    file          ok
    to_dir    dir           EISDIR
    loop      missing       ok
    missing   new           ENOENT
    missing   file          ENOENT
    missing   missing       ENOENT
    file      missing/x     ENOENT
    file      other/x       ENOTDIR
"""
LINKS = """
    file     new            ok
    file     other          EEXIST
    file     file           EEXIST
    file     dir            EEXIST
    file     dangling       EEXIST
    dir      new            EPERM
    dir      file           EEXIST
    missing  new            ENOENT
    missing  file           ENOENT
    missing  ../x           ENOENT
    to_file  new            ok
    dangling new            ok
    file     missing/new    ENOENT
"""
REMOVALS = """
    unlink  file      ok
    unlink  dir       EISDIR
    unlink  empty     EISDIR
    unlink  missing   ENOENT
    unlink  to_dir    ok
    rmdir   empty     ok
    rmdir   dir       ENOTEMPTY
    rmdir   file      ENOTDIR
    rmdir   to_dir    ENOTDIR
    rmdir   dangling  ENOTDIR
    rmdir   missing   ENOENT
    mkdir   missing   ok
    mkdir   file      EEXIST
    mkdir   dir       EEXIST
    mkdir   file/x    ENOTDIR
    mkdir   missing/x ENOENT
    symlink file      EEXIST
    symlink dir       EEXIST
    symlink missing   ok
"""


class Names:
    @needs(CHANGES)
    @pytest.mark.parametrize(("name", "to", "expected"), table(RENAMES))
    def test_renaming(self, place, name, to, expected):
        if len(place.paths([name, to])) < 2:
            pytest.skip("a row about a symbolic link")
        before = snapshot(place.root)
        assert outcome(place.root.rename_at, name, place.root, to) == expected
        if expected != "ok" or name == to:
            assert snapshot(place.root) == before

    @needs(CHANGES, HARD_LINKS)
    def test_renaming_onto_another_name_of_the_same_file_leaves_both(self, place):
        root = place.root
        root.link_at("file", root, "twin")
        root.rename_at("file", root, "twin")
        assert place.read("file") == place.read("twin") == b"content"
        assert root.stat_at("file", True)[3] == 2

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_renaming_moves_a_link_itself_and_replaces_a_link_itself(self, place):
        root = place.root
        root.rename_at("to_file", root, "moved")
        assert root.read_link_at("moved") == "file"
        root.rename_at("other", root, "to_dir")
        assert place.read("to_dir") == b"other"
        assert place.read("dir/inner") == b"in"

    @needs(CHANGES, OPEN_FILES_WITHOUT_A_NAME)
    def test_what_is_open_stays_valid_when_it_is_renamed_or_replaced(self, place):
        root = place.root
        moved, replaced = place.open("file", os.O_RDWR), place.open("other", os.O_RDWR)
        root.rename_at("file", root, "other")
        moved.pwrite(b"C", 0)
        assert place.read("other") == b"Content"
        assert replaced.pread(10, 0) == b"other"
        assert replaced.stat()[3] == 0

    @needs(CHANGES, OPEN_DIRECTORIES_WITHOUT_A_NAME)
    def test_a_moved_directory_has_a_new_parent(self, place):
        root = place.root
        sub = place.open("dir/sub", os.O_DIRECTORY)
        assert sub.parent_ino() == root.stat_at("dir", True)[1]
        root.rename_at("dir/sub", root, "empty/sub")
        assert sub.parent_ino() == root.stat_at("empty", True)[1]
        assert root.parent_ino() is None

    @needs(CHANGES)
    def test_renaming_between_filesystems_is_exdev(self, place, elsewhere):
        root = place.root
        before = snapshot(root)
        assert outcome(root.rename_at, "file", elsewhere, "new") == "EXDEV"
        assert outcome(root.link_at, "file", elsewhere, "new") in place.answers("link-to", "EXDEV")
        assert outcome(elsewhere.rename_at, "there", root, "new") == "EXDEV"
        assert outcome(elsewhere.link_at, "there", root, "new") == "EXDEV"
        assert snapshot(root) == before

    @needs(CHANGES, HARD_LINKS)
    @pytest.mark.parametrize(("name", "to", "expected"), table(LINKS))
    def test_linking(self, place, name, to, expected):
        assert outcome(place.root.link_at, name, place.root, to) == expected

    @needs(CHANGES, HARD_LINKS)
    def test_two_names_are_one_file(self, place):
        root = place.root
        root.link_at("file", root, "dir/twin")
        place.write("dir/twin", b"changed")
        assert place.read("file") == b"changed"
        one, other = root.stat_at("file", True), root.stat_at("dir/twin", True)
        assert one == other
        assert one[3] == 2
        root.unlink_at("file")
        assert root.stat_at("dir/twin", True)[3] == 1

    @needs(CHANGES, HARD_LINKS, SYMBOLIC_LINKS)
    def test_a_hard_link_of_a_symbolic_link_is_one_to_the_link(self, place):
        place.root.link_at("to_file", place.root, "twin")
        assert place.root.read_link_at("twin") == "file"

    @pytest.mark.parametrize(("action", "path", "expected"), table(REMOVALS))
    def test_making_and_removing(self, place, action, path, expected):
        for one in place.paths([path]):
            assert act(action, place.root, one) in place.answers(action, expected)

    @needs(CHANGES, OPEN_FILES_WITHOUT_A_NAME)
    def test_a_file_that_is_unlinked_while_open_still_works(self, place):
        node = place.open("file", os.O_RDWR)
        place.root.unlink_at("file")
        assert node.stat()[3] == 0
        node.pwrite(b"!", 7)
        assert node.pread(20, 0) == b"content!"
        node.truncate(2)
        assert node.stat()[4] == 2
        assert outcome(place.root.stat_at, "file", True) == "ENOENT"

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_a_link_text_may_have_4095_bytes_but_not_be_empty(self, place):
        root = place.root
        assert outcome(root.symlink_at, "", "new") == "ENOENT"
        assert outcome(root.symlink_at, "x" * 4096, "new") == "ENAMETOOLONG"
        assert outcome(root.symlink_at, "\u20ac" * 1366, "new") == "ENAMETOOLONG"
        root.symlink_at("x" * 4095, "new")
        assert root.read_link_at("new") == "x" * 4095
        assert root.stat_at("new", False)[4] == 4095

    @needs(CHANGES, OPEN_DIRECTORIES_WITHOUT_A_NAME)
    def test_a_removed_directory_is_still_itself_but_takes_nothing(self, place):
        inside = place.open("empty", os.O_DIRECTORY)
        place.root.remove_dir_at("empty")
        assert inside.stat_at(".", True)[2] == 3
        assert outcome(inside.open_at, ".", os.O_RDONLY, True) == "ok"
        assert list(inside.entries()) == []
        for action in ("create", "mkdir", "symlink", "stat", "open"):
            assert act(action, inside, "new") == "ENOENT"
            assert act(action, inside, "n" * 256) == "ENOENT"
        assert outcome(place.root.rename_at, "file", inside, "new") == "ENOENT"
        assert outcome(place.root.link_at, "file", inside, "new") == "ENOENT"
        assert outcome(inside.stat_at, "..", True) == "EPERM"

    @needs(CHANGES, OPEN_DIRECTORIES_WITHOUT_A_NAME)
    def test_a_directory_that_was_moved_has_no_way_up_but_all_below(self, place):
        root = place.root
        inside = place.open("dir", os.O_DIRECTORY)
        root.rename_at("dir", root, "empty/dir")
        assert outcome(inside.stat_at, "..", True) == "EPERM"
        assert outcome(inside.stat_at, "sub/../..", True) == "EPERM"
        node = inside.open_at("sub/deep", os.O_RDONLY, True)
        assert node.pread(9, 0) == b"deep"
        node.close()

    def test_a_failed_change_changes_nothing(self, place):
        before = snapshot(place.root)
        for action, path in (
            ("create", "dir"), ("create-exclusive", "file"), ("open-truncate", "dir"),
            ("mkdir", "file"), ("rmdir", "dir"), ("unlink", "dir"), ("symlink", "dir"),
            ("link-from", "dir"), ("open-truncate", "file/"), ("open-directory", "file"),
        ):  # fmt: skip
            assert act(action, place.root, path) != "ok"
        assert snapshot(place.root) == before
