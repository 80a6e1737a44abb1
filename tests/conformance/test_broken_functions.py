"""A host function with a mistake makes the matrix red: our programs look at each of them."""

import pytest

from conformance import own
from conformance.hosts import InProcess
from conformance.runner import run_matrix
from conformance.suite import load
from wasi_host.errors import INVAL
from wasi_host.preview1 import Preview1

_ABOUT = {row.program: row.functions for row in own.rows()}


def _ignore(right):
    return lambda self, *given: None


def _swap_first_two(right):
    return lambda self: [*right(self)[1::-1], *right(self)[2:]]


def _one_less(right):
    return lambda self: (right(self)[0], right(self)[1] - 1)


def _refuse(right):
    def refuse(self, *given):
        raise INVAL

    return refuse


def _microseconds(right):
    return lambda self, clock, precision: right(self, clock, precision) // 1000


def _no_rights(right):
    return lambda self, fd: (*right(self, fd)[:2], 0, 0)


def _size_of_nothing(right):
    def stat(self, fd):
        found = right(self, fd)
        return found._replace(size=found.size + 1)

    return stat


#: One mistake each: the function, and what stands for it, made of the right one.
MISTAKES = {
    "args_get": _swap_first_two,
    "args_sizes_get": _one_less,
    "environ_get": lambda right: lambda self: [text.replace(b"=", b":") for text in right(self)],
    "environ_sizes_get": _one_less,
    "clock_res_get": lambda right: lambda self, clock: right(self, clock) * 0,
    "clock_time_get": _microseconds,
    "fd_advise": _refuse,
    "fd_allocate": _ignore,
    "fd_close": _ignore,
    "fd_fdstat_get": _no_rights,
    "fd_fdstat_set_flags": _ignore,
    "fd_fdstat_set_rights": _ignore,
    "fd_filestat_get": _size_of_nothing,
    "fd_sync": _refuse,
}


@pytest.mark.usefixtures("python_only")
@pytest.mark.parametrize("function", MISTAKES)
def test_a_mistake_in_one_function_makes_the_matrix_red(monkeypatch, function):
    about = [case for case in load(own.PROGRAMS) if function in _ABOUT[case.name]]
    host = InProcess("wasmtime", "memory")
    assert run_matrix(about, [host]).red == []
    monkeypatch.setattr(Preview1, function, MISTAKES[function](getattr(Preview1, function)))
    assert run_matrix(about, [host], timeout=5).red != []
