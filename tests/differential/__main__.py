"""``python -m tests.differential --steps N --seed S``: random sequences on two hosts at once.

Compares ours with wasmtime's own WASI; with ``--filesystems``, ours over one filesystem with
ours over others, over the whole input space. The exit status is 1 where something differed that
nothing explains: the seed and the shrunk sequence are printed.
"""

import argparse
import sys
import time

from tests.differential.explained import BETWEEN_FILESYSTEMS, EXPLANATIONS
from tests.differential.filesystems import between_filesystems
from tests.differential.generator import Chooser, WideChooser
from tests.differential.session import LENGTH, Session, Unexplained


def main() -> int:
    """Run until the steps are done, or something fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--length", type=int, default=LENGTH, help="steps of one sequence")
    parser.add_argument("--filesystems", action="store_true")
    parser.add_argument("--directory", help="where scratch directories are made")
    parser.add_argument("--all", action="store_true", help="do not stop at a failure")
    given = parser.parse_args()
    kind = WideChooser if given.filesystems else Chooser
    if given.filesystems:
        session = Session(between_filesystems, same_kind=False, parent=given.directory)
    else:
        session = Session(parent=given.directory)
    begin, seed, failures = time.monotonic(), given.seed, 0
    while session.steps < given.steps:
        try:
            session.run(kind(seed), given.length)
        except Unexplained as failure:
            failures += 1
            report(session, seed, failure)
            if not given.all:
                break
        seed += 1
        if session.sequences % 2000 == 0:
            print(f"{session.steps:,} steps, next seed {seed}", flush=True)
    print(f"{session.steps:,} steps in {session.sequences:,} sequences, seeds {given.seed} to")
    print(f"{seed - 1}, {time.monotonic() - begin:.0f} s, {failures} unexplained; explained:")
    for entry in EXPLANATIONS + BETWEEN_FILESYSTEMS:
        if session.explained[entry.what]:
            print(f"{session.explained[entry.what]:8} {entry.what}")
    return 1 if failures else 0


def report(session: Session, seed: int, failure: Unexplained) -> None:
    """Print a failure, made as short as it can be."""
    steps = session.shrink(failure.steps)
    try:
        session.replay(steps)
        text = "not seen again in the shrunk sequence; first seen as\n" + failure.text
    except Unexplained as again:
        text = again.text
    print(f"seed {seed}, unexplained:\n{text}\nshrunk to")
    for step in steps:
        print(f"    {step!r},"[:2000])
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
