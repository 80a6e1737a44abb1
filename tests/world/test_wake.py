import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.world.fakes import is_open, is_readable
from wasi_host.world import wake as module
from wasi_host.world.wake import Wake


@pytest.fixture(params=["eventfd", "pipe"])
def wake(request, monkeypatch):
    if request.param == "eventfd" and not module.EVENTFD:
        pytest.skip("no eventfd here")
    monkeypatch.setattr(module, "EVENTFD", request.param == "eventfd")
    wake = Wake()
    yield wake
    wake.close()


def open_descriptors():
    return sorted(os.listdir("/dev/fd"))


def test_nothing_is_opened_before_it_is_asked_for(wake):
    before = open_descriptors()
    wake.wake()
    wake.clear()
    assert open_descriptors() == before


def test_it_is_readable_from_wake_to_clear(wake):
    fd = wake.fileno()
    assert not is_readable(fd)
    wake.wake()
    assert is_readable(fd)
    assert wake.fileno() == fd
    wake.clear()
    assert not is_readable(fd)


def test_clearing_what_nobody_woke_does_not_wait(wake):
    wake.fileno()
    wake.clear()


def test_waking_any_number_of_times_never_waits_and_one_clear_is_enough(wake):
    fd = wake.fileno()
    for _ in range(20_000):
        wake.wake()
    wake.clear()
    assert not is_readable(fd)


def test_another_thread_can_wake(wake):
    fd = wake.fileno()
    thread = threading.Thread(target=wake.wake)
    thread.start()
    thread.join()
    assert is_readable(fd)


def test_a_signal_handler_can_wake_while_its_own_thread_holds_the_lock(wake):
    fd = wake.fileno()
    before = signal.signal(signal.SIGUSR1, lambda *_: wake.wake())
    try:
        with wake._lock:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert is_readable(fd)


def test_close_gives_everything_back_and_twice_is_harmless(wake):
    before = open_descriptors()
    wake.fileno()
    wake.close()
    wake.close()
    assert open_descriptors() == before


def test_waking_after_close_touches_nobody_elses_descriptor(wake):
    fd = wake.fileno()
    wake.close()
    read, write = os.pipe()
    try:
        assert fd in (read, write)
        wake.wake()
        assert not is_readable(read)
    finally:
        os.close(read)
        os.close(write)


def test_a_dropped_one_leaks_nothing(wake):
    before = open_descriptors()
    dropped = Wake()
    dropped.fileno()
    del dropped
    assert open_descriptors() == before


def test_it_is_not_inherited_by_programs_started_meanwhile(wake):
    fd = wake.fileno()
    assert not os.get_inheritable(fd)


def test_a_host_that_forbids_eventfd_gets_a_pipe(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "eventfd", forbidden, raising=False)
    wake = Wake()
    fd = wake.fileno()
    wake.wake()
    assert is_readable(fd)
    wake.close()
    assert not is_open(fd)


def test_a_host_without_a_free_descriptor_gets_none_and_nothing_fails(monkeypatch):
    def full(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module, "EVENTFD", False)
    monkeypatch.setattr(os, "pipe", full)
    wake = Wake()
    assert wake.fileno() == -1
    wake.wake()
    wake.clear()
    wake.close()


FORKING = """
import os, select, sys
from wasi_host.world import wake as module
module.EVENTFD = module.EVENTFD and sys.argv[1] == "eventfd"
wake = module.Wake()
fd = wake.fileno()
def readable(fd): return bool(select.select([fd], [], [], 0)[0])
if os.fork() == 0:
    wake.wake()
    if wake.fileno() < 0: os._exit(1)
    wake.wake()
    wake.clear()
    os._exit(0 if not readable(wake.fileno()) else 2)
_, status = os.wait()
quiet = not readable(fd)
wake.wake()
if os.fork() == 0:
    wake.clear()
    os._exit(0)
os.wait()
print(status, quiet, readable(fd))
"""


@pytest.mark.parametrize("kind", ["eventfd", "pipe"])
def test_a_forked_child_neither_wakes_its_parent_nor_eats_what_woke_it(kind):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FORKING, kind],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0 True True\n"
