"""Named tuples made without ``typing``, beside those that ``typing`` makes."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest

from wasi_spec import tuples


class Ours(tuples.NamedTuple):
    """A place."""

    name: str
    size: int
    seen: bool = False

    @property
    def large(self):
        """Whether there is much of it."""
        return self.size > 100


class Theirs(typing.NamedTuple):
    """A place."""

    name: str
    size: int
    seen: bool = False

    @property
    def large(self):
        """Whether there is much of it."""
        return self.size > 100


def shown(value):
    return repr(value).replace("Theirs", "Ours")


@pytest.mark.parametrize(
    "use",
    [
        lambda kind: kind("a", 1),
        lambda kind: kind(size=7, name="b", seen=True),
        lambda kind: tuple(kind("a", 1)),
        lambda kind: kind("a", 101).large,
        lambda kind: kind("a", 1).size + kind("a", 2)[1],
        lambda kind: kind("a", 1)._replace(size=2),
        lambda kind: kind("a", 1)._asdict(),
        lambda kind: kind._make(["a", 1, True]),
        lambda kind: kind("a", 1) == ("a", 1, False),
        lambda kind: hash(kind("a", 1)) == hash(("a", 1, False)),
        lambda kind: sorted([kind("b", 1), kind("a", 2)]),
        lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__, kind.__doc__),
        lambda kind: pickle.loads(pickle.dumps(kind("a", 1))),
        lambda kind: copy.copy(kind("a", 1)),
        lambda kind: kind.size.__doc__,
        lambda kind: list(kind.__annotations__),
        lambda kind: hasattr(kind("a", 1), "__dict__"),
    ],
)
def test_both_do_the_same(use):
    assert shown(use(Ours)) == shown(use(Theirs))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda kind: kind("a"),
        lambda kind: kind("a", 1, True, 4),
        lambda kind: kind("a", 1, sizes=4),
        lambda kind: kind("a", 1, name="b"),
        lambda kind: kind._make(["a"]),
        lambda kind: setattr(kind("a", 1), "size", 2),
        lambda kind: setattr(kind("a", 1), "other", 2),
    ],
)
def test_both_refuse_the_same(mistake):
    with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
        mistake(Theirs)
    with pytest.raises(type(theirs.value)) as ours:
        mistake(Ours)
    told = str(theirs.value).replace("Theirs", "Ours").replace("<lambda>()", "Ours.__new__()")
    assert str(ours.value) == told


def test_a_name_that_is_no_field_cannot_be_replaced():
    with pytest.raises(TypeError, match="unexpected field names"):  # as since 3.13
        Ours("a", 1)._replace(sizes=4)


@pytest.mark.parametrize("count", range(12))
def test_a_class_may_have_any_number_of_fields_that_there_are(count):
    names = [f"field_{n}" for n in range(count)]
    body = {"__module__": __name__, "__annotations__": dict.fromkeys(names, "int")}
    kind = type(tuples.NamedTuple)("Made", (tuples.NamedTuple,), body)
    made = kind(**{name: n for n, name in enumerate(names)})
    assert tuple(made) == tuple(range(count))
    assert [getattr(made, name) for name in names] == list(range(count))


def test_a_field_without_a_default_may_not_follow_one_with_a_default():
    with pytest.raises(TypeError, match="without a default"):

        class Wrong(tuples.NamedTuple):
            first: int = 1
            second: int


def test_a_class_without_fields_is_told_what_is_missing():
    with pytest.raises(TypeError, match="__future__"):

        class Empty(tuples.NamedTuple):
            """Nothing."""


def test_a_match_statement_takes_the_fields_in_their_order():
    match Ours("a", 1):
        case Ours(name, size, seen=False):
            assert (name, size) == ("a", 1)
        case _:
            pytest.fail("did not match")
