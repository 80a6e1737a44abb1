"""`Archive`: what is in it is served in place, and what is wrong with it is told at once."""

import contextlib
import io
import os
import pickle
import random
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import pytest

from tests.fs.actions import outcome, snapshot
from tests.fs.archives import MAKERS, Archived, tar_of, tar_with, zip_link, zip_of
from tests.fs.contract import FilesystemContract, Place
from tests.fs.lacking import CHANGES
from wasi_host.fs.archive import Archive
from wasi_host.fs.memory import Link

MIB = 1 << 20


class TestDeflatedZip(FilesystemContract):
    factory = staticmethod(Archived("deflated zip"))
    lacks = frozenset({CHANGES})


@pytest.mark.breadth
class TestTar(FilesystemContract):
    factory = staticmethod(Archived("pax tar"))
    lacks = frozenset({CHANGES})


@pytest.mark.breadth
class TestCompressedTar(FilesystemContract):
    factory = staticmethod(Archived("tar.xz"))
    lacks = frozenset({CHANGES})


@contextlib.contextmanager
def takes_at_most(size):
    """Looks at how much memory is taken at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


def opened(data, **options):
    return Place(Archive(data, **options), frozenset())


TREE = {
    "a": b"content", "empty": b"", "d": {"e": {"f": b"deep"}, "back": Link("../a")}, "none": {},
    "long" * 50: b"name", "\u00e9": b"\xff\0", "over/the": {"top": b"x"}, "c:\\x": b"drive",
}  # fmt: skip


# What is in it

@pytest.mark.parametrize("kind", MAKERS)
def test_a_tree_is_found_again(kind):
    tree = {name: content for name, content in TREE.items() if "/" not in name}
    place = opened(MAKERS[kind](tree))
    found = snapshot(place.root)
    assert found["a"] == (b"content", 1)
    assert found["d"] == {"e": {"f": (b"deep", 1)}, "back": ("link", "../a")}
    assert (found["none"], found["empty"]) == ({}, (b"", 1))
    assert (found["long" * 50], found["\u00e9"]) == ((b"name", 1), (b"\xff\0", 1))
    assert found["c:\\x"] == (b"drive", 1)
    assert place.read("d/back") == b"content"


@pytest.mark.parametrize("kind", MAKERS)
def test_large_files_are_read_in_any_order_in_bounded_memory(kind):
    chooser = random.Random(1)
    data = b"".join(chooser.randbytes(500) * 20 for _ in range(600))
    place = opened(MAKERS[kind]({"big": data, "other": b"o" * 100}))
    node, twin = place.open("big"), place.open("big")
    for _ in range(60):
        offset, size = chooser.randrange(len(data) + 10), chooser.choice((1, 5_000, 100_000))
        assert node.pread(size, offset) == data[offset : offset + size]
    assert twin.pread(len(data) + 1, 0) == data
    assert place.read("other") == b"o" * 100
    with takes_at_most(2 * MIB):
        place.open("big").pread(10, len(data) - 10)


def test_directories_that_names_imply_are_made_up():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x/y/z", b"1")
        archive.writestr("./x//w", b"2")
    for data in (file.getvalue(), tar_with([("x/y/z", b"1"), ("./x//w", b"2")])):
        place = opened(data)
        assert snapshot(place.root) == {"x": {"y": {"z": (b"1", 1)}, "w": (b"2", 1)}}
        y = place.open("x/y", os.O_DIRECTORY)
        assert y.parent_ino() == place.root.stat_at("x", True)[1]
        assert y.stat()[3] == 2
        assert place.root.parent_ino() is None


def test_times_and_sizes_are_those_of_the_archive():
    info = tarfile.TarInfo("a")
    info.pax_headers = {"mtime": "1234567890.123456789"}
    info.mtime = 1234567890.123456789
    stat = opened(tar_with([("a", info)], format=tarfile.PAX_FORMAT)).root.stat_at("a", True)
    assert stat[5:] == (1234567890_123456789,) * 3
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("dos", (2001, 2, 3, 4, 5, 6)), b"12345")
        unix = zipfile.ZipInfo("unix")
        unix.extra = struct.pack("<HHBi", 0x5455, 5, 1, 987654321)
        archive.writestr(unix, b"")
        archive.writestr(zipfile.ZipInfo("wrong", (1980, 0, 0, 0, 0, 0)), b"")
    root = opened(file.getvalue()).root
    assert root.stat_at("dos", True)[4] == 5
    assert root.stat_at("dos", True)[6] == 981173106_000000000
    assert root.stat_at("unix", True)[6] == 987654321_000000000
    assert root.stat_at("wrong", True)[6] >= 0


def test_inodes_and_device_are_the_same_each_time(tmp_path):
    (tmp_path / "a.zip").write_bytes(zip_of(TREE))

    def numbers():
        place = opened(tmp_path / "a.zip")
        return [place.root.stat_at(path, False)[:2] for path in ("a", "d", "d/e/f", "none")]

    assert numbers() == numbers()
    assert len({ino for _, ino in numbers()}) == 4


def test_hard_links_are_names_of_one_file():
    link = tarfile.TarInfo()
    link.type, link.linkname = tarfile.LNKTYPE, "d/a"
    soft = tarfile.TarInfo()
    soft.type, soft.linkname = tarfile.LNKTYPE, "s"
    place = opened(tar_with([("d/a", b"1"), ("s", Link("d/a")), ("b", link), ("t", soft)]))
    assert place.read("b") == place.read("t") == b"1"
    assert place.root.stat_at("b", False) == place.root.stat_at("d/a", False)
    assert place.root.stat_at("b", False)[3] == 2
    assert place.root.read_link_at("t") == "d/a"


def test_of_two_members_with_one_path_the_last_counts():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"last")
    for data in (file.getvalue(), tar_with([("a", b"first"), ("./a", b"last")])):
        place = opened(data)
        assert place.names(".") == ["a"]
        assert place.read("a") == b"last"
        assert place.root.stat_at("a", True)[3] == 1


def test_what_is_no_file_directory_or_link_is_left_out():
    fifo, device = tarfile.TarInfo(), tarfile.TarInfo()
    fifo.type, device.type = tarfile.FIFOTYPE, tarfile.CHRTYPE
    assert opened(tar_with([("f", fifo), ("d", device), ("a", b"")])).names(".") == ["a"]


def test_sparse_members_have_their_holes():
    data = b"".join([b"head", bytes(4092), b"x" * 4096])
    header = tarfile.TarInfo("sparse")
    header.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse",
        "GNU.sparse.realsize": str(1 << 30),
    }  # fmt: skip
    table = b"2\n0\n4\n1048576\n4096\n".ljust(512, b"\0")
    body = table + data[:4] + data[4096:]
    header.size = len(body)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(header, io.BytesIO(body))
    node = opened(file.getvalue()).open("sparse")
    assert node.stat()[4] == 1 << 30
    assert node.pread(8, 0) == b"head" + bytes(4)
    assert node.pread(8, MIB - 4) == bytes(4) + b"xxxx"
    assert node.pread(8, MIB + 4092) == b"xxxx" + bytes(4)
    assert node.pread(100, (1 << 30) - 5) == bytes(5)


def test_a_zip_archive_may_have_a_program_in_front():
    assert opened(b"#!/bin/sh\nexit\n" + zip_of({"a": b"x"})).read("a") == b"x"


def test_it_is_made_of_a_path_bytes_or_an_open_file(tmp_path):
    data = tar_of({"a": b"x"}, "gz")
    (tmp_path / "a.tgz").write_bytes(data)
    with open(tmp_path / "a.tgz", "rb") as file:
        sources = [str(tmp_path / "a.tgz"), tmp_path / "a.tgz", data, io.BytesIO(data), file]
        for source in sources:
            assert opened(source).read("a") == b"x"
        assert file.read(2) is not None
        with pytest.raises(TypeError, match="does not pickle"):
            pickle.dumps(Archive(file))
    for source in sources[:3]:
        again = pickle.loads(pickle.dumps(Archive(source)))
        assert Place(again, frozenset()).read("a") == b"x"
    with pytest.raises(TypeError, match="a path, bytes or an open file"):
        Archive(5)
    with pytest.raises(FileNotFoundError):
        Archive(tmp_path / "missing")
    with pytest.raises(ValueError, match="is no file"):
        Archive(tmp_path)


# Catalogue N 83

HOSTILE = [
    "../x", "a/../../x", "a/../x", "/etc/passwd", "//x", "a\0b", "n" * 256, "/".join("d" * 3000),
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: repr(path[:12]))
def test_n83_a_name_that_leads_out_or_cannot_be_is_refused(path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("good", b"")
        name = path.replace("\0", "N")
        archive.writestr(name, b"")
    data = file.getvalue().replace(b"aNb", b"a\0b")
    with pytest.raises(ValueError, match="cannot be served: the member"):
        Archive(data)
    if "\0" not in path:
        with pytest.raises(ValueError, match="cannot be served: the member"):
            Archive(tar_with([("good", b""), (path, b"")], format=tarfile.PAX_FORMAT))


def test_n83_nothing_is_written_or_read_through_a_link():
    for entries in (
        [("a", Link("/etc")), ("a/passwd", b"")], [("a", Link("d")), ("d", None), ("a/x", b"")],
        [("a", b"file"), ("a/x", b"")], [("d/x", b""), ("d", b"file")],
    ):  # fmt: skip
        with pytest.raises(ValueError, match="directory"):
            Archive(tar_with(entries))


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "d/../../x", "l", "missing"])
def test_n83_a_link_that_leads_out_or_nowhere_is_refused_when_it_is_followed(target):
    expected = {"l": "ELOOP", "missing": "ENOENT"}.get(target, "EPERM")
    tree = {"d": {}, "l": Link(target)}
    for data in (zip_of(tree), tar_of(tree)):
        root = opened(data).root
        assert outcome(root.open_at, "l", os.O_RDONLY, True) == expected
        assert outcome(root.stat_at, "l", False) == "ok"


@pytest.mark.parametrize("of", ["missing", "../x", "/etc/passwd", "d", "later"])
def test_n83_a_hard_link_to_nothing_in_the_archive_is_refused(of):
    link = tarfile.TarInfo()
    link.type, link.linkname = tarfile.LNKTYPE, of
    with pytest.raises(ValueError, match="cannot be served"):
        Archive(tar_with([("d", None), ("l", link), ("later", b"")]))


@pytest.mark.parametrize("target", ["", "a\0b", "x" * 4096])
def test_n83_a_link_without_a_possible_text_is_refused(target):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(*zip_link("l", target))
    with pytest.raises(ValueError, match="the link"):
        Archive(file.getvalue())


def test_n83_an_encrypted_member_is_refused():
    data = bytearray(zip_of({"a": b"x"}))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(ValueError, match="'a' is encrypted"):
        Archive(bytes(data))


def test_n83_an_unknown_method_is_refused():
    data = bytearray(zip_of({"a": b"x"}))
    data[data.index(b"PK\x01\x02") + 10] = 97
    with pytest.raises(ValueError, match=r"method 97|compression"):
        Archive(bytes(data))


def test_n83_a_bomb_is_refused_by_its_size_and_read_in_bounded_memory():
    data = zip_of({"bomb": bytes(64 * MIB)})
    assert len(data) < 100_000
    with pytest.raises(ValueError, match="more than 1048576"):
        Archive(data, max_bytes=MIB)
    node = opened(data).open("bomb")
    with takes_at_most(8 * MIB):
        assert node.pread(10, 60 * MIB) == bytes(10)
        assert node.pread(MIB, 5) == bytes(MIB)


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_n83_a_compressed_tar_bomb_is_stopped_at_its_limit(compression):
    data = tar_with([("bomb", bytes(32 * MIB))], compression)
    with takes_at_most(16 * MIB), pytest.raises(ValueError, match="more than 1048576 bytes"):
        Archive(data, max_bytes=MIB)
    assert opened(data).open("bomb").pread(5, 32 * MIB - 5) == bytes(5)


def test_n83_a_member_that_says_less_or_more_than_it_holds_is_eio():
    for size in (3, 50):
        data = bytearray(zip_of({"a": b"0123456789" * 2}))
        at = data.index(b"PK\x01\x02")
        data[at + 24 : at + 28] = struct.pack("<I", size)
        node = opened(bytes(data)).open("a")
        assert outcome(node.pread, 100, 0) == "EIO"


@pytest.mark.parametrize("kind", MAKERS)
def test_n83_an_archive_that_is_cut_off_is_refused_or_eio(kind):
    chooser = random.Random(2)
    content = chooser.randbytes(5000)
    data = MAKERS[kind]({"d": {"a": content}, "b": b"y" * 2000, "c": Link("d/a")})
    for cut in range(0, len(data) - 1100, 97):
        try:
            place = opened(data[:cut])
        except ValueError:
            continue
        for path, whole in (("d/a", content), ("b", b"y" * 2000)):
            expected = ("ok", "EIO", "ENOENT") if "tar" in kind else ("ok", "EIO")
            assert outcome(place.read, path) in expected
            if outcome(place.read, path) == "ok":
                assert place.read(path) == whole


@pytest.mark.parametrize("kind", MAKERS)
def test_n83_damage_anywhere_is_a_valueerror_or_an_errno_and_never_hangs(kind):
    chooser = random.Random(3)
    data = MAKERS[kind]({"d": {"a": b"content" * 100}, "b": b"y" * 2000, "c": Link("d/a")})
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chooser.randrange(1, 6)):
            damaged[chooser.randrange(len(damaged))] = chooser.choice((0, 255, 0x80, 0x2F, 0x2E))
        try:
            place = opened(bytes(damaged), max_bytes=1 << 20)
        except ValueError:
            continue
        for path in ("d/a", "b", "c", "d", "."):
            try:
                node = place.open(path)
                if node.filetype == 4:
                    node.pread(1 << 16, 0)
                    node.pread(1 << 16, max(0, node.stat()[4] - 10))
            except OSError:
                continue


def test_n83_a_wrong_checksum_is_eio_at_the_end():
    data = bytearray(zip_of({"a": bytes(100_000)}))
    at = data.index(b"PK\x01\x02")
    data[at + 16 : at + 20] = struct.pack("<I", zlib.crc32(b"other"))
    node = opened(bytes(data)).open("a")
    assert node.pread(10, 0) == bytes(10)
    assert outcome(node.pread, 100_000, 0) == "EIO"


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"\x80" + bytes(3) + b"\1" * 8]
)
def test_n83_impossible_sizes_in_a_tar_header_are_refused(size):
    for kind in (b"0", b"x", b"g", b"L", b"K", b"S"):
        head = bytearray(tar_with([("a", b"x" * 600)]))
        head[156:157] = kind
        head[124:136] = size
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head[:512])
        with pytest.raises(ValueError, match="cannot be served"):
            Archive(bytes(head))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\x7fELF" + bytes(2000), b"PK\5\6", b"BZh", b"\x1f\x8b"]
)
def test_n83_what_is_no_archive_is_told(data):
    with pytest.raises(ValueError, match="cannot be served"):
        Archive(data)
