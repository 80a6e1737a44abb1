"""Catalogue D 24 to 28: nothing outside is reached, through any path of any call.

Outside is a secret beside the root and a directory whose name begins with the root's.
"""

import os

import pytest

from tests.attacks.places import DIR, FILE, LINK, HostPlace
from tests.attacks.sides import FOLLOWING, MAKING, SIDES, STAMP, USING, answers, furnish
from wasi_spec import Errno

ESCAPES = [
    "..",
    "../",
    "../x",
    "../secret",
    "./..",
    "a/../../x",
    "a/../../secret",
    "a/b/../../..",
    "a/b/../../../secret",
    "//..",
    "a//..//..",
    "a/./.././..",
    "../root/ordinary",
    "../a/ordinary",
    "../root-sibling/canary",
    "../../outer/secret",
]

ABSOLUTE = ["/etc/passwd", "//etc", "/", "//", "/ordinary", "//ordinary", "/a/b", "/..", "/./a"]

every_side = pytest.mark.parametrize("side", SIDES)


class Watch:
    """What is beside the root (nothing, for a tree in memory), and what was inside at first."""

    def __init__(self, place):
        self.place = place
        self.beside = None
        if isinstance(place, HostPlace):
            self.beside = HostPlace(place.root.parent)
            self.beside.write("secret", b"secret")
            self.beside.mkdir("root-sibling")
            self.beside.write("root-sibling/canary", b"canary")
        self.outside, self.inside = self._outside(), place.snapshot()
        # Long ago, so that reading it would be seen even where access times are kept lazily.
        for path in self._secrets():
            os.utime(path, ns=(1, path.stat().st_mtime_ns))

    def _secrets(self):
        names = ["secret", "root-sibling/canary"] if self.beside else []
        return [self.beside.root / name for name in names]

    def _outside(self):
        if self.beside is None:
            return {}
        found = self.beside.snapshot()
        return {path: seen for path, seen in found.items() if path.split("/")[0] != "root"}

    def untouched(self):
        """Tell whether nothing outside was read or changed."""
        unread = all(path.stat().st_atime_ns == 1 for path in self._secrets())
        return unread and self._outside() == self.outside

    def unchanged(self):
        """Tell whether nothing was read outside, or changed anywhere."""
        return self.untouched() and self.place.snapshot() == self.inside


@pytest.fixture
def outside(place):
    """The watch over what no guest may reach."""
    furnish(place)
    return Watch(place)


@pytest.fixture
def guest(place, outside, start):
    return start(place)


@every_side
def test_d24_dots_that_leave_the_root_are_perm(guest, outside, side):
    found = answers(SIDES[side], guest, 3, ESCAPES)
    assert found == dict.fromkeys(ESCAPES, Errno.PERM)
    assert outside.unchanged()


@every_side
def test_d24_dots_that_leave_an_opened_directory_are_perm(guest, outside, side):
    found = answers(SIDES[side], guest, guest.open_dir("a"), ESCAPES)
    assert found == dict.fromkeys(ESCAPES, Errno.PERM)
    assert outside.unchanged()


@pytest.mark.parametrize("side", sorted(USING))
@pytest.mark.parametrize(
    "path", ["a/../ordinary", "a/b/../../ordinary", "./a/.././/ordinary", "a/b/.././../ordinary"]
)
def test_d24_dots_that_stay_inside_reach_what_is_there(guest, side, path):
    assert SIDES[side](guest, 3, path) is Errno.SUCCESS


@pytest.mark.parametrize("side", sorted(MAKING))
def test_d24_dots_that_stay_inside_make_what_is_asked_for_there(guest, place, side):
    assert SIDES[side](guest, 3, "a/b/../../made") is Errno.SUCCESS
    assert place.exists("made")


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/..", ""), ("a/b/..", "a"), ("a/b/../..", ""), ("a/b/../b", "a/b")],
    ids=["up one", "up to a directory", "up two", "up and down"],
)
def test_d24_a_path_may_end_in_dots_that_stay_inside(guest, path, name):
    fd = guest.open_dir(path)
    expected = guest.stat(name or ".")
    assert guest.must("fd_filestat_get", fd).ino == expected.ino
    assert guest.stat(path).ino == expected.ino


@every_side
def test_d24_dots_behind_a_file_are_notdir(guest, outside, side):
    paths = ["ordinary/..", "ordinary/../ordinary", "ordinary/.", "a/../ordinary/../a"]
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.NOTDIR)
    assert outside.unchanged()


@every_side
def test_d24_dots_behind_a_missing_name_are_noent(guest, outside, side):
    paths = ["missing/..", "missing/../ordinary", "a/missing/../../..", "missing/."]
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.NOENT)
    assert outside.unchanged()


@every_side
def test_d25_absolute_paths_are_perm_even_if_the_name_exists_inside(guest, outside, side):
    found = answers(SIDES[side], guest, 3, ABSOLUTE)
    assert found == dict.fromkeys(ABSOLUTE, Errno.PERM)
    assert outside.unchanged()


@every_side
def test_d26_a_sibling_that_shares_the_roots_name_as_prefix_is_perm(guest, outside, side):
    paths = ["../root-sibling", "../root-sibling/canary", "a/../../root-sibling/canary"]
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.PERM)
    assert outside.unchanged()


# Links that an embedder or the host made.

OUTWARD = {
    "absolute": "/etc",
    "absolute with two slashes": "//etc",
    "the directory above": "..",
    "a directory beside": "../root-sibling",
    "a file beside": "../secret",
    "out and in again": "../root",
    "up behind a directory": "a/../..",
}

outward = pytest.mark.parametrize("target", OUTWARD.values(), ids=OUTWARD)


@outward
@pytest.mark.parametrize("side", sorted(FOLLOWING))
def test_d27_following_a_link_that_points_out_is_perm(guest, place, outside, side, target):
    place.symlink(target, "out")
    assert SIDES[side](guest, 3, "out") is Errno.PERM
    assert outside.untouched()


@every_side
def test_d27_passing_through_a_link_that_points_out_is_perm(guest, place, outside, side):
    # A slash at the end follows too; when creating, it is refused before the name is looked at.
    slash = side in FOLLOWING and "creating" not in side
    paths = []
    for number, target in enumerate(OUTWARD.values()):
        place.symlink(target, f"out{number}")
        behind = ["x", "..", "canary", "../ordinary", ""]
        paths += [f"out{number}/{name}" for name in behind[: 5 if slash else 4]]
        paths.append(f"a/../out{number}/x")
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.PERM)
    assert outside.untouched()


@outward
def test_d27_the_absolute_path_of_the_secret_itself_is_no_way_either(guest, place, target):
    if isinstance(place, HostPlace):
        target = str(place.root.parent / "secret")
    place.symlink(target, "out")
    assert guest.try_open("out", follow=True) is Errno.PERM


@outward
def test_d27_stat_without_following_sees_the_link(guest, place, target):
    place.symlink(target, "out")
    assert guest.stat("out").filetype == LINK


@outward
def test_d27_set_times_without_following_sets_those_of_the_link(guest, place, outside, target):
    place.symlink(target, "out")
    assert SIDES["filestat_set_times"](guest, 3, "out") is Errno.SUCCESS
    assert place.see("out").mtime_ns == STAMP
    assert outside.untouched()


@outward
def test_d27_rename_moves_the_link(guest, place, outside, target):
    place.symlink(target, "out")
    guest.must("path_rename", 3, "out", 3, "moved")
    assert place.see("moved").content == target
    assert not place.exists("out")
    assert outside.untouched()


@outward
def test_d27_rename_onto_the_link_replaces_it(guest, place, outside, target):
    place.symlink(target, "out")
    guest.must("path_rename", 3, "ordinary", 3, "out")
    assert place.read("out") == b"inside"
    assert outside.untouched()


@outward
def test_d27_unlink_removes_the_link(guest, place, outside, target):
    place.symlink(target, "out")
    guest.must("path_unlink_file", 3, "out")
    assert not place.exists("out")
    assert outside.untouched()


@outward
def test_d27_link_gives_the_link_another_name(guest, place, target):
    place.symlink(target, "out")
    guest.must("path_link", 3, 0, "out", 3, "again")
    assert place.see("again").content == target
    assert place.see("again").nlink == 2


@outward
@pytest.mark.parametrize("side", ["open", "open creating"])
def test_d27_opening_the_link_without_following_is_loop(guest, place, side, target):
    place.symlink(target, "out")
    assert SIDES[side](guest, 3, "out") is Errno.LOOP


@outward
@pytest.mark.parametrize("side", ["open exclusively", "create_directory", "symlink at", "link to"])
def test_d27_making_something_at_the_links_name_is_exist(guest, place, outside, side, target):
    place.symlink(target, "out")
    assert SIDES[side](guest, 3, "out") is Errno.EXIST
    assert place.see("out").content == target
    assert outside.untouched()


@pytest.mark.parametrize("target", ["..", "../secret", "a/../.."])
def test_d27_readlink_gives_a_relative_text_that_points_out(guest, place, target):
    place.symlink(target, "out")
    assert guest.readlink("out") == target.encode()


@pytest.mark.parametrize("target", ["/", "/etc/passwd", "//etc"])
def test_d27_readlink_of_an_absolute_text_is_perm(guest, place, target):
    place.symlink(target, "out")
    assert SIDES["readlink"](guest, 3, "out") is Errno.PERM


# Links that the guest made.


@pytest.mark.parametrize("target", ["/", "/etc/passwd", "//etc", "/ordinary", "/.."])
def test_d28_a_guest_cannot_make_a_link_to_an_absolute_path(guest, place, outside, target):
    assert guest.call("path_symlink", target, 3, "made") is Errno.PERM
    assert not place.exists("made")
    assert outside.unchanged()


def used(guest, path):
    """Return the answers of every way to use a link."""
    ways = {side: SIDES[side](guest, 3, path) for side in sorted(FOLLOWING)}
    through = {f"{side} behind it": SIDES[side](guest, 3, f"{path}/x") for side in SIDES}
    return ways | through


def refused(guest, path):
    return set(used(guest, path).values()) == {Errno.PERM}


def test_d28_a_link_to_dots_behind_a_link_to_a_dot_is_perm(guest, outside):
    guest.must("path_symlink", ".", 3, "z")
    guest.must("path_symlink", "z/..", 3, "l")
    assert refused(guest, "l")
    assert outside.untouched()


def test_d28_a_chain_of_links_each_harmless_alone_is_perm_where_it_leaves(guest, outside):
    guest.must("path_symlink", "a", 3, "l1")
    guest.must("path_symlink", "l1/..", 3, "l2")
    guest.must("path_symlink", "l2/..", 3, "l3")
    assert guest.stat("l2", follow=True).filetype == DIR
    assert refused(guest, "l3")
    assert outside.untouched()


def test_d28_a_link_renamed_to_where_it_points_out_is_perm(guest, outside):
    guest.must("path_symlink", "../../ordinary", 3, "a/b/l")
    assert guest.stat("a/b/l", follow=True).filetype == FILE
    guest.must("path_rename", 3, "a/b/l", 3, "l")
    assert refused(guest, "l")
    assert outside.untouched()


def test_d28_a_hard_link_to_a_link_where_it_points_out_is_perm(guest, outside):
    guest.must("path_symlink", "../../ordinary", 3, "a/b/l")
    guest.must("path_link", 3, 0, "a/b/l", 3, "hard")
    assert refused(guest, "hard")
    assert guest.stat("a/b/l", follow=True).filetype == FILE
    assert outside.untouched()


def test_d28_a_link_in_a_directory_renamed_up_is_perm(guest, outside):
    guest.must("path_symlink", "../../ordinary", 3, "a/b/l")
    guest.must("path_rename", 3, "a/b", 3, "up")
    assert refused(guest, "up/l")
    assert outside.untouched()


def test_d28_a_link_that_leaves_an_opened_directory_is_perm_from_there_only(guest, outside):
    guest.must("path_symlink", "../ordinary", 3, "a/l")
    fd = guest.open_dir("a")
    assert guest.try_open("l", fd=fd, follow=True) is Errno.PERM
    assert guest.content("a/l", follow=True) == b"inside"
    assert outside.untouched()


INWARD = {
    "a name beside": ("ordinary", "l"),
    "up and down": ("../ordinary", "a/l"),
    "up two": ("../../ordinary", "a/b/l"),
    "through another directory": ("a/b/../../ordinary", "l"),
    "with dots and slashes": (".//./a/..//ordinary", "l"),
}


@pytest.mark.parametrize(("target", "path"), INWARD.values(), ids=INWARD)
@pytest.mark.parametrize("maker", ["made by the guest", "made by the host"])
def test_d28_a_link_that_stays_inside_works(guest, place, target, path, maker):
    if maker == "made by the guest":
        guest.must("path_symlink", target, 3, path)
    else:
        place.symlink(target, path)
    assert guest.content(path, follow=True) == b"inside"
    assert guest.readlink(path) == target.encode()


def test_d28_names_behind_a_link_to_a_directory_work(guest, place):
    guest.must("path_symlink", "a/b", 3, "l")
    guest.must("path_create_directory", 3, "l/made")
    guest.must("path_symlink", "../../ordinary", 3, "l/up")
    assert place.exists("a/b/made")
    assert guest.content("l/up", follow=True) == b"inside"
