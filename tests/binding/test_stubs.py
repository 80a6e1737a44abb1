"""What an engine is handed first: a stub that becomes the shim at its first call."""

import threading
import traceback

import pytest

from tests.binding.fakes import ARENA, RAW, ROWS, TRAP, Host, RawContext, answering, raw_call
from wasi_host.binding import stub as stub_module
from wasi_host.binding.shim import ShimCompiler
from wasi_host.binding.stub import Stubs
from wasi_spec import core_signature, signatures

PAGE = 65536


@pytest.fixture
def stubs():
    return Stubs(memoryview(ARENA), signatures.PREVIEW1, "raw")


@pytest.mark.parametrize("name", ROWS)
def test_a_stub_answers_its_first_and_second_call_as_the_shim_does(stubs, name):
    numbers = [1024] * len(core_signature(ROWS[name])[0])
    answers = []
    for shim in (RAW[name], *[stubs[name]] * 2):
        context = RawContext(bytearray(PAGE), answering(0))
        answers.append((raw_call(name, context, numbers, {name: shim}), bytes(context.memory)))
    assert answers[0] == answers[1] == answers[2]


def test_a_stub_has_the_shims_own_code_after_its_first_call(stubs):
    stub = stubs["fd_sync"]
    raw_call("fd_sync", RawContext(bytearray(PAGE), answering(None)), [3], {"fd_sync": stub})
    assert stub.__code__ == RAW["fd_sync"].__code__


def test_making_a_stub_compiles_nothing(stubs, monkeypatch):
    monkeypatch.setattr(ShimCompiler, "_compile", lambda self, function: pytest.fail("compiled"))
    for name in ROWS:
        assert callable(stubs[name])


@pytest.mark.parametrize("error", [RecursionError, MemoryError, KeyboardInterrupt])
def test_a_stub_that_cannot_become_the_shim_ends_the_guest_and_is_tried_again(
    stubs, monkeypatch, error
):
    def fails(self, name):
        raise error

    stub = stubs["fd_sync"]
    with monkeypatch.context() as patch:
        patch.setattr(ShimCompiler, "__getitem__", fails)
        context = RawContext(bytearray(PAGE), answering(None))
        returned, _, _ = raw_call("fd_sync", context, [3], {"fd_sync": stub})
        assert (returned, type(context.pending)) == (TRAP, error)
    host = Host(lambda name, arguments: None)
    raw_call("fd_sync", RawContext(bytearray(PAGE), host), [3], {"fd_sync": stub})
    assert host.calls == [("fd_sync", (3,))]


def test_a_call_that_the_native_part_takes_after_all_makes_no_shim(stubs, monkeypatch):
    class Grown(RawContext):
        def again(self, name, caller, a):
            asked.append((name, caller, a))
            return 0

    asked = []
    monkeypatch.setattr(ShimCompiler, "_compile", lambda self, function: pytest.fail("compiled"))
    raw_call("fd_sync", Grown(bytearray(PAGE), answering(None)), [3], {"fd_sync": stubs["fd_sync"]})
    assert asked == [("fd_sync", 1234, 64)]


def test_two_threads_may_make_the_first_call_at_once(stubs):
    # Both are in the stub's own code before either may go on.
    stub, calls = stubs["sched_yield"], []
    both = threading.Barrier(2, timeout=60)
    become = stub.__globals__["BECOME_SHIM"]
    stub.__globals__["BECOME_SHIM"] = lambda: (both.wait(), become())
    host = Host(lambda name, arguments: calls.append(name))

    def call():
        assert stub(RawContext(bytearray(PAGE), host), 0, 64) == 0

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert calls == ["sched_yield", "sched_yield"]


def test_a_traceback_through_a_stub_shows_the_shims_source(stubs):
    context = RawContext(bytearray(PAGE), answering(ValueError("a bug")))
    raw_call("fd_sync", context, [3], {"fd_sync": stubs["fd_sync"]})
    assert "ctx.host.fd_sync(fd)" in "".join(traceback.format_exception(context.pending))


def test_the_other_module_has_its_own_rows():
    stub = Stubs(memoryview(ARENA), signatures.UNSTABLE, "raw")["fd_seek"]
    host = Host(lambda name, arguments: 7)
    raw_call("fd_seek", RawContext(bytearray(PAGE), host), [3, 0, 2, 1024], {"fd_seek": stub})
    assert host.calls == [("fd_seek", (3, 0, 0))]  # 2 is SET there


def test_a_stub_of_its_own_is_made_each_time(stubs):
    assert stubs["fd_sync"] is not stubs["fd_sync"]
    assert stub_module._first_call.__code__ is stubs["fd_sync"].__code__
