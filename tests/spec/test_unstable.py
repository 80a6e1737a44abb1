"""Snapshot 0 as differences: every offset and number by hand."""

from wasi_spec import FUNCTIONS, core_signature, unstable
from wasi_spec.layout import layout, offsets, union_payload_offset


def test_there_are_45_functions_all_but_sock_accept():
    assert [f.name for f in unstable.FUNCTIONS] == [
        f.name for f in FUNCTIONS if f.name != "sock_accept"
    ]


def test_the_signatures_are_those_of_preview1():
    ours = {f.name: core_signature(f) for f in unstable.FUNCTIONS}
    assert ours == {f.name: core_signature(f) for f in FUNCTIONS if f.name in ours}


def test_whence_counts_cur_end_set():
    assert [(place.name, int(place)) for place in unstable.Whence] == [
        ("CUR", 0),
        ("END", 1),
        ("SET", 2),
    ]
    assert unstable.WHENCE.meaning == (1, 2, 0)


def test_a_filestat_has_56_bytes():
    assert layout(unstable.FILESTAT) == (56, 8)
    assert offsets(unstable.FILESTAT) == {
        "dev": 0,
        "ino": 8,
        "filetype": 16,
        "nlink": 20,
        "size": 24,
        "atim": 32,
        "mtim": 40,
        "ctim": 48,
    }


def test_a_subscription_has_56_bytes_and_a_clock_begins_with_an_identifier():
    assert layout(unstable.SUBSCRIPTION) == (56, 8)
    assert offsets(unstable.SUBSCRIPTION) == {"userdata": 0, "u": 8}
    assert union_payload_offset(unstable.SUBSCRIPTION_U) == 8
    assert offsets(unstable.SUBSCRIPTION_CLOCK) == {
        "identifier": 0,
        "id": 8,
        "timeout": 16,
        "precision": 24,
        "flags": 32,
    }


def test_there_is_no_right_to_accept():
    assert unstable.RIGHTS.mask == (1 << 29) - 1
