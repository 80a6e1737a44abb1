"""``NamedTuple`` for what every start of a guest makes: the same classes in an eighth of the time.

``typing.NamedTuple`` takes 0.15 ms for each class, and ``typing`` 3 ms to import; there are two
dozen such classes between an interpreter's start and a guest's. What is made here differs from
what that makes in two things: annotations stay text (a module with such a class begins with
``from __future__ import annotations``), and a class has one base.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from types import FunctionType

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NamedTuple

__all__ = ["NamedTuple"]

_new = tuple.__new__
# By the number of fields. Each class has a copy with its own names, so that making one of its
# tuples is as fast as it can be, and a wrong call is told in those names.
_CONSTRUCTORS = (
    lambda _cls: _new(_cls, ()),
    lambda _cls, a: _new(_cls, (a,)),
    lambda _cls, a, b: _new(_cls, (a, b)),
    lambda _cls, a, b, c: _new(_cls, (a, b, c)),
    lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
    lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
    lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
    lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
    lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
    lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
    lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
    lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k)),
)


def _make(cls: Any, iterable: Iterable[Any]) -> Any:
    """Return a tuple of the values of an iterable."""
    made = _new(cls, iterable)
    if len(made) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
    return made


def _replace(self: Any, /, **changes: Any) -> Any:
    """Return a tuple with other values for the fields named."""
    made = self._make(map(changes.pop, self._fields, self))
    if changes:
        raise TypeError(f"Got unexpected field names: {list(changes)!r}")
    return made


def _asdict(self: Any) -> dict[str, Any]:
    """Return the values by name."""
    return dict(zip(self._fields, self, strict=True))


def _repr(self: Any) -> str:
    parts = (f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({', '.join(parts)})"


def _getnewargs(self: Any) -> tuple[Any, ...]:
    return tuple(self)


class _Maker(type):
    """Makes a class of named tuples of what is written as one."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
        if not bases:
            return super().__new__(cls, name, bases, body)
        if "__annotations__" not in body:
            raise TypeError(f"{name}: no fields ('from __future__ import annotations' is missing)")
        fields = tuple(body["__annotations__"])
        given = tuple(field for field in fields if field in body)
        if given and fields[-len(given) :] != given:
            raise TypeError(f"{name}: a field without a default follows one with a default")
        defaults = {field: body.pop(field) for field in given}
        code = _CONSTRUCTORS[len(fields)].__code__.replace(
            co_varnames=("_cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
        )
        made = {
            "__doc__": f"{name}({', '.join(fields)})",
            "__slots__": (),
            "__match_args__": fields,
            "_fields": fields,
            "_field_defaults": defaults,
            "__new__": FunctionType(code, {"_new": _new}, "__new__", tuple(defaults.values())),
            "__repr__": _repr,
            "__getnewargs__": _getnewargs,
            "_make": classmethod(_make),
            "_replace": _replace,
            "_asdict": _asdict,
        }
        for place, field in enumerate(fields):
            made[field] = _tuplegetter(place, f"Alias for field number {place}")
        return type(name, (tuple,), {**made, **body})


if not TYPE_CHECKING:

    class NamedTuple(metaclass=_Maker):
        """Base to write a class of named tuples with, as ``typing.NamedTuple`` is."""
