import pytest

from tests.preview1.calls import an_instance
from wasi_host.errors import NOTSUP, ProcExit, Stopped
from wasi_host.preview1 import encode_args, encode_environ


def test_arguments_and_their_sizes():
    wasi = an_instance(args=encode_args(["prog", "", "ä", b"\xff"]))
    assert wasi.args_get() == [b"prog", b"", "ä".encode(), b"\xff"]
    assert wasi.args_sizes_get() == (4, 4 + 0 + 2 + 1 + 4)


def test_the_environment_and_its_sizes():
    wasi = an_instance(environ=encode_environ({"A": "1", "B": "x=y", "C": ""}))
    assert wasi.environ_get() == [b"A=1", b"B=x=y", b"C="]
    assert wasi.environ_sizes_get() == (3, 3 + 5 + 2 + 3)


def test_without_arguments_all_sizes_are_0():
    wasi = an_instance()
    assert wasi.args_sizes_get() == wasi.environ_sizes_get() == (0, 0)
    assert wasi.args_get() == wasi.environ_get() == []


@pytest.mark.parametrize("arg", ["a\0b", b"a\0b", "\ud800"], ids=["nul", "nul in bytes", "lone"])
def test_an_argument_no_guest_could_read_is_refused(arg):
    with pytest.raises(ValueError, match="an argument holds a"):
        encode_args(["prog", arg])


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"": "x"}, "empty"),
        ({"A=B": "x"}, "holds '='"),
        ({"A\0": "x"}, "holds a NUL"),
        ({"A": "x\0"}, "'A' holds a NUL"),
        ({"A": "\udc80"}, "'A' holds a lone surrogate"),
    ],
    ids=["empty name", "equals sign", "nul in name", "nul in value", "lone surrogate"],
)
def test_an_environment_no_guest_could_read_is_refused(environ, word):
    with pytest.raises(ValueError, match=word):
        encode_environ(environ)


@pytest.mark.parametrize("code", [0, 1, 126, 255, 256, 2**32 - 1])
def test_an_exit_carries_its_code(code):
    with pytest.raises(ProcExit) as caught:
        an_instance().proc_exit(code)
    assert caught.value.code == code


def test_no_signal_is_raised():
    wasi = an_instance()
    for signal in range(31):
        with pytest.raises(NOTSUP):
            wasi.proc_raise(signal)


def test_yielding_sees_that_the_run_is_to_stop():
    wasi = an_instance()
    wasi.sched_yield()
    wasi.scheduler.stop("timeout")
    with pytest.raises(Stopped):
        wasi.sched_yield()


@pytest.mark.parametrize("clock", range(4), ids=["realtime", "monotonic", "process", "thread"])
def test_every_clock_has_a_time_that_does_not_go_back_and_a_resolution(clock):
    wasi = an_instance()
    before = wasi.clock_time_get(clock, 0)
    assert wasi.clock_time_get(clock, 2**64 - 1) >= before > 0
    assert wasi.clock_res_get(clock) > 0


@pytest.mark.parametrize("size", [0, 1, 4096])
def test_random_bytes_are_as_many_as_asked_for(size):
    assert len(an_instance().random_get(size)) == size
