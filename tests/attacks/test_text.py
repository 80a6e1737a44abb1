"""Catalogue A 6 and D 33, 34, 36: what a path's text may be, and which fault is told first."""

import os

import pytest

from tests.attacks.guest import CREAT, EXCL, PAGE, READ, WRITE
from tests.attacks.places import LINK
from tests.attacks.sides import MAKING, SIDES, USING, answers, furnish
from wasi_spec import Errno

every_side = pytest.mark.parametrize("side", SIDES)

NUL = {"in the middle": b"ordi\0nary", "at the end": b"ordinary\0", "alone": b"\0", "first": b"\0a"}

NOT_UTF8 = {
    "a stray byte": b"a\xff",
    "an overlong slash": b"a\xc0\xafb",
    "an overlong dot": b"\xc0\xae\xc0\xae/x",
    "a cut sequence": b"\xe2\x82",
    "a surrogate": b"\xed\xa0\x80",
    "beyond the last character": b"\xf4\x90\x80\x80",
    "a lone continuation": b"\x80",
}


@pytest.fixture
def guest(place, start):
    furnish(place)
    return start(place)


# Lengths.


def padded(name, size):
    """Return a path of ``size`` bytes to ``name``: dots and slashes before it."""
    missing = size - len(name)
    return b"./" * (missing // 2 - 1) + (b".//" if missing % 2 else b"./") + name


def test_the_padding_of_these_tests_is_exact():
    assert [len(padded(b"ordinary", size)) for size in (4094, 4095, 4096)] == [4094, 4095, 4096]


@pytest.mark.parametrize("side", sorted(USING))
def test_a06_a_path_of_4095_bytes_works(guest, side):
    assert SIDES[side](guest, 3, padded(b"ordinary", 4095)) is Errno.SUCCESS


@pytest.mark.parametrize("side", sorted(MAKING))
def test_a06_something_is_made_at_a_path_of_4095_bytes(guest, place, side):
    assert SIDES[side](guest, 3, padded(b"made", 4095)) is Errno.SUCCESS
    assert place.exists("made")


@every_side
def test_a06_a_path_of_4096_bytes_is_nametoolong(guest, place, side):
    before = place.snapshot()
    assert SIDES[side](guest, 3, padded(b"ordinary", 4096)) is Errno.NAMETOOLONG
    assert place.snapshot() == before


@every_side
def test_a06_a_path_that_is_too_long_is_not_decoded(guest, side):
    assert SIDES[side](guest, 3, b"\xff" * 4096) is Errno.NAMETOOLONG
    assert SIDES[side](guest, 3, b"\0" * 5000) is Errno.NAMETOOLONG


@pytest.mark.parametrize("length", [2**31, 2**32 - PAGE], ids=["2 GiB", "almost 4 GiB"])
def test_a06_a_path_of_gigabytes_in_a_large_memory_is_nametoolong(large, length):
    errno = large.raw("path_create_directory", 3, PAGE, length)
    assert errno is Errno.NAMETOOLONG


@every_side
def test_a06_a_component_over_255_bytes_is_nametoolong(guest, place, side):
    before = place.snapshot()
    paths = [b"n" * 256, b"a/" + b"n" * 256, b"n" * 256 + b"/x", b"./" + b"n" * 1000]
    assert answers(SIDES[side], guest, 3, paths) == dict.fromkeys(paths, Errno.NAMETOOLONG)
    assert place.snapshot() == before


@every_side
def test_a06_a_long_component_behind_a_missing_directory_is_noent(guest, side):
    assert SIDES[side](guest, 3, b"missing/" + b"n" * 256) is Errno.NOENT


@every_side
def test_a06_a_long_component_behind_an_escape_is_perm(guest, side):
    assert SIDES[side](guest, 3, b"../" + b"n" * 256) is Errno.PERM


def test_a06_a_component_is_measured_in_bytes(guest):
    assert SIDES["create_directory"](guest, 3, "é" * 127) is Errno.SUCCESS
    assert SIDES["create_directory"](guest, 3, "é" * 128) is Errno.NAMETOOLONG


@pytest.mark.parametrize("side", sorted(MAKING))
def test_a06_a_component_of_255_bytes_works(guest, place, side):
    assert SIDES[side](guest, 3, b"n" * 255) is Errno.SUCCESS
    assert place.exists("n" * 255)


def test_a06_a_link_text_of_4095_bytes_works_and_one_more_is_nametoolong(guest, place):
    assert guest.call("path_symlink", b"t" * 4096, 3, "made") is Errno.NAMETOOLONG
    assert not place.exists("made")
    guest.must("path_symlink", padded(b"ordinary", 4095), 3, "made")
    assert len(guest.readlink("made", size=8192)) == 4095


def test_a06_no_nul_is_needed_behind_a_path(guest, place):
    at = guest.put(b"ordinaryXYZ\xff\xff")
    guest.must("path_unlink_file", 3, (at, 8))
    assert not place.exists("ordinary")


# Text.


@every_side
def test_d33_a_nul_anywhere_in_a_path_is_inval_and_nothing_is_cut_there(guest, place, side):
    before = place.snapshot()
    found = answers(SIDES[side], guest, 3, [*NUL.values()])
    assert found == dict.fromkeys(NUL.values(), Errno.INVAL)
    assert place.snapshot() == before


@pytest.mark.parametrize("target", NUL.values(), ids=NUL)
def test_d33_a_nul_in_a_links_text_is_inval(guest, place, target):
    assert guest.call("path_symlink", target, 3, "made") is Errno.INVAL
    assert not place.exists("made")


@every_side
def test_d33_a_path_that_is_no_utf8_is_ilseq(guest, place, side):
    before = place.snapshot()
    found = answers(SIDES[side], guest, 3, [*NOT_UTF8.values()])
    assert found == dict.fromkeys(NOT_UTF8.values(), Errno.ILSEQ)
    assert place.snapshot() == before


@pytest.mark.parametrize("target", NOT_UTF8.values(), ids=NOT_UTF8)
def test_d33_a_links_text_that_is_no_utf8_is_ilseq(guest, place, target):
    assert guest.call("path_symlink", target, 3, "made") is Errno.ILSEQ
    assert not place.exists("made")


PLAIN = {
    "a backslash": "a\\b",
    "dots and a backslash": "..\\secret",
    "a newline": "a\nb",
    "a percent sign": "%2e%2e%2fsecret",
    "a colon": "C:name",
    "a device name of another system": "CON",
    "a dot at the end": "name.",
    "a blank at the end": "name ",
    "a blank only": " ",
    "a tilde": "~",
    "a star and a question mark": "*?",
    "a bell": "a\ab",
    "a delete": "a\x7fb",
    "a dash": "-rf",
    "a full-width slash": "a\N{FULLWIDTH SOLIDUS}b",
    "a division slash": "..\N{DIVISION SLASH}secret",
    "two full-width dots": "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}",
    "a character beyond the first plane": "\N{GRINNING FACE}",
    "a byte order mark": "\N{ZERO WIDTH NO-BREAK SPACE}a",
    "a replacement character": "\N{REPLACEMENT CHARACTER}",
}


@pytest.mark.parametrize("name", PLAIN.values(), ids=PLAIN)
def test_d33_a_strange_name_is_a_plain_name(guest, place, name):
    guest.open(name, oflags=CREAT | EXCL, rights=READ | WRITE)
    assert name in place.names()
    assert name.encode() in guest.names()
    assert guest.content(name) == b""
    guest.must("path_unlink_file", 3, name)
    assert not place.exists(name)


TWINS = {
    "composed and decomposed": ("\u00e9", "e\u0301"),
    "upper and lower case": ("Name", "name"),
    "a ligature and its letters": ("\ufb01", "fi"),
}


@pytest.mark.parametrize(("one", "other"), TWINS.values(), ids=TWINS)
def test_d36_twins_of_case_and_normalisation_are_different_names(guest, place, one, other):
    guest.write(guest.open(one, oflags=CREAT, rights=READ | WRITE), b"one")
    assert guest.try_open(other) is Errno.NOENT
    guest.write(guest.open(other, oflags=CREAT, rights=READ | WRITE), b"other")
    assert guest.content(one) == b"one"
    assert {one, other} <= set(place.names())


# The order of faults.

BAD_FD = 99


#: Paths by the fault that is told, in the order of faults; the descriptor is not open either.
FAULTS = {
    b"\xff" * 4096: Errno.NAMETOOLONG,
    b"a\0\xff": Errno.ILSEQ,
    b"a\0b": Errno.INVAL,
    b"../x": Errno.BADF,
    b"": Errno.BADF,
}


@every_side
def test_d33_the_text_of_a_path_is_judged_before_the_descriptor(guest, side):
    assert answers(SIDES[side], guest, BAD_FD, [*FAULTS]) == FAULTS


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("path_open", (BAD_FD, 2, b"\xff", 0, 0, 0, 0)),
        ("path_open", (BAD_FD, 0, b"\xff", 16, 0, 0, 0)),
        ("path_open", (BAD_FD, 0, b"\xff", 0, 0, 0, 32)),
        ("path_filestat_get", (BAD_FD, 2, b"\xff")),
        ("path_filestat_set_times", (BAD_FD, 2, b"\xff", 0, 0, 0)),
        ("path_filestat_set_times", (BAD_FD, 0, b"\xff", 0, 0, 16)),
        ("path_link", (BAD_FD, 2, b"\xff", BAD_FD, b"\xff")),
    ],
    ids=[
        "open dirflags", "open oflags", "open fdflags", "stat flags", "times flags",
        "times fst_flags", "link flags",
    ],
)  # fmt: skip
def test_d33_an_undefined_flag_is_inval_before_the_text_is_read(guest, name, arguments):
    assert guest.call(name, *arguments) is Errno.INVAL


def test_d33_a_pointer_is_judged_before_flags(guest):
    errno = guest.raw("path_filestat_get", BAD_FD, 0xFFFFFFFF, guest.size, 1, guest.alloc(64))
    assert errno is Errno.FAULT


# Names of the host that are no UTF-8.

RAW = b"raw\xff\xfe"


@pytest.fixture
def raw_guest(host_only, start):
    furnish(host_only)
    root = os.fsencode(host_only.root)
    with open(root + b"/" + RAW, "wb"):
        pass
    os.symlink(RAW, root + b"/rawlink")
    return start(host_only)


def test_d34_a_host_name_that_is_no_utf8_is_listed_as_its_bytes(raw_guest):
    assert RAW in raw_guest.names()
    assert b"ordinary" in raw_guest.names()


@every_side
def test_d34_a_path_call_with_such_a_name_is_ilseq(raw_guest, host_only, side):
    names = host_only.names()
    assert SIDES[side](raw_guest, 3, RAW) is Errno.ILSEQ
    assert host_only.names() == names


def test_d34_readlink_of_such_a_text_is_ilseq(raw_guest):
    assert SIDES["readlink"](raw_guest, 3, "rawlink") is Errno.ILSEQ


def test_d34_a_link_to_such_a_name_can_be_followed(raw_guest):
    assert raw_guest.stat("rawlink").filetype == LINK
    assert raw_guest.content("rawlink", follow=True) == b""
