"""What a host function takes and returns as values, derived from its row.

A guest passes addresses; a host function is given what lies there and returns what is to be
stored. So a buffer to fill is a length among the parameters and bytes among the results, and
the array of iovecs to read into is a ``size``; see ``wasi_spec.functions``.
"""

from wasi_spec.functions import Function, Param, Result
from wasi_spec.types import (
    CIOVECS,
    EVENTS,
    IOVECS,
    POINTER_STRINGS,
    POINTER_U8,
    SIZE,
    SUBSCRIPTIONS,
    Pointer,
)


def host_params(function: Function) -> tuple[Param, ...]:
    """Return the parameters of a row's host function, in order.

    ``size`` (of type ``SIZE``) is how much may be read, ``data`` (of type ``CIOVECS``) the bytes
    to write, ``subscriptions`` a list of records; all others are the row's own.
    """
    if function.name == "poll_oneoff":
        return (Param("subscriptions", SUBSCRIPTIONS),)
    params = []
    for param in function.params:
        if param.type is IOVECS:
            params.append(param._replace(name="size", type=SIZE))
        elif param.type is CIOVECS:
            params.append(param._replace(name="data"))
        elif not isinstance(param.type, Pointer):
            params.append(param)
    return tuple(params)


def host_results(function: Function) -> tuple[Result, ...]:
    """Return what a row's host function returns: nothing, a value, or a tuple of several.

    A result of type ``IOVECS`` or ``POINTER_U8`` is bytes, and stands for the count that the row
    has in its place; ``POINTER_STRINGS`` is a list of byte strings, ``EVENTS`` a list of events;
    records are tuples of their fields.
    """
    if function.name == "poll_oneoff":
        return (Result("events", EVENTS),)
    for param in function.params:
        if param.type is POINTER_STRINGS:
            return (Result(param.name, POINTER_STRINGS),)
        if param.type is POINTER_U8:
            return (Result(param.name, POINTER_U8),)
        if param.type is IOVECS:
            return (Result("data", IOVECS), *function.results[1:])
    return function.results
