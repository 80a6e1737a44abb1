"""The contract, catalogue D: how paths end, what they may not leave, and links."""

import os

import pytest

from tests.fs.actions import (
    ACTIONS,
    CHANGING,
    FOLLOWING,
    act,
    each,
    in_words,
    outcome,
    snapshot,
    table,
)
from tests.fs.backends import SECRET
from tests.fs.lacking import CHANGES, SYMBOLIC_LINKS, needs

LEAVING = [
    "..", "../secret", "dir/../../secret", "./..", "dir/sub/../../..", "dir//..//..", ".//..",
    "../root-sibling/inside", "../root/file", "dot/..", "to_dir/../..", "dir/../..", "../missing",
]  # fmt: skip
ABSOLUTE = ["/", "//", "/etc/passwd", "//etc", "/file", "/dir/../file", "/missing"]
LINKS_OUT = ["absolute", "up", "out", "out_later", "via_up", "absolute_root"]

SLASHES = """
    open                     file/           ENOTDIR
    open                     dir/            ok
    open                     dir//           ok
    open                     to_dir/         ok
    open-nofollow            to_dir/         ok
    open-nofollow            to_file/        ENOTDIR
    open                     dangling/       ENOENT
    open                     missing/        ENOENT
    open-directory-nofollow  to_dir          ELOOP
    open-directory-nofollow  dir/../to_dir   ELOOP
    open-directory-nofollow  to_file         ELOOP
    open-directory-nofollow  to_dir/         ok
    open-directory-nofollow  file            ENOTDIR
    open-directory           to_file         ENOTDIR
    open-directory           file            ENOTDIR
    open-write               dir/            EISDIR
    open-write               file/           ENOTDIR
    open-truncate            file/           ENOTDIR
    create                   file/           EISDIR
    create                   dir/            EISDIR
    create                   missing/        EISDIR
    create                   dir/missing/    EISDIR
    create                   to_slash        EISDIR
    create-exclusive         missing/        EISDIR
    create-exclusive         dir/            EISDIR
    stat                     file/           ENOTDIR
    stat                     dir/            ok
    lstat                    to_dir/         ok
    lstat                    to_file/        ENOTDIR
    lstat                    dangling/       ENOENT
    lstat                    loop/           ELOOP
    set-times                file/           ENOTDIR
    set-link-times           to_dir/         ok
    set-link-times           to_file/        ENOTDIR
    readlink                 file/           ENOTDIR
    readlink                 to_dir/         EINVAL
    readlink                 dir/            EINVAL
    readlink                 dangling/       ENOENT
    mkdir                    missing/        ok
    mkdir                    dir/missing/    ok
    mkdir                    file/           EEXIST
    mkdir                    dir/            EEXIST
    mkdir                    dangling/       EEXIST
    mkdir                    to_dir/         EEXIST
    rmdir                    empty/          ok
    rmdir                    dir/            ENOTEMPTY
    rmdir                    file/           ENOTDIR
    rmdir                    to_dir/         ENOTDIR
    rmdir                    dangling/       ENOTDIR
    rmdir                    missing/        ENOENT
    unlink                   dir/            EISDIR
    unlink                   file/           ENOTDIR
    unlink                   to_dir/         EISDIR
    unlink                   to_file/        ENOTDIR
    unlink                   dangling/       ENOENT
    unlink                   missing/        ENOENT
    rename-from              dir/            ok
    rename-from              file/           ENOTDIR
    rename-from              to_dir/         ENOTDIR
    rename-from              missing/        ENOENT
    rename-directory-to      missing/        ok
    rename-directory-to      empty/          ok
    rename-directory-to      file/           ENOTDIR
    rename-directory-to      to_dir/         ENOTDIR
    rename-directory-to      dir/            ENOTEMPTY
    rename-to                missing/        ENOTDIR
    rename-to                empty/          ENOTDIR
    rename-to                to_dir/         ENOTDIR
    symlink                  missing/        ENOENT
    symlink                  dir/            EEXIST
    symlink                  file/           ENOTDIR
    link-to                  missing/        ENOENT
    link-to                  dir/            EEXIST
    link-to                  file/           ENOTDIR
    link-from                file/           ENOTDIR
    link-from                dir/            EPERM
    link-from                to_dir/         EPERM
    link-from                dangling/       ENOENT
"""

THE_DIRECTORY_ITSELF = """
    open                       ok
    open-nofollow              ok
    open-directory             ok
    open-write                 EISDIR
    open-truncate              EISDIR
    create                     EISDIR
    create-exclusive           EEXIST
    stat                       ok
    lstat                      ok
    set-times                  ok
    set-link-times             ok
    mkdir                      EEXIST
    symlink                    EEXIST
    link-to                    EEXIST
    link-from                  EPERM
    rmdir                      EINVAL
    readlink                   EINVAL
    unlink                     EISDIR
    rename-from                EBUSY
    rename-to                  EBUSY
"""

ON_THE_WAY = """
    file/x          ENOTDIR
    file/..         ENOTDIR
    file/.          ENOTDIR
    to_file/x       ENOTDIR
    missing/x       ENOENT
    missing/..      ENOENT
    missing/../..   ENOENT
    dangling/x      ENOENT
    loop/x          ELOOP
    absolute/x      EPERM
    up/x            EPERM
    out/..          EPERM
    dir/up/up/x     EPERM
"""

LINKS = """
    open                     to_file     ok
    open                     to_deep     ok
    open                     dir/back    ok
    open-nofollow            to_file     ELOOP
    open-nofollow            loop        ELOOP
    open                     loop        ELOOP
    open                     pair        ELOOP
    lstat                    loop        ok
    stat                     loop        ELOOP
    set-times                loop        ELOOP
    set-link-times           loop        ok
    stat                     dangling    ENOENT
    lstat                    dangling    ok
    open                     dangling    ENOENT
    create                   dangling    ok
    create-nofollow          dangling    ELOOP
    create-nofollow          to_file     ELOOP
    create-exclusive         dangling    EEXIST
    create-exclusive         to_file     EEXIST
    create-exclusive         loop        EEXIST
    create-exclusive         absolute    EEXIST
    create-exclusive-nofollow out        EEXIST
    mkdir                    absolute    EEXIST
    mkdir                    dangling    EEXIST
    symlink                  absolute    EEXIST
    symlink                  loop        EEXIST
    link-to                  absolute    EEXIST
    link-to                  dangling    EEXIST
    open-nofollow            absolute    ELOOP
    lstat                    absolute    ok
    lstat                    out         ok
    set-link-times           absolute    ok
    rename-from              absolute    ok
    rename-to                absolute    ok
    rename-from              loop        ok
    unlink                   absolute    ok
    unlink                   to_dir      ok
    link-from                out         ok
    link-from                dangling    ok
    rmdir                    to_dir      ENOTDIR
    readlink                 to_file     ok
    readlink                 out         ok
    readlink                 absolute    EPERM
    readlink                 file        EINVAL
    readlink                 dir         EINVAL
    create                   dot         EISDIR
    open                     dot         ok
    open                     dir/dot     ok
    mkdir                    dot/new     ok
    open                     to_dir/inner ok
    create                   to_dir/new  ok
"""


def all_eperm(paths):
    return dict.fromkeys(paths, "EPERM")


class Paths:
    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_path_that_leaves_is_eperm(self, place, action):
        before = snapshot(place.root)
        paths = place.paths(LEAVING)
        assert each(action, place.root, paths) == all_eperm(paths)
        assert snapshot(place.root) == before

    @needs(CHANGES)
    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_directory_inside_is_a_sandbox_of_its_own(self, place, action):
        inside = place.open("dir", os.O_DIRECTORY)
        place.root.rename_at("file", inside, "file")
        place.root.rename_at("empty", inside, "empty")
        paths = ["..", "../..", "../file", "./../inner", "sub/../.."]
        assert each(action, inside, paths) == all_eperm(paths)

    @pytest.mark.parametrize("action", ACTIONS)
    def test_an_absolute_path_is_eperm(self, place, action):
        before = snapshot(place.root)
        assert each(action, place.root, ABSOLUTE) == all_eperm(ABSOLUTE)
        assert snapshot(place.root) == before

    @needs(SYMBOLIC_LINKS)
    @pytest.mark.parametrize("action", FOLLOWING)
    def test_following_a_link_that_leads_out_is_eperm(self, place, action):
        before = snapshot(place.root)
        assert each(action, place.root, LINKS_OUT) == all_eperm(LINKS_OUT)
        assert snapshot(place.root) == before

    @needs(SYMBOLIC_LINKS)
    @pytest.mark.parametrize("action", ACTIONS)
    def test_passing_through_a_link_that_leads_out_is_eperm(self, place, action):
        paths = [f"{link}/x" for link in LINKS_OUT]
        assert each(action, place.root, paths) == all_eperm(paths)

    @pytest.mark.parametrize("action", ACTIONS)
    def test_the_first_fault_on_the_way_is_answered(self, place, action):
        expected = dict(table(ON_THE_WAY))
        for path in place.paths(expected):
            assert act(action, place.root, path) in place.answers(action, expected[path])

    @pytest.mark.parametrize("action", ACTIONS)
    def test_an_empty_path_is_enoent(self, place, action):
        assert act(action, place.root, "") in place.answers(action, "ENOENT")

    @pytest.mark.parametrize(("action", "path", "expected"), table(SLASHES), ids=in_words)
    def test_a_slash_at_the_end(self, place, action, path, expected):
        for one in place.paths([path]):
            assert act(action, place.root, one) in place.answers(action, expected)

    @pytest.mark.parametrize(("action", "expected"), table(THE_DIRECTORY_ITSELF))
    def test_a_path_to_the_directory_itself(self, place, action, expected):
        paths = [".", "./", "./.", "dir/..", "dir/../", "dir/sub/../.."]
        for path in paths:
            assert act(action, place.root, path) in place.answers(action, expected)

    @needs(CHANGES)
    def test_rename_of_the_directory_itself_is_ebusy_without_the_other_name_too(self, place):
        root = place.root
        assert outcome(root.rename_at, "missing", root, ".") == "EBUSY"
        assert outcome(root.rename_at, ".", root, "missing") == "EBUSY"
        assert outcome(root.rename_at, "dir/..", root, "missing") == "EBUSY"

    @needs(SYMBOLIC_LINKS)
    @pytest.mark.parametrize(("action", "path", "expected"), table(LINKS), ids=in_words)
    def test_a_link(self, place, action, path, expected):
        assert act(action, place.root, path) in place.answers(action, expected)

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_40_links_are_followed_and_the_41st_is_eloop(self, place):
        root = place.root
        for number in range(1, 42):
            root.symlink_at(f"chain{number - 1}" if number > 1 else "dir", f"chain{number}")
        assert place.read("chain40/inner") == b"in"
        assert place.read("chain39/back") == b"content"
        assert outcome(root.stat_at, "chain40", True) == "ok"
        for path in ("chain41", "chain41/inner", "chain41/", "chain40/back", "chain20/../chain21"):
            assert outcome(root.stat_at, path, True) == "ELOOP"
            assert outcome(root.open_at, path, os.O_RDONLY, True) == "ELOOP"

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_creating_through_a_dangling_link_makes_its_target_inside(self, place):
        place.write("dangling", b"new")
        assert place.read("nowhere") == b"new"

    @needs(CHANGES)
    def test_a_link_made_by_a_guest_may_not_be_absolute(self, place):
        assert outcome(place.root.symlink_at, "/etc/passwd", "made") == "EPERM"
        assert outcome(place.root.stat_at, "made", False) == "ENOENT"

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_links_that_are_harmless_alone_do_not_lead_out_together(self, place):
        root = place.root
        root.symlink_at(".", "z")
        root.symlink_at("z/..", "l")
        root.symlink_at("l/..", "m")
        assert outcome(root.stat_at, "l", True) == "EPERM"
        assert outcome(root.open_at, "m/secret", os.O_RDONLY, True) == "EPERM"

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_a_link_moved_to_where_it_leads_out_is_refused_there(self, place):
        root = place.root
        root.symlink_at("../file", "dir/moved")
        assert place.read("dir/moved") == b"content"
        root.rename_at("dir/moved", root, "moved")
        assert outcome(root.open_at, "moved", os.O_RDONLY, True) == "EPERM"
        root.symlink_at("../../file", "dir/sub/hard")
        root.link_at("dir/sub/hard", root, "hard")
        assert outcome(root.stat_at, "hard", True) == "EPERM"

    @needs(CHANGES, SYMBOLIC_LINKS)
    def test_a_link_below_a_directory_that_is_moved_up_is_refused_then(self, place):
        root = place.root
        root.symlink_at("../../file", "dir/sub/link")
        assert place.read("dir/sub/link") == b"content"
        root.rename_at("dir/sub", root, "sub")
        assert outcome(root.stat_at, "sub/link", True) == "EPERM"

    def test_nothing_outside_is_ever_read(self, place):
        paths = [*LEAVING, *LINKS_OUT, *(f"{link}/secret" for link in LINKS_OUT)]
        for path in place.paths(paths):
            for follow in (True, False):
                try:
                    node = place.root.open_at(path, os.O_RDONLY, follow)
                except OSError:
                    continue
                assert node.pread(100, 0) != SECRET
                node.close()

    @needs(CHANGES)
    @pytest.mark.parametrize(
        "name", ["back\\slash", "new\nline", "100%", "a:b", "CON", "x. ", "..."]
    )
    def test_odd_names_are_plain_names(self, place, name):
        place.write(name, b"odd")
        assert place.read(name) == b"odd"
        assert name in place.names(".")

    @needs(CHANGES)
    def test_names_that_look_alike_are_two_names(self, place):
        for name in ("\u00e9", "e\u0301", "Case", "case"):
            place.write(name, name.encode())
        for name in ("\u00e9", "e\u0301", "Case", "case"):
            assert place.read(name) == name.encode()

    @pytest.mark.parametrize("action", ACTIONS)
    def test_a_name_over_255_bytes_is_enametoolong_where_the_walk_reaches_it(self, place, action):
        for name in ("n" * 256, "\u20ac" * 86):
            too_long = place.answers(action, "ENAMETOOLONG")
            assert act(action, place.root, name) in too_long
            assert act(action, place.root, f"dir/{name}") in too_long
            assert act(action, place.root, f"{name}/x") in too_long
            assert act(action, place.root, f"missing/{name}") in place.answers(action, "ENOENT")
            assert act(action, place.root, f"../{name}") == "EPERM"

    @needs(CHANGES)
    def test_a_name_of_255_bytes_works(self, place):
        for name in ("n" * 255, "\u20ac" * 85):
            place.write(name, b"long")
            assert place.read(f"dir/../{name}") == b"long"

    @pytest.mark.parametrize("action", CHANGING)
    def test_a_read_only_directory_refuses_changes_before_it_looks(self, readonly, action):
        paths = ["missing", "file", "dir", "../x", "/", "", "dir/missing", "file/x", "loop/x"]
        paths = readonly.paths(paths)
        assert each(action, readonly.root, paths) == all_eperm(paths)

    def test_a_read_only_directory_is_read(self, readonly):
        assert readonly.read("dir/inner") == b"in"
        for path in readonly.paths(["to_file"]):
            assert readonly.root.read_link_at(path) == "file"
        inside = readonly.open("dir", os.O_DIRECTORY)
        assert inside.readonly
        assert act("create", inside, "new") == "EPERM"
        assert outcome(inside.set_times, 1, 1) == "EPERM"
        node = readonly.open("file")
        assert node.readonly
        for call, *args in (
            (node.truncate, 0), (node.set_times, 1, 1), (node.pwrite, b"x", 0),
            (node.append, b"x"), (node.allocate, 0, 9),
        ):  # fmt: skip
            assert outcome(call, *args) == "EPERM"

    def test_renaming_and_linking_into_or_out_of_a_read_only_directory_is_eperm(
        self, place, readonly
    ):
        for one, other in ((place.root, readonly.root), (readonly.root, place.root)):
            assert outcome(one.rename_at, "file", other, "new") == "EPERM"
            assert outcome(one.link_at, "file", other, "new") == "EPERM"
