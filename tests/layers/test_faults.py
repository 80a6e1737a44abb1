import pickle

import pytest

from tests.layers.hosts import Wrapped, files
from wasi_host.errors import WasiError
from wasi_host.layers.faults import FAILURES, faults
from wasi_spec import FUNCTIONS, Clockid, Errno
from wasi_spec.records import SubscriptionClock


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except WasiError as error:
        return Errno(error.errno)


def run(layer, calls=300):
    host = Wrapped(layer, fd_read=b"", fd_write=1)
    outcomes = []
    for n in range(calls):
        outcomes.append(outcome(host.fd_read, 3, 1000 + n))
        outcomes.append(outcome(host.fd_write, 3, bytes(1000 + n)))
    sizes = [len(c[2]) if c[0] == "fd_write" else c[2] for c in host.inner.calls]
    return outcomes, sizes


def test_the_same_seed_gives_the_same_faults_in_every_run():
    layer = faults(7, errors=0.1, short=0.3)
    assert run(layer) == run(layer) == run(faults(7, errors=0.1, short=0.3))


def test_another_seed_gives_other_faults():
    assert run(faults(7, errors=0.1)) != run(faults(8, errors=0.1))


def test_the_faults_of_a_seed_stay_what_they_are():
    outcomes, sizes = run(faults(1, errors=0.2, short=0.2), calls=6)
    assert [n for n, found in enumerate(outcomes) if isinstance(found, Errno)] == [3, 5]
    assert sizes == [847, 1000, 1001, 1002, 1003, 1003, 26, 1004, 1005, 223]


def test_calls_fail_about_as_often_as_asked_for_and_are_not_made_then():
    outcomes, sizes = run(faults(3, errors=0.25, short=0))
    failed = [found for found in outcomes if isinstance(found, Errno)]
    assert 100 < len(failed) < 200
    assert len(sizes) == len(outcomes) - len(failed)
    assert set(failed) == {Errno.IO, Errno.NOSPC, Errno.DQUOT}


def test_reads_and_writes_are_cut_short_but_never_to_nothing():
    _, sizes = run(faults(3, errors=0, short=1))
    assert all(1 <= size < 1300 for size in sizes)
    assert len(set(sizes)) > 100


def test_a_transfer_of_one_byte_or_none_is_not_cut():
    host = Wrapped(faults(3, errors=0, short=1), fd_read=b"", fd_write=0)
    host.fd_read(3, 1)
    host.fd_read(3, 0)
    host.fd_write(1, b"")
    assert host.inner.calls == [("fd_read", 3, 1), ("fd_read", 3, 0), ("fd_write", 1, b"")]


def test_a_close_that_fails_has_closed():
    host = Wrapped(faults(3, errors=1, short=0))
    assert outcome(host.fd_close, 4) is Errno.IO
    assert host.inner.calls == [("fd_close", 4)]


def test_delays_pass_on_the_guests_own_clock():
    host = Wrapped(faults(3, errors=0, short=0, delays=1, longest_delay=2), fd_tell=1)
    host.fd_seek(3, 0, 0)
    (name, [waited]), seek = host.inner.calls
    assert name == "poll_oneoff"
    assert isinstance(waited, SubscriptionClock)
    assert waited.id == Clockid.MONOTONIC
    assert 0 < waited.timeout < 2_000_000_000
    assert seek == ("fd_seek", 3, 0, 0)


def test_what_a_program_cannot_do_without_never_fails():
    never = {row.name for row in FUNCTIONS} - FAILURES.keys()
    assert {"args_get", "clock_time_get", "fd_prestat_get", "proc_exit", "random_get"} <= never
    host = Wrapped(faults(3, errors=1))
    assert all(getattr(host.host, name) is getattr(host.inner, name) for name in never)


def test_only_the_functions_named_are_spoiled_and_with_the_errnos_given():
    layer = faults(
        3, errors=1, functions=["random_get"], errnos={"random_get": [Errno.NOSYS]}
    )  # fmt: skip
    host = Wrapped(layer, fd_tell=4)
    assert outcome(host.random_get, 4) is Errno.NOSYS
    assert host.fd_read is host.inner.fd_read


def test_a_real_file_written_with_faults_holds_what_the_host_said_was_taken():
    host = Wrapped(faults(5, errors=0.3, short=0.5, functions=["fd_write"]), host=files())
    fd = host.path_open(3, 0, "f", 1, 0x42, 0, 0)
    expected = b""
    for n in range(100):
        data = bytes([n]) * 50
        taken = outcome(host.fd_write, fd, data)
        expected += b"" if isinstance(taken, Errno) else data[:taken]
    assert 0 < len(expected) < 5000
    assert host.fd_pread(fd, 10_000, 0) == expected


def test_faults_pickle():
    layer = pickle.loads(pickle.dumps(faults(7, errors=0.1, short=0.3)))
    assert run(layer) == run(faults(7, errors=0.1, short=0.3))


@pytest.mark.parametrize("wrong", [
    {"seed": "x"}, {"errors": 2}, {"short": -0.1}, {"delays": float("nan")},
    {"longest_delay": -1}, {"functions": ["open"]}, {"functions": "fd_read"},
    {"errnos": {"fd_read": [Errno.SUCCESS]}}, {"errnos": {"fd_read": [99]}},
], ids=repr)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        faults(**{"seed": 1, **wrong})
