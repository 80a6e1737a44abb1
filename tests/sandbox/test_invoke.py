"""``invoke=``: a function of the module is called with the arguments as numbers."""

import pytest

from tests.runtimes.guests import run
from tests.sandbox.programs import NUMBERS


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["add", "1", "2"], (3,)),
        (["add", "-1", "0x10"], (15,)),
        (["half", "3"], (1.5,)),
        (["half", "1e3", "ignored"], (500.0,)),
        (["pair"], (1, 2)),
        (["nothing"], ()),
        (["ready"], (7,)),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)
def test_a_function_is_called_with_numbers_after_initialize(words, values):
    result = run(NUMBERS, *words[1:], invoke=words[0])
    assert (result.returncode, result.values) == (0, values)


def test_a_function_that_traps_is_a_trap():
    assert run(NUMBERS, invoke="boom").trap.cause == "unreachable"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AttributeError, ["missing"]),
        (AttributeError, ["memory"]),
        (TypeError, ["add", "1"]),
        (ValueError, ["add", "1", "two"]),
        (ValueError, ["add", "1", "2.5"]),
        (OverflowError, ["add", "99999999999", "0"]),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else item.__name__,
)
def test_a_function_that_cannot_be_called_so_is_an_error(error, words):
    with pytest.raises(error):
        run(NUMBERS, *words[1:], invoke=words[0])


def test_a_missing_function_names_those_there_are():
    with pytest.raises(AttributeError, match="'add', 'half', 'pair'"):
        run(NUMBERS, invoke="missing")
