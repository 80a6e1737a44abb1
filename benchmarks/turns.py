"""Takes turns between contestants, so that whatever disturbs the machine disturbs all alike.

A contestant is a child process that does its work so many times when it reads a number, and
answers with the seconds it took, on the wall and of the processor. All are started before the first
sample; while one works the others sleep. How often the work is done in a sample is found for each,
so that a sample takes about a millisecond; a work that takes longer is done once.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.figures import Figure
from benchmarks.machine import ROOT, environment

#: Does the work so many times; returns seconds on the wall, and of the processor.
Sampler = Callable[[int], tuple[float, float]]
SAMPLE = 1e-3
#: Whether the work is done once in each sample, for tests of the benchmarks themselves.
SHORTEST = False
MOST_TIMES = 1 << 20
#: After so many seconds of one contestant's samples it has been measured enough.
PATIENCE = 20.0


class Ended(Exception):
    """A contestant has ended in the middle of it."""


class Child:
    """A contestant in a process of its own; a context manager.

    Args:
        command: what is run.
        native: whether this project may use its part in C; None: no matter.
        brittle: whether it is known to crash at times: then it is out, and the others go on.
        lives: how often a brittle one is started before it is out.
    """

    def __init__(
        self,
        command: Sequence[str],
        native: bool | None = None,
        brittle: bool = False,
        lives: int = 1,
    ) -> None:
        self._command = list(command)
        self._native = native
        self.brittle = brittle
        self._lives = lives

    def __enter__(self) -> "Child":
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(self._native),
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._complain()

    def answer(self) -> list[str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._complain()
        return line.split()

    def _complain(self) -> None:
        what = f"{' '.join(self._command)}\nended ({self._process.wait()})"
        if self.brittle:
            raise Ended(what)
        raise SystemExit(what)

    def __call__(self, times: int) -> tuple[float, float]:
        try:
            return self._sample(times)
        except Ended:
            self._lives -= 1
            if not self._lives:
                raise
        self.__exit__()
        self.__enter__()
        self(1)  # what is only slow the first time
        return self(times)

    def _sample(self, times: int) -> tuple[float, float]:
        self.ask(str(times))
        wall, cpu, *_ = self.answer()
        return float(wall), float(cpu)


@contextmanager
def started(children: Mapping[str, Child]) -> Iterator[Mapping[str, Child]]:
    """All children, running."""
    with ExitStack() as stack:
        for child in children.values():
            stack.enter_context(child)
        yield children


def python(module: str, *words: str, native: bool | None = None) -> Child:
    """A contestant that is a module of `benchmarks.hosts`."""
    return Child([sys.executable, "-m", f"benchmarks.hosts.{module}", *words], native)


@dataclass
class Timing:
    """The samples of one contestant: seconds for the work done once."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def figure(self, scale: float) -> Figure:
        """Return the figure in another unit, of which a second has so many."""
        return Figure.of([t * scale for t in self.wall], [t * scale for t in self.cpu])


def take_turns(
    samplers: Mapping[str, Sampler], samples: int, sample_seconds: float = SAMPLE
) -> dict[str, Timing]:
    """Measure all of them, one sample of each after the other.

    Args:
        samplers: the contestants by name.
        samples: how many samples of each.
        sample_seconds: how long a sample should take at least.

    Returns:
        The samples of each; of a brittle one that ended at once, none.
    """
    timings: dict[str, Timing] = {}
    times: dict[str, int] = {}
    spent = dict.fromkeys(samplers, 0.0)
    left = dict(samplers)
    for taken in range(samples):
        for name, sampler in list(left.items()):
            if taken >= 3 and spent[name] > PATIENCE:
                continue
            start = time.perf_counter()
            try:
                if not taken:
                    times[name] = _calibrated(sampler, sample_seconds)
                wall, cpu = sampler(times[name])
            except Ended as error:
                print(f"{name} is out: {error}", file=sys.stderr)
                del left[name]
                continue
            spent[name] += time.perf_counter() - start
            timing = timings.setdefault(name, Timing())
            timing.wall.append(wall / times[name])
            timing.cpu.append(cpu / times[name])
    return timings


def _calibrated(sampler: Sampler, sample_seconds: float) -> int:
    times = 1
    sampler(times)  # what is only slow the first time
    if SHORTEST:
        return times
    while times < MOST_TIMES and (took := sampler(times)[0]) < sample_seconds / 2:
        # Never more than the time asks for: what is done ten times too often may take minutes.
        wanted = int(times * sample_seconds / max(took, 1e-9))
        times = max(min(times * 8, wanted), times + 1)
    return times
