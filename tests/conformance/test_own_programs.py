"""Our own conformance programs on every filesystem, and the table that lists them."""

import pytest

from conformance import own
from conformance.engines import DEFAULT, ENGINES
from conformance.expectations import Expectations
from conformance.filesystems import FILESYSTEMS
from conformance.hosts import InProcess
from conformance.runner import run_case
from conformance.suite import Case, load
from wasi_spec import FUNCTIONS

_CASES = load(own.PROGRAMS)
_HOSTS = [
    *(InProcess(DEFAULT, filesystem) for filesystem in FILESYSTEMS),
    *(InProcess(runtime, "memory") for runtime in ENGINES if runtime != DEFAULT),
]


@pytest.mark.parametrize("host", _HOSTS, ids=[host.name for host in _HOSTS])
@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_the_program_passes(case: Case, host: InProcess) -> None:
    result = run_case(case, host, expectation=Expectations(host.expectations).of(case))
    if result.outcome == "skip":
        pytest.skip(result.reason)
    assert not result.outcome.is_red, (result.failures, result.stdout, result.stderr)


def test_every_program_has_its_source_and_every_source_its_program() -> None:
    assert [case.name for case in _CASES] == [row.program for row in own.rows()]


def test_every_function_has_a_program() -> None:
    known = {function.name for function in FUNCTIONS}
    named = {name for row in own.rows() for name in row.functions}
    assert named - known == {"_initialize"}
    assert known <= named


def test_each_program_has_the_functions_of_its_row() -> None:
    for row in own.rows():
        module = (own.PROGRAMS / f"{row.program}.wasm").read_bytes()
        assert [name for name in row.functions if name.encode() not in module] == [], row


def test_each_row_names_whose_word_it_is() -> None:
    judges = ("spec", "POSIX", "official", "core spec", "wasi-libc", "ours")
    assert [row for row in own.rows() if not row.judge.startswith(judges)] == []


def test_every_description_belongs_to_a_program() -> None:
    described = {path.stem for path in own.PROGRAMS.glob("*.json")} - {"manifest"}
    assert described <= {case.name for case in _CASES}


def test_the_table_is_up_to_date() -> None:
    assert own.TABLE.read_text(encoding="utf-8") == own.table(), "run python -m conformance.own"
