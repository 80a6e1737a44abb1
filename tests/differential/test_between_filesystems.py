"""Random sequences of everything that fits into numbers, on ours over several filesystems.

``python -m tests.differential --filesystems --steps 1000000`` runs more of it.
``WASI_HOST_STEPS`` sets the number of steps here, ``WASI_HOST_SEED`` the first seed.
"""

import os

import pytest

from tests.differential.filesystems import between_filesystems, by_both_resolvers
from tests.differential.generator import WideChooser
from tests.differential.session import Session, Unexplained
from wasi_host.fs import openat2

STEPS = int(os.environ.get("WASI_HOST_STEPS", "20000")) // 4
SEED = int(os.environ.get("WASI_HOST_SEED", "1"))


@pytest.mark.parametrize("world", [between_filesystems, by_both_resolvers])
def test_random_calls_with_any_numbers_come_to_the_same_on_every_filesystem(world):
    if world is by_both_resolvers and not openat2.available():
        pytest.skip("this kernel has no openat2")
    session, seed = Session(world, same_kind=world is by_both_resolvers), SEED
    while session.steps < STEPS:
        try:
            session.run(WideChooser(seed))
        except Unexplained as failure:
            steps = session.shrink(failure.steps)
            lines = "\n".join(f"    {step!r}," for step in steps)
            pytest.fail(f"seed {seed}: {failure.text}\nshrunk to\n{lines}")
        seed += 1
    assert not any(answer.startswith("RAISED") for _, answer in session.answers)
