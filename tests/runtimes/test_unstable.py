"""A guest of ``wasi_unstable`` and one of preview 1 do the same, each with its own layouts."""

import struct

import pytest

import wasi_host

WAT = """
(module
  (import "{module}" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "{module}" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
  (import "{module}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{module}" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "{module}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (export "seek" (func $seek))
  (export "stat" (func $stat))
  (export "read" (func $read))
  (export "open" (func $open))
  (export "poll" (func $poll))
)
"""
MODULES = ["wasi_snapshot_preview1", "wasi_unstable"]
PLACES = {"wasi_snapshot_preview1": (0, 1, 2), "wasi_unstable": (2, 0, 1)}


@pytest.fixture(params=MODULES)
def guest(request):
    source = WAT.format(module=request.param).encode()
    dirs = {"/": {"ten": b"0123456789"}}
    with wasi_host.Sandbox(source, dirs=dirs).instantiate() as instance:
        instance.memory[0:3] = b"ten"
        assert instance.call("open", 3, 0, 0, 3, 0, 0x200026, 0, 0, 16) == 0
        instance.module = request.param
        instance.fd = struct.unpack_from("<I", instance.memory, 16)[0]
        yield instance


def seek(guest, offset, whence):
    assert guest.call("seek", guest.fd, offset, whence, 64) == 0
    return struct.unpack_from("<Q", guest.memory, 64)[0]


def test_whence_means_what_its_own_numbers_say(guest):
    set_, cur, end = PLACES[guest.module]
    assert seek(guest, 4, set_) == 4
    assert seek(guest, 3, cur) == 7
    assert seek(guest, -1, end) == 9


def test_whence_3_is_inval_in_both(guest):
    assert guest.call("seek", guest.fd, 0, 3, 64) == 28


def test_a_filestat_is_written_in_its_own_layout_and_no_further(guest):
    guest.memory[128:256] = b"\xaa" * 128
    assert guest.call("stat", guest.fd, 128) == 0
    size, where = {"wasi_snapshot_preview1": (64, 32), "wasi_unstable": (56, 24)}[guest.module]
    assert struct.unpack_from("<Q", guest.memory, 128 + where)[0] == 10
    assert bytes(guest.memory[128 + size : 256]) == b"\xaa" * (128 - size)


def test_the_link_count_has_its_own_width(guest):
    assert guest.call("stat", guest.fd, 128) == 0
    code, where = {"wasi_snapshot_preview1": ("<Q", 24), "wasi_unstable": ("<I", 20)}[guest.module]
    assert struct.unpack_from(code, guest.memory, 128 + where)[0] == 1


def test_a_clock_subscription_is_read_in_its_own_layout(guest):
    clock = struct.pack("<QB7x", 77, 0)
    if guest.module == "wasi_unstable":
        clock += struct.pack("<Q", 0xDEAD)
    clock += struct.pack("<I4xQQH6x", 1, 1, 0, 0)
    read = struct.pack("<QB7xI", 78, 1, guest.fd).ljust(len(clock), b"\0")
    guest.memory[512 : 512 + 2 * len(clock)] = clock + read
    assert guest.call("poll", 512, 1024, 2, 64) == 0
    (count,) = struct.unpack_from("<I", guest.memory, 64)
    events = [struct.unpack_from("<QHB", guest.memory, 1024 + 32 * at) for at in range(count)]
    assert (78, 0, 1) in events
