"""Snapshot 0, the module ``wasi_unstable``, as its differences from preview 1.

Programs of 2019 import it. It has 45 functions (no ``sock_accept``) with the same core
signatures, and differs in memory and in numbers:

* whence counts CUR, END, SET (preview 1: SET, CUR, END);
* a filestat's link count has 32 bits, which moves all behind it: 56 bytes instead of 64;
* a clock subscription begins with an identifier, which says nothing: 56 bytes instead of 48;
* there is no right to accept.

Source: WebAssembly/WASI, branch wasi-0.1, ``preview0/witx``.
"""

from __future__ import annotations

from enum import IntEnum

from wasi_spec import types
from wasi_spec.enums import Whence as Preview1Whence
from wasi_spec.functions import FUNCTIONS as PREVIEW1_FUNCTIONS
from wasi_spec.functions import Function, Param, Result
from wasi_spec.signatures import UNSTABLE
from wasi_spec.types import Enum, Field, Flags, Int, Pointer, Record, Type, Union

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

MODULE: Final = UNSTABLE


class Whence(IntEnum):
    """What a seek is relative to (witx: ``$whence``, u8)."""

    CUR = 0
    END = 1
    SET = 2


WHENCE: Final = Enum(
    "whence", 8, Whence, meaning=tuple(int(Preview1Whence[place.name]) for place in Whence)
)
RIGHTS: Final = Flags("rights", 64, types.RIGHTS.values, masked=True, missing=("SOCK_ACCEPT",))
LINKCOUNT: Final = Int("linkcount", 32)
FILESTAT: Final = Record(
    "filestat",
    tuple(
        Field(field.name, LINKCOUNT) if field.name == "nlink" else field
        for field in types.FILESTAT.fields
    ),
)
SUBSCRIPTION_CLOCK: Final = Record(
    "subscription_clock",
    (Field("identifier", types.USERDATA), *types.SUBSCRIPTION_CLOCK.fields),
)
SUBSCRIPTION_U: Final = Union(
    "subscription_u",
    types.EVENTTYPE,
    (SUBSCRIPTION_CLOCK, types.SUBSCRIPTION_FD, types.SUBSCRIPTION_FD),
)
SUBSCRIPTION: Final = Record(
    "subscription", (Field("userdata", types.USERDATA), Field("u", SUBSCRIPTION_U))
)
SUBSCRIPTIONS: Final = Pointer("const_pointer subscription", SUBSCRIPTION, const=True)

_DIFFERENT: Final = {kind.name: kind for kind in (WHENCE, RIGHTS, FILESTAT, SUBSCRIPTIONS)}


def _own(kind: Type) -> Type:
    return _DIFFERENT.get(kind.name, kind)


def _row(function: Function) -> Function:
    return function._replace(
        params=tuple(Param(p.name, _own(p.type), p.rights) for p in function.params),
        results=tuple(Result(r.name, _own(r.type)) for r in function.results),
    )


#: The 45 functions, as preview 1's rows with the types above.
FUNCTIONS: Final[tuple[Function, ...]] = tuple(
    _row(function) for function in PREVIEW1_FUNCTIONS if function.name != "sock_accept"
)
