"""Layouts in guest memory against offsets worked out by hand from the witx.

A row below: size, alignment, and the offset of every field.
"""

import struct

import pytest

from wasi_spec import records, types
from wasi_spec.enums import Eventtype
from wasi_spec.layout import (
    case_format,
    layout,
    offsets,
    pieces,
    struct_format,
    union_payload_offset,
)
from wasi_spec.types import Field, Int, Record, Union

RECORDS = {
    "iovec": (8, 4, {"buf": 0, "buf_len": 4}),
    "ciovec": (8, 4, {"buf": 0, "buf_len": 4}),
    "dirent": (24, 8, {"d_next": 0, "d_ino": 8, "d_namlen": 16, "d_type": 20}),
    "fdstat": (
        24, 8,
        {"fs_filetype": 0, "fs_flags": 2, "fs_rights_base": 8, "fs_rights_inheriting": 16},
    ),
    "filestat": (
        64, 8,
        {
            "dev": 0, "ino": 8, "filetype": 16, "nlink": 24, "size": 32, "atim": 40, "mtim": 48,
            "ctim": 56,
        },
    ),
    "prestat_dir": (4, 4, {"pr_name_len": 0}),
    "event_fd_readwrite": (16, 8, {"nbytes": 0, "flags": 8}),
    "event": (32, 8, {"userdata": 0, "error": 8, "type": 10, "fd_readwrite": 16}),
    "subscription_clock": (32, 8, {"id": 0, "timeout": 8, "precision": 16, "flags": 24}),
    "subscription_fd_readwrite": (4, 4, {"file_descriptor": 0}),
    "subscription": (48, 8, {"userdata": 0, "u": 8}),
}  # fmt: skip

#: Size, alignment, offset of the cases.
UNIONS = {"prestat": (8, 4, 4), "subscription_u": (40, 8, 8)}

#: Bits in memory; a minus sign: signed.
SCALARS = {
    "u8": 8, "size": 32, "filesize": 64, "timestamp": 64, "filedelta": -64, "dircookie": 64,
    "dirnamlen": 32, "inode": 64, "device": 64, "linkcount": 64, "userdata": 64, "exitcode": 32,
    "errno": 16, "clockid": 32, "whence": 8, "filetype": 8, "advice": 8, "eventtype": 8,
    "signal": 8, "preopentype": 8, "rights": 64, "fdflags": 16, "fstflags": 16,
    "lookupflags": 32, "oflags": 16, "eventrwflags": 16, "subclockflags": 16, "riflags": 16,
    "roflags": 16, "siflags": 16, "sdflags": 8,
}  # fmt: skip


def of_shape(*shapes):
    return {kind.name: kind for kind in vars(types).values() if isinstance(kind, shapes)}


RECORD_TYPES = of_shape(Record)
UNION_TYPES = of_shape(Union)
SCALAR_TYPES = of_shape(types.Int, types.Enum, types.Flags)


def test_every_record_union_and_scalar_of_the_specification_is_listed_here():
    assert set(RECORD_TYPES) == set(RECORDS)
    assert set(UNION_TYPES) == set(UNIONS)
    assert set(SCALAR_TYPES) == set(SCALARS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_the_size_alignment_and_offsets_worked_out_by_hand(name):
    record = RECORD_TYPES[name]
    assert (*layout(record), offsets(record)) == RECORDS[name]


@pytest.mark.parametrize("name", RECORDS)
def test_a_records_fields_stand_in_the_order_of_the_witx(name):
    assert [field.name for field in RECORD_TYPES[name].fields] == list(RECORDS[name][2])


@pytest.mark.parametrize("name", UNIONS)
def test_a_union_has_the_size_alignment_and_payload_offset_worked_out_by_hand(name):
    union = UNION_TYPES[name]
    assert (*layout(union), union_payload_offset(union)) == UNIONS[name]


@pytest.mark.parametrize("name", SCALARS)
def test_a_scalar_is_as_wide_as_in_the_witx_and_aligned_to_its_size(name):
    bits = abs(SCALARS[name])
    assert SCALAR_TYPES[name].bits == bits
    assert layout(SCALAR_TYPES[name]) == (bits // 8, bits // 8)


@pytest.mark.parametrize("name", SCALARS)
def test_only_filedelta_is_signed(name):
    packer = struct.Struct(struct_format(SCALAR_TYPES[name]))
    if SCALARS[name] < 0:
        assert packer.pack(-1) == b"\xff" * packer.size
    else:
        with pytest.raises(struct.error):
            packer.pack(-1)


@pytest.mark.parametrize(
    "kind", [types.FD, types.POINTER_U8, types.SUBSCRIPTIONS], ids=["handle", "pointer", "const"]
)
def test_a_handle_and_an_address_are_four_bytes(kind):
    assert layout(kind) == (4, 4)


@pytest.mark.parametrize("kind", [types.PATH, types.IOVECS], ids=["string", "list"])
def test_a_string_and_a_list_have_no_layout_of_their_own(kind):
    with pytest.raises(TypeError):
        layout(kind)


def test_a_record_ends_at_a_multiple_of_its_alignment():
    odd = Record("odd", (Field("a", Int("u64", 64)), Field("b", Int("u8", 8))))
    assert layout(odd) == (16, 8)


def test_the_cases_of_a_union_start_at_the_strictest_alignment_of_any_case():
    byte, word = Int("u8", 8), Int("u64", 64)
    union = Union("u", types.EVENTTYPE, (byte, word))
    assert union_payload_offset(union) == 8
    assert layout(union) == (16, 8)


def test_a_union_has_no_single_format():
    with pytest.raises(TypeError):
        struct_format(types.PRESTAT)


def test_the_format_of_a_case_is_refused_for_a_field_that_is_no_union():
    with pytest.raises(TypeError):
        case_format(types.FDSTAT, "fs_flags", 0)


# Packed forms: every field a byte of its own value, every padding byte zero. In the picture a
# letter is a field, a dot padding.
PACKED = {
    "fdstat": (records.FDSTAT, "a.bb....ccccccccdddddddd"),
    "filestat": (
        records.FILESTAT, "aaaaaaaabbbbbbbbc.......ddddddddeeeeeeeeffffffffgggggggghhhhhhhh",
    ),
    "prestat of a directory": (records.PRESTAT, "a...bbbb"),
    "dirent": (records.DIRENT, "aaaaaaaabbbbbbbbccccd..."),
    "event": (records.EVENT, "aaaaaaaabbc.....ddddddddee......"),
    "iovec": (records.IOVEC, "aaaabbbb"),
    "subscription to a clock": (
        records.SUBSCRIPTION_CLOCK, "aaaaaaaab.......cccc....ddddddddeeeeeeeeff......",
    ),
    "subscription to a descriptor": (
        records.SUBSCRIPTION_FD, "aaaaaaaab.......cccc............................",
    ),
}  # fmt: skip


def fields_of(picture):
    letters = sorted(set(picture) - {"."})
    return [
        int.from_bytes(bytes([ord(letter)]) * picture.count(letter), "little") for letter in letters
    ]


@pytest.mark.parametrize(("packer", "picture"), PACKED.values(), ids=PACKED)
def test_packing_places_every_field_and_writes_zeros_into_padding(packer, picture):
    assert packer.pack(*fields_of(picture)) == picture.replace(".", "\0").encode()


@pytest.mark.parametrize(("packer", "picture"), PACKED.values(), ids=PACKED)
def test_unpacking_reads_every_field_and_nothing_of_padding(packer, picture):
    assert list(packer.unpack(picture.replace(".", "\xff").encode("latin-1"))) == fields_of(picture)


@pytest.mark.parametrize("kind", ["FDSTAT", "FILESTAT", "DIRENT", "EVENT", "IOVEC"])
def test_a_packed_form_is_the_one_that_follows_from_the_type(kind):
    assert getattr(records, kind).format == struct_format(getattr(types, kind))


def test_the_packed_forms_of_unions_are_those_that_follow_from_their_cases():
    alone = Record("", (Field("u", types.PRESTAT),))
    clock, fd = Eventtype.CLOCK, Eventtype.FD_READ
    assert records.PRESTAT.format == case_format(alone, "u", 0)
    assert records.SUBSCRIPTION_CLOCK.format == case_format(types.SUBSCRIPTION, "u", clock)
    assert records.SUBSCRIPTION_FD.format == case_format(types.SUBSCRIPTION, "u", fd)
    assert layout(types.USERDATA).size == records.SUBSCRIPTION_TAG_OFFSET


def test_each_values_type_has_as_many_fields_as_its_packed_form():
    pairs = [
        (records.Fdstat, records.FDSTAT),
        (records.Filestat, records.FILESTAT),
        (records.Prestat, records.PRESTAT),
        (records.Dirent, records.DIRENT),
        (records.Event, records.EVENT),
    ]
    for kind, packer in pairs:
        value = kind(*range(1, len(kind._fields) + 1))
        assert tuple(packer.unpack(packer.pack(*value))) == value


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (records.Fdstat, "fdstat"),
        (records.Filestat, "filestat"),
        (records.Dirent, "dirent"),
        (records.SubscriptionFd, "subscription_fd_readwrite"),
    ],
    ids=["fdstat", "filestat", "dirent", "subscription to a descriptor"],
)
def test_a_values_type_names_its_fields_as_the_witx_does(kind, name):
    expected = list(RECORDS[name][2])
    assert [field for field in kind._fields if field not in {"userdata", "type"}] == expected


def test_the_tag_of_a_subscription_follows_its_userdata():
    assert records.SUBSCRIPTION_TAG_OFFSET == 8


@pytest.mark.parametrize(
    ("packer", "packed"),
    [
        (records.U16, b"\x02\x01"),
        (records.U32, b"\x04\x03\x02\x01"),
        (records.U64, b"\x08\x07\x06\x05\x04\x03\x02\x01"),
    ],
    ids=["u16", "u32", "u64"],
)
def test_plain_words_are_little_endian(packer, packed):
    assert packer.unpack(packed) == (int.from_bytes(packed, "little"),)


@pytest.mark.parametrize(
    ("packer", "expected"),
    [
        (records.FDSTAT, [(0, 1), (2, 2), (8, 16)]),
        (records.FILESTAT, [(0, 17), (24, 40)]),
        (records.PRESTAT, [(0, 1), (4, 4)]),
        (records.EVENT, [(0, 11), (16, 10)]),
        (records.IOVEC, [(0, 8)]),
    ],
    ids=["fdstat", "filestat", "prestat", "event", "iovec"],
)
def test_the_pieces_of_a_packed_form_are_its_runs_between_padding(packer, expected):
    assert [(offset, piece.size) for offset, piece in pieces(packer)] == expected


@pytest.mark.parametrize(("packer", "picture"), PACKED.values(), ids=PACKED)
def test_packing_by_pieces_fills_all_but_the_padding(packer, picture):
    memory = bytearray(b"?" * packer.size)
    values = fields_of(picture)
    for offset, piece in pieces(packer):
        count = len(piece.format) - 1
        piece.pack_into(memory, offset, *values[:count])
        values = values[count:]
    assert memory == picture.replace(".", "?").encode()
