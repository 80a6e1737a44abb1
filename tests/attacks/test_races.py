"""Catalogue E 37: a second of the race; ``python -m tests.attacks.races`` runs a minute of it."""

import pytest

from tests.attacks.backends import BACKENDS
from tests.attacks.races import race
from wasi_host.fs import openat2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("walk", [False, True], ids=["openat2", "the walk"])
def test_e37_swapping_names_during_the_calls_reaches_nothing_outside(tmp_path, walk, backend):
    if not (walk or openat2.available()):
        pytest.skip("this kernel has no openat2")
    done = race(tmp_path, 60, walk=walk, backend=backend, calls=4000)
    assert not done.reached
    # It was a race: the links out were met, and what is inside as well.
    answers = {answer for _, answer in done.answers}
    assert {"SUCCESS", "PERM", "NOENT"} <= answers, done.answers
