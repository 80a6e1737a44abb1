"""``Sandbox.map``: many runs over the workers of an executor.

Theory of operation
===================

* A **job** is an argument list, or a dict of keywords of ``Sandbox.run``. Jobs travel in chunks,
  whose size follows the time that they take; at most a few chunks for each worker are under way,
  so an endless iterator of jobs is fine.
* **Threads** share the sandbox. Anything else is taken for other processes: the sandbox travels
  with each chunk, but its module only by its SHA-256 digest. A worker that does not know it says
  so; the module then goes along once for each worker that did, and other chunks that such a
  worker sent back wait until it has arrived. A worker keeps the last few.
* A job that fails is a result: what ``run`` raises about the guest is told by the result that it
  carries, any other exception by ``error`` of a result with the exit code 125.
* **A worker that dies** breaks a pool of processes for all that is under way. What was not done is
  done again in a pool made anew; a chunk that was under way when its worker died is then sent
  alone, job by job, and a job that ends its worker twice is told as killed.
"""

import hashlib
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import nullcontext
from time import perf_counter
from typing import Any, Final, NamedTuple

from wasi_host.modules import Module
from wasi_host.results import ENDED, HOST_ERROR, CompletedRun
from wasi_host.travel import Travel

__all__ = ["Job", "map_jobs"]

#: An argument list, or keywords of ``Sandbox.run``.
Job = Sequence[Any] | Mapping[str, Any]
#: Seconds that a chunk should take.
_CHUNK_SECONDS: Final = 0.1
_LONGEST: Final = 1024
#: Chunks under way for each worker.
_AHEAD: Final = 2
#: Modules that a worker keeps.
_KEPT: Final = 4
#: How often a job may lose its worker.
_LIVES: Final = 2


class Missing(NamedTuple):
    """A worker's answer: it does not know the module."""

    worker: str


class Done(NamedTuple):
    """A worker's answer: the results, the seconds they took, and who it is."""

    results: list[CompletedRun]
    seconds: float
    worker: str


class Chunk(NamedTuple):
    """Some jobs: the number of the first, and how often they lost their worker."""

    first: int
    jobs: list[Job]
    deaths: int = 0


Runner = Callable[..., CompletedRun]


def run_jobs(run: Runner, jobs: Iterable[Job]) -> Done:
    """Run some jobs, one after the other."""
    began = perf_counter()
    results = [_run_job(run, job) for job in jobs]
    return Done(results, perf_counter() - began, _this_worker())


def _this_worker() -> str:
    return f"{os.uname().nodename} {os.getpid()}"


def _run_job(run: Runner, job: Job) -> CompletedRun:
    keywords: dict[str, Any] = {"stdin": b"", "capture_output": True}
    if isinstance(job, Mapping):
        keywords.update(job)
        if "input" in job:
            del keywords["stdin"]
        if "stdout" in job or "stderr" in job:
            del keywords["capture_output"]
    else:
        keywords["argv"] = job
    try:
        return run(**keywords)
    except Exception as error:
        carried = getattr(error, "result", None)
        if isinstance(carried, CompletedRun):
            return carried
        return CompletedRun(_shown(job), HOST_ERROR, error=error)


def _shown(job: Job) -> list[object]:
    words = job.get("argv", ()) if isinstance(job, Mapping) else job
    return list(words) if isinstance(words, list | tuple) else [words]


# In a worker process: sandboxes by the digest of their module and their pickled options.
_known: Final[OrderedDict[str, Module]] = OrderedDict()


def work(
    rebuild: Callable[[Module], Runner], digest: str, wasm: bytes | None, name: str, jobs: list[Job]
) -> Done | Missing:
    """Run some jobs in a worker process.

    Args:
        rebuild: makes the sandbox's ``run`` of the module.
        digest: the module's.
        wasm: the module itself, for a worker that said it does not know it.
        name: the module's.
        jobs: the jobs.
    """
    module = _known.get(digest)
    if module is None:
        if wasm is None:
            return Missing(_this_worker())
        module = _known[digest] = Module(wasm, name)
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    _known.move_to_end(digest)
    done = run_jobs(rebuild(module), jobs)
    for result in done.results:
        if module in result.args[:1]:
            result.args[0] = None  # it is known at home, and would travel with each result
    return done


def map_jobs(
    run: Runner,
    travel: Callable[[], Travel],
    jobs: Iterable[Job],
    executor: Executor | None,
    chunksize: int | str,
    ordered: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Iterator[CompletedRun]:
    """Yield the result of each job.

    Args:
        run: ``Sandbox.run``.
        travel: returns what goes to workers. Asked only where these are other processes.
        jobs: as ``Sandbox.map``, and so are the others.
        executor: where they run.
        chunksize: how many travel together.
        ordered: whether results come in order.
        progress: is told how many are done.

    Raises:
        TypeError, ValueError: ``jobs``, ``executor`` or ``chunksize`` is none.
        TypeError: the sandbox cannot travel.
    """
    if chunksize != "auto":
        if not isinstance(chunksize, int):
            raise TypeError(f"chunksize is a number of jobs or 'auto', not {chunksize!r}")
        if chunksize < 1:
            raise ValueError(f"chunksize is 1 or more, not {chunksize}")
    if isinstance(jobs, str | bytes | Mapping) or not isinstance(jobs, Iterable):
        raise TypeError(f"jobs are argument lists or dicts of keywords, not {jobs!r}")
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(f"executor is a concurrent.futures.Executor, not {executor!r}")
    away = None
    if executor is not None and not isinstance(executor, ThreadPoolExecutor):
        away = travel()
    return _results(executor, run, away, jobs, chunksize, ordered, progress)


def _results(
    executor: Executor | None,
    run: Runner,
    away: Travel | None,
    jobs: Iterable[Job],
    chunksize: int | str,
    ordered: bool,
    progress: Callable[[int, int | None], object] | None,
) -> Iterator[CompletedRun]:
    total = len(jobs) if isinstance(jobs, Sized) else None
    with nullcontext(executor) if executor else ThreadPoolExecutor(os.cpu_count()) as on:
        yield from _Mapping(on, run, away, jobs, chunksize, ordered).results(progress, total)


class _Mapping:
    """One ``map``: what is still to be sent, what is under way, what is done."""

    def __init__(
        self,
        executor: Executor,
        run: Runner,
        away: Travel | None,
        jobs: Iterable[Job],
        chunksize: int | str,
        ordered: bool,
    ) -> None:
        self._executor = executor
        self._own: Executor | None = None
        self._run = run
        self._away = away
        self._digest = "" if away is None else hashlib.sha256(away.module.wasm).hexdigest()
        self._jobs = iter(jobs)
        self._count = 0
        self._fixed = chunksize if isinstance(chunksize, int) else 0
        self._size = self._fixed or 1
        self._ordered = ordered
        workers = getattr(executor, "_max_workers", None)
        self._most = _AHEAD * (workers if isinstance(workers, int) else os.cpu_count() or 1)
        self._again: deque[Chunk] = deque()
        self._under_way: dict[Future[Any], Chunk] = {}
        #: Of these, what took the module along; who lacks it; what waits for it to arrive.
        self._with_module: set[Future[Any]] = set()
        self._lacking: set[str] = set()
        self._waiting: list[Chunk] = []
        #: Chunks that were under way when a worker died go one by one, so that one job is to
        #: blame for the next death.
        self._careful = False

    def results(
        self, progress: Callable[[int, int | None], object] | None, total: int | None
    ) -> Iterator[CompletedRun]:
        """Yield the results, in order where that is wanted."""
        done = 0
        kept: dict[int, CompletedRun] = {}
        try:
            while self._fill():
                for number, result in self._finished():
                    kept[number] = result
                numbers = _in_order(kept, done) if self._ordered else list(kept)
                for number in numbers:
                    done += 1
                    if progress is not None:
                        progress(done, total)
                    yield kept.pop(number)
        finally:
            for future in self._under_way:
                future.cancel()
            if self._own is not None:
                self._own.shutdown(wait=False, cancel_futures=True)

    def _fill(self) -> bool:
        """Send chunks as long as workers can use them; tell whether any is under way."""
        if not self._with_module:
            self._again.extendleft(self._waiting)
            self._waiting.clear()
        if not self._again and not self._under_way:
            self._careful = False
        most = 1 if self._careful else self._most
        while len(self._under_way) + len(self._waiting) < most:
            chunk = self._again.popleft() if self._again else self._next()
            if chunk is None:
                break
            self._send(chunk, with_module=False)
        return bool(self._under_way)

    def _next(self) -> Chunk | None:
        jobs = []
        for job in self._jobs:
            jobs.append(job)
            if len(jobs) == self._size:
                break
        if not jobs:
            return None
        first, self._count = self._count, self._count + len(jobs)
        return Chunk(first, jobs)

    def _send(self, chunk: Chunk, with_module: bool) -> None:
        executor = self._own or self._executor
        try:
            if self._away is None:
                future: Future[Any] = executor.submit(run_jobs, self._run, chunk.jobs)
            else:
                rebuild, module, _ = self._away
                wasm = module.wasm if with_module else None
                future = executor.submit(
                    work, rebuild, self._digest, wasm, module.name, chunk.jobs
                )
        except BrokenExecutor:
            self._renew()
            self._send(chunk, with_module)
        else:
            self._under_way[future] = chunk
            if with_module:
                self._with_module.add(future)

    def _finished(self) -> Iterator[tuple[int, CompletedRun]]:
        """Yield what has ended by now, waiting for one at least."""
        alone = len(self._under_way) == 1
        # The executor's own futures may be of a kind that ``wait`` does not know.
        ended = [future for future in self._under_way if future.done()]
        ended = ended or list(wait(self._under_way, return_when=FIRST_COMPLETED).done)
        for future in ended:
            chunk = self._under_way.pop(future, None)
            if chunk is None:
                continue
            self._with_module.discard(future)
            try:
                answer = future.result()
            except BrokenExecutor:
                yield from self._died(chunk, alone)
                continue
            except Exception as error:  # it did not travel, or its result did not
                for place, job in enumerate(chunk.jobs):
                    yield chunk.first + place, CompletedRun(_shown(job), HOST_ERROR, error=error)
                continue
            if isinstance(answer, Missing):
                self._lacking.add(answer.worker)
                if len(self._with_module) < len(self._lacking):
                    self._send(chunk, with_module=True)
                else:
                    self._waiting.append(chunk)
                continue
            self._lacking.discard(answer.worker)
            self._learn(answer.seconds, len(chunk.jobs))
            for result in answer.results:
                if self._away is not None and None in result.args[:1]:
                    result.args[0] = self._away.given
            yield from enumerate(answer.results, chunk.first)

    def _learn(self, seconds: float, count: int) -> None:
        """Choose the size of the next chunks."""
        if not self._fixed:
            wanted = int(_CHUNK_SECONDS * count / max(seconds, 1e-6))
            self._size = max(1, min(wanted, self._size * 2, _LONGEST))

    def _died(self, chunk: Chunk, alone: bool) -> Iterator[tuple[int, CompletedRun]]:
        """Send again what was lost with a worker; tell of a job that ended its worker twice.

        Args:
            chunk: what was under way.
            alone: whether nothing else was: then its job is to blame, if there is only one.
        """
        self._careful = True
        to_blame = alone and len(chunk.jobs) == 1
        if to_blame and chunk.deaths + 1 >= _LIVES:
            yield chunk.first, CompletedRun(_shown(chunk.jobs[0]), ENDED, stopped="killed")
        else:
            deaths = chunk.deaths + to_blame
            for place, job in enumerate(chunk.jobs):
                self._again.append(Chunk(chunk.first + place, [job], deaths))
        if not self._under_way:
            self._renew()

    def _renew(self) -> None:
        """Take a new pool like the broken one, which is the caller's and stays as it is."""
        if self._own is not None:
            self._own.shutdown(wait=False)
        like = self._executor
        if isinstance(like, ProcessPoolExecutor):
            # What it was made of is not public; the names have been the same since 3.7.
            self._own = ProcessPoolExecutor(
                like._max_workers,  # type: ignore[attr-defined]
                mp_context=like._mp_context,
                initializer=like._initializer,
                initargs=like._initargs,
            )
        else:
            raise BrokenExecutor("the executor is broken, and cannot be made anew")


def _in_order(kept: Mapping[int, CompletedRun], first: int) -> list[int]:
    """Return the numbers from ``first`` on that are there without a gap."""
    numbers = []
    while first in kept:
        numbers.append(first)
        first += 1
    return numbers
