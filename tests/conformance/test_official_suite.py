"""The official WASI test suite, where the environment variable WASI_TESTSUITE names a copy."""

import os
import sys
from pathlib import Path

import pytest

from conformance import adapter
from conformance.engines import DEFAULT, ENGINES
from conformance.expectations import Expectations
from conformance.filesystems import FILESYSTEMS
from conformance.hosts import InProcess, Outside
from conformance.runner import run_case, run_matrix
from conformance.suite import Case, load

_SUITE = os.environ.get("WASI_TESTSUITE")
_CASES = load(Path(_SUITE)) if _SUITE else []
_HOSTS = [
    *(
        InProcess(DEFAULT, filesystem, rights)
        for filesystem in FILESYSTEMS
        for rights in ("grant", "strict")
    ),
    # What files are made of is no matter of the engine's.
    *(InProcess(runtime, "memory") for runtime in ENGINES if runtime != DEFAULT),
]

pytestmark = pytest.mark.skipif(
    not _SUITE,
    reason="WASI_TESTSUITE names no copy of https://github.com/WebAssembly/wasi-testsuite",
)


class CommandLine:
    """Our adapter with other options, started as ``python -m wasi_host``."""

    def __init__(self, directory_option, *options):
        self._directory_option, self._options = directory_option, options

    def get_name(self):
        return " ".join(["command", self._directory_option, *self._options])

    def get_version(self):
        return "this one"

    get_wasi_versions = staticmethod(adapter.get_wasi_versions)
    get_wasi_worlds = staticmethod(adapter.get_wasi_worlds)

    def compute_argv(self, *given):
        argv = adapter.compute_argv(*given)[len(adapter.WASI_HOST) :]
        words = [self._directory_option if word == "--dir" else word for word in argv]
        return [sys.executable, "-m", "wasi_host", "run", *self._options, *words]


@pytest.mark.parametrize("host", _HOSTS, ids=[host.name for host in _HOSTS])
@pytest.mark.parametrize("case", _CASES, ids=[case.label for case in _CASES])
def test_the_official_program_passes(case: Case, host: InProcess) -> None:
    result = run_case(case, host, expectation=Expectations(host.expectations).of(case))
    if result.outcome == "skip":
        pytest.skip(result.reason)
    assert not result.outcome.is_red, (result.failures, result.stdout, result.stderr)


_WATCHED = ("--dir", f"--strace={os.devnull}", "--record", os.devnull)


@pytest.mark.parametrize(
    "options", [("--dir",), ("--mem-dir",), ("--dir", "--strict-rights"), _WATCHED]
)
def test_the_official_programs_pass_through_the_command_line(options: tuple[str, ...]) -> None:
    matrix = run_matrix(_CASES, [Outside(CommandLine(*options))])
    assert len(matrix.results) == 72
    others = [result for result in matrix.results if result.outcome != "pass"]
    assert [(result.case.label, result.outcome, result.failures) for result in others] == []


def test_the_suite_is_whole() -> None:
    assert len(_CASES) == 72
