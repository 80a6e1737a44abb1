"""Single calls, by the C function and by its Python thunk, on one guest."""

import os
import re
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import wasi_host.native.library as loader
from tests.native.machine import FALLBACK, NATIVE, PYTHON, Machine, open_descriptors
from wasi_spec import Errno, Fdflags, Filetype, Fstflags, Oflags, Rights
from wasi_spec.rights import ALL_RIGHTS

pytestmark = pytest.mark.usefixtures("native")

PATH, DATA, RESULT = 512, 4096, 256
READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)


@pytest.fixture
def start(tmp_path):
    machines = []

    def started(root=tmp_path, **setting):
        machines.append(Machine(None if root is None else str(root), **setting))
        return machines[-1]

    yield started
    for machine in machines:
        machine.close()


def open_file(machine, path, *, how=NATIVE, rights=READ | WRITE, oflags=0, fdflags=0):
    machine.poke(PATH, path)
    errno = machine.call(
        "path_open", 3, 1, PATH, len(path), oflags, rights, 0, fdflags, RESULT, how=how
    )
    assert errno == Errno.SUCCESS
    return int.from_bytes(machine.peek(RESULT, 4), "little")


def vector(machine, at, size):
    machine.poke(64, struct.pack("<II", at, size))
    return 64, 1


@pytest.mark.parametrize("kind", ["file", "directory", "subdirectory", "stdin", "stdout"])
@pytest.mark.parametrize(("name", "size"), [("fd_filestat_get", 64), ("fd_fdstat_get", 24)])
def test_what_a_descriptor_is_is_told_byte_for_byte_the_same(start, tmp_path, kind, name, size):
    (tmp_path / "f").write_bytes(b"x" * 1234)
    (tmp_path / "d").mkdir()
    os.utime(tmp_path / "f", ns=(-5, 1_234_567_890_123_456_789))
    machine = start()
    fd = {"stdin": 0, "stdout": 1, "directory": 3}.get(kind)
    if fd is None:
        path, rights = (b"f", READ | WRITE) if kind == "file" else (b"d", READ)
        fd = open_file(machine, path, rights=rights)
    seen = []
    for how in (NATIVE, FALLBACK, PYTHON):
        machine.poke(DATA, b"\xaa" * 80)
        assert machine.call(name, fd, DATA + 8, how=how) == Errno.SUCCESS
        seen.append(machine.peek(DATA, 80))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][:8] == seen[0][size + 8 : size + 16] == b"\xaa" * 8


def test_a_listing_is_byte_for_byte_the_same_and_kept_for_both(start, tmp_path):
    for name in ("file", "x" * 255, "étoile"):
        (tmp_path / name).touch()
    (tmp_path / os.fsdecode(b"raw\xff")).touch()
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("d")
    os.mkfifo(tmp_path / "fifo")
    machine = start(Path(tmp_path))
    fd = open_file(machine, b"d", rights=READ)
    for directory in (3, fd):
        seen = []
        for first in (NATIVE, PYTHON):
            for how in (first, NATIVE, PYTHON):
                machine.poke(DATA, bytes(4096))
                cookie = 0 if how is first else 1
                call = ("fd_readdir", directory, DATA, 4096, cookie, RESULT)
                assert machine.call(*call, how=how) == Errno.SUCCESS
                seen.append(machine.peek(DATA, 4096)[0 if cookie else 25 :])
        assert len({data.rstrip(b"\0") for data in seen}) == 1


@pytest.mark.parametrize("how", [NATIVE, FALLBACK])
def test_a_fifo_is_opened_once_and_handed_over(start, tmp_path, how):
    os.mkfifo(tmp_path / "fifo")
    machine = start()
    before = open_descriptors()
    fd = open_file(machine, b"fifo", how=how)
    assert open_descriptors() == before + 1
    assert machine.call("fd_fdstat_get", fd, RESULT, how=how) == Errno.SUCCESS
    assert machine.peek(RESULT, 1)[0] == Filetype.UNKNOWN
    assert machine.call("fd_close", fd, how=how) == Errno.SUCCESS
    assert open_descriptors() == before


def test_the_lowest_number_is_free_again_whoever_closed_it(start, tmp_path):
    (tmp_path / "f").touch()
    machine = start(open_files=8)
    opened = [open_file(machine, b"f", how=how) for how in (NATIVE, PYTHON, NATIVE, FALLBACK)]
    assert opened == [4, 5, 6, 7]
    machine.poke(PATH, b"f")
    full = ("path_open", 3, 0, PATH, 1, 0, READ, 0, 0, RESULT)
    assert machine.call(*full, how=NATIVE) == Errno.MFILE
    assert machine.host.fds.limit_hit
    for fd, how in ((6, PYTHON), (4, NATIVE), (5, FALLBACK)):
        assert machine.call("fd_close", fd, how=how) == Errno.SUCCESS
        assert machine.call("fd_close", fd, how=NATIVE) == Errno.BADF
    assert [open_file(machine, b"f", how=how) for how in (PYTHON, NATIVE, NATIVE)] == [4, 5, 6]


def test_a_file_beyond_the_directory_is_not_reached(start, tmp_path):
    (tmp_path / "outer").mkdir()
    root = tmp_path / "outer" / "root"
    root.mkdir()
    (tmp_path / "outer" / "secret").write_text("secret")
    (root / "out").symlink_to("../secret")
    (root / "d").mkdir()
    (root / "d" / "up").symlink_to("../..")
    machine = start(root)
    for path in (b"../secret", b"out", b"d/../../secret", b"d/up/secret", b"/etc/passwd"):
        machine.poke(PATH, path)
        call = ("path_open", 3, 1, PATH, len(path), 0, READ, 0, 0, RESULT)
        assert machine.call(*call, how=NATIVE) == Errno.PERM, path
        stat = ("path_filestat_get", 3, 1, PATH, len(path), DATA)
        assert machine.call(*stat, how=NATIVE) == Errno.PERM, path


def test_writing_after_append_was_set_goes_to_the_end(start, tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    machine = start()
    fd = open_file(machine, b"f", fdflags=int(Fdflags.APPEND))
    machine.poke(DATA, b"ab")
    for name in ("fd_write", "fd_pwrite"):
        offset = (0,) if name == "fd_pwrite" else ()
        call = (name, fd, *vector(machine, DATA, 2), *offset, RESULT)
        assert machine.call(*call, how=NATIVE) == Errno.SUCCESS
    assert (tmp_path / "f").read_bytes() == b"0123456789abab"


def test_creating_exclusively_creates_once(start, tmp_path):
    machine = start()
    open_file(machine, b"new", oflags=int(Oflags.CREAT | Oflags.EXCL))
    assert (tmp_path / "new").exists()
    call = ("path_open", 3, 1, PATH, 3, int(Oflags.CREAT | Oflags.EXCL), READ, 0, 0, RESULT)
    assert machine.call(*call, how=NATIVE) == Errno.EXIST


def test_output_is_kept_up_to_its_limit_and_the_rest_is_dropped(start):
    machine = start(None, output=10)
    machine.poke(DATA, b"0123456")
    for how in (NATIVE, PYTHON, NATIVE):
        call = ("fd_write", 1, *vector(machine, DATA, 7), RESULT)
        assert machine.call(*call, how=how) == Errno.SUCCESS
        assert machine.peek(RESULT, 4) == b"\7\0\0\0"
    assert machine.output() == (b"0123456012", b"")
    assert machine.streams.truncated == {"stdout"}


def test_random_bytes_differ_from_call_to_call_and_in_a_forked_child(start):
    machine = start(None)

    def draw():
        assert machine.call("random_get", DATA, 16, how=NATIVE) == Errno.SUCCESS
        return machine.peek(DATA, 16)

    drawn = {draw() for _ in range(100)}
    assert len(drawn) == 100
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, draw())
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as theirs:
        os.close(writer)
        assert draw() != theirs.read()


def test_all_memory_but_the_result_stays_as_it_was_where_a_pointer_is_out_of_range(start):
    machine = start()
    before = bytes(machine.view)
    for at in (machine.size - 3, machine.size, 2**31, 2**32 - 1):
        assert machine.call("clock_time_get", 1, 0, at, how=NATIVE) == Errno.FAULT
        assert machine.call("fd_tell", 3, at, how=NATIVE) == Errno.FAULT
        assert machine.call("random_get", at, 8, how=NATIVE) == Errno.FAULT
    assert bytes(machine.view) == before


def test_captured_output_can_be_looked_at_while_it_is_written(start):
    machine = start(None)
    machine.poke(DATA, b"x" * 64)
    place, capture = vector(machine, DATA, 64), machine.streams.nodes[1]
    wrong, done = [], threading.Event()

    def look():
        while not done.is_set():
            data = capture.getvalue()
            if data.strip(b"x") or len(data) % 64:
                wrong.append(data)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(3000):
        machine.call("fd_write", 1, *place, RESULT, how=NATIVE)
    done.set()
    watcher.join()
    assert not wrong
    assert capture.getvalue() == b"x" * 64 * 3000


def test_closing_in_one_guest_never_closes_the_file_of_another(start, tmp_path):
    """Two threads; host descriptors are numbers of the process, which both guests reuse."""
    wrong = []

    def work(number):
        root = tmp_path / str(number)
        root.mkdir()
        (root / "f").write_bytes(bytes([number]) * 8)
        machine = Machine(str(root))
        end = time.monotonic() + 1
        while time.monotonic() < end:
            fd = open_file(machine, b"f")
            where = vector(machine, DATA, 8)
            errno = machine.call("fd_read", fd, *where, RESULT, how=NATIVE)
            if errno or machine.peek(DATA, 8) != bytes([number]) * 8:
                wrong.append((number, errno))
            if machine.call("fd_close", fd, how=NATIVE):
                wrong.append("close")
        machine.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_rights_and_flags_in_c_are_those_of_the_specification():
    source = Path(loader.__file__).with_name("host.c").read_text()
    found = re.findall(r"#define (FD_\w+|PATH_\w+) \(UINT64_C\(1\) << (\d+)\)", source)
    assert len(found) >= 10
    for name, bit in found:
        assert int(Rights[name]) == 1 << int(bit), name
    kinds = re.findall(r"#define FILETYPE_(\w+) (\d+)", source)
    assert {name: int(value) for name, value in kinds}.items() <= {
        kind.name: int(kind) for kind in Filetype
    }.items()
    for name, value in re.findall(r"#define OFLAGS_(\w+) (\d+)u", source):
        assert int(value) == (int(Oflags[name]) if name != "ALL" else sum(map(int, Oflags)))
    now = Fstflags.ATIM_NOW | Fstflags.MTIM_NOW
    times = {**Fstflags.__members__, "NOW": now, "ALL": sum(map(int, Fstflags))}
    for name, value in re.findall(r"#define FSTFLAGS_(\w+) (\d+)u", source):
        assert int(value) == int(times[name]), name
    sync = Fdflags.DSYNC | Fdflags.RSYNC | Fdflags.SYNC
    expected = {"APPEND": Fdflags.APPEND, "SYNC": sync, "ALL": sum(map(int, Fdflags))}
    for name, value in re.findall(r"#define FDFLAGS_(\w+) (\d+)u", source):
        assert int(value) == int(expected[name]), name
    assert ALL_RIGHTS >> 30 == 0


GROWS = """(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $at i32)
    (local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
    (if (call $sizes (local.get $at) (i32.add (local.get $at) (i32.const 4))) (then unreachable))
    (local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
    (if (call $args (local.get $at) (i32.add (local.get $at) (i32.const BUFFER)))
      (then (drop (call $args (i32.const 0) (i32.const 64))) (local.set $at (i32.const 0))))
    (i32.store (local.get $at) (i32.add (local.get $at) (i32.const 64)))
    (i32.store offset=4 (local.get $at) (i32.const 3))
    (drop (call $write (i32.const 1) (local.get $at) (i32.const 1) (local.get $at)))))"""


@pytest.mark.parametrize(
    ("variable", "buffer", "compiled"),
    [
        pytest.param("", 64, False, id="in grown memory"),
        pytest.param("", 65536, True, id="beyond it"),  # FAULT, which is Python's to tell
        pytest.param("0", 64, True, id="without the native part"),
    ],
)
def test_memory_that_a_guest_has_grown_is_seen_without_a_shim(variable, buffer, compiled):
    guest = GROWS.replace("BUFFER", str(buffer)).encode()
    code = f"""if True:
        import sys, wasi_host
        done = wasi_host.run([{guest!r}], argv0="xyz", capture_output=True)
        print(done.returncode, done.stdout, "wasi_host.binding.shim" in sys.modules)"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, loader.VARIABLE: variable},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"0 b'xyz' {compiled}\n"
