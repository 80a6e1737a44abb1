"""A timeout ends a guest whatever it does, and what it wrote until then is kept."""

import os
import pickle
import subprocess
import threading

import pytest

import wasi_host
from tests.runtimes.guests import command, run, writes
from tests.sandbox.programs import ENDLESS, WASI, exits
from wasi_host import limits
from wasi_host.guest import Guest
from wasi_host.streams import specify


@pytest.fixture
def silent():
    """A pipe to read from in which nothing ever comes."""
    read, write = os.pipe()
    yield read
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_timeout_ends_a_guest(name, silent):
    with pytest.raises(wasi_host.TimeoutExpired) as expired:
        run(ENDLESS[name], stdin=silent, timeout=0.2)
    error = expired.value
    assert isinstance(error, subprocess.TimeoutExpired)
    assert error.timeout == 0.2
    assert (error.result.returncode, error.result.stopped) == (-9, "timeout")
    said = b"" if "start section" in name else b"out\n"
    assert error.stdout == error.result.stdout == said


@pytest.mark.parametrize("timeout", [0, -1], ids=["0", "negative"])
def test_no_time_at_all_ends_a_guest_before_it_begins_or_soon_after(timeout):
    with pytest.raises(wasi_host.TimeoutExpired):
        run(ENDLESS["computing"], timeout=timeout)


def test_a_timeout_that_is_no_number_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="nan"):
        run(ENDLESS["computing"], timeout=float("nan"))


def test_a_stop_before_the_instance_is_there_is_not_lost():
    for name in ("computing", "making calls", "computing in its start section"):
        recipe = wasi_host.Sandbox(ENDLESS[name]).recipe
        nothing = specify(
            input=b"", stdin=None, stdout=None, stderr=None,
            capture_output=True, text=None, encoding=None, errors=None,
        )  # fmt: skip
        guest = Guest(recipe, [], nothing, None, None, True)
        guest.stop("timeout")
        result = guest.run([])
        assert (result.returncode, result.stopped, result.stdout) == (-9, "timeout", b"")


@pytest.mark.parametrize(
    "timeout", [60, 0.5e10, 1e300, float("inf"), 60.0], ids=["int", "age", "eon", "inf", "float"]
)
def test_a_run_that_ends_in_time_is_as_without_a_timeout(timeout):
    assert run(exits(3), timeout=timeout).returncode == 3


def test_an_endless_timeout_does_not_keep_others_from_ending():
    far = limits.call_after(float("inf"), lambda: None)
    rung = threading.Event()
    limits.call_after(0.01, rung.set)
    assert rung.wait(60)
    far.cancel()


def test_a_cancelled_alarm_does_not_ring():
    alarm = limits.call_after(0.0, lambda: None)
    alarm.cancel()
    alarm.ring()
    assert alarm.cancelled


def test_cancelled_alarms_do_not_pile_up():
    for _ in range(1000):
        limits.call_after(3600, lambda: None).cancel()
    assert len(limits._alarms._heap) < 200


def test_a_text_cut_within_a_character_does_not_hide_the_timeout():
    body, data = writes("\xe4")
    body = body.replace("(i32.const 2)))", "(i32.const 1)))")  # only the first of its two bytes
    source = command(f"{body} (loop (br 0))", data, wasi=WASI)
    with pytest.raises(wasi_host.TimeoutExpired):
        run(source, timeout=0.2, text=True)


def test_an_expired_timeout_pickles_with_its_result():
    with pytest.raises(wasi_host.TimeoutExpired) as expired:
        run(ENDLESS["computing"], timeout=0.1)
    again = pickle.loads(pickle.dumps(expired.value))
    assert (type(again), again.timeout) == (wasi_host.TimeoutExpired, 0.1)
    assert again.result.stopped == "timeout"


def test_a_timeout_of_one_run_does_not_end_another_of_the_same_module():
    sandbox = wasi_host.Sandbox(ENDLESS["sleeping in poll_oneoff"])
    ended = []

    def work(timeout):
        try:
            sandbox.run(stdout=subprocess.DEVNULL, timeout=timeout)
        except wasi_host.TimeoutExpired as expired:
            ended.append(expired.timeout)

    threads = [threading.Thread(target=work, args=(timeout,)) for timeout in (0.3, 0.1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == [0.1, 0.3]
