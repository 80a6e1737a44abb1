"""Catalogue B 16: no room for one more descriptor, ours or the host's; numbers; leaks.

``WASI_HOST_TEST_CYCLES`` says how often a file is opened and closed, 10,000 times by default.
"""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.guest import CREAT, DIRECTORY, READ, TRUNC, WRITE, Guest
from wasi_spec import Errno
from wasi_spec.rights import FILE_RIGHTS

CYCLES = int(os.environ.get("WASI_HOST_TEST_CYCLES", "10000"))
#: How many descriptors a guest may have by default.
LIMIT = 256
TOP = Path(__file__).parents[2]


@pytest.fixture
def guest(place, start):
    place.write("file", b"0123456789")
    place.mkdir("dir")
    return start(place)


@pytest.fixture
def full(guest):
    """A guest that has all descriptors it may have."""
    for number in range(4, LIMIT):
        assert guest.open("file") == number
    return guest


@pytest.mark.parametrize("path", ["file", "dir", "dir/missing", "missing", ".", "dir/.."])
def test_b16_one_descriptor_too_many_is_mfile_whatever_is_opened(full, path):
    assert full.try_open(path) is Errno.MFILE


@pytest.mark.parametrize("path", ["new", "dir/new"])
def test_b16_one_descriptor_too_many_creates_nothing(full, place, path):
    before = place.snapshot()
    assert full.try_open(path, oflags=CREAT, rights=READ | WRITE) is Errno.MFILE
    assert place.snapshot() == before


def test_b16_one_descriptor_too_many_cuts_nothing(full, place):
    assert full.try_open("file", oflags=TRUNC, rights=READ | WRITE) is Errno.MFILE
    assert place.read("file") == b"0123456789"


def test_b16_calls_that_open_nothing_for_the_guest_still_work(full, place):
    full.must("path_create_directory", 3, "dir/made")
    assert full.names() == [b"dir", b"file"]
    assert place.exists("dir/made")


def test_b16_one_closed_is_one_that_can_be_opened(full):
    full.must("fd_close", 100)
    assert full.open("file") == 100
    assert full.try_open("file") is Errno.MFILE


def test_b16_a_closed_standard_stream_makes_room_too(full):
    full.must("fd_close", 0)
    assert full.open("file") == 0


def test_b16_renumbering_makes_room(full):
    full.must("fd_renumber", 255, 4)
    assert full.open("file") == 255


def test_b16_the_lowest_free_number_is_used_again(guest):
    fds = [guest.open("file") for _ in range(8)]
    assert fds == list(range(4, 12))
    for fd in (9, 5, 7):
        guest.must("fd_close", fd)
    assert [guest.open("file") for _ in range(4)] == [5, 7, 9, 12]


def test_b16_a_failed_open_uses_no_number(guest):
    first = guest.open("file")
    for path, oflags in (("missing", 0), ("file", DIRECTORY), ("../x", 0), ("dir", CREAT)):
        guest.try_open(path, oflags=oflags, rights=READ | WRITE)
    assert guest.open("file") == first + 1


def host_descriptors():
    return sorted(os.listdir("/proc/self/fd"))


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("path", ["dir/../file", "dir"])
def test_b16_opening_and_closing_leaks_nothing(guest, path):
    text, result = guest.put(path.encode()), guest.alloc(4)
    rights = READ if path == "dir" else FILE_RIGHTS
    opening = (3, 0, text, len(path), 0, rights, 0, 0, result)

    def cycles(count):
        wrong = 0
        for _ in range(count):
            wrong += guest.backend.call("path_open", *opening) != 0
            wrong += guest.backend.call("fd_close", 4) != 0
        return wrong

    assert cycles(200) == 0  # whatever is made only once is there now
    descriptors, blocks = host_descriptors(), sys.getallocatedblocks()
    assert cycles(CYCLES) == 0
    assert host_descriptors() == descriptors
    assert sys.getallocatedblocks() - blocks < CYCLES // 10
    assert guest.open("file") == 4


@needs_proc
def test_b16_what_a_guest_left_open_is_closed_with_it(place, backend):
    place.write("file", b"0123456789")
    place.mkdir("dir")
    before = host_descriptors()
    guest = Guest(backend({"/": place.source}))
    for path in ("file", "dir", "dir/../file") * 10:
        guest.open(path, rights=READ)
    guest.close()
    del guest  # and with it the sandbox, which has the directory itself open
    gc.collect()
    assert host_descriptors() == before


CHILD = """
import os, resource, sys
from tests.attacks.backends import BACKENDS
from tests.attacks.guest import CREAT, READ, WRITE, Guest
from tests.attacks.recipes import clock
from wasi_host.fs import openat2
from wasi_spec import Errno

backend, how, root = sys.argv[1:]
openat2.force_off(how == "walk")
guest = Guest(BACKENDS[backend]({"/": root}))
assert guest.content("dir/file") == b"content"
held = guest.open("dir/file")
low, high = resource.getrlimit(resource.RLIMIT_NOFILE)
free = os.dup(0)
os.close(free)
os.listdir(root)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, high))
creating = dict(oflags=CREAT, rights=READ | WRITE)
answers = {
    "open": guest.try_open("file"),
    "open below": guest.try_open("dir/file"),
    "create": guest.try_open("new", **creating),
    "create below": guest.try_open("dir/new", **creating),
    "make a directory": guest.call("path_create_directory", 3, "dir/new"),
    "list": guest.call("fd_readdir", 3, guest.alloc(64), 64, 0),
    "rename": guest.call("path_rename", 3, "dir/file", 3, "dir/new"),
}
# What needs no descriptor of the host goes on, waiting too.
at = guest.put(clock(timeout=1000))
others = {
    "stat": guest.call("path_filestat_get", 3, 0, "file"),
    "make a directory beside": guest.call("path_create_directory", 3, "made"),
    "read": guest.call("fd_read", held, guest.vector(4)),
    "sleep": guest.call("poll_oneoff", at, guest.alloc(32), 1),
}
resource.setrlimit(resource.RLIMIT_NOFILE, (low, high))
others["open again"] = guest.try_open("dir/file")
names = guest.names()
guest.close()
for name, errno in answers.items():
    assert errno is Errno.MFILE, (name, errno)
for name, errno in others.items():
    assert errno is Errno.SUCCESS, (name, errno)
assert names == [b"dir", b"file", b"made"], names
assert os.listdir(os.path.join(root, "dir")) == ["file"]
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts on Linux's own lowest number")
@pytest.mark.parametrize("how", ["openat2", "walk"])
@pytest.mark.parametrize("made_by", ["engine", "values"])
def test_b16_the_hosts_own_limit_is_mfile_before_anything_is_created(tmp_path, made_by, how):
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "dir" / "file").write_bytes(b"content")
    command = [sys.executable, "-c", CHILD, made_by, how, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP, check=False)
    assert (done.returncode, done.stderr) == (0, "")
