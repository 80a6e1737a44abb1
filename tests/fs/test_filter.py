"""`Filter`: a hidden name is not there, and nothing that a guest can do shows it."""

import os
import pickle
import random

import pytest

from tests.fs.actions import UPDATE, outcome, snapshot
from tests.fs.backends import HOST_BY_THE_WALK, MEMORY, Wrapped, write_out
from tests.fs.contract import FilesystemContract, Place
from tests.fs.test_differential import Chooser, World
from wasi_host.fs.filter import Filter
from wasi_host.fs.host import HostDir, HostFile
from wasi_host.fs.memory import Link, MemoryFS
from wasi_host.fs.patterns import Rules, Verdict

HIDDEN, WAY, SHOWN = Verdict.HIDDEN, Verdict.WAY, Verdict.SHOWN


def without_keys(filesystem):
    return Filter(filesystem, deny="*.never")


class TestMemoryWithSomethingDenied(FilesystemContract):
    factory = staticmethod(Wrapped(MEMORY, without_keys))


@pytest.mark.breadth
class TestHostWithSomethingDenied(FilesystemContract):
    factory = staticmethod(Wrapped(HOST_BY_THE_WALK, without_keys))


@pytest.mark.breadth
class TestMemoryWithAllAllowed(FilesystemContract):
    factory = staticmethod(Wrapped(MEMORY, lambda inner: Filter(inner, allow=["**/*"])))


# Patterns

@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.key", "a.key", SHOWN),
        ("*.key", "d/e/a.key", SHOWN),
        ("*.key", "a.key/inside", SHOWN),
        ("*.key", "a.keys", WAY),
        ("/*.key", "a.key", SHOWN),
        ("/*.key", "d/a.key", HIDDEN),
        ("/*.key", "d", HIDDEN),
        ("d/*.key", "d/a.key", SHOWN),
        ("d/*.key", "d", WAY),
        ("d/*.key", "e/d/a.key", HIDDEN),
        ("d/*.key", "d/e/a.key", HIDDEN),
        ("d/**/*.key", "d/a.key", SHOWN),
        ("d/**/*.key", "d/e/f/a.key", SHOWN),
        ("d/**/*.key", "d/e/f", WAY),
        ("d/**", "d", WAY),
        ("d/**", "d/e/f", SHOWN),
        ("**", "d", SHOWN),
        ("**/d", "d", SHOWN),
        ("**/d", "x/d/y", SHOWN),
        ("**/x/**/y", "x/y", SHOWN),
        ("**/x/**/y", "a/x/b/c/y", SHOWN),
        ("d/", "e/d/f", SHOWN),
        ("[ab]?", "ax", SHOWN),
        ("[ab]?", "a", WAY),
        ("[!a]", "a", WAY),
        ("*", ".hidden", SHOWN),
        ("a*b*c*d", "a" + "b" * 255, WAY),
    ],
)
def test_a_pattern_of_paths(pattern, path, expected):
    assert Rules(pattern, None).verdict(path.split("/")) is expected
    denied = Rules(None, pattern).verdict(path.split("/"))
    assert denied is (HIDDEN if expected is SHOWN else SHOWN)


def test_denying_is_stronger_than_allowing_and_no_pattern_allows_nothing():
    rules = Rules(["pub", "*.txt"], ["*.key", "pub/private"])
    assert rules.verdict(["pub", "a.key"]) is HIDDEN
    assert rules.verdict(["pub", "private", "a.txt"]) is HIDDEN
    assert rules.verdict(["pub", "other"]) is SHOWN
    assert Rules([], None).verdict(["a"]) is HIDDEN
    assert Rules(None, []).verdict(["a"]) is SHOWN
    assert Rules(None, None).verdict([]) is SHOWN


def test_many_stars_take_no_time():
    assert Rules(None, "*a*a*a*a*a*a*a*a*b").verdict(["a" * 255]) is SHOWN
    assert Rules(None, "**/" * 20 + "x").verdict(["a"] * 500) is SHOWN


@pytest.mark.parametrize("pattern", ["", "/", "..", "a/../b", "a//b", "./a", "a\0b"])
def test_a_pattern_of_nothing_inside_is_refused(pattern):
    with pytest.raises(ValueError, match="no pattern"):
        Filter({}, deny=[pattern])


@pytest.mark.parametrize("patterns", [5, [5], b"*.key", [None]])
def test_what_is_no_pattern_is_refused(patterns):
    with pytest.raises(TypeError):
        Filter({}, allow=patterns)


# Names

TREE = {
    "a.txt": b"text", "a.key": b"secret", "d": {"b.txt": b"b", "b.key": b"secret", "e": {}},
    "private": {"c.txt": b"secret", "f": {}}, "to_key": Link("a.key"), "in": Link("private/c.txt"),
    "round": Link("private/../a.txt"), "up": Link("d/../a.txt"),
}  # fmt: skip
SECRETS = ["a.key", "d/b.key", "private", "private/c.txt", "private/f", "d/../private/c.txt"]


@pytest.fixture(params=["host", "memory"])
def make(request, tmp_path):
    """Opens a filter over the tree; closes it."""
    places = []

    def make(*, tree=TREE, **rules):
        if request.param == "host":
            write_out(tree, tmp_path / "root")
            source = HostDir(tmp_path / "root")
        else:
            source = MemoryFS(tree)
        places.append(Place(Filter(source, **rules), frozenset()))
        return places[-1]

    yield make
    for place in places:
        place.close()


@pytest.fixture
def place(make):
    return make(deny=["*.key", "/private"])


def unfiltered(place):
    root = place.filesystem.inner.open_root()
    found = snapshot(root)
    root.close()
    return found


def test_a_hidden_name_is_not_listed_and_not_found(place):
    before = unfiltered(place)
    root = place.root
    assert sorted(place.names(".")) == ["a.txt", "d", "in", "round", "to_key", "up"]
    assert sorted(place.names("d")) == ["b.txt", "e"]
    for path in SECRETS:
        for call, *args in (
            (root.open_at, path, os.O_RDONLY, True), (root.open_at, path, os.O_RDWR, True),
            (root.open_at, path, os.O_TRUNC, True), (root.stat_at, path, True),
            (root.stat_at, path, False), (root.set_times_at, path, False, 1, 1),
            (root.read_link_at, path), (root.unlink_at, path), (root.remove_dir_at, path),
            (root.rename_at, path, root, "new"), (root.link_at, path, root, "new"),
        ):  # fmt: skip
            assert outcome(call, *args) == "ENOENT", (path, call)
    assert unfiltered(place) == before


def test_creating_a_hidden_name_is_eperm_whether_or_not_it_is_there(place):
    before = unfiltered(place)
    root = place.root
    for path in ("a.key", "d/b.key", "private", "new.key", "d/e/x.key"):
        for call, *args in (
            (root.open_at, path, UPDATE, True), (root.open_at, path, UPDATE | os.O_EXCL, True),
            (root.make_dir_at, path), (root.symlink_at, "t", path),
            (root.rename_at, "a.txt", root, path), (root.rename_at, "d/e", root, path),
            (root.link_at, "a.txt", root, path),
        ):  # fmt: skip
            assert outcome(call, *args) == "EPERM", (path, call)
    for path in ("private/new", "private/f/new"):
        assert outcome(root.open_at, path, UPDATE, True) == "ENOENT"
    assert unfiltered(place) == before


def test_no_link_reaches_a_hidden_name(place):
    root = place.root
    for path in ("to_key", "in", "round", "in/..", "to_key/x"):
        assert outcome(root.open_at, path, os.O_RDONLY, True) == "ENOENT"
    assert outcome(root.open_at, "to_key", UPDATE, True) == "EPERM"
    assert root.read_link_at("to_key") == "a.key"
    assert place.read("up") == b"text"
    root.symlink_at("private/c.txt", "mine")
    root.symlink_at("../a.key", "d/mine")
    for path in ("mine", "d/mine"):
        assert outcome(root.open_at, path, os.O_RDONLY, True) == "ENOENT"


def test_a_directory_with_hidden_names_is_not_empty(place):
    place.root.unlink_at("d/b.txt")
    place.root.remove_dir_at("d/e")
    assert place.names("d") == []
    assert outcome(place.root.remove_dir_at, "d") == "ENOTEMPTY"


def test_files_are_those_of_the_source(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    place = Place(Filter(tmp_path, deny="*.key"), frozenset())
    assert type(place.open("file", os.O_RDWR)) is HostFile
    place.close()


# Allowing

def test_only_what_is_allowed_and_the_way_there_is_seen(make):
    tree = {
        "out": {"a.csv": b"1", "a.bin": b"2", "deep": {"b.csv": b"3", "c": {}}, "csv": b"4"},
        "other": {"a.csv": b"5"}, "file": b"6", "to_other": Link("other/a.csv"),
    }  # fmt: skip
    place = make(tree=tree, allow="out/**/*.csv")
    assert snapshot(place.root) == {
        "out": {"a.csv": (b"1", 1), "deep": {"b.csv": (b"3", 1), "c": {}}}
    }
    root = place.root
    for path in ("other", "other/a.csv", "file", "out/a.bin", "out/csv", "to_other", "out/csv/x"):
        assert outcome(root.stat_at, path, True) == "ENOENT"
        assert outcome(root.open_at, path, os.O_RDONLY, True) == "ENOENT"
    assert outcome(root.open_at, "out/new.csv", UPDATE, True) == "ok"
    assert outcome(root.make_dir_at, "out/new") == "ok"
    assert outcome(root.open_at, "out/new/x.csv", UPDATE, True) == "ok"
    assert outcome(root.symlink_at, "a.csv", "out/link.csv") == "ok"
    for path in ("out/new.bin", "out/csv", "out/new/x"):
        assert outcome(root.open_at, path, UPDATE, True) == "EPERM"
        assert outcome(root.symlink_at, "t", path) == "EPERM"
        assert outcome(root.rename_at, "out/a.csv", root, path) == "EPERM"
    for path in ("out/csv", "out/a.bin", "new", "other"):
        assert outcome(root.make_dir_at, path) == "EPERM"
    assert outcome(root.make_dir_at, "out") == "EEXIST"


# Moving directories

@pytest.mark.parametrize(
    ("rules", "name", "to"),
    [
        ({"deny": "secret/*"}, "secret", "open"),
        ({"deny": "secret/*"}, "outer/secret", "secret"),
        ({"deny": "a/**/x"}, "a", "b"),
        ({"allow": ["pub", "a/*.txt"]}, "a", "pub/a"),
        ({"allow": ["pub", "a/*.txt"]}, "pub/d", "a"),
    ],
)
def test_moving_a_directory_never_shows_or_hides_what_is_in_it(make, rules, name, to):
    tree = {
        "secret": {"x": b"s"}, "outer": {"secret": {"x": b"o"}}, "a": {"b": {"x": b"a"}, "c": b""},
        "pub": {"d": {"x": b"p"}},
    }  # fmt: skip
    place = make(tree=tree, **rules)
    before = unfiltered(place)
    assert outcome(place.root.rename_at, name, place.root, to) == "EPERM"
    assert unfiltered(place) == before


def test_an_open_directory_takes_its_rules_along_when_it_is_moved(make):
    place = make(tree={"a": {"e": {"f": {}}}, "c": {}}, deny=["a/**/x", "c/**/y"])
    root = place.root
    inside, deep = place.open("a", os.O_DIRECTORY), place.open("a/e/f", os.O_DIRECTORY)
    root.rename_at("a", root, "c/moved")
    for node in (inside, deep):
        assert outcome(node.open_at, "y", UPDATE, True) == "EPERM"
        assert outcome(node.open_at, "x", UPDATE, True) == "ok"
    assert sorted(place.names("c/moved")) == ["e", "x"]


def test_renames_among_what_is_seen_work(make):
    place = make(deny=["*.key", "/private"])
    root = place.root
    root.rename_at("d", root, "g")
    root.rename_at("a.txt", root, "g/e/a.txt")
    root.link_at("g/e/a.txt", root, "again")
    assert place.read("again") == b"text"
    assert sorted(place.names("g")) == ["b.txt", "e"]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_hidden_is_seen_or_changed_by_random_operations(make, seed):
    tree = {
        "a": {"b": {"hid": b"secret", "c": {}}, "a": b""}, "b": {"hid": b"s"}, "hid": {"a": b"s"},
    }  # fmt: skip
    place = make(tree=tree, deny=["hid", "/a/b/c"])
    world, chooser = World(place.filesystem), Chooser(seed)
    hidden = random.Random(seed)

    def secrets(found, above=()):
        got = set()
        for name, content in found.items():
            path = (*above, name)
            if place.filesystem._rules.verdict(path) is HIDDEN:
                got.add((path, str(content)))
            elif isinstance(content, dict):
                got |= secrets(content, path)
        return got

    before = {content for _, content in secrets(unfiltered(place))}
    for _ in range(600):
        operation, arguments = chooser.operation()
        arguments = tuple(
            argument.replace("d", "hid") if isinstance(argument, str) and hidden.random() < 0.3
            else argument for argument in arguments
        )  # fmt: skip
        chooser.learn(operation, arguments, world.run(operation, arguments))
    world.close()
    after = unfiltered(place)
    assert {content for _, content in secrets(after)} == before
    assert "secret" not in str(snapshot(place.root))


def test_another_filter_is_another_filesystem(make):
    one, other = make(deny="x"), Place(Filter({"t": b""}, deny="x"), frozenset())
    assert outcome(one.root.rename_at, "a.txt", other.root, "new") == "EXDEV"
    assert outcome(other.root.link_at, "t", one.root, "new") == "EXDEV"


def test_it_pickles(tmp_path):
    (tmp_path / "a.key").write_bytes(b"")
    (tmp_path / "b").write_bytes(b"")
    again = pickle.loads(pickle.dumps(Filter(tmp_path, deny=(each for each in ["*.key"]))))
    root = again.open_root()
    assert [entry.name for entry in root.entries()] == ["b"]
    root.close()
    assert repr(again) == f"Filter({HostDir(tmp_path)!r}, allow=None, deny=('*.key',))"
