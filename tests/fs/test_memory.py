"""What only a filesystem in memory has: its tree, its clock, holes, limits, sharing by threads."""

import os
import pickle
import threading
import tracemalloc

import pytest

from tests.fs.actions import UPDATE, outcome
from wasi_host.fs.memory import Link, MemoryDirectory, MemoryFile, MemoryFS
from wasi_host.fs.memory_data import PAGE, FileInode


def test_a_tree_is_made_of_bytes_text_dicts_links_and_host_files(tmp_path):
    (tmp_path / "host.txt").write_bytes(b"from the host")
    fs = MemoryFS({
        "bytes": b"\xff", "array": bytearray(b"x"), "text": "\u20ac", "empty": {},
        "a/b/c.txt": "deep", "a": {"d": b""}, "link": Link("a/d"), "host": tmp_path / "host.txt",
    })  # fmt: skip
    assert fs.tree() == {
        "bytes": b"\xff", "array": b"x", "text": b"\xe2\x82\xac", "empty": {},
        "a": {"b": {"c.txt": b"deep"}, "d": b""}, "link": Link("a/d"), "host": b"from the host",
    }  # fmt: skip


def test_a_host_tree_is_read_once_with_its_links_as_links(tmp_path):
    source = tmp_path / "source"
    (source / "sub" / "empty").mkdir(parents=True)
    (source / "sub" / "file").write_bytes(b"1")
    (source / "link").symlink_to("/etc/passwd")
    os.mkfifo(source / "fifo")
    inside = {"sub": {"empty": {}, "file": b"1"}, "link": Link("/etc/passwd")}
    (tmp_path / "way").symlink_to("source")
    for tree, expected in (
        (source, inside), (tmp_path / "way", inside), ({"x/y": source}, {"x": {"y": inside}}),
    ):  # fmt: skip
        fs = MemoryFS(tree)
        assert fs.tree() == expected
    (source / "sub" / "file").write_bytes(b"2")
    assert fs.read_bytes("x/y/sub/file") == b"1"
    assert outcome(MemoryFS(source).open_root().open_at, "link", os.O_RDONLY, True) == "EPERM"


@pytest.mark.parametrize(
    ("tree", "error", "word"),
    [
        ({"a": 1}, TypeError, "'a': bytes, str, a dict"),
        ({"a": {"b": None}}, TypeError, "'a/b'"),
        ({1: b""}, TypeError, "a name in a tree is a str, not int"),
        ({b"a": b""}, TypeError, "not bytes"),
        ([("a", b"")], TypeError, "a tree is a dict or a path object"),
        ("a", TypeError, "not str"),
        ({"": b""}, ValueError, "empty name"),
        ({"/a": b""}, ValueError, "empty name"),
        ({"a/": b""}, ValueError, "empty name"),
        ({"a//b": b""}, ValueError, "empty name"),
        ({"..": b""}, ValueError, "'..' is no name"),
        ({"a/./b": b""}, ValueError, "'.' is no name"),
        ({"a/../b": b""}, ValueError, "'..' is no name"),
        ({"a\0b": b""}, ValueError, "NUL"),
        ({"n" * 256: b""}, ValueError, "more than 255 bytes"),
        ({"\udc80": b""}, ValueError, "UTF-8"),
        ({"a": "\ud800"}, ValueError, "UTF-8"),
        ({"a": b"", "a/b": b""}, ValueError, "'a': given twice"),
        ({"a": {"b": b""}, "a/b": b""}, ValueError, "'a/b': given twice"),
        ({"a": {"b": b""}, "a/b": {}}, ValueError, "'a/b': given twice"),
        ({"l": Link("x"), "l/b": b""}, ValueError, "below a file"),
        ({"l": Link("")}, ValueError, "needs a target"),
        ({"l": Link("a\0")}, ValueError, "without NUL"),
        ({"l": Link("x" * 4096)}, ValueError, "4095"),
    ],
)
def test_a_tree_that_cannot_be_is_refused_with_a_word(tree, error, word):
    with pytest.raises(error) as caught:
        MemoryFS(tree)
    assert word in str(caught.value)


def test_a_dict_that_contains_itself_is_refused():
    tree = {}
    tree["again"] = tree
    with pytest.raises(ValueError, match="a dict in itself"):
        MemoryFS(tree)


def test_a_host_tree_that_is_not_there_is_an_error_of_its_kind(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FileNotFoundError):
        MemoryFS(tmp_path / "missing")
    with pytest.raises(NotADirectoryError):
        MemoryFS(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        MemoryFS({"x": tmp_path / "missing"})


def test_python_reads_and_writes_it_by_path():
    fs = MemoryFS({"a": {"b": b"1"}, "l": Link("a/b"), "out": Link("/etc")})
    fs.write_bytes("new/deep/file", b"2")
    fs.write_bytes("/a/b", b"longer")
    fs.write_bytes("a/b", b"3")
    assert fs.read_bytes("l") == fs.read_bytes("/a/b") == b"3"
    assert fs.listdir() == fs.listdir("/") == ["a", "l", "out", "new"]
    assert fs.listdir("new") == ["deep"]
    for error, call, path in (
        (FileNotFoundError, fs.read_bytes, "missing"),
        (IsADirectoryError, fs.read_bytes, "a"),
        (NotADirectoryError, fs.listdir, "l"),
        (PermissionError, fs.read_bytes, "out"),
        (PermissionError, fs.read_bytes, "../x"),
    ):
        with pytest.raises(error):
            call(path)


def test_python_may_write_what_a_guest_may_only_read():
    fs = MemoryFS({"a": b"1"}, readonly=True)
    fs.write_bytes("a", b"2")
    root = fs.open_root()
    assert root.readonly
    assert outcome(root.open_at, "a", os.O_RDWR, True) == "EPERM"
    node = root.open_at("a", os.O_RDONLY, True)
    assert node.readonly
    assert node.pread(9, 0) == b"2"


def test_the_clock_and_the_numbers_make_a_run_repeatable():
    def run():
        ticks = iter(range(1000, 9999))
        fs = MemoryFS({"a": b"1"}, clock=lambda: next(ticks), device=7)
        root = fs.open_root()
        root.make_dir_at("d")
        root.open_at("d/f", UPDATE, True).pwrite(b"x", 0)
        root.rename_at("a", root, "d/a")
        return [root.stat_at(path, True) for path in (".", "d", "d/f", "d/a")]

    assert run() == run()
    assert run()[0][0] == 7


def test_two_filesystems_have_two_devices():
    one, other = MemoryFS().open_root(), MemoryFS().open_root()
    assert one.stat()[0] != other.stat()[0]


def test_changes_of_names_move_the_times_of_directories_and_inodes():
    now = [0]

    def clock():
        now[0] += 1
        return now[0]

    fs = MemoryFS({"a": b"1", "d": {}}, clock=clock)
    root = fs.open_root()

    def moved(path, call, *args):
        before = root.stat_at(path, True)
        call(*args)
        after = root.stat_at(path, True)
        return after[6] > before[6], after[7] > before[7]

    assert moved("d", root.link_at, "a", root, "d/b") == (True, True)
    assert moved("a", root.unlink_at, "d/b") == (False, True)
    assert moved("d", root.make_dir_at, "d/e") == (True, True)
    assert moved("d", root.rename_at, "d/e", root, "e") == (True, True)
    assert moved(".", root.remove_dir_at, "e") == (True, True)
    assert moved("a", root.set_times_at, "a", True, 5, None) == (False, True)
    node = root.open_at("a", os.O_RDWR, True)
    assert moved("a", node.truncate, 0) == (True, True)
    assert moved("a", node.append, b"x") == (True, True)
    assert moved("a", node.pread, 1, 0) == (False, False)
    assert moved("a", node.append, b"") == (False, False)


def test_directories_count_their_subdirectories():
    root = MemoryFS({"d": {"e": {}, "f": b""}}).open_root()
    assert root.stat_at("d", True)[3] == 3
    root.rename_at("d/e", root, "e")
    assert root.stat_at("d", True)[3] == 2
    inside = root.open_at("d", os.O_RDONLY, True)
    root.unlink_at("d/f")
    root.remove_dir_at("d")
    assert inside.stat()[3] == 0


def test_a_write_at_one_gibibyte_costs_little():
    node = MemoryFS().open_root().open_at("f", UPDATE, True)
    tracemalloc.start()
    try:
        node.pwrite(b"x", 1 << 30)
        node.truncate(1 << 40)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert node.inode.stored <= 2 * PAGE
    assert node.pread(3, (1 << 30) - 1) == b"\0x\0"
    assert node.stat()[4] == 1 << 40


def test_a_hole_that_is_filled_ends_as_one_dense_prefix():
    node = MemoryFS().open_root().open_at("f", UPDATE, True)
    node.pwrite(b"end", 10 * PAGE)
    assert len(node.inode.data) == 0
    for offset in range(0, 10 * PAGE, 1000):
        node.pwrite(b"x" * 1000, offset)
    assert len(node.inode.data) == node.inode.size == 41_000
    assert node.inode.stored == node.inode.size


def test_the_dense_prefix_is_what_may_be_read_directly():
    node = MemoryFS({"f": b"abc"}).open_root().open_at("f", os.O_RDWR, True)
    node.truncate(10)
    node.pwrite(b"z", 100_000)
    inode = node.inode
    assert isinstance(node, MemoryFile)
    assert isinstance(inode, FileInode)
    assert bytes(inode.data[0:3]) == node.pread(3, 0) == b"abc"
    assert inode.size == 100_001 >= len(inode.data)


def test_who_keeps_a_view_of_the_prefix_does_not_stop_others():
    node = MemoryFS({"f": b"abc"}).open_root().open_at("f", os.O_RDWR, True)
    view = memoryview(node.inode.data)
    assert node.append(b"def") == 3
    assert node.pread(9, 0) == b"abcdef"
    assert bytes(view) == b"abc"


def test_the_size_limit_makes_a_write_short_and_then_efbig():
    node = MemoryFS(max_file_bytes=10).open_root().open_at("f", UPDATE, True)
    assert node.pwrite(b"x" * 8, 0) == 8
    assert node.append(b"y" * 8) == 2
    assert outcome(node.append, b"z") == "EFBIG"
    assert outcome(node.pwrite, b"z", 10) == "EFBIG"
    assert outcome(node.truncate, 11) == "EFBIG"
    assert outcome(node.allocate, 5, 6) == "EFBIG"
    assert node.pwrite(b"", 100) == 0
    assert node.pread(100, 0) == b"x" * 8 + b"yy"


def test_a_file_may_have_16_tebibytes():
    node = MemoryFS().open_root().open_at("f", UPDATE, True)
    node.truncate(1 << 44)
    assert outcome(node.truncate, (1 << 44) + 1) == "EFBIG"
    assert node.pwrite(b"xy", (1 << 44) - 1) == 1
    assert outcome(node.pwrite, b"x", 1 << 62) == "EFBIG"
    assert node.pread(10, 1 << 62) == b""


def test_directories_too_deep_are_enametoolong_and_what_is_there_is_still_shown():
    fs = MemoryFS()
    directory = fs.open_root()
    made = "ok"
    while made == "ok":
        made = outcome(directory.make_dir, "d")
        if made == "ok":
            directory = directory.open_entry("d", os.O_DIRECTORY)
    assert made == "ENAMETOOLONG"
    tree, depth = fs.tree(), 0
    while tree:
        tree, depth = tree["d"], depth + 1
    assert depth > 1_000


def test_it_pickles_with_links_and_times():
    fs = MemoryFS({"a": b"1", "d": {"l": Link("../a")}})
    fs.open_root().link_at("a", fs.open_root(), "d/a")
    again = pickle.loads(pickle.dumps(fs))
    assert again.tree() == fs.tree()
    assert again.open_root().stat_at("a", True) == fs.open_root().stat_at("a", True)
    again.write_bytes("a", b"2")
    assert again.read_bytes("d/a") == b"2"
    assert fs.read_bytes("d/a") == b"1"


def test_threads_may_create_rename_and_append_at_once():
    fs = MemoryFS({"log": b""})
    failures = []

    def work(number):
        root = fs.open_root()
        log = root.open_at("log", os.O_RDWR, True)
        try:
            for turn in range(300):
                name = f"{number}-{turn}"
                root.open_at(name, UPDATE | os.O_EXCL, True).pwrite(b"x", 0)
                root.make_dir_at(f"{name}.d")
                root.rename_at(name, root, f"{name}.d/file")
                log.append(b"%d" % number * 7)
                assert len(root.entries()) > turn
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    log = fs.read_bytes("log")
    assert sorted(log[n : n + 7] for n in range(0, len(log), 7)) == sorted(
        b"%d" % number * 7 for number in range(4) for _ in range(300)
    )
    assert len(fs.listdir()) == 1 + 4 * 300
    inos = [inode[1] for inode in fs.open_root().entries()]
    assert len(set(inos)) == len(inos)


def test_cutting_while_others_overwrite_never_moves_their_bytes():
    node = MemoryFS().open_root().open_at("f", UPDATE, True)
    stop = threading.Event()

    def overwrite():
        while not stop.is_set():
            node.pwrite(b"B" * 10, 100)

    thread = threading.Thread(target=overwrite)
    thread.start()
    try:
        for _ in range(3_000):
            node.truncate(0)
            data = node.pread(500, 0)
            assert data in (b"", bytes(100), bytes(100) + b"B" * 10), data
            node.pwrite(bytes(110), 0)
            assert len(node.pread(500, 0)) == 110
    finally:
        stop.set()
        thread.join()


def test_the_root_is_fresh_each_time():
    fs = MemoryFS({"a": b""})
    one, other = fs.open_root(), fs.open_root()
    assert isinstance(one, MemoryDirectory)
    assert one is not other
    one.close()
    assert outcome(other.stat_at, "a", True) == "ok"
