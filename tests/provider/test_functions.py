"""``Wasi.functions`` for engines that know integers and some kind of memory."""

import struct

import pytest

import wasi_host
from wasi_spec import FUNCTIONS


class Views:
    def __init__(self, data):
        self.data = data

    def view(self):
        return memoryview(self.data)


class Blocks:
    def __init__(self, data):
        self.data = data

    def read(self, address, size):
        assert 0 <= address <= address + size <= len(self.data)
        return bytes(self.data[address : address + size])

    def write(self, address, data):
        assert address + len(data) <= len(self.data)
        self.data[address : address + len(data)] = data

    def size(self):
        return len(self.data)


@pytest.fixture(params=[Views, Blocks], ids=["views", "blocks"])
def guest(request):
    data = bytearray(65_536)
    tree = {"f": b"0123456789" * 2000, "d": {}}
    with wasi_host.Wasi(["a", "bc"], {"X": "1"}, {"/": tree}, stdout=wasi_host.PIPE) as wasi:
        wasi.data = data
        wasi.f = wasi.functions(request.param(data))
        yield wasi


def vectors(data, at, *pairs):
    data[at : at + 8 * len(pairs)] = b"".join(struct.pack("<II", *pair) for pair in pairs)


def open_file(guest):
    guest.data[0:1] = b"f"
    assert guest.f["path_open"](3, 0, 0, 1, 0, 0x20002E, 0, 0, 8) == 0
    return struct.unpack_from("<I", guest.data, 8)[0]


def test_all_46_functions_are_there(guest):
    assert list(guest.f) == [function.name for function in FUNCTIONS]


def test_wasi_unstable_has_45():
    with wasi_host.Wasi() as wasi:
        assert len(wasi.functions(Views(bytearray(8)), "wasi_unstable")) == 45


def test_output_is_gathered_from_several_vectors(guest):
    guest.data[200:206] = b"abcdef"
    vectors(guest.data, 0, (200, 2), (0, 0), (203, 3))
    assert guest.f["fd_write"](1, 0, 3, 100) == 0
    assert (guest.stdout, guest.data[100]) == (b"abdef", 5)


def test_arguments_are_stored_with_their_addresses(guest):
    assert guest.f["args_get"](16, 300) == 0
    assert struct.unpack_from("<II", guest.data, 16) == (300, 302)
    assert guest.data[300:305] == b"a\0bc\0"


def test_a_large_read_fills_several_vectors(guest):
    fd = open_file(guest)
    vectors(guest.data, 16, (1000, 9000), (20_000, 9000))
    assert guest.f["fd_read"](fd, 16, 2, 8) == 0
    assert struct.unpack_from("<I", guest.data, 8)[0] == 18_000
    assert guest.data[1000:10_000] == (b"0123456789" * 900)
    assert guest.data[20_000:29_000] == (b"0123456789" * 900)


def test_records_leave_their_padding_alone(guest):
    fd = open_file(guest)
    guest.data[400:500] = b"\xaa" * 100
    assert guest.f["fd_filestat_get"](fd, 400) == 0
    assert guest.data[400 + 17 : 400 + 24] == b"\xaa" * 7
    assert struct.unpack_from("<Q", guest.data, 432)[0] == 20_000
    assert guest.data[464:500] == b"\xaa" * 36


@pytest.mark.parametrize("address", [65_533, 2**32 - 1, -1], ids=["partly", "far", "signed"])
def test_pointers_outside_are_fault(guest, address):
    guest.data[200:206] = b"abcdef"
    vectors(guest.data, 0, (200, 2))
    assert guest.f["fd_write"](1, 0, 1, address) == 21
    assert guest.f["fd_write"](1, address, 1, 100) == 21
    assert guest.stdout == b""


def test_integers_come_signed_or_unsigned(guest):
    fd = open_file(guest)
    assert guest.f["fd_seek"](fd, -1, 2, 8) == 0
    assert guest.f["fd_seek"](fd, 2**64 - 1, 1, 8) == 0
    assert struct.unpack_from("<Q", guest.data, 8)[0] == 19_998


def test_proc_exit_leaves_as_proc_exit(guest):
    with pytest.raises(wasi_host.ProcExit) as caught:
        guest.f["proc_exit"](-1)
    assert caught.value.code == 2**32 - 1


def test_events_are_encoded(guest):
    guest.data[0:48] = struct.pack("<QB7xI4xQQH6x", 5, 0, 1, 1, 0, 0)
    assert guest.f["poll_oneoff"](0, 1000, 1, 100) == 0
    assert struct.unpack_from("<QHB", guest.data, 1000) == (5, 0, 0)


def test_memory_may_be_a_function_asked_at_the_first_call():
    asked = []

    def memory():
        asked.append(1)
        return Views(bytearray(64))

    with wasi_host.Wasi() as wasi:
        functions = wasi.functions(memory)
        assert not asked
        assert functions["args_sizes_get"](0, 4) == 0
        assert asked == [1]


def test_memory_of_another_kind_is_a_type_error():
    with wasi_host.Wasi() as wasi:
        functions = wasi.functions(object())
        with pytest.raises(TypeError, match=r"view\(\)"):
            functions["sched_yield"]()


def test_one_wasi_serves_one_instance():
    with wasi_host.Wasi() as wasi:
        wasi.functions(Views(bytearray(8)))
        with pytest.raises(RuntimeError, match="another Wasi"):
            wasi.functions(Views(bytearray(8)))


def test_arguments_of_the_wrong_kind_are_refused_at_once():
    with pytest.raises(TypeError):
        wasi_host.Wasi("prog arg")
    with pytest.raises(ValueError, match="NUL"):
        wasi_host.Wasi(["a\0b"])
    with pytest.raises(ValueError, match="'grant', 'strict'"):
        wasi_host.Wasi(rights="all")
