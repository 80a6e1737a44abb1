"""The format of recordings, and what of hostile ones."""

import contextlib
import io
import random

import pytest

from tests.layers.hosts import ROWS
from tests.preview1.calls import arguments
from wasi_host.layers import recording
from wasi_spec import FUNCTIONS, Event, SubscriptionClock, SubscriptionFd

VALUES = [
    None, 0, 1, -1, 63, 64, -64, -65, 2**32, 2**64 - 1, -(2**63), b"", b"\0\xff" * 100, "",
    "a/é\U0001f600", (), (1, (b"a", "b"), None), [b"x", b""],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_a_value_comes_back(value):
    data = recording.encode_frame(ROWS["fd_tell"], b"", recording.RETURNED, value)
    (frame,) = recording.frames(io.BytesIO(data))
    assert frame.outcome == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_the_arguments_of_every_function_come_back(row):
    given = arguments(row)
    encoded = recording.encode_arguments(row, given)
    expected = [[tuple(item) for item in v] if isinstance(v, list) else v for v in given]
    assert recording.decode_arguments(encoded) == [
        tuple(value) if isinstance(value, list) else value for value in expected
    ]


def test_long_data_is_recorded_by_its_digest_and_short_data_as_it_is():
    row = ROWS["fd_write"]
    long = recording.encode_arguments(row, (1, bytes(100_000)))
    assert len(long) < 40
    assert long != recording.encode_arguments(row, (1, bytes(99_999) + b"\1"))
    assert recording.decode_arguments(long)[1][0] == 100_000
    assert recording.decode_arguments(recording.encode_arguments(row, (1, b"hi"))) == [1, b"hi"]


def test_a_whole_file_ends_with_its_end():
    frame = recording.encode_frame(ROWS["fd_tell"], b"", recording.RETURNED, 1)
    data = recording.header(bytes(range(32))) + frame * 2 + recording.end()
    file = io.BytesIO(data)
    assert recording.read_header(file) == bytes(range(32))
    found = list(recording.frames(file))
    assert len(found) == 3
    assert found[-1] is None


@pytest.mark.parametrize("length", range(1, 12))
def test_a_frame_that_is_cut_does_not_count(length):
    frame = recording.encode_frame(ROWS["fd_read"], b"\0\6", recording.RETURNED, b"hello")
    cut = (frame + frame)[: len(frame) + length]
    assert [found.outcome for found in recording.frames(io.BytesIO(cut))] == [b"hello"]


@pytest.mark.parametrize("data", [
    b"", b"\0asm\1\0\0\0", recording.header(None)[:-1], b"x" * 100,
], ids=["empty", "a module", "cut", "text"])  # fmt: skip
def test_what_is_no_recording_is_told(data):
    with pytest.raises(ValueError, match="no recording"):
        recording.read_header(io.BytesIO(data))


def test_another_version_is_told():
    data = bytearray(recording.header(None))
    data[len(recording.MAGIC)] = 9
    with pytest.raises(ValueError, match="version 9"):
        recording.read_header(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("seed", range(200))
def test_garbage_in_a_frame_is_a_broken_recording_at_worst(seed):
    draw = random.Random(seed)
    good = recording.encode_frame(
        ROWS["poll_oneoff"],
        recording.encode_arguments(
            ROWS["poll_oneoff"], ([SubscriptionClock(1, 1, 5, 0, 0), SubscriptionFd(2, 1, 0)],)
        ),
        recording.RETURNED,
        [Event(1, 0, 0, 0, 0)],
    )
    data = bytearray(good)
    for _ in range(draw.randint(1, 4)):
        data[draw.randrange(len(data))] = draw.randrange(256)
    with contextlib.suppress(recording.Broken):
        list(recording.frames(io.BytesIO(bytes(data))))


def test_a_deeply_nested_value_is_a_broken_recording():
    body = bytes((ROWS["fd_tell"] is None, 0, 0)) + b"\3\1" * 100_000 + b"\4"
    data = len(body).to_bytes(4, "little") + body
    with pytest.raises(recording.Broken):
        list(recording.frames(io.BytesIO(data)))


def test_a_length_beyond_the_file_allocates_nothing():
    data = b"\xff\xff\xff\xff" + b"x" * 10
    assert list(recording.frames(io.BytesIO(data))) == []


def test_what_cannot_be_recorded_is_an_error_of_ours():
    with pytest.raises(TypeError, match="cannot be recorded"):
        recording.encode_frame(ROWS["fd_tell"], b"", recording.RETURNED, 1.5)
