"""Every attack runs on both backends and over every kind of directory."""

import pytest

from tests.attacks import backends
from tests.attacks.guest import Guest
from tests.attacks.places import HostPlace, MemoryPlace
from tests.attacks.recipes import ENV
from wasi_host.fs import openat2
from wasi_host.fs.memory import MemoryFS

HOSTS = ["host by openat2", "host by the walk"]


@pytest.fixture(params=[*HOSTS, "memory"])
def place(request, tmp_path):
    """An empty directory to be given to a guest."""
    if request.param == "memory":
        yield MemoryPlace(MemoryFS())
    else:
        yield from host_place(request.param, tmp_path)


@pytest.fixture(params=HOSTS)
def host_only(request, tmp_path):
    """An empty host directory, for what only hosts have."""
    yield from host_place(request.param, tmp_path)


@pytest.fixture
def memory_only():
    """An empty tree in memory, where the filesystem does not matter."""
    return MemoryPlace(MemoryFS())


def host_place(how, tmp_path):
    walk = how == "host by the walk"
    before = openat2.force_off(walk)
    try:
        if not (walk or openat2.available()):
            pytest.skip("this kernel has no openat2")
        # Below another directory, so that what is beside it can be watched.
        root = tmp_path / "outer" / "root"
        root.mkdir(parents=True)
        yield HostPlace(root)
    finally:
        openat2.force_off(before)


@pytest.fixture(params=["engine", pytest.param("values", marks=pytest.mark.breadth)])
def backend(request):
    """What makes the guest's calls."""
    return backends.BACKENDS[request.param]


@pytest.fixture
def start(backend):
    """Starts a guest over a place, which it has as its directory 3 under the name ``/``."""
    guests = []

    def started(place, *, dirs=None, **setting):
        setting.setdefault("env", ENV)
        setting.setdefault("args", ["one", "two words"])
        given = {"/": place.source} if dirs is None else dirs
        guest = Guest(backend(given, **setting))
        guests.append(guest)
        return guest

    yield started
    for guest in guests:
        guest.close()


@pytest.fixture
def large(start, memory_only):
    """A guest whose memory is all that 32 bits can address; hardly any of it is touched."""
    return start(memory_only, pages=65536, maximum=65536)
