import os

import pytest

from tests.descriptors.fakes import FakeFile
from wasi_host.descriptors.base import FD_READ, FD_SEEK, FD_TELL, FD_WRITE
from wasi_host.descriptors.directory import open_node
from wasi_host.descriptors.file import MAX_OFFSET, FileDescriptor
from wasi_host.errors import BADF, FBIG, INVAL, NOTCAPABLE, PERM
from wasi_host.fs.host import HostDir
from wasi_host.fs.memory import MemoryFS
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler
from wasi_spec.flags import Eventrwflags, Fdflags
from wasi_spec.rights import ALL_RIGHTS

SET, CUR, END = range(3)


@pytest.fixture(params=["any", "host", "memory"])
def make(request, tmp_path):
    """A function that opens a file with the given content, in each of the three kinds."""
    opened = []

    def make(content=b"hello", flags=0, readable=True, writable=True, rights=ALL_RIGHTS):
        if request.param == "any":
            node = FakeFile(bytearray(content))
        else:
            fs = HostDir(tmp_path) if request.param == "host" else MemoryFS()
            root = fs.open_root()
            node = root.open_at("f", os.O_CREAT | os.O_RDWR, False)
            node.pwrite(content, 0)
            opened.extend([root, fs])
        descriptor = open_node(node, rights, 0, flags, readable, writable, Scheduler(Clocks()))
        opened.append(descriptor)
        return descriptor

    yield make
    for thing in reversed(opened):
        thing.close()


def content(descriptor):
    return descriptor.node.pread(1 << 20, 0)


def test_reads_follow_one_another(make):
    file = make(b"hello world")
    assert [file.read(5), file.read(1), file.read(100), file.read(1)] == [
        b"hello", b" ", b"world", b"",
    ]  # fmt: skip


def test_reading_into_buffers_moves_the_position(make):
    file = make(b"hello world")
    one, two = bytearray(3), bytearray(4)
    assert file.readinto((memoryview(one), memoryview(two))) == 7
    assert (bytes(one), bytes(two), file.tell()) == (b"hel", b"lo w", 7)


def test_reading_into_buffers_at_an_offset_leaves_the_position(make):
    file = make(b"hello")
    buffer = bytearray(4)
    assert file.preadinto((memoryview(buffer),), 3) == 2
    assert (bytes(buffer), file.tell()) == (b"lo\0\0", 0)


def test_reads_and_writes_at_an_offset_leave_the_position(make):
    file = make(b"hello")
    assert file.pread(3, 1) == b"ell"
    assert file.pwrite(b"EY", 1) == 2
    assert file.tell() == 0
    assert file.read(9) == b"hEYlo"


def test_writes_follow_one_another_and_take_memory_views(make):
    file = make(b"")
    assert file.write(b"ab") == 2
    assert file.write(memoryview(b"cd")) == 2
    assert content(file) == b"abcd"


def test_a_write_past_the_end_leaves_a_hole_of_zeros(make):
    file = make(b"ab")
    file.seek(4, SET)
    file.write(b"c")
    assert content(file) == b"ab\0\0c"


def test_a_write_of_nothing_past_the_end_grows_nothing(make):
    file = make(b"ab")
    file.seek(100, SET)
    assert file.write(b"") == 0
    assert file.filestat()[4] == 2


def test_with_append_a_write_goes_to_the_end_and_the_position_too(make):
    file = make(b"hello", Fdflags.APPEND)
    assert file.write(b"!") == 1
    assert file.tell() == 6
    assert content(file) == b"hello!"


def test_with_append_a_write_at_an_offset_goes_to_the_end_and_the_position_stays(make):
    file = make(b"hello", Fdflags.APPEND)
    assert file.pwrite(b"!", 0) == 1
    assert (content(file), file.tell()) == (b"hello!", 0)


def test_append_can_be_switched_off(make):
    file = make(b"hello", Fdflags.APPEND)
    file.set_flags(0)
    file.pwrite(b"J", 0)
    file.write(b"E")
    assert content(file) == b"Eello"


@pytest.mark.parametrize(
    ("offset", "whence", "answer"),
    [(2, SET, 2), (2, CUR, 5), (-3, CUR, 0), (-1, END, 4), (7, END, 12), (MAX_OFFSET, SET,
     MAX_OFFSET)],
    ids=["from the start", "from here", "back", "before the end", "past the end", "the largest"],
)  # fmt: skip
def test_seek_answers_the_new_position(make, offset, whence, answer):
    file = make(b"hello")
    file.seek(3, SET)
    assert file.seek(offset, whence) == answer == file.tell()


@pytest.mark.parametrize(
    ("offset", "whence"),
    [(-1, SET), (-4, CUR), (-6, END), (MAX_OFFSET, CUR), (MAX_OFFSET, END)],
    ids=["set", "cur", "end", "over by cur", "over by end"],
)
def test_a_seek_to_where_no_position_is_fails_with_inval_and_moves_nothing(make, offset, whence):
    file = make(b"hello")
    file.seek(3, SET)
    with pytest.raises(INVAL):
        file.seek(offset, whence)
    assert file.tell() == 3


def test_the_right_to_tell_is_enough_to_ask_where_by_seek(make):
    file = make(rights=ALL_RIGHTS & ~FD_SEEK)
    assert file.seek(0, CUR) == 0
    for offset, whence in ((1, CUR), (0, SET), (0, END)):
        with pytest.raises(NOTCAPABLE):
            file.seek(offset, whence)


def test_the_right_to_seek_is_not_enough_to_tell(make):
    with pytest.raises(NOTCAPABLE):
        make(rights=ALL_RIGHTS & ~FD_TELL).tell()


@pytest.mark.parametrize("offset", [2**63, 2**64 - 1], ids=["2^63", "2^64-1"])
@pytest.mark.parametrize("size", [0, 1], ids=["of nothing", "of a byte"])
@pytest.mark.parametrize("flags", [0, int(Fdflags.APPEND)], ids=["", "append"])
def test_access_at_an_offset_that_is_none_fails_with_inval(make, offset, size, flags):
    file = make(b"hello", flags)
    with pytest.raises(INVAL):
        file.pread(size, offset)
    with pytest.raises(INVAL):
        file.preadinto((memoryview(bytearray(size)),), offset)
    with pytest.raises(INVAL):
        file.pwrite(bytes(size), offset)
    assert content(file) == b"hello"


def inval(call, *args):
    """Whether a call fails with INVAL, ours or the host's."""
    try:
        call(*args)
    except INVAL:
        return True
    except OSError as error:
        return error.errno == 22
    return False


def test_access_that_ends_beyond_the_largest_offset_fails_with_inval(make):
    file = make(b"hello")
    assert inval(file.pread, 2, MAX_OFFSET)
    assert inval(file.pwrite, b"ab", MAX_OFFSET)
    file.seek(MAX_OFFSET, SET)
    assert inval(file.read, 2)
    assert inval(file.write, b"ab")
    assert content(file) == b"hello"


def test_a_read_far_beyond_the_end_is_empty(make):
    assert make().pread(16, 2**62) == b""


@pytest.mark.parametrize("call", ["read", "pread", "readinto", "preadinto", "poll_read"])
def test_reading_what_is_open_for_writing_only_fails_with_badf(make, call):
    arguments = {
        "read": (0,), "pread": (0, 0), "readinto": ((),), "preadinto": ((), 0), "poll_read": (),
    }  # fmt: skip
    with pytest.raises(BADF):
        getattr(make(readable=False), call)(*arguments[call])


@pytest.mark.parametrize("call", ["write", "pwrite", "poll_write", "allocate"])
def test_writing_what_is_open_for_reading_only_fails_with_badf(make, call):
    arguments = {"write": (b"",), "pwrite": (b"", 0), "poll_write": (), "allocate": (0, 1)}
    with pytest.raises(BADF):
        getattr(make(writable=False), call)(*arguments[call])


def test_setting_the_size_of_what_is_open_for_reading_only_fails_with_inval(make):
    with pytest.raises(INVAL):
        make(writable=False).set_size(0)


def test_setting_a_size_that_is_none_fails_with_inval(make):
    with pytest.raises(INVAL):
        make().set_size(2**63)


@pytest.mark.parametrize(
    ("offset", "length", "error"),
    [(0, 0, INVAL), (2**63, 1, INVAL), (0, 2**63, INVAL), (MAX_OFFSET, 1, FBIG)],
    ids=["nothing", "offset", "length", "sum"],
)
def test_allocating_what_cannot_be(make, offset, length, error):
    with pytest.raises(error):
        make().allocate(offset, length)


def test_advice_may_name_any_offset_but_no_length_over_the_largest():
    file = FileDescriptor(FakeFile(bytearray()), ALL_RIGHTS, ALL_RIGHTS)
    file.advise(2**64 - 1, 1, 0)
    file.advise(1, MAX_OFFSET, 3)
    with pytest.raises(INVAL):
        file.advise(0, 2**63, 0)
    assert file.node.calls == [("advise", 1, MAX_OFFSET, 3)]


def test_sync_and_datasync_say_which_they_are():
    file = FileDescriptor(FakeFile(bytearray()), ALL_RIGHTS, ALL_RIGHTS)
    file.sync()
    file.datasync()
    assert file.node.calls == [("sync", False), ("sync", True)]


def test_in_a_read_only_directory_size_and_times_fail_with_perm():
    node = FakeFile(bytearray(), readonly=True)
    file = FileDescriptor(node, ALL_RIGHTS & ~FD_WRITE, ALL_RIGHTS)
    with pytest.raises(PERM):
        file.set_size(0)
    with pytest.raises(PERM):
        file.set_times(1, 1)
    assert node.calls == []


def test_a_poll_for_reading_tells_what_is_left_and_at_the_end_hangs_up(make):
    file = make(b"hello")
    file.read(2)
    assert file.poll_read() == (3, 0)
    file.read(3)
    assert file.poll_read() == (0, Eventrwflags.FD_READWRITE_HANGUP)
    file.seek(100, SET)
    assert file.poll_read() == (0, Eventrwflags.FD_READWRITE_HANGUP)


def test_a_file_is_ready_for_writing_at_once(make):
    assert make().poll_write() == (1, 0)


def test_two_descriptors_of_one_file_have_their_own_positions_and_see_each_other(make):
    one = make(b"hello")
    two = FileDescriptor(one.node, one.access, one.rights_base)
    one.seek(0, END)
    one.write(b"!")
    assert (two.tell(), two.read(9)) == (0, b"hello!")


def test_after_the_other_cut_the_file_reads_are_empty_and_writes_leave_a_hole(make):
    one = make(b"hello")
    if isinstance(one.node, FakeFile):
        pytest.skip("the fake does not cut")
    one.seek(4, SET)
    FileDescriptor(one.node, one.access, one.rights_base).set_size(1)
    assert one.read(9) == b""
    one.write(b"!")
    assert content(one) == b"h\0\0\0!"


def test_the_rights_asked_for_pread_are_both():
    for missing in (FD_READ, FD_SEEK):
        file = FileDescriptor(FakeFile(bytearray()), ALL_RIGHTS, ALL_RIGHTS & ~missing)
        with pytest.raises(NOTCAPABLE):
            file.pread(1, 0)
