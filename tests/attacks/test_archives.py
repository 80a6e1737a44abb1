"""Catalogue N 83: archives that mean harm are refused before a guest runs, or contained."""

import io
import struct
import tarfile
import zipfile

import pytest

from tests.attacks.guest import CREAT, READ, TRUNC, WRITE
from tests.fs.archives import tar_of, tar_with, zip_link, zip_of
from wasi_host import Archive, MemoryFS
from wasi_host.fs.memory import Link
from wasi_spec import Errno, Filetype

MIB = 1 << 20
TREE = {
    "file": b"0123456789", "dir": {"below": b"x", "up": Link("../file")}, "link": Link("dir/below"),
    "out": Link("../../etc/passwd"), "absolute": Link("/etc/passwd"), "loop": Link("loop"),
}  # fmt: skip


@pytest.fixture(params=["zip", "tar", "tar.xz"])
def guest(request, start, memory_only):
    """A guest with an archive as 3 and a writable tree as 4."""
    made = {"zip": zip_of, "tar": tar_of, "tar.xz": lambda tree: tar_of(tree, "xz")}
    archive = Archive(made[request.param](TREE))
    return start(memory_only, dirs={"/archive": archive, "/other": MemoryFS({"file": b"o"})})


def test_n83_what_is_in_it_is_read_and_its_links_work_inside(guest):
    assert guest.names() == [b"absolute", b"dir", b"file", b"link", b"loop", b"out"]
    assert guest.content("file") == b"0123456789"
    assert guest.content("link", follow=True) == guest.content("dir/below") == b"x"
    assert guest.content("dir/up", follow=True) == b"0123456789"
    assert guest.stat("link").filetype == Filetype.SYMBOLIC_LINK
    fd = guest.open("file", rights=READ)
    guest.must("fd_seek", fd, 7, 0)
    assert guest.read(fd) == b"789"


def test_n83_a_link_out_of_it_is_perm(guest):
    for path in ("out", "absolute", "out/x", "../file", "/file", "dir/../../file"):
        assert guest.try_open(path, follow=True) is Errno.PERM
    assert guest.try_open("loop", follow=True) is Errno.LOOP


def test_c23_nothing_in_it_can_be_changed(guest):
    for path in ("file", "missing", "dir"):
        assert guest.try_open(path, oflags=CREAT) is Errno.PERM
        assert guest.try_open(path, oflags=TRUNC) is Errno.PERM
        assert guest.try_open(path, rights=WRITE) is Errno.PERM
        for call in (
            ("path_unlink_file", 3, path), ("path_remove_directory", 3, path),
            ("path_create_directory", 3, path), ("path_symlink", "t", 3, path),
            ("path_rename", 3, path, 4, "new"), ("path_rename", 4, "file", 3, path),
            ("path_link", 3, 0, path, 4, "new"), ("path_link", 4, 0, "file", 3, path),
            ("path_filestat_set_times", 3, 0, path, 0, 0, 1),
        ):  # fmt: skip
            assert guest.call(*call) is Errno.PERM
    fd = guest.open("file", rights=READ)
    assert guest.call("fd_filestat_set_size", fd, 0) is Errno.PERM
    assert guest.call("fd_write", fd, guest.vector(b"x")) is Errno.BADF


@pytest.mark.parametrize("path", ["../escape", "a/../../escape", "/etc/passwd"])
def test_n83_names_that_lead_out_are_refused_before_a_guest_runs(path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(path, b"harm")
    for data in (file.getvalue(), tar_with([(path, b"harm")])):
        with pytest.raises(ValueError, match="cannot be served"):
            Archive(data)


def test_n83_a_member_written_through_a_link_is_refused():
    hard = tarfile.TarInfo()
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../etc/passwd"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(*zip_link("a", "/etc"))
        archive.writestr("a/passwd", b"harm")
    through = tar_with([("a", Link("/etc")), ("a/passwd", b"")])
    for data in (file.getvalue(), through, tar_with([("h", hard)])):
        with pytest.raises(ValueError, match="cannot be served"):
            Archive(data)


def test_n83_a_bomb_is_refused_or_read_piece_by_piece(start, memory_only):
    bomb = zip_of({"bomb": bytes(200 * MIB)})
    assert len(bomb) < MIB
    with pytest.raises(ValueError, match="more than 104857600"):
        Archive(bomb, max_bytes=100 * MIB)
    guest = start(memory_only, dirs={"/": Archive(bomb)})
    fd = guest.open("bomb", rights=READ)
    at = guest.alloc(100)
    guest.must("fd_pread", fd, guest.vector_at((at, 100)), 150 * MIB)
    assert guest.get(at, 100) == bytes(100)


def test_n83_an_encrypted_member_is_refused():
    data = bytearray(zip_of({"a": b"x"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ValueError, match="encrypted"):
        Archive(bytes(data))


def test_n83_damage_in_a_member_is_io_for_that_member_alone(start, memory_only):
    data = bytearray(zip_of({"good": b"g" * 50, "bad": b"b" * 50}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 16 : at + 20] = struct.pack("<I", 1)  # another checksum
    guest = start(memory_only, dirs={"/": Archive(bytes(data))})
    assert guest.content("good") == b"g" * 50
    fd = guest.open("bad", rights=READ)
    assert guest.call("fd_read", fd, guest.vector_at((guest.alloc(100), 100))) is Errno.IO


def test_n83_of_a_name_twice_the_last_counts(start, memory_only):
    data = tar_with([("a", b"first"), ("a", b"last")])
    guest = start(memory_only, dirs={"/": Archive(data)})
    assert guest.names() == [b"a"]
    assert guest.content("a") == b"last"


@pytest.mark.parametrize("make", [zip_of, tar_of, lambda tree: tar_of(tree, "gz")])
def test_n83_an_archive_without_its_end_is_refused(make):
    data = make({"a": bytes(range(256)) * 20})
    with pytest.raises(ValueError, match="cannot be served"):
        Archive(data[: len(data) // 3])
