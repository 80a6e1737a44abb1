"""Runs tests over hosts: each test in a fresh directory, with a deadline, several at a time."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from conformance import peers
from conformance.expectations import Expectation, Expectations
from conformance.hosts import Host, Traced
from conformance.session import Conversation, Failure, Program, converse
from conformance.suite import Case, Run

#: Seconds after which a test is ended.
TIMEOUT: Final = 30.0
#: Seconds that a failed test gets to show its system calls.
LOOK: Final = 5.0


class Outcome(StrEnum):
    """How a test went, in the official runner's words."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    #: Failed, as expected.
    XFAIL = "xfail"
    #: Passed, though a failure was expected: the expectation is stale.
    XPASS = "xpass"

    @property
    def is_red(self) -> bool:
        """Whether it makes the whole run fail."""
        return self in (Outcome.FAIL, Outcome.XPASS)


class Result(NamedTuple):
    """One cell of the matrix.

    Attributes:
        case: the test.
        host: the host's name.
        outcome: how it went.
        reason: why it was skipped or expected to fail.
        failures: what was wrong.
        duration: in seconds.
        exit_code: None: there is none.
        stdout: what the program wrote.
        stderr: likewise.
        argv: how it was run.
        trace: the system calls of a test that failed, from running it once more.
    """

    case: Case
    host: str
    outcome: Outcome
    reason: str = ""
    failures: tuple[Failure, ...] = ()
    duration: float = 0.0
    exit_code: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    argv: tuple[str, ...] = ()
    trace: str = ""


class Matrix(NamedTuple):
    """Tests x hosts. ``results`` are in the order of the hosts, and within one of the tests."""

    hosts: tuple[Host, ...]
    cases: tuple[Case, ...]
    results: tuple[Result, ...]
    started: datetime
    finished: datetime

    @property
    def red(self) -> list[Result]:
        """What failed, or passed unexpectedly."""
        return [result for result in self.results if result.outcome.is_red]

    def count(self, host: Host, *outcomes: Outcome) -> int:
        """Return how many tests ended so on a host."""
        return sum(r.host == host.name and r.outcome in outcomes for r in self.results)


def run_matrix(
    cases: Iterable[Case],
    hosts: Sequence[Host],
    *,
    expectations: Sequence[Path] = (),
    timeout: float = TIMEOUT,
    jobs: int | None = None,
    progress: Callable[[Result], None] = lambda result: None,
) -> Matrix:
    """Run all tests on all hosts.

    Args:
        cases: the tests.
        hosts: the columns, with different names.
        expectations: files that hold for all hosts, on top of the hosts' own.
        timeout: seconds for each test.
        jobs: how many at a time; None: one for each processor.
        progress: called with each result, in order, as it becomes known.

    Raises:
        ExpectationError, OSError: an expectation file cannot be read.
    """
    started = datetime.now(UTC)
    all_cases = tuple(cases)
    # A host's own file must not hide what the user says of it: his come last.
    files = [Expectations([*host.expectations, *expectations]) for host in hosts]
    results = []
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1, "wasi-test") as pool:
        pending = [
            pool.submit(
                run_case, case, host, expectation=expected(case, host, known), timeout=timeout
            )
            for host, known in zip(hosts, files, strict=True)
            for case in all_cases
        ]
        try:
            for future in pending:
                results.append(future.result())
                progress(results[-1])
        except BaseException:  # Ctrl-C: what has not begun does not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Matrix(tuple(hosts), all_cases, tuple(results), started, datetime.now(UTC))


def expected(case: Case, host: Host, known: Expectations) -> Expectation:
    """Return what a file says of a test; else what is known of a peer."""
    expectation = known.of(case)
    return expectation if expectation.stated else peers.expected_of(host.name, case)


def run_case(
    case: Case,
    host: Host,
    *,
    expectation: Expectation = Expectation(),  # noqa: B008  immutable
    timeout: float = TIMEOUT,
) -> Result:
    """Run one test on one host, in a fresh copy of its directory."""
    if expectation.skip:
        return Result(case, host.name, Outcome.SKIP, expectation.reason)
    if reason := host.absent or host.cannot(case):
        return Result(case, host.name, Outcome.SKIP, reason)
    began = perf_counter()
    talk = _talk(case, host, timeout)
    duration = perf_counter() - began
    outcome, trace = _outcome(talk, expectation), ""
    if outcome is Outcome.FAIL and (again := host.traced()) is not None:
        _talk(case, again, min(timeout, LOOK))
        trace = again.calls()
    return Result(
        case,
        host.name,
        outcome,
        expectation.reason,
        talk.failures,
        duration,
        talk.exit_code,
        talk.stdout,
        talk.stderr,
        talk.argv,
        trace,
    )


def _talk(case: Case, host: Host | Traced, timeout: float) -> Conversation:
    """Carry out a test in a fresh copy of its directory."""
    with tempfile.TemporaryDirectory(prefix="wasi-test-", ignore_cleanup_errors=True) as scratch:

        def start(run: Run) -> Program:
            places = {} if run.root is None else {"/": run.root}
            dirs = {guest: _fresh(path, scratch) for guest, path in (places | case.mounts).items()}
            return host.start(case, run, dirs, timeout)

        return converse(case, start, timeout)


def _fresh(directory: Path, scratch: str) -> Path:
    """Return a copy of a directory, without what earlier runs left in there."""
    copy = Path(tempfile.mkdtemp(dir=scratch)) / directory.name
    shutil.copytree(directory, copy, symlinks=True)
    for left_over in copy.rglob("*.cleanup"):
        if left_over.is_dir() and not left_over.is_symlink():
            shutil.rmtree(left_over)
        else:
            left_over.unlink(missing_ok=True)
    return copy


def _outcome(talk: Conversation, expectation: Expectation) -> Outcome:
    if expectation.fail:
        return Outcome.XFAIL if talk.failures else Outcome.XPASS
    return Outcome.FAIL if talk.failures else Outcome.PASS
