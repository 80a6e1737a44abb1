"""Every case of the catalogue has a test or a reason, and the table in the documents is current."""

import pytest

from tests.attacks.catalogue import CASES, SECTIONS, WITHOUT
from tests.attacks.table import DOCUMENT, attacks, document


def test_every_case_has_a_test_or_a_reason_why_not():
    tested = {test.case for test in attacks()}
    missing = set(range(1, len(CASES) + 1)) - tested - WITHOUT.keys()
    assert not missing
    assert not tested & WITHOUT.keys(), "a reason is given where there is a test"


def test_every_test_names_a_case_of_its_section():
    wrong = [
        test
        for test in attacks()
        if test.case > len(CASES) or CASES[test.case - 1][0] != test.section
    ]
    assert not wrong
    assert {letter for letter, _, _ in CASES} == SECTIONS.keys()


def test_the_table_in_the_documents_is_current():
    if DOCUMENT.read_text(encoding="utf-8") != document():
        pytest.fail("docs/attacks.md is old: python -m tests.attacks.table writes it")
