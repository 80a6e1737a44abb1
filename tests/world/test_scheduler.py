import os
import signal
import threading

import pytest

from tests.world.fakes import FakeClocks, FakeScheduler, WouldWaitForever, is_open
from wasi_host.errors import Stopped
from wasi_host.world import wake as wake_module
from wasi_host.world.clocks import Clocks
from wasi_host.world.scheduler import Scheduler

HOUR = 3_600_000_000_000


@pytest.fixture
def scheduler():
    scheduler = FakeScheduler()
    yield scheduler
    scheduler.close()


def test_a_readable_descriptor_ends_the_wait(scheduler, pipe):
    read, write = pipe
    os.write(write, b"x")
    assert scheduler.wait([(read, "read")], None) == {(read, "read"): False}


def test_a_writable_descriptor_ends_the_wait(scheduler, pipe):
    _, write = pipe
    assert scheduler.wait([(write, "write")], None) == {(write, "write"): False}


def test_only_the_ready_ones_are_returned(scheduler, pipe):
    read, write = pipe
    ready = scheduler.wait([(read, "read"), (write, "write")], None)
    assert set(ready) == {(write, "write")}


def test_both_directions_of_one_descriptor_are_told_apart(scheduler, sockets):
    a, b = sockets
    both = [(a.fileno(), "read"), (a.fileno(), "write")]
    assert set(scheduler.wait(both, None)) == {both[1]}
    b.send(b"x")
    assert set(scheduler.wait(both, None)) == set(both)


def test_what_becomes_ready_during_the_wait_ends_it(scheduler, pipe):
    read, write = pipe
    scheduler.on_pause = lambda _: os.write(write, b"x")
    assert scheduler.wait([(read, "read")], None) == {(read, "read"): False}


def test_a_writer_that_is_gone_is_ready_and_gone(scheduler, pipe):
    read, write = pipe
    os.close(write)
    assert scheduler.wait([(read, "read")], None) == {(read, "read"): True}


def test_a_reader_that_is_gone_is_ready_and_gone(scheduler, pipe):
    read, write = pipe
    os.close(read)
    assert scheduler.wait([(write, "write")], None) == {(write, "write"): True}


def test_a_peer_that_will_send_no_more_is_ready_and_gone(scheduler, sockets):
    a, b = sockets
    b.shutdown(1)
    assert scheduler.wait([(a.fileno(), "read")], None) == {(a.fileno(), "read"): True}


@pytest.mark.parametrize("direction", ["read", "write"])
def test_a_closed_descriptor_is_ready(scheduler, direction):
    fd = os.dup(0)
    os.close(fd)
    assert scheduler.wait([(fd, direction)], None) == {(fd, direction): True}


def test_a_regular_file_is_ready(scheduler, tmp_path):
    with open(tmp_path / "file", "w+") as file:
        interest = (file.fileno(), "read")
        assert interest in scheduler.wait([interest], None)


@pytest.mark.parametrize("ns", [1, 999_999, 1_000_000, 1_500_001, HOUR + 1, 2**63, 2**64 - 1])
def test_a_wait_ends_exactly_at_its_deadline(scheduler, ns):
    deadline = scheduler.clocks.monotonic() + ns
    assert scheduler.wait([], deadline) == {}
    assert scheduler.clocks.monotonic() == deadline


@pytest.mark.parametrize("deadline", [0, 999, 1_000])
def test_a_deadline_in_the_past_only_asks(scheduler, pipe, deadline):
    assert scheduler.wait([(pipe[0], "read")], deadline) == {}
    assert scheduler.pauses == []


def test_a_wait_without_deadline_has_no_end(scheduler, pipe):
    with pytest.raises(WouldWaitForever):
        scheduler.wait([(pipe[0], "read")], None)


class Recorder:
    """A poller that records how long it was asked to wait."""

    def __init__(self):
        self.timeouts = []

    def poll(self, timeout):
        self.timeouts.append(timeout)
        return []


@pytest.mark.parametrize(
    ("ns", "ms"),
    [(None, 3_600_000), (2**64 - 1, 3_600_000), (1_999_999, 1), (5_000_000, 5)],
    ids=["no end", "the longest", "rounded down", "exact"],
)
def test_one_pause_is_never_longer_than_asked_for_nor_than_poll_takes(ns, ms):
    recorder = Recorder()
    Scheduler(Clocks())._pause(recorder, ns)
    assert recorder.timeouts == [ms]


def test_the_real_thing_never_ends_before_the_deadline():
    scheduler = Scheduler(Clocks())
    for ns in (1, 50_000, 1_200_000):
        deadline = scheduler.clocks.monotonic() + ns
        scheduler.sleep(deadline)
        assert scheduler.clocks.monotonic() >= deadline
    scheduler.close()


def test_a_stopped_run_stops_at_every_wait_and_check(scheduler, pipe):
    scheduler.stop("timeout")
    for call in (
        scheduler.check,
        lambda: scheduler.wait([(pipe[1], "write")], None),
        lambda: scheduler.sleep(0),
        lambda: scheduler.sleep(None),
    ):
        with pytest.raises(Stopped) as caught:
            call()
        assert caught.value.reason == "timeout"


def test_the_first_reason_stays(scheduler):
    scheduler.stop("timeout")
    scheduler.stop("killed")
    assert scheduler.stopped == "timeout"


def test_a_stop_during_a_wait_ends_it(scheduler, pipe):
    scheduler.on_pause = lambda scheduler: scheduler.stop("killed")
    with pytest.raises(Stopped):
        scheduler.wait([(pipe[0], "read")], None)


def test_a_stop_during_a_wait_wins_over_what_became_ready(scheduler, pipe):
    def both(scheduler):
        os.write(pipe[1], b"x")
        scheduler.stop("killed")

    scheduler.on_pause = both
    with pytest.raises(Stopped):
        scheduler.wait([(pipe[0], "read")], None)


def test_a_wake_without_a_stop_goes_on_waiting(scheduler):
    def once(scheduler):
        if len(scheduler.pauses) == 1:
            scheduler._wake.wake()

    scheduler.on_pause = once
    deadline = scheduler.clocks.monotonic() + 500
    assert scheduler.wait([], deadline) == {}
    assert scheduler.clocks.monotonic() == deadline
    assert scheduler.pauses == [500, 500]


@pytest.mark.parametrize("eventfd", [True, False], ids=["eventfd", "pipe"])
def test_another_thread_stops_a_real_wait(monkeypatch, eventfd):
    monkeypatch.setattr(wake_module, "EVENTFD", eventfd and wake_module.EVENTFD)
    about_to_wait = threading.Event()

    class Announcing(Scheduler):
        def _pause(self, poller, remaining_ns):
            about_to_wait.set()
            return super()._pause(poller, remaining_ns)

    scheduler = Announcing(Clocks())
    reasons = []

    def wait():
        try:
            scheduler.sleep(None)
        except Stopped as stopped:
            reasons.append(stopped.reason)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    about_to_wait.wait()
    scheduler.stop("killed")
    thread.join(60)
    assert reasons == ["killed"]
    scheduler.close()


def test_a_signal_handler_stops_a_real_wait():
    class Interrupted(Scheduler):
        def _pause(self, poller, remaining_ns):
            # Before the poll at the latest; the flag was looked at already.
            signal.raise_signal(signal.SIGUSR1)
            return super()._pause(poller, remaining_ns)

    scheduler = Interrupted(Clocks())
    before = signal.signal(signal.SIGUSR1, lambda *_: scheduler.stop("interrupt"))
    try:
        with pytest.raises(Stopped):
            scheduler.sleep(None)
    finally:
        signal.signal(signal.SIGUSR1, before)
        scheduler.close()


def test_an_exception_of_a_signal_handler_comes_out_of_the_wait():
    def raising(*_):
        raise KeyboardInterrupt

    scheduler = FakeScheduler(on_pause=lambda _: signal.raise_signal(signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, raising)
    try:
        with pytest.raises(KeyboardInterrupt):
            scheduler.sleep(None)
    finally:
        signal.signal(signal.SIGUSR1, before)
        scheduler.close()


def test_a_host_without_a_free_descriptor_looks_at_the_flag_in_between(monkeypatch):
    def full(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(wake_module, "EVENTFD", False)
    monkeypatch.setattr(os, "pipe", full)

    def third(scheduler):
        if len(scheduler.pauses) == 3:
            scheduler.stop("timeout")

    scheduler = FakeScheduler(on_pause=third)
    with pytest.raises(Stopped):
        scheduler.sleep(scheduler.clocks.monotonic() + HOUR)
    assert scheduler.pauses == [50_000_000] * 3


def test_reset_makes_it_ready_for_the_next_run(scheduler):
    scheduler.on_pause = lambda scheduler: scheduler.stop("timeout")
    with pytest.raises(Stopped):
        scheduler.sleep(None)
    scheduler.stop("timeout")
    scheduler.on_pause = None
    scheduler.reset()
    scheduler.check()
    scheduler.sleep(scheduler.clocks.monotonic() + 7)
    assert scheduler.pauses[1:] == [7]


def test_what_is_ready_at_once_makes_no_wake_descriptor(scheduler, pipe):
    scheduler.wait([(pipe[1], "write")], None)
    scheduler.wait([(pipe[0], "read")], 0)
    assert scheduler._wake is None


def test_close_gives_the_wake_descriptor_back_and_a_late_stop_is_harmless(scheduler):
    scheduler.sleep(scheduler.clocks.monotonic() + 1)
    fd = scheduler._wake.fileno()
    assert is_open(fd)
    scheduler.close()
    assert not is_open(fd)
    scheduler.stop("killed")


def test_a_new_wait_works_after_close(scheduler):
    scheduler.sleep(scheduler.clocks.monotonic() + 1)
    scheduler.close()
    scheduler.sleep(scheduler.clocks.monotonic() + 1)
    assert len(scheduler.pauses) == 2


def test_fake_clocks_are_clocks():
    assert isinstance(FakeClocks(), Clocks)
