import pytest

from tests.layers.hosts import ROWS, Answers, Opened, Wrapped, files
from wasi_host.layers.layer import Layers, OpenLayer, apply
from wasi_spec import FUNCTIONS
from wasi_spec.types import CIOVECS
from wasi_spec.values import host_params


def leaving_alone(row, call):
    return call


def only(name, wrapper):
    """A layer around one function."""
    return lambda row, call: wrapper(call) if row.name == name else call


def test_layers_that_wrap_nothing_leave_the_host_itself():
    host = Answers()
    assert apply([leaving_alone, leaving_alone], host) is host
    assert apply([], host) is host


def test_a_function_that_no_layer_wraps_is_the_hosts_own():
    host = Answers()
    layered = apply([only("fd_read", lambda call: lambda *a: call(*a))], host)
    assert layered.fd_seek is host.fd_seek
    assert layered.fd_preadinto is host.fd_preadinto


def test_a_layer_is_given_each_row_of_the_table_once():
    rows = []
    apply([lambda row, call: rows.append(row) or call], Answers())
    assert rows == list(FUNCTIONS)


def test_the_first_layer_is_the_outermost():
    order = []

    def named(name):
        def layer(row, call):
            return lambda *a: order.append(name) or call(*a)

        return layer

    apply([named("outer"), named("inner")], Answers()).sched_yield()
    assert order == ["outer", "inner"]


def test_layers_see_bytes_where_the_guest_gave_a_view():
    seen = []
    noting = only("fd_write", lambda call: lambda *a: seen.append(a) or call(*a))
    layered = apply([noting], Answers())
    layered.fd_write(1, memoryview(bytearray(b"text")))
    assert seen == [(1, b"text")]
    assert type(seen[0][1]) is bytes


def test_data_to_write_is_the_second_parameter_wherever_there_is_any():
    places = {
        [param.type for param in host_params(row)].index(CIOVECS)
        for row in FUNCTIONS
        if any(param.type is CIOVECS for param in host_params(row))
    }
    assert places == {1}


@pytest.mark.parametrize(("filling", "reading", "rest"), [
    ("fd_readinto", "fd_read", ()), ("fd_preadinto", "fd_pread", (7,)),
])  # fmt: skip
def test_a_read_into_guest_memory_passes_through_the_layers(filling, reading, rest):
    seen = []
    layered = apply(
        [only(reading, lambda call: lambda *a: seen.append(a) or call(*a))],
        Answers(**{reading: b"hello"}),
    )
    first, second = bytearray(3), bytearray(b"....")
    done = getattr(layered, filling)(4, (memoryview(first), memoryview(second)), *rest)
    assert (done, bytes(first), bytes(second)) == (5, b"hel", b"lo..")
    assert seen == [(4, 7, *rest)]


def test_a_layer_around_a_real_host_sees_what_is_read():
    read = []

    def noting(call):
        def noted(*arguments):
            read.append(call(*arguments))
            return read[-1]

        return noted

    host = apply([only("fd_read", noting)], files({"f": b"x" * 20_000}))
    fd = host.path_open(3, 0, "f", 0, 2, 0, 0)
    into = bytearray(20_000)
    assert host.fd_readinto(fd, (memoryview(into),)) == 20_000
    assert read == [into]


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match="a layer is a function"):
        Layers([3])


class Noting(OpenLayer):
    def __init__(self, failure=None):
        super().__init__()
        self.closed = []
        self.failure = failure

    def __call__(self, function, call):
        return call

    def close(self, finished):
        self.closed.append(finished)
        if self.failure:
            self.failures.append(self.failure)


def test_layers_with_a_state_are_closed_and_asked_for_their_failures():
    error = ValueError("found at the end")
    outer, inner = Noting(), Noting(error)
    wrapped = Wrapped(Opened(outer), Opened(inner))
    assert wrapped.failures(finished=True) == [error]
    assert outer.closed == inner.closed == [True]


def test_layers_opened_before_one_that_cannot_be_are_closed():
    outer = Noting()
    with pytest.raises(TypeError):
        Layers([Opened(outer), None])
    assert outer.closed == [False]


def test_every_row_can_be_wrapped():
    layered = apply([lambda row, call: lambda *a: row.name], Answers())
    assert [getattr(layered, name)(1, b"", 0) for name in ROWS] == list(ROWS)
