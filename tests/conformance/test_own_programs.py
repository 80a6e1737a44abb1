"""Our own conformance programs on both filesystems, and the table that lists them."""

import pytest

from conformance import own
from conformance.suite import Case, load_directory, run_case

_CASES = list(load_directory(own.PROGRAMS))


@pytest.mark.parametrize("filesystem", ["host", "memory"])
@pytest.mark.parametrize("case", _CASES, ids=[case.name for case in _CASES])
def test_the_program_passes(case: Case, filesystem: str) -> None:
    outcome = run_case(case, filesystem=filesystem)
    assert not outcome.flaw, f"{outcome.flaw}\n{outcome.stdout}{outcome.stderr}"


def test_every_program_has_its_source_and_every_source_its_program() -> None:
    assert [case.name for case in _CASES] == [row.program for row in own.rows()]


def test_every_description_belongs_to_a_program() -> None:
    described = {path.stem for path in own.PROGRAMS.glob("*.json")}
    assert described <= {case.name for case in _CASES}


def test_the_table_is_up_to_date() -> None:
    assert own.TABLE.read_text(encoding="utf-8") == own.table(), "run python -m conformance.own"
