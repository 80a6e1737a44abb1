"""Catalogue D 29 and 30: loops, dangling links, and when a link in last place is followed."""

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, EXCL, READ, WRITE
from tests.attacks.places import DIR, FILE, LINK
from tests.attacks.sides import FOLLOWING, SIDES, answers, furnish
from wasi_spec import Errno

every_side = pytest.mark.parametrize("side", SIDES)
following = pytest.mark.parametrize("side", sorted(FOLLOWING - {"open a directory"}))


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place)


def chain(guest, target, count):
    """Make ``count`` links, each to the one before, the first to ``target``; return the last."""
    for number in range(count):
        guest.must("path_symlink", target, 3, f"c{number}")
        target = f"c{number}"
    return target


LOOPS = {
    "a link to itself": [("self", "self")],
    "two links to each other": [("ping", "pong"), ("pong", "ping")],
    "a link to a name behind itself": [("deep", "deep/x")],
    "a link to itself by dots": [("dots", "a/../dots")],
}

loops = pytest.mark.parametrize("links", LOOPS.values(), ids=LOOPS)


@loops
@pytest.mark.parametrize("side", sorted(FOLLOWING))
def test_d29_following_a_loop_is_loop(guest, links, side):
    for path, target in links:
        guest.must("path_symlink", target, 3, path)
    assert SIDES[side](guest, 3, links[0][0]) is Errno.LOOP


@loops
@every_side
def test_d29_passing_through_a_loop_is_loop(guest, links, side):
    for path, target in links:
        guest.must("path_symlink", target, 3, path)
    name = links[0][0]
    paths = [f"{name}/x", f"{name}/..", f"{name}/../ordinary"]
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.LOOP)


@loops
def test_d29_stat_of_a_loop_without_following_sees_the_link(guest, links):
    for path, target in links:
        guest.must("path_symlink", target, 3, path)
    assert guest.stat(links[0][0]).filetype == LINK


@following
def test_d29_forty_links_work(guest, side):
    assert SIDES[side](guest, 3, chain(guest, "ordinary", 40)) is Errno.SUCCESS


@following
def test_d29_forty_one_links_are_loop(guest, side):
    assert SIDES[side](guest, 3, chain(guest, "ordinary", 41)) is Errno.LOOP


def test_d29_forty_links_on_the_way_work(guest):
    assert guest.stat(f"{chain(guest, 'a', 40)}/ordinary").filetype == FILE


@every_side
def test_d29_forty_one_links_on_the_way_are_loop(guest, side):
    assert SIDES[side](guest, 3, f"{chain(guest, 'a', 41)}/ordinary") is Errno.LOOP


def test_d29_links_at_different_places_of_a_path_count_together(guest):
    guest.must("path_symlink", ".", 3, "dot")
    assert guest.stat("dot/" * 40 + "ordinary").filetype == FILE
    assert guest.call("path_filestat_get", 3, 0, "dot/" * 41 + "ordinary") is Errno.LOOP


# Dangling links.

DANGLING = {"beside": "missing", "in a directory": "a/missing", "by dots": "a/../missing"}

dangling = pytest.mark.parametrize("target", DANGLING.values(), ids=DANGLING)


@dangling
@pytest.mark.parametrize("side", sorted(FOLLOWING - {"open creating and following"}))
def test_d29_following_a_dangling_link_is_noent(guest, target, side):
    guest.must("path_symlink", target, 3, "l")
    assert SIDES[side](guest, 3, "l") is Errno.NOENT


@dangling
def test_d29_a_dangling_link_itself_is_there(guest, target):
    guest.must("path_symlink", target, 3, "l")
    assert guest.stat("l").filetype == LINK
    assert guest.readlink("l") == target.encode()
    guest.must("path_rename", 3, "l", 3, "moved")
    guest.must("path_unlink_file", 3, "moved")


@dangling
def test_d29_creating_through_a_dangling_link_creates_its_target(guest, place, target):
    guest.must("path_symlink", target, 3, "l")
    fd = guest.open("l", follow=True, oflags=CREAT, rights=READ | WRITE)
    guest.write(fd, b"made")
    assert place.read(target.replace("a/../", "")) == b"made"
    assert place.see("l").kind == LINK


def test_d29_creating_through_a_chain_of_dangling_links_creates_the_last_target(guest, place):
    guest.open(chain(guest, "missing", 3), follow=True, oflags=CREAT, rights=READ | WRITE)
    assert place.see("missing").kind == FILE


@pytest.mark.parametrize("target", ["../missing", "a/../../missing", ".."])
def test_d29_creating_through_a_link_that_points_out_is_perm(guest, place, target):
    guest.must("path_symlink", target, 3, "l")
    errno = guest.try_open("l", follow=True, oflags=CREAT, rights=READ | WRITE)
    assert errno is Errno.PERM
    assert place.see("l").kind == LINK


@dangling
def test_d29_creating_at_a_link_without_following_is_loop(guest, place, target):
    guest.must("path_symlink", target, 3, "l")
    assert guest.try_open("l", oflags=CREAT, rights=READ | WRITE) is Errno.LOOP
    assert not place.exists(target)


@pytest.mark.parametrize("target", ["missing", "ordinary", "a", "..", "l"])
@pytest.mark.parametrize("follow", [True, False], ids=["following", "not following"])
def test_d29_creating_exclusively_at_any_link_is_exist(guest, place, target, follow):
    guest.must("path_symlink", target, 3, "l")
    names = place.names()
    errno = guest.try_open("l", follow=follow, oflags=CREAT | EXCL, rights=READ | WRITE)
    assert errno is Errno.EXIST
    assert place.names() == names


# Followed or not.

ENDS = {
    "a file": "ordinary",
    "a directory": "a",
    "nothing": "missing",
    "outside": "..",
    "self": "l",
}


@pytest.mark.parametrize("target", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("oflags", [0, DIRECTORY], ids=["any kind", "a directory asked for"])
def test_d30_opening_a_link_without_following_is_loop(guest, target, oflags):
    guest.must("path_symlink", target, 3, "l")
    assert guest.try_open("l", oflags=oflags) is Errno.LOOP


def test_d30_a_directory_asked_for_through_a_link_to_a_file_is_notdir(guest):
    guest.must("path_symlink", "ordinary", 3, "l")
    assert guest.try_open("l", follow=True, oflags=DIRECTORY) is Errno.NOTDIR


def test_d30_a_directory_asked_for_through_a_link_to_one_opens(guest):
    guest.must("path_symlink", "a", 3, "l")
    fd = guest.open("l", follow=True, oflags=DIRECTORY, rights=READ)
    assert guest.must("fd_fdstat_get", fd).fs_filetype == DIR


@pytest.mark.parametrize("slashes", ["/", "//", "/.", "/./"])
def test_d30_a_link_with_a_slash_behind_it_is_followed_anyway(guest, slashes):
    guest.must("path_symlink", "a", 3, "l")
    assert guest.stat(f"l{slashes}").ino == guest.stat("a").ino
    fd = guest.open(f"l{slashes}", rights=READ)
    assert guest.must("fd_filestat_get", fd).ino == guest.stat("a").ino


@pytest.mark.parametrize("side", ["filestat_get", "open", "filestat_set_times"])
@pytest.mark.parametrize(
    ("target", "errno"),
    [
        ("ordinary", Errno.NOTDIR), ("missing", Errno.NOENT), ("..", Errno.PERM),
        ("l", Errno.LOOP),
    ],
    ids=["to a file", "to nothing", "to the outside", "to itself"],
)  # fmt: skip
def test_d30_a_link_with_a_slash_behind_it_is_judged_by_its_target(guest, side, target, errno):
    guest.must("path_symlink", target, 3, "l")
    assert SIDES[side](guest, 3, "l/") is errno
