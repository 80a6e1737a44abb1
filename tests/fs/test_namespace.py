"""Filesystems mounted in others: one tree, but for what crosses and for the mount points."""

import contextlib
import os
import pickle

import pytest

from tests.fs.actions import ACTIONS, CHANGING, FOLLOWING, UPDATE, act, each, outcome, snapshot
from tests.fs.backends import SECRET, open_descriptors, write_out
from tests.fs.contract import TREE, FilesystemContract
from tests.fs.contract_paths import ABSOLUTE, LEAVING, LINKS_OUT
from tests.fs.test_differential import OPERATIONS, SEED, Chooser, World, explain
from wasi_host.fs.host import HostDir, HostFile
from wasi_host.fs.memory import Link, MemoryDirectory, MemoryFile, MemoryFS
from wasi_host.fs.namespace import Namespace, NamespaceDirectory
from wasi_host.fs.walk import Walk

MOUNTED = {"inside": b"inside", "to_outer": Link("../file"), "d": {"e": b""}}
KINDS = [("memory", "memory"), ("memory", "host"), ("host", "memory"), ("host", "host")]
COMBINATIONS = pytest.mark.parametrize("kinds", KINDS, ids=lambda pair: f"{pair[1]} in {pair[0]}")


def filesystem(kind, path, tree, readonly=False):
    if kind == "memory":
        return MemoryFS(tree, readonly=readonly)
    write_out(tree, path)
    return HostDir(path, readonly=readonly)


class Mounted:
    """The contract's tree, with mounts beside it that the contract does not touch."""

    def __init__(self, outer, inner):
        self.kinds = outer, inner

    @contextlib.contextmanager
    def __call__(self, tmp_path, tree, readonly=False):
        (tmp_path / "secret").write_bytes(SECRET)
        write_out({"inside": SECRET}, tmp_path / "root-sibling")
        outer, inner = self.kinds
        with contextlib.ExitStack() as stack:
            below = filesystem(outer, tmp_path / "root", tree, readonly)
            mounted = filesystem(inner, tmp_path / "mounted", MOUNTED, readonly)
            stack.callback(below.close)
            stack.callback(mounted.close)
            yield Namespace(below, {"mount": mounted, "way/to/mount": mounted})


class TestMemoryInMemory(FilesystemContract):
    factory = staticmethod(Mounted("memory", "memory"))


@pytest.mark.breadth
class TestHostInMemory(FilesystemContract):
    factory = staticmethod(Mounted("memory", "host"))


@pytest.mark.breadth
class TestMemoryInHost(FilesystemContract):
    factory = staticmethod(Mounted("host", "memory"))


@pytest.fixture
def make(tmp_path):
    """Makes the root of a namespace of the given trees; nothing stays open."""
    before = open_descriptors()
    made = []

    def make(kinds, tree, mounts, readonly=(False, False)):
        outer = filesystem(kinds[0], tmp_path / "outer", tree, readonly[0])
        made.append(outer)
        sources = {}
        for number, (path, content) in enumerate(mounts.items()):
            (tmp_path / f"in{number}").mkdir()
            (tmp_path / f"in{number}" / "secret").write_bytes(SECRET)
            place = tmp_path / f"in{number}" / "root"
            sources[path] = filesystem(kinds[1], place, content, readonly[1])
            made.append(sources[path])
        root = Namespace(outer, sources).open_root()
        made.append(root)
        return root

    yield make
    for one in reversed(made):
        one.close()
    assert open_descriptors() == before


def read(root, path):
    node = root.open_at(path, os.O_RDONLY, True)
    try:
        return node.pread(100, 0)
    finally:
        node.close()


# What a mount point answers

POINT = {
    "open": "ok", "open-nofollow": "ok", "open-directory": "ok", "open-directory-nofollow": "ok",
    "open-write": "EISDIR", "open-truncate": "EISDIR", "create": "EISDIR",
    "create-nofollow": "EISDIR", "create-exclusive": "EEXIST",
    "create-exclusive-nofollow": "EEXIST", "stat": "ok", "lstat": "ok", "set-times": "ok",
    "set-link-times": "ok", "mkdir": "EEXIST", "rmdir": "EBUSY", "unlink": "EISDIR",
    "symlink": "EEXIST", "readlink": "EINVAL", "rename-from": "EBUSY", "rename-to": "EBUSY",
    "rename-directory-to": "EBUSY", "link-from": "EPERM", "link-to": "EEXIST",
}  # fmt: skip
WAYPOINT = POINT | {"rmdir": "ENOTEMPTY"}
MADE_UP = WAYPOINT | {"set-times": "EPERM", "set-link-times": "EPERM"}
SLASH = {
    "create": "EISDIR", "create-nofollow": "EISDIR", "create-exclusive": "EISDIR",
    "create-exclusive-nofollow": "EISDIR", "rename-to": "ENOTDIR",
}  # fmt: skip
COVERING = {
    "file": b"",
    "empty": {},
    "real": {"beside": b"beside"},
    "over_dir": {"hidden": b""},
    "over_file": b"hidden",
    "over_link": Link("/etc"),
    "over_way": b"hidden",
}
MOUNTS = dict.fromkeys(
    ["mount", "over_dir", "over_file", "over_link", "over_way/deep", "real/mount", "new/a/b"],
    MOUNTED,
)


@COMBINATIONS
@pytest.mark.parametrize("action", ACTIONS)
def test_a_mount_point_answers_as_a_directory_that_is_busy(make, kinds, action):
    root = make(kinds, COVERING, MOUNTS)
    before = snapshot(root)
    mounts = ["mount", "over_dir", "over_file", "over_link", "real/mount", "real/../mount"]
    assert each(action, root, mounts) == dict.fromkeys(mounts, POINT[action])
    assert act(action, root, "real") == WAYPOINT[action]
    made_up = ["over_way", "new"]
    assert each(action, root, made_up) == dict.fromkeys(made_up, MADE_UP[action])
    assert act(action, root, "mount/") == (POINT | SLASH)[action]
    assert snapshot(root) == before


@COMBINATIONS
def test_a_mount_point_is_listed_once_with_its_roots_inode(make, kinds):
    root = make(kinds, COVERING, MOUNTS)
    entries = root.entries()
    names = [entry.name for entry in entries]
    assert sorted(names) == sorted({*COVERING, "mount", "new"})
    found = {entry.name: entry for entry in entries}
    for name in ("mount", "over_dir", "over_file", "over_link", "over_way", "new", "real"):
        inside = root.open_at(name, os.O_DIRECTORY, True)
        assert found[name].filetype == 3
        assert found[name].ino == inside.stat()[1] == root.stat_at(name, False)[1]
        inside.close()
    real = root.open_at("real", os.O_DIRECTORY, True)
    assert sorted(entry.name for entry in real.entries()) == ["beside", "mount"]
    assert real.parent_ino() == root.stat()[1]
    real.close()
    assert root.parent_ino() is None


@COMBINATIONS
def test_made_up_directories_hold_what_leads_on_and_take_nothing(make, kinds):
    root = make(kinds, COVERING, MOUNTS)
    new = root.open_at("new", os.O_DIRECTORY, True)
    way = root.open_at("new/a", os.O_DIRECTORY, True)
    assert [entry.name for entry in new.entries()] == ["a"]
    assert [entry.name for entry in way.entries()] == ["b"]
    assert new.parent_ino() == root.stat()[1]
    assert way.parent_ino() == new.stat()[1] != way.stat()[1]
    assert new.stat() == root.stat_at("new", True) == way.stat_at(".", True)[:1] + new.stat()[1:]
    for action in CHANGING:
        if action not in ("rename-to", "link-to"):
            path = "new/x"
            missing = {"open-write", "open-truncate", "set-times", "set-link-times", "rename-from",
                       "link-from"}  # fmt: skip
            assert act(action, root, path) in ("EPERM", "ENOENT") if action in missing else "EPERM"
    assert outcome(root.rename_at, "file", root, "new/x") == "EPERM"
    assert outcome(root.link_at, "file", root, "new/a/x") == "EPERM"
    assert outcome(root.stat_at, "new/x", True) == "ENOENT"
    assert outcome(root.stat_at, "new/a/b/../../..", True) == "ok"
    assert outcome(way.stat_at, "b/../..", True) == "EPERM"
    for node in (new.reopen(), new, way):
        node.sync()
        node.close()


@COMBINATIONS
def test_files_below_are_those_of_the_filesystem_itself(make, kinds):
    root = make(kinds, {"file": b"", "dir": {}}, {"mount": MOUNTED})
    types = {"memory": MemoryFile, "host": HostFile}
    for path, kind in (("file", kinds[0]), ("mount/inside", kinds[1])):
        node = root.open_at(path, os.O_RDONLY, True)
        assert type(node) is types[kind]
        node.close()
    for path in ("dir", "mount", "mount/d"):
        node = root.open_at(path, os.O_DIRECTORY, True)
        assert not isinstance(node, NamespaceDirectory)
        node.close()


# Paths

@COMBINATIONS
def test_links_and_dots_lead_across_mounts_as_in_one_tree(make, kinds):
    tree = {
        "file": b"outer",
        "to_mount": Link("mount/inside"),
        "into": Link("way/../mount/./d/.."),
        "around": Link("mount/to_outer"),
        "dir": {"link": Link("../mount/d/../to_outer")},
        "mount": {"file": b"covered"},
    }
    root = make(kinds, tree, {"mount": MOUNTED, "way/on": MOUNTED})
    assert read(root, "to_mount") == read(root, "into/inside") == b"inside"
    assert read(root, "around") == read(root, "dir/link") == b"outer"
    assert read(root, "mount/d/../../file") == b"outer"
    assert read(root, "mount/../way/on/../../mount/inside") == b"inside"
    assert outcome(root.open_at, "mount/file", os.O_RDONLY, True) == "ENOENT"
    assert read(root, "mount/to_outer") == b"outer"
    inside = root.open_at("mount", os.O_DIRECTORY, True)
    for path in ("..", "../file", "to_outer", "d/../.."):
        assert outcome(inside.stat_at, path, True) == "EPERM"
    inside.close()


@COMBINATIONS
@pytest.mark.parametrize("action", ACTIONS)
def test_no_path_leaves_through_a_mount(make, kinds, action):
    root = make(kinds, TREE, {"mount": TREE, "way/mount": TREE})
    before = snapshot(root)
    paths = [f"mount/../{path}" for path in LEAVING]
    paths += [f"way/mount/../../{path}" for path in LEAVING]
    paths += ["mount/../..", "mount/dir/../../..", "mount/up/..", "mount/up/../x", "mount/up/up/x"]
    paths += ["way/mount/up/../up/x", "way/../..", "mount/absolute/x", "mount/dir/up/up/x"]
    assert each(action, root, paths) == dict.fromkeys(paths, "EPERM")
    assert each(action, root, ABSOLUTE) == dict.fromkeys(ABSOLUTE, "EPERM")
    if action in FOLLOWING:
        paths = ["mount/absolute", "mount/../out", "mount/up/up", "way/mount/absolute_root"]
        assert each(action, root, paths) == dict.fromkeys(paths, "EPERM")
    assert snapshot(root) == before


@COMBINATIONS
def test_a_link_out_of_a_mount_finds_the_outer_tree_never_the_hosts(make, kinds):
    root = make(kinds, TREE | {"secret": b"the outer tree's"}, {"mount": TREE})
    assert read(root, "mount/out") == read(root, "mount/out_later") == b"the outer tree's"
    assert read(root, "mount/up/secret") == b"the outer tree's"
    for path in [*LEAVING, *LINKS_OUT, *(f"{link}/secret" for link in LINKS_OUT)]:
        for follow in (True, False):
            try:
                node = root.open_at(f"mount/{path}", os.O_RDONLY, follow)
            except OSError:
                continue
            if not isinstance(node, NamespaceDirectory) and node.filetype == 4:
                assert node.pread(100, 0) != SECRET
            node.close()


# What crosses

@COMBINATIONS
def test_renaming_and_linking_across_works_between_host_directories_alone(make, kinds):
    root = make(kinds, {"file": b"f", "dir": {}, "s": Link("file")}, {"mount": MOUNTED, "two": {}})
    before = snapshot(root)
    expected = "ok" if kinds == ("host", "host") else "EXDEV"
    assert outcome(root.link_at, "file", root, "mount/linked") == expected
    assert outcome(root.rename_at, "file", root, "mount/moved") == expected
    assert outcome(root.rename_at, "dir", root, "mount/dir") == expected
    assert outcome(root.rename_at, "s", root, "mount/s") == expected
    assert outcome(root.rename_at, "mount/inside", root, "file") == expected
    expected = "ok" if kinds[1] == "host" else "EXDEV"
    assert outcome(root.rename_at, "mount/d", root, "two/d/") == expected
    if kinds == ("memory", "memory"):
        assert snapshot(root) == before
    elif kinds == ("host", "host"):
        assert read(root, "file") == b"inside"
        assert root.read_link_at("mount/s") == "file"
        assert read(root, "mount/linked") == b"f"


@COMBINATIONS
def test_two_descriptors_are_asked_for_a_rename_in_the_same_way(make, kinds):
    root = make(kinds, {"file": b"f"}, {"mount": MOUNTED})
    inside = root.open_at("mount", os.O_DIRECTORY, True)
    expected = "ok" if kinds == ("host", "host") else "EXDEV"
    assert outcome(inside.link_at, "inside", root, "linked") == expected
    assert outcome(inside.rename_at, "inside", root, "moved") == expected
    assert outcome(root.rename_at, "file", inside, "inside") == expected
    assert outcome(inside.rename_at, "d", root, "mount") == "EBUSY"
    assert outcome(inside.rename_at, "missing", root, "mount") == "ENOENT"
    assert outcome(root.rename_at, "mount", inside, "d") == "EBUSY"
    assert outcome(inside.link_at, "to_outer", root, "mount") == "EEXIST"
    inside.close()


def test_an_open_directory_of_the_outer_tree_can_be_renamed_into_the_root(make):
    root = make(("host", "memory"), {"dir": {"sub": {}}}, {"mount": {}})
    inside = root.open_at("dir", os.O_DIRECTORY, True)
    assert outcome(inside.rename_at, "sub", root, "sub") == "ok"
    assert outcome(root.rename_at, "sub", inside, "again") == "ok"
    inside.close()


# Read-only ones

def test_each_mount_is_as_read_only_as_it_is_itself(make):
    root = make(("memory", "host"), TREE | {"mount": {}}, {"mount": TREE}, (True, False))
    assert not root.readonly
    before = snapshot(root)
    for action in CHANGING:
        assert act(action, root, "new" if action == "mkdir" else "file") == "EPERM"
        if action not in ("set-times", "set-link-times", "rename-to", "link-to", "link-from"):
            assert act(action, root, "mount") == "EPERM"
    assert outcome(root.set_times, 1, 1) == "EPERM"
    assert snapshot(root) == before
    assert outcome(root.open_at, "mount/new", UPDATE, True) == "ok"
    assert outcome(root.set_times_at, "mount", True, 1, 2) == "ok"
    assert root.stat_at("mount", True)[5:7] == (1, 2)
    assert outcome(root.rename_at, "mount/new", root, "new") == "EPERM"
    assert outcome(root.rename_at, "file", root, "mount/file2") == "EPERM"
    assert outcome(root.link_at, "mount/new", root, "new") == "EPERM"


def test_a_read_only_mount_in_a_writable_directory_refuses_changes(make):
    root = make(("host", "memory"), TREE, {"mount": TREE}, (False, True))
    before = snapshot(root)
    for action in CHANGING:
        if action not in ("rename-to", "link-to"):
            assert act(action, root, "mount/new" if action == "mkdir" else "mount/file") == "EPERM"
    assert outcome(root.rename_at, "file", root, "mount/new") == "EPERM"
    assert outcome(root.set_times_at, "mount", True, 1, 1) == "EPERM"
    assert snapshot(root) == before


def test_where_everything_is_read_only_the_namespace_is(make):
    root = make(("memory", "memory"), {}, {"mount": {}, "a/b": {}}, (True, True))
    assert root.readonly
    way = root.open_at("a", os.O_DIRECTORY, True)
    assert way.readonly
    assert outcome(root.make_dir_at, "x/y/../..") == "EPERM"


# The whole

def test_mounts_may_lie_in_mounts():
    base, one, two, three = (MemoryFS({str(n): b""}) for n in range(4))
    namespace = Namespace(base, {"a/b/c": three, "a": one, "a/b": two, "ab": three})
    root = namespace.open_root()
    tree = {"0": (b"", 1), "ab": {"3": (b"", 1)}}
    tree["a"] = {"1": (b"", 1), "b": {"2": (b"", 1), "c": {"3": (b"", 1)}}}
    assert snapshot(root) == tree
    assert outcome(root.stat_at, "a/b/c/../../../0", True) == "ok"
    assert outcome(root.rename_at, "a/b", root, "x") == "EBUSY"
    above = Namespace(namespace, {"new": three}).open_root()
    assert snapshot(above) == tree | {"new": {"3": (b"", 1)}}
    assert outcome(above.rename_at, "0", above, "a") == "EBUSY"
    assert outcome(above.rename_at, "0", above, "00") == "ok"


def test_made_up_inodes_are_the_same_in_each_run_and_differ_by_place():
    def inodes(at):
        root = Namespace(MemoryFS(), {"a/b/c": MemoryFS(), "d/e": MemoryFS()}, at).open_root()
        return [root.stat_at(path, True)[1] for path in ("a", "a/b", "d")]

    assert inodes("") == inodes("") != inodes("x")
    assert len({*inodes(""), *inodes("x")}) == 6


@pytest.mark.parametrize("path", ["", ".", "a/../b", "a//b", "/a", "a/", "a\0b", "a/.", ".."])
def test_a_path_that_is_not_only_names_is_no_mount_point(path):
    with pytest.raises(ValueError, match="no place to mount"):
        Namespace(MemoryFS(), {path: MemoryFS()})


def test_it_pickles():
    namespace = pickle.loads(pickle.dumps(Namespace(MemoryFS({"f": b""}), {"a/b": MemoryFS()})))
    assert snapshot(namespace.open_root()) == {"f": (b"", 1), "a": {"b": {}}}


def test_what_appears_or_goes_at_a_waypoint_meanwhile_is_seen(tmp_path):
    root = Namespace(HostDir(tmp_path), {"way/mount": MemoryFS({"f": b""})}).open_root()
    assert outcome(root.open_at, "way/new", UPDATE, True) == "EPERM"
    (tmp_path / "way").mkdir()
    assert outcome(root.open_at, "way/new", UPDATE, True) == "ok"
    assert (tmp_path / "way" / "new").exists()
    os.rename(tmp_path / "way", tmp_path / "gone")
    os.symlink("/etc", tmp_path / "way")
    assert snapshot(root)["way"] == {"mount": {"f": (b"", 1)}}
    assert outcome(root.stat_at, "way/passwd", True) == "ENOENT"
    root.close()


# Random operations

class Oracle:
    """Knows from the one plain tree which operations cross a mount or touch a point."""

    def __init__(self, plain):
        self.directories = plain.directories
        root = plain.directories[0].inode
        b = root.entries["b"]
        self.mounts = {root.entries["a"], b.entries["c"]}
        self.points = {(root, "a"), (root, "b"), (b, "c")}

    def end(self, at, path):
        with Walk(self.directories[at]) as walk:
            walk.go(path)
            assert isinstance(walk.directory, MemoryDirectory)
            return walk.directory.inode, walk.name

    def side(self, inode):
        while inode not in self.mounts and inode.parent is not None:
            inode = inode.parent
        return inode if inode in self.mounts else None

    def excused(self, operation, arguments, one_device):
        """The errnos that the namespace may answer whatever the plain tree would."""
        if operation not in ("rename", "link", "remove_dir"):
            return set()
        try:
            ends = [self.end(*arguments[:2])]
            if operation != "remove_dir":
                ends.append(self.end(*arguments[2:]))
        except OSError:
            return set()
        found = set()
        if not one_device and len(ends) == 2 and self.side(ends[0][0]) is not self.side(ends[1][0]):
            found.add("EXDEV")
        if operation != "link" and not self.points.isdisjoint(ends):
            found.add("EBUSY")
        return found


def play(namespace, plain, one_device, seed, count):
    chooser, oracle, history = Chooser(seed), Oracle(plain), []
    met = {"EXDEV": 0, "EBUSY": 0}
    for number in range(count):
        operation = chooser.operation()
        if operation[0] == "open" and operation[1][4] == 0:
            operation = ("open", (*operation[1][:4], 4))
        history.append(operation)
        excused = oracle.excused(*operation, one_device)
        got = namespace.run(*operation)
        if isinstance(got, str) and got in excused:
            met[got] += 1
            continue
        expected = plain.run(*operation)
        assert got == expected, explain(seed, history, {"namespace": got, "plain": expected})
        assert not excused or isinstance(got, str), explain(seed, history, {"namespace": got})
        chooser.learn(*operation, got)
        if number % 250 == 249:
            found = {"namespace": namespace.everything(), "plain": plain.everything()}
            assert found["namespace"] == found["plain"], explain(seed, history, found)
    return met


@pytest.mark.parametrize("kind", ["memory", "host"])
@pytest.mark.parametrize("seed", range(SEED, SEED + max(1, OPERATIONS // 1500)))
def test_a_namespace_behaves_as_one_tree_but_for_what_crosses(tmp_path, kind, seed):
    before = open_descriptors()
    outer = filesystem(kind, tmp_path / "outer", {"a": {"hidden": b"x"}, "b": {"c": b"hidden"}})
    first = filesystem(kind, tmp_path / "first", {})
    second = filesystem(kind, tmp_path / "second", {})
    namespace = World(Namespace(outer, {"a": first, "b/c": second}))
    plain = World(MemoryFS({"a": {}, "b": {"c": {}}}))
    try:
        met = play(namespace, plain, kind == "host", seed, 1000)
    finally:
        for one in (namespace, plain, outer, first, second):
            one.close()
    assert open_descriptors() == before
    assert met["EBUSY"] > 0
    assert (met["EXDEV"] > 0) == (kind == "memory")
