"""Random operations leave a guest in the same state, whoever serves each of them."""

import pytest

from tests.native import differential
from tests.native.machine import Machine
from wasi_host.fs import openat2

pytestmark = pytest.mark.usefixtures("native")

OPERATIONS = 15_000


def test_it_does_not_matter_who_serves_a_call():
    differential.run(OPERATIONS, seed=1)


def test_it_does_not_matter_who_serves_a_call_where_there_is_no_openat2():
    before = openat2.force_off(True)
    try:
        differential.run(OPERATIONS // 3, seed=2)
    finally:
        openat2.force_off(before)


def test_the_comparison_finds_a_position_that_only_one_side_moved(monkeypatch):
    call = Machine.call

    def forgetful(self, name, *numbers, **how):
        errno = call(self, name, *numbers, **how)
        if name == "fd_pread" and not errno and self.native:
            slot = self.host.fds.memory.find(numbers[0])
            slot.position += 1
        return errno

    monkeypatch.setattr(Machine, "call", forgetful)
    with pytest.raises(differential.Difference):
        differential.run(OPERATIONS, seed=3)
