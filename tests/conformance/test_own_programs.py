"""Our own conformance programs on every filesystem, and the table that lists them."""

import pytest

from conformance import own
from conformance.expectations import Expectations
from conformance.filesystems import FILESYSTEMS
from conformance.hosts import InProcess
from conformance.runner import run_case
from conformance.suite import Case, load

_CASES = load(own.PROGRAMS)
_HOSTS = [InProcess("wasmtime", filesystem) for filesystem in FILESYSTEMS]


@pytest.mark.parametrize("host", _HOSTS, ids=[host.name for host in _HOSTS])
@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_the_program_passes(case: Case, host: InProcess) -> None:
    result = run_case(case, host, expectation=Expectations(host.expectations).of(case))
    if result.outcome == "skip":
        pytest.skip(result.reason)
    assert not result.outcome.is_red, (result.failures, result.stdout, result.stderr)


def test_every_program_has_its_source_and_every_source_its_program() -> None:
    assert [case.name for case in _CASES] == [row.program for row in own.rows()]


def test_every_description_belongs_to_a_program() -> None:
    described = {path.stem for path in own.PROGRAMS.glob("*.json")} - {"manifest"}
    assert described <= {case.name for case in _CASES}


def test_the_table_is_up_to_date() -> None:
    assert own.TABLE.read_text(encoding="utf-8") == own.table(), "run python -m conformance.own"
