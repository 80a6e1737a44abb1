"""The contestants' side of `benchmarks.turns`: does its work so often as each line says."""

import sys
import time
from collections.abc import Callable


class Watch:
    """Context manager that adds up the time inside it, on the wall and of the processor."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._wall
        self.cpu += time.process_time() - self._cpu


def serve_watched(work: Callable[[int, Watch], object]) -> int:
    """Do the work for each line of standard input, and say how long it took.

    Args:
        work: does it so many times, with the watch around what counts.
    """
    for line in sys.stdin:
        watch = Watch()
        work(int(line), watch)
        print(watch.wall, watch.cpu, flush=True)
    return 0


def serve(work: Callable[[int], object], shared_by: int = 1) -> int:
    """Do work all of which counts.

    Args:
        work: does it so many times.
        shared_by: how many threads do that, each of them so many times.
    """

    def watched(times: int, watch: Watch) -> None:
        with watch:
            work(times)
        watch.wall, watch.cpu = watch.wall / shared_by, watch.cpu / shared_by

    return serve_watched(watched)
