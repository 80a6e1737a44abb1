"""The official WASI test suite, where the environment variable WASI_TESTSUITE names a copy."""

import os
from pathlib import Path

import pytest

from conformance.suite import Case, load, run_case

_SUITE = os.environ.get("WASI_TESTSUITE")
_CASES = list(load(Path(_SUITE))) if _SUITE else []

pytestmark = pytest.mark.skipif(
    not _SUITE,
    reason="WASI_TESTSUITE names no copy of https://github.com/WebAssembly/wasi-testsuite",
)


@pytest.mark.parametrize("rights", ["grant", "strict"])
@pytest.mark.parametrize("filesystem", ["host", "memory"])
@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_the_official_program_passes(case: Case, filesystem: str, rights: str) -> None:
    outcome = run_case(case, filesystem=filesystem, rights=rights)
    assert not outcome.flaw, f"{outcome.flaw}\n{outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize("rights", ["grant", "strict"])
@pytest.mark.parametrize("filesystem", ["host", "memory"])
@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_the_official_program_passes_through_the_command_line(
    case: Case, filesystem: str, rights: str
) -> None:
    outcome = run_case(case, filesystem=filesystem, rights=rights, command=True)
    assert not outcome.flaw, f"{outcome.flaw}\n{outcome.stdout}{outcome.stderr}"


def test_the_suite_is_whole() -> None:
    assert len(_CASES) == 72
