"""Sequences on two machines at once: run, compare, shrink, and keep."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.differential.explained import (
    BETWEEN_FILESYSTEMS,
    EXPLANATIONS,
    Difference,
    explanation,
)
from tests.differential.generator import Chooser
from tests.differential.machine import INPUT, Machine, Outcome, close_all, ours, theirs
from tests.differential.normalise import SET, differing, fields
from tests.differential.steps import ARENA, Step
from wasi_spec import Filetype

#: Steps of one sequence, over fresh directories.
LENGTH = 60

#: Makes the machines of a sequence in an empty directory; the first is the one compared with.
World = Callable[[Path], list[Machine]]


class Unexplained(Exception):
    """A sequence that ends in a difference which nothing explains."""

    def __init__(self, steps: list[Step], text: str) -> None:
        super().__init__(text)
        self.steps = steps
        self.text = text


def against_wasmtime(scratch: Path) -> list[Machine]:
    """Return ours and wasmtime's own, each over a fresh host directory."""
    machines = []
    for name in ("ours", "theirs"):
        (scratch / name).mkdir()
    machines.append(ours("ours", scratch / "ours", scratch / "streams-ours"))
    machines.append(theirs(scratch / "theirs", scratch / "streams-theirs"))
    return machines


@contextmanager
def scratch_directory(parent: str | None = None) -> Iterator[Path]:
    """An empty directory that is gone afterwards, whatever was made in it."""
    path = Path(tempfile.mkdtemp(prefix="wasi-host-differential-", dir=parent))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def tree(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return all that is in a host directory: kinds, contents, targets, links, times set."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, directories, files in os.walk(root):
        for name in [*directories, *files]:
            path = os.path.join(place, name)
            status = os.lstat(path)
            mtime = status.st_mtime_ns if status.st_mtime_ns < SET else "now"
            seen: tuple[Any, ...] = (stat.S_IFMT(status.st_mode), mtime)
            if stat.S_ISLNK(status.st_mode):
                seen += (status.st_nlink, os.readlink(path))
            elif stat.S_ISREG(status.st_mode):
                seen += (status.st_nlink, status.st_size, _digest(path, status.st_size))
            found[os.path.relpath(path, root)] = seen
    return found


def _digest(path: str, size: int) -> str:
    """Return a digest of a file's beginning and end: it may be sparse and very large."""
    with open(path, "rb") as file:
        data = file.read(1 << 20)
        if size > 1 << 20:
            data += os.pread(file.fileno(), 4096, size - 4096)
    return hashlib.sha256(data).hexdigest()


class Session:
    """Runs sequences and counts what was explained."""

    def __init__(
        self, world: World = against_wasmtime, *, same_kind: bool = True, parent: str | None = None
    ) -> None:
        self.world = world
        self.same_kind = same_kind
        self.parent = parent
        self.explanations = EXPLANATIONS if world is against_wasmtime else BETWEEN_FILESYSTEMS
        self.steps = 0
        self.sequences = 0
        self.explained: Counter[str] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()

    def run(self, chooser: Chooser, length: int = LENGTH) -> None:
        """Run one sequence of a chooser's.

        Raises:
            Unexplained: with the sequence, as it was.
        """
        done: list[Step] = []

        def steps() -> Iterable[Step]:
            for _ in range(length):
                step = chooser.step()
                done.append(step)
                yield step

        try:
            self._sequence(steps(), chooser)
        except Unexplained as failure:
            raise Unexplained(done, failure.text) from None

    def replay(self, steps: Sequence[Step]) -> None:
        """Run a sequence again; raises as ``run`` does."""
        try:
            self._sequence(iter(steps), None)
        except Unexplained as failure:
            raise Unexplained(list(steps), failure.text) from None

    def _sequence(self, steps: Iterable[Step], chooser: Chooser | None) -> None:
        self.sequences += 1
        with scratch_directory(self.parent) as scratch:
            machines = self.world(scratch)
            try:
                for step in steps:
                    outcomes = [machine.run(step) for machine in machines]
                    self.steps += 1
                    self.answers[step.name, outcomes[0].answer] += 1
                    if self._compare(step, machines, outcomes):
                        return
                    if chooser is not None:
                        chooser.learn(step, outcomes[0].answer, _opened(step, machines[0]))
            finally:
                close_all(machines)
            self._compare_trees(scratch)

    def _compare(self, step: Step, machines: list[Machine], outcomes: list[Outcome]) -> bool:
        """Compare the outcomes of a step; true where the sequence has to end."""
        seen = [fields(step, one, same_kind=self.same_kind) for one in outcomes]
        ends = False
        for machine, outcome, other in zip(machines[1:], outcomes[1:], seen[1:], strict=True):
            names = differing(seen[0], other)
            if not names:
                continue
            difference = Difference(step, seen[0], other, names, _asking(machines[0], machine))
            why = explanation(difference, self.explanations)
            if why is None:
                raise Unexplained([], describe(difference, machines[0], machine, outcome))
            self.explained[why.what] += 1
            # Where one alone succeeded, or trapped, the worlds are not alike any more.
            alone = "answer" in names and {"SUCCESS", "TRAP"} & set(difference.answers)
            ends = ends or why.ends or bool(alone)
        return ends

    def _compare_trees(self, scratch: Path) -> None:
        roots = [scratch / name for name in ("ours", "theirs")]
        if not all(root.is_dir() for root in roots):
            return
        mine, other = (tree(root) for root in roots)
        if mine != other:
            lines = [
                f"{path!r}: ours {mine.get(path)}, theirs {other.get(path)}"
                for path in sorted(mine.keys() | other.keys())
                if mine.get(path) != other.get(path)
            ]
            raise Unexplained([], "the trees differ\n" + "\n".join(lines[:10]))
        for name in ("out", "err", "in"):
            streams = [scratch / f"streams-{one}" / name for one in ("ours", "theirs")]
            written = [stream.read_bytes() for stream in streams]
            if written[0] != written[1]:
                text = f"std{name}: {len(written[0])} bytes of ours, {len(written[1])} of theirs"
                raise Unexplained([], text)
            assert name != "in" or written[0] == INPUT

    def shrink(self, steps: list[Step]) -> list[Step]:
        """Return a shorter sequence that fails too: no step of it can be left out."""
        size = len(steps) // 2
        while size:
            at = 0
            while at < len(steps):
                shorter = steps[:at] + steps[at + size :]
                if shorter and self._fails(shorter):
                    steps = shorter
                else:
                    at += size
            size //= 2
        return steps

    def _fails(self, steps: Sequence[Step]) -> bool:
        try:
            self.replay(steps)
        except Unexplained:
            return True
        return False


def _asking(*machines: Machine) -> Callable[[Step], list[str]]:
    """Return a function that has both carry out a step which changes nothing."""
    return lambda step: [machine.run(step).answer for machine in machines]


def _opened(step: Step, machine: Machine) -> int | None:
    """Return the filetype of what a step opened."""
    if not step.opens or step.opens not in machine.numbers:
        return None
    outcome = machine.run(Step("fd_fdstat_get", (step.opens,)))
    if outcome.answer != "SUCCESS":
        return int(Filetype.UNKNOWN)
    return outcome.arena[outcome.laid.areas[0].at - ARENA.start]


def describe(difference: Difference, mine: Machine, other: Machine, outcome: Outcome) -> str:
    """Return what differs, in lines."""
    lines = [repr(difference.step)[:600], f"numbers {outcome.laid.numbers}"]
    for name in difference.names:
        ours_, theirs_ = difference.ours.get(name), difference.theirs.get(name)
        if name == "memory" and isinstance(ours_, bytes) and isinstance(theirs_, bytes):
            places = [ARENA.start + at for at in range(len(ours_)) if ours_[at] != theirs_[at]]
            lines.append(f"memory at {places[0]}, {len(places)} bytes, areas {outcome.laid.areas}")
        lines.append(f"{name}: {mine.name} {ours_!r:.300}")
        lines.append(f"{name}: {other.name} {theirs_!r:.300}")
    return "\n".join(lines)
