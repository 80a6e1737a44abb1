"""Archives made to break out, or broken themselves: refused with a word and exit status 2."""

import io
import os
import tarfile

import pytest

import wasi_host
from tests.examples.test_tar import gnu_tar, tar


def made(*members, kind=tarfile.GNU_FORMAT):
    """An archive of ``(name, type, link target or content)``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, what, value in members:
            info = tarfile.TarInfo(name)
            info.type = what
            info.mtime = 1_000_000_000
            if what == tarfile.REGTYPE:
                info.size = len(value)
                archive.addfile(info, io.BytesIO(value))
            else:
                info.linkname = value
                archive.addfile(info)
    return buffer.getvalue()


FILE, HARD, SYMBOLIC, DIR = tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE
HOSTILE = {
    "an absolute name": [("/outside/new", FILE, b"evil")],
    "an absolute directory": [("/outside/new", DIR, "")],
    "two dots": [("../outside/new", FILE, b"evil")],
    "two dots in the middle": [("a/../../outside/new", FILE, b"evil")],
    "two dots at the end": [("a/..", DIR, "")],
    "two dots that stay inside": [("a/../new", FILE, b"evil")],
    "two dots in a long name": [("x/" * 80 + "../" * 82 + "outside/new", FILE, b"evil")],
    "a directory above": [("..", DIR, "")],
    "a link above": [("../outside/new", SYMBOLIC, "x")],
    "a hard link to an absolute name": [("a", HARD, "/outside/secret")],
    "a hard link to a file above": [("a", HARD, "../outside/secret")],
    "through a link": [("a", SYMBOLIC, "../outside"), ("a/new", FILE, b"evil")],
    "a directory through a link": [("a", SYMBOLIC, ".."), ("a/new/", DIR, "")],
    "a link through a link": [("a", SYMBOLIC, ".."), ("a/new", SYMBOLIC, "x")],
    "a hard link through a link": [("a", SYMBOLIC, "../outside"), ("b", HARD, "a/secret")],
    "through two links": [
        ("a", SYMBOLIC, "b"), ("b", SYMBOLIC, ".."), ("a/outside/new", FILE, b"evil"),
    ],
    "a device": [("a", tarfile.CHRTYPE, "")],
    "a pipe": [("a", tarfile.FIFOTYPE, "")],
    "a file in place of the whole": [(".", FILE, b"evil")],
    "a file where a directory is": [("d/x", FILE, b"x"), ("d", FILE, b"evil")],
    "an absolute target": [("a", SYMBOLIC, "/outside")],
}  # fmt: skip


@pytest.fixture(params=["host directory", "memory tree"])
def world(request, tmp_path):
    """A filesystem with a place to extract to and one beside it, and how to look at that."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"kept")
    os.utime(tmp_path / "outside", (5, 5))
    if request.param == "memory tree":
        return wasi_host.MemoryFS(tmp_path)
    return wasi_host.HostDir(tmp_path)


def tree_of(filesystem):
    copy = tar(["-cf", "-", "."], dirs={".": filesystem}).stdout
    memory = wasi_host.MemoryFS({})
    tar(["-xf", "-"], dirs={".": memory}, data=copy)
    return memory.tree()


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
@pytest.mark.parametrize("members", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_written_outside(members, kind, world):
    data = made(*members, ("good", FILE, b"good"), kind=kind)
    before = tree_of(world)
    result = tar(["-xf", "-", "-C", "out"], dirs={"/": world}, data=data, check=False)
    assert result.returncode == 2
    assert b"Exiting with failure status" in result.stderr
    after = tree_of(world)
    assert after.pop("out")["good"] == b"good"
    assert before.pop("out") == {}
    assert after == before


def test_a_link_that_stood_there_before_is_not_followed(world):
    args, dirs = ["-xf", "-", "-C", "out"], {"/": world}
    tar(args, dirs=dirs, data=made(("a", SYMBOLIC, "../outside")))
    result = tar(args, dirs=dirs, data=made(("a/new", FILE, b"evil")), check=False)
    assert result.returncode == 2
    assert b"a/new: Cannot open: Refused: it is behind a link or a file" in result.stderr
    assert tree_of(world)["outside"] == {"secret": b"kept"}


def test_names_cannot_mislead_a_terminal():
    data = made(("\x1b[2J", FILE, b""), ("../\x1b[2J", FILE, b""))
    result = tar(["-xvf", "-"], dirs={".": {}}, data=data, check=False)
    assert result.returncode == 2
    assert b"\x1b" not in result.stdout + result.stderr
    assert b"tar: ../\\033[2J: Refused: the name contains '..'\n" in result.stderr


GOOD = made(("a", FILE, b"a" * 5000), ("n" * 150, FILE, b"b" * 700), ("c", FILE, b"c"))


@pytest.mark.parametrize("length", [100, 511, 513, 700, 1024, 5000, 6143, 6200, 6656, 7168])
@pytest.mark.parametrize("option", ["-tf", "-xf"])
@pytest.mark.parametrize("name", ["-", "a.tar"])
def test_a_truncated_archive_is_an_error(length, option, name):
    cut = GOOD[:length]
    memory = wasi_host.MemoryFS({"a.tar": cut})
    result = tar([option, name], dirs={".": memory}, data=cut, check=False)
    assert result.returncode == 2
    assert b"Unexpected EOF in archive" in result.stderr


def test_an_archive_cut_between_two_members_ends_there_as_for_gnu_tar(tmp_path):
    cut = GOOD[:5632]
    expected = gnu_tar(["-tf", "-"], cwd=tmp_path, data=cut)
    assert tar(["-tf", "-"], dirs={}, data=cut).stdout == expected.stdout == b"a\n"


def damaged(at, value):
    return GOOD[:at] + value + GOOD[at + len(value) :]


BROKEN = {
    "another name": damaged(0, b"x"),
    "another checksum": damaged(148, b"0000000"),
    "a checksum that is no number": damaged(148, b"zzzzzz"),
    "no archive at all": b"hello " * 1000,
    "noise before the archive": b"\xff" * 1024 + GOOD,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_header_with_a_wrong_checksum_is_passed_over_as_by_gnu_tar(data, tmp_path):
    data += b"\0" * (-len(data) % 512)
    expected = gnu_tar(["-tf", "-"], cwd=tmp_path, data=data, check=False)
    result = tar(["-tf", "-"], dirs={}, data=data, check=False)
    assert (result.stdout, result.returncode) == (expected.stdout, expected.returncode)
    assert result.returncode == 2
    assert b"This does not look like a tar archive" in result.stderr


PAX = {
    "no length": b"path=x\n",
    "a length too large": b"99 path=x\n",
    "a length too small": b"3 path=x\n",
    "a length of nothing": b"0 path=x\n",
    "a length beyond all numbers": b"9" * 40 + b" path=x\n",
    "no equals sign": b"9 pathxx\n",
    "no newline": b"10 path=xy",
    "a NUL in a name": b"11 path=x\0\n",
    "a size that is no number": b"11 size=-1\n",
    "a time that is no number": b"12 mtime=1x\n",
}


@pytest.mark.parametrize("records", PAX.values(), ids=PAX)
def test_a_malformed_extended_header_is_an_error(records):
    data = made(("h", FILE, records), ("a", FILE, b"a"))
    header = bytearray(data[:512])
    header[156:157] = b"x"
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    result = tar(["-tf", "-"], dirs={}, data=bytes(header) + data[512:], check=False)
    assert result.returncode == 2
    assert b"Malformed extended header" in result.stderr


def test_sizes_over_8_gib_are_read_and_passed_over(tmp_path):
    info = tarfile.TarInfo("huge")
    info.size = 9 << 30
    end = 512 + info.size
    with open(tmp_path / "a.tar", "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.seek(end)
        file.write(made(("after", FILE, b"x")))
    expected = gnu_tar(["-tvf", "a.tar"], cwd=tmp_path)
    result = tar(["-tvf", "a.tar"], dirs={".": str(tmp_path)})
    assert result.stdout == expected.stdout
    assert b" 9663676416 " in result.stdout
    os.truncate(tmp_path / "a.tar", end - 1)
    result = tar(["-tvf", "a.tar"], dirs={".": str(tmp_path)}, check=False)
    assert result.returncode == 2
    assert b"Unexpected EOF in archive" in result.stderr


@pytest.mark.parametrize("size", [1 << 62, (1 << 63) - 1, 1 << 63, 1 << 80, -1])
def test_sizes_that_cannot_be(size):
    header = bytearray(made(("a", FILE, b""))[:512])
    header[124:136] = b"\xff" * 12 if size < 0 else b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    for option in ["-tf", "-xf"]:
        result = tar([option, "-"], dirs={".": {}}, data=bytes(header) * 3, check=False)
        assert result.returncode == 2
        assert b"tar: " in result.stderr


def test_times_after_the_year_2242_are_read_and_written():
    info = tarfile.TarInfo("a")
    info.mtime = 9_000_000_000
    data = info.tobuf(tarfile.GNU_FORMAT)
    memory = wasi_host.MemoryFS({})
    tar(["-xf", "-"], dirs={".": memory}, data=data)
    created = tar(["-cf", "-", "a"], dirs={".": memory}).stdout
    with tarfile.open(fileobj=io.BytesIO(created)) as archive:
        assert archive.getmember("a").mtime == 9_000_000_000


@pytest.mark.parametrize("data", [b"", b"\0" * 512, b"\0" * 10240])
def test_an_archive_of_nothing_is_none_the_less_an_archive(data):
    assert tar(["-tf", "-"], dirs={}, data=data).stdout == b""
