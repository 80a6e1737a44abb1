"""Random sequences on wasmtime's own WASI and on ours: the same outcomes, memory and trees.

``python -m tests.differential --steps 1000000`` runs more of it. ``WASI_HOST_STEPS`` sets the
number of steps here, ``WASI_HOST_SEED`` the first seed.
"""

import os
from importlib.metadata import version

import pytest

from tests.differential.explained import EXPLANATIONS
from tests.differential.generator import Chooser
from tests.differential.regressions import AGAINST_WASMTIME
from tests.differential.session import Session, Unexplained
from tests.differential.steps import Step

STEPS = int(os.environ.get("WASI_HOST_STEPS", "20000"))
SEED = int(os.environ.get("WASI_HOST_SEED", "1"))
#: Where sequences run: what they sync need not reach a disk.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

current = pytest.mark.skipif(
    int(version("wasmtime").split(".")[0]) < 50,
    reason="the differences are those of wasmtime 50; it mended several of older ones",
)


@current
def test_random_sequences_come_to_the_same_or_their_difference_is_explained():
    session, seed = Session(parent=SCRATCH), SEED
    while session.steps < STEPS:
        try:
            session.run(Chooser(seed))
        except Unexplained as failure:
            steps = session.shrink(failure.steps)
            lines = "\n".join(f"    {step!r}," for step in steps)
            pytest.fail(f"seed {seed}: {failure.text}\nshrunk to\n{lines}")
        seed += 1
    # The stream is worth something only if most functions get to do what they are for.
    worked = {name for name, answer in session.answers if answer == "SUCCESS"}
    if STEPS >= 20_000:
        assert len(worked) >= 35, sorted(worked)


@current
@pytest.mark.parametrize("name", AGAINST_WASMTIME)
def test_a_sequence_that_once_differed_is_explained_or_the_same(name):
    Session().replay(AGAINST_WASMTIME[name])


def test_each_explanation_is_told_once_and_names_its_judge():
    assert len({entry.what for entry in EXPLANATIONS}) == len(EXPLANATIONS)
    for entry in EXPLANATIONS:
        assert any(
            word in entry.judge for word in ("POSIX", "spec:", "official:", "catalogue", "ours")
        ), entry.what


def test_a_difference_that_nothing_explains_is_found_and_shrunk_to_its_steps(monkeypatch):
    monkeypatch.setattr("tests.differential.session.EXPLANATIONS", ())
    noise = [Step("fd_tell", (3,)), Step("sched_yield", ()), Step("args_sizes_get", ())]
    made = Step("path_open", (3, 0, b"a", 1, 66, 66, 0), opens=10)
    allocated = Step("fd_allocate", (10, 0, 5))
    session = Session()
    steps = [*noise, made, *noise, allocated, *noise]
    with pytest.raises(Unexplained, match="NOTSUP"):
        session.replay(steps)
    assert session.shrink(steps) == [made, allocated]


def test_the_final_trees_are_compared_too(monkeypatch):
    monkeypatch.setattr("tests.differential.session.tree", lambda root: {root.name: ()})
    with pytest.raises(Unexplained, match="the trees differ"):
        Session().replay([Step("sched_yield", ())])
