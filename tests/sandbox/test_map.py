"""``Sandbox.map``: a result for each job, whatever becomes of the job or of its worker."""

import itertools
import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import Future as PlainFuture

import pytest

import wasi_host
from tests.runtimes.guests import command
from tests.sandbox.programs import ARGS, CAT, ENDLESS, ENVIRON, exits
from wasi_host import mapping

#: Exits with the length of its first argument.
LENGTH = command(
    """(drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (call $proc_exit (i32.sub (i32.load (i32.const 20)) (i32.const 8)))""",
    wasi=["args_sizes_get", "proc_exit"],
)
KINDS = ["threads", "forkserver", "spawn"]


def executor(kind, workers=2):
    if kind == "threads":
        return ThreadPoolExecutor(workers)
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(kind))


@pytest.fixture(scope="module", params=KINDS)
def workers(request):
    with executor(request.param) as made:
        yield made


@pytest.fixture(scope="module")
def processes():
    with executor("forkserver") as made:
        yield made


def words(count):
    return [["x" * number] for number in range(count)]


def lengths(results):
    return [done.returncode for done in results]


def spring(path, always):
    """Kill this process if the file is there."""
    if os.path.exists(path) and multiprocessing.parent_process() is not None:
        if not always:
            os.unlink(path)
        os.kill(os.getpid(), signal.SIGKILL)
    return "x"


# ---- results ------------------------------------------------------------------------------------


def test_each_job_has_its_result_in_order(workers):
    results = wasi_host.Sandbox(LENGTH).map(words(40), executor=workers)
    assert lengths(results) == list(range(40))


def test_without_an_executor_threads_do_it():
    assert lengths(wasi_host.Sandbox(LENGTH).map(words(20))) == list(range(20))
    assert not [item for item in threading.enumerate() if "ThreadPoolExecutor" in item.name]


def test_results_as_they_are_done_are_all_there(workers):
    results = wasi_host.Sandbox(LENGTH).map(words(40), executor=workers, ordered=False)
    assert sorted(lengths(results)) == list(range(40))


def test_output_is_captured_and_input_empty(workers):
    (done,) = wasi_host.Sandbox(CAT).map([[]], executor=workers)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_job_may_be_keywords_of_run(workers):
    sandbox = wasi_host.Sandbox(CAT, env={"A": "0"})
    jobs = [{"input": b"one"}, {"input": "zwei", "text": True}, {"argv": ["x"]}]
    assert [done.stdout for done in sandbox.map(jobs, executor=workers)] == [b"one", "zwei", b""]
    jobs = [{"env": {"A": str(number)}} for number in range(3)]
    results = sandbox.replace(module=ENVIRON).map(jobs, executor=workers)
    assert [done.stdout for done in results] == [b"A=0\0", b"A=1\0", b"A=2\0"]


def test_no_jobs_are_no_results(workers):
    assert list(wasi_host.Sandbox(LENGTH).map([], executor=workers)) == []


# ---- a job that fails is a result ---------------------------------------------------------------


def test_an_exit_code_a_trap_and_a_stop_are_results(workers):
    (done,) = wasi_host.Sandbox(exits(3)).map([{"check": True}], executor=workers)
    assert done.returncode == 3
    (done,) = wasi_host.Sandbox(command("unreachable")).map([[]], executor=workers)
    assert (done.returncode, done.trap.cause) == (-6, "unreachable")
    endless = wasi_host.Sandbox(ENDLESS["computing"])
    (done,) = endless.map([{"timeout": 0.1}], executor=workers)
    assert (done.returncode, done.stopped, done.stdout) == (-9, "timeout", b"out\n")


@pytest.mark.parametrize(
    ("job", "error"),
    [
        (["a\0b"], ValueError),
        ({"imagined": 1}, TypeError),
        ({"stdin": b"", "input": b""}, None),
        (7, TypeError),
    ],
    ids=["a NUL", "an unknown keyword", "input and no stdin", "no job at all"],
)
def test_a_job_that_cannot_be_run_is_a_result_and_the_others_run(workers, job, error):
    jobs = [["x"], job, ["xx"]]
    first, middle, last = wasi_host.Sandbox(LENGTH).map(jobs, executor=workers)
    assert (first.returncode, last.returncode) == (1, 2)
    if error is not None:
        assert middle.returncode == 125
        assert isinstance(middle.error, error)


def test_a_job_that_does_not_pickle_is_a_result_and_the_others_run(processes):
    jobs = [["x"], {"env": {"A": "1"}, "stdout": lambda data: None}, ["xx"]]
    first, middle, last = wasi_host.Sandbox(LENGTH).map(jobs, executor=processes, chunksize=1)
    assert (first.returncode, middle.returncode, last.returncode) == (1, 125, 2)
    assert middle.error is not None


# ---- how jobs are taken and sent ----------------------------------------------------------------


def test_an_endless_iterator_of_jobs_is_taken_as_workers_have_time(workers):
    taken = itertools.count()
    results = wasi_host.Sandbox(LENGTH).map((["x" * 3] for _ in taken), executor=workers)
    assert lengths(itertools.islice(results, 50)) == [3] * 50
    results.close()
    assert next(taken) < 50 + 5 * mapping._LONGEST


@pytest.mark.parametrize("chunksize", [1, 7, 100, "auto"])
def test_jobs_travel_together(chunksize):
    class Counting(ThreadPoolExecutor):
        sizes = []  # noqa: RUF012  of this class, which is made anew for each test

        def submit(self, call, *arguments):
            self.sizes.append(len(arguments[-1]))
            return super().submit(call, *arguments)

    with Counting(2) as counting:
        results = wasi_host.Sandbox(LENGTH).map(words(30), executor=counting, chunksize=chunksize)
        assert lengths(results) == list(range(30))
    assert sum(counting.sizes) == 30
    if chunksize == "auto":
        assert counting.sizes[0] == 1
        assert max(counting.sizes) > 1
    else:
        assert max(counting.sizes) == min(chunksize, 30)


@pytest.mark.parametrize("chunksize", [0, -1, "some", 1.5])
def test_a_chunk_is_a_positive_number_or_auto(chunksize):
    with pytest.raises((TypeError, ValueError), match="chunksize"):
        list(wasi_host.Sandbox(LENGTH).map(words(3), chunksize=chunksize))


def test_progress_is_told_after_each_result():
    told = []
    jobs = words(5)
    list(wasi_host.Sandbox(LENGTH).map(jobs, progress=lambda *numbers: told.append(numbers)))
    assert told == [(number, 5) for number in range(1, 6)]
    told.clear()
    list(wasi_host.Sandbox(LENGTH).map(iter(jobs), progress=lambda *numbers: told.append(numbers)))
    assert told[-1] == (5, None)


def test_an_executor_of_the_callers_stays_usable(workers):
    for _ in range(2):
        list(wasi_host.Sandbox(LENGTH).map(words(3), executor=workers))
    assert workers.submit(len, "four").result() == 4


# ---- what travels -------------------------------------------------------------------------------


class Elsewhere(Executor):
    """Runs what it gets as another process would, from pickles; counts their bytes."""

    _max_workers = 1

    def __init__(self):
        self.sizes = []
        self.answers = []

    def submit(self, *call):
        data = pickle.dumps(call)
        self.sizes.append(len(data))
        function, *arguments = pickle.loads(data)
        answer = pickle.dumps(function(*arguments))
        self.answers.append(len(answer))
        future = PlainFuture()
        future.set_result(pickle.loads(answer))
        return future


def test_a_module_travels_once_to_a_worker(monkeypatch):
    monkeypatch.setattr(mapping, "_known", type(mapping._known)())
    weight = command("", f'(data (i32.const 0) "{"x" * 50_000}")', *[]) + b" "
    elsewhere = Elsewhere()
    sandbox = wasi_host.Sandbox(weight)
    size = len(sandbox.recipe.module.wasm)
    assert size > 50_000
    assert lengths(sandbox.map(words(20), executor=elsewhere, chunksize=1)) == [0] * 20
    heavy = [sent for sent in elsewhere.sizes if sent > size]
    assert len(heavy) == 1
    assert sum(elsewhere.sizes) < size + 20 * 3_000
    assert max(elsewhere.answers) < 3_000
    elsewhere.sizes.clear()
    list(sandbox.replace(env={"A": "1"}).map(words(2), executor=elsewhere))
    assert max(elsewhere.sizes) < 3_000


def test_a_worker_keeps_the_last_few_modules(monkeypatch):
    monkeypatch.setattr(mapping, "_known", type(mapping._known)())
    elsewhere = Elsewhere()
    for code in range(mapping._KEPT + 2):
        assert lengths(wasi_host.Sandbox(exits(code)).map([[]], executor=elsewhere)) == [code]
    assert len(mapping._known) == mapping._KEPT


def test_directories_and_limits_travel_with_the_sandbox(processes):
    sandbox = wasi_host.Sandbox(
        ENDLESS["computing"], dirs={"/": {"a": b"x"}}, limits=wasi_host.Limits(timeout=0.1)
    )
    (done,) = sandbox.map([[]], executor=processes)
    assert done.stopped == "timeout"


def test_results_name_the_module_as_the_sandbox_was_given_it(tmp_path, workers):
    path = tmp_path / "length.wasm"
    path.write_bytes(wasi_host.Sandbox(LENGTH).recipe.module.wasm)
    (done,) = wasi_host.Sandbox(path).map([["abc"]], executor=workers)
    assert done.args == [path, "abc"]


def test_a_sandbox_that_does_not_pickle_is_told_at_once(processes):
    tree = wasi_host.MemoryFS(clock=lambda: 0)
    with pytest.raises(TypeError, match="cannot go to another process"):
        wasi_host.Sandbox(LENGTH, dirs={"/": tree}).map([[]], executor=processes)


@pytest.mark.parametrize(
    ("jobs", "keywords", "word"),
    [
        (5, {}, "argument lists"),
        ("-l", {}, "argument lists"),
        ([["-l"]], {"executor": 5}, "Executor"),
        ([["-l"]], {"chunksize": "2"}, "chunksize"),
    ],
    ids=["a_number_as_jobs", "text_as_jobs", "a_number_as_executor", "text_as_chunksize"],
)
def test_mistakes_are_told_at_once(jobs, keywords, word):
    with pytest.raises(TypeError, match=word):
        wasi_host.Sandbox(LENGTH).map(jobs, **keywords)


def test_a_sandbox_with_sockets_does_not_travel(processes):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        sandbox = wasi_host.Sandbox(LENGTH, sockets=[listener])
        with pytest.raises(TypeError, match="sockets"):
            list(sandbox.map([[]], executor=processes))


# ---- workers that die ---------------------------------------------------------------------------


class Killing:
    """A word of a job that, loaded in a worker, ends the worker as long as a file is there."""

    def __init__(self, path, always=False):
        self.path, self.always = str(path), always

    def __reduce__(self):
        return spring, (self.path, self.always)


@pytest.mark.parametrize("chunksize", [1, 3, "auto"])
def test_a_worker_that_is_killed_loses_nothing(tmp_path, chunksize):
    (tmp_path / "trap").touch()
    jobs = [*words(6), [Killing(tmp_path / "trap")], *words(6)]
    with executor("spawn") as pool:
        results = wasi_host.Sandbox(LENGTH).map(jobs, executor=pool, chunksize=chunksize)
        assert lengths(results) == [*range(6), 1, *range(6)]


def test_a_worker_that_is_killed_from_outside_while_it_works_loses_nothing():
    sandbox = wasi_host.Sandbox(ENDLESS["computing"], limits=wasi_host.Limits(timeout=0.4))
    others = {*multiprocessing.active_children()}
    with executor("spawn") as pool:
        results = sandbox.map([[]] * 4, executor=pool, chunksize=1)
        first = next(results)
        victim = next(iter(pool._processes))
        os.kill(victim, signal.SIGKILL)
        assert [done.stopped for done in (first, *results)] == ["timeout"] * 4
        # A pool whose worker died with a lock of the pool's own may wait for the others for ever.
        for child in {*multiprocessing.active_children()} - others:
            child.kill()


def test_a_job_that_ends_its_worker_twice_is_told_as_killed_and_the_others_run(tmp_path):
    (tmp_path / "trap").touch()
    jobs = [*words(3), [Killing(tmp_path / "trap", always=True)], *words(3)]
    with executor("spawn") as pool:
        results = list(wasi_host.Sandbox(LENGTH).map(jobs, executor=pool, chunksize=2))
    assert lengths(results) == [0, 1, 2, -9, 0, 1, 2]
    assert [done.stopped for done in results] == [None] * 3 + ["killed"] + [None] * 3


def test_an_executor_of_another_kind_that_breaks_says_so():
    class Broken(Executor):
        def submit(self, *call):
            raise BrokenExecutor

    with pytest.raises(BrokenExecutor, match="anew"):
        list(wasi_host.Sandbox(LENGTH).map(words(3), executor=Broken()))


# ---- Dask ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # a cluster's own, about ports and its end
def test_a_dask_cluster_is_an_executor():
    distributed = pytest.importorskip("distributed", reason="needs the extra 'dask'")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pool = client.get_executor(pure=False)
        results = list(wasi_host.Sandbox(ARGS).map(words(20), executor=pool))
        assert [len(done.stdout) - 8 for done in results] == list(range(20))
        (done,) = wasi_host.Sandbox(command("unreachable")).map([[]], executor=pool)
        assert done.trap.cause == "unreachable"
