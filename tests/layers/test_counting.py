import pytest

from tests.layers.hosts import Wrapped
from wasi_host.errors import NOENT, Stopped
from wasi_host.layers.counting import Counting


def test_calls_are_counted_by_function():
    counting = Counting()
    host = Wrapped(counting)
    for _ in range(3):
        host.sched_yield()
    host.fd_tell(3)
    assert counting.calls == {"sched_yield": 3, "fd_tell": 1}
    assert counting.total == 4


def test_a_call_that_fails_counts():
    counting = Counting()
    with pytest.raises(NOENT):
        Wrapped(counting, fd_close=NOENT).fd_close(9)
    assert counting.total == 1


def test_the_call_after_the_limit_ends_the_run_without_being_made():
    counting = Counting(2)
    host = Wrapped(counting)
    host.fd_tell(3)
    host.sched_yield()
    with pytest.raises(Stopped) as stopped:
        host.fd_tell(3)
    assert stopped.value.reason == "calls"
    assert counting.total == len(host.inner.calls) == 2


def test_no_call_is_allowed_with_a_limit_of_0():
    with pytest.raises(Stopped):
        Wrapped(Counting(0)).sched_yield()
